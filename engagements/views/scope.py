"""Who would own what is asked, and why: the answer of the router as pages show it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accounts.here import Here
from accounts.models import Account
from engagements.models import Owner, ServiceRequest
from engagements.rules import router
from engagements.rules.router import Answer, Facts
from engagements.rules.routing_words import FACTS
from engagements.selectors import routing
from people.models import User

YES = frozenset({"true", "yes", "on", "1"})
NO = frozenset({"false", "no", "0"})


@dataclass(frozen=True, kw_only=True)
class Scope:
    """One answer, with whom it would go to at the account."""

    answer: Mapping[str, Any]
    person: User | None
    is_you: bool

    @property
    def is_ours(self) -> bool:
        return bool(self.answer["owner"] == Owner.DE)

    @property
    def is_open(self) -> bool:
        """Whether answers are missing that it waits for."""
        return self.answer["rule"] is None and bool(self.answer["missing"])

    @property
    def tone(self) -> str:
        if self.is_ours:
            return "good"
        return "info" if self.answer["owner"] is None else "warn"

    @property
    def icon(self) -> str:
        if self.is_open:
            return "circle-question-mark"
        if self.is_ours:
            return "zap" if self.answer["fast_path"] else "circle-check"
        return "user-round" if self.answer["owner"] is None else "arrow-right"

    @property
    def heading(self) -> str:
        owner = routing.owner_label(self.answer["owner"])
        if self.is_open:
            return "It depends"
        if self.is_ours:
            on_path = ", on the fast path" if self.answer["fast_path"] else ""
            return f"In scope for {owner}{on_path}"
        if self.answer["owner"] is None:
            return owner
        return f"This is yours: {owner}" if self.is_you else f"This belongs to {owner}"

    @property
    def goes_to(self) -> str:
        if self.answer["owner"] is None:
            return "A DE lead"
        owner = routing.owner_label(self.answer["owner"])
        if self.person is None:
            return owner
        return f"{self.person.name}, {owner}{' (you)' if self.is_you else ''}"

    @property
    def missing(self) -> list[str]:
        return [FACTS[name] for name in self.answer["missing"]]

    @property
    def near_misses(self) -> list[tuple[str, str]]:
        if not self.is_open:
            return routing.near_misses_shown(dict(self.answer))
        # What is not answered is said above.
        return [
            (each["if"], routing.outcome_label(each["owner"], fast_path=each["fast_path"]))
            for each in self.answer["near_misses"]
        ]


def scope_of(request: ServiceRequest, here: Here) -> Scope | None:
    """Return who would own the draft as it stands; None before its type is known."""
    if not request.type:
        return None
    return told(routing.answer_for(request, on=here.today), request.account, here)


def told(answer: Answer, account: Account | None, here: Here) -> Scope:
    person = routing.owner_user(account, answer.owner, on=here.today)
    return Scope(
        answer=routing.answer_told(answer, account),
        person=person,
        is_you=person is not None and person.pk == here.user.pk,
    )


def facts_sent(sent: Mapping[str, str], stored: Facts) -> Facts:
    """Return the facts of a form that is being filled in; what it does not send is as stored."""
    values: dict[str, Any] = {
        name: _yes_or_no(sent[name]) if name in sent else getattr(stored, name)
        for name in router.YES_OR_NO
    }
    if values["escalated"] and "escalation_reason" in sent:
        values["escalated"] = bool(sent["escalation_reason"].strip())
    type_ = sent.get("type", stored.type)
    approval = sent.get("product_approval")
    return Facts(
        type=type_ if type_ in router.ASKED else "",
        **values,
        product_approval=stored.product_approval if approval is None else bool(approval.strip()),
        arr=stored.arr,
    )


def _yes_or_no(text: str) -> bool | None:
    if text in YES:
        return True
    return False if text in NO else None
