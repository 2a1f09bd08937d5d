"""Work at Risk in words."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from django.urls import reverse

from config.lib.ui.formats import day_text
from engagements import permissions
from engagements.models import ServiceRequest, WorkAtRisk
from engagements.selectors import risks as selectors
from engagements.selectors.signoffs import live_sign_off
from engagements.services import options
from engagements.services import risks as services
from people.models import User

State = WorkAtRisk.State
ENDS = {
    "signed": "Ended: the customer signed",
    "expired": "Ran out",
    "withdrawn": "Ended early",
    "request_over": "Ended with the request",
}


class Tag(NamedTuple):
    label: str
    tone: str
    icon: str


def state_tag(risk: WorkAtRisk, today: dt.date) -> Tag:
    day = day_text(risk.expires_on, today)
    match risk.state:
        case State.ASKED:
            return Tag("Waits for leadership", "warn", "hourglass")
        case State.APPROVED if risk.expires_on >= today:
            return Tag(f"Until {day}", "warn", "triangle-alert")
        case State.APPROVED:
            return Tag("Ran out", "bad", "circle-x")
        case State.REFUSED:
            return Tag("Refused", "", "circle-slash")
    tone = "good" if risk.end_code == "signed" else ""
    return Tag(ENDS.get(risk.end_code, "Ended"), tone, "circle-check" if tone else "circle-x")


def sign_off_tag(request: ServiceRequest, signed: Collection[int]) -> Tag:
    """Say whether the customer's sign-off is there, still owed, or not wanted any more."""
    if request.pk in signed:
        return Tag("Signed", "good", "circle-check")
    if selectors.owes_sign_off(request, signed):
        return Tag("Owed", "bad", "file-clock")
    return Tag("Request over", "line", "circle-slash")


def days_text(days: Decimal) -> str:
    """Return "3" or "2.5"."""
    return f"{days.normalize():f}"


@dataclass(frozen=True, slots=True)
class RiskCard:
    """What the rail of a request shows of Work at Risk."""

    risk: WorkAtRisk | None
    state: Tag | None
    sign_off: Tag
    acts: list[tuple[str, str]]
    may_ask: bool

    @property
    def sign_off_label(self) -> str:
        return f"Sign-off {self.sign_off.label.lower()}"


def risk_card(
    request: ServiceRequest, user: User, *, at: dt.datetime, today: dt.date
) -> RiskCard | None:
    """Return what to show; nothing where there is neither a risk nor one to be asked for."""
    risk = selectors.risk_of(request)
    may_ask = permissions.can_ask_for_risk(user) and not services.why_not(request, on=today)
    if risk is None and not may_ask:
        return None
    acts = [
        (each.transition.label, reverse("requests:risk-move", args=[risk.uuid, each.transition.id]))
        for each in (options(risk, user, at=at) if risk else ())
        if each.may and risk
    ]
    is_signed = not request.fast_path and live_sign_off(request, on=today) is not None
    return RiskCard(
        risk,
        state_tag(risk, today) if risk else None,
        sign_off_tag(request, {request.pk} if is_signed else ()),
        acts,
        may_ask,
    )
