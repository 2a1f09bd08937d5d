"""The threats to a customer's sign-off, D01 to D16 of the threat model, one by one."""

import datetime as dt
import logging
import re

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Contact
from config.lib.errors import Conflict
from config.lib.logging import clean
from config.lib.versions import pretend_known_at
from engagements import services
from engagements.models import SignOff, SignOffLink, SignOffPolicy
from engagements.rules import sow as sow_rules
from engagements.selectors import links as reading
from engagements.services import links
from engagements.services.chasing import chase
from engagements.services.codes import MOST_TRIES
from events import outbox
from events.models import Event, Notice, OutboxMessage
from events.services import acting_token, record
from events.workflow import Given
from people.models import IdempotencyKey, Role
from tests import factories
from tests.engagements.letters import codes, letters, tokens
from tests.engagements.ready import Stage
from tests.engagements.test_public_pages import AGREES, answered, hidden

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    stage = Stage()
    stage.at("awaiting_signoff")
    return stage


@pytest.fixture
def token(stage):
    return sent(stage)


def sent(stage, contact=None):
    links.send_link(stage.request, contact or stage.contact, by=stage.filer, at=stage.now)
    return tokens()[-1]


def signed():
    return SignOff.objects.filter(state="agreed").count()


def get(token, client=None):
    return (client or Client()).get(f"/s/{token}/")


def post(token, client=None, **given):
    return (client or Client()).post(f"/s/{token}/", {"document": "x", **AGREES, **given})


def test_d01_looking_changes_nothing_however_often(stage, token):
    before = Event.objects.count(), OutboxMessage.objects.count()
    for method in ("get", "head"):
        for _ in range(25):
            answer = getattr(Client(), method)(
                f"/s/{token}/", headers={"Purpose": "prefetch", "User-Agent": "SafeLinks"}
            )
            assert answer.status_code == 200
            assert not answer.cookies
    assert (Event.objects.count(), OutboxMessage.objects.count()) == before
    link = SignOffLink.objects.get()
    assert (link.used_at, link.revoked_at) == (None, None)

    assert answered(Client(), token).status_code == 303


def test_d02_the_same_form_twice_is_one_sign_off_and_the_same_receipt(token):
    client, other = Client(), Client()
    form = hidden(get(token, client)) | AGREES
    assert client.post(f"/s/{token}/", form).status_code == 303
    receipt = SignOff.objects.get().receipt

    # Back, and sent again; and a double click, whose first answer with its cookie never arrived.
    for again in (client, other):
        answer = again.post(f"/s/{token}/", form)
        assert answer.status_code == 200
        assert receipt in answer.content.decode()
    assert signed() == 1


def test_d02_another_session_gets_nothing(token):
    client = Client()
    answered(client, token)
    stranger = Client()

    answer = stranger.post(f"/s/{token}/", AGREES | {"document": SignOff.objects.get().digest})

    assert answer.status_code == 410
    text = answer.content.decode()
    assert SignOff.objects.get().receipt not in text
    assert "Kari" not in text


@pytest.mark.parametrize("end", ["used", "revoked", "expired", "closed"])
def test_d03_a_link_that_is_over_answers_gone_without_detail(stage, token, end):
    document = hidden(get(token))["document"]
    link = SignOffLink.objects.get()
    if end == "used":
        answered(Client(), token)
    elif end == "revoked":
        links.revoke_link(link, by=stage.filer, at=stage.now)
    elif end == "expired":
        SignOffLink.objects.update(
            created_at=stage.now - dt.timedelta(2), expires_at=stage.now - dt.timedelta(1)
        )
    else:
        stage.request.refresh_from_db()
        services.move(
            stage.request,
            "cancel",
            by=stage.filer,
            at=stage.now,
            given=Given(values={"code": "customer_withdrew"}),
        )
    count = SignOff.objects.count()

    for answer in (get(token), post(token, document=document)):
        assert answer.status_code == 410
        assert "SAML for the plants" not in answer.content.decode()
    assert Client().get(f"/s/{token}/document.pdf").status_code == 410
    assert SignOff.objects.count() == count


def test_d04_a_version_replaced_between_view_and_click_is_not_signed(stage, token):
    form = hidden(get(token)) | AGREES
    services.move(
        stage.request, "revise", by=stage.filer, at=stage.now, given=Given(reason="More plants")
    )

    answer = Client().post(f"/s/{token}/", form)

    assert answer.status_code == 409
    assert "The document changed; please review again" in answer.content.decode()
    assert not SignOff.objects.exists()


def test_d04_what_does_not_fit_its_hash_is_neither_shown_nor_signed(stage):
    sow = stage.request.sows.get()
    wrong = factories.SowVersionFactory(
        request=stage.request, number=sow.number + 1, digest="0" * 64, frozen_at=stage.now
    )
    token = sent(stage)
    assert SignOffLink.objects.get().sow == wrong

    assert get(token).status_code == 409
    assert post(token, document="0" * 64).status_code == 409
    assert not SignOff.objects.exists()


def test_d04_an_account_that_was_renamed_since_can_still_be_signed_for(stage, token):
    pretend_known_at(timezone.now() + dt.timedelta(hours=1))
    stage.account.name = "Halden Aerospace"
    stage.account.save(update_fields=["name"])

    assert answered(Client(), token).status_code == 303


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token[:-1],
        lambda token: token + "A",
        lambda token: token.swapcase(),
        lambda token: token[:-1] + "ä",
        lambda token: "\N{FULLWIDTH LATIN CAPITAL LETTER A}" * 43,
        lambda token: "A" * 10_000,
        lambda token: "A" * 43,
        lambda token: f"{token}/{token}",
        lambda token: "%00" + token,
        lambda token: "receipt/x",
    ],
)
def test_d05_what_is_no_token_is_not_found_and_always_the_same(token, spoil):
    wrong = spoil(token)
    reference = get("B" * 43)

    for answer in (get(wrong), post(wrong), Client().get(f"/s/{wrong}/document.pdf")):
        assert answer.status_code == 404
        assert answer.content == reference.content
        assert not answer.cookies
    assert not SignOff.objects.exists()


def test_d05_the_token_of_one_request_answers_that_one_only(stage, token):
    other = Stage()
    other.at("awaiting_signoff")
    digest = other.request.sows.get().digest

    assert post(token, document=digest).status_code == 409
    assert not SignOff.objects.exists()


def test_d06_guessing_is_slowed_down_and_a_good_link_still_opens(clean_cache, token):
    answers = [get("C" * 43).status_code for _ in range(31)]

    assert answers == [404] * 30 + [429]
    assert get("C" * 43)["Retry-After"]
    assert get(token).status_code == 200


def test_d06_only_a_digest_under_a_pepper_is_kept(stage, token):
    link = SignOffLink.objects.get()

    assert len(token) == 43
    assert bytes(link.token_digest) != token.encode()
    assert token not in str(vars(link))


def test_d07_the_answer_leads_away_from_the_token(token):
    client = Client()
    answer = answered(client, token)

    assert (answer.status_code, answer["Location"]) == (303, "/s/receipt/")
    cookie = answer.cookies["receipt"]
    assert cookie["httponly"]
    assert (cookie["samesite"], cookie["path"], cookie["max-age"]) == ("Lax", "/s/", 1800)
    assert token not in cookie.value
    assert set(answer.cookies) == {"receipt"}


def test_d07_no_page_of_a_link_leaves_traces(token):
    for path in (f"/s/{token}/", "/s/unknown/", "/s/receipt/", "/verify/"):
        answer = Client().get(path)
        assert answer["Referrer-Policy"] == "no-referrer"
        assert "no-store" in answer["Cache-Control"]
        assert "noindex" in answer["X-Robots-Tag"]
        assert not answer.cookies
        assert "http://" not in re.sub(r"http://www\.w3\.org", "", answer.content.decode())


def test_d07_no_log_line_holds_the_token(token, caplog):
    with caplog.at_level(logging.DEBUG):
        get(token)
        # Without the slash no view is found for it, and it is logged all the same.
        Client().get(f"/s/{token}")
        post(token)
        Client().get(f"/s/{token}/document.pdf/odd/")
        answered(Client(), token)
    assert caplog.records
    assert not [record for record in caplog.records if token in record.getMessage()]
    assert "/s/<token>" in caplog.text
    assert token not in clean(f"GET https://keel.example/s/{token}/ failed")


def test_d07_what_a_mail_server_says_is_kept_without_the_link(token, monkeypatch):
    def refuse(payload):
        raise OSError(f"refused: {payload['body']}")

    monkeypatch.setitem(outbox._handlers, "email", refuse)
    outbox.relay()

    errors = "".join(OutboxMessage.objects.values_list("last_error", flat=True))
    assert "refused" in errors
    assert token not in errors


def test_d08_nobody_of_ours_ever_sees_the_link(stage, token, login, person):
    links.resend_link(SignOffLink.objects.get(), by=stage.filer, at=stage.now)
    secrets = tokens()
    assert len(secrets) == 2
    people = [stage.filer, *(person(role) for role in Role.values)]
    paths = ["", "activity/", "sow/", "links/new/", "delivery/"]
    for user in people:
        for path in paths:
            page = login(user).get(f"/requests/{stage.request.number}/{path}")
            text = page.content.decode()
            assert not [secret for secret in secrets if secret in text], (user, path)
    for secret in secrets:
        events = str(list(Event.objects.values("before", "after", "reason", "object_label")))
        assert secret not in events
        assert secret not in str(list(Notice.objects.values()))
        assert secret not in str(list(IdempotencyKey.objects.values()))
        assert [mail["to"] for mail in letters() if secret in mail["body"]] == [stage.contact.email]


def change_address(contact, email, *, hours_ago):
    """Change the address as an import would, some hours ago."""
    pretend_known_at(timezone.now() - dt.timedelta(hours=hours_ago))
    Contact.objects.filter(pk=contact.pk).update(email=email)
    contact.refresh_from_db()


@pytest.fixture
def known_contact(stage):
    """A contact who has been there for a while: the stage's own came a moment ago."""
    pretend_known_at(timezone.now() - dt.timedelta(days=9))
    return factories.ContactFactory(account=stage.account, email="old@halden.example")


def test_d09_an_address_changed_today_gets_no_link_until_a_second_person_confirms(
    stage, known_contact
):
    change_address(known_contact, "new@elsewhere.example", hours_ago=3)

    link = links.send_link(stage.request, known_contact, by=stage.filer, at=timezone.now())

    assert link.mailed_at is None
    assert not letters("new@elsewhere.example")
    with pytest.raises(Exception, match="second requester"):
        links.confirm_address(link, by=stage.filer, at=timezone.now())
    links.confirm_address(link, by=stage.colleague, at=timezone.now())
    (token,) = tokens("new@elsewhere.example")
    assert answered(Client(), token).status_code == 303
    sign_off = SignOff.objects.get()
    assert sign_off.link.address_changed_at is not None
    assert sign_off.link.confirmed_by == stage.colleague


def test_d09_who_changed_the_address_is_no_second_person(stage, known_contact):
    change_address(known_contact, "new@elsewhere.example", hours_ago=3)
    record("contact.updated", known_contact, by=stage.colleague, after={"email": "x"})
    link = links.send_link(stage.request, known_contact, by=stage.filer, at=timezone.now())

    with pytest.raises(Conflict, match="changed this address yourself"):
        links.confirm_address(link, by=stage.colleague, at=timezone.now())


def test_d09_after_a_day_the_link_goes_out_by_itself(stage, known_contact):
    change_address(known_contact, "new@elsewhere.example", hours_ago=3)
    links.send_link(stage.request, known_contact, by=stage.filer, at=timezone.now())
    assert chase(at=timezone.now())["let_out"] == 0
    assert chase(at=timezone.now() + dt.timedelta(hours=22))["let_out"] == 1
    assert tokens("new@elsewhere.example")


def test_d09_a_change_of_last_week_is_no_news(stage, known_contact):
    change_address(known_contact, "new@elsewhere.example", hours_ago=30)

    links.send_link(stage.request, known_contact, by=stage.filer, at=timezone.now())

    assert tokens("new@elsewhere.example")


@pytest.fixture
def code_wanted(stage):
    SignOffPolicy.objects.update(needs_code=True)
    return sent(stage)


def with_code(token, client=None, **given):
    client = client or Client()
    page = client.get(f"/s/{token}/")
    return client.post(f"/s/{token}/", hidden(page) | AGREES | given)


def test_d10_the_answer_needs_the_code_from_the_mailbox(stage, code_wanted):
    first = with_code(code_wanted)
    assert first.status_code == 200
    assert not SignOff.objects.exists()
    (code,) = codes(stage.contact.email)
    assert code not in first.content.decode()

    form = hidden(first) | AGREES | {"code": code}
    answer = Client().post(f"/s/{code_wanted}/", form)

    assert answer.status_code == 303
    assert SignOff.objects.get().code_checked


def test_d10_five_wrong_codes_suspend_the_link(stage, code_wanted):
    with_code(code_wanted)
    (code,) = codes()
    wrong = "000000" if code != "000000" else "111111"
    answers = [with_code(code_wanted, code=wrong).status_code for _ in range(MOST_TRIES)]

    assert answers == [200] * (MOST_TRIES - 1) + [410]
    assert SignOffLink.objects.get().suspended_at is not None
    assert with_code(code_wanted, code=code).status_code in (400, 410)
    assert not SignOff.objects.exists()


def test_d10_an_old_code_or_one_of_another_link_is_no_code(stage, code_wanted):
    with_code(code_wanted)
    (code,) = codes()
    other = factories.ContactFactory(account=stage.account, email="other@halden.example")
    second = sent(stage, other)
    with_code(second)
    assert with_code(second, code=code).status_code == 200
    SignOffLink.objects.update(code_expires_at=timezone.now() - dt.timedelta(minutes=1))

    answer = with_code(code_wanted, code=code)

    assert "too old" in answer.content.decode()
    assert not SignOff.objects.exists()


@pytest.mark.parametrize(
    "more",
    [
        {"amount": "1.00"},
        {"scope": "everything"},
        {"version": "2"},
        {"state": "agreed"},
        {"name": ["Kari", "Mikkel"]},
        {"csrfmiddlewaretoken": "x"},
    ],
)
def test_d11_nothing_but_the_forms_own_fields_is_taken(token, more):
    form = hidden(get(token)) | AGREES

    assert Client().post(f"/s/{token}/", form | more).status_code == 400
    assert not SignOff.objects.exists()


def test_d11_the_digest_in_the_form_cannot_be_made_to_fit(token):
    assert post(token, document="0" * 64).status_code == 409
    assert post(token, document="").status_code == 400
    assert not SignOff.objects.exists()


@pytest.mark.parametrize(
    "leave",
    [
        {"email": ""},
        {"email": "elsewhere@halden.example"},
        {"account": None},
    ],
)
def test_d12_who_has_left_can_no_longer_sign(stage, token, leave):
    document = hidden(get(token))["document"]
    if "account" in leave:
        leave = {"account": factories.AccountFactory()}
    Contact.objects.filter(pk=stage.contact.pk).update(**leave)

    assert get(token).status_code == 410
    assert post(token, document=document).status_code == 410
    assert not SignOff.objects.exists()


def test_d12_nobody_without_an_address_is_sent_a_link(stage):
    silent = factories.ContactFactory(account=stage.account, email="")

    with pytest.raises(Exception, match="no e-mail address"):
        links.send_link(stage.request, silent, by=stage.filer, at=stage.now)


def test_d13_a_second_signer_comes_too_late(stage):
    other = factories.ContactFactory(account=stage.account, email="other@halden.example")
    first, second = sent(stage), sent(stage, other)
    document = hidden(get(first))["document"]
    answered(Client(), first)

    assert post(second, document=document).status_code == 410
    assert signed() == 1


def test_d14_a_receipt_can_be_checked_by_its_code_alone(stage, token):
    answered(Client(), token)
    sign_off = SignOff.objects.get()

    page = Client().get(f"/verify/{sign_off.receipt}/")

    text = page.content.decode()
    assert page.status_code == 200
    assert sign_off.digest in text
    assert f"Entry {sign_off.event_id}" in text
    assert "This is the agreement that holds now." in text
    assert "K. S." in text
    for personal in ("Kari", "Solberg", "Head of IT", stage.contact.email, sign_off.ip):
        assert personal not in text
    # Typed by hand, without dashes and in small letters.
    typed = sign_off.receipt.replace("-", "").lower()
    assert Client().get("/verify/", {"code": typed})["Location"] == f"/verify/{sign_off.receipt}/"


@pytest.mark.parametrize("code", ["1", "AAAA-AAAA-AAAA-AAAA", "x" * 500, "ß", "%00"])
def test_d14_a_made_up_receipt_is_not_found(token, code):
    answered(Client(), token)
    sign_off = SignOff.objects.get()

    assert Client().get(f"/verify/{code}/").status_code == 404
    assert Client().get(f"/verify/{sign_off.pk}/").status_code == 404
    assert Client().get(f"/verify/{sign_off.uuid}/").status_code == 404


def test_d14_a_receipt_says_when_it_was_superseded(stage, token):
    answered(Client(), token)
    stage.edited()

    text = Client().get(f"/verify/{SignOff.objects.get().receipt}/").content.decode()

    assert "A later version has taken its place." in text


def test_d15_the_page_cannot_be_framed(token):
    answer = get(token)

    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"


def test_d16_the_databases_clock_decides_once(stage, token, monkeypatch):
    document = hidden(get(token))["document"]
    expires = SignOffLink.objects.get().expires_at
    # The web server's clock is wrong either way: it is never asked.
    monkeypatch.setattr(reading, "database_now", lambda: expires - dt.timedelta(microseconds=1))
    assert post(token, document=document).status_code == 303
    assert SignOff.objects.get().answered_at == expires - dt.timedelta(microseconds=1)


def test_d16_at_the_moment_of_expiry_it_is_over(stage, token, monkeypatch):
    document = hidden(get(token))["document"]
    expires = SignOffLink.objects.get().expires_at
    monkeypatch.setattr(reading, "database_now", lambda: expires)

    assert post(token, document=document).status_code == 410
    assert not SignOff.objects.exists()


def test_a_person_of_ours_never_signs_even_with_the_link(stage, token, login):
    client = login(stage.filer)
    page = get(token, client)
    assert "Only the customer answers here" in page.content.decode()

    answer = client.post(f"/s/{token}/", hidden(page) | AGREES)

    assert answer.status_code == 403
    assert not SignOff.objects.exists()


def test_a_program_sends_no_link(stage, api_client):
    acting_token.set("keel_x")
    try:
        with pytest.raises(Exception, match="never by a token"):
            links.send_link(stage.request, stage.contact, by=stage.filer, at=stage.now)
    finally:
        acting_token.set("")


def test_the_hash_is_worked_out_anew(stage, token):
    shown = reading.shown_by(SignOffLink.objects.get())

    assert shown.digest == sow_rules.digest_of(
        shown.content, request=stage.request.number, account=shown.account
    )
