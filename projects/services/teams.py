"""Teams and who is in them, with how many days a week."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from config.lib.authz import require
from config.lib.errors import Conflict, Invalid, Missing, StaleWrite
from config.lib.etags import etag_of
from config.lib.ui.formats import days_between_text
from config.lib.values import BadValue, parse_text
from events.services import record
from people.models import User
from projects import permissions
from projects.models import Increment, Membership, Team
from projects.rules.capacity import A_DAY, FULL_WEEK, NO_DAYS, days_words

NAME_MAX = 120
WEEKS = (1, 2)
TENTH = Decimal("0.1")
MEMBER = ("days_a_week", "start", "end")


@transaction.atomic
def create_team(*, name: str, weeks: int = 2, by: User) -> Team:
    require(permissions.can_plan, by)
    team = Team(name=_name(name), weeks=_weeks(weeks))
    _save(team)
    record("team.created", team, by=by, after={"name": team.name, "weeks": team.weeks})
    return team


@transaction.atomic
def change_team(
    team: Team, changes: Mapping[str, Any], *, version: int | None = None, by: User
) -> Team:
    """Change its `name`, the `weeks` of its increments, or whether it is `archived`."""
    require(permissions.can_plan, by)
    stored = _locked(team, version)
    parse: dict[str, Callable[[Any], Any]] = {"name": _name, "weeks": _weeks, "archived": bool}
    given = {name: parse[name](value) for name, value in changes.items()}
    changed = [name for name, value in given.items() if getattr(stored, name) != value]
    before = {name: getattr(stored, name) for name in changed}
    for name in changed:
        setattr(stored, name, given[name])
    if changed:
        _save(stored)
        _touch(stored)
        after = {name: getattr(stored, name) for name in changed}
        record("team.changed", stored, by=by, before=before, after=after)
    return stored


@transaction.atomic
def add_member(
    team: Team,
    person: User,
    *,
    days_a_week: Decimal,
    start: dt.date,
    end: dt.date | None = None,
    by: User,
) -> Membership:
    """Take a person into a team from a day on; `end` is the first day not covered."""
    require(permissions.can_plan, by)
    stored = _locked(team)
    if not person.is_active or person.is_system:
        raise Invalid(f"{person} does not work here any more.", field="person")
    membership = Membership(
        team=stored, person=person, days_a_week=days_a_week, start=start, end=end
    )
    _lock(person)
    _check(membership)
    membership.save()
    membership.refresh_from_db()
    _touch(stored)
    _record("team.member_added", stored, by=by, after=_told(membership))
    return membership


@transaction.atomic
def change_member(membership: Membership, changes: Mapping[str, Any], *, by: User) -> Membership:
    """Change `days_a_week`, `start` or `end` of a part in a team."""
    require(permissions.can_plan, by)
    team = _locked(membership.team)
    stored = _member(membership)
    before = _told(stored)
    for name in MEMBER:
        if name in changes:
            setattr(stored, name, changes[name])
    _lock(stored.person)
    _check(stored)
    if before != _told(stored):
        stored.save(update_fields=MEMBER)
        _touch(team)
        _record("team.member_changed", team, by=by, before=before, after=_told(stored))
    return stored


@transaction.atomic
def remove_member(membership: Membership, *, by: User) -> None:
    """Take back a part that was entered by mistake; who leaves is given an end instead."""
    require(permissions.can_plan, by)
    team = _locked(membership.team)
    stored = _member(membership)
    planned = Increment.objects.filter(
        team=team, allocations__person=stored.person, end__gte=stored.start
    )
    if stored.end is not None:
        planned = planned.filter(start__lt=stored.end)
    if increment := planned.order_by("start").first():
        raise Conflict(
            f"{stored.person} is planned in {increment.name}. Enter the last day instead."
        )
    before = _told(stored)
    stored.delete()
    _touch(team)
    _record("team.member_removed", team, by=by, before=before)


def _check(membership: Membership) -> None:
    days, start, end = membership.days_a_week, membership.start, membership.end
    if not NO_DAYS < days <= FULL_WEEK or days != days.quantize(TENTH):
        raise Invalid("Enter 0.1 to 5 days a week, to the tenth.", field="days_a_week")
    if end is not None and end <= start:
        raise Invalid("The last day is before the first.", field="end")
    meeting = Membership.objects.filter(person=membership.person).filter(
        Q(end=None) | Q(end__gt=start)
    )
    if end is not None:
        meeting = meeting.filter(start__lt=end)
    others = list(meeting.exclude(pk=membership.pk).select_related("team").order_by("start", "pk"))
    if other := next((each for each in others if each.team_id == membership.team_id), None):
        until = (
            days_between_text(other.start, other.end - A_DAY)
            if other.end
            else (f"from {other.start.isoformat()} on")
        )
        raise Invalid(
            f"{membership.person} is in {membership.team} {until} already. Change that part.",
            field="start",
            code="overlap",
        )
    _check_sum(membership, others)


def _check_sum(membership: Membership, others: Sequence[Membership]) -> None:
    """Nobody gives more than five days a week, in all their teams together."""
    for day in [membership.start, *(max(each.start, membership.start) for each in others)]:
        there = [
            each for each in others if each.start <= day and not (each.end and each.end <= day)
        ]
        given = sum((each.days_a_week for each in there), NO_DAYS)
        if given + membership.days_a_week > FULL_WEEK:
            names = " and ".join(each.team.name for each in there)
            raise Invalid(
                f"{membership.person} gives {days_words(given)} a week to {names}. "
                f"At most {days_words(FULL_WEEK - given)} are left.",
                field="days_a_week",
                code="too_many",
            )


def _name(name: str) -> str:
    try:
        return parse_text(name, max_length=NAME_MAX)
    except BadValue as error:
        raise Invalid(error.detail, field="name", code=error.code) from error


def _weeks(weeks: int) -> int:
    if weeks not in WEEKS:
        raise Invalid("An increment is 1 or 2 weeks long.", field="weeks")
    return weeks


def _save(team: Team) -> None:
    try:
        with transaction.atomic():
            team.save()
    except IntegrityError as taken:
        raise Conflict(f"There is a team “{team.name}” already.", code="taken") from taken
    team.refresh_from_db()


def _touch(team: Team) -> None:
    Team.objects.filter(pk=team.pk).update(version=F("version") + 1, updated_at=Now())
    team.refresh_from_db()


def _locked(team: Team, version: int | None = None) -> Team:
    stored = Team.objects.select_for_update(no_key=True).get(pk=team.pk)
    if version is not None and version != stored.version:
        raise StaleWrite(etag=etag_of(stored.uuid, stored.version))
    return stored


def _lock(person: User) -> None:
    """Let no other team take the person meanwhile."""
    list(User.objects.select_for_update(no_key=True, of=("self",)).filter(pk=person.pk))


def _member(membership: Membership) -> Membership:
    stored = Membership.objects.select_related("person", "team").filter(pk=membership.pk).first()
    if stored is None:
        raise Missing("This part was taken away meanwhile.")
    return stored


def _told(membership: Membership) -> dict[str, Any]:
    return {
        "person": membership.person,
        **{name: getattr(membership, name) for name in MEMBER},
    }


def _record(
    verb: str,
    team: Team,
    *,
    by: User,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    record(verb, team, by=by, before=before, after=after)
