"""How many days people have to give, and whether what is planned fits. Sums are exact."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from config.lib.ui.formats import days_between_text
from config.lib.ui.formats import days_number as days_number  # noqa: PLC0414 others take it here

NO_DAYS = Decimal(0)
TENTH = Decimal("0.1")
A_DAY = dt.timedelta(days=1)
A_WEEK = dt.timedelta(days=7)
# Days of project work are counted in weeks of five working days.
FULL_WEEK = Decimal(5)


@dataclass(frozen=True)
class Span:
    """Days from `start` to `end`, both included; null: no end."""

    start: dt.date
    end: dt.date | None

    def covers(self, day: dt.date) -> bool:
        return self.start <= day and (self.end is None or day <= self.end)

    def meets(self, other: "Span") -> bool:
        begins_before = other.end is None or self.start <= other.end
        return begins_before and (self.end is None or other.start <= self.end)


@dataclass(frozen=True)
class Part:
    """A person's part in a team: days of project work in a week, while `span` lasts."""

    days_a_week: Decimal
    span: Span


@dataclass(frozen=True)
class Time:
    """What a person has to give in some days."""

    # Working days as a member, and how many of them the person is away.
    working: int
    off: int
    available: Decimal


@dataclass(frozen=True)
class Load:
    """What a person has to give, and what is planned of it."""

    available: Decimal
    hard: Decimal = NO_DAYS
    soft: Decimal = NO_DAYS

    @property
    def planned(self) -> Decimal:
        return self.hard + self.soft

    @property
    def free(self) -> Decimal:
        """Days still to be had; below zero where too many are planned."""
        return self.available - self.hard - self.soft

    @property
    def over(self) -> Decimal:
        return max(NO_DAYS, -self.free)

    @property
    def is_broken(self) -> bool:
        """Whether what is promised alone does not fit."""
        return self.hard > self.available

    def __add__(self, other: "Load") -> "Load":
        return Load(
            self.available + other.available, self.hard + other.hard, self.soft + other.soft
        )


def working_days(
    is_business_day: Callable[[dt.date], bool], start: dt.date, end: dt.date
) -> tuple[dt.date, ...]:
    """Return the days the company works, from `start` to `end`, both included."""
    days = (start + ahead * A_DAY for ahead in range((end - start).days + 1))
    return tuple(day for day in days if is_business_day(day))


def time_in(days: Sequence[dt.date], parts: Iterable[Part], away: Iterable[Span]) -> Time:
    """Return what a person has to give in these working days."""
    parts, away = tuple(parts), tuple(away)
    working = off = 0
    available = NO_DAYS
    for day in days:
        share = sum((part.days_a_week for part in parts if part.span.covers(day)), NO_DAYS)
        if not share:
            continue
        working += 1
        if any(span.covers(day) for span in away):
            off += 1
        else:
            available += share / FULL_WEEK
    return Time(working, off, available)


def is_away_throughout(time: Time) -> bool:
    return time.working > 0 and time.off == time.working


def in_parts(days: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Split days by weights, exactly; evenly where no weight is above zero."""
    weights = [max(weight, NO_DAYS) for weight in weights]
    whole = sum(weights, NO_DAYS)
    if not whole:
        weights, whole = [Decimal(1)] * len(weights), Decimal(len(weights) or 1)
    return [days * weight / whole for weight in weights]


def in_tenths(days: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Split days by weights into tenths that add up; who comes first gets the odd one."""
    exact = in_parts(days, weights)
    parts = [part.quantize(TENTH, ROUND_DOWN) for part in exact]
    left = int((days - sum(parts, NO_DAYS)).quantize(TENTH, ROUND_HALF_UP) / TENTH)
    by_rest = sorted(range(len(parts)), key=lambda place: (parts[place] - exact[place], place))
    for place in by_rest[:left]:
        parts[place] += TENTH
    return parts


def weeks_from(day: dt.date, count: int) -> list[Span]:
    """Return so many weeks, Monday to Sunday, from that of the day on."""
    monday = day - day.weekday() * A_DAY
    starts = (monday + ahead * A_WEEK for ahead in range(count))
    return [Span(start, start + 6 * A_DAY) for start in starts]


def slots(
    first: dt.date, weeks: int, until: dt.date, taken: Iterable[Span]
) -> list[tuple[dt.date, dt.date]]:
    """Return the free slots of so many weeks, from the Monday on, that begin by `until`."""
    taken = tuple(taken)
    found = []
    start = first - first.weekday() * A_DAY
    while start <= until:
        slot = Span(start, start + weeks * A_WEEK - A_DAY)
        if any(slot.meets(other) for other in taken):
            start += A_WEEK
        else:
            found.append((start, start + weeks * A_WEEK - A_DAY))
            start += weeks * A_WEEK
    return found


def days_words(days: Decimal, kind: str = "") -> str:
    """ "1 day", "3.5 hard days"."""
    number = days_number(days)
    noun = "day" if number == "1" else "days"
    return " ".join(filter(None, [number, kind, noun]))


def conflict_words(
    name: str, increment: str, load: Load, *, away: Sequence[Span], is_member: bool
) -> str:
    """Say why what is planned for a person in an increment does not fit; "" where it does."""
    if not load.over:
        return ""
    planned = days_words(load.hard, "hard") if load.hard else ""
    if load.soft:
        soft = f"{days_number(load.soft)} soft"
        planned = f"{planned} and {soft}" if planned else days_words(load.soft, "soft")
    if not is_member:
        return f"{name} is not in the team in {increment} and has {planned} there."
    has = f"{planned} in {increment}, with {days_words(load.available)} to give."
    if not away:
        return f"{name} has {has}"
    # Spans of absences that go on for ever do not occur; the end is there for the type.
    stretches = " and ".join(days_between_text(span.start, span.end or span.start) for span in away)
    return f"{name} is away {stretches} and has {has}"
