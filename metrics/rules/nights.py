"""Which nights are to be computed, worked out from the clock and from what was computed."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from metrics.rules.seats_deployed import start_of


@dataclass(frozen=True, slots=True)
class Term:
    """From which day on a number is wanted, and up to, not including, which."""

    start: dt.date
    end: dt.date | None = None


def missing_days(
    known: Mapping[dt.date, dt.datetime],
    *,
    now: dt.datetime,
    zone: ZoneInfo,
    most: int,
    term: Term,
) -> list[dt.date]:
    """Return the finished days that no run knew the whole of, oldest first.

    `known` says for each day computed up to when its newest run knew the facts. Looks back at
    most `most` days and never before the first day computed; an empty ledger misses yesterday,
    and the days before it only where the number began lately.
    """
    last = now.astimezone(zone).date() - dt.timedelta(days=1)
    floor = last - dt.timedelta(days=most - 1)
    begun = min(known, default=term.start if term.start >= floor else last)
    first = max(begun, floor)
    if term.end is not None:
        last = min(last, term.end - dt.timedelta(days=1))
    days = (first + dt.timedelta(days=i) for i in range((last - first).days + 1))
    return [
        day
        for day in days
        if day not in known or known[day] < start_of(day + dt.timedelta(days=1), zone)
    ]
