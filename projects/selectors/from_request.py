"""What a request already says of the project that would do it."""

import datetime as dt
from typing import Any

from engagements.models import RequestState, RequestType, ServiceRequest
from engagements.selectors.signoffs import may_work, why_not_signed
from engagements.selectors.sows import current_sow
from people.models import User
from projects import permissions
from projects.models import OVER, Project, ProjectType, Stakeholder

S = RequestState
# Where it may be decided on, given the ground for work.
DECIDABLE = frozenset({
    S.SOW_DRAFTING, S.AWAITING_SIGNOFF, S.SIGNED_OFF, S.TRIAGED, S.SCHEDULED, S.IN_PROGRESS,
    S.ON_HOLD,
})  # fmt: skip
TYPES = {
    RequestType.ONE_OFF: ProjectType.CUSTOM_INTEGRATION,
    RequestType.OPPORTUNITY: ProjectType.CUSTOM_INTEGRATION,
    RequestType.NON_STANDARD: ProjectType.DEPLOYMENT,
    RequestType.ONBOARDING: ProjectType.TRAINING,
    RequestType.PRODUCT: ProjectType.EXTENSION,
}


def why_not_made(request: ServiceRequest, *, on: dt.date) -> str:
    """Return "" where a project may be made from the request, else why not."""
    if request.state not in DECIDABLE:
        state = request.get_state_display().lower()
        return f"{request.number} is {state}. A project is made once its work may be decided on."
    if may_work(request, on=on):
        return ""
    return f"{request.number}: {why_not_signed(request, on=on)}"


def project_of(request: ServiceRequest) -> Project | None:
    """Return the project that serves it and is not over, the oldest of several."""
    rows = Project.objects.filter(requests=request).exclude(state__in=OVER)
    return rows.order_by("pk").first()


def charter_from(request: ServiceRequest, *, by: User) -> dict[str, Any]:
    """Return the values of a charter as far as the request and its agreed scope say them."""
    values: dict[str, Any] = {
        "title": request.title or request.number,
        "kind": Project.Kind.EXTERNAL,
        "type": TYPES.get(RequestType(request.type), ProjectType.OTHER)
        if request.type
        else ProjectType.OTHER,
        "objectives": request.problem,
        "outcomes": request.outcome,
        "if_not": request.if_not,
        "links": request.links,
        "inside_product": bool(request.inside_product),
        "requests": [request],
        "stakeholders": [(Stakeholder.Kind.INPUT.value, request.filed_by, "")],
    }
    if request.account is not None:
        values["accounts"] = [(request.account, *_seats(request))]
    if sow := current_sow(request):
        values |= {name: _listed(sow.content.get(name)) for name in ("in_scope", "out_of_scope")}
    if permissions.is_engineer(by):
        values["owner"] = by
    return values


def _seats(request: ServiceRequest) -> tuple[int | None, int | None, int | None]:
    likely = request.seats_likely
    if likely is None:
        return (None, None, None)
    low, high = request.seats_low, request.seats_high
    return (likely if low is None else low, likely, likely if high is None else high)


def _listed(items: Any) -> str:
    found = [str(item) for item in items or [] if str(item).strip()]
    return found[0] if len(found) == 1 else "\n".join(f"- {item}" for item in found)
