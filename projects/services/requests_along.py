"""What a project's moves do to its requests, in the same transaction: all of them, or nothing."""

from typing import Any

from django.core.exceptions import ValidationError

from config.lib.errors import Conflict
from engagements.models import Confidence, Effort, Impact, RequestState, ServiceRequest
from engagements.permissions import works_on
from engagements.services import move as move_request
from engagements.services.joining import join
from events.workflow import Blocked, Given, Move
from projects import selectors
from projects.models import Project

S = RequestState


class RequestBlocked(Conflict):
    """A request of the project cannot make its part of the move."""

    code = "request_blocked"


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


def unschedule_requests(move: Move) -> None:
    for request in selectors.open_requests_of(move.obj):
        if request.state == S.SCHEDULED and not selectors.is_shared(request, but=move.obj):
            _along(request, "unschedule", move, reason=move.reason)


def start_requests(move: Move) -> None:
    """Start each; one that waits or is not scheduled stops the whole."""
    for request in selectors.open_requests_of(move.obj):
        if request.state != S.IN_PROGRESS:
            # Leads may have changed since it was scheduled.
            if not works_on(move.by, request):
                join(request, by=move.by)
            _along(request, "start", move)


def hold_requests(move: Move) -> None:
    for request in selectors.open_requests_of(move.obj):
        is_at_work = request.state in (S.SCHEDULED, S.IN_PROGRESS)
        if is_at_work and not selectors.is_shared(request, but=move.obj):
            # What came first is a project, and the request names requests: say it in words.
            values = {"code": "blocked_outside"}
            _along(request, "hold", move, values, reason=f"{move.obj.number}: {move.reason}")


def resume_requests(move: Move) -> None:
    held = selectors.open_requests_of(move.obj).filter(state=S.ON_HOLD, hold_code="blocked_outside")
    for request in held:
        _along(request, "resume", move, reason=f"{move.obj.number} goes on.")


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
