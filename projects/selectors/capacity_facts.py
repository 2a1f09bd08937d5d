"""What sheets of increments are made of: members, absences, what is planned; read at once."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Q

from engagements.rules.business_time import Calendar
from engagements.selectors.calendar import company_calendar
from people.models import Absence, User
from people.selectors import absences_between
from projects.models import Allocation, Increment, Membership
from projects.rules import capacity as rules
from projects.rules.capacity import NO_DAYS, Load, Part, Span, Time


@dataclass(frozen=True)
class PersonSheet:
    """One person in one increment."""

    person: User
    time: Time
    load: Load
    # The share of an open part in the team; null: not in the team then.
    days_a_week: Decimal | None
    absences: Sequence[Absence] = ()
    on: Sequence[Allocation] = ()

    @property
    def available(self) -> Decimal:
        return self.load.available

    @property
    def off(self) -> int:
        return self.time.off

    @property
    def hard(self) -> Decimal:
        return self.load.hard

    @property
    def soft(self) -> Decimal:
        return self.load.soft

    @property
    def free(self) -> Decimal:
        return self.load.free

    @property
    def over(self) -> Decimal:
        return self.load.over

    @property
    def over_words(self) -> str:
        return f"{rules.days_number(self.over)} over"

    @property
    def is_away_throughout(self) -> bool:
        return rules.is_away_throughout(self.time)


@dataclass(frozen=True)
class Conflict:
    """Something planned that does not fit, in words."""

    increment: Increment
    person: User
    words: str
    # Whether it is promised; else only pencilled in.
    is_hard: bool


@dataclass(frozen=True)
class IncrementSheet:
    """Who has how much time in an increment, and what they are on."""

    increment: Increment
    people: Sequence[PersonSheet] = ()
    working: int = 0

    @property
    def load(self) -> Load:
        return sum((each.load for each in self.people), Load(NO_DAYS))

    @property
    def free(self) -> Decimal:
        """Days still to be had: those over in one person's plan are not taken from another's."""
        return sum((max(each.free, NO_DAYS) for each in self.people), NO_DAYS)

    @property
    def conflicts(self) -> list[Conflict]:
        return [found for each in self.people if (found := _conflict(self.increment, each))]

    def of(self, person_id: int) -> PersonSheet | None:
        return next((each for each in self.people if each.person.pk == person_id), None)


@dataclass
class Facts:
    calendar: Calendar
    parts: dict[tuple[int, int], list[Part]] = field(default_factory=lambda: defaultdict(list))
    people: dict[int, User] = field(default_factory=dict)
    members: dict[int, dict[int, Span]] = field(default_factory=lambda: defaultdict(dict))
    away: dict[int, list[Absence]] = field(default_factory=lambda: defaultdict(list))
    planned: dict[int, list[Allocation]] = field(default_factory=lambda: defaultdict(list))


def absences_of(people: Collection[int], start: dt.date, end: dt.date) -> list[Absence]:
    """Return the absences of these people that plans reckon with in the days."""
    return list(absences_between(start, end).filter(person__in=people))


def facts_of(increments: Sequence[Increment]) -> Facts:
    if not increments:
        return Facts(company_calendar())
    return facts_in(
        increments,
        {each.team_id for each in increments},
        min(each.start for each in increments),
        max(each.end for each in increments),
    )


def facts_in(
    increments: Sequence[Increment], teams: Collection[int], start: dt.date, end: dt.date
) -> Facts:
    """Read all that sheets are made of, in these days or in any of the increments."""
    start = min([start, *(each.start for each in increments)])
    end = max([end, *(each.end for each in increments)])
    facts = Facts(company_calendar())
    memberships = Membership.objects.filter(
        Q(end=None) | Q(end__gt=start), team__in=teams, start__lte=end
    ).select_related("person")
    for row in memberships.order_by("start", "pk"):
        span = Span(row.start, row.end and row.end - rules.A_DAY)
        facts.parts[row.team_id, row.person_id].append(Part(row.days_a_week, span))
        facts.people[row.person_id] = row.person
    rows = Allocation.objects.filter(increment__in=[each.pk for each in increments])
    for each in rows.select_related("person", "project").order_by("-is_hard", "project_id", "pk"):
        facts.planned[each.increment_id].append(each)
        facts.people[each.person_id] = each.person
    for absence in absences_of(facts.people.keys(), start, end):
        facts.away[absence.person_id].append(absence)
    return facts


def sheet_of(increment: Increment, facts: Facts) -> IncrementSheet:
    whole = Span(increment.start, increment.end)
    days = days_of(increment, facts)
    members = {
        person
        for (team, person), parts in facts.parts.items()
        if team == increment.team_id and any(part.span.meets(whole) for part in parts)
    }
    planned = facts.planned[increment.pk]
    ids = members | {each.person_id for each in planned}
    people = [
        person_in(facts.people[person], increment, days, facts)
        for person in sorted(ids, key=lambda pk: (facts.people[pk].name, pk))
    ]
    return IncrementSheet(increment, people, len(days))


def person_in(
    person: User, increment: Increment, days: Sequence[dt.date], facts: Facts
) -> PersonSheet:
    whole = Span(increment.start, increment.end)
    parts = [
        part
        for part in facts.parts.get((increment.team_id, person.pk), ())
        if part.span.meets(whole)
    ]
    absences = [each for each in facts.away[person.pk] if span_of(each).meets(whole)]
    time = rules.time_in(days, parts, map(span_of, absences))
    on = [each for each in facts.planned[increment.pk] if each.person_id == person.pk]
    hard = sum((each.days for each in on if each.is_hard), NO_DAYS)
    soft = sum((each.days for each in on if not each.is_hard), NO_DAYS)
    return PersonSheet(
        person=person,
        time=time,
        load=Load(time.available, hard, soft),
        days_a_week=parts[-1].days_a_week if parts else None,
        absences=absences,
        on=on,
    )


def days_of(increment: Increment, facts: Facts) -> tuple[dt.date, ...]:
    return rules.working_days(facts.calendar.is_business_day, increment.start, increment.end)


def span_of(absence: Absence) -> Span:
    return Span(absence.start, absence.end)


def _conflict(increment: Increment, each: PersonSheet) -> Conflict | None:
    words = rules.conflict_words(
        each.person.name,
        increment.name,
        each.load,
        away=[span_of(absence) for absence in each.absences] if each.off else [],
        is_member=each.days_a_week is not None,
    )
    return Conflict(increment, each.person, words, each.load.is_broken) if words else None
