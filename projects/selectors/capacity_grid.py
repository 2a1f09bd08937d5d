"""The weeks ahead: who has how many days free in each, planned and off."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from engagements.selectors.calendar import company_calendar
from people.models import Absence, User
from projects.models import Increment, Team
from projects.rules import capacity as rules
from projects.rules.capacity import NO_DAYS, Load, Span, Time
from projects.selectors.capacity_facts import (
    Conflict,
    Facts,
    IncrementSheet,
    days_of,
    facts_in,
    person_in,
    sheet_of,
    span_of,
)

WEEKS = 6
# From how much of a week is free on it looks so.
SHADES = (
    ("open", Decimal("0.6")),
    ("some", Decimal("0.25")),
    ("little", Decimal("0.01")),
    ("full", NO_DAYS),
)


@dataclass(frozen=True)
class Cell:
    """A person's week."""

    week: Span
    time: Time
    load: Load
    # Days to give that have not passed.
    left: Decimal
    absences: Sequence[Absence] = ()

    @property
    def free(self) -> Decimal:
        return min(self.load.free, self.left)

    @property
    def shade(self) -> str:
        """How it looks: the number says it too."""
        if self.load.over:
            return "over"
        if not self.time.working:
            return "none"
        if rules.is_away_throughout(self.time):
            return "away"
        if not self.load.available:
            return "none"
        share = self.free / self.load.available
        return next(name for name, least in SHADES if share >= least)


@dataclass(frozen=True)
class GridRow:
    person: User
    teams: Sequence[str]
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Grid:
    """Some weeks: who has how much in each, and the increments in them."""

    weeks: Sequence[Span]
    sheets: Sequence[IncrementSheet]
    rows: Sequence[GridRow]

    @property
    def conflicts(self) -> list[Conflict]:
        found = [each for sheet in self.sheets for each in sheet.conflicts]
        return sorted(found, key=lambda each: (not each.is_hard, each.increment.start))

    @property
    def totals(self) -> list[Decimal]:
        """Free days of each week, nobody's overload taken from another's."""
        return [
            sum((max(row.cells[place].free, NO_DAYS) for row in self.rows), NO_DAYS)
            for place in range(len(self.weeks))
        ]


def grid(on: dt.date, *, team: Team | None = None, weeks: int = WEEKS) -> Grid:
    """Return who has how many days free in each week from that of the day on."""
    # At a weekend, from the week that begins.
    first = company_calendar().day_after(on, 0)
    spans = rules.weeks_from(first, weeks)
    start, end = spans[0].start, spans[-1].end or spans[-1].start
    chosen = Team.objects.filter(archived=False)
    teams = list(chosen.filter(pk=team.pk) if team else chosen)
    rows = Increment.objects.filter(team__in=teams, start__lte=end, end__gte=start)
    increments = list(rows.select_related("team").order_by("start", "team__name", "pk"))
    facts = facts_in(increments, {each.pk for each in teams}, start, end)
    people = sorted(
        (each for each in facts.people.values() if _has_a_part(each, facts)),
        key=lambda each: (each.name, each.pk),
    )
    names = {each.pk: each.name for each in teams}
    return Grid(
        weeks=spans,
        sheets=[sheet_of(each, facts) for each in increments],
        rows=[
            GridRow(
                person=each,
                teams=[names[pk] for pk, person in facts.parts if person == each.pk],
                cells=[_cell(each, span, increments, facts, on) for span in spans],
            )
            for each in people
        ],
    )


def _has_a_part(person: User, facts: Facts) -> bool:
    return any(pk == person.pk for _, pk in facts.parts)


def _cell(
    person: User, week: Span, increments: Sequence[Increment], facts: Facts, on: dt.date
) -> Cell:
    """Return a person's week: of a plan of two weeks, as much as they are there in this one."""
    days = rules.working_days(facts.calendar.is_business_day, week.start, week.end or week.start)
    parts = [part for (_, pk), each in facts.parts.items() if pk == person.pk for part in each]
    absences = [each for each in facts.away[person.pk] if span_of(each).meets(week)]
    away = [span_of(each) for each in absences]
    time = rules.time_in(days, parts, away)
    left = rules.time_in([day for day in days if day >= on], parts, away).available
    load = Load(time.available)
    for increment in increments:
        if Span(increment.start, increment.end).meets(week):
            load += _planned_in(week, person, increment, facts)
    return Cell(week=week, time=time, load=load, left=left, absences=absences)


def _planned_in(week: Span, person: User, increment: Increment, facts: Facts) -> Load:
    sheet = person_in(person, increment, days_of(increment, facts), facts)
    if not sheet.load.planned:
        return Load(NO_DAYS)
    ahead = rules.weeks_from(increment.start, 3)
    weights = []
    for each in ahead:
        first, last = max(each.start, increment.start), min(each.end or each.start, increment.end)
        days = rules.working_days(facts.calendar.is_business_day, first, last)
        weights.append(person_in(person, increment, days, facts).available)
    place = next(n for n, each in enumerate(ahead) if each.start == week.start)
    if not any(weights):
        weights[0] = Decimal(1)
    return Load(
        NO_DAYS,
        rules.in_parts(sheet.hard, weights)[place],
        rules.in_parts(sheet.soft, weights)[place],
    )
