"""Moves that somebody asked for because they may not make them: whose turn it is."""

from collections.abc import Callable, Collection

from django.db.models import Q, QuerySet, Subquery

from engagements import permissions
from engagements.models import ServiceRequest
from events.models import MoveRequest
from events.workflow import Transition, workflow_named
from people.models import User

REQUESTER, ENGINEER, LEAD = "requester", "engineer", "lead"
# By who may make a move, to whom it falls.
FALLS_TO: dict[Callable[..., bool], str] = {
    permissions.is_drafts_own: REQUESTER,
    permissions.is_requester_of: REQUESTER,
    permissions.can_answer: REQUESTER,
    permissions.is_requester_or_lead: REQUESTER,
    permissions.is_lead: LEAD,
    permissions.is_router: LEAD,
    permissions.is_second_lead: LEAD,
    permissions.can_pause: LEAD,
    permissions.works_on: ENGINEER,
    permissions.is_party_of: ENGINEER,
}


def falls_to(transition: Transition) -> str:
    """Return the part whose turn it is."""
    return FALLS_TO[transition.who]


def open_for(user: User, *, hats: Collection[str], mine: Q) -> "QuerySet[MoveRequest]":
    """Return the moves of requests that others ask this person for.

    `mine` are the requests they look after; what is asked about Work at Risk waits for a
    decision on it anyway.
    """
    by_part: dict[str, list[str]] = {REQUESTER: [], ENGINEER: [], LEAD: []}
    for transition in workflow_named("request").transitions:
        if transition.asks is not None:
            by_part[falls_to(transition)].append(transition.id)
    wanted = Q(pk__in=[])
    if REQUESTER in hats:
        wanted |= Q(transition__in=by_part[REQUESTER]) & _about(mine)
    if {ENGINEER, LEAD} & set(hats):
        wanted |= Q(transition__in=by_part[ENGINEER]) & _about(Q(lead=user))
    if LEAD in hats:
        leaderless = _about(Q(lead=None))
        wanted |= Q(transition__in=by_part[LEAD]) | (
            Q(transition__in=by_part[ENGINEER]) & leaderless
        )
    return MoveRequest.objects.filter(wanted, workflow="request", settled_at=None).exclude(by=user)


def _about(which: Q) -> Q:
    return Q(object_id__in=Subquery(ServiceRequest.objects.filter(which).values("uuid")))
