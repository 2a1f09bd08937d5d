"""What is told of the demo company, fact by fact, with the moment each became known."""

import datetime as dt
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

SOURCE = "demo"
ZONE = ZoneInfo("Europe/London")
YEAR = 365
# Everything older than the first run, and known before it.
BEFORE = -100
# Contracts are told this far ahead, for a demo that is started again months later.
AHEAD = YEAR + 1100
LARGE = 600
Values = dict[str, Any]
# Share of the seats first bought, by day of the story; in between it is interpolated.
Curve = Sequence[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Told:
    """One fact as it was learned: a new row, or new values of the one with this key."""

    known: dt.datetime
    model: str
    key: str
    values: Values
    is_new: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Meter:
    """How the seats of one instance are counted, and how they develop."""

    instance: str
    seats: int
    curve: Curve
    begin: int
    every: int
    source: str
    delay: dt.timedelta
    end: int = AHEAD
    entered_by: str = ""
    # First and last day of the story whose readings arrive late, and the day they do.
    late: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Count:
    known: dt.datetime
    instance: str
    observed: dt.datetime
    source: str
    seats: int
    entered_by: str


@dataclass
class Story:
    """Day 0 is the day of the first run, day 365 the day the demo was first loaded."""

    anchor: dt.date
    size: int
    random: Random = field(default_factory=lambda: Random("keel"))  # noqa: S311
    told: list[Told] = field(default_factory=list)
    meters: list[Meter] = field(default_factory=list)
    # Why the metric owner published the held run of a day.
    confirmed: dict[dt.date, str] = field(default_factory=dict)

    @property
    def is_large(self) -> bool:
        return self.size > LARGE

    def day(self, number: int) -> dt.date:
        return self.anchor + dt.timedelta(days=number - YEAR)

    def moment(self, number: int, hour: int = 9, minute: int = 0) -> dt.datetime:
        local = dt.datetime.combine(self.day(number), dt.time(hour, minute), ZONE)
        return local.astimezone(dt.UTC)

    def tell(self, known: int, model: str, key: str, reason: str = "", **values: Any) -> None:
        self.told.append(Told(self.moment(known), model, key, values, reason=reason))

    def retell(self, known: int, model: str, key: str, reason: str = "", **values: Any) -> None:
        at = self.moment(known)
        self.told.append(Told(at, model, key, values, is_new=False, reason=reason))

    def between(self, since: dt.datetime | None, until: dt.datetime) -> list[Told]:
        """Return what became known after `since` and by `until`, in that order."""
        found = [t for t in self.told if t.known <= until and (since is None or t.known > since)]
        return sorted(found, key=lambda t: t.known)

    def late_days(self) -> set[dt.date]:
        """Return the days on which something became known of days before."""
        late = {self.day(meter.late[2]) for meter in self.meters if meter.late}
        for told in self.told:
            on = told.known.astimezone(ZONE).date()
            values = told.values
            since = values.get("start") or values.get("churned_on") or values.get("on")
            if (told.model == "subscription" and not told.is_new) or (since and since < on):
                late.add(on)
        return late

    def counts(self, since: dt.datetime | None, until: dt.datetime) -> Iterator[Count]:
        for meter in self.meters:
            yield from self._counts_of(meter, since, until)

    def _counts_of(
        self, meter: Meter, since: dt.datetime | None, until: dt.datetime
    ) -> Iterator[Count]:
        every = meter.every if not self.is_large else max(14, meter.every)
        last = min(meter.end, YEAR + (until.astimezone(ZONE).date() - self.anchor).days)
        phase = chance(meter.instance) % every
        for day in range(meter.begin, last + 1):
            if (self.day(day).toordinal() + phase) % every:
                continue
            observed = self.moment(day, 4, chance(meter.instance, "minute") % 60)
            known = observed + meter.delay
            if meter.late and meter.late[0] <= day <= meter.late[1]:
                known = self.moment(meter.late[2])
            if known > until or (since is not None and known <= since):
                continue
            seats = round(meter.seats * _share(meter, day))
            yield Count(known, meter.instance, observed, meter.source, seats, meter.entered_by)

    def rates(self) -> None:
        """Tell monthly exchange rates that wander a little; one is entered three days late."""
        for currency, first_rate, drift in (
            ("EUR", 1.085, 0.008),
            ("GBP", 1.268, 0.009),
            ("AUD", 0.655, 0.010),
        ):
            first, rate = self.day(BEFORE - 400).replace(day=1), first_rate
            while first <= self.day(AHEAD):
                number = YEAR + (first - self.anchor).days
                known = max(number, BEFORE)
                if currency == "AUD" and 120 <= number < 151:
                    known += 3
                self.tell(
                    known, "rate", f"{currency} {first}", currency=currency, on=first,
                    rate=Decimal(f"{rate:.4f}"),
                )  # fmt: skip
                rate *= 1 + (chance(currency, str(first)) % 2001 / 1000 - 1) * drift
                first = (first + dt.timedelta(days=32)).replace(day=1)


def chance(*words: str) -> int:
    """Return a number that looks random and is the same on every machine."""
    return zlib.crc32(" ".join(words).encode())


def _share(meter: Meter, day: int) -> float:
    before = meter.curve[0]
    for point in meter.curve:
        if point[0] >= day:
            break
        before = point
    else:
        point = before
    span = point[0] - before[0]
    along = (day - before[0]) / span if span > 0 else 1.0
    share = before[1] + (point[1] - before[1]) * min(max(along, 0.0), 1.0)
    wobble = (chance(meter.instance, str(day // 3)) % 2001 / 1000 - 1) * 0.008
    return max(share * (1 + wobble), 0.0)
