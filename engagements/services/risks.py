"""Work at Risk: asked for by a DE lead, decided by leadership, ended by itself."""

import datetime as dt
from decimal import Decimal

import structlog
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.selectors import today
from config.lib.authz import require
from config.lib.errors import Conflict
from config.lib.ui.formats import day_text
from engagements import permissions, selectors
from engagements.models import RequestState, ServiceRequest, WorkAtRisk
from engagements.selectors.calendar import company_calendar
from engagements.selectors.signoffs import risks_of
from engagements.services import telling
from engagements.services.moving import move
from events.services import record
from events.workflow import Given
from people.models import User, system_user

State = WorkAtRisk.State
S = RequestState
# Where a sign-off is still owed, or where the one that was there is gone.
CAN_ASK = frozenset(
    {S.SOW_DRAFTING, S.AWAITING_SIGNOFF, S.TRIAGED, S.SCHEDULED, S.IN_PROGRESS, S.ON_HOLD}
)
# Business days before the last one at which people are told, once.
WARN_DAYS = 2

log = structlog.get_logger(__name__)


@transaction.atomic
def ask_for_risk(
    request: ServiceRequest,
    *,
    reason: str,
    exposure: str,
    exposure_days: Decimal,
    expires_on: dt.date,
    by: User,
    at: dt.datetime,
) -> WorkAtRisk:
    """Ask leadership to let the work start before the customer has signed.

    Raises Conflict where there is nothing to ask for, and ValidationError for a last day that is
    over or further away than policy lets it be.
    """
    require(permissions.can_ask_for_risk, by)
    locked = ServiceRequest.objects.select_for_update(of=("self",), no_key=True).get(pk=request.pk)
    on = today(at)
    if refusal := why_not(locked, on=on):
        raise Conflict(refusal, code="blocked")
    _check_last_day(expires_on, on=on)
    risk = WorkAtRisk.objects.create(
        request=locked,
        reason=reason,
        exposure=exposure,
        exposure_days=exposure_days,
        expires_on=expires_on,
        asked_by=by,
        asked_at=at,
    )
    risk.refresh_from_db()
    record(
        "work_at_risk.asked",
        risk,
        by=by,
        after={
            "exposure": exposure,
            "exposure_days": exposure_days,
            "expires_on": expires_on,
        },
        account_id=locked.account_id,
        reason=reason,
    )
    telling.risk_asked(risk, by=by, at=at)
    return risk


def why_not(request: ServiceRequest, *, on: dt.date) -> str:
    """Return "" where Work at Risk can be asked for, else why not."""
    if request.state not in CAN_ASK:
        label = RequestState(request.state).label.lower()
        return (
            f"{request.number} is {label}. Work at Risk is for a request whose statement of work "
            "is being written or waits for a sign-off, or whose sign-off was superseded."
        )
    if request.fast_path:
        return f"{request.number} is on the fast path and needs no sign-off."
    if selectors.live_sign_off(request, on=on):
        return f"The customer has signed off {request.number}. Nothing is at risk."
    open_ones = (each for each in risks_of(request) if each.state in (State.ASKED, State.APPROVED))
    open_one = next(open_ones, None)
    if open_one is not None:
        words = "waits for a decision" if open_one.state == State.ASKED else "is approved"
        return f"Work at Risk of {request.number} {words} already, until {open_one.expires_on}."
    return ""


def last_day(on: dt.date) -> dt.date:
    """Return the last day that policy lets Work at Risk asked for on a day have."""
    return on + dt.timedelta(days=selectors.policy_on(on).risk_days)


def end_what_ran_out(*, at: dt.datetime) -> int:
    """End what is past its last day, asked for or approved; return how many ended."""
    ended = 0
    for risk in _open().filter(expires_on__lt=today(at)).order_by("pk"):
        given = Given(
            reason=f"It was given until {day_text(risk.expires_on)}.", values={"code": "expired"}
        )
        try:
            move(risk, "end", by=system_user(), at=at, given=given)
        except Conflict:
            # Somebody else was quicker.
            log.info("risk.ended_already", risk=risk.pk)
            continue
        ended += 1
    return ended


def warn_of_the_end(*, at: dt.datetime) -> int:
    """Tell those concerned, once, that Work at Risk is about to end; return of how many."""
    on = today(at)
    until = company_calendar().day_after(on, WARN_DAYS)
    nearing = _open().filter(state=State.APPROVED, expires_on__range=(on, until))
    return sum(_warn(pk, at) for pk in nearing.values_list("pk", flat=True))


@transaction.atomic
def _warn(pk: int, at: dt.datetime) -> bool:
    risk = (
        _open()
        .select_for_update(of=("self",), skip_locked=True, no_key=True)
        .filter(pk=pk, state=State.APPROVED)
        .first()
    )
    return risk is not None and telling.risk_ends_soon(risk, at=at)


def _open() -> QuerySet[WorkAtRisk]:
    is_open = Q(state=State.ASKED) | Q(state=State.APPROVED)
    return WorkAtRisk.objects.filter(is_open).select_related("request__account")


def _check_last_day(day: dt.date, *, on: dt.date) -> None:
    if day < on:
        words = f"{day_text(day)} is over. Choose today or a later day."
    elif day > last_day(on):
        words = f"{day_text(day)} is too late: policy allows {day_text(last_day(on))} at most."
    else:
        return
    raise ValidationError({"expires_on": ValidationError(words, code="out_of_range")})
