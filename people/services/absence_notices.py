"""Who is told of an absence: who decides, who is away, who stands in. Never why."""

import datetime as dt
from collections.abc import Iterable

from django.urls import reverse

from config.lib.ui.formats import days_between_text
from events.services import notify
from events.workflow import Move
from people.models import Absence, Role, User
from people.selectors import people_with_role


def deciders(absence: Absence) -> list[User]:
    rows = people_with_role(Role.DE_LEAD) | people_with_role(Role.LEADERSHIP)
    return list(rows.exclude(pk=absence.person_id).distinct())


def asked(absence: Absence, *, by: User, at: dt.datetime) -> None:
    title = f"Decide on {absence.person}'s absence, {days_of(absence)}"
    _notify(absence, deciders(absence), "asked_of_you", title, by=by, at=at)
    if by.pk != absence.person_id:
        title = f"{by} entered your absence, {days_of(absence)}"
        _notify(absence, [absence.person], "decision", title, by=by, at=at)


def cover_named(absence: Absence, *, by: User, at: dt.datetime) -> None:
    title = f"{by} names you to stand in for {absence.person}, {days_of(absence)}"
    if by.pk == absence.person_id:
        title = f"{by} names you to stand in, {days_of(absence)}"
    _notify(absence, _cover(absence), "asked_of_you", title, by=by, at=at)


def cover_freed(absence: Absence, cover: User, *, by: User, at: dt.datetime) -> None:
    title = f"You no longer stand in for {absence.person}, {days_of(absence)}"
    _notify(absence, [cover], "decision", title, by=by, at=at)


def approved(move: Move) -> None:
    absence: Absence = move.obj
    title = f"Your absence {days_of(absence)} is approved"
    _notify(absence, [absence.person], "decision", title, by=move.by, at=move.at)
    title = f"You stand in for {absence.person}, {days_of(absence)}"
    _notify(absence, _cover(absence), "asked_of_you", title, by=move.by, at=move.at)


def refused(move: Move) -> None:
    absence: Absence = move.obj
    people = [absence.person, absence.asked_by]
    title = f"The absence of {absence.person}, {days_of(absence)}, is refused"
    _notify(absence, people, "decision", title, body=move.reason, by=move.by, at=move.at)


def withdrawn(move: Move) -> None:
    absence: Absence = move.obj
    people = [absence.person, *_cover(absence)]
    if move.was != Absence.State.DRAFT:
        people += deciders(absence)
    title = f"{absence.person} is not away {days_of(absence)}: it was withdrawn"
    _notify(absence, people, "decision", title, by=move.by, at=move.at)


def begun(move: Move) -> None:
    absence: Absence = move.obj
    title = f"{absence.person} is away from now on, and you stand in: {days_of(absence)}"
    _notify(absence, _cover(absence), "due", title, at=move.at)


def days_of(absence: Absence) -> str:
    return days_between_text(absence.start, absence.end)


def _cover(absence: Absence) -> list[User]:
    return [absence.cover] if absence.cover else []


def _notify(
    absence: Absence,
    people: Iterable[User],
    kind: str,
    title: str,
    *,
    body: str = "",
    by: User | None = None,
    at: dt.datetime,
) -> None:
    path = reverse("people:absence", args=[absence.uuid])
    notify(people, kind, title=title, body=body, path=path, by=by, at=at)
