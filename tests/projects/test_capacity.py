"""Who has how many days, what does not fit, and how a schedule asks for it."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from config.lib.errors import Conflict, Invalid
from engagements import services as requests
from engagements.models import Holiday
from events.models import Event
from people.models import Absence
from projects import services
from projects.models import Allocation, Increment
from projects.selectors import capacity
from projects.services import allocating, increments, teams
from tests import factories
from tests.engagements.ready import Stage as RequestStage
from tests.engagements.ready import given as given_request
from tests.projects.ready import Stage, given

pytestmark = pytest.mark.django_db
DAYS = dt.timedelta
D = Decimal


@pytest.fixture
def stage(db):
    found = Stage()
    found.engineer.name = "Noor"
    found.engineer.save()
    services.move(found.project, "ready", by=found.lead, at=found.now)
    return found


def schedule(stage, increment=None, **values):
    chosen = increment or stage.increment
    return services.move(
        stage.project,
        "schedule",
        by=stage.lead,
        at=stage.now,
        given=given(increment=str(chosen.uuid), **values),
    )


def away(stage, start=0, days=14, person=None, state="approved"):
    begins = stage.increment.start + DAYS(start)
    return factories.AbsenceFactory(
        person=person or stage.engineer, start=begins, end=begins + DAYS(days - 1), state=state
    )


def allocate(stage, days="2", *, increment=None, person=None, project=None, **more):
    return allocating.allocate(
        increment or stage.increment,
        project or stage.project,
        person or stage.engineer,
        days=D(days),
        by=stage.lead,
        at=stage.now,
        **more,
    )


def plan(project):
    rows = Allocation.objects.filter(project=project).order_by("person__name")
    return [(str(each.person), each.days, each.is_hard) for each in rows]


def test_a_sheet_says_who_has_how_much(stage):
    Holiday.objects.create(day=stage.increment.start, name="A day off")
    away(stage, start=7, days=2, state="draft")
    allocate(stage, "1.5")
    sheet = capacity.increment_sheet(stage.increment)
    noor = sheet.of(stage.engineer.pk)
    assert (noor.time.working, noor.off, noor.available) == (9, 2, D("5.6"))
    assert (noor.hard, noor.soft, noor.free, noor.over) == (0, D("1.5"), D("4.1"), 0)
    assert sheet.free == D("4.1") + D("7.2")
    assert sheet.of(stage.stranger.pk) is None


def test_refused_and_withdrawn_absences_do_not_count(stage):
    for state in (Absence.State.REFUSED, Absence.State.WITHDRAWN):
        away(stage, state=state)
    assert capacity.increment_sheet(stage.increment).of(stage.engineer.pk).off == 0


def test_any_number_of_increments_takes_the_same_statements(stage, django_assert_max_num_queries):
    others = [factories.IncrementFactory() for _ in range(6)]
    for each in others:
        factories.MembershipFactory(team=each.team)
    rows = Increment.objects.select_related("team").filter(pk__in=[each.pk for each in others])
    with django_assert_max_num_queries(7):
        assert len(capacity.sheets(rows)) == 6


def test_free_days_ahead_are_of_running_and_next_increments(stage):
    later = factories.IncrementFactory(team=stage.team, start=stage.increment.end + DAYS(1))
    allocate(stage, "3")
    found = capacity.free_days_ahead(stage.increment.start)
    assert found.days == found.teams[0].days == D(16) - 3 + 16
    # On the last working day of a running one, a day each is left at most.
    found = capacity.free_days_ahead(stage.increment.end - DAYS(2))
    assert found.days == D("1.6") + 16
    assert found.teams[0].increments == [stage.increment, later]


def test_a_schedule_spreads_the_days_over_the_leads_as_a_promise(stage):
    stage.project.leads.add(stage.owner)
    away(stage, days=7)
    schedule(stage)
    assert sorted(days for _, days, _ in plan(stage.project)) == [D("1.7"), D("3.3")]
    assert all(is_hard for _, _, is_hard in plan(stage.project))
    assert Event.objects.filter(verb="project.days_planned").exists()


def test_a_schedule_promises_what_was_pencilled_in(stage):
    allocate(stage, "2", person=stage.owner)
    other = factories.IncrementFactory(team=stage.team, start=stage.increment.end + DAYS(1))
    allocate(stage, "1", increment=other)
    schedule(stage)
    assert plan(stage.project) == [(str(stage.owner), D(2), True)]
    # Moved to another increment, its people go with it.
    schedule(stage, other)
    assert plan(stage.project) == [(str(stage.owner), D(2), True)]


@pytest.mark.parametrize(
    ("days_away", "words"),
    [(14, "Noor is away .*, all of"), (9, "Noor has 2.4 free days in .*, not 5 days, and is away")],
)
def test_a_schedule_is_refused_where_a_lead_has_no_time(stage, days_away, words):
    away(stage, days=days_away)
    with pytest.raises(ValidationError) as refusal:
        schedule(stage)
    assert list(refusal.value.message_dict) == ["increment"]
    assert re.search(words, refusal.value.message_dict["increment"][0])
    assert plan(stage.project) == []


def test_a_schedule_goes_despite_that_with_a_reason_that_is_kept(stage):
    away(stage)
    schedule(stage, despite="The customer waits; Noor agreed to come back.")
    assert plan(stage.project) == [("Noor", D(5), True)]
    event = Event.objects.get(verb="project.scheduled")
    assert "Noor agreed" in event.after["despite"]
    (found,) = capacity.conflicts(stage.increment)
    assert found.words.startswith("Noor is away")
    assert found.is_hard


def test_who_is_not_in_the_team_has_no_days_there(stage):
    elsewhere = factories.IncrementFactory(start=stage.increment.start)
    with pytest.raises(ValidationError, match="Noor is not in Team"):
        schedule(stage, elsewhere)


def test_hold_softens_resume_promises_again_and_unschedule_releases(stage):
    schedule(stage)
    hold = given(code="blocked_outside")
    services.move(stage.project, "hold", by=stage.lead, at=stage.now, given=hold)
    assert plan(stage.project) == [("Noor", D(5), False)]
    services.move(stage.project, "resume", by=stage.lead, at=stage.now)
    assert plan(stage.project) == [("Noor", D(5), True)]
    services.move(stage.project, "unschedule", by=stage.lead, at=stage.now, given=given())
    assert plan(stage.project) == []


def test_days_by_hand_are_pencilled_in_and_promised_only_for_what_is_scheduled(stage):
    with pytest.raises(PermissionDenied):
        allocating.allocate(
            stage.increment,
            stage.project,
            stage.engineer,
            days=D(1),
            by=stage.engineer,
            at=stage.now,
        )
    with pytest.raises(Invalid, match="is not scheduled"):
        allocate(stage, is_hard=True)
    with pytest.raises(Invalid, match="not in Team"):
        allocate(stage, person=stage.stranger)
    with pytest.raises(Invalid, match=r"0\.1 to 14"):
        allocate(stage, "0.05")
    allocate(stage, "9")
    (found,) = capacity.conflicts(stage.increment)
    assert (found.is_hard, found.words.split(" in ")[0]) == (False, "Noor has 9 soft days")
    with pytest.raises(Conflict, match="already"):
        allocate(stage)


def test_a_promise_by_hand_has_to_fit_or_say_why(stage):
    schedule(stage)
    other = factories.ProjectFactory(owner=stage.owner, state="scheduled")
    with pytest.raises(Invalid, match=r"Noor has 3 days left to promise in .*, not 4 days"):
        allocate(stage, "4", project=other, is_hard=True)
    row = allocate(stage, "4", project=other, is_hard=True, despite="Only this once.")
    assert Event.objects.filter(verb="project.days_planned").last().reason == "Only this once."
    allocating.reallocate(row, days=D(3), by=stage.lead, at=stage.now)
    moved = allocating.reallocate(row, person=stage.owner, by=stage.lead, at=stage.now)
    assert plan(other) == [(str(stage.owner), D(3), True)]
    allocating.release(moved, by=stage.lead)
    assert plan(other) == []


def test_days_moved_onto_days_that_are_there_add_up(stage):
    first = allocate(stage, "2")
    allocate(stage, "1.5", person=stage.owner)
    allocating.reallocate(first, person=stage.owner, by=stage.lead, at=stage.now)
    assert plan(stage.project) == [(str(stage.owner), D("3.5"), False)]


def test_increments_are_made_in_one_step_round_those_there_are(stage):
    today, start = stage.today, stage.increment.start
    made = increments.make_increments(
        stage.team, start=start, count=5, weeks=1, by=stage.lead, on=today
    )
    assert [each.start for each in made] == [start + DAYS(7 * n) for n in (2, 3, 4)]
    assert {each.name for each in made} == {f"{each.start:%G-W%V}" for each in made}
    with pytest.raises(Conflict, match="already"):
        increments.make_increments(stage.team, start=start, count=5, by=stage.lead, on=today)
    with pytest.raises(Invalid, match="do not overlap"):
        increments.change_increment(
            made[0], {"start": start, "end": start + DAYS(6)}, by=stage.lead, on=today
        )
    increments.drop_increment(made[0], by=stage.lead)
    allocate(stage, increment=made[1])
    with pytest.raises(Conflict, match="Work is planned"):
        increments.drop_increment(made[1], by=stage.lead)


def test_parts_of_one_person_in_a_team_do_not_overlap(stage):
    team = teams.create_team(name="Northern", weeks=1, by=stage.lead)
    with pytest.raises(Conflict, match="already"):
        teams.create_team(name="Northern", by=stage.lead)
    part = {"days_a_week": D(3), "by": stage.lead}
    first = teams.add_member(
        team, stage.stranger, start=stage.today, end=stage.today + DAYS(10), **part
    )
    with pytest.raises(Invalid, match="already"):
        teams.add_member(team, stage.stranger, start=stage.today + DAYS(9), **part)
    teams.add_member(team, stage.stranger, start=stage.today + DAYS(10), **part)
    with pytest.raises(Invalid, match=r"0\.1 to 5"):
        teams.change_member(first, {"days_a_week": D(6)}, by=stage.lead)
    teams.remove_member(first, by=stage.lead)
    assert team.memberships.count() == 1


def test_a_lone_request_is_not_given_to_somebody_who_is_away():
    stage = RequestStage()
    stage.at("triaged")
    factories.AbsenceFactory(person=stage.lead, start=stage.today, end=stage.today + DAYS(8))
    values = {
        "lead": str(stage.lead.uuid),
        "engineers": [],
        "start": stage.today.isoformat(),
        "end": (stage.today + DAYS(9)).isoformat(),
    }
    with pytest.raises(ValidationError) as refusal:
        requests.move(
            stage.request, "schedule", by=stage.lead, at=stage.now, given=given_request(**values)
        )
    assert "is away" in refusal.value.message_dict["lead"][0]
