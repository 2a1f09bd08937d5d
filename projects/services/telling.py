"""Who is told of what happens to a project, and in which words.

Titles and bodies name the project and what our people wrote, which everybody with a role may
read; nothing of a customer's people.
"""

import datetime as dt
from collections.abc import Iterable

from django.urls import reverse

from accounts.selectors import today
from config.lib.ui.formats import day_text
from events.models import Notice
from events.services import notify
from events.workflow import Move
from people.models import Role, User
from people.selectors import people_with_role
from projects.models import Project
from projects.services.told import PROJECT


def tell(move: Move) -> None:
    """Tell those whom the move concerns, each of them once."""
    words = words_of(move)
    told: set[int] = set()
    for row in PROJECT.get(move.transition.id, ()):
        found = [person for audience in row.to for person in audience(move)]
        people = {person.pk: person for person in found if person and person.pk not in told}
        told |= people.keys()
        notify_of(
            move.obj,
            people.values(),
            row.kind,
            row.title.format_map(words),
            body=row.body(move) if row.body else move.reason,
            by=move.by,
            at=move.at,
        )


def told_of(move: Move) -> frozenset[int]:
    """Return the keys of the people whom the move was told to, or who made it."""
    rows = PROJECT.get(move.transition.id, ())
    found = [person for row in rows for audience in row.to for person in audience(move)]
    return frozenset(person.pk for person in [*found, move.by] if person)


def words_of(move: Move) -> dict[str, str]:
    """Return what titles may name."""
    on, increment = today(move.at), move.obj.increment
    return {
        "project": named(move.obj),
        "start": day_text(increment.start, on) if increment else "",
        "end": day_text(increment.end, on) if increment else "",
    }


def named(project: Project) -> str:
    return f"{project.number}, {project.title},"


def proposed(project: Project, *, by: User, at: dt.datetime) -> None:
    """Tell the DE leads of a proposal that nobody has scored."""
    title = f"{project.number} was proposed: {project.title}"
    notify_of(
        project, people_with_role(Role.DE_LEAD), "project_moved", title,
        body=project.objectives, by=by, at=at,
    )  # fmt: skip


def move_asked(
    project: Project, label: str, people: Iterable[User], *, note: str, by: User, at: dt.datetime
) -> None:
    title = f"{by.name} asks you for “{label}”: {project.number}, {project.title}"
    notify_of(project, people, "move_asked", title, body=note, by=by, at=at)


def move_refused(
    project: Project, label: str, people: Iterable[User], *, answer: str, by: User, at: dt.datetime
) -> None:
    title = f"{by.name} said no to “{label}”: {project.number}, {project.title}"
    notify_of(project, people, "move_asked", title, body=answer, by=by, at=at)


def notify_of(
    project: Project,
    people: Iterable[User | None],
    kind: str,
    title: str,
    *,
    body: str = "",
    by: User | None = None,
    at: dt.datetime,
) -> list[Notice]:
    """Tell these people something of the project; its page is where it leads."""
    ids = list(project.account_links.values_list("account_id", flat=True)[:2])
    return notify(
        [person for person in people if person],
        kind,
        title=title,
        body=body,
        path=path_of(project),
        account_id=ids[0] if len(ids) == 1 else None,
        by=by,
        at=at,
    )


def path_of(project: Project) -> str:
    return reverse("projects:detail", args=[project.pk])
