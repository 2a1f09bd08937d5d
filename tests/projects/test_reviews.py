"""The weekly review: its agenda, decisions that hold at once, its minutes."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from config.lib.errors import Conflict
from engagements.models import ReasonCode
from events.models import Event, Notice
from events.services import record
from events.workflow import Blocked
from projects import services
from projects.models import PreEmption, Project, Review
from projects.selectors import reviews as reading
from projects.services import reviews as planning
from projects.services.deciding import AlreadyDecided, take_back
from tests import factories
from tests.projects.ready import Stage, given
from tests.projects.table import Table

pytestmark = pytest.mark.django_db


def test_the_agenda_is_made_when_it_begins():
    stage = Stage()
    blocked = factories.ProjectFactory(state="in_progress", blocked_by="No window.")
    Project.objects.filter(pk=blocked.pk).update(blocked_at=stage.now - dt.timedelta(days=4))
    review = planning.plan_review(meets_at=stage.now, by=stage.lead, at=stage.now)
    mine = planning.add_item(review, factories.ProjectFactory(owner=stage.owner), by=stage.lead,
                             at=stage.now)  # fmt: skip

    services.move(review, "open", by=stage.lead, at=stage.now)

    items = list(reading.items_of(review))
    assert (items[0].project, items[0].words) == (blocked, "Blocked for 4 days")
    assert (items[-1].pk, items[-1].words) == (mine.pk, "Put on by hand")
    assert [item.position for item in items] == list(range(1, len(items) + 1))
    assert list(review.attendees.all()) == [stage.lead]


def test_new_and_changed_is_what_the_log_says_since_the_last_review():
    stage = Table()
    stage.decide("keep")
    stage.finish()
    later = stage.now + dt.timedelta(hours=1)
    new = factories.ProjectFactory(owner=stage.owner)
    record("project.proposed", new, by=stage.lead, after={"title": "New"})
    record("project.charter_changed", stage.project, by=stage.owner, after={"in_scope": "More"})
    Review.objects.update(held_at=stage.now - dt.timedelta(hours=1))
    lines = {line.id: line.words for line in reading.agenda_preview(None, at=later)}
    assert lines[new.pk] == "New"
    assert lines[stage.project.pk].startswith("Changed: scope")


def test_only_one_is_under_way():
    stage = Table()
    second = planning.plan_review(meets_at=stage.now, by=stage.lead, at=stage.now)
    with pytest.raises(Blocked, match=f"{stage.review.number} is under way"):
        services.move(second, "open", by=stage.lead, at=stage.now)


def test_a_decision_to_schedule_holds_at_once_with_its_requests():
    stage = Table()
    item = stage.schedule()
    stage.request.refresh_from_db()
    assert (stage.state(), stage.request.state) == ("scheduled", "scheduled")
    assert item.outcome.startswith(f"{stage.increment.team}: {stage.increment.name}")
    assert (item.decided_by, item.note) == (stage.lead, "So we said.")
    told = Event.objects.get(verb="project.decided", object_id=stage.project.uuid)
    assert (told.after["decision"], told.after["review"]) == ("Schedule", stage.review.number)


def test_scheduling_from_triage_makes_it_ready_on_its_way():
    stage = Table(is_ready=False)
    stage.schedule()
    assert stage.state() == "scheduled"
    assert Event.objects.filter(verb="project.readied", object_id=stage.project.uuid).exists()


def test_what_the_guards_refuse_is_not_decided_either():
    stage = Table(request_state="awaiting_signoff")
    with pytest.raises(Blocked, match="not signed off"):
        stage.schedule()
    stage.item.refresh_from_db()
    assert (stage.state(), stage.item.decision) == ("ready", "")
    assert stage.decide("keep").outcome == "It stays ready."


def test_declining_asks_for_reason_and_alternative():
    stage = Table()
    with pytest.raises(ValidationError) as wrong:
        stage.decide("decline", code="duplicate")
    assert set(wrong.value.message_dict) >= {"alternative"}
    codes = dict(stage_codes())
    code = next(iter(codes))
    item = stage.decide("decline", code=code, alternative="Their partner.", reason="Too small.")
    assert (stage.state(), item.outcome) == ("declined", f"{codes[code]}. Instead: Their partner.")


def stage_codes():
    return ReasonCode.objects.filter(kind="decline", is_active=True).values_list("code", "label")


@pytest.mark.parametrize("decision", ["keep", "split"])
def test_what_moves_nothing_is_recorded(decision):
    stage = Table()
    stage.decide(decision)
    assert (stage.state(), stage.item.decision) == ("ready", decision)


def test_work_under_way_is_neither_scheduled_nor_split_nor_declined():
    stage = Table()
    other = stage.other()
    item = planning.add_item(stage.review, other, by=stage.lead, at=stage.now)
    for decision, values in [
        ("schedule", {"increment": str(stage.increment.uuid)}),
        ("split", {}),
        ("decline", {"code": "x", "alternative": "y"}),
    ]:
        with pytest.raises(Conflict):
            stage.decide(decision, item=item, reason="No.", **values)
    assert stage.decide("keep", item=item).outcome == "It goes on."


def test_a_changed_decision_takes_its_move_back_with_a_reason():
    stage = Table()
    stage.schedule()
    with pytest.raises(ValidationError, match="Say why it changes"):
        stage.decide("keep")
    assert stage.state() == "scheduled"
    stage.decide("keep", reason="The audit is first.")
    stage.request.refresh_from_db()
    assert (stage.state(), stage.request.state) == ("ready", "triaged")


def test_a_declined_project_is_scheduled_after_all():
    stage = Table()
    code = next(iter(dict(stage_codes())))
    stage.decide("decline", code=code, alternative="Their partner.", reason="Too small.")
    stage.schedule(reason="It is larger than we thought.")
    assert stage.state() == "scheduled"


def test_a_decision_can_be_made_undecided_until_the_end():
    stage = Table()
    stage.schedule()
    take_back(stage.item, reason="We wait.", by=stage.lead, at=stage.now)
    assert (stage.state(), stage.item.decision, stage.item.decided_by) == ("ready", "", None)
    stage.decide("keep")
    stage.finish()
    with pytest.raises(Conflict, match="is held"):
        stage.decide("keep")


def test_the_second_lead_is_told_what_was_decided_and_by_whom():
    stage = Table()
    seen = stage.item.version
    stage.schedule(version=seen)
    with pytest.raises(AlreadyDecided, match=f"{stage.lead} decided “Schedule”") as refused:
        stage.decide("keep", by=stage.second_lead, version=seen)
    assert refused.value.details["decided_by"] == stage.lead.name
    assert stage.state() == "scheduled"


def test_what_stops_for_it_is_held_with_what_that_costs():
    stage = Table()
    other = stage.other(days=6)
    item = stage.schedule(stops=other.number, cost_days="2.5")
    other.refresh_from_db()
    kept = PreEmption.objects.get(project=other)
    assert (other.state, other.hold_code, other.preempted_by) == (
        "on_hold", "preempted", stage.project,
    )  # fmt: skip
    assert (kept.by_project, str(kept.cost_days)) == (stage.project, "2.5")
    assert f"{other.number} stops for it, at a cost of 2.5 days." in item.outcome
    minutes = stage.finish()
    assert "WORK STOPPED FOR OTHER WORK: 2.5 days" in minutes
    assert f"- {other.number} {other.title}, for {stage.project.number}" in minutes


def test_the_cost_is_suggested_and_the_work_goes_on_when_it_is_taken_back():
    stage = Table()
    other = stage.other(days=6)
    # Its increment is still to come as a whole.
    stage.schedule(stops=other.number)
    assert PreEmption.objects.get(project=other).cost_days == 6
    chartered = {
        name: getattr(stage.project, name)
        for name in (
            "objectives", "outcomes", "in_scope", "out_of_scope", "impact", "effort",
            "roll_out_where", "roll_out_told", "roll_out_on", "builds_code",
        )
    }  # fmt: skip
    Project.objects.filter(pk=other.pk).update(**chartered)
    factories.StakeholderFactory(project=other)
    other.leads.add(stage.engineer)
    take_back(stage.item, reason="We wait.", by=stage.lead, at=stage.now)
    other.refresh_from_db()
    assert (other.state, PreEmption.objects.get(project=other).resumed_at) == (
        "in_progress", stage.now,
    )  # fmt: skip


def test_what_cannot_go_on_stays_on_hold_and_that_is_said():
    stage = Table()
    other = stage.other()
    stage.schedule(stops=other.number)
    item = stage.decide("keep", reason="We wait.")
    other.refresh_from_db()
    assert (stage.state(), other.state) == ("ready", "on_hold")
    assert f"{other.number} stays on hold. The charter lacks" in item.outcome


def test_nothing_stops_where_the_project_cannot_be_scheduled():
    stage = Table(request_state="awaiting_signoff")
    other = stage.other()
    with pytest.raises(Blocked):
        stage.schedule(stops=other.number)
    other.refresh_from_db()
    assert (other.state, PreEmption.objects.count()) == ("in_progress", 0)


@pytest.mark.parametrize("stops", ["PRJ-999999", "nonsense\x00", "SELF"])
def test_only_running_work_stops(stops):
    stage = Table()
    name = stage.project.number if stops == "SELF" else stops
    with pytest.raises(ValidationError) as wrong:
        stage.schedule(stops=name)
    assert set(wrong.value.message_dict) == {"stops"}


def test_it_ends_only_when_everything_is_decided():
    stage = Table()
    with pytest.raises(Blocked, match="not decided"):
        stage.finish()


def test_the_minutes_are_complete_and_go_to_those_there_and_invited():
    stage = Table()
    stage.second_owner = factories.UserFactory(roles=["de_engineer"])
    theirs = factories.ProjectFactory(owner=stage.second_owner, title="A runbook")
    item = planning.add_item(stage.review, theirs, by=stage.lead, at=stage.now)
    planning.set_attendance(stage.review, [stage.lead, stage.engineer], by=stage.lead, at=stage.now)
    stage.decide("keep", item=item)
    stage.schedule()
    Notice.objects.all().delete()

    minutes = stage.finish()

    for part in (
        f"Minutes of the review {stage.review.number}, ",
        f"In the chair: {stage.lead}.",
        f"Invited, not there: {stage.leadership}.",
        "DECISIONS (2)",
        f"{stage.project.number} {stage.project.title}",
        "Impact high, effort medium, 5 days: score 72.",
        f"Decided: Schedule. {stage.increment.team}: {stage.increment.name}",
        "   > So we said.",
        "No work was stopped for other work since the last review.",
        "NEXT INCREMENTS",
        f"/reviews/{stage.review.number}/",
    ):
        assert part in minutes
    told = Notice.objects.filter(kind="minutes")
    assert set(told.values_list("to", flat=True)) == {
        stage.lead.pk, stage.engineer.pk, stage.leadership.pk,
    }  # fmt: skip
    assert {each.body for each in told} == {minutes}
    assert all(each.mailed_at for each in told)
    owner = Notice.objects.get(to=stage.second_owner)
    assert (owner.kind, owner.title) == (
        "decision", f"{stage.review.number} decided on {theirs.number}: Keep",
    )  # fmt: skip
    assert stage.review.minutes_at == stage.now


def test_what_comes_up_meanwhile_is_added_at_the_end_and_what_was_taken_off_stays_off():
    stage = Table()
    gone = factories.ProjectFactory(state="in_progress", blocked_by="No window.")
    (line,) = [
        each
        for each in planning.refresh_agenda(stage.review, by=stage.lead, at=stage.now)
        if each.id == gone.pk
    ]
    item = stage.review.items.get(project=gone)
    assert (line.words, item.position) == ("Blocked", stage.review.items.count())
    planning.remove_item(item, by=stage.lead, at=stage.now)
    assert planning.refresh_agenda(stage.review, by=stage.lead, at=stage.now) == []


def test_what_is_decided_stays_on_the_agenda():
    stage = Table()
    stage.decide("keep")
    with pytest.raises(Conflict, match="decided"):
        planning.remove_item(stage.item, by=stage.lead, at=stage.now)


def test_it_meets_again_a_week_later():
    stage = Table()
    assert reading.suggested_next(at=stage.now) == stage.review.meets_at + dt.timedelta(days=7)


def test_only_leads_run_it():
    stage = Table()
    for act in (
        lambda: stage.decide("keep", by=stage.engineer),
        lambda: planning.plan_review(meets_at=stage.now, by=stage.engineer, at=stage.now),
        lambda: planning.refresh_agenda(stage.review, by=stage.leadership, at=stage.now),
        lambda: services.move(stage.review, "finish", by=stage.engineer, at=stage.now),
    ):
        with pytest.raises(PermissionDenied, match="Only DE leads"):
            act()


def test_a_cancelled_review_says_why_and_decides_nothing():
    stage = Table()
    services.move(stage.review, "cancel", by=stage.lead, at=stage.now, given=given())
    with pytest.raises(Conflict, match="cancelled"):
        stage.decide("keep")
