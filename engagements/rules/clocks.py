"""The clocks of service levels: how much of its time something took, and whether that was met."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from engagements.rules.business_time import NO_TIME, Calendar, Span

AT_RISK_PERCENT = 80
# From when to when a clock stands still; without an end it still does.
Pauses = Sequence[tuple[dt.datetime, dt.datetime | None]]


class Standing(StrEnum):
    MET = "met"
    MISSED = "missed"
    RUNNING = "running"
    # Four fifths of its time are used.
    AT_RISK = "at_risk"
    # What it measured will not happen any more, and its time was not over.
    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True)
class Course:
    """What is known of one clock of a request: enough to judge it at any moment."""

    # One of ServiceLevel.Clock.
    name: str
    label: str
    allowed: dt.timedelta
    started_at: dt.datetime
    ended_at: dt.datetime | None
    # When the request was over without that which the clock waits for.
    gave_up_at: dt.datetime | None
    pauses: Pauses


@dataclass(frozen=True, kw_only=True)
class Clock:
    """One clock of a request, judged at a moment."""

    name: str
    label: str
    started_at: dt.datetime
    # Null while it runs.
    ended_at: dt.datetime | None
    used: dt.timedelta
    allowed: dt.timedelta
    # When its time is over, or was; a pause still to come would move it.
    due_at: dt.datetime
    is_paused: bool
    standing: Standing

    @property
    def is_running(self) -> bool:
        return self.ended_at is None

    @property
    def is_late(self) -> bool:
        return self.is_running and self.standing == Standing.MISSED

    @property
    def left(self) -> dt.timedelta:
        """Business time left; none once it is over."""
        return max(self.allowed - self.used, NO_TIME)

    @property
    def over(self) -> dt.timedelta:
        """By how much business time it was missed, or is so far."""
        return max(self.used - self.allowed, NO_TIME)

    @property
    def tone(self) -> str:
        """How a bar shows it."""
        return {Standing.MISSED: "bad", Standing.AT_RISK: "warn"}.get(self.standing, "")

    @property
    def share_used(self) -> float:
        return min(self.used / self.allowed, 1.0)


def judged(course: Course, calendar: Calendar, *, at: dt.datetime) -> Clock:
    """Judge a clock at a moment, by what had happened until then."""
    ended_at, gave_up_at = _until(course.ended_at, at), _until(course.gave_up_at, at)
    pauses = pauses_until(course.pauses, at)
    over_at = ended_at or gave_up_at
    used = calendar.time_between(course.started_at, over_at or at, pauses)
    return Clock(
        name=course.name,
        label=course.label,
        started_at=course.started_at,
        ended_at=over_at,
        used=used,
        allowed=course.allowed,
        due_at=calendar.moment_after(course.started_at, course.allowed, pauses),
        is_paused=over_at is None
        and any(start <= at and (end is None or end > at) for start, end in course.pauses),
        standing=_standing(used, course.allowed, ended=bool(ended_at), over=bool(gave_up_at)),
    )


def pauses_until(pauses: Pauses, at: dt.datetime) -> list[Span]:
    """Return the pauses as far as they had come by the moment."""
    return [(start, min(end or at, at)) for start, end in pauses if start <= at]


def _until(moment: dt.datetime | None, at: dt.datetime) -> dt.datetime | None:
    return moment if moment is not None and moment <= at else None


def _standing(used: dt.timedelta, allowed: dt.timedelta, *, ended: bool, over: bool) -> Standing:
    if used > allowed:
        return Standing.MISSED
    if ended:
        return Standing.MET
    if over:
        return Standing.STOPPED
    if used * 100 >= allowed * AT_RISK_PERCENT:
        return Standing.AT_RISK
    return Standing.RUNNING


@dataclass(frozen=True)
class Attainment:
    """How many clocks met their level, of those that are decided; the others still run."""

    met: int = 0
    missed: int = 0
    running: int = 0

    @classmethod
    def of(cls, clocks: Iterable[Clock]) -> "Attainment":
        counts = Counter(clock.standing for clock in clocks)
        return cls(
            counts[Standing.MET],
            counts[Standing.MISSED],
            counts[Standing.RUNNING] + counts[Standing.AT_RISK],
        )

    @property
    def decided(self) -> int:
        return self.met + self.missed

    @property
    def value(self) -> Fraction | None:
        return Fraction(self.met, self.decided) if self.decided else None

    @property
    def low(self) -> Fraction | None:
        """What it comes to if everything that runs is missed."""
        every = self.decided + self.running
        return Fraction(self.met, every) if every else None

    @property
    def high(self) -> Fraction | None:
        """What it comes to if everything that runs is met."""
        every = self.decided + self.running
        return Fraction(self.met + self.running, every) if every else None
