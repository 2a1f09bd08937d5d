"""Who is told of which move of a project, and in which words."""

import pytest

from events.models import Notice
from projects import services
from projects.models import ProjectRequest
from projects.services import told
from projects.services.asking import ask_move, refuse_move
from projects.workflows import PROJECT
from tests import factories
from tests.projects.ready import Stage, given

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    stage = Stage()
    stage.proposer = stage.project.proposed_by
    stage.keeper = factories.AssignmentFactory(account=stage.account).user
    stage.keeper.groups.set(stage.proposer.groups.all())
    return stage


PEOPLE = ("proposer", "keeper", "owner", "engineer", "lead", "second_lead", "stranger")


def heard(stage):
    """Return who was told as what, everybody once."""
    names = {getattr(stage, name).pk: name for name in PEOPLE}
    rows = Notice.objects.values_list("to", "kind")
    assert len(rows) == len({to for to, _ in rows})
    return {names[to]: kind for to, kind in rows}


def make(stage, name, by="lead", **values):
    Notice.objects.all().delete()
    services.move(stage.project, name, by=getattr(stage, by), at=stage.now, given=given(**values))


def scheduled(stage):
    make(stage, "ready")
    make(stage, "schedule", increment=str(stage.increment.uuid))


def test_ready_is_told_to_the_team(stage):
    make(stage, "ready")
    expected = dict.fromkeys(("proposer", "owner", "engineer"), "project_moved")
    assert heard(stage) == expected


def test_the_schedule_is_told_once_with_its_days_though_the_request_moves_along(stage):
    scheduled(stage)
    workers = dict.fromkeys(("owner", "engineer"), "asked_of_you")
    assert heard(stage) == workers | dict.fromkeys(("proposer", "keeper"), "project_moved")
    notice = Notice.objects.get(to=stage.keeper)
    assert notice.title.startswith(
        f"{stage.project.number}, SAML for the plants, is scheduled from"
    )
    assert notice.account_id == stage.account.pk
    assert stage.project.number in notice.path


def test_a_start_is_told_to_those_who_wait_for_it(stage):
    scheduled(stage)
    make(stage, "start", by="owner")
    expected = dict.fromkeys(("proposer", "keeper", "engineer"), "project_moved")
    assert heard(stage) == expected


def test_a_hold_says_what_came_first(stage):
    other = factories.ProjectFactory(title="The outage")
    scheduled(stage)
    make(stage, "hold", code="preempted", preempted_by=other.number, cost_days="2")
    notice = Notice.objects.get(to=stage.proposer)
    assert notice.kind == "decision"
    assert f"First comes {other.number}, The outage: that costs 2 days." in notice.body


def test_a_decline_offers_the_alternative(stage):
    make(stage, "decline", code="no_capacity", alternative="The partner does it.")
    notice = Notice.objects.get(to=stage.keeper)
    assert notice.body == "Because it is so.\n\nInstead: The partner does it."


def test_every_move_is_told():
    assert told.PROJECT.keys() == {each.id for each in PROJECT.transitions}


def test_who_asks_is_answered(stage):
    asked = ask_move(stage.project, "ready", by=stage.stranger, at=stage.now, note="They wait.")
    assert heard(stage) == dict.fromkeys(("lead", "second_lead"), "move_asked")
    Notice.objects.all().delete()
    refuse_move(stage.project, asked.uuid, by=stage.lead, at=stage.now, answer="No scope yet.")
    notice = Notice.objects.get()
    assert (notice.to, notice.body) == (stage.stranger, "No scope yet.")


def test_a_shared_account_is_not_named_for_several(stage):
    stage.project.account_links.create(account=factories.AccountFactory())
    make(stage, "ready")
    assert set(Notice.objects.values_list("account_id", flat=True)) == {None}
    assert ProjectRequest.objects.count() == 1
