"""Conditions that projects set on the moves of their requests."""

from config.lib.reading import read_once
from engagements.models import RequestState, ServiceRequest
from engagements.workflows.guards import guard
from events.workflow import Case
from projects import selectors
from projects.models import OVER, Project, ProjectState

S = ProjectState
SCHEDULED = frozenset({S.SCHEDULED, S.IN_PROGRESS, S.DELIVERED})
STARTED = frozenset({S.IN_PROGRESS, S.DELIVERED})


@guard("project_scheduled", "One of its projects is scheduled, where it has any.")
def has_a_scheduled_project(case: Case) -> str:
    return _waits_for(case.obj, SCHEDULED, "Schedule {number}: that schedules its requests too.")


@guard("project_started", "One of its projects has started, where it has any.")
def has_a_started_project(case: Case) -> str:
    return _waits_for(case.obj, STARTED, "Start {number}: that starts its requests too.")


@guard("project_goes_on", "Work that had begun goes on with its project, where it has any.")
def has_a_running_project(case: Case) -> str:
    if case.obj.paused_from != RequestState.IN_PROGRESS:
        return ""
    return _waits_for(case.obj, STARTED, "{number} waits. Let it go on: its requests go with it.")


@guard("support_plan", "For any code: the support plan of its project is signed as it stands.")
def has_signed_support(case: Case) -> str:
    for project in _projects_of(case.obj):
        if project.state in STARTED and (why := selectors.why_not_supported(project)):
            return f"{project.number}: {why}"
    return ""


def _waits_for(request: ServiceRequest, states: frozenset[ProjectState], sentence: str) -> str:
    projects = _projects_of(request)
    if not projects or any(project.state in states for project in projects):
        return ""
    return sentence.format(number=projects[0].number)


@read_once
def _projects_of(request: ServiceRequest) -> list[Project]:
    return list(Project.objects.filter(requests=request).exclude(state__in=OVER).order_by("pk"))


GUARDS_BELOW = (
    ("request", "schedule", has_a_scheduled_project),
    ("request", "start", has_a_started_project),
    ("request", "resume", has_a_running_project),
    ("request", "start", has_signed_support),
)
