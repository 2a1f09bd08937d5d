"""What a project's moves do to its requests, in the same transaction: all of them, or nothing."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import ValidationError

from config.lib.errors import Conflict
from engagements.models import Confidence, Effort, Impact, RequestState, ServiceRequest
from engagements.permissions import works_on
from engagements.selectors.absences import planned_above
from engagements.services import move as move_request
from engagements.services.joining import join
from engagements.services.telling import already_told
from events.workflow import Blocked, Given, Move
from projects import selectors
from projects.models import Project, ProjectState
from projects.services.telling import told_of

S = RequestState
# What came first is a project, and a request names requests: it waits for somebody else.
HELD_ALONG = "blocked_outside"


class RequestBlocked(Conflict):
    """A request of the project cannot make its part of the move."""

    code = "request_blocked"


def _told_once(effect: Callable[[Move], None]) -> Callable[[Move], None]:
    """Whom the project's move was told to need not hear it of each request too.

    Nor are people's days looked at once more: the project's own move did that.
    """

    @wraps(effect)
    def quiet(move: Move) -> None:
        with already_told(told_of(move)), planned_above():
            effect(move)

    return quiet


@_told_once
def schedule_requests(move: Move) -> None:
    """Triage what was not triaged, and schedule each for the increment with the project's leads."""
    project: Project = move.obj
    increment = move.values["increment"]
    leads = [str(person.uuid) for person in project.leads.order_by("pk")]
    if not leads:
        return
    values = {
        "lead": leads[0],
        "engineers": leads[1:],
        "start": increment.start.isoformat(),
        "end": increment.end.isoformat(),
    }
    for request in selectors.open_requests_of(project):
        if request.state in (S.SIGNED_OFF, S.SOW_DRAFTING, S.AWAITING_SIGNOFF):
            triage = "triage" if request.state == S.SIGNED_OFF else "triage_at_risk"
            _along(request, triage, move, _scored(project))
        if request.state in (S.TRIAGED, S.SCHEDULED):
            _along(request, "schedule", move, values)


@_told_once
def unschedule_requests(move: Move) -> None:
    for request in selectors.open_requests_of(move.obj):
        if request.state == S.SCHEDULED and not selectors.is_shared(request, but=move.obj):
            _along(request, "unschedule", move, reason=move.reason)


@_told_once
def start_requests(move: Move) -> None:
    """Start each; one that waits for something else, or is not scheduled, stops the whole."""
    for request in selectors.open_requests_of(move.obj):
        if _is_held_along(request):
            _along(request, "resume", move)
        if request.state != S.IN_PROGRESS:
            # Leads may have changed since it was scheduled.
            if not works_on(move.by, request):
                join(request, by=move.by)
            _along(request, "start", move)


@_told_once
def hold_requests(move: Move) -> None:
    for request in selectors.open_requests_of(move.obj):
        is_at_work = request.state in (S.SCHEDULED, S.IN_PROGRESS)
        if is_at_work and not selectors.is_shared(request, but=move.obj):
            values = {"code": HELD_ALONG}
            _along(request, "hold", move, values, reason=f"{move.obj.number}: {move.reason}")


@_told_once
def resume_requests(move: Move) -> None:
    """Let those go on that were not further than the project is now."""
    is_at_work = move.becomes == ProjectState.IN_PROGRESS
    for request in selectors.open_requests_of(move.obj):
        if _is_held_along(request) and (is_at_work or request.paused_from == S.SCHEDULED):
            _along(request, "resume", move)


def _is_held_along(request: ServiceRequest) -> bool:
    return request.state == S.ON_HOLD and request.hold_code == HELD_ALONG


def _scored(project: Project) -> dict[str, Any]:
    return {
        "impact": project.impact or Impact.MEDIUM,
        "effort": project.effort or Effort.MEDIUM,
        "confidence": project.confidence or Confidence.MEDIUM,
    }


def _along(
    request: ServiceRequest,
    name: str,
    move: Move,
    values: dict[str, Any] | None = None,
    *,
    reason: str = "",
) -> None:
    given = Given(values=values or {}, reason=reason)
    try:
        move_request(request, name, by=move.by, at=move.at, given=given)
    except Blocked as blocked:
        raise RequestBlocked(
            f"{request.number}: {blocked.message}", details=dict(blocked.details)
        ) from blocked
    except ValidationError as wrong:
        told = " ".join(wrong.messages)
        raise RequestBlocked(f"{request.number}: {told}") from wrong
