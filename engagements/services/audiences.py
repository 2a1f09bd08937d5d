"""Whom something that happens to a request concerns."""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from accounts.selectors import assignments_on, today
from engagements.models import ServiceRequest
from events.workflow import Move
from people.models import Role, User
from people.selectors import people_with_role

# Whom a move concerns.
Audience = Callable[[Move], Iterable[User | None]]
REQUESTER_ROLES = ("TAM", "CSM", "CRE", "AE", "SA")


def request_of(thing: Any) -> ServiceRequest:
    found: ServiceRequest = thing if isinstance(thing, ServiceRequest) else thing.request
    return found


def requester(request: ServiceRequest, *, at: dt.datetime) -> list[User]:
    """Return who filed it; who looks after the account, where that person has left."""
    if request.filed_by.is_active:
        return [request.filed_by]
    assigned = list(
        assignments_on(today(at))
        .filter(account=request.account_id, role__in=REQUESTER_ROLES)
        .select_related("user")
    )
    primary = [each.user for each in assigned if each.primary]
    return primary or [each.user for each in assigned]


def requesters_of(request: ServiceRequest, *, at: dt.datetime) -> list[User]:
    """Return who filed it and everybody who may speak for the account."""
    assigned = assignments_on(today(at)).filter(
        account=request.account_id, role__in=REQUESTER_ROLES
    )
    return [request.filed_by, *(each.user for each in assigned.select_related("user"))]


def team(request: ServiceRequest) -> list[User | None]:
    return [request.lead, *request.engineers.all()]


def leads() -> Iterable[User]:
    return people_with_role(Role.DE_LEAD)


def by_requester(move: Move) -> Iterable[User | None]:
    return requester(request_of(move.obj), at=move.at)


def by_team(move: Move) -> Iterable[User | None]:
    return team(request_of(move.obj))


def by_leads(_move: Move) -> Iterable[User | None]:
    return leads()


def by_asked_of(move: Move) -> Iterable[User | None]:
    return [move.values["asked_of"] or move.obj.filed_by]


def by_asker(move: Move) -> Iterable[User | None]:
    # The answer is written down after this.
    return [each.asked_by for each in move.obj.questions.filter(answered_at=None)]


def by_owner_there(move: Move) -> Iterable[User | None]:
    return [move.values["owner_user"]]


def by_appealer(move: Move) -> Iterable[User | None]:
    decision = move.obj.decisions.order_by("-id").first()
    return [decision.appealed_by] if decision else []


def by_scheduled(move: Move) -> Iterable[User | None]:
    return [move.values["lead"], *(move.values["engineers"] or [])]


def by_recorder(move: Move) -> Iterable[User | None]:
    return [move.obj.recorded_by, move.obj.confirmed_by]


def by_risk_parties(move: Move) -> Iterable[User | None]:
    return [move.obj.asked_by, move.obj.decided_by]


def by_proposer(move: Move) -> Iterable[User | None]:
    return [move.obj.by]
