"""Reads from a replica: who may, and who never does. Both aliases are one database here."""

from unittest.mock import Mock

import pytest
from django.db import OperationalError, connection, connections, router
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from config.lib import replica
from tests.factories import AccountFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def with_replica(settings, monkeypatch):
    """Return the settings with a replica named, which is the same connection."""
    monkeypatch.setitem(connections.settings, replica.ALIAS, connections.settings["default"])
    connections[replica.ALIAS] = connection
    monkeypatch.setattr(replica, "_is_in_transaction", lambda: False)
    replica.forget()
    replica._begun()
    yield settings
    del connections[replica.ALIAS]
    replica.forget()


def alias_of_accounts():
    return replica.reading(Account.objects.all()).db


def lags(monkeypatch, *, seconds, has_all=False, is_replica=True):
    monkeypatch.setattr(
        replica,
        "LAG",
        f"SELECT {is_replica}, {has_all} AND %s::text <> '', {seconds}",
    )
    replica.forget()


def test_without_one_everything_is_read_where_it_is_written():
    with CaptureQueriesContext(connection) as asked:
        assert alias_of_accounts() == "default"
    assert not asked


def test_with_one_lists_are_read_there_and_asking_is_rare(with_replica):
    with CaptureQueriesContext(connection) as asked:
        assert [alias_of_accounts() for _ in range(3)] == ["replica"] * 3
    # One statement to each side, once.
    assert len(asked) == 2


def test_what_lags_is_not_read(with_replica, monkeypatch):
    with_replica.REPLICA_LAG_SECONDS = 10
    lags(monkeypatch, seconds="11")
    assert alias_of_accounts() == "default"
    lags(monkeypatch, seconds="9")
    assert alias_of_accounts() == "replica"
    # Nobody has written for an hour.
    lags(monkeypatch, seconds="3600", has_all=True)
    assert alias_of_accounts() == "replica"
    lags(monkeypatch, seconds="NULL")
    assert alias_of_accounts() == "default"


def test_what_is_away_is_not_read(with_replica, monkeypatch):
    def away(*_args, **_more):
        raise OperationalError

    connections[replica.ALIAS] = Mock(cursor=away)
    assert alias_of_accounts() == "default"


def test_who_has_written_or_is_in_a_transaction_reads_the_primary(with_replica, monkeypatch):
    replica.Router().db_for_write(Account)
    assert alias_of_accounts() == "default"
    replica._begun()
    assert alias_of_accounts() == "replica"
    monkeypatch.setattr(replica, "_is_in_transaction", lambda: True)
    assert alias_of_accounts() == "default"


def test_nothing_is_migrated_there():
    assert replica.Router().allow_migrate("replica", "accounts") is False
    assert replica.Router().allow_migrate("default", "accounts") is None


def test_a_list_of_the_api_reads_there(with_replica, api_client, tam, monkeypatch):
    AccountFactory(name="Halden")
    replica._begun()
    seen = []
    real = replica.reading
    monkeypatch.setattr(replica, "reading", lambda rows: seen.append(found := real(rows)) or found)

    answer = api_client(tam).get("/api/v1/accounts/")

    assert answer.status_code == 200
    assert [row["name"] for row in answer.json()["results"]] == ["Halden"]
    assert [rows.db for rows in seen] == ["replica"]


def test_what_was_read_there_is_written_to_the_primary(with_replica, settings):
    settings.DATABASE_ROUTERS = ["config.lib.replica.Router"]
    AccountFactory(name="Halden")
    replica._begun()
    (account,) = replica.reading(Account.objects.all())

    assert account._state.db == "replica"
    assert router.db_for_write(Account, instance=account) == "default"
    assert router.db_for_write(Account) == "default"
    assert alias_of_accounts() == "default"


@pytest.mark.parametrize(
    ("pgcode", "asked"), [("", ["replica", "default"]), ("40001", ["replica", "default"]),
                          ("57014", ["replica"])],
)  # fmt: skip
def test_what_goes_away_meanwhile_is_asked_of_the_primary(with_replica, pgcode, asked):
    seen = []

    cause = type("Cause", (Exception,), {"pgcode": pgcode})

    def breaking(rows):
        seen.append(rows.db)
        if rows.db == "replica":
            raise OperationalError from cause()
        return list(rows)

    if asked == ["replica"]:
        with pytest.raises(OperationalError):
            replica.answered(Account.objects.all(), breaking)
        assert alias_of_accounts() == "replica"
    else:
        assert replica.answered(Account.objects.all(), breaking) == []
        assert alias_of_accounts() == "default"
    assert seen == asked
