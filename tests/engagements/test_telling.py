"""Who is told of which move, and in which words."""

import datetime as dt
import uuid

import pytest
from django.core import mail

from engagements import services
from engagements.models import ChangeRequest
from engagements.services import telling
from engagements.services.asking import ask_move, refuse_move
from engagements.services.told import TOLD
from engagements.workflows import ALL
from events import outbox, workflow
from events.models import Notice
from people.models import system_user
from tests import factories
from tests.engagements.ready import Stage, given
from tests.engagements.test_moves import make, readied

pytestmark = pytest.mark.django_db
LEADS = ("lead", "second_lead")
PEOPLE = (
    "filer", "colleague", "stranger", "engineer", "other_engineer", "lead", "second_lead",
    "leadership", "administrator",
)  # fmt: skip
# Who makes the move, and who is told as what.
EXPECTED = {
    "take": ("lead", {"filer": "asked_of_you"}),
    "route_out": ("lead", {"filer": "decision"}),
    "appeal": ("filer", dict.fromkeys(LEADS, "asked_of_you")),
    "grant_appeal": ("second_lead", {"filer": "decision"}),
    "refuse_appeal": ("second_lead", {"filer": "decision"}),
    "fast_path": ("lead", {"filer": "decision", "second_lead": "asked_of_you"}),
    "ask": ("lead", {"filer": "asked_of_you"}),
    "sign": ("keel", dict.fromkeys(LEADS, "sign_off")),
    "unsign": ("keel", {"filer": "sign_off"} | dict.fromkeys(LEADS, "sign_off")),
    "triage": ("lead", {"filer": "request_moved"}),
    "triage_at_risk": ("lead", {"filer": "request_moved"}),
    "schedule": ("lead", {"engineer": "asked_of_you", "filer": "request_moved"}),
    "unschedule": ("lead", {"filer": "decision", "engineer": "decision"}),
    "start": ("engineer", {"filer": "request_moved"}),
    "deliver": ("engineer", {"filer": "asked_of_you"}),
    "accept_delivery": ("keel", {"filer": "delivery", "engineer": "delivery"}),
    "lose_acceptance": ("keel", {"filer": "delivery", "engineer": "delivery"}),
    "reject_delivery": ("keel", {"filer": "delivery", "engineer": "delivery"}),
    "close": ("filer", {"engineer": "request_moved"}),
    "decline": ("lead", {"filer": "decision"}),
    "cancel": ("lead", {"filer": "decision"}),
    "hold": ("lead", {"filer": "decision"}),
    "resume": ("lead", {"filer": "decision"}),
    "reopen": ("colleague", {"filer": "request_moved", "engineer": "request_moved"}),
    # What one does oneself, and nobody else has to act on.
    "send_for_signoff": ("filer", {}),
    "revise": ("filer", {}),
    "discard_draft": ("filer", {}),
}


@pytest.fixture
def stage():
    return Stage()


def told(stage):
    """Return who was told as what, everybody once."""
    names = {getattr(stage, name).pk: name for name in PEOPLE}
    rows = Notice.objects.values_list("to", "kind")
    assert len(rows) == len({to for to, _ in rows})
    return {names[to]: kind for to, kind in rows}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_move_of_a_request(name, stage):
    who, expected = EXPECTED[name]
    values = readied(stage, name)
    Notice.objects.all().delete()

    make(stage, name, who, values)

    assert told(stage) == expected
    for notice in Notice.objects.all():
        assert stage.request.number in notice.title
        assert stage.account.name in notice.title or "appeal" in notice.title
        assert notice.path == f"/requests/{stage.request.number}/"
        assert notice.account_id == stage.account.pk


def test_every_row_is_about_a_move_there_is():
    tables = {table.model: {each.id for each in table.transitions} for table in ALL}

    assert {model: set(rows) - tables[model] for model, rows in TOLD.items()} == {
        model: set() for model in tables
    }


def test_an_answer_reaches_who_asked(stage):
    stage.at("sow_drafting")
    services.move(
        stage.request, "ask", by=stage.engineer, at=stage.now, given=given(question="Which one?")
    )
    Notice.objects.all().delete()

    services.move(
        stage.request, "answer", by=stage.filer, at=stage.now, given=given(answer="The second.")
    )

    assert told(stage) == {"engineer": "asked_of_you"}
    assert Notice.objects.get().body == "The second."


def test_a_question_waits_for_whom_it_names(stage):
    stage.at("sow_drafting")
    values = {"question": "Which one?", "asked_of": stage.stranger.email}

    services.move(stage.request, "ask", by=stage.engineer, at=stage.now, given=given(**values))

    assert told(stage) == {"stranger": "asked_of_you"}


def test_who_looks_after_the_account_is_told_where_the_filer_has_left(stage):
    stage.filer.is_active = False
    stage.filer.save()
    stage.at("signed_off")

    make(stage, "triage", "lead", {"impact": 2, "effort": "low", "confidence": "high"})

    assert told(stage) == {"colleague": "request_moved"}


def test_who_files_reads_the_routing_on_the_page_they_come_to(stage):
    stage.at("submitted")
    stage.request.submitted_at = stage.now
    stage.request.save(update_fields=["submitted_at"])

    make(stage, "take", "keel", {})

    assert told(stage) == {}


def test_the_words_of_a_customer_stay_on_the_page(stage):
    stage.at("signed_off")
    said = workflow.Given(reason="Kari Solberg says it is not what she agreed to.")

    services.move(stage.request, "unsign", by=system_user(), at=stage.now, given=said)

    assert {each.body for each in Notice.objects.all()} == {""}
    outbox.relay()
    assert not any("Kari" in sent.body + sent.subject for sent in mail.outbox)


class TestSignOffs:
    @pytest.mark.parametrize(
        ("way", "name", "by", "expected"),
        [
            ("verbal", "confirm", "colleague", {"filer"}),
            ("link", "agree", "keel", {"filer"}),
            ("written", "agree", "keel", set()),
            ("link", "reject", "keel", {"filer"}),
            ("verbal", "object", "keel", {"filer", *LEADS}),
            ("verbal", "withdraw", "lead", {"filer", "second_lead"}),
        ],
    )
    def test_tell_those_who_work_with_them(self, way, name, by, expected, stage):
        stage.at("awaiting_signoff")
        sign_off = stage.signed(stage.request.sows.get(), way=way, state="recorded")
        Notice.objects.all().delete()
        who = system_user() if by == "keel" else getattr(stage, by)

        values = {"objection": "Kari says so."} if name == "object" else {}
        said = workflow.Given(reason="Kari says so.", values=values)
        services.move(sign_off, name, by=who, at=stage.now, given=said)

        about = Notice.objects.filter(kind="sign_off").exclude(title__contains="triage it")
        names = {getattr(stage, each).pk: each for each in PEOPLE}
        assert {names[each.to_id] for each in about} == expected
        if by == "keel":
            assert not about.exclude(body="").exists()

    def test_a_verbal_one_asks_for_a_second_person(self, stage):
        stage.at("awaiting_signoff")
        sign_off = stage.signed(stage.request.sows.get(), way="verbal", state="recorded")

        telling.sign_off_recorded(sign_off, by=stage.filer, at=stage.now)

        assert told(stage) == dict.fromkeys(("colleague", *LEADS), "asked_of_you")


class TestRisks:
    @pytest.mark.parametrize(
        ("name", "by", "expected"),
        [
            ("approve", "leadership", {"lead", "filer"}),
            ("refuse", "leadership", {"lead", "filer"}),
            ("withdraw", "second_lead", {"lead", "filer"}),
        ],
    )
    def test_tell_who_asked_and_the_requester(self, name, by, expected, stage):
        stage.at("awaiting_signoff")
        risk = factories.WorkAtRiskFactory(request=stage.request, asked_by=stage.lead)

        services.move(risk, name, by=getattr(stage, by), at=stage.now, given=given())

        assert set(told(stage)) == expected
        assert set(told(stage).values()) == {"risk"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("approve", {"colleague", "filer"}), ("refuse", {"colleague", "filer"})],
)
def test_changes_tell_who_proposed_them(name, expected, stage):
    stage.at("scheduled")
    change = ChangeRequest.objects.create(
        request=stage.request,
        kind="larger",
        before=stage.request.sows.get(),
        after=stage.sow(frozen=False),
        reason="Two more plants.",
        by=stage.colleague,
        at=stage.now,
    )
    telling.change_proposed(change, by=stage.colleague, at=stage.now)
    assert told(stage) == dict.fromkeys(LEADS, "asked_of_you")
    Notice.objects.all().delete()

    services.move(change, name, by=stage.lead, at=stage.now, given=workflow.Given(reason="Why."))

    assert set(told(stage)) == expected
    assert set(told(stage).values()) == {"change"}


class TestAskedMoves:
    def test_tell_those_who_may_and_then_who_asked(self, stage):
        stage.at("triaged")

        asked = ask_move(stage.request, "schedule", by=stage.filer, at=stage.now, note="A freeze.")

        assert told(stage) == dict.fromkeys(LEADS, "move_asked")
        assert {each.body for each in Notice.objects.all()} == {"A freeze."}
        Notice.objects.all().delete()

        refuse_move(
            stage.request, asked.uuid, by=stage.lead, at=stage.now, answer="Not before Monday."
        )

        assert told(stage) == {"filer": "move_asked"}
        assert Notice.objects.get().body == "Not before Monday."

    def test_a_refusal_that_fails_tells_nobody(self, stage):
        stage.at("triaged")

        with pytest.raises(Exception, match="No such request"):
            refuse_move(stage.request, uuid.uuid4(), by=stage.lead, at=stage.now, answer="No.")

        assert told(stage) == {}


@pytest.mark.parametrize(
    ("tell", "expected"),
    [
        (telling.needs_a_person, dict.fromkeys(LEADS, "asked_of_you")),
        (telling.customer_asked, {"filer": "sign_off"}),
        (telling.new_link_asked_for, {"filer": "asked_of_you"}),
    ],
)
def test_what_is_no_move(tell, expected, stage):
    stage.at("submitted")

    tell(stage.request, at=stage.now)

    assert told(stage) == expected


def test_a_link_that_runs_out_is_due(stage):
    stage.at("awaiting_signoff")
    link = stage.request.links_sent.model(
        request=stage.request, expires_at=stage.now + dt.timedelta(days=2)
    )

    telling.link_expires(link, at=stage.now)

    assert told(stage) == {"filer": "due"}
