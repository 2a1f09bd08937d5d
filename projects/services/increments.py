"""Increments of a team: made ahead, renamed, moved while nothing is planned, taken away."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from config.lib.authz import require
from config.lib.errors import Conflict, Invalid, Missing, StaleWrite
from config.lib.etags import etag_of
from config.lib.ui.formats import days_between_text
from config.lib.values import BadValue, parse_text
from events.services import Draft, record, record_all
from people.models import User
from projects import permissions
from projects.models import Increment, Team
from projects.rules.capacity import A_DAY, A_WEEK, Span, slots

NAME_MAX = 60
# More than half a year ahead nobody plans.
MOST_WEEKS = 26
MOST_DAYS = 14
MOST_PAST = dt.timedelta(days=366)
WEEKS = (1, 2)
FIELDS = ("name", "start", "end")


@transaction.atomic
def make_increments(
    team: Team,
    *,
    start: dt.date,
    count: int,
    weeks: int | None = None,
    by: User,
    on: dt.date,
) -> list[Increment]:
    """Make the team's increments for so many weeks from a Monday on, round those there are.

    `start` may be any day of the first week; `weeks` is how long each is, 1 or 2.
    """
    require(permissions.can_plan, by)
    team = _locked_team(team)
    long = team.weeks if weeks is None else weeks
    if long not in WEEKS:
        raise Invalid("An increment is 1 or 2 weeks long.", field="weeks")
    if not 1 <= count <= MOST_WEEKS:
        raise Invalid(f"Enter 1 to {MOST_WEEKS} weeks.", field="count")
    _check_start(start, on)
    first = start - start.weekday() * A_DAY
    taken = Increment.objects.filter(team=team, end__gte=first).values_list("start", "end")
    last = first + count * A_WEEK - A_DAY
    free = slots(first, long, last, (Span(*each) for each in taken))
    found = [(begins, ends) for begins, ends in free if ends <= last]
    if not found:
        raise Conflict("There are increments for all of these weeks already.", code="nothing_made")
    made = Increment.objects.bulk_create(
        Increment(team=team, name=name_of(begins, ends), start=begins, end=ends)
        for begins, ends in found
    )
    rows = Increment.objects.filter(pk__in=[each.pk for each in made]).select_related("team")
    fresh = list(rows.order_by("start"))
    record_all(
        [Draft(verb="increment.created", obj=each, after=_told(each)) for each in fresh], by=by
    )
    return fresh


@transaction.atomic
def change_increment(
    increment: Increment,
    changes: Mapping[str, Any],
    *,
    version: int | None = None,
    by: User,
    on: dt.date,
) -> Increment:
    """Change its `name`; its `start` and `end` only while nothing is planned in it."""
    require(permissions.can_plan, by)
    team = _locked_team(increment.team)
    stored = _locked(increment, version)
    given = {**changes, **({"name": _name(changes["name"])} if "name" in changes else {})}
    changed = [name for name in FIELDS if name in given and given[name] != getattr(stored, name)]
    before: dict[str, Any] = {name: getattr(stored, name) for name in changed}
    for name in changed:
        setattr(stored, name, given[name])
    if {"start", "end"} & set(changed):
        if _is_used(stored):
            raise Conflict(f"Work is planned in {stored.name}. Its days cannot change any more.")
        _check_days(stored, team, on)
    if changed:
        stored.save(update_fields=changed)
        Increment.objects.filter(pk=stored.pk).update(version=F("version") + 1, updated_at=Now())
        stored.refresh_from_db()
        after: dict[str, Any] = {name: getattr(stored, name) for name in changed}
        record("increment.changed", stored, by=by, before=before, after=after)
    return stored


@transaction.atomic
def drop_increment(increment: Increment, *, by: User) -> None:
    """Take an increment away in which nothing is or was planned."""
    require(permissions.can_plan, by)
    stored = _locked(increment)
    if _is_used(stored):
        raise Conflict(f"Work is planned in {stored.name}. Move it to another increment first.")
    record("increment.deleted", stored, by=by, before=_told(stored))
    stored.delete()


def name_of(start: dt.date, end: dt.date) -> str:
    """ "2026-W49", "2026-W49/50": the weeks it takes, as the calendar counts them."""
    first, last = start.isocalendar(), end.isocalendar()
    name = f"{first.year}-W{first.week:02}"
    return name if first.week == last.week else f"{name}/{last.week:02}"


def _check_start(start: dt.date, on: dt.date) -> None:
    if not on - MOST_PAST <= start <= on + MOST_WEEKS * 2 * A_WEEK:
        raise Invalid("Choose a day within the year.", field="start")


def _check_days(stored: Increment, team: Team, on: dt.date) -> None:
    _check_start(stored.start, on)
    if stored.end < stored.start:
        raise Invalid("The last day is before the first.", field="end")
    if (stored.end - stored.start).days >= MOST_DAYS:
        raise Invalid(f"At most {MOST_DAYS} days, two weeks.", field="end")
    others = Increment.objects.filter(team=team, start__lte=stored.end, end__gte=stored.start)
    if other := others.exclude(pk=stored.pk).first():
        days = days_between_text(other.start, other.end)
        raise Invalid(
            f"{other.name} of {team} is {days}. Two of a team do not overlap.",
            field="start",
            code="overlap",
        )


def _is_used(increment: Increment) -> bool:
    return increment.projects.exists() or increment.allocations.exists()


def _name(name: str) -> str:
    try:
        return parse_text(name, max_length=NAME_MAX)
    except BadValue as error:
        raise Invalid(error.detail, field="name", code=error.code) from error


def _told(increment: Increment) -> dict[str, Any]:
    return {
        "team": increment.team.name,
        "name": increment.name,
        "start": increment.start,
        "end": increment.end,
    }


def _locked_team(team: Team) -> Team:
    stored: Team = Team.objects.select_for_update(no_key=True).get(pk=team.pk)
    if stored.archived:
        raise Conflict(f"{stored} is archived. Bring it back first.")
    return stored


def _locked(increment: Increment, version: int | None = None) -> Increment:
    rows = Increment.objects.select_for_update(of=("self",)).select_related("team")
    stored = rows.filter(pk=increment.pk).first()
    if stored is None:
        raise Missing("This increment was taken away meanwhile.")
    if version is not None and version != stored.version:
        raise StaleWrite(etag=etag_of(stored.uuid, stored.version))
    return stored
