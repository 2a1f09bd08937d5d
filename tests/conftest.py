"""Fixtures for every test: people with roles, clients signed in as them, the database role."""

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from events.services import acting_token
from people import services as people_services
from people.models import Role, Scope
from tests import sharing
from tests.factories import UserFactory
from tests.stock import restock


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(specs):
    sharing.part_brokers(specs)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return sharing.scheduler(config, log)


@pytest.fixture(autouse=True)
def _quick_and_quiet(settings, monkeypatch):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    monkeypatch.setattr("events.outbox.ring", lambda *_: None)
    # What the last request of the test before left behind; the next one would clear it.
    acting_token.set("")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        call_command("grant_app_role", verbosity=0)
        # A database kept from another run was emptied by that run's last test with commits.
        restock()
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        # A server's thread may still be closing its connection, and the database goes next.
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture(autouse=True)
def _as_the_application(request):
    """Let the test work under the application's database role, so that a missing right shows.

    Not where a test has the database with real commits, nor where it is marked `as_owner`.
    """
    marker = request.node.get_closest_marker("django_db")
    names = request.fixturenames
    if request.node.get_closest_marker("as_owner") or not (marker or "db" in names):
        return
    if "transactional_db" in names or "live_server" in names or _is_transactional(marker):
        return
    request.getfixturevalue("db")
    become_the_application()


def become_the_application():
    """Until the end of the transaction, where there is the role."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regrole(quote_ident(%s)) IS NOT NULL", [settings.APP_DB_ROLE])
        if cursor.fetchone()[0]:
            cursor.execute(f"SET LOCAL ROLE {connection.ops.quote_name(settings.APP_DB_ROLE)}")


@pytest.fixture(autouse=True)
def _restocked(request):
    """Put back what migrations ship, which a test with real commits finds flushed away."""
    names = request.fixturenames
    marker = request.node.get_closest_marker("django_db")
    if "transactional_db" in names or "live_server" in names or _is_transactional(marker):
        request.getfixturevalue("transactional_db")
        restock()


def _is_transactional(marker) -> bool:
    return bool(marker and marker.kwargs.get("transaction"))


@pytest.fixture
def person(db):
    """Make people: `person("tam", "csm", name="Ada")`."""

    def make(*roles, **fields):
        return UserFactory(roles=roles, **fields)

    return make


def _person_with(role):
    @pytest.fixture(name=role)
    def fixture(person):
        return person(role, name=Role(role).label, email=f"{role}@keel.example")

    return fixture


for _role in Role.values:
    globals()[_role] = _person_with(_role)


@pytest.fixture
def without_role(person):
    return person(name="Newcomer")


@pytest.fixture
def login():
    """Return a browser's client signed in as the person given."""

    def sign_in(user):
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def api_client():
    """Return an API client with a token of the person: `api_client(tam, "metrics:read")`.

    Without scopes the token has all; without a person nobody is signed in.
    """

    def make(user=None, *scopes):
        client = APIClient()
        if user is not None:
            _, secret = people_services.create_token(
                owner=user,
                name="Tests",
                scopes=scopes or Scope.values,
                days=30,
                by=user,
                at=timezone.now(),
            )
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        return client

    return make


@pytest.fixture
def clean_cache(db):
    cache.clear()
    yield
    cache.clear()
