"""Who has how many days, what is planned of them, and what does not fit.

Any number of increments takes the same few statements.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from projects.models import Increment, Team
from projects.rules import capacity as rules
from projects.rules.capacity import NO_DAYS
from projects.selectors.capacity_facts import (
    Conflict,
    Facts,
    IncrementSheet,
    PersonSheet,
    absences_of,
    facts_of,
    person_in,
    sheet_of,
)

__all__ = [
    "Conflict",
    "FreeDays",
    "IncrementSheet",
    "PersonSheet",
    "TeamFree",
    "absences_of",
    "conflicts",
    "free_days_ahead",
    "increment_sheet",
    "sheets",
]


@dataclass(frozen=True)
class TeamFree:
    team: Team
    # Those that are running or start next.
    increments: Sequence[Increment]
    days: Decimal


@dataclass(frozen=True)
class FreeDays:
    """Free days ahead, per team and in sum."""

    teams: Sequence[TeamFree] = ()
    days: Decimal = NO_DAYS


def increment_sheet(increment: Increment) -> IncrementSheet:
    return sheets([increment])[0]


def sheets(increments: Iterable[Increment]) -> list[IncrementSheet]:
    """Return the sheets of increments, in their order; `team` should be joined in."""
    increments = list(increments)
    if not increments:
        return []
    facts = facts_of(increments)
    return [sheet_of(increment, facts) for increment in increments]


def conflicts(increment: Increment) -> list[Conflict]:
    """Return what does not fit in the increment; what is promised first."""
    return sorted(increment_sheet(increment).conflicts, key=lambda found: not found.is_hard)


def free_days_ahead(on: dt.date) -> FreeDays:
    """Return the free days of the increments that are running on the day or start next.

    Of a running one, no more than the days that are left of it.
    """
    ahead = Increment.objects.filter(end__gte=on, team__archived=False)
    rows = ahead.select_related("team").order_by("team__name", "team_id", "start")
    by_team: dict[int, list[Increment]] = defaultdict(list)
    for each in rows:
        has_next = any(other.start > on for other in by_team[each.team_id])
        if not has_next:
            by_team[each.team_id].append(each)
    chosen = [each for increments in by_team.values() for each in increments]
    facts = facts_of(chosen)
    teams = []
    for increments in by_team.values():
        days = sum((_free_from(on, each, facts) for each in increments), NO_DAYS)
        teams.append(TeamFree(increments[0].team, increments, days))
    return FreeDays(teams, sum((each.days for each in teams), NO_DAYS))


def _free_from(on: dt.date, increment: Increment, facts: Facts) -> Decimal:
    sheet = sheet_of(increment, facts)
    if increment.start >= on:
        return sheet.free
    days = rules.working_days(facts.calendar.is_business_day, on, increment.end)
    left = (person_in(each.person, increment, days, facts).available for each in sheet.people)
    free = (max(each.free, NO_DAYS) for each in sheet.people)
    return sum((min(pair) for pair in zip(free, left, strict=True)), NO_DAYS)
