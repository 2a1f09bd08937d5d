"""How many requests pass, that never more do, and what is answered beside them."""

import re
import socket
import threading
import uuid

import pytest
import redis
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient, APIRequestFactory

from config.lib.rates import Rate, parse_rates
from people import services, throttling
from people.models import Role
from people.throttling import Counters
from tests.factories import UserFactory

ME = "/api/v1/me/"
TOKENS = "/api/v1/tokens/"
FILES = "/api/v1/files/"
BULK = "/api/v1/things/bulk/"
NOBODY_LISTENS = "redis://127.0.0.1:1/0"


@pytest.fixture
def rates(settings):
    """Set the rates of this test, counted apart from every other one."""

    def put(url="memory://", **most):
        settings.API_RATES_STORAGE = url
        settings.API_RATES = dict.fromkeys(settings.API_RATES, Rate(1_000_000, 60)) | {
            kind: Rate(number, 60) for kind, number in most.items()
        }
        throttling.counters.cache_clear()

    yield put
    throttling.counters.cache_clear()


@pytest.fixture
def valkey():
    url = django_settings.BROKER_URL
    redis.from_url(url).ping()
    return url


def limit_of(answer, header="RateLimit"):
    kind, *parameters = answer.headers[header].split(";")
    return kind.strip('"'), {name: int(value) for name, value in (p.split("=") for p in parameters)}


def test_every_answer_says_what_is_left(rates, api_client, tam):
    rates(read=3)
    client = api_client(tam)

    answers = [client.get(ME) for _ in range(3)]

    assert limit_of(answers[0], "RateLimit-Policy") == ("read", {"q": 3, "w": 60})
    assert [limit_of(answer)[1]["r"] for answer in answers] == [2, 1, 0]
    assert all(1 <= limit_of(answer)[1]["t"] <= 60 for answer in answers)


def test_beyond_the_limit_it_is_429_with_when_to_come_back(rates, api_client, tam):
    rates(read=1)
    client = api_client(tam)
    client.get(ME)

    refused = client.get(ME)

    assert refused.status_code == 429
    assert refused.headers["Content-Type"] == "application/problem+json"
    body = refused.json()
    assert body["code"] == "too_many_requests"
    assert re.search(r"More than 1 a minute of the kind “read” from this token\.", body["detail"])
    assert int(refused.headers["Retry-After"]) == limit_of(refused)[1]["t"]
    assert limit_of(refused)[1]["r"] == 0


def test_errors_carry_the_limit_too(rates, api_client, tam):
    rates()

    assert limit_of(api_client(tam).get(TOKENS, {"colour": "red"}))[0] == "read"
    assert limit_of(api_client(tam).post(ME))[0] == "write"


def test_each_token_and_person_counts_alone(rates, api_client, tam, csm):
    rates(read=1)
    session = APIClient()
    session.force_login(tam)
    clients = [api_client(tam), api_client(tam), api_client(csm), session]

    assert {client.get(ME).status_code for client in clients} == {200}
    assert {client.get(ME).status_code for client in clients} == {429}


def test_nobody_is_told_to_sign_in_however_often(rates, db):
    rates(read=1)

    assert [APIClient().get(ME).status_code for _ in range(3)] == [401] * 3


@pytest.mark.urls("tests.people.urls_keyed")
def test_kinds_count_apart(rates, api_client, tam):
    rates(**{"read": 1, "bulk": 1, "import": 1, "write": 2})
    client = api_client(tam)

    assert limit_of(client.get(TOKENS))[0] == "read"
    assert limit_of(client.get(TOKENS, {"format": "csv"}))[0] == "bulk"
    assert limit_of(client.post(FILES, {}, format="json"))[0] == "import"
    assert limit_of(client.post("/api/v1/things/", {}, format="json"))[0] == "write"
    assert client.get(TOKENS).status_code == 429
    assert client.get(TOKENS, {"format": "csv"}).status_code == 429


@pytest.mark.parametrize(
    ("method", "action", "names", "kind"),
    [
        ("GET", "list", {}, "read"),
        ("HEAD", "list", {}, "read"),
        ("PATCH", "partial_update", {}, "write"),
        ("POST", "create", {"rate": "import"}, "import"),
        ("GET", "list", {"rate": "import"}, "read"),
        ("POST", "bulk", {"rates": {"bulk": "bulk"}}, "bulk"),
        ("POST", "create", {"rates": {"bulk": "bulk"}}, "write"),
        ("GET", "heavy", {"rates": {"heavy": "bulk"}}, "bulk"),
    ],
)
def test_views_say_what_they_count_as(method, action, names, kind):
    request = APIRequestFactory().generic(method, "/")
    request.accepted_renderer = None
    view = type("View", (), {"action": action, **names})()

    assert throttling.kind_of(request, view) == kind


@pytest.mark.parametrize("storage", ["memory://", "valkey"])
def test_never_more_than_the_limit_pass_at_once(storage, request):
    url = request.getfixturevalue("valkey") if storage == "valkey" else storage
    counters, principal = Counters(url), f"token:{uuid.uuid4().hex}"
    barrier = threading.Barrier(20)
    passed = []

    def work():
        barrier.wait(10)
        passed.extend(counters.hit(Rate(30, 60), "read", principal).passes for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (passed.count(True), passed.count(False)) == (30, 70)


@pytest.mark.django_db(transaction=True)
def test_never_more_than_the_limit_are_answered_at_once(rates, valkey):
    rates(valkey, read=30)
    tam = UserFactory(roles=[Role.TAM])
    _, token = services.create_token(
        owner=tam, name="T", scopes=["account:read"], by=tam, at=timezone.now()
    )
    statuses = []

    def work():
        client = APIClient(headers={"Authorization": f"Bearer {token}"})
        try:
            statuses.extend(client.get(ME).status_code for _ in range(10))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (statuses.count(200), statuses.count(429)) == (30, 70)


def test_two_servers_count_together(valkey):
    one, other, principal = Counters(valkey), Counters(valkey), f"token:{uuid.uuid4().hex}"

    standings = [each.hit(Rate(3, 60), "read", principal) for each in (one, other, one, other)]

    assert [standing.passes for standing in standings] == [True, True, True, False]
    assert [standing.left for standing in standings] == [2, 1, 0, 0]


def test_without_valkey_each_process_counts_alone(rates, api_client, tam):
    rates(NOBODY_LISTENS, read=2)
    client = api_client(tam)

    assert [client.get(ME).status_code for _ in range(3)] == [200, 200, 429]


def test_a_valkey_that_is_away_is_left_alone_for_a_while(monkeypatch):
    counters, asked, now = Counters(NOBODY_LISTENS), [], [100.0]
    monkeypatch.setattr(throttling.time, "monotonic", lambda: now[0])
    real = throttling._hit
    monkeypatch.setattr(
        throttling, "_hit", lambda limiter, *args: asked.append(limiter) or real(limiter, *args)
    )

    for later in (0, 1, throttling.LEFT_ALONE_SECONDS + 1):
        now[0] = 100.0 + later
        assert counters.hit(Rate(9, 60), "read", "token:x").passes

    assert [limiter is counters._shared for limiter in asked] == [True, False, False, True, False]


def test_a_valkey_that_does_not_answer_is_not_waited_for(unanswering):
    assert Counters(unanswering).hit(Rate(9, 60), "read", "token:x").passes


@pytest.fixture
def unanswering():
    """The address of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


DEFAULTS = {"read": Rate(600, 60), "bulk": Rate(60, 60)}


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        ("", DEFAULTS),
        ("read=5/s", {**DEFAULTS, "read": Rate(5, 1)}),
        (" read = 5/h , bulk=1/d,", {"read": Rate(5, 3600), "bulk": Rate(1, 86_400)}),
    ],
)
def test_rates_are_read(text, rates):
    assert parse_rates(text, DEFAULTS) == rates


@pytest.mark.parametrize("text", ["read", "read=0/m", "read=-1/m", "read=5", "read=5/w", "all=5/m"])
def test_a_wrong_rate_is_named(text):
    with pytest.raises(ImproperlyConfigured, match="API_RATES"):
        parse_rates(text, DEFAULTS)


def test_rates_are_published(api_client, tam):
    schema = api_client(tam).get("/api/v1/schema/", {"format": "json"}).content.decode()

    assert "read 1000000 a minute" in schema
