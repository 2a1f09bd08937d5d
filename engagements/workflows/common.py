"""What the rows of the table of requests share."""

from collections.abc import Callable, Iterable
from typing import Any

from engagements.models import Effort, RequestState, ServiceRequest
from engagements.workflows import fields
from events.workflow import Changes, Move
from people.models import Role, User
from people.selectors import people_with_role

S = RequestState
BEFORE_WORK = frozenset(
    {S.SUBMITTED, S.NEEDS_INFO, S.SOW_DRAFTING, S.AWAITING_SIGNOFF, S.SIGNED_OFF, S.TRIAGED}
)
CAN_WAIT = frozenset(
    {S.SOW_DRAFTING, S.AWAITING_SIGNOFF, S.SIGNED_OFF, S.TRIAGED, S.SCHEDULED, S.IN_PROGRESS}
)
CAN_CANCEL = BEFORE_WORK | {S.DRAFT, S.SCHEDULED, S.IN_PROGRESS, S.ON_HOLD}
OVER = frozenset({S.CLOSED, S.DECLINED, S.CANCELLED})


def leads(_request: ServiceRequest) -> Iterable[User]:
    return people_with_role(Role.DE_LEAD)


def requesters(request: ServiceRequest) -> Iterable[User]:
    return [request.filed_by]


def workers(request: ServiceRequest) -> Iterable[User]:
    return [request.lead] if request.lead else leads(request)


def at(column: str) -> Callable[[Move], Changes]:
    """Stamp a moment, the first time only: a second round does not make it look faster."""

    def changed(move: Move) -> Changes:
        return {} if getattr(move.obj, column) else {column: move.at}

    return changed


def taken(*names: str) -> Callable[[Move], Changes]:
    """Write the values of these names into the columns of the same names."""

    def changed(move: Move) -> Changes:
        return {name: move.values[name] for name in names if move.values[name] is not None}

    return changed


def given(**columns: Any) -> Callable[[Move], Changes]:
    return lambda _move: columns


def paused(move: Move) -> Changes:
    return {"paused_from": move.was}


RESUMED = given(paused_from="", hold_code="", waits_for=None, preempted_by=None)


IMPACT, EFFORT = fields.impact(), fields.choice("effort", "Effort", Effort)
INDICATIVE = (
    fields.impact(required=False),
    fields.choice("effort", "Effort", Effort, required=False),
)
