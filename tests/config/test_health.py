import pytest
from django.db import connections

from config import pages


@pytest.fixture(autouse=True)
def nothing_remembered():
    pages.require_all_migrations.cache_clear()
    yield
    pages.require_all_migrations.cache_clear()


@pytest.fixture
def database_is_down(monkeypatch):
    """A server that refuses connections: the real one stays untouched for the other tests."""
    database = connections["default"]
    monkeypatch.setitem(database.settings_dict, "PORT", "1")
    monkeypatch.setitem(database.settings_dict, "HOST", "127.0.0.1")
    database.close()
    yield
    database.close()


def test_livez_asks_nobody(client, database_is_down, settings):
    settings.BROKER_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/livez")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("page", ["/livez", "/readyz"])
@pytest.mark.django_db
def test_a_probe_needs_neither_host_nor_https_nor_sign_in(client, settings, page):
    settings.ALLOWED_HOSTS = ["keel.example.com"]
    settings.SECURE_SSL_REDIRECT = True
    answer = client.get(page, headers={"host": "10.1.2.3:8000"})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert not answer.cookies


@pytest.mark.django_db
def test_readyz_when_all_is_well(client):
    answer = client.get("/readyz")
    assert answer.json() == {"status": "ok", "database": "ok", "broker": "ok"}


@pytest.mark.django_db
def test_readyz_costs_one_query_once_the_migrations_are_known(client, django_assert_num_queries):
    client.get("/readyz")
    with django_assert_num_queries(1):
        client.get("/readyz")


@pytest.mark.django_db
def test_a_broker_that_is_down_only_degrades(client, settings):
    settings.BROKER_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "degraded", "database": "ok", "broker": "down"}


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_down_is_503_with_a_time_to_ask_again(client, database_is_down):
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "down"
    assert answer.headers["Retry-After"] == "5"


@pytest.mark.as_owner
@pytest.mark.django_db
def test_missing_migrations_are_not_ready(client):
    with connections["default"].cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "migrations missing"


@pytest.mark.as_owner
@pytest.mark.django_db
def test_in_production_a_role_that_may_change_the_log_is_not_ready(client, settings):
    settings.MODE = "production"
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["database"]) == (503, "role unsafe")
