"""Business time: the hours in which the company works, between moments and after them.

Hours are local: a working day is as long as the clocks on the wall say it is, also on the days
on which they change. All sums are exact, so times add up.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

Span = tuple[dt.datetime, dt.datetime]
# From when to when on each day of the week that has hours; 0 is Monday.
Week = Mapping[int, tuple[dt.time, dt.time]]
# What would be further ahead than that is answered with the end of the last day looked at.
MOST_DAYS = 3_660
NO_TIME = dt.timedelta(0)
A_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Calendar:
    """When the company works. `weeks` are the hours and since which day, the oldest first."""

    weeks: Sequence[tuple[dt.date, Week]]
    holidays: Collection[dt.date]
    zone: ZoneInfo
    _spans: dict[dt.date, Span | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def week_of(self, day: dt.date) -> Week:
        """Return the hours in force on the day; before all of them, the oldest."""
        in_force = [week for since, week in self.weeks if since <= day]
        return in_force[-1] if in_force else self.weeks[0][1] if self.weeks else {}

    def is_business_day(self, day: dt.date) -> bool:
        return day not in self.holidays and day.weekday() in self.week_of(day)

    def span_of(self, day: dt.date) -> Span | None:
        """Return when work begins and ends on the day, in UTC; None where nobody works."""
        if day not in self._spans:
            self._spans[day] = self._span_of(day)
        return self._spans[day]

    def time_between(
        self, start: dt.datetime, end: dt.datetime, pauses: Iterable[Span] = ()
    ) -> dt.timedelta:
        """Return the business time from one moment to a later one, without the pauses."""
        return sum((b - a for a, b in self._open(start, end, pauses)), NO_TIME)

    def moment_after(
        self, start: dt.datetime, time: dt.timedelta, pauses: Iterable[Span] = ()
    ) -> dt.datetime:
        """Return the first moment at which that much business time has passed."""
        if time <= NO_TIME:
            return start
        end = start + MOST_DAYS * A_DAY
        for a, b in self._open(start, end, pauses):
            if b - a >= time:
                return a + time
            time -= b - a
        return end

    def day_after(self, day: dt.date, count: int) -> dt.date:
        """Return the business day so many business days after the day.

        None after it is the day itself, or the first business day after a day off.
        """
        left = count
        for ahead in range(MOST_DAYS):
            found = day + ahead * A_DAY
            if self.is_business_day(found):
                left -= ahead > 0
                if left <= 0:
                    return found
        return day + MOST_DAYS * A_DAY

    def local_day(self, moment: dt.datetime) -> dt.date:
        return moment.astimezone(self.zone).date()

    def _span_of(self, day: dt.date) -> Span | None:
        if not self.is_business_day(day):
            return None
        opens, closes = self.week_of(day)[day.weekday()]
        # A day ends where the next begins, also where the clocks jump over its end.
        start = self._moment(day, opens)
        end = min(self._moment(day, closes), self._moment(day + A_DAY, dt.time(0)))
        return (start, end) if start < end else None

    def _moment(self, day: dt.date, time: dt.time) -> dt.datetime:
        return dt.datetime.combine(day, time, self.zone).astimezone(dt.UTC)

    def _open(self, start: dt.datetime, end: dt.datetime, pauses: Iterable[Span]) -> Iterator[Span]:
        """Yield the stretches of business time between two moments, in their order."""
        paused = _merged(pauses)
        day, last = self.local_day(start), self.local_day(end)
        while start < end and day <= last:
            if span := self.span_of(day):
                yield from _without(max(span[0], start), min(span[1], end), paused)
            day += A_DAY


def _merged(pauses: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(pauses):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    return merged


def _without(start: dt.datetime, end: dt.datetime, pauses: list[Span]) -> Iterator[Span]:
    for paused, resumed in pauses:
        if resumed <= start:
            continue
        if paused >= end:
            break
        if start < paused:
            yield start, paused
        start = resumed
    if start < end:
        yield start, end
