"""Who is on what in an increment: what moves do to it, and what is done by hand.

Soft days are pencilled in, hard days promised. Whoever changes an increment's plan holds its row.
"""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.selectors import today
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid, Missing
from config.lib.ui.formats import days_between_text
from events.services import record
from events.workflow import Changes, Move
from people.models import User
from projects import permissions
from projects.models import Allocation, Increment, Project, ProjectState
from projects.rules.capacity import NO_DAYS, days_words, in_tenths
from projects.selectors.capacity import IncrementSheet, PersonSheet, increment_sheet
from projects.selectors.scoring import policy_on
from projects.services.locking import locked_project

S = ProjectState
LEAST, MOST = Decimal("0.1"), Decimal(14)
# Days are promised for what is planned to happen; what is only proposed is pencilled in.
PROMISED = frozenset({S.SCHEDULED, S.IN_PROGRESS, S.DELIVERED})
PLANNED = PROMISED | {S.PROPOSED, S.READY, S.ON_HOLD}
Wanted = list[tuple[User, Decimal]]
# The increment is refused, unless it is said why it is taken all the same.
NO_ROOM = "no_room"


def checked_capacity(move: Move) -> Changes:
    """Refuse what does not fit, or who is away, unless it is said why it is done all the same."""
    increment = _locked(move.values["increment"])
    if move.values.get("despite"):
        return {}
    if problems := why_not_fitting(move.obj, increment, on=today(move.at)):
        words = f"{' '.join(problems)} Choose another increment, or say why all the same."
        raise ValidationError({"increment": ValidationError(words, code=NO_ROOM)})
    return {}


def why_not_fitting(project: Project, increment: Increment, *, on: dt.date) -> list[str]:
    """Return what is in the way of doing the project in the increment, with names and figures."""
    sheet = increment_sheet(increment)
    wanted = _wanted(project, increment, sheet, on=on)
    asked = {person.pk for person, _ in wanted}
    leads = [person for person in project.leads.order_by("name", "pk") if person.pk not in asked]
    problems = [_why_not(person, days, project, sheet) for person, days in wanted]
    problems += [_why_away(sheet.of(person.pk), sheet) for person in leads]
    if not wanted and (days := days_of(project, on=on)) > sheet.free:
        problems.append(
            f"{project.number} takes {days_words(days)}, and {increment.team} has "
            f"{days_words(sheet.free, 'free')} in {increment.name}."
        )
    return list(filter(None, problems))


def promise_days(move: Move) -> None:
    """Make what was pencilled in a promise; where nothing was, spread the days over the leads."""
    project: Project = move.obj
    increment = move.values["increment"]
    before = plan_of(project)
    rows = Allocation.objects.filter(project=project)
    sheet = increment_sheet(increment)
    wanted = _wanted(project, increment, sheet, on=today(move.at))
    there = set(rows.filter(increment=increment).values_list("person_id", flat=True))
    rows.exclude(increment=increment).delete()
    rows.update(is_hard=True)
    Allocation.objects.bulk_create(
        Allocation(
            increment=increment,
            project=project,
            person=person,
            days=min(days, MOST),
            is_hard=True,
            by=move.by,
            at=move.at,
        )
        for person, days in wanted
        if days and person.pk not in there
    )
    _record(project, before, by=move.by)


def promise_again(move: Move) -> None:
    """Make a promise again of what was softened, where the project has its slot back."""
    if move.becomes in PROMISED:
        before = plan_of(move.obj)
        Allocation.objects.filter(project=move.obj, increment=move.obj.increment).update(
            is_hard=True
        )
        _record(move.obj, before, by=move.by)


def release_days(move: Move) -> None:
    before = plan_of(move.obj)
    Allocation.objects.filter(project=move.obj).delete()
    _record(move.obj, before, by=move.by)


def release_days_ahead(move: Move) -> None:
    """Free what was planned after the project was delivered."""
    before = plan_of(move.obj)
    rows = Allocation.objects.filter(project=move.obj, increment__start__gt=today(move.at))
    rows.delete()
    _record(move.obj, before, by=move.by)


def soften_days(move: Move) -> None:
    before = plan_of(move.obj)
    Allocation.objects.filter(project=move.obj).update(is_hard=False)
    _record(move.obj, before, by=move.by)


@transaction.atomic
def allocate(  # noqa: PLR0913 -- what an allocation is, by name
    increment: Increment,
    project: Project,
    person: User,
    *,
    days: Decimal,
    is_hard: bool = False,
    despite: str = "",
    by: User,
    at: dt.datetime,
) -> Allocation:
    """Put a person on a project for some days. Raises Invalid, also where it does not fit."""
    require(permissions.can_plan, by)
    # As it is now: what is taken off the schedule meanwhile is promised nothing.
    project = locked_project(project)
    increment = _locked(increment)
    before = plan_of(project)
    allocation = Allocation(
        increment=increment,
        project=project,
        person=person,
        days=days,
        is_hard=is_hard,
        by=by,
        at=at,
    )
    if Allocation.objects.filter(increment=increment, project=project, person=person).exists():
        raise Conflict(
            f"{person} is on {project.number} in {increment.name} already. Change those days."
        )
    _check(allocation, despite=despite)
    allocation.save()
    _record(project, before, by=by, reason=despite)
    return allocation


@transaction.atomic
def reallocate(
    allocation: Allocation, *, despite: str = "", by: User, at: dt.datetime, **given: Any
) -> Allocation:
    """Change `days` or `is_hard`, or move it to another `person` or `increment`.

    Where the person is on the project there already, the days are added to those.
    """
    require(permissions.can_plan, by)
    locked_project(allocation.project)
    increments = [allocation.increment, given.get("increment", allocation.increment)]
    for each in sorted(set(increments), key=lambda one: one.pk):
        _locked(each)
    stored = _stored(allocation)
    before = plan_of(stored.project)
    for name in ("days", "is_hard", "person", "increment"):
        if name in given:
            setattr(stored, name, given[name])
    twins = Allocation.objects.filter(
        increment=stored.increment, project=stored.project, person=stored.person
    ).exclude(pk=stored.pk)
    if twin := twins.first():
        stored.days += twin.days
        stored.is_hard = stored.is_hard or twin.is_hard
        twin.delete()
    _check(stored, despite=despite)
    stored.by, stored.at = by, at
    stored.save()
    _record(stored.project, before, by=by, reason=despite)
    return stored


@transaction.atomic
def release(allocation: Allocation, *, by: User) -> None:
    """Take a person off a project in an increment."""
    require(permissions.can_plan, by)
    _locked(allocation.increment)
    stored = _stored(allocation)
    before = plan_of(stored.project)
    stored.delete()
    _record(stored.project, before, by=by)


def days_of(project: Project, *, on: dt.date) -> Decimal:
    """Return the estimate; without one, the most days of its effort by the policy of the day."""
    if project.days:
        return project.days
    most = policy_on(on).days.get(project.effort)
    return Decimal(most) if most else NO_DAYS


def plan_of(project: Project) -> list[dict[str, Any]]:
    """Return who is on the project when, as an event tells it."""
    rows = Allocation.objects.filter(project=project).select_related("increment", "person")
    return [
        {
            "increment": each.increment.name,
            "person": each.person,
            "days": each.days,
            "hard": each.is_hard,
        }
        for each in rows.order_by("increment__start", "person_id")
    ]


def _wanted(
    project: Project, increment: Increment, sheet: IncrementSheet, *, on: dt.date
) -> Wanted:
    """Return who is to be on it: as planned there, else as promised before, else its leads."""
    rows = list(Allocation.objects.filter(project=project).select_related("person").order_by("pk"))
    there = [(each.person, each.days) for each in rows if each.increment_id == increment.pk]
    # Promised for another increment: the project moves, and its people with it.
    moved = [(each.person, each.days) for each in rows if each.is_hard]
    if there or moved:
        return there or _added_up(moved)
    leads = list(project.leads.order_by("name", "pk"))
    days = days_of(project, on=on)
    if not leads or not days:
        return []
    sheets = [sheet.of(person.pk) for person in leads]
    free = [each.free if each else NO_DAYS for each in sheets]
    return list(zip(leads, in_tenths(days, free), strict=True))


def _added_up(rows: Iterable[tuple[User, Decimal]]) -> Wanted:
    found: dict[User, Decimal] = {}
    for person, days in rows:
        found[person] = found.get(person, NO_DAYS) + days
    return list(found.items())


def _why_not(person: User, days: Decimal, project: Project, sheet: IncrementSheet) -> str:
    each, increment = sheet.of(person.pk), sheet.increment
    if away := _why_away(each, sheet):
        return away
    if not days:
        return ""
    if each is None or each.days_a_week is None:
        return f"{person} is not in {increment.team} in {increment.name}."
    own = sum((row.days for row in each.on if row.project_id == project.pk), NO_DAYS)
    free = max(each.free + own, NO_DAYS)
    if days <= free:
        return ""
    why = f"{person} has {days_words(free, 'free')} in {increment.name}, not {days_words(days)}"
    if each.off:
        spans = (days_between_text(one.start, one.end) for one in each.absences)
        why += f", and is away {' and '.join(spans)}"
    return f"{why}."


def _why_away(each: PersonSheet | None, sheet: IncrementSheet) -> str:
    if each is None or not each.is_away_throughout:
        return ""
    spans = " and ".join(days_between_text(one.start, one.end) for one in each.absences)
    return f"{each.person} is away {spans}, all of {sheet.increment.name}."


def _check(allocation: Allocation, *, despite: str) -> None:
    project, increment, days = allocation.project, allocation.increment, allocation.days
    if not LEAST <= days <= MOST or days != days.quantize(LEAST):
        raise Invalid("Enter 0.1 to 14 days, to the tenth.", field="days")
    if project.state not in PLANNED:
        raise Conflict(f"{project.number} is {project.get_state_display().lower()}.")
    if allocation.is_hard and project.state not in PROMISED:
        raise Invalid(
            f"{project.number} is not scheduled. Pencil the days in, or schedule it first.",
            field="hard",
        )
    if not allocation.person.is_active:
        raise Invalid(f"{allocation.person} does not work here any more.", field="person")
    sheet = increment_sheet(increment)
    each = sheet.of(allocation.person.pk)
    if each is None or each.days_a_week is None:
        raise Invalid(
            f"{allocation.person} is not in {increment.team} in {increment.name}. "
            "Add them to the team first.",
            field="person",
        )
    if allocation.is_hard and not despite.strip():
        _check_room(allocation, each, sheet)


def _check_room(allocation: Allocation, each: PersonSheet, sheet: IncrementSheet) -> None:
    """What is promised has to fit; what is pencilled in shows as a conflict."""
    if away := _why_away(each, sheet):
        raise Invalid(f"{away} Say why all the same.", field="despite", code="away")
    others = sum((row.days for row in each.on if row.is_hard and row.pk != allocation.pk), NO_DAYS)
    left = max(each.available - others, NO_DAYS)
    if allocation.days > left:
        raise Invalid(
            f"{each.person} has {days_words(left)} left to promise in {sheet.increment.name}, "
            f"not {days_words(allocation.days)}. Say why all the same.",
            field="despite",
            code="over",
        )


def _locked(increment: Increment) -> Increment:
    rows = Increment.objects.select_for_update(no_key=True, of=("self",)).select_related("team")
    found = rows.filter(pk=increment.pk).first()
    if found is None:
        raise Missing("This increment was taken away meanwhile.")
    return found


def _stored(allocation: Allocation) -> Allocation:
    rows = Allocation.objects.select_related("increment__team", "project", "person")
    found = rows.filter(pk=allocation.pk).first()
    if found is None:
        raise Missing("These days were taken away meanwhile.")
    return found


def _record(project: Project, before: list[dict[str, Any]], *, by: User, reason: str = "") -> None:
    after = plan_of(project)
    if before != after:
        accounts = list(project.account_links.values_list("account_id", flat=True)[:2])
        record(
            "project.days_planned",
            project,
            by=by,
            before={"plan": before},
            after={"plan": after},
            account_id=accounts[0] if len(accounts) == 1 else None,
            reason=reason.strip(),
        )
