"""Conditions of moves. Each answers "" where it holds, else why not and what to do about it."""

from accounts.selectors import today
from engagements.models import Effort, RequestState
from engagements.selectors.signoffs import may_work, why_not_signed
from engagements.workflows.guards import guard
from events.workflow import Case
from projects import selectors
from projects.rules import charter

# The longest a project may be before it has to be split, in days of work.
MOST_DAYS = 10
DONE = frozenset({
    RequestState.DELIVERED, RequestState.ACCEPTED, RequestState.CLOSED,
    RequestState.CANCELLED, RequestState.DECLINED,
})  # fmt: skip
ACCEPTED = DONE - {RequestState.DELIVERED}


@guard("charter", "The charter is complete: outcome, scope, impact, people, roll-out.")
def is_chartered(case: Case) -> str:
    missing = charter.missing_parts(selectors.charter_of(case.obj))
    return f"The charter lacks: {', '.join(missing)}." if missing else ""


@guard("support_plan", "For any code: a support plan that all three sides signed as it stands.")
def is_supported(case: Case) -> str:
    return selectors.why_not_supported(case.obj)


@guard("product_approval", "Work inside the product is approved by Product Engineering.")
def is_approved(case: Case) -> str:
    project = case.obj
    if not project.inside_product or project.approved_at:
        return ""
    return "It changes the product itself. Product Engineering has to approve it first."


@guard("official_support", "Official support is approved before the start.")
def is_officially_supported(case: Case) -> str:
    return selectors.why_not_official(case.obj)


@guard("agreed", "Each of its requests has a live sign-off, or an approved Work at Risk.")
def is_agreed(case: Case) -> str:
    on = today(case.at)
    missing = [
        f"{request.number}: {why_not_signed(request, on=on)}"
        for request in selectors.open_requests_of(case.obj)
        if not may_work(request, on=on)
    ]
    return " ".join(missing)


@guard("two_weeks", "Two weeks of work at most; what is longer is split.")
def is_small_enough(case: Case) -> str:
    project = case.obj
    if project.effort == Effort.VERY_HIGH or (project.days and project.days > MOST_DAYS):
        return "It is more than two weeks of work. Split it, or score it again."
    return ""


@guard("in_increment", "It is in an increment, with people.")
def has_an_increment(case: Case) -> str:
    return "" if case.obj.increment_id else "It is in no increment. Schedule it."


@guard("requests_delivered", "Each of its requests is delivered.")
def has_delivered_requests(case: Case) -> str:
    open_ones = [
        f"{request.number} ({request.get_state_display().lower()})"
        for request in selectors.requests_of(case.obj)
        if request.state not in DONE and not selectors.is_shared(request, but=case.obj)
    ]
    return f"Not delivered yet: {', '.join(open_ones)}." if open_ones else ""


@guard("requests_accepted", "Each of its requests is accepted.")
def has_accepted_requests(case: Case) -> str:
    open_ones = [
        f"{request.number} ({request.get_state_display().lower()})"
        for request in selectors.requests_of(case.obj)
        if request.state not in ACCEPTED and not selectors.is_shared(request, but=case.obj)
    ]
    return f"Not accepted yet: {', '.join(open_ones)}." if open_ones else ""


@guard("maintained", "Every artefact has an owner for maintenance.")
def is_maintained(case: Case) -> str:
    names = case.obj.artefacts.filter(maintained_by="", retired_on=None)
    listed = ", ".join(names.order_by("pk").values_list("name", flat=True))
    return f"Nobody maintains: {listed}. Name an owner for each." if listed else ""


@guard("rolled_out", "The roll-out is done.")
def is_rolled_out(case: Case) -> str:
    if case.obj.rolled_out_on:
        return ""
    return "The roll-out is not done. Say when and how it was rolled out."


@guard("retrospective", "A retrospective, where it was delivered after its increment.")
def has_a_retrospective(case: Case) -> str:
    project = case.obj
    if project.retrospective or not selectors.was_late(project):
        return ""
    return "It was delivered after its increment. Write the retrospective first."


@guard("no_parts", "It was not split before.")
def has_no_parts(case: Case) -> str:
    return "It was split already." if case.obj.parts.exists() else ""
