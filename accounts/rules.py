"""Arithmetic over an account's own facts. Plain values in, plain values out: no Django here."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Contract(NamedTuple):
    """A paid subscription; `end` is the first day not covered."""

    start: dt.date
    end: dt.date | None
    seats: int | None
    unlimited: bool

    def runs_on(self, day: dt.date) -> bool:
        return self.start <= day and (self.end is None or day < self.end)


class Count(NamedTuple):
    """Seats read at an instance on a local day."""

    instance_id: int
    day: dt.date
    seats: int


class SeatPoint(NamedTuple):
    """None: no contract with a number of seats, no usable reading."""

    day: dt.date
    licensed: int | None
    deployed: int | None


def seat_history(
    days: Sequence[dt.date],
    contracts: Sequence[Contract],
    counts: Iterable[Count],
    *,
    stale_days: int,
) -> list[SeatPoint]:
    """Return licensed and deployed seats on each of the days, as all that is known now tells it."""
    ordered = sorted(counts, key=lambda count: count.day)
    latest: dict[int, Count] = {}
    points, at = [], 0
    for day in sorted(days):
        while at < len(ordered) and ordered[at].day <= day:
            latest[ordered[at].instance_id] = ordered[at]
            at += 1
        usable = [c.seats for c in latest.values() if (day - c.day).days <= stale_days]
        points.append(SeatPoint(day, _licensed_on(day, contracts), sum(usable) if usable else None))
    return points


def _licensed_on(day: dt.date, contracts: Sequence[Contract]) -> int | None:
    running = [contract for contract in contracts if contract.runs_on(day)]
    if not running or any(contract.unlimited for contract in running):
        return None
    return sum(contract.seats or 0 for contract in running)


class Pace(NamedTuple):
    """How many seats came in over so many weeks."""

    seats: int
    weeks: int

    def weeks_for(self, seats: int) -> int | None:
        """Return the whole weeks that many more seats take at this pace; None if it is no gain."""
        return None if self.seats <= 0 else -(-seats * self.weeks // self.seats)


def pace_of(points: Sequence[SeatPoint], *, weeks: int) -> Pace | None:
    """Return the change of deployed seats over the last weeks; points are a week apart."""
    if len(points) <= weeks:
        return None
    before, now = points[-1 - weeks].deployed, points[-1].deployed
    return None if before is None or now is None else Pace(now - before, weeks)


def seats_needed(licensed: int, share_percent: int) -> int:
    """Return the fewest deployed seats that reach the line."""
    return -(-share_percent * licensed // 100)
