"""Deliverables ticked with evidence, what stays, the roll-out, and what is handed over."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction

from config.lib.errors import Conflict, Invalid, Missing
from engagements import selectors, services
from engagements.models import Artefact, RollOut, Tick
from engagements.rules import delivery as rules
from engagements.selectors.calendar import company_calendar
from engagements.services import delivering
from engagements.services.delivering import Evidence, NotInProgress
from events import workflow
from events.models import Event
from events.workflow import Blocked
from people.models import system_user
from tests import factories
from tests.engagements.ready import Stage, given

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    """In progress, with nothing done yet."""
    stage = Stage()
    stage.at("in_progress")
    for model in (Tick, RollOut, Artefact):
        model.objects.all().delete()
    return stage


def proof(stage, text="20 accounts sign in.", **more):
    return Evidence(text=text, **{"done_on": stage.today} | more)


def tick(stage, key="d1", by=None, **more):
    by = by or stage.engineer
    return delivering.tick(stage.request, key, proof(stage, **more), by=by, at=stage.now)


def roll_out(stage, **more):
    values = {"note": "At all plants.", "done_on": stage.today, "by": stage.engineer} | more
    return delivering.roll_out(stage.request, **values, at=stage.now)


def add(stage, name="Sync script", **more):
    return delivering.add_artefact(
        stage.request, name=name, by=stage.engineer, at=stage.now, **more
    )


def deliver(stage):
    move = services.move(
        stage.request, "deliver", by=stage.engineer, at=stage.now, given=given(summary="All of it.")
    )
    return move.obj.deliveries.get()


def missing(stage):
    found = services.options(stage.request, stage.engineer, at=stage.now)
    deliver = next(each for each in found if each.transition.id == "deliver")
    return {code for code, _ in deliver.blocks}


def test_a_deliverable_is_ticked_with_evidence(stage):
    file = SimpleUploadedFile("proof.txt", b"20 of 20")
    made = tick(stage, url="https://git.example.com/merge/7", upload=file)
    assert made.attachment.name == "proof.txt"
    assert selectors.open_deliverables(stage.request) == []
    (only,) = selectors.deliverables_of(stage.request)
    assert only.tick == made
    event = Event.objects.get(verb="request.deliverable_ticked")
    assert event.after["deliverable"] == only.what
    assert "sign in." not in str(event.after)


@pytest.mark.parametrize("who", ["engineer", "lead", "second_lead"])
def test_who_works_on_it_ticks(stage, who):
    assert tick(stage, by=getattr(stage, who))


@pytest.mark.parametrize(
    "who", ["filer", "colleague", "stranger", "other_engineer", "leadership", "administrator"]
)
def test_nobody_else_notes_anything(stage, who):
    by = {"by": getattr(stage, who), "at": stage.now}
    artefact = add(stage)
    for act in (
        lambda: delivering.tick(stage.request, "d1", proof(stage), **by),
        lambda: delivering.untick(stage.request, "d1", reason="No.", **by),
        lambda: delivering.add_artefact(stage.request, name="X", **by),
        lambda: delivering.change_artefact(artefact, name="X", **by),
        lambda: delivering.remove_artefact(artefact, **by),
        lambda: delivering.roll_out(stage.request, note="X", done_on=stage.today, **by),
        lambda: delivering.take_back_roll_out(stage.request, reason="X", **by),
    ):
        with pytest.raises(PermissionDenied):
            act()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"text": " "}, "evidence"),
        ({"text": "a\x00"}, "evidence"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "http://plain.example"}, "url"),
        ({"done_on": dt.date(2099, 1, 1)}, "done_on"),
    ],
)
def test_evidence_that_is_none_is_refused_at_its_field(stage, values, field):
    with pytest.raises(Invalid) as refusal:
        tick(stage, **values)
    assert refusal.value.field == field
    assert not Tick.objects.exists()


def test_only_what_was_promised_is_ticked_and_only_once(stage):
    with pytest.raises(Missing):
        tick(stage, "d9")
    tick(stage)
    with pytest.raises(Conflict, match=stage.engineer.name):
        tick(stage, by=stage.lead)


def test_a_tick_is_taken_back_with_a_reason(stage):
    tick(stage)
    by = {"by": stage.engineer, "at": stage.now}
    with pytest.raises(Invalid):
        delivering.untick(stage.request, "d1", reason=" ", **by)
    delivering.untick(stage.request, "d1", reason="It broke again.", **by)
    assert selectors.open_deliverables(stage.request)
    assert Event.objects.get(verb="request.deliverable_unticked").reason == "It broke again."
    with pytest.raises(Missing):
        delivering.untick(stage.request, "d1", reason="Twice.", **by)


@pytest.mark.parametrize("state", ["scheduled", "delivered", "on_hold", "closed"])
def test_it_is_noted_only_while_in_progress(state):
    stage = Stage()
    stage.at(state)
    with pytest.raises(NotInProgress, match=stage.request.number):
        tick(stage, by=stage.lead)


def test_what_stays_has_a_name_and_sooner_or_later_an_owner(stage):
    artefact = add(stage, url="https://git.example.com/sync")
    assert "maintained" in missing(stage)
    for values in ({"name": ""}, {"name": "X", "maintained_by": "nobody"}):
        with pytest.raises(Invalid):
            delivering.change_artefact(artefact, by=stage.engineer, at=stage.now, **values)
    delivering.change_artefact(
        artefact, name="Sync", maintained_by="customer", by=stage.engineer, at=stage.now
    )
    assert "maintained" not in missing(stage)
    delivering.remove_artefact(artefact, by=stage.engineer, at=stage.now)
    assert not Artefact.objects.exists()
    verbs = Event.objects.filter(verb__startswith="request.artefact").order_by("id")
    assert list(verbs.values_list("verb", flat=True)) == [
        "request.artefact_added", "request.artefact_changed", "request.artefact_removed",
    ]  # fmt: skip


def test_the_roll_out_is_noted_corrected_and_taken_back(stage):
    assert "rolled_out" in missing(stage)
    roll_out(stage)
    roll_out(stage, note="At two plants.")
    stage.request.refresh_from_db()
    assert RollOut.objects.get().note == "At two plants."
    delivering.take_back_roll_out(
        stage.request, reason="Plant 2 is back.", by=stage.engineer, at=stage.now
    )
    assert not RollOut.objects.exists()


def test_nothing_is_handed_over_before_all_is_there(stage):
    with pytest.raises(Blocked):
        deliver(stage)
    assert not stage.request.deliveries.exists()


def test_what_is_handed_over_is_frozen_as_the_customer_reads_it(stage):
    tick(stage, url="https://internal.example.com/merge/7")
    add(stage, maintained_by="customer", url="https://internal.example.com/sync")
    roll_out(stage, note="For us alone.")
    made = deliver(stage)
    assert made.content == {
        "title": stage.request.title,
        "summary": "All of it.",
        "sow": 1,
        "deliverables": [
            {
                "key": "d1",
                "what": "SAML sign-in for plant accounts",
                "evidence": "20 accounts sign in.",
                "done_on": stage.today.isoformat(),
            }
        ],
        "artefacts": [{"name": "Sync script", "maintained_by": "customer"}],
        "rolled_out_on": stage.today.isoformat(),
        "deemed_on": None,
    }
    account = str(stage.account)
    assert made.digest == rules.digest_of(
        made.content, request=stage.request.number, account=account
    )
    assert "internal" not in str(made.content)
    other = rules.digest_of(made.content, request="REQ-0", account=account)
    assert made.digest != other


def test_the_days_of_silence_are_business_days():
    stage = _agreed_to_silence(days=5)
    made = deliver(stage)
    assert made.deemed_on == company_calendar().day_after(stage.today, 5)
    assert made.content["deemed_on"] == made.deemed_on.isoformat()


def test_work_at_risk_makes_no_promise_of_silence():
    stage = _agreed_to_silence(days=5, state="withdrawn")
    stage.risk()
    assert deliver(stage).deemed_on is None


def test_the_fast_path_hands_over_a_summary():
    stage = Stage()
    stage.request.fast_path = True
    stage.request.save(update_fields=["fast_path"])
    workflow.place(stage.request, "in_progress")
    delivering.roll_out(
        stage.request, note="Done.", done_on=stage.today, by=stage.lead, at=stage.now
    )
    services.move(
        stage.request, "deliver", by=stage.lead, at=stage.now, given=given(summary="Repaired.")
    )
    made = stage.request.deliveries.get()
    assert (made.sow, made.deemed_on, made.content["sow"]) == (None, None, None)
    assert (made.content["summary"], made.content["deliverables"]) == ("Repaired.", [])


def test_a_second_delivery_has_the_next_number(stage):
    tick(stage)
    roll_out(stage)
    deliver(stage)
    for name, by in (("reject_delivery", system_user()), ("deliver", stage.engineer)):
        values = given(summary="Better.") if name == "deliver" else given()
        services.move(stage.request, name, by=by, at=stage.now, given=values)
    assert list(stage.request.deliveries.order_by("pk").values_list("number", flat=True)) == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_two_who_tick_at_once_make_one_tick():
    stage = _committed()
    Tick.objects.all().delete()
    ends = _at_once(lambda: tick(stage), lambda: tick(stage, by=stage.lead))
    assert sorted(ends) == [False, True]
    assert Tick.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_untick_and_a_delivery_never_both_happen():
    stage = _committed()
    by = {"by": stage.lead, "at": stage.now}
    ends = _at_once(
        lambda: delivering.untick(stage.request, "d1", reason="No.", **by), lambda: deliver(stage)
    )
    assert sorted(ends) == [False, True]


def _committed():
    with transaction.atomic():
        stage = Stage()
        stage.at("in_progress")
    return stage


def _at_once(*acts):
    """Return of each whether it was done, and not refused."""
    barrier = threading.Barrier(len(acts))

    def run(act):
        barrier.wait()
        try:
            act()
        except Conflict:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def _agreed_to_silence(*, days, state="agreed"):
    stage = Stage()
    sow = factories.SowVersionFactory.build(request=stage.request, by=stage.filer)
    sow.content |= {"deemed_acceptance_days": days}
    sow.frozen_at = stage.now
    sow.save()
    stage.signed(sow, state=state)
    workflow.place(stage.request, "in_progress")
    tick(stage, by=stage.lead)
    roll_out(stage, by=stage.lead)
    stage.request.lead = stage.engineer
    stage.request.save(update_fields=["lead"])
    return stage
