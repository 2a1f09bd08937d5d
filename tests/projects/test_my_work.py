"""Projects on My work: what needs whom, in one list with the requests."""

import datetime as dt

import pytest
from django.utils import timezone

from events import workflow
from projects.models import Project, ProjectCheck, Review, VoteRound
from projects.services.asking import ask_move
from tests import factories
from tests.projects.ready import Stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    return Stage()


def put(stage, state="proposed", **columns):
    """Put the project into a state and an increment, by days from today."""
    if state != "proposed":
        workflow.place(stage.project, state)
    Project.objects.filter(pk=stage.project.pk).update(**columns)


def increment(stage, first, last):
    days = [stage.today + dt.timedelta(days=each) for each in (first, last)]
    return factories.IncrementFactory(team=stage.team, start=days[0], end=days[1], name="Now")


def page(login, user, part=""):
    answer = login(user).get(f"/?as={part}")
    assert answer.status_code == 200
    return answer


def rows(login, user, part=""):
    """Return label and title of what needs them."""
    return [(item.label, item.title) for item in page(login, user, part).context["items"]]


def card(login, user, name):
    (found,) = (each for each in page(login, user).context["further"] if each.id == name)
    return [(row.title, row.label) for row in found.rows]


TITLE = "SAML for the plants"


def test_a_lead_scores_what_nobody_scored(stage, login):
    put(stage, impact=None, score=None)
    assert ("Score", f"Score {TITLE}") in rows(login, stage.lead)
    assert ("Score", f"Score {TITLE}") not in rows(login, stage.owner)


def test_what_is_blocked_or_late_needs_its_owner_and_the_leads(stage, login):
    put(stage, "in_progress", increment=increment(stage, -14, -1))
    for user in (stage.lead, stage.owner, stage.engineer):
        assert ("Late", f"{TITLE} is late") in rows(login, user)
    put(stage, blocked_by="No access.", blocked_at=timezone.now())
    for user in (stage.lead, stage.owner):
        assert ("Blocked", f"{TITLE} is blocked") in rows(login, user)
    stranger = factories.UserFactory(roles=["de_engineer"])
    assert rows(login, stranger) == []


@pytest.mark.parametrize(
    ("state", "days", "label"),
    [
        ("scheduled", (0, 5), "Start"),
        ("in_progress", (-5, 0), "Deliver"),
        ("scheduled", (2, 5), ""),
    ],
)
def test_an_engineer_is_led_through_the_increment(state, days, label, stage, login):
    put(stage, state, increment=increment(stage, *days))
    found = dict(rows(login, stage.owner))
    assert (label in found) == bool(label)
    assert card(login, stage.owner, "own-projects")[0][0] == TITLE


def test_a_delivery_is_rolled_out_then_closed(stage, login):
    put(stage, "delivered", roll_out_on=stage.today)
    assert ("Roll out", f"Roll out {TITLE}") in rows(login, stage.owner)
    put(stage, rolled_out_on=stage.today)
    assert ("Close", f"Close {TITLE}") in rows(login, stage.owner)


def test_what_waits_long_needs_a_lead(stage, login):
    long_ago = timezone.now() - dt.timedelta(days=20)
    put(stage, "ready", moved_at=long_ago)
    assert ("Waits", f"Decide on {TITLE}") in rows(login, stage.lead)
    put(stage, moved_at=timezone.now())
    assert ("Waits", f"Decide on {TITLE}") not in rows(login, stage.lead)


def test_an_open_vote_needs_who_has_not_voted(stage, login):
    vote = VoteRound.objects.create(
        project=stage.project, opened_by=stage.lead, opened_at=timezone.now()
    )
    assert ("Vote", f"Vote on {TITLE}") in rows(login, stage.lead)
    vote.votes.create(by=stage.lead, impact=2, effort="low", at=timezone.now())
    assert ("Vote", f"Vote on {TITLE}") not in rows(login, stage.lead)


def test_an_asked_move_needs_who_may_make_it(stage, login):
    ask_move(stage.project, "ready", by=stage.stranger, at=timezone.now())
    wanted = ("Asked of you", f"{stage.stranger.name} asks for “Ready”: {TITLE}")
    assert wanted in rows(login, stage.owner)
    assert wanted not in rows(login, stage.lead)
    ask_move(stage.project, "decline", by=stage.stranger, at=timezone.now())
    assert ("Asked of you", f"{stage.stranger.name} asks for “Decline”: {TITLE}") in rows(
        login, stage.lead
    )


def test_an_overdue_check_needs_its_owner(stage, login):
    put(stage, "closed")
    ProjectCheck.objects.create(
        project=stage.project, days=30, due_on=stage.today - dt.timedelta(days=2)
    )
    wanted = ("Outcome", f"Did the seats come? {TITLE}")
    assert wanted in rows(login, stage.owner)
    assert wanted not in rows(login, stage.lead)
    stage.owner.is_active = False
    stage.owner.save()
    assert wanted in rows(login, stage.lead)


def test_a_side_signs(login):
    stage = Stage(code=True)
    stage.plan()
    wanted = ("Sign", f"Sign or reject the support plan: {TITLE}")
    assert rows(login, stage.product) == [wanted]
    assert wanted not in rows(login, stage.lead)


def test_an_absence_is_decided(login, de_lead):
    absence = factories.AbsenceFactory()
    found = rows(login, de_lead)
    assert found[0][0] == "Decide"
    assert str(absence.person) in found[0][1]


def test_the_next_review_stands_beside_it(stage, login):
    Review.objects.create(meets_at=timezone.now() + dt.timedelta(days=2), chair=stage.lead)
    assert card(login, stage.lead, "next-review")[0][1] == "Planned"


def test_a_requester_sees_the_projects_for_their_accounts(stage, login):
    keeper = stage.requests.colleague
    assert card(login, keeper, "account-projects") == [(TITLE, "Proposed")]
    assert card(login, stage.stranger, "account-projects") == []


def test_a_request_of_a_project_is_not_scheduled_beside_it(stage, login):
    workflow.place(stage.request, "triaged")
    assert not [row for row in rows(login, stage.lead) if row[0] == "Schedule"]
    put(stage, "closed")
    assert [row for row in rows(login, stage.lead) if row[0] == "Schedule"]


def test_it_takes_as_many_statements_for_many(stage, login, django_assert_max_num_queries):
    client = login(stage.lead)
    for _ in range(4):
        put(Stage(), impact=None, score=None)
    with django_assert_max_num_queries(60) as seen:
        client.get("/")
    for _ in range(4):
        put(Stage(), impact=None, score=None)
    with django_assert_max_num_queries(len(seen)):
        client.get("/")
