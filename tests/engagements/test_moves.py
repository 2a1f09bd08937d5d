"""Every move of a request: who may, what guards it, where it leads."""

import datetime as dt
import uuid

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from config.lib.errors import Conflict, Invalid, StaleWrite
from config.lib.etags import etag_of
from engagements import services
from engagements.models import ChangeRequest, Holiday, RequestState, Stay
from engagements.workflows import ALL, REQUEST
from events import workflow
from events.models import Event, MoveRequest
from events.services import asked_moves
from events.workflow import Blocked, Given
from people.models import system_user
from tests import factories
from tests.engagements.ready import Stage, given

pytestmark = pytest.mark.django_db

REQUESTERS = {"filer", "colleague"}
LEADS = {"lead", "second_lead"}
WORKERS = {"engineer", *LEADS}
KEEL = {"keel"}
EVERYBODY = {
    "filer", "colleague", "stranger", "engineer", "other_engineer", "lead", "second_lead",
    "leadership", "administrator", "keel",
}  # fmt: skip
SCORED = {"impact": 2, "effort": "low", "confidence": "high"}
DATES = {"start": "2026-12-01", "end": "2026-12-05"}
# From where, where to, who may, what it is given.
MOVES = {
    "submit": ("draft", None, {"filer"}, {}),
    "take": ("submitted", "sow_drafting", LEADS | KEEL, {}),
    "route_out": ("submitted", "routed_out", LEADS | KEEL, {"owner": "support"}),
    "appeal": ("routed_out", "routed_out", REQUESTERS, {}),
    "grant_appeal": ("routed_out", "sow_drafting", {"second_lead"}, {}),
    "refuse_appeal": ("routed_out", "routed_out", {"second_lead"}, {}),
    "fast_path": ("submitted", "triaged", LEADS, {"impact": 1, "effort": "low"}),
    "ask": ("sow_drafting", "needs_info", WORKERS | {"other_engineer"}, {"question": "Which?"}),
    "answer": ("needs_info", "submitted", REQUESTERS | LEADS, {"answer": "That one."}),
    "send_for_signoff": ("sow_drafting", "awaiting_signoff", REQUESTERS, {}),
    "revise": ("signed_off", "sow_drafting", REQUESTERS, {}),
    "discard_draft": ("sow_drafting", "signed_off", REQUESTERS, {}),
    "send_change": ("triaged", "triaged", REQUESTERS, {}),
    "sign": ("awaiting_signoff", "signed_off", KEEL, {}),
    "unsign": ("signed_off", "awaiting_signoff", KEEL, {}),
    "triage": ("signed_off", "triaged", LEADS, SCORED),
    "triage_at_risk": ("awaiting_signoff", "triaged", LEADS, SCORED),
    "schedule": ("triaged", "scheduled", LEADS, DATES),
    "unschedule": ("scheduled", "triaged", LEADS, {}),
    "start": ("scheduled", "in_progress", WORKERS, {}),
    "deliver": ("in_progress", "delivered", WORKERS, {"summary": "All of it."}),
    "accept_delivery": ("delivered", "accepted", KEEL, {}),
    "lose_acceptance": ("accepted", "delivered", KEEL, {}),
    "reject_delivery": ("delivered", "in_progress", KEEL, {}),
    "close": ("accepted", "closed", REQUESTERS | WORKERS, {}),
    "decline": (
        "submitted",
        "declined",
        LEADS,
        {"code": "out_of_scope", "alternative": "Support can help."},
    ),
    "cancel": ("triaged", "cancelled", REQUESTERS | LEADS, {"code": "customer_withdrew"}),
    "hold": ("triaged", "on_hold", LEADS | KEEL, {"code": "customer_waits"}),
    "resume": ("on_hold", "triaged", LEADS, {}),
    "reopen": ("closed", "closed", REQUESTERS, {}),
}


@pytest.fixture
def stage():
    return Stage()


def be_critical(stage):
    stage.request.critical = True
    stage.request.save(update_fields=["critical"])


def be_sent_before(stage):
    draft = stage.request.sows.get()
    stage.signed(factories.SowVersionFactory(request=stage.request, number=9, frozen_at=stage.now))
    draft.number = 10
    draft.save()


PREPARE = {
    "fast_path": be_critical,
    "grant_appeal": Stage.appealed,
    "refuse_appeal": Stage.appealed,
    "discard_draft": be_sent_before,
    "send_change": Stage.edited,
    "sign": lambda stage: stage.signed(stage.request.sows.get()),
    "triage_at_risk": Stage.risk,
    "accept_delivery": lambda stage: stage.answered("agreed"),
}


def readied(stage, name):
    """Put the stage's request where the move is possible, and return what it is given."""
    source, _, _, values = MOVES[name]
    stage.at(source)
    if name in PREPARE:
        PREPARE[name](stage)
    stage.request.refresh_from_db()
    return values | ({"lead": stage.engineer.email} if name == "schedule" else {})


def actor(stage, name):
    return system_user() if name == "keel" else getattr(stage, name)


def make(stage, name, who, values):
    return services.move(
        stage.request, name, by=actor(stage, who), at=stage.now, given=given(**values)
    )


def test_every_move_of_the_table_is_told_here():
    assert set(MOVES) == {each.id for each in REQUEST.transitions}


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("who", sorted(EVERYBODY))
def test_who_may_make_a_move(stage, name, who):
    _, target, allowed, _ = MOVES[name]
    values = readied(stage, name)
    if who not in allowed:
        before = stage.request.state
        with pytest.raises(PermissionDenied) as refusal:
            make(stage, name, who, values)
        assert str(refusal.value)
        stage.request.refresh_from_db()
        assert stage.request.state == before
        return
    make(stage, name, who, values)
    if target:
        assert stage.request.state == target


@pytest.mark.parametrize("name", MOVES)
def test_a_move_is_an_event_a_stay_and_a_new_version(stage, name):
    values = readied(stage, name)
    was, version = stage.request.state, stage.request.version
    make(stage, name, sorted(MOVES[name][2])[0], values)
    done = REQUEST.transition(name).done
    event = Event.objects.get(verb=f"request.{done}")
    assert event.before["state"] == was
    assert event.account_id == stage.account.pk
    assert stage.request.version > version
    if stage.request.state != was:
        stay = Stay.objects.get(request=stage.request, left_at=None)
        assert stay.state == stage.request.state


@pytest.mark.parametrize("name", MOVES)
def test_a_move_from_elsewhere_is_blocked_in_words(stage, name):
    readied(stage, name)
    sources = REQUEST.transition(name).sources
    elsewhere = next(state for state in ("closed", "draft", "delivered") if state not in sources)
    workflow.place(stage.request, elsewhere)
    who = sorted(MOVES[name][2])[0]
    with pytest.raises((Blocked, PermissionDenied), match=r"not possible now|Only|can"):
        make(stage, name, who, {})
    stage.request.refresh_from_db()
    assert stage.request.state == elsewhere


def lose_answers(stage):
    stage.request.problem = ""
    stage.request.save(update_fields=["problem"])


def archive(stage):
    stage.account.archived = True
    stage.account.save(update_fields=["archived"])


def empty_sow(stage):
    stage.request.sows.filter(frozen_at=None).update(content={"title": "Only a title"})


def freeze(stage):
    stage.request.sows.update(frozen_at=stage.now)


def larger_change(stage):
    before = factories.SowVersionFactory(request=stage.request, number=0, frozen_at=stage.now)
    ChangeRequest.objects.create(
        request=stage.request,
        kind="larger",
        before=before,
        after=stage.request.sows.latest("number"),
        reason="More plants",
        by=stage.filer,
        at=stage.now,
    )


def unappeal(stage):
    stage.request.decisions.update(appealed_at=None)


def ordinary(stage):
    stage.request.critical, stage.request.over_one_day = False, True
    stage.request.save(update_fields=["critical", "over_one_day"])


def supersede(stage):
    stage.edited()


def run_out(stage):
    stage.request.risks.update(expires_on=stage.today - dt.timedelta(days=1))


def object_to_it(stage):
    workflow.place(stage.request.sign_offs.get(purpose="sow"), "objected")


def very_high(stage):
    stage.request.effort = "very_high"
    stage.request.save(update_fields=["effort"])


def nobody(stage):
    stage.request.lead = None
    stage.request.save(update_fields=["lead"])


def dateless(stage):
    stage.request.start = stage.request.end = None
    stage.request.save(update_fields=["start", "end"])


def three_weeks(stage):
    stage.request.end = stage.request.start + dt.timedelta(days=14)
    stage.request.save(update_fields=["end"])


def untick(stage):
    stage.request.ticks.all().delete()


def not_rolled_out(stage):
    stage.request.roll_out.delete()


def orphan(stage):
    stage.request.artefacts.update(maintained_by="")


def unanswer(stage):
    workflow.place(stage.request.deliveries.get().sign_offs.get(), "withdrawn")


def late(stage):
    stage.request.delivered_at = dt.datetime(2027, 1, 9, 12, tzinfo=dt.UTC)
    stage.request.save(update_fields=["delivered_at"])


def succeed(stage):
    factories.ServiceRequestFactory(account=stage.account, successor_of=stage.request)


def wait_from(state):
    def wait(stage):
        stage.request.paused_from = state
        stage.request.save(update_fields=["paused_from"])
        workflow.place(stage.request, "needs_info")

    return wait


BREAKS = [
    ("submit", "complete", lose_answers),
    ("submit", "account_open", archive),
    ("fast_path", "fast", ordinary),
    ("grant_appeal", "appealed", unappeal),
    ("refuse_appeal", "appealed", unappeal),
    ("send_for_signoff", "sow_complete", empty_sow),
    ("send_for_signoff", "sow_draft", freeze),
    ("send_for_signoff", "change_approved", larger_change),
    ("send_change", "sow_complete", empty_sow),
    ("send_change", "sow_draft", freeze),
    ("send_change", "change_approved", larger_change),
    ("sign", "signed", object_to_it),
    ("sign", "signed", supersede),
    ("triage", "signed", supersede),
    ("triage", "signed", object_to_it),
    ("triage_at_risk", "risk", run_out),
    ("schedule", "signed_or_risk", supersede),
    ("schedule", "signed_or_risk", object_to_it),
    ("schedule", "not_very_high", very_high),
    ("start", "signed_or_risk", supersede),
    ("start", "signed_or_risk", object_to_it),
    ("start", "owned", nobody),
    ("start", "dated", dateless),
    ("start", "two_weeks", three_weeks),
    ("deliver", "signed_or_risk", supersede),
    ("deliver", "ticked", untick),
    ("deliver", "rolled_out", not_rolled_out),
    ("deliver", "maintained", orphan),
    ("accept_delivery", "delivery_accepted", unanswer),
    ("close", "retrospective", late),
    ("close", "delivery_accepted", unanswer),
    ("send_change", "triaged", wait_from("sow_drafting")),
    ("decline", "not_begun", wait_from("in_progress")),
    ("route_out", "not_sent", wait_from("awaiting_signoff")),
    ("reopen", "no_successor", succeed),
]


@pytest.mark.parametrize(("name", "code", "spoil"), BREAKS)
def test_a_guard_that_does_not_hold_blocks_the_move(stage, name, code, spoil):
    values = readied(stage, name)
    spoil(stage)
    stage.request = type(stage.request).objects.get(pk=stage.request.pk)
    before = stage.request.state
    who = next(each for each in ("filer", "second_lead", "keel") if each in MOVES[name][2])
    with pytest.raises(Blocked) as blocked:
        make(stage, name, who, values)
    codes = [guard["code"] for guard in blocked.value.details["guards"]]
    assert code in codes
    assert all(guard["detail"] for guard in blocked.value.details["guards"])
    stage.request.refresh_from_db()
    assert stage.request.state == before
    # The page says the same before anybody tries.
    if not REQUEST.transition(name).is_automatic:
        shown = workflow.option(REQUEST, stage.request, name, actor(stage, who), at=stage.now)
        assert code in dict(shown.blocks)


def test_every_guard_of_the_table_is_broken_here():
    told = {(name, code) for name, code, _ in BREAKS}
    # An appeal on an appeal, and a request without a sent version, are tested below.
    told |= {("appeal", "not_appealed"), ("discard_draft", "sent_before")}
    # Those that projects set are broken in tests/projects/test_along.py.
    listed = {(each.id, guard.code) for each in REQUEST.transitions for guard in each.guards}
    assert listed <= told


def test_an_appeal_is_open_once(stage):
    readied(stage, "appeal")
    make(stage, "appeal", "filer", {})
    with pytest.raises(Blocked, match="open already"):
        make(stage, "appeal", "filer", {})


def test_a_first_draft_cannot_be_thrown_away_for_a_version_that_was_not_sent(stage):
    stage.at("sow_drafting")
    with pytest.raises(Blocked, match="No version was sent yet"):
        make(stage, "discard_draft", "filer", {})


NEEDS_REASON = [each.id for each in REQUEST.transitions if each.needs_reason]


@pytest.mark.parametrize("name", NEEDS_REASON)
def test_a_reason_is_asked_for(stage, name):
    values = readied(stage, name)
    who = next(each for each in ("filer", "second_lead", "keel") if each in MOVES[name][2])
    with pytest.raises(ValidationError) as wrong:
        services.move(
            stage.request,
            name,
            by=actor(stage, who),
            at=stage.now,
            given=Given(reason="  ", values=values),
        )
    assert wrong.value.message_dict == {"reason": ["Say why."]}


def test_all_wrong_fields_are_named_at_once(stage):
    stage.at("signed_off")
    with pytest.raises(ValidationError) as wrong:
        make(stage, "triage", "lead", {"impact": 7, "effort": "huge", "colour": "red"})
    assert set(wrong.value.message_dict) == {"impact", "effort", "confidence", "colour"}


def test_texts_of_a_form_are_read_as_texts(stage):
    stage.at("signed_off")
    values = {"impact": "2", "effort": "low", "confidence": "low"}
    services.move(
        stage.request,
        "triage",
        by=stage.lead,
        at=stage.now,
        given=Given(values=values, as_text=True),
    )
    assert stage.request.impact == 2


def test_an_unknown_move_names_those_there_are(stage):
    with pytest.raises(Invalid, match=r"no move “fly”.*submit"):
        make(stage, "fly", "filer", {})


def test_a_stale_version_is_refused_with_the_one_stored(stage):
    stage.at("submitted")
    with pytest.raises(StaleWrite) as stale:
        services.move(stage.request, "take", by=stage.lead, at=stage.now, given=Given(version=99))
    assert stale.value.etag == etag_of(stage.request.uuid, stage.request.version)


def test_a_hold_that_pre_empts_names_what_came_first(stage):
    stage.at("triaged")
    with pytest.raises(ValidationError, match="which request came first"):
        make(stage, "hold", "lead", {"code": "preempted"})
    first = factories.ServiceRequestFactory(account=stage.account, state="triaged")
    make(stage, "hold", "lead", {"code": "preempted", "preempted_by": first.number})
    assert stage.request.preempted_by == first
    make(stage, "resume", "lead", {})
    assert (stage.request.state, stage.request.preempted_by) == ("triaged", None)


@pytest.mark.parametrize("text", ["REQ-", "REQ-9999999999999999999", "REQ-x", "nothing", "REQ-0"])
def test_what_came_first_has_to_exist(stage, text):
    stage.at("triaged")
    with pytest.raises(ValidationError) as wrong:
        make(stage, "hold", "lead", {"code": "preempted", "preempted_by": text})
    assert set(wrong.value.message_dict) == {"preempted_by"}


def test_more_than_two_weeks_are_refused_when_scheduling(stage):
    values = readied(stage, "schedule") | {"end": "2026-12-15"}
    with pytest.raises(ValidationError, match="More than 14 days"):
        make(stage, "schedule", "lead", values)
    with pytest.raises(ValidationError, match="before the first"):
        make(stage, "schedule", "lead", values | {"end": "2026-11-30"})
    make(stage, "schedule", "lead", values | {"end": "2026-12-14"})


def test_work_that_was_held_goes_on_only_where_its_ground_is_there(stage):
    stage.at("in_progress")
    make(stage, "hold", "lead", {"code": "customer_waits"})
    stage.edited()
    make(stage, "resume", "lead", {})
    assert stage.request.state == "scheduled"


def test_a_rejected_delivery_goes_back_to_work_only_where_its_ground_is_there(stage):
    stage.at("delivered")
    stage.edited()
    make(stage, "reject_delivery", "keel", {})
    assert stage.request.state == "scheduled"


def test_an_objection_stops_the_work(stage):
    stage.at("in_progress")
    sign_off = stage.request.sign_offs.get()
    services.move(
        sign_off,
        "object",
        by=system_user(),
        at=stage.now,
        given=Given(reason="Objected.", values={"objection": "That is not what I agreed."}),
    )
    stage.request.refresh_from_db()
    assert (stage.request.state, stage.request.hold_code) == ("on_hold", "objected")


def test_work_at_risk_that_runs_out_stops_the_work(stage):
    stage.at("in_progress")
    workflow.place(stage.request.sign_offs.get(), "withdrawn")
    risk = stage.risk()
    ended = Given(reason="It ran out.", values={"code": "expired"})
    services.move(risk, "end", by=system_user(), at=stage.now, given=ended)
    stage.request.refresh_from_db()
    assert (stage.request.state, stage.request.hold_code) == ("on_hold", "risk_ended")


def test_a_signature_ends_work_at_risk(stage):
    stage.at("awaiting_signoff")
    risk = stage.risk()
    stage.signed(stage.request.sows.get())
    make(stage, "sign", "keel", {})
    risk.refresh_from_db()
    assert (risk.state, risk.end_code) == ("ended", "signed")


@pytest.mark.parametrize(
    ("who", "allowed"),
    [("lead", False), ("leadership", True), ("administrator", False), ("filer", False)],
)
def test_work_at_risk_is_approved_by_leadership_only(stage, who, allowed):
    stage.at("awaiting_signoff")
    risk = stage.risk("asked")
    if allowed:
        services.move(risk, "approve", by=actor(stage, who), at=stage.now)
        assert risk.decided_by == actor(stage, who)
    else:
        with pytest.raises(PermissionDenied):
            services.move(risk, "approve", by=actor(stage, who), at=stage.now)


def test_nobody_approves_the_risk_they_asked_for(stage):
    stage.at("awaiting_signoff")
    both = factories.UserFactory(roles=["de_lead", "leadership"])
    risk = factories.WorkAtRiskFactory(request=stage.request, asked_by=both)
    with pytest.raises(PermissionDenied):
        services.move(risk, "approve", by=both, at=stage.now)


def test_closing_plans_the_looks_at_the_outcome(stage):
    stage.at("accepted")
    make(stage, "close", "filer", {})
    days = stage.request.outcome_checks.order_by("days").values_list("days", "due_on")
    assert list(days) == [(each, stage.today + dt.timedelta(days=each)) for each in (30, 60, 90)]


def test_reopening_makes_a_linked_draft(stage):
    stage.at("closed")
    make(stage, "reopen", "filer", {})
    successor = stage.request.successors.get()
    assert (successor.state, successor.title) == ("draft", stage.request.title)


def test_asking_and_answering_pauses_where_it_was(stage):
    stage.at("signed_off")
    make(stage, "ask", "engineer", {"question": "Which realm?"})
    assert (stage.request.state, stage.request.waits_for) == ("needs_info", stage.filer)
    make(stage, "answer", "filer", {"answer": "The test realm."})
    question = stage.request.questions.get()
    assert (stage.request.state, question.answer) == ("signed_off", "The test realm.")


def test_who_may_not_can_ask_those_who_may(stage):
    stage.at("submitted")
    asked, told = asked_moves.ask_for(
        REQUEST, stage.request, "take", by=stage.filer, at=stage.now, note="Please."
    )
    assert set(told) == {stage.lead, stage.second_lead}
    with pytest.raises(Conflict, match="asked for this already"):
        asked_moves.ask_for(REQUEST, stage.request, "take", by=stage.filer, at=stage.now)
    make(stage, "take", "lead", {})
    asked.refresh_from_db()
    assert (asked.is_done, asked.settled_by) == (True, stage.lead)


def test_an_asked_move_that_became_impossible_is_settled(stage):
    stage.at("submitted")
    asked, _ = asked_moves.ask_for(REQUEST, stage.request, "take", by=stage.filer, at=stage.now)
    make(stage, "route_out", "lead", {"owner": "support"})
    asked.refresh_from_db()
    assert asked.settled_at
    assert not asked.is_done


def test_an_asked_move_can_be_refused_only_by_who_may_make_it(stage):
    stage.at("submitted")
    asked, _ = asked_moves.ask_for(REQUEST, stage.request, "take", by=stage.filer, at=stage.now)
    with pytest.raises(PermissionDenied):
        asked_moves.refuse_asked(
            REQUEST, stage.request, asked.uuid, by=stage.stranger, at=stage.now, answer="No."
        )
    asked_moves.refuse_asked(
        REQUEST, stage.request, asked.uuid, by=stage.lead, at=stage.now, answer="Not ours."
    )
    assert MoveRequest.objects.get().answer == "Not ours."


def test_what_one_may_do_oneself_is_not_asked_for(stage):
    stage.at("submitted")
    with pytest.raises(Conflict, match="yourself"):
        asked_moves.ask_for(REQUEST, stage.request, "take", by=stage.lead, at=stage.now)


@pytest.mark.parametrize("table", ALL, ids=lambda table: table.name)
def test_no_state_is_written_round_the_engine(table):
    """The database itself refuses it, whoever writes."""
    stage = Stage()
    thing = {
        "request": lambda: stage.at("submitted"),
        "sign_off": lambda: stage.signed(state="recorded", way="verbal"),
        "work_at_risk": lambda: stage.risk("asked"),
        "change": lambda: larger_change_of(stage),
    }[table.name]()
    other = table.states.values[-1]
    with pytest.raises(IntegrityError, match=r"events\.workflow only"), transaction.atomic():
        table.model.objects.filter(pk=thing.pk).update(state=other)
    thing.pk, thing.uuid, thing.state = None, uuid.uuid4(), other
    with pytest.raises(IntegrityError, match=r"events\.workflow only"), transaction.atomic():
        table.model.objects.bulk_create([thing])


def larger_change_of(stage):
    stage.at("sow_drafting")
    larger_change(stage)
    return ChangeRequest.objects.get()


@pytest.mark.parametrize("table", ALL, ids=lambda table: table.name)
def test_every_state_of_a_table_can_be_reached(table):
    reached = {table.states.values[0]} | {
        state for each in table.transitions for state in each.leads_to
    }
    assert reached == set(table.states.values)


def test_an_app_above_can_guard_a_move_below(stage, monkeypatch):
    monkeypatch.setattr(workflow, "_added", {})
    full = workflow.Guard(
        code="capacity", says="There is room.", check=lambda _case: "No room this week."
    )
    workflow.add_guard("request", "schedule", full)
    values = readied(stage, "schedule")
    with pytest.raises(Blocked, match="No room this week"):
        make(stage, "schedule", "lead", values)


def test_what_was_signed_cannot_be_changed_by_hand(stage):
    sow = stage.sow()
    stage.signed(sow)
    with pytest.raises(IntegrityError, match="does not change"), transaction.atomic():
        type(sow).objects.filter(pk=sow.pk).update(content={})
    with pytest.raises(IntegrityError, match="does not change"), transaction.atomic():
        stage.request.sign_offs.update(digest="f" * 64)


def test_holidays_are_unique_days():
    Holiday.objects.create(day=dt.date(2026, 12, 25), name="Christmas")
    with pytest.raises(IntegrityError), transaction.atomic():
        Holiday.objects.create(day=dt.date(2026, 12, 25), name="Again")


def test_states_have_labels_for_people():
    assert all(label for label in RequestState.labels)
