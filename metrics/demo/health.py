"""How the customers of the demo company fared in its year, and what two owners said of it."""

import datetime as dt
from collections.abc import Iterator

from accounts import selectors as accounts
from accounts.models import Account
from metrics.demo.clock import morning, told
from metrics.demo.nights import TICK
from metrics.demo.story import YEAR, ZONE
from metrics.models import HealthOverride, HealthRow
from metrics.rules import start_of
from metrics.selectors import health
from metrics.selectors.runs import SEATS_DEPLOYED, newest_days
from metrics.services.health import compute_health
from metrics.services.health_overrides import end_override, override_health
from metrics.services.runs import MOST_DAYS_BACK
from people.models import User, system_user

A_DAY = dt.timedelta(days=1)
A_WEEK = 7
# The task ticks twelve minutes after the number's.
AFTER = TICK + dt.timedelta(minutes=12)
LEFT = "Their sponsor moved to another group last week, and her successor has not met us yet."
SIGNED = "The roll-out to the second site is signed and starts on Monday. The seats follow it."


def tell(*, now: dt.datetime) -> None:
    """Say a day of each week of the year and all of the last five, then the owners' words."""
    yesterday = now.astimezone(ZONE).date() - A_DAY
    for day in _days(yesterday):
        at = start_of(day + A_DAY, ZONE) + AFTER
        with told(at):
            compute_health(day=day, at=at, by=system_user())
    if not HealthOverride.objects.exists():
        _overrides(now, yesterday)


def _days(yesterday: dt.date) -> Iterator[dt.date]:
    known = newest_days(SEATS_DEPLOYED)
    for back in range(YEAR, -1, -1):
        day = yesterday - back * A_DAY
        if day in known and (back < MOST_DAYS_BACK or back % A_WEEK == 0):
            yield day


def _overrides(now: dt.datetime, yesterday: dt.date) -> None:
    best, middle, worst = health.band_names(yesterday)
    for account, owner in _owned(best, yesterday)[:1]:
        at = morning(now - 6 * A_DAY)
        with told(at):
            override_health(
                account, band=middle, reason=LEFT, until=yesterday + 45 * A_DAY, by=owner, at=at
            )
    for account, owner in _owned(worst, yesterday)[:1]:
        at = morning(now - 40 * A_DAY)
        with told(at):
            override_health(
                account, band=middle, reason=SIGNED, until=at.date() + 60 * A_DAY, by=owner, at=at
            )
        at = morning(now - 15 * A_DAY)
        with told(at):
            end_override(account, by=owner, at=at)


def _owned(band: str, today: dt.date) -> list[tuple[Account, User]]:
    """Return the accounts of the band whose primary TAM did not change of late, by key."""
    rows = HealthRow.objects.filter(to_day=None, band=band).values("account")
    found = (
        accounts.assignments_on(today - 60 * A_DAY)
        .filter(account__in=rows, role="TAM", primary=True, end=None)
        .select_related("account", "user")
        .order_by("account_id")
    )
    return [(each.account, each.user) for each in found[:20]]
