"""One effect for a request that is sent several times, at once or in the middle of its end."""

import datetime as dt
import threading
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.client import encode_multipart
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from people import services
from people.models import ApiToken, IdempotencyKey, Role, SavedView
from people.services import request_keys
from people.services.request_keys import KeyReused, Request, claim, keep
from tests.factories import UserFactory
from tests.people import urls_keyed

THINGS = "/api/v1/things/"
OTHERS = "/api/v1/others/"
BULK = "/api/v1/things/bulk/"
FILES = "/api/v1/files/"
PAGE = "/page/"
PLAIN = "/plain/"
NONCE = "n" * 22
NEW_TOKEN = reverse("people:token-create")

keyed = pytest.mark.urls("tests.people.urls_keyed")


@pytest.fixture(autouse=True)
def _nothing_in_between():
    yield
    urls_keyed.before_answer.clear()


@pytest.fixture
def client(api_client, tam):
    return api_client(tam)


def post(client, body, key="k-1", path=THINGS, **more):
    headers = {"Idempotency-Key": key} if key is not None else {}
    return client.post(path, body, format="json", headers=headers | more)


@keyed
class TestKeys:
    def test_the_same_again_is_answered_the_same_and_done_once(self, client):
        first = post(client, {"name": "A"})
        second = post(client, {"name": "A"})

        assert first.status_code == second.status_code == 201
        assert first.content == second.content
        for name in ("Content-Type", "Location", "ETag"):
            assert first.headers[name] == second.headers[name]
        assert "Idempotency-Replayed" not in first.headers
        assert second.headers["Idempotency-Replayed"] == "true"
        assert second.headers["Cache-Control"] == "no-store"
        assert SavedView.objects.count() == 1

    def test_quotes_round_the_key_are_none_of_it(self, client):
        first = post(client, {"name": "A"}, key='"k-1"')

        assert post(client, {"name": "A"}).content == first.content

    def test_without_a_key_each_is_another(self, client):
        post(client, {"name": "A"}, key=None)
        post(client, {"name": "B"}, key=None)

        assert SavedView.objects.count() == 2
        assert not IdempotencyKey.objects.exists()

    def test_some_insist_on_a_key(self, client):
        refused = post(client, {"name": "A"}, key=None, path=BULK)

        assert (refused.status_code, refused.json()["code"]) == (400, "idempotency_key_required")
        assert not SavedView.objects.exists()
        assert post(client, {"name": "A"}, path=BULK).status_code == 200

    @pytest.mark.parametrize("key", ["", " ", "ä", "a b", "x" * 256, "a\x7f", '""'])
    def test_a_key_is_visible_ascii(self, client, key):
        refused = post(client, {"name": "A"}, key=key)

        assert (refused.status_code, refused.json()["code"]) == (400, "bad_idempotency_key")
        assert not SavedView.objects.exists()

    @pytest.mark.parametrize(
        ("body", "path"),
        [({"name": "B"}, THINGS), ({"name": "A"}, OTHERS), ({"name": "A"}, THINGS + "?x=1")],
    )
    def test_another_request_with_the_key_is_refused(self, client, body, path):
        post(client, {"name": "A"})

        refused = post(client, body, path=path)

        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
        assert SavedView.objects.count() == 1

    def test_each_token_and_person_has_keys_of_its_own(self, api_client, tam, csm, login):
        clients = [api_client(tam), api_client(tam), api_client(csm)]
        session = APIClient()
        session.force_login(tam)

        answers = [post(one, {"name": f"{n}"}) for n, one in enumerate([*clients, session])]

        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 4
        principals = set(IdempotencyKey.objects.values_list("principal", flat=True))
        assert f"user:{tam.pk}" in principals
        assert len(principals) == 4

    @pytest.mark.parametrize("body", [{}, {"name": "refused"}])
    def test_what_was_refused_is_kept_nowhere_and_tried_again(self, client, body):
        assert post(client, body).status_code in {400, 409}
        assert not SavedView.objects.exists()
        assert not IdempotencyKey.objects.exists()

        assert post(client, {"name": "A"}).status_code == 201

    def test_a_failure_is_kept_nowhere(self, client):
        client.raise_request_exception = False
        urls_keyed.before_answer.append(lambda: 1 / 0)
        assert post(client, {"name": "A"}).status_code == 500
        assert not IdempotencyKey.objects.exists()

        urls_keyed.before_answer.clear()
        assert post(client, {"name": "A"}).status_code == 201

    def test_broken_json_claims_no_key(self, client):
        answer = client.generic(
            "POST", THINGS, b'{"name":', "application/json", headers={"Idempotency-Key": "k-1"}
        )

        assert answer.status_code == 400
        assert not IdempotencyKey.objects.exists()

    def test_whoever_may_not_gets_no_stored_answer(self, client, api_client, tam):
        post(client, {"name": "A"})
        ApiToken.objects.update(scopes=["account:read"])

        assert post(client, {"name": "A"}).status_code == 403

    def test_a_file_is_the_same_whatever_stands_between_its_parts(self, client):
        def send(boundary, content=b"a,b\r\n1,2\r\n", kind="accounts"):
            upload = SimpleUploadedFile("a.csv", content)
            body = encode_multipart(boundary, {"kind": kind, "file": upload})
            media_type = f"multipart/form-data; boundary={boundary}"
            headers = {"Idempotency-Key": "k-1"}
            return client.generic("POST", FILES, body, media_type, headers=headers)

        first = send("one")

        assert first.json()["bytes"] == 10
        assert send("two").content == first.content
        assert send("one", content=b"a,b\r\n1,3\r\n").status_code == 422
        assert send("one", kind="contacts").status_code == 422
        assert SavedView.objects.count() == 1

    def test_a_file_of_another_name_is_another_request(self, client):
        def send(name):
            upload = SimpleUploadedFile(name, b"external_id\nA1\n")
            body = {"kind": "accounts", "file": upload}
            return client.post(FILES, body, headers={"Idempotency-Key": "k"})

        statuses = [send(name).status_code for name in ("a.csv", "b.csv", "a.csv")]

        assert statuses == [201, 422, 201]

    def test_a_large_file_goes_by_the_disk(self, client, settings):
        settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1000
        content = b"x" * 3_000_000

        def send():
            upload = SimpleUploadedFile("a.csv", content)
            headers = {"Idempotency-Key": "k-1"}
            return client.post(FILES, {"kind": "accounts", "file": upload}, headers=headers)

        assert send().json()["bytes"] == len(content)
        assert send().headers["Idempotency-Replayed"] == "true"


class TestRows:
    """The keys themselves."""

    def asked(self, **other):
        told = {"principal": "user:1", "key": "k", "method": "POST", "path": "/", "digest": "d"}
        return Request(**(told | other))

    def test_a_day_later_it_is_forgotten(self, db):
        now = timezone.now()
        for number, age in enumerate([1, 23, 25, 48]):
            row, _ = claim(self.asked(key=str(number)))
            keep(row, status=200, headers={}, body=b"")
            made = now - dt.timedelta(hours=age)
            IdempotencyKey.objects.filter(pk=row.pk).update(created_at=made)

        assert request_keys.forget_old_keys(now=now) == 2
        assert set(IdempotencyKey.objects.values_list("key", flat=True)) == {"0", "1"}

    def test_many_are_forgotten_in_batches(self, db, monkeypatch):
        monkeypatch.setattr(request_keys, "ROWS_A_STATEMENT", 2)
        for number in range(5):
            claim(self.asked(key=str(number)))
        later = timezone.now() + dt.timedelta(hours=25)

        assert request_keys.forget_old_keys(now=later) == 5

    @pytest.mark.parametrize("name", ["method", "path", "digest"])
    def test_another_request(self, db, name):
        claim(self.asked())

        with pytest.raises(KeyReused):
            claim(self.asked(**{name: "other"}))


@pytest.mark.django_db(transaction=True)
@keyed
class TestAtOnce:
    def test_twins_have_one_effect(self):
        tam = UserFactory(roles=[Role.TAM])
        _, token = services.create_token(
            owner=tam, name="T", scopes=["account:write"], by=tam, at=timezone.now()
        )
        for pair in range(50):
            barrier = threading.Barrier(2)
            answers = []

            def work(key=f"pair-{pair}", barrier=barrier, answers=answers):
                client = APIClient(headers={"Authorization": f"Bearer {token}"})
                barrier.wait(5)
                try:
                    answers.append(post(client, {"name": key}, key=key))
                finally:
                    connection.close()

            threads = [threading.Thread(target=work) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(20)
            assert [answer.status_code for answer in answers] == [201, 201]
            assert answers[0].content == answers[1].content
            replays = [answer.headers.get("Idempotency-Replayed") for answer in answers]
            assert sorted(replays, key=str) == [None, "true"]
        assert SavedView.objects.count() == IdempotencyKey.objects.count() == 50

    def test_a_twin_that_is_still_at_work_is_said_so(self, monkeypatch):
        at_work, go_on = threading.Event(), threading.Event()
        answers = {}

        def slowly():
            at_work.set()
            assert go_on.wait(20)

        def first():
            try:
                answers["first"] = post(client_of(tam), {"name": "A"})
            finally:
                connection.close()

        tam = UserFactory(roles=[Role.TAM])
        urls_keyed.before_answer.append(slowly)
        thread = threading.Thread(target=first)
        thread.start()
        assert at_work.wait(10)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        second = post(client_of(tam), {"name": "A"})
        go_on.set()
        thread.join(20)

        assert (second.status_code, second.json()["code"]) == (409, "still_running")
        assert second.headers["Retry-After"] == "5"
        assert answers["first"].status_code == 201
        urls_keyed.before_answer.clear()
        assert post(client_of(tam), {"name": "A"}).content == answers["first"].content

    def test_who_waits_for_a_twin_that_fails_does_it_itself(self):
        at_work = threading.Event()
        answers = {}

        def fails_once():
            urls_keyed.before_answer.clear()
            at_work.set()
            raise RuntimeError

        def first():
            client = client_of(tam)
            client.raise_request_exception = False
            try:
                answers["first"] = post(client, {"name": "A"})
            finally:
                connection.close()

        tam = UserFactory(roles=[Role.TAM])
        urls_keyed.before_answer.append(fails_once)
        thread = threading.Thread(target=first)
        thread.start()
        assert at_work.wait(10)
        second = post(client_of(tam), {"name": "A"})
        thread.join(20)

        assert answers["first"].status_code == 500
        assert second.status_code == 201
        assert SavedView.objects.count() == 1

    def test_an_end_in_the_middle_leaves_nothing(self):
        class Killed(BaseException):
            pass

        def die():
            raise Killed

        tam = UserFactory(roles=[Role.TAM])
        urls_keyed.before_answer.append(die)
        with pytest.raises(Killed):
            post(client_of(tam), {"name": "A"})

        assert not SavedView.objects.exists()
        assert not IdempotencyKey.objects.exists()
        urls_keyed.before_answer.clear()
        assert post(client_of(tam), {"name": "A"}).status_code == 201


def client_of(user):
    client = APIClient()
    client.force_login(user)
    return client


@keyed
class TestForms:
    def test_a_form_sent_twice_leads_to_the_same_place(self, login, tam):
        first, second = (login(tam).post(PAGE, {"name": "A", "once": NONCE}) for _ in range(2))

        assert first.status_code == second.status_code == 302
        assert first.url == second.url
        assert SavedView.objects.count() == 1

    def test_a_form_with_a_mistake_can_be_sent_again(self, login, tam):
        client = login(tam)
        assert client.post(PAGE, {"name": "wrong", "once": NONCE}).status_code == 422

        assert client.post(PAGE, {"name": "A", "once": NONCE}).status_code == 302
        assert SavedView.objects.get().name == "A"

    def test_a_page_is_not_shown_again(self, login, tam):
        client = login(tam)
        assert client.post(PLAIN, {"name": "A", "once": NONCE}).status_code == 200

        again = client.post(PLAIN, {"name": "A", "once": NONCE})

        assert again.status_code == 409
        assert "This form was sent already." in again.content.decode()
        assert IdempotencyKey.objects.get().body.tobytes() == b""

    def test_other_values_with_the_same_form_are_refused(self, login, tam):
        client = login(tam)
        client.post(PAGE, {"name": "A", "once": NONCE})

        assert client.post(PAGE, {"name": "B", "once": NONCE}).status_code == 409
        assert SavedView.objects.count() == 1

    def test_a_form_without_the_field_is_sent_as_ever(self, login, tam):
        client = login(tam)

        for name in "AB":
            assert client.post(PAGE, {"name": name}).status_code == 302

    @pytest.mark.parametrize("nonce", ["", "x", "x" * 65, "ä" * 22, "a b" * 8])
    def test_nonsense_in_the_field_is_refused(self, login, tam, nonce):
        assert login(tam).post(PAGE, {"name": "A", "once": nonce}).status_code == 400

    def test_programs_and_forms_do_not_share_keys(self, tam):
        client = client_of(tam)
        post(client, {"name": "A"}, key=NONCE)

        assert client.post(PAGE, {"name": "B", "once": NONCE}).status_code == 302


def test_a_reload_of_a_new_token_makes_no_second_one(login, tam):
    client = login(tam)
    form = client.get(NEW_TOKEN).content.decode()
    nonce = form.split('name="once" value="')[1].split('"')[0]
    typed = {"name": "Sync", "scopes": ["metrics:read"], "days": "30", "once": nonce}
    made = client.post(NEW_TOKEN, typed).content.decode()

    again = client.post(NEW_TOKEN, typed)

    page = again.content.decode()
    assert "keel_" in made
    assert (again.status_code, "keel_" in page) == (200, False)
    assert "This token was already shown" in page
    assert ApiToken.objects.count() == 1
    row = IdempotencyKey.objects.get()
    assert b"keel_" not in bytes(row.body)
    assert "no-store" in again.headers["Cache-Control"]


def test_each_form_has_a_field_of_its_own(login, tam):
    pages = {login(tam).get(NEW_TOKEN).content.decode().split('name="once"')[1][:40] for _ in "ab"}

    assert len(pages) == 2


def test_keys_are_forgotten_by_the_clock(db):
    from people.tasks import forget_old_keys  # noqa: PLC0415

    row, _ = claim(Request("user:1", str(uuid.uuid4()), "POST", "/", "d"))
    IdempotencyKey.objects.update(created_at=timezone.now() - dt.timedelta(days=2))

    forget_old_keys()

    assert not IdempotencyKey.objects.filter(pk=row.pk).exists()


def test_the_browser_needs_the_csrf_token_all_the_same(tam):
    client = Client(enforce_csrf_checks=True)
    client.force_login(tam)

    assert client.post(NEW_TOKEN, {"once": NONCE}).status_code == 403
