"""Evidence that our people record: written, said, confirmed, objected to, withdrawn."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from config.lib.errors import Conflict, Invalid
from engagements import selectors
from engagements.models import Delivery, SignOff, SignOffMinimum
from engagements.rules.delivery import digest_of
from engagements.services import chasing, links, recording
from engagements.services.recording import Evidence
from events import workflow
from events.models import Event, MoveRequest, Notice
from events.services import acting_token
from tests import factories
from tests.engagements.letters import letters, tokens
from tests.engagements.ready import Stage
from tests.engagements.test_public_pages import AGREES, answered, hidden

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


@pytest.fixture
def stage():
    stage = Stage()
    SignOffMinimum.objects.exclude(impact=None, amount_from=0).delete()
    stage.at("awaiting_signoff")
    return stage


def evidence(stage, **more):
    given = {
        "contact": stage.contact,
        "name": "Kari Solberg",
        "answered_at": stage.now,
        "note": "Yes to all three plants.",
    }
    return Evidence(**(given | more))


def said(stage, **more):
    return recording.record_verbal(
        stage.request, evidence(stage, **more), by=stage.filer, at=stage.now
    )


def wrote(stage, **more):
    file = SimpleUploadedFile("mail.pdf", PDF, "application/pdf")
    return recording.record_written(
        stage.request, evidence(stage, **more), file, by=stage.filer, at=stage.now
    )


def state(stage):
    stage.request.refresh_from_db()
    return stage.request.state


def test_what_the_customer_wrote_is_agreed_at_once(stage):
    sign_off = wrote(stage)

    assert (sign_off.state, sign_off.way) == ("agreed", "written")
    assert state(stage) == "signed_off"
    assert sign_off.attachments.count() == 1
    assert sign_off.receipt in letters(stage.contact.email)[-1]["body"]


def test_what_was_said_waits_for_a_second_person_and_the_customer_is_told(stage):
    sign_off = said(stage)

    assert sign_off.state == "recorded"
    assert state(stage) == "awaiting_signoff"
    mail = letters(stage.contact.email)[-1]
    assert "Yes to all three plants." in mail["body"]
    with pytest.raises(PermissionDenied, match="second requester"):
        recording.confirm(sign_off, by=stage.filer, at=stage.now)

    recording.confirm(sign_off, by=stage.colleague, at=stage.now)

    assert state(stage) == "signed_off"
    assert sign_off.confirmed_by == stage.colleague
    assert sign_off.receipt


@pytest.mark.parametrize("who", ["stranger", "engineer", "lead", "leadership", "administrator"])
def test_only_the_requester_records(stage, who):
    with pytest.raises(PermissionDenied):
        recording.record_verbal(
            stage.request, evidence(stage), by=getattr(stage, who), at=stage.now
        )


def test_a_program_neither_records_nor_confirms(stage):
    sign_off = said(stage)
    acting_token.set("keel_x")
    try:
        for act in (
            lambda: wrote(stage),
            lambda: recording.confirm(sign_off, by=stage.colleague, at=stage.now),
            lambda: recording.withdraw(sign_off, "No", by=stage.filer, at=stage.now),
        ):
            with pytest.raises(PermissionDenied, match="never by a"):
                act()
    finally:
        acting_token.set("")


def test_an_objection_takes_the_request_back(stage):
    sign_off = said(stage)
    recording.confirm(sign_off, by=stage.colleague, at=stage.now)
    token = tokens(stage.contact.email)[0]
    page = Client().get(f"/s/{token}/")
    assert "Yes to all three plants." in page.content.decode()

    answer = Client().post(f"/s/{token}/", hidden(page) | {"text": "Only two plants."})

    assert answer.status_code == 303
    assert state(stage) == "awaiting_signoff"
    sign_off.refresh_from_db()
    assert (sign_off.state, sign_off.objection) == ("objected", "Only two plants.")
    assert "Only two plants." not in str(list(Event.objects.values("before", "after", "reason")))
    assert "Only two plants." not in str(list(Notice.objects.values("title", "body")))
    assert Client().get(f"/s/{token}/").status_code == 410


def test_an_objection_stops_work(stage):
    sign_off = said(stage)
    recording.confirm(sign_off, by=stage.colleague, at=stage.now)
    stage._plan()
    workflow.place(stage.request, "in_progress")
    token = tokens(stage.contact.email)[0]
    form = hidden(Client().get(f"/s/{token}/")) | {"text": "No."}

    Client().post(f"/s/{token}/", form)

    assert state(stage) == "on_hold"
    assert stage.request.hold_code == "objected"


def test_an_objection_needs_words_and_nothing_else(stage):
    said(stage)
    token = tokens(stage.contact.email)[0]
    form = hidden(Client().get(f"/s/{token}/"))

    assert Client().post(f"/s/{token}/", form | {"text": " "}).status_code == 422
    assert Client().post(f"/s/{token}/", form | {"decision": "accept"}).status_code == 400


def test_evidence_that_is_too_weak_is_kept_and_does_not_suffice(stage):
    SignOffMinimum.objects.update(strength="link")
    wrote(stage)

    assert state(stage) == "awaiting_signoff"
    why = selectors.why_not_signed(stage.request, on=stage.today)
    assert "too weak" in why
    links.send_link(stage.request, stage.contact, by=stage.filer, at=stage.now)
    answered(Client(), tokens()[-1])
    assert state(stage) == "signed_off"


def test_withdrawn_evidence_counts_no_more(stage):
    sign_off = wrote(stage)
    recording.withdraw(sign_off, "The wrong mail.", by=stage.filer, at=stage.now)

    assert state(stage) == "awaiting_signoff"


def test_what_the_customer_gave_by_link_only_they_take_back(stage):
    links.send_link(stage.request, stage.contact, by=stage.filer, at=stage.now)
    answered(Client(), tokens()[-1])

    with pytest.raises(Conflict, match="Only the customer"):
        recording.withdraw(SignOff.objects.get(), "No", by=stage.filer, at=stage.now)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"answered_at": timezone.now() + dt.timedelta(days=1)}, "future"),
        ({"answered_at": timezone.now() - dt.timedelta(days=9)}, "could not know"),
        ({"contact": None}, "e-mail address"),
    ],
)
def test_what_cannot_be_is_refused(stage, more, words):
    with pytest.raises(Invalid, match=words):
        said(stage, **more)


def test_the_same_way_is_recorded_once(stage):
    wrote(stage)
    with pytest.raises(Conflict, match="recorded already"):
        wrote(stage)


def test_a_contact_of_another_account_is_none(stage):
    with pytest.raises(Invalid, match="is not at"):
        wrote(stage, contact=factories.ContactFactory())


def test_the_form_says_what_is_missing_and_keeps_what_was_typed(stage, login):
    client = login(stage.filer)
    address = f"/requests/{stage.request.number}/sign-offs/new/verbal/"
    assert client.get(address).status_code == 200

    answer = client.post(address, {"name": "Kari", "note": "All plants", "on": "2026-13-01"})

    text = answer.content.decode()
    assert answer.status_code == 422
    assert "All plants" in text
    assert "Choose who agreed." in text


def test_recording_and_confirming_by_the_pages(stage, login):
    address = f"/requests/{stage.request.number}"
    now = timezone.now()
    form = {
        "contact": str(stage.contact.uuid),
        "on": now.date().isoformat(),
        "time": now.strftime("%H:%M"),
        "heard_by": "Amara Obi",
        "note": "All plants",
    }
    assert login(stage.filer).post(f"{address}/sign-offs/new/verbal/", form).status_code == 302
    sign_off = SignOff.objects.get()
    assert "Heard by Amara Obi." in sign_off.note
    page = login(stage.colleague).get(f"{address}/sign-offs/{sign_off.uuid}/")
    assert "Confirm it" in page.content.decode()

    done = login(stage.colleague).post(f"{address}/sign-offs/{sign_off.uuid}/confirm/")

    assert done.status_code == 302
    assert state(stage) == "signed_off"
    assert not MoveRequest.objects.filter(settled_at=None).exists()


def test_a_written_agreement_needs_its_file(stage, login):
    address = f"/requests/{stage.request.number}/sign-offs/new/email/"
    form = {"name": "Kari Solberg", "on": stage.today.isoformat()}

    assert login(stage.filer).post(address, form).status_code == 422
    file = SimpleUploadedFile("mail.pdf", PDF, "application/pdf")
    assert login(stage.filer).post(address, form | {"file": file}).status_code == 302
    assert state(stage) == "signed_off"


def test_the_customers_people_are_shown_to_those_who_may_see_them(stage, login):
    wrote(stage)
    sign_off = SignOff.objects.get()
    address = f"/requests/{stage.request.number}/sign-offs/{sign_off.uuid}/"

    assert "Kari Solberg" in login(stage.filer).get(address).content.decode()
    text = login(stage.engineer).get(address).content.decode()
    assert "Kari Solberg" not in text
    assert stage.contact.email not in text
    assert sign_off.digest in text


@pytest.fixture
def delivered(stage):
    wrote(stage)
    stage._plan()
    stage._work()
    content = {
        "title": "SAML",
        "summary": "All of it.",
        "sow": 1,
        "rolled_out_on": "2026-12-04",
        "deliverables": [
            {"key": "d1", "what": "SAML sign-in", "evidence": "A login.", "done_on": "2026-12-03"}
        ],
        "artefacts": [{"name": "Sync script", "maintained_by": "customer"}],
        "deemed_on": "2026-12-20",
    }
    digest = digest_of(content, request=stage.request.number, account=str(stage.account))
    delivery = Delivery.objects.create(
        request=stage.request, number=1, content=content, digest=digest,
        by=stage.engineer, at=stage.now,
    )  # fmt: skip
    workflow.place(stage.request, "delivered")
    return delivery


def test_a_delivery_is_accepted_by_link_with_a_rating(stage, delivered):
    links.ask_for_acceptance(delivered, by=stage.engineer, at=stage.now)
    token = tokens(stage.contact.email)[-1]
    page = Client().get(f"/s/{token}/")
    text = page.content.decode()
    for part in (
        "SAML sign-in", "All of it.", "A login.", "3 Dec 2026", "4 Dec 2026", "20 Dec 2026",
        "Sync script: you", "version 1",
    ):  # fmt: skip
        assert part in text

    answer = Client().post(f"/s/{token}/", hidden(page) | AGREES | {"rating": "5"})

    assert answer.status_code == 303
    assert state(stage) == "accepted"
    assert stage.request.rating == 5


def test_a_delivery_that_is_not_accepted_goes_back_to_work(stage, delivered):
    links.send_link(stage.request, stage.contact, by=stage.filer, at=stage.now)
    token = tokens(stage.contact.email)[-1]
    answered(Client(), token, decision="change", change="Odda is missing")

    assert state(stage) == "in_progress"


def test_a_delivery_is_accepted_by_what_the_customer_wrote(stage, delivered):
    links.send_link(stage.request, stage.contact, by=stage.filer, at=stage.now)
    token = tokens(stage.contact.email)[-1]
    wrote(stage, rating=4)

    assert state(stage) == "accepted"
    assert Client().get(f"/s/{token}/").status_code == 410


def test_customers_are_reminded_once_and_we_are_told_of_the_end(stage):
    links.send_link(stage.request, stage.contact, by=stage.filer, at=stage.now)
    first = tokens()[-1]
    soon = stage.now + dt.timedelta(days=12)

    assert chasing.chase(at=stage.now)["reminded"] == 0
    assert chasing.chase(at=soon)["reminded"] == 1
    assert chasing.chase(at=soon + dt.timedelta(hours=1))["reminded"] == 0
    second = tokens()[-1]
    assert first != second
    # Both work until they end together.
    assert Client().get(f"/s/{first}/").status_code == 200
    assert Client().get(f"/s/{second}/").status_code == 200

    over = stage.now + dt.timedelta(days=15)
    before = Notice.objects.count()
    assert chasing.chase(at=over)["expired"] == 2
    assert Notice.objects.count() == before + 1
    assert chasing.chase(at=over)["expired"] == 0


def test_either_of_two_links_answers_and_the_other_is_over(stage):
    links.send_link(stage.request, stage.contact, by=stage.filer, at=stage.now)
    chasing.chase(at=stage.now + dt.timedelta(days=12))
    first, second = tokens()
    answered(Client(), first)

    assert Client().get(f"/s/{second}/").status_code == 410
