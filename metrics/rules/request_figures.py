"""The key figures of service requests, each over a window of days that ends with the day.

A day is told by what had happened until its end: requests move on, but a day that is computed
again says the same, unless a fact of it was entered late. See docs/metric.md.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from engagements.rules.business_time import Calendar
from engagements.rules.clocks import Attainment, Clock, Course, Pauses, judged, pauses_until

HOUR, TICK = dt.timedelta(hours=1), dt.timedelta.resolution
DELIVERED = "delivered"
# Where a percentile falls between two, it is the upper one.
PERCENTILE = 90
# What stands for a part that has no owner, impact or reason.
NONE = ""
Groups = Mapping[str, Sequence["Part"]]


@dataclass(frozen=True)
class Policy:
    """The parameters of these definitions."""

    window_days: int = 90
    # So many finished days are computed again where a fact of them came late.
    reopen_days: int = 35


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is known of a request: moments, and what was decided when."""

    id: int
    submitted_at: dt.datetime
    routed_at: dt.datetime | None = None
    signed_off_at: dt.datetime | None = None
    triaged_at: dt.datetime | None = None
    declined_at: dt.datetime | None = None
    # The code of the reason for which it was declined.
    reason: str = ""
    impact: int | None = None
    # Who was made its owner, and when; the last one stands.
    owners: Sequence[tuple[dt.datetime, str]] = ()
    # When it was delivered, and when it went back to work or on; the last one stands.
    deliveries: Sequence[tuple[dt.datetime, bool]] = ()
    # While it waited for an answer or was on hold.
    waits: Pauses = ()
    courses: Sequence[Course] = ()

    def owner_at(self, at: dt.datetime) -> str:
        return _last(self.owners, at, default=NONE)

    def impact_at(self, at: dt.datetime) -> str:
        """Return its impact from triage on; what was thought before is no decision."""
        is_triaged = self.triaged_at is not None and self.triaged_at <= at
        return str(self.impact) if is_triaged and self.impact else NONE

    def delivered_by(self, at: dt.datetime) -> dt.datetime | None:
        """Return when it was delivered, by what was known at the moment."""
        until = [each for each in self.deliveries if each[0] <= at]
        moment, is_delivered = until[-1] if until else (at, False)
        return moment if is_delivered else None


@dataclass(frozen=True)
class Window:
    """The days that a figure looks at, as the company's clocks cut them."""

    day: dt.date
    start: dt.datetime
    # What had happened up to here counts.
    end: dt.datetime
    is_over: bool
    calendar: Calendar

    def holds(self, moment: dt.datetime | None) -> bool:
        return moment is not None and self.start <= moment < self.end

    @property
    def last(self) -> dt.datetime:
        return self.end - dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class Part:
    """The figure of the requests of one owner, impact or reason; `key` is "" for none."""

    key: str
    numerator: int | None
    denominator: int | None
    value: Fraction | None


@dataclass(frozen=True)
class Figure:
    """What a definition comes to for a day."""

    numerator: int | None
    denominator: int | None
    value: Fraction | None
    # Of durations the 90th percentile; of shares what it could come to.
    percentile: Fraction | None = None
    low: Fraction | None = None
    high: Fraction | None = None
    running: int | None = None
    by: Groups = field(default_factory=dict)
    # All that it used, for the digest.
    told: tuple[object, ...] = ()


@dataclass(frozen=True)
class _Took:
    """How long it took one request, and what it is grouped by."""

    hours: Fraction
    groups: Mapping[str, str]


class Book:
    """The requests, and what was worked out of them already."""

    def __init__(self, requests: Sequence[Request]) -> None:
        self.requests = requests
        self._worked: dict[tuple[int, dt.datetime, dt.datetime], dt.timedelta] = {}
        self._judged: dict[tuple[int, str, dt.datetime], Clock] = {}

    def worked(self, request: Request, end: dt.datetime, calendar: Calendar) -> dt.timedelta:
        """Return the business time from submitted to a moment, without the waits."""
        key = (request.id, request.submitted_at, end)
        if key not in self._worked:
            pauses = pauses_until(request.waits, end)
            self._worked[key] = calendar.time_between(request.submitted_at, end, pauses)
        return self._worked[key]

    def clocks(self, window: Window) -> Iterable[tuple[Request, Clock]]:
        """Yield the clocks that ended in the window or run at its end."""
        for request in self.requests:
            for course in request.courses:
                if course.started_at < window.end:
                    clock = self._clock(request, course, window)
                    if clock.is_running or window.holds(clock.ended_at):
                        yield request, clock

    def _clock(self, request: Request, course: Course, window: Window) -> Clock:
        if course.name == DELIVERED:
            course = replace(course, ended_at=request.delivered_by(window.last))
        ended_at = course.ended_at or course.gave_up_at
        if ended_at is None or ended_at >= window.end:
            return judged(course, window.calendar, at=window.last)
        key = (request.id, course.name, ended_at)
        if key not in self._judged:
            self._judged[key] = judged(course, window.calendar, at=window.last)
        return self._judged[key]


Rule = Callable[[Book, Window], Figure]


def time_to_routed(book: Book, window: Window) -> Figure:
    return _durations(book, window, lambda request: request.routed_at)


def time_to_signed_off(book: Book, window: Window) -> Figure:
    return _durations(book, window, lambda request: request.signed_off_at)


def time_to_delivered(book: Book, window: Window) -> Figure:
    return _durations(book, window, lambda request: request.delivered_by(window.last))


def sla_attainment(book: Book, window: Window) -> Figure:
    """The share of clocks that met their level, of those decided."""
    groups: dict[str, dict[str, list[Clock]]] = {
        name: defaultdict(list) for name in ("clock", "owner", "impact")
    }
    told, every = [], []
    for request, clock in book.clocks(window):
        every.append(clock)
        keys = {"clock": clock.name, **_groups(request, window)}
        for name, key in keys.items():
            groups[name][key].append(clock)
        told.append((request.id, sorted(keys.items()), clock.allowed, *_told(clock)))
    whole = Attainment.of(every)
    return Figure(
        numerator=whole.met if whole.decided else None,
        denominator=whole.decided if whole.decided else None,
        value=whole.value,
        low=whole.low,
        high=whole.high,
        running=whole.running,
        by={
            name: [_attained(key, clocks) for key, clocks in sorted(found.items())]
            for name, found in groups.items()
        },
        told=tuple(told),
    )


def declined(book: Book, window: Window) -> Figure:
    """The share declined of the requests that were declined or triaged."""
    decided = [
        (request, window.holds(request.declined_at))
        for request in book.requests
        if window.holds(request.declined_at)
        or (window.holds(request.triaged_at) and not _was(request.declined_at, window))
    ]
    count = len(decided)
    reasons: dict[str, int] = defaultdict(int)
    for request, is_declined in decided:
        if is_declined:
            reasons[request.reason] += 1
    owners: dict[str, list[bool]] = defaultdict(list)
    for request, is_declined in decided:
        owners[request.owner_at(window.last)].append(is_declined)
    total = sum(reasons.values())
    return Figure(
        numerator=total if count else None,
        denominator=count or None,
        value=Fraction(total, count) if count else None,
        by={
            "reason": [
                Part(key, number, count, Fraction(number, count))
                for key, number in sorted(reasons.items())
            ],
            "owner": [
                Part(key, sum(each), len(each), Fraction(sum(each), len(each)))
                for key, each in sorted(owners.items())
            ],
        },
        told=tuple(
            (request.id, is_declined, request.reason if is_declined else "",
             request.owner_at(window.last))
            for request, is_declined in decided
        ),
    )  # fmt: skip


def by_owner(book: Book, window: Window) -> Figure:
    """How many requests were submitted, by whom they belong to."""
    found = [
        (request, request.owner_at(window.last))
        for request in book.requests
        if window.holds(request.submitted_at)
    ]
    owners: dict[str, int] = defaultdict(int)
    for _, owner in found:
        owners[owner] += 1
    return Figure(
        numerator=None,
        denominator=None,
        value=Fraction(len(found)),
        by={
            "owner": [
                Part(key, None, None, Fraction(number)) for key, number in sorted(owners.items())
            ]
        },
        told=tuple((request.id, owner) for request, owner in found),
    )


def median(values: Sequence[Fraction]) -> Fraction | None:
    """Return the middle one, or the mean of the two in the middle."""
    if not values:
        return None
    ordered, half = sorted(values), len(values) // 2
    if len(values) % 2:
        return ordered[half]
    return (ordered[half - 1] + ordered[half]) / 2


def percentile(values: Sequence[Fraction]) -> Fraction | None:
    """Return the smallest one that nine tenths do not exceed."""
    if not values:
        return None
    place = -(-PERCENTILE * len(values) // 100)
    return sorted(values)[place - 1]


def _durations(
    book: Book, window: Window, end_of: Callable[[Request], dt.datetime | None]
) -> Figure:
    told, took = [], []
    for request in book.requests:
        end = end_of(request)
        if end is None or not window.holds(end):
            continue
        time = book.worked(request, end, window.calendar)
        groups = _groups(request, window)
        took.append(_Took(Fraction(time // TICK, HOUR // TICK), groups))
        told.append((request.id, request.submitted_at, end, time, sorted(groups.items())))
    hours = [each.hours for each in took]
    return Figure(
        numerator=None,
        denominator=len(hours),
        value=median(hours),
        percentile=percentile(hours),
        by={name: _parts_of(took, name) for name in ("owner", "impact")},
        told=tuple(told),
    )


def _parts_of(took: Sequence[_Took], name: str) -> list[Part]:
    found: dict[str, list[Fraction]] = defaultdict(list)
    for each in took:
        found[each.groups[name]].append(each.hours)
    return [Part(key, None, len(hours), median(hours)) for key, hours in sorted(found.items())]


def _groups(request: Request, window: Window) -> dict[str, str]:
    return {"owner": request.owner_at(window.last), "impact": request.impact_at(window.last)}


def _attained(key: str, clocks: Sequence[Clock]) -> Part:
    got = Attainment.of(clocks)
    if not got.decided:
        return Part(key, None, None, None)
    return Part(key, got.met, got.decided, got.value)


def _told(clock: Clock) -> tuple[object, ...]:
    """Say of a clock what counts: of one that runs, only whether its time is over."""
    if clock.is_running:
        return clock.started_at, clock.is_late
    return clock.started_at, clock.ended_at, clock.used, str(clock.standing)


def _was(moment: dt.datetime | None, window: Window) -> bool:
    return moment is not None and moment < window.end


def _last(told: Sequence[tuple[dt.datetime, str]], at: dt.datetime, *, default: str) -> str:
    until = [value for moment, value in told if moment <= at]
    return until[-1] if until else default


RULES: Mapping[str, Rule] = {
    "request-time-to-routed": time_to_routed,
    "request-time-to-signed-off": time_to_signed_off,
    "request-time-to-delivered": time_to_delivered,
    "request-sla-attainment": sla_attainment,
    "requests-declined": declined,
    "requests-by-owner": by_owner,
}
