"""What the database refuses, whoever writes: by SQL, past every service."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction

from tests.factories import (
    AccountFactory,
    AssignmentFactory,
    ExchangeRateFactory,
    InstanceFactory,
    SeatReadingFactory,
    SubscriptionFactory,
    TierFactory,
)

pytestmark = pytest.mark.django_db


def refused(statement, *parameters):
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


@pytest.mark.parametrize(
    "change",
    [
        "arr = 'NaN'", "arr = -1", "arr = 1e12", "tcv = 'NaN', arr = NULL", "seats = -1",
        '"end" = start', '"end" = start - 1', "tcv = 1", "tcv = 1, arr = NULL", "kind = 'gift'",
        "currency = 'usd'", "currency = 'US'", "external_id = ''", "source = ''",
        "account_id = NULL",
    ],
)  # fmt: skip
def test_e07_a_subscription(change):
    found = SubscriptionFactory()

    refused(f"UPDATE accounts_subscription SET {change} WHERE id = %s", found.pk)


@pytest.mark.parametrize(
    "change",
    [
        "status = 'churned'", "status = 'friend'", "name = ''", "parent_id = id",
        "currency = 'usd'", "external_id = ''",
    ],
)  # fmt: skip
def test_an_account(change):
    found = AccountFactory()

    refused(f"UPDATE accounts_account SET {change} WHERE id = %s", found.pk)


@pytest.mark.parametrize("change", ["rate = 'NaN'", "rate = 0", "rate = -1", "currency = 'e'"])
def test_an_exchange_rate(change):
    found = ExchangeRateFactory()

    refused(f"UPDATE accounts_exchangerate SET {change} WHERE id = %s", found.pk)


@pytest.mark.parametrize("change", ["arr_from = 'NaN'", "arr_from = -1", '"end" = start'])
def test_a_tier(change):
    found = TierFactory()

    refused(f"UPDATE accounts_tier SET {change} WHERE id = %s", found.pk)


@pytest.mark.parametrize(("seats", "active"), [(-1, None), (1, -1), (None, None)])
def test_a_reading(seats, active):
    found = SeatReadingFactory()

    refused(
        "INSERT INTO accounts_seatreading (instance_id, observed_at, source, seats, monthly_active)"
        " VALUES (%s, %s, 'other', %s, %s)",
        found.instance_id,
        found.observed_at,
        seats,
        active,
    )


def test_one_reading_of_an_instance_a_moment_and_a_source_is_known():
    found = SeatReadingFactory()

    refused(
        "INSERT INTO accounts_seatreading (instance_id, observed_at, source, seats, known_from)"
        " VALUES (%s, %s, %s, 1, now() + interval '1 day')",
        found.instance_id,
        found.observed_at,
        found.source,
    )


def test_a_reading_cannot_be_unknown_before_it_was_known():
    found = SeatReadingFactory()

    refused(
        "UPDATE accounts_seatreading SET known_to = known_from WHERE instance_id = %s",
        found.instance_id,
    )


@pytest.mark.parametrize("table", ["account", "subscription", "instance", "contact"])
def test_one_fact_of_an_outer_id(table):
    account = AccountFactory(external_id="same")
    SubscriptionFactory(account=account, external_id="same")
    InstanceFactory(account=account, external_id="same")
    values = {
        "account": ("name, status, internal, archived, region, segment, currency, strategic",
                    "'x', 'customer', false, false, '', '', 'USD', false"),
        "subscription": ("account_id, product, kind, unlimited, currency, start",
                         f"{account.pk}, '', 'paid', false, 'USD', '2026-01-01'"),
        "instance": ("account_id, name, environment, counted, is_default",
                     f"{account.pk}, 'x', '', true, false"),
        "contact": ("account_id, name, email, title, roles", f"{account.pk}, 'x', '', '', '{{}}'"),
    }[table]  # fmt: skip
    insert = (
        f"INSERT INTO accounts_{table} (version, source, external_id, {values[0]})"
        f" VALUES (1, 'import', 'same', {values[1]})"
    )
    if table == "contact":
        with connection.cursor() as cursor:
            cursor.execute(insert)

    refused(insert)


def test_an_account_has_one_default_instance():
    found = InstanceFactory(is_default=True)
    other = InstanceFactory(account=found.account)

    refused("UPDATE accounts_instance SET is_default = true WHERE id = %s", other.pk)


def test_primaries_do_not_overlap_and_may_meet():
    found = AssignmentFactory(start=dt.date(2026, 1, 1), end=dt.date(2026, 2, 1))
    AssignmentFactory(account=found.account, start=dt.date(2026, 2, 1))
    beside = AssignmentFactory(account=found.account, start=dt.date(2026, 1, 5), primary=False)

    refused('UPDATE accounts_assignment SET "primary" = true WHERE id = %s', beside.pk)
    refused('UPDATE accounts_assignment SET "end" = start WHERE id = %s', found.pk)
    refused("UPDATE accounts_assignment SET role = 'XYZ' WHERE id = %s", found.pk)
