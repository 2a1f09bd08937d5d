"""A stage for tests of the numbers: facts learned at given moments, runs computed at others."""

import datetime as dt

from django.db import connection

from accounts.models import Company
from config.lib.versions import pretend_known_at
from metrics.models import MetricRun
from metrics.selectors import digests, inputs, rows, runs
from metrics.selectors.digests import digest_of
from metrics.services import staging
from metrics.services.runs import recompute
from people.models import system_user
from tests.factories import (
    AccountFactory,
    InstanceFactory,
    SeatReadingFactory,
    SubscriptionFactory,
)

SLUG = "seats-deployed"
LATER = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)


def day(text):
    """`day("03-10")` is in 2026."""
    return dt.date.fromisoformat(f"2026-{text}")


def moment(text):
    """`moment("03-10")` or `moment("03-10T12:30")`: in 2026, in UTC."""
    return dt.datetime.fromisoformat(f"2026-{text}").replace(tzinfo=dt.UTC)


def learn(at):
    """Let what follows be known from then."""
    pretend_known_at(moment(at))


def settle(zone):
    """Let the company be in this zone from the start."""
    Company.objects.all().delete()
    pretend_known_at(dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
    Company.objects.create(time_zone=zone)


def customer(seats=None, *, at="03-01T12:00", licensed=100, **values):
    """An eligible account with one instance, and with seats read there if given."""
    account = AccountFactory(**values)
    SubscriptionFactory(account=account, seats=licensed)
    instance = InstanceFactory(account=account)
    if seats is not None:
        SeatReadingFactory(instance=instance, observed_at=moment(at), seats=seats)
    return account


def read(account, seats, at, **values):
    instance = account.instances.order_by("pk").first()
    return SeatReadingFactory(instance=instance, observed_at=moment(at), seats=seats, **values)


def compute(on, known_at=None, now=LATER):
    """Compute a day by what was known the night after, or at another moment."""
    on = day(on)
    if known_at is None:
        known_at = dt.datetime.combine(on, dt.time(1), dt.UTC) + dt.timedelta(days=1)
    else:
        known_at = moment(known_at)
    return recompute(SLUG, on, by=system_user(), now=now, known_at=known_at, computed_at=known_at)


def seats_runs():
    """Every run of seats-deployed; other numbers are worked out from each of them."""
    return MetricRun.objects.filter(definition__slug=SLUG)


def number_on(on):
    run = runs.run_on(SLUG, day(on))
    return run and (run.numerator, run.denominator)


def staged_rows():
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {staging.STAGED} FROM seen ORDER BY account_id")
        return [row[:-1] for row in cursor.fetchall()]


def assert_same_by_every_way(run):
    """Statement, rules and ledger agree: row by row, in the number and in the digest."""
    at, policy = inputs.moment(run.day, run.known_at), runs.policy_of(run.definition)
    by_rules = staging.stage_by_the_rules(at, policy)
    expected = staged_rows()
    by_statement = staging.stage(at, policy)
    assert staged_rows() == expected
    assert by_statement == by_rules
    number = by_statement.number
    assert (
        run.numerator, run.denominator, run.unknown, run.covered, run.oldest_reading, run.excluded,
    ) == (
        number.numerator, number.denominator, number.unknown, number.covered,
        number.oldest_reading, number.excluded,
    )  # fmt: skip
    assert run.inputs_sum == by_statement.inputs_sum.hex
    assert run.digest == digest_of(at, policy, by_statement.inputs_sum)
    assert run.inputs_format == digests.FORMAT
    seen = rows.rows_of(run).order_by("account_id").values_list(*staging.COLUMNS)
    assert list(seen) == [row[: len(staging.COLUMNS)] for row in expected]
