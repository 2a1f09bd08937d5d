"""The pages a customer opens by a link: what they show, and what an answer does."""

import datetime as dt
import re

import pytest
from django.test import Client

from engagements.models import CustomerQuestion, SignOff, SignOffLink
from engagements.rules.sow import digest_of
from engagements.services import links
from events.models import Event, Notice
from tests.engagements.letters import letters, tokens
from tests.engagements.ready import Stage

pytestmark = pytest.mark.django_db

FIELD = re.compile(r'name="(document|page)" value="([^"]*)"')
AGREES = {"decision": "accept", "name": "Kari Solberg", "title": "Head of IT", "authority": "on"}


@pytest.fixture
def stage():
    stage = Stage()
    stage.at("awaiting_signoff")
    return stage


@pytest.fixture
def token(stage):
    links.send_link(stage.request, stage.contact, by=stage.filer, at=stage.now)
    return tokens()[-1]


def hidden(answer):
    return dict(FIELD.findall(answer.content.decode()))


def answered(client, token, **given):
    """Open the page and send the form."""
    return client.post(f"/s/{token}/", hidden(client.get(f"/s/{token}/")) | AGREES | given)


def test_the_page_shows_every_part_of_what_was_hashed(stage, token):
    page = Client().get(f"/s/{token}/")

    assert page.status_code == 200
    text = page.content.decode()
    content = stage.request.sows.get().content
    deliverable = content["deliverables"][0]
    for part in (
        content["title"], deliverable["what"], deliverable["detail"], deliverable["by_whom"],
        "4 Dec 2026", "23 Nov 2026", *content["needs"], *content["in_scope"],
        *content["out_of_scope"], *content["acceptance"], *content["assumptions"],
        content["customer_owner"], "You maintain it.", "does not depend",
    ):  # fmt: skip
        assert part in text


def test_nothing_is_preselected_and_nothing_needs_a_script(token):
    text = Client().get(f"/s/{token}/").content.decode()

    assert not re.search(r"type=\"(radio|checkbox)\"[^>]*\bchecked", text)
    assert "<script" not in text
    assert "csrfmiddlewaretoken" not in text


def test_agreeing_signs_the_version_and_takes_the_request_on(stage, token):
    answer = answered(Client(), token)

    assert (answer.status_code, answer["Location"]) == (303, "/s/receipt/")
    stage.request.refresh_from_db()
    assert stage.request.state == "signed_off"
    sign_off = SignOff.objects.get()
    assert (sign_off.state, sign_off.way, sign_off.party_name) == ("agreed", "link", "Kari Solberg")
    assert sign_off.digest == stage.request.sows.get().digest
    assert sign_off.event_id == Event.objects.get(verb="sign_off.agreed").pk
    assert sign_off.ip == "127.0.0.1"


def test_receipts_go_to_both_sides(stage, token):
    answered(Client(), token)

    receipt = SignOff.objects.get().receipt
    told = {mail["to"] for mail in letters() if receipt in mail["body"]}
    assert told == {stage.contact.email, stage.filer.email}


def test_asking_for_a_change_leaves_the_request_where_it_is(stage, token):
    answer = answered(Client(), token, decision="change", change="Odda before Sandnes")

    assert answer.status_code == 303
    stage.request.refresh_from_db()
    assert stage.request.state == "awaiting_signoff"
    sign_off = SignOff.objects.get()
    assert (sign_off.state, sign_off.note) == ("rejected", "Odda before Sandnes")
    assert Notice.objects.filter(to=stage.filer).exists()
    assert "Odda" not in "".join(Event.objects.values_list("reason", flat=True))


def test_a_question_reaches_us_and_the_link_still_works(stage, token):
    client = Client()
    answer = answered(client, token, decision="ask", question="Which realm?")

    assert answer.status_code == 303
    assert CustomerQuestion.objects.get().text == "Which realm?"
    assert "Which realm?" in client.get("/s/receipt/").content.decode()
    assert answered(Client(), token).status_code == 303


def test_the_receipt_stands_at_an_address_without_the_token(token):
    client = Client()
    page = client.get(answered(client, token)["Location"])

    assert page.status_code == 200
    assert SignOff.objects.get().receipt in page.content.decode()
    assert token not in page.content.decode()
    assert Client().get("/s/receipt/").status_code == 410


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"decision": ""}, "Choose your answer."),
        ({"name": ""}, "Enter your full name."),
        ({"title": " "}, "Enter your job title."),
        ({"authority": ""}, "Confirm that you can agree to this."),
        ({"decision": "change", "change": ""}, "Say what should change."),
        ({"decision": "ask", "question": ""}, "Write your question."),
        ({"name": "x" * 201}, "At most 200 characters."),
        ({"name": "Kari\x00"}, "Remove the control character"),
    ],
)
def test_what_is_missing_is_said_and_what_was_typed_comes_back(token, given, words):
    answer = answered(Client(), token, **given)

    assert answer.status_code == 422
    text = answer.content.decode()
    assert words in text
    assert "Error:" in text
    assert not SignOff.objects.exists()
    if "title" not in given:
        assert 'value="Head of IT"' in text


def test_an_expired_link_offers_a_new_one_to_the_same_address_once(stage, token):
    SignOffLink.objects.update(
        created_at=stage.now - dt.timedelta(days=2), expires_at=stage.now - dt.timedelta(days=1)
    )
    page = Client().get(f"/s/{token}/")
    assert page.status_code == 410
    assert "Send me a new link" in page.content.decode()

    for _ in range(3):
        assert Client().post(f"/s/{token}/new-link/").status_code == 200

    new = tokens(stage.contact.email)
    assert len(new) == 2
    assert answered(Client(), new[-1]).status_code == 303


def test_a_later_version_shows_what_changed(stage, token):
    sow = stage.request.sows.get()
    later = stage.sow(frozen=False)
    later.content = sow.content | {"in_scope": ["The three plants and Odda"]}
    later.note = "As Mikkel Dahl asked"
    later.save()
    later.digest = digest_of(
        later.content, request=stage.request.number, account=str(stage.account)
    )
    later.frozen_at = stage.now
    later.save()
    links.send_link(stage.request, stage.contact, by=stage.filer, at=stage.now)

    text = Client().get(f"/s/{tokens()[-1]}/").content.decode()

    assert "Changed since version 1" in text
    assert "As Mikkel Dahl asked" in text
    assert re.search(r"<li>[^<]*Included[^<]*Odda", text)


def test_the_document_and_the_receipt_are_files_too(token):
    client = Client()
    document = client.get(f"/s/{token}/document.pdf")
    answered(client, token)
    receipt = client.get("/s/receipt/certificate.pdf")

    for file in (document, receipt):
        assert file.status_code == 200
        assert file.content.startswith(b"%PDF")
        assert token.encode() not in file.content
    assert Client().get("/s/receipt/certificate.pdf").status_code == 410
