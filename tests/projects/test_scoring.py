"""Scoring, voting and moving by hand: who may, what is kept, what is told."""

import datetime as dt
import json
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from config.lib.errors import Conflict, Invalid, StaleWrite
from events.models import Event
from projects.models import RankOverride, Scoring
from projects.selectors import scoring as selectors
from projects.selectors.ranked import preview
from projects.services import overriding, score_policy, scoring, voting
from tests.factories import ProjectFactory, ServiceRequestFactory
from tests.projects.test_scoring_rules import SHIPPED

pytestmark = pytest.mark.django_db
NOW = timezone.now()
TODAY = NOW.date()
STEEPER = {**SHIPPED, "points": {"1": "100", "2": "60", "3": "50", "4": "20"}}


@pytest.fixture
def project(db):
    return ProjectFactory()


@pytest.fixture
def score(de_lead):
    def make(project, impact=2, effort="high", by=de_lead, **given):
        return scoring.score_project(project, impact=impact, effort=effort, by=by, at=NOW, **given)

    return make


def test_a_score_keeps_its_arithmetic_reason_and_policy(project, score, de_lead):
    score(project, days=Decimal("7.5"), confidence="low")
    score(project, impact=3, effort="low", reason="Only one plant needs it.")
    assert (project.score, project.impact, project.effort) == (50, 3, "low")
    newest, first = selectors.history_of(project)
    assert (str(newest.arithmetic), newest.scoring.reason) == (
        "50 \N{MULTIPLICATION SIGN} 1 = 50",
        "Only one plant needs it.",
    )
    assert (str(first.arithmetic), first.scoring.by, first.is_first) == (
        "80 \N{MULTIPLICATION SIGN} 0.75 = 60", de_lead, True
    )  # fmt: skip
    event = Event.objects.filter(verb="project.scored").latest("pk")
    assert (event.before["score"], event.reason) == ("60.00", "Only one plant needs it.")


def test_only_de_leads_score(project, score, tam):
    with pytest.raises(PermissionDenied, match="Only DE leads"):
        score(project, by=tam)


def test_another_answer_says_why(project, score):
    score(project)
    with pytest.raises(Invalid) as refused:
        score(project, impact=1)
    assert refused.value.field == "reason"
    assert Scoring.objects.filter(project=project).count() == 1


def test_the_same_again_writes_nothing(project, score):
    score(project)
    version = project.version
    assert score(project) is None
    assert project.version == version


def test_a_stale_score_is_refused(project, score):
    stale = project.version
    score(project)
    with pytest.raises(StaleWrite):
        score(project, impact=1, reason="More.", version=stale)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"impact": 5}, "impact"),
        ({"impact": True}, "impact"),
        ({"effort": "huge"}, "effort"),
        ({"days": Decimal(0)}, "days"),
        ({"days": Decimal("0.25")}, "days"),
        ({"days": Decimal("1e9")}, "days"),
        ({"confidence": "sure"}, "confidence"),
    ],
)
def test_a_wrong_answer_names_its_field(project, score, given, field):
    with pytest.raises(Invalid) as refused:
        score(project, **given)
    assert refused.value.field == field


def test_what_is_over_keeps_its_score(score):
    with pytest.raises(scoring.IsOver):
        score(ProjectFactory(state="declined"))


def test_a_score_does_not_move_because_of_another_card(project, score):
    score(project)
    other = ProjectFactory()
    score(other, impact=1, effort="low")
    project.refresh_from_db()
    assert project.score == 60


def test_a_project_takes_over_what_its_request_was_triaged_with(project, de_engineer):
    request = ServiceRequestFactory(impact=1, effort="medium", confidence="high")
    scoring.take_over_score(project, request, by=de_engineer, at=NOW)
    assert (project.score, project.confidence) == (90, "high")
    assert selectors.history_of(project)[0].scoring.reason == f"As on {request.number}."


def test_a_policy_rescores_what_is_open_and_only_the_score(score, administrator):
    closed = ProjectFactory(impact=2, effort="low", score=80, state="closed")
    project = ProjectFactory()
    score(project, effort="low", days=Decimal(2))
    begun = score_policy.begin_policy(
        start=TODAY, note="High is nearer to medium.", by=administrator, at=NOW, **STEEPER
    )
    project.refresh_from_db()
    closed.refresh_from_db()
    assert (project.score, project.days, closed.score) == (60, 2, 80)
    newest, first = selectors.history_of(project)
    assert newest.scoring.by.is_system
    assert newest.scoring.policy == begun
    assert (str(newest.arithmetic), str(first.arithmetic)) == (
        "60 \N{MULTIPLICATION SIGN} 1 = 60",
        "80 \N{MULTIPLICATION SIGN} 1 = 80",
    )
    assert scoring.rescore_open(at=NOW) == 0


def test_a_planned_policy_waits_for_its_day(project, score, administrator):
    score(project, effort="low")
    start = TODAY + dt.timedelta(days=3)
    score_policy.begin_policy(start=start, note="Soon.", by=administrator, at=NOW, **STEEPER)
    project.refresh_from_db()
    assert project.score == 80
    assert scoring.rescore_open(at=NOW + dt.timedelta(days=4)) == 1
    project.refresh_from_db()
    assert project.score == 60


def test_policy_is_for_administrators_and_begins_today_or_later(de_lead, administrator):
    given = {"note": "Because.", "at": NOW, **STEEPER}
    with pytest.raises(PermissionDenied):
        score_policy.begin_policy(start=TODAY, by=de_lead, **given)
    with pytest.raises(Invalid, match="past"):
        score_policy.begin_policy(start=TODAY - dt.timedelta(days=1), by=administrator, **given)
    row = score_policy.begin_policy(start=TODAY, by=administrator, **given)
    with pytest.raises(Conflict, match="begins on"):
        score_policy.begin_policy(start=TODAY, by=administrator, **given)
    with pytest.raises(Conflict, match="began"):
        score_policy.take_back(row, by=administrator, at=NOW)


def test_a_policy_that_has_not_begun_can_be_taken_back(administrator):
    start = TODAY + dt.timedelta(days=3)
    row = score_policy.begin_policy(start=start, note="Soon.", by=administrator, at=NOW, **STEEPER)
    score_policy.take_back(row, by=administrator, at=NOW)
    assert selectors.policy_on(start).number == 1


def test_a_preview_says_who_rises_and_falls_and_writes_nothing(score):
    high, medium = ProjectFactory(), ProjectFactory()
    score(high, impact=2, effort="high")
    score(medium, impact=3, effort="low")
    shown = preview(
        score_policy.checked_policy(number=2, start=TODAY, on=TODAY, **STEEPER), on=TODAY
    )
    assert [(each.project, each.places) for each in shown.rise] == [(medium, 1)]
    assert [(each.project, each.score) for each in shown.fall] == [(high, 45)]
    high.refresh_from_db()
    assert high.score == 60


def test_nobody_sees_a_vote_before_the_round_is_closed(project, de_lead, tam, csm):
    round_ = voting.open_vote(project, by=de_lead, at=NOW)
    voting.vote(round_, impact=1, effort="low", by=tam, at=NOW)
    voting.vote(round_, impact=4, effort="very_high", by=csm, at=NOW)
    voting.vote(round_, impact=2, effort="medium", by=tam, at=NOW)
    seen = selectors.poll_of(project, to=de_lead)
    assert (seen.voters, seen.own, seen.spread) == (2, None, None)
    assert selectors.poll_of(project, to=tam).own.impact == 2
    told = Event.objects.filter(verb__startswith="project.vote").values_list("before", "after")
    assert "very_high" not in json.dumps(list(told))
    assert "impact" not in json.dumps(list(told))
    voting.close_vote(round_, by=de_lead, at=NOW)
    shown = selectors.poll_of(project, to=tam)
    assert (shown.spread.impact, shown.spread.effort) == (4, "very_high")
    assert shown.furthest == (tam,)


def test_votes_are_given_while_the_round_is_open(project, de_lead, tam, without_role):
    round_ = voting.open_vote(project, by=de_lead, at=NOW)
    with pytest.raises(Conflict, match="open already"):
        voting.open_vote(project, by=de_lead, at=NOW)
    with pytest.raises(PermissionDenied):
        voting.vote(round_, impact=1, effort="low", by=without_role, at=NOW)
    with pytest.raises(PermissionDenied):
        voting.close_vote(round_, by=tam, at=NOW)
    assert voting.close_vote(round_, by=de_lead, at=NOW) is None
    with pytest.raises(Conflict, match="closed"):
        voting.vote(round_, impact=1, effort="low", by=tam, at=NOW)


def by_hand(project, before, by, days=7, reason="The customer's audit is on Friday."):
    return overriding.move_by_hand(
        project,
        before=before,
        reason=reason,
        expires_on=TODAY + dt.timedelta(days=days),
        by=by,
        at=NOW,
    )


def order(*projects):
    rows = type(projects[0]).objects.filter(pk__in=[each.pk for each in projects])
    return selectors.order_of(rows, on=TODAY)


def test_a_move_by_hand_holds_until_its_day(score, de_lead):
    first, second = ProjectFactory(), ProjectFactory()
    score(first, impact=1)
    score(second, impact=4)
    by_hand(second, first, de_lead)
    assert order(first, second) == [second.pk, first.pk]
    later = NOW + dt.timedelta(days=8)
    assert overriding.end_what_ran_out(at=later) == 1
    assert order(first, second) == [first.pk, second.pk]
    ended = RankOverride.objects.get()
    assert ended.ended_by.is_system
    assert Event.objects.filter(verb="project.hand_move_ended").exists()


def test_a_second_move_by_hand_ends_the_first(score, de_lead):
    first, second = ProjectFactory(), ProjectFactory()
    by_hand(second, first, de_lead)
    by_hand(second, None, de_lead)
    assert RankOverride.objects.filter(ended_at=None).get().before is None
    overriding.end_by_hand(second, by=de_lead, at=NOW)
    with pytest.raises(Conflict, match="already"):
        overriding.end_by_hand(second, by=de_lead, at=NOW)


def test_a_move_by_hand_needs_a_lead_a_reason_and_a_day(de_lead, tam):
    declined = ProjectFactory(state="declined")
    project, other = ProjectFactory(), ProjectFactory()
    with pytest.raises(PermissionDenied):
        by_hand(project, other, tam)
    for given, field in (({"reason": " "}, "reason"), ({"days": 91}, "expires_on"),
                         ({"days": -1}, "expires_on")):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            by_hand(project, other, de_lead, **given)
        assert refused.value.field == field
    with pytest.raises(Invalid, match="itself"):
        by_hand(project, project, de_lead)
    with pytest.raises(Conflict, match="declined"):
        by_hand(project, declined, de_lead)
