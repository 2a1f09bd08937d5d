"""How far the service levels were met: by clock, by month, and what missed them."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Q

from engagements.models import Impact, LevelNote, Owner, ServiceLevel, ServiceRequest
from engagements.rules.clocks import Attainment, Clock, Standing
from engagements.selectors import levels
from engagements.selectors.requests import requests_visible_to
from people.models import User

NO_IMPACT = "none"


@dataclass(frozen=True)
class Asked:
    """Which clocks: those decided from a month on, and those that run."""

    # The first day of the first month.
    since: dt.date
    clock: str = ""
    impact: str = ""
    owner: str = ""


@dataclass(frozen=True)
class Judged:
    """A clock and the request it is of."""

    request: ServiceRequest
    clock: Clock
    # The first day of the month in which it was decided; of what runs, this month.
    month: dt.date


@dataclass(frozen=True)
class Part:
    """The attainment of some of the clocks."""

    key: str
    label: str
    attainment: Attainment


@dataclass(frozen=True)
class Missed:
    """A clock that took longer than its level, and why, where somebody noted it."""

    request: ServiceRequest
    clock: Clock
    note: LevelNote | None


@dataclass(frozen=True)
class Attained:
    """All that the page of service levels shows."""

    whole: Attainment
    by_clock: list[Part] = field(default_factory=list)
    by_month: list[Part] = field(default_factory=list)
    by_impact: list[Part] = field(default_factory=list)
    by_owner: list[Part] = field(default_factory=list)
    missed: list[Missed] = field(default_factory=list)
    late: int = 0


def attained(user: User, asked: Asked, *, at: dt.datetime) -> Attained:
    """Judge the clocks asked for as they stand at the moment."""
    judged = _judged(user, asked, at=at)
    notes = _notes([each for each in judged if each.clock.standing == Standing.MISSED])
    missed = [
        Missed(each.request, each.clock, notes.get((each.request.pk, each.clock.name)))
        for each in judged
        if each.clock.standing == Standing.MISSED
    ]
    return Attained(
        whole=Attainment.of(each.clock for each in judged),
        by_clock=_parts(judged, ServiceLevel.Clock.choices, lambda each: each.clock.name),
        by_month=_parts(judged, _months(judged), lambda each: each.month),
        by_impact=_parts(
            judged, [*Impact.choices, (None, "Not triaged")], lambda each: each.request.impact
        ),
        by_owner=_parts(
            judged, [*Owner.choices, ("", "No owner yet")], lambda each: each.request.owner
        ),
        missed=sorted(missed, key=_newest_first, reverse=True),
        late=sum(each.clock.is_late for each in missed),
    )


def _newest_first(missed: Missed) -> tuple[bool, dt.datetime, int]:
    """Order what is late first, then what ended last."""
    clock = missed.clock
    return clock.is_late, clock.ended_at or clock.due_at, missed.request.pk


def _judged(user: User, asked: Asked, *, at: dt.datetime) -> list[Judged]:
    terms = levels.terms()
    since = dt.datetime.combine(asked.since, dt.time(0), terms.calendar.zone)
    rows = requests_visible_to(user).filter(
        Q(closed_at=None) | Q(closed_at__gte=since), submitted_at__lte=at
    )
    if asked.impact:
        impact = None if asked.impact == NO_IMPACT else int(asked.impact)
        rows = rows.filter(impact=impact)
    if asked.owner:
        rows = rows.filter(owner=asked.owner)
    requests = list(rows)
    clocks = levels.clocks_of(requests, at=at, by=terms)
    return [
        Judged(request, clock, terms.calendar.local_day(clock.ended_at or at).replace(day=1))
        for request in requests
        for clock in clocks[request.pk]
        if (clock.ended_at is None or clock.ended_at >= since)
        and (not asked.clock or clock.name == asked.clock)
        and clock.standing != Standing.STOPPED
    ]


def _parts(
    judged: Sequence[Judged],
    labels: Iterable[tuple[Hashable, object]],
    key: Callable[[Judged], Hashable],
) -> list[Part]:
    """Return the attainment of each group that has clocks, in the order of the labels."""
    groups: dict[Hashable, list[Clock]] = defaultdict(list)
    for each in judged:
        groups[key(each)].append(each.clock)
    return [
        Part("" if name is None else str(name), str(label), Attainment.of(groups[name]))
        for name, label in labels
        if groups.get(name)
    ]


def _months(judged: Sequence[Judged]) -> list[tuple[dt.date, str]]:
    """Return the months in which something was decided or runs, the newest first."""
    months = sorted({each.month for each in judged}, reverse=True)
    return [(month, f"{month:%B %Y}") for month in months]


def _notes(missed: Sequence[Judged]) -> dict[tuple[int, str], LevelNote]:
    rows = LevelNote.objects.filter(request__in={each.request.pk for each in missed})
    return {(row.request_id, row.clock): row for row in rows.select_related("by")}
