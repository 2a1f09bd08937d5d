"""What projects set as conditions for the moves of their requests: each is broken here."""

import pytest

from engagements import services as requests
from events import workflow
from events.workflow import Blocked
from projects.workflows import GUARDS_BELOW
from tests.projects.ready import Stage, given

pytestmark = pytest.mark.django_db

DATES = {"start": "2030-12-02", "end": "2030-12-06"}


def a_schedule(stage):
    workflow.place(stage.request, "triaged")
    return {"lead": stage.engineer.email, **DATES}


def a_start(stage):
    workflow.place(stage.request, "scheduled")
    return {}


def a_start_of_code(stage):
    workflow.place(stage.project, "in_progress")
    type(stage.project).objects.update(builds_code=True)
    return a_start(stage)


def a_resume(stage):
    workflow.place(stage.project, "scheduled")
    type(stage.request).objects.filter(pk=stage.request.pk).update(paused_from="in_progress")
    workflow.place(stage.request, "on_hold")
    return {}


BREAKS = {
    ("schedule", "project_scheduled"): (a_schedule, "Schedule PRJ-"),
    ("start", "project_started"): (a_start, "Start PRJ-"),
    ("start", "support_plan"): (a_start_of_code, "no support plan"),
    ("resume", "project_goes_on"): (a_resume, "waits. Let it go on"),
}


def test_every_guard_that_projects_set_is_broken_here():
    assert BREAKS.keys() == {(transition, guard.code) for _, transition, guard in GUARDS_BELOW}


@pytest.mark.parametrize(("name", "code"), BREAKS)
def test_a_request_does_not_go_alone(name, code):
    stage = Stage(request_state="scheduled")
    prepare, words = BREAKS[name, code]
    values = prepare(stage)

    with pytest.raises(Blocked, match=words) as blocked:
        requests.move(stage.request, name, by=stage.lead, at=stage.now, given=given(**values))

    assert code in {each["code"] for each in blocked.value.details["guards"]}


def test_a_request_without_a_project_goes_alone():
    stage = Stage(request_state="scheduled")
    stage.project.request_links.all().delete()

    requests.move(stage.request, "start", by=stage.lead, at=stage.now)

    assert stage.request.state == "in_progress"
