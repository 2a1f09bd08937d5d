"""Absences: asked for, changed, decided, begun and ended by the date."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from config.lib.authz import require
from config.lib.errors import Conflict, Invalid, StaleWrite
from config.lib.etags import etag_of
from config.lib.ui.formats import days_between_text
from config.lib.values import BadValue, parse_text
from events import workflow
from events.services import record
from events.workflow import NOTHING, Given, Move
from people import here, permissions
from people.models import Absence, User, system_user
from people.selectors import absences_between
from people.services import absence_notices

S = Absence.State
NOTE_MAX = 1000
# An illness is often entered afterwards.
MOST_PAST = dt.timedelta(days=92)
MOST_AHEAD = dt.timedelta(days=2 * 366)
MOST_LONG = dt.timedelta(days=366)
FIELDS = ("start", "end", "cover", "note")
# What may still be changed, by state.
OPEN = {
    S.DRAFT: frozenset(FIELDS),
    S.APPROVED: frozenset({"cover"}),
    S.ACTIVE: frozenset({"cover"}),
}


@transaction.atomic
def ask_for_absence(
    *,
    person: User,
    start: dt.date,
    end: dt.date,
    cover: User | None = None,
    note: str = "",
    by: User,
    at: dt.datetime,
) -> Absence:
    """Ask for days off, for oneself or, as a lead, for somebody else. Raises Invalid."""
    require(permissions.can_ask_for_absence, by, person)
    absence = Absence(
        person=person,
        start=start,
        end=end,
        cover=cover,
        note=_note(note),
        asked_by=by,
        asked_at=at,
        updated_at=at,
    )
    _lock_people(absence)
    _check_person(person)
    _check(absence, on=here.today(at))
    absence.save()
    absence.refresh_from_db()
    after = {"person": person, **{name: getattr(absence, name) for name in FIELDS}}
    record("absence.asked_for", absence, by=by, after=_filled(after))
    absence_notices.asked(absence, by=by, at=at)
    if cover is not None:
        absence_notices.cover_named(absence, by=by, at=at)
    return absence


@transaction.atomic
def change_absence(
    absence: Absence,
    changes: Mapping[str, Any],
    *,
    version: int | None = None,
    by: User,
    at: dt.datetime,
) -> Absence:
    """Change `start`, `end`, `cover` or `note` while it is asked for; later the cover only."""
    require(permissions.can_change_absence, by, absence)
    stored = Absence.objects.select_for_update(no_key=True, of=("self",)).get(pk=absence.pk)
    if version is not None and version != stored.version:
        raise StaleWrite(etag=etag_of(stored.uuid, stored.version))
    given = {**changes, **({"note": _note(changes["note"])} if "note" in changes else {})}
    before = {name: getattr(stored, name) for name in FIELDS}
    changed = [name for name in FIELDS if name in given and given[name] != before[name]]
    if not changed:
        return stored
    _check_open(stored, changed)
    for name in changed:
        setattr(stored, name, given[name])
    _lock_people(stored)
    _check(stored, on=here.today(at), is_new="start" in changed)
    stored.version += 1
    stored.updated_at = at
    stored.save(update_fields=[*changed, "version", "updated_at"])
    record(
        "absence.changed",
        stored,
        by=by,
        before={name: before[name] for name in changed},
        after={name: getattr(stored, name) for name in changed},
    )
    _tell_of_change(stored, before, changed, by=by, at=at)
    return stored


@transaction.atomic
def move_absence(
    absence: Absence, name: str, *, by: User, at: dt.datetime, given: Given = NOTHING
) -> Move:
    """Approve, refuse or withdraw. Raises as events.workflow.perform does."""
    _lock_people(absence)
    return workflow.perform(
        workflow.workflow_named("absence"), absence, name, by=by, at=at, given=given
    )


def begin_and_end(*, at: dt.datetime) -> int:
    """Begin and end absences whose day has come; return how many."""
    on = here.today(at)
    keel = system_user()
    begins = Absence.objects.filter(state=S.APPROVED, start__lte=on, end__gte=on)
    ends = Absence.objects.filter(state__in=(S.APPROVED, S.ACTIVE), end__lt=on)
    due = [(each, "begin") for each in begins.order_by("pk")]
    due += [(each, "end") for each in ends.order_by("pk")]
    for each, name in due:
        try:
            move_absence(each, name, by=keel, at=at)
        except workflow.Blocked:
            # Somebody was faster: the next tick looks again.
            continue
    return len(due)


def _lock_people(absence: Absence) -> None:
    """Let nobody else change when these people are away, in one order for everybody."""
    ids = [pk for pk in (absence.person_id, absence.cover_id) if pk is not None]
    rows = User.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=ids)
    list(rows.order_by("pk").values_list("pk"))


def _check_person(person: User) -> None:
    if not person.is_active or person.is_system:
        raise Invalid(f"{person} does not work here any more.", field="person")


def _check_open(stored: Absence, changed: list[str]) -> None:
    may = OPEN.get(S(stored.state), frozenset())
    if may.issuperset(changed):
        return
    label = stored.get_state_display().lower()
    if may:
        raise Conflict(
            f"It is {label}, so only the cover can change. Withdraw it and ask for other days."
        )
    raise Conflict(f"It is {label} and cannot change any more.")


def _check(absence: Absence, *, on: dt.date, is_new: bool = True) -> None:
    if absence.end < absence.start:
        raise Invalid("The last day is before the first.", field="end")
    if absence.end - absence.start > MOST_LONG:
        raise Invalid("More than a year. Enter a part of it.", field="end")
    if is_new and absence.start < on - MOST_PAST:
        raise Invalid("That is more than three months ago.", field="start")
    if absence.end > on + MOST_AHEAD:
        raise Invalid("That is more than two years ahead.", field="end")
    others = absences_between(absence.start, absence.end).exclude(pk=absence.pk)
    if other := others.filter(person=absence.person_id).first():
        days = days_between_text(other.start, other.end)
        raise Invalid(
            f"{absence.person} is away {days} already ({other.get_state_display().lower()}). "
            "Change or withdraw that absence, or choose other days.",
            field="start",
            code="overlap",
        )
    if absence.cover is not None:
        _check_cover(absence, absence.cover)


def _check_cover(absence: Absence, cover: User) -> None:
    if cover.pk == absence.person_id:
        raise Invalid("Somebody else has to stand in.", field="cover")
    if not cover.is_active or cover.is_system or not permissions.has_any_role(cover):
        raise Invalid(f"{cover} cannot stand in: no role, or not here any more.", field="cover")
    away = absences_between(absence.start, absence.end).filter(person=cover).first()
    if away:
        days = days_between_text(away.start, away.end)
        raise Invalid(f"{cover} is away {days}. Name somebody else.", field="cover", code="away")


def _note(note: str) -> str:
    if not note.strip():
        return ""
    try:
        return parse_text(note.strip(), max_length=NOTE_MAX, lines=True)
    except BadValue as error:
        raise Invalid(error.detail, field="note", code=error.code) from error


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "")}


def _tell_of_change(
    absence: Absence,
    before: Mapping[str, Any],
    changed: list[str],
    *,
    by: User,
    at: dt.datetime,
) -> None:
    has_other_days = "start" in changed or "end" in changed
    if absence.state == S.DRAFT and has_other_days:
        absence_notices.asked(absence, by=by, at=at)
    if "cover" in changed and before["cover"] is not None:
        absence_notices.cover_freed(absence, before["cover"], by=by, at=at)
    if absence.cover is not None and ("cover" in changed or has_other_days):
        absence_notices.cover_named(absence, by=by, at=at)
