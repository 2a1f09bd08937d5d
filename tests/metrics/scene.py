"""A stage for tests of the numbers: facts learned at given moments, runs computed at others."""

import datetime as dt

from accounts.models import Company
from config.lib.versions import pretend_known_at
from metrics.selectors import runs
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


def number_on(on):
    run = runs.run_on(SLUG, day(on))
    return run and (run.numerator, run.denominator)
