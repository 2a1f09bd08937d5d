import datetime as dt
import logging
import re
import threading

import pytest
import time_machine
from django.conf import settings as site
from django.contrib.auth import hashers
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from events import outbox
from events.models import Event, OutboxMessage
from people import middleware, selectors, services
from people.models import Role, User, system_user
from people.tasks import clear_sessions
from tests.factories import PASSWORD, UserFactory

LOGIN = reverse("account_login")
RESET = reverse("account_reset_password")
NEW = "an-entirely-new-password"
PAGE = reverse("people:token-list")

pytestmark = pytest.mark.usefixtures("clean_cache")


def sign_in(client, user, password=PASSWORD, **extra):
    return client.post(LOGIN, {"login": user.email, "password": password}, **extra)


def is_in(client):
    return client.get(PAGE).status_code == 200


def test_sign_in_and_out(client, tam):
    assert sign_in(client, tam).status_code == 302
    assert is_in(client)

    assert client.get(reverse("account_logout")).status_code == 200
    assert is_in(client), "leaving takes a POST"
    client.post(reverse("account_logout"))
    assert not is_in(client)


def test_sign_in_in_any_case(client, tam):
    response = client.post(LOGIN, {"login": tam.email.upper(), "password": PASSWORD})

    assert response.status_code == 302


def test_argon2_is_used_outside_tests():
    assert site.PASSWORD_HASHERS == ["django.contrib.auth.hashers.MD5PasswordHasher"]
    from config import settings as real  # noqa: PLC0415, TID251

    assert real.PASSWORD_HASHERS[0].endswith("Argon2PasswordHasher")


def test_wrong_unknown_and_deactivated_read_the_same(tam):
    gone = UserFactory(is_active=False)
    pages = [
        sign_in(Client(), tam, "wrong-password"),
        sign_in(Client(), User(email="nobody@keel.example"), "wrong-password"),
        sign_in(Client(), gone, PASSWORD),
        sign_in(Client(), system_user(), "!"),
    ]

    def shown(response, email):
        text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", response.content.decode())
        text = re.sub(r'name="csrf-token" content="[^"]+"', "", text)
        return re.sub(r"[a-z0-9]+@keel\.(example|invalid)", "EMAIL", text)

    assert {page.status_code for page in pages} == {200}
    assert len({shown(page, "") for page in pages}) == 1


def test_an_unknown_address_costs_a_hash_as_a_known_one_does(tam, monkeypatch):
    hashes = count_hashes(monkeypatch)

    sign_in(Client(), tam, "wrong-password")
    known = len(hashes)
    sign_in(Client(), User(email="nobody@keel.example"), "wrong-password")

    assert known == len(hashes) - known == 1


def test_a_thousand_tries_reach_the_hasher_at_most_twenty_times(tam, monkeypatch):
    hashes = count_hashes(monkeypatch)
    client = Client()

    statuses = [sign_in(client, tam, f"wrong-password-{n}").status_code for n in range(1000)]

    assert len(hashes) <= 20
    assert set(statuses) == {200, 429}
    assert sign_in(client, tam).status_code == 429, "the right one is not told from the wrong"


def test_a_thousand_addresses_from_one_place_neither(db, monkeypatch):
    hashes = count_hashes(monkeypatch)

    for n in range(1000):
        sign_in(Client(), User(email=f"p{n}@keel.example"), "wrong-password")

    assert len(hashes) <= 20


def test_who_guesses_elsewhere_does_not_lock_the_owner_out(tam):
    for n in range(50):
        sign_in(Client(), tam, f"wrong-password-{n}", REMOTE_ADDR="203.0.113.9")

    assert sign_in(Client(), tam, REMOTE_ADDR="198.51.100.7").status_code == 302


@pytest.mark.django_db(transaction=True)
def test_tries_at_once_are_counted_one_by_one(monkeypatch):
    user = UserFactory()
    hashes = count_hashes(monkeypatch)
    barrier = threading.Barrier(10)

    def work():
        client = Client()
        barrier.wait()
        for n in range(3):
            sign_in(client, user, f"wrong-password-{n}")
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 1 <= len(hashes) <= 5


def test_a_refused_try_says_when_to_come_back(tam):
    for n in range(6):
        response = sign_in(Client(), tam, f"wrong-password-{n}")

    assert response.status_code == 429
    assert response.headers["Retry-After"] == "60"


def test_the_limit_passes(tam):
    with time_machine.travel("2026-03-02 12:00Z", tick=False) as clock:
        for n in range(6):
            sign_in(Client(), tam, f"wrong-password-{n}")
        clock.shift(dt.timedelta(minutes=2))
        assert sign_in(Client(), tam).status_code == 302


@pytest.mark.parametrize("proxies", [0, 1])
def test_a_forged_forwarded_header_does_not_dodge_the_limit(tam, settings, proxies, monkeypatch):
    settings.TRUSTED_PROXY_COUNT = proxies
    hashes = count_hashes(monkeypatch)

    for n in range(40):
        forwarded = f"10.0.0.{n}, 203.0.113.9"
        sign_in(Client(), tam, f"wrong-{n}", HTTP_X_FORWARDED_FOR=forwarded)

    assert len(hashes) == 5


@pytest.mark.parametrize("forwarded", ["", "nonsense", "1.2.3.4", "::1, [::2]:80, ,"])
def test_no_forwarded_header_breaks_the_page(tam, settings, forwarded):
    settings.TRUSTED_PROXY_COUNT = 2

    assert sign_in(Client(), tam, HTTP_X_FORWARDED_FOR=forwarded).status_code == 302


def test_a_new_session_at_sign_in(client, tam):
    client.get(LOGIN)
    session = client.session
    session["planted"] = "1"
    session.save()
    before = session.session_key

    sign_in(client, tam)

    assert client.session.session_key != before


def test_an_idle_session_ends(tam):
    with time_machine.travel("2026-03-02 12:00Z", tick=False) as clock:
        client = Client()
        sign_in(client, tam)
        for _ in range(5):
            clock.shift(dt.timedelta(minutes=50))
            assert is_in(client)
        clock.shift(dt.timedelta(minutes=61))
        response = client.get(PAGE, follow=True)
        assert response.redirect_chain[0][0].startswith(LOGIN)
        assert middleware.ENDED["idle"] in response.content.decode()


def test_no_session_lasts_longer_than_twelve_hours(tam):
    with time_machine.travel("2026-03-02 12:00Z", tick=False) as clock:
        client = Client()
        sign_in(client, tam)
        for _ in range(23):
            clock.shift(dt.timedelta(minutes=30))
            assert is_in(client), clock
        clock.shift(dt.timedelta(minutes=30))
        assert not is_in(client)


def test_a_page_does_not_write_the_session_each_time(client, tam, django_assert_num_queries):
    sign_in(client, tam)
    client.get(PAGE)
    stamped = client.session[middleware.SEEN_AT]

    client.get(PAGE)

    assert client.session[middleware.SEEN_AT] == stamped


def test_deactivation_ends_the_session_at_once(client, tam, administrator):
    sign_in(client, tam)

    services.deactivate(tam, by=administrator, at=timezone.now())

    assert not is_in(client)


def test_a_password_change_ends_the_other_sessions(tam):
    here, elsewhere = Client(), Client()
    sign_in(here, tam)
    sign_in(elsewhere, tam)

    response = here.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW},
    )

    assert response.status_code == 302
    assert is_in(here)
    assert not is_in(elsewhere)
    assert Event.objects.filter(verb="user.password_set", actor=tam).exists()


def test_a_weak_password_is_refused(client, tam):
    sign_in(client, tam)

    client.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": "short", "password2": "short"},
    )

    tam.refresh_from_db()
    assert tam.check_password(PASSWORD)


def test_a_role_taken_away_counts_from_the_next_request(client, administrator, person):
    other = person(Role.ADMINISTRATOR)
    sign_in(client, other)
    people = reverse("people:person-list")
    assert client.get(people).status_code == 200

    services.change_roles(other, roles=[Role.TAM], by=administrator)

    assert client.get(people).status_code == 403


def test_nobody_signs_up(client, db):
    client.post(
        "/account/signup/",
        {"email": "eve@keel.example", "password1": NEW, "password2": NEW},
    )

    assert not User.objects.filter(email="eve@keel.example").exists()


def ask_for_reset(email, **extra):
    response = Client().post(RESET, {"email": email}, **extra)
    outbox.relay()
    return response


def link_in(mail):
    return re.search(r"https?://\S+", mail.body)[0]


def follow(link):
    """Open the link as a browser does; return the client and the page with the form."""
    client = Client()
    path = link.removeprefix(site.BASE_URL)
    return client, client.get(path, follow=True)


def choose(client, page, password=NEW):
    action = page.context["action_url"]
    return client.post(action, {"password1": password, "password2": password})


def test_reset_by_mail(tam, mailoutbox):
    assert ask_for_reset(tam.email.upper()).status_code == 302

    client, page = follow(link_in(mailoutbox[0]))
    choose(client, page)

    tam.refresh_from_db()
    assert tam.check_password(NEW)
    assert sign_in(Client(), tam, NEW).status_code == 302


def test_a_reset_link_works_once(tam, mailoutbox):
    ask_for_reset(tam.email)
    link = link_in(mailoutbox[0])
    choose(*follow(link))

    _, page = follow(link)

    assert page.context["token_fail"]


def test_opening_the_link_changes_nothing(tam, mailoutbox):
    ask_for_reset(tam.email)
    link = link_in(mailoutbox[0])
    for _ in range(3):
        follow(link)

    choose(*follow(link))

    tam.refresh_from_db()
    assert tam.check_password(NEW)


def test_a_reset_link_expires_within_the_hour(tam):
    with time_machine.travel("2026-03-02 12:00Z", tick=False) as clock:
        link = selectors.password_link(tam)
        clock.shift(dt.timedelta(minutes=59))
        assert "token_fail" not in follow(link)[1].context
        clock.shift(dt.timedelta(minutes=2))
        assert follow(link)[1].context["token_fail"]


def test_an_invitation_waits_a_week(administrator):
    with time_machine.travel("2026-03-02 12:00Z", tick=False) as clock:
        user = services.create_user(
            email="ada@keel.example", name="Ada", roles=[Role.TAM], by=administrator
        )
        link = selectors.password_link(user)
        clock.shift(dt.timedelta(days=6, hours=23))
        assert "token_fail" not in follow(link)[1].context
        clock.shift(dt.timedelta(hours=2))
        assert follow(link)[1].context["token_fail"]


def test_a_link_dies_with_a_newer_password_and_with_the_account(tam):
    link = selectors.password_link(tam)
    services.set_password(tam, NEW, by=tam)
    assert follow(link)[1].context["token_fail"]

    link = selectors.password_link(tam)
    User.objects.filter(pk=tam.pk).update(is_active=False)
    assert follow(link)[1].context["token_fail"]


def test_a_foreign_host_does_not_get_into_the_mail(tam, mailoutbox):
    assert ask_for_reset(tam.email, HTTP_HOST="evil.example").status_code == 400
    ask_for_reset(tam.email, HTTP_X_FORWARDED_HOST="evil.example")

    (mail,) = mailoutbox
    assert link_in(mail).startswith(site.BASE_URL)
    assert "evil.example" not in mail.body


def test_reset_answers_the_same_whether_the_address_is_known(tam, mailoutbox):
    known, unknown = ask_for_reset(tam.email), ask_for_reset("nobody@keel.example")

    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
    assert known.content == unknown.content
    assert [mail.to for mail in mailoutbox] == [[tam.email]]


def test_reset_does_the_same_work_whether_the_address_is_known(tam):
    counts = []
    for email in (tam.email, "nobody@keel.example"):
        with CaptureQueriesContext(connection) as queries:
            Client().post(RESET, {"email": email})
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert OutboxMessage.objects.filter(topic="password-reset").count() == 2


def test_deactivated_people_and_the_system_get_no_link(db, mailoutbox):
    ask_for_reset(UserFactory(is_active=False).email)
    ask_for_reset(system_user().email)

    assert mailoutbox == []


def test_mails_are_not_sent_without_end(tam, mailoutbox):
    statuses = [ask_for_reset(tam.email).status_code for _ in range(8)]

    assert statuses.count(429) == 3
    assert len(mailoutbox) == 5


def test_secrets_are_not_logged(tam, caplog, mailoutbox, client):
    caplog.set_level(logging.DEBUG)
    sign_in(client, tam)
    ask_for_reset(tam.email)
    link = link_in(mailoutbox[0])
    follow(link)
    text = services.create_token(
        owner=tam, name="Sync", scopes=["metrics:read"], by=tam, at=timezone.now()
    )[1]
    client.get("/api/v1/me/", HTTP_AUTHORIZATION=f"Bearer {text}")

    for secret in (PASSWORD, link.rstrip("/").split("-", 1)[1], text.split("_", 2)[2]):
        assert secret not in caplog.text


def test_without_a_role_one_page_says_who_can_give_one(login, without_role, administrator):
    response = login(without_role).get(PAGE)

    assert response.status_code == 403
    assert administrator.email in response.content.decode()


def test_without_a_role_one_can_still_leave_and_change_password(login, without_role):
    client = login(without_role)

    assert client.get(reverse("account_change_password")).status_code == 200
    assert client.post(reverse("account_logout")).status_code == 302


def count_hashes(monkeypatch):
    calls = []
    hasher = hashers.MD5PasswordHasher
    real = hasher.encode
    monkeypatch.setattr(
        hasher, "encode", lambda self, *args, **kw: calls.append(1) or real(self, *args, **kw)
    )
    return calls


def test_ended_sessions_are_cleared_away(tam):
    with time_machine.travel("2026-03-02 12:00Z", tick=False) as clock:
        sign_in(Client(), tam)
        clock.shift(dt.timedelta(hours=13))
        clear_sessions()

    assert not Session.objects.exists()
