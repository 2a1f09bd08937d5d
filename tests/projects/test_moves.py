"""A project's way from a proposal to its close, with its requests beside it."""

import pytest

from engagements import services as requests
from events.workflow import Blocked
from projects import services
from tests.projects.ready import Stage, given

pytestmark = pytest.mark.django_db


def move(stage, name, by=None, **values):
    return services.move(
        stage.project, name, by=by or stage.lead, at=stage.now, given=given(**values)
    )


def test_a_project_brings_its_request_from_sign_off_to_work():
    stage = Stage(code=True)
    stage.signed_plan()
    move(stage, "ready")
    move(stage, "schedule", increment=str(stage.increment.uuid))
    stage.request.refresh_from_db()
    assert (stage.request.state, stage.request.lead) == ("scheduled", stage.engineer)
    move(stage, "start", by=stage.owner)
    stage.request.refresh_from_db()
    assert (stage.project.state, stage.request.state) == ("in_progress", "in_progress")


def test_code_without_three_signatures_is_not_ready():
    stage = Stage(code=True)
    stage.signed_plan("engineering", "support")
    with pytest.raises(Blocked, match="not signed by Product"):
        move(stage, "ready")


def test_a_changed_support_plan_has_to_be_signed_anew():
    stage = Stage(code=True)
    plan = stage.signed_plan()
    plan.text = "We fix it some day."
    plan.save()
    with pytest.raises(Blocked, match="not signed by Engineering, Support and Product"):
        move(stage, "ready")


def test_a_request_starts_with_its_project_only():
    stage = Stage()
    move(stage, "ready")
    move(stage, "schedule", increment=str(stage.increment.uuid))
    stage.request.refresh_from_db()
    with pytest.raises(Blocked, match="Start PRJ-"):
        requests.move(stage.request, "start", by=stage.lead, at=stage.now)


def test_work_is_not_scheduled_without_a_sign_off():
    stage = Stage(request_state="awaiting_signoff")
    move(stage, "ready")
    with pytest.raises(Blocked, match="not signed off"):
        move(stage, "schedule", increment=str(stage.increment.uuid))
