"""Every move of a project: who may, what guards it, where it leads."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from engagements.models import SowVersion
from events import workflow
from events.models import Event
from events.workflow import Blocked
from people.models import system_user
from projects import services
from projects.models import Allocation, Lane, Project, ProjectArtefact
from projects.workflows import PROJECT
from tests import factories
from tests.projects.ready import Stage, given

pytestmark = pytest.mark.django_db

LEADS = {"lead", "second_lead"}
WORKERS = LEADS | {"owner", "engineer"}
OWNERS = LEADS | {"owner"}
EVERYBODY = {
    "filer", "owner", "engineer", "stranger", "lead", "second_lead", "leadership", "product",
    "keel",
}  # fmt: skip
# From where, where to, who may, what it is given.
MOVES = {
    "ready": ("proposed", "ready", WORKERS, {}),
    "unready": ("ready", "proposed", WORKERS, {}),
    "schedule": ("ready", "scheduled", LEADS, {"increment": "its own"}),
    "unschedule": ("scheduled", "ready", LEADS, {}),
    "start": ("scheduled", "in_progress", WORKERS, {}),
    "deliver": ("in_progress", "delivered", WORKERS, {"summary": "All.", "days_used": "4.5"}),
    "rework": ("delivered", "in_progress", WORKERS, {}),
    "close": ("delivered", "closed", OWNERS, {}),
    "hold": ("in_progress", "on_hold", LEADS, {"code": "customer_waits"}),
    "resume": ("on_hold", "scheduled", LEADS, {}),
    "decline": ("ready", "declined", LEADS, {"code": "duplicate", "alternative": "PRJ-1."}),
    "reopen": ("declined", "proposed", LEADS, {}),
}
# In which state the request of a project in such a state is.
REQUEST_STATES = {
    "scheduled": "scheduled", "in_progress": "in_progress", "on_hold": "scheduled",
    "delivered": "closed",
}  # fmt: skip


def change(stage, **columns):
    Project.objects.filter(pk=stage.project.pk).update(**columns)
    stage.project.refresh_from_db()


def official(stage):
    plan = stage.plan()
    plan.mode = "official"
    plan.save()


def edit_sow(stage):
    factories.SowVersionFactory(
        request=stage.request, number=SowVersion.objects.count() + 7, digest="0" * 64
    )


def leave_something(stage):
    ProjectArtefact.objects.create(
        project=stage.project, name="Sync script", by=stage.lead, at=stage.now
    )


def be_late(stage):
    team = stage.increment.team
    early = stage.today.replace(year=stage.today.year - 1)
    increment = factories.IncrementFactory(team=team, start=early)
    change(stage, increment=increment, delivered_at=stage.now)


# What breaks each guard of a move that would be possible.
BREAKS = {
    "charter": lambda stage: change(stage, objectives=""),
    "support_plan": lambda stage: change(stage, builds_code=True),
    "product_approval": lambda stage: change(stage, inside_product=True),
    "official_support": official,
    "agreed": edit_sow,
    "two_weeks": lambda stage: change(stage, effort="very_high"),
    "in_increment": lambda stage: change(stage, increment=None),
    "requests_delivered": lambda stage: None,
    "requests_accepted": lambda stage: workflow.place(stage.request, "delivered"),
    "maintained": leave_something,
    "rolled_out": lambda stage: change(stage, rolled_out_on=None),
    "retrospective": be_late,
}


def stage_at(state):
    stage = Stage(request_state=REQUEST_STATES.get(state, "signed_off"))
    columns = {"rolled_out_on": stage.today}
    if state in ("scheduled", "in_progress", "on_hold", "delivered"):
        columns["increment"] = stage.increment
    if state == "on_hold":
        columns["paused_from"] = "scheduled"
    change(stage, **columns)
    if state != "proposed":
        workflow.place(stage.project, state)
    return stage


def possible(name):
    source, _, _, values = MOVES[name]
    stage = stage_at(source)
    if name == "deliver":
        workflow.place(stage.request, "delivered")
    if "increment" in values:
        values = values | {"increment": str(stage.increment.uuid)}
    return stage, values


def person_of(stage, who):
    if who == "keel":
        return system_user()
    return stage.requests.filer if who == "filer" else getattr(stage, who)


def make(stage, name, values, *, by=None):
    return services.move(
        stage.project, name, by=by or stage.lead, at=stage.now, given=given(**values)
    )


def test_the_table_here_and_there_have_the_same_moves():
    assert MOVES.keys() == {each.id for each in PROJECT.transitions}
    assert BREAKS.keys() == {guard.code for each in PROJECT.transitions for guard in each.guards}


@pytest.mark.parametrize("name", MOVES)
def test_a_move_leads_where_the_table_says(name):
    stage, values = possible(name)
    before = Event.objects.filter(object_type="projects.project").count()

    made = make(stage, name, values)

    assert stage.project.state == MOVES[name][1]
    assert made.was == MOVES[name][0]
    assert stage.project.moved_at == stage.now
    events = Event.objects.filter(object_type="projects.project").order_by("pk")[before:]
    assert [each.after["state"] for each in events if "state" in each.after] == [MOVES[name][1]]


@pytest.mark.parametrize("name", MOVES)
def test_who_may(name):
    stage, _ = possible(name)
    options = {
        who: {
            each.transition.id
            for each in services.options(stage.project, person_of(stage, who), at=stage.now)
            if each.may
        }
        for who in EVERYBODY
    }

    assert {who for who, open_ones in options.items() if name in open_ones} == MOVES[name][2]


@pytest.mark.parametrize("name", MOVES)
def test_who_may_not_is_refused_and_nothing_happened(name):
    stage, values = possible(name)
    state = stage.project.state

    for who in EVERYBODY - MOVES[name][2]:
        with pytest.raises(PermissionDenied):
            make(stage, name, values, by=person_of(stage, who))

    stage.project.refresh_from_db()
    assert stage.project.state == state


@pytest.mark.parametrize(
    ("name", "code"),
    [(each.id, guard.code) for each in PROJECT.transitions for guard in each.guards],
)
def test_a_guard_that_does_not_hold_blocks(name, code):
    stage, values = possible(name)
    if code == "requests_delivered" or (name, code) == ("rework", "agreed"):
        workflow.place(stage.request, "in_progress")
    BREAKS[code](stage)

    with pytest.raises(Blocked) as blocked:
        make(stage, name, values)

    assert code in {each["code"] for each in blocked.value.details["guards"]}
    assert all(each["detail"].endswith(".") for each in blocked.value.details["guards"])


@pytest.mark.parametrize("name", [each.id for each in PROJECT.transitions if each.needs_reason])
def test_a_move_back_needs_a_reason(name):
    stage, values = possible(name)

    with pytest.raises(ValidationError) as wrong:
        services.move(
            stage.project,
            name,
            by=stage.lead,
            at=stage.now,
            given=workflow.Given(values=values),
        )

    assert "reason" in wrong.value.error_dict


def test_a_full_column_takes_one_more_only_with_a_note():
    Lane.objects.filter(pk="in_progress").update(limit=1)
    factories.ProjectFactory(state="in_progress")
    stage, _ = possible("start")

    with pytest.raises(ValidationError, match="1 of 1"):
        make(stage, "start", {})
    make(stage, "start", {"limit_note": "The release is near."})

    assert stage.project.state == "in_progress"


def test_a_pre_emption_names_what_came_first_and_what_it_costs():
    stage, _ = possible("hold")
    other = factories.ProjectFactory()

    with pytest.raises(ValidationError) as wrong:
        make(stage, "hold", {"code": "preempted"})
    make(stage, "hold", {"code": "preempted", "preempted_by": other.number, "cost_days": "2.5"})

    assert {"preempted_by", "cost_days"} <= wrong.value.error_dict.keys()
    kept = stage.project.pre_emptions.get()
    assert (kept.by_project, str(kept.cost_days), kept.resumed_at) == (other, "2.5", None)
    make(stage, "resume", {})
    kept.refresh_from_db()
    assert kept.resumed_at == stage.now


def test_holding_a_project_holds_its_requests_and_resuming_lets_them_go_on():
    stage, _ = possible("hold")

    make(stage, "hold", {"code": "customer_waits"})
    stage.request.refresh_from_db()
    assert (stage.project.paused_from, stage.request.state) == ("in_progress", "on_hold")
    make(stage, "resume", {})
    stage.request.refresh_from_db()

    assert (stage.project.state, stage.request.state) == ("in_progress", "in_progress")


def test_work_that_lost_its_ground_while_it_waited_starts_again_by_its_guards():
    stage, _ = possible("hold")
    make(stage, "hold", {"code": "customer_waits"})
    edit_sow(stage)

    make(stage, "resume", {})
    stage.request.refresh_from_db()
    assert (stage.project.state, stage.request.state) == ("scheduled", "on_hold")
    with pytest.raises(Blocked):
        make(stage, "start", {})
    stage.requests.signed(stage.request.sows.order_by("-number").first())
    make(stage, "start", {})
    stage.request.refresh_from_db()

    assert (stage.project.state, stage.request.state) == ("in_progress", "in_progress")


def test_declining_gives_the_days_back():
    stage, values = possible("decline")
    Allocation.objects.create(
        increment=stage.increment,
        project=stage.project,
        person=stage.engineer,
        days=3,
        by=stage.lead,
        at=stage.now,
    )

    make(stage, "decline", values)

    assert not stage.project.allocations.exists()


def test_the_database_refuses_a_state_written_by_hand():
    stage, _ = possible("ready")
    with pytest.raises(IntegrityError), transaction.atomic():
        Project.objects.filter(pk=stage.project.pk).update(state="in_progress")


def test_a_move_with_several_accounts_stands_on_the_timeline_of_each():
    stage, _ = possible("ready")
    other = factories.ProjectAccountFactory(project=stage.project).account

    make(stage, "ready", {})

    told = Event.objects.filter(verb="account.project_moved")
    assert set(told.values_list("account_id", flat=True)) == {stage.account.pk, other.pk}
