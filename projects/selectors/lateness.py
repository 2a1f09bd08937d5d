"""When a project is late: told by the company's days, the same everywhere."""

import datetime as dt

from django.db.models import Q

from accounts.selectors import today
from projects.models import Project, ProjectState

S = ProjectState
AT_WORK = frozenset({S.SCHEDULED, S.IN_PROGRESS})


def due_on(project: Project) -> dt.date | None:
    """Return the last day of what comes next: of its increment, then of its roll-out."""
    if project.state in AT_WORK:
        return project.increment.end if project.increment is not None else None
    return project.roll_out_on if awaits_roll_out(project) else None


def awaits_roll_out(project: Project) -> bool:
    return project.state == S.DELIVERED and project.rolled_out_on is None


def days_late(project: Project, day: dt.date) -> int:
    """Return by how many days its last day is past; 0 where it is not."""
    due = due_on(project)
    return max(0, (day - due).days) if due is not None else 0


def undelivered_on(day: dt.date) -> Q:
    """Match what should have been delivered before the day."""
    return Q(state__in=AT_WORK, increment__end__lt=day)


def late_on(day: dt.date) -> Q:
    """Match what `days_late` says of: not delivered, or not rolled out."""
    return undelivered_on(day) | Q(state=S.DELIVERED, rolled_out_on=None, roll_out_on__lt=day)


def was_late(project: Project) -> bool:
    """Say whether it was delivered after the last day of its increment."""
    increment, delivered_at = project.increment, project.delivered_at
    if increment is None or delivered_at is None:
        return False
    return today(delivered_at) > increment.end
