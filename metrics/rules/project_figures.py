"""The key figures of projects, each over a window of days that ends with the day.

As those of requests, a day is told by what had happened until its end. See docs/metric.md.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from metrics.rules.request_figures import Figure, Part, Window

A_DAY = dt.timedelta(days=1)
# From so many accounts on, work serves many.
MANY = 2


@dataclass(frozen=True)
class Increment:
    """A slot of a team; `end` is its last day."""

    id: uuid.UUID
    team: str
    end: dt.date


@dataclass(frozen=True, kw_only=True)
class Project:
    """What is known of a project: where it was planned when, and when it was delivered."""

    id: int
    type: str
    accounts: int
    # In which increment it was put, and when; the last one stands. None: in none.
    places: Sequence[tuple[dt.datetime, uuid.UUID | None]] = ()
    # When it was delivered, and when it was taken back to work; the last one stands.
    deliveries: Sequence[tuple[dt.datetime, bool]] = ()

    def place_at(self, moment: dt.datetime) -> uuid.UUID | None:
        """Return the increment it was planned for just before the moment."""
        until = [place for at, place in self.places if at < moment]
        return until[-1] if until else None

    def delivered_by(self, moment: dt.datetime) -> dt.datetime | None:
        """Return when it was delivered, by what was known at the moment."""
        until = [each for each in self.deliveries if each[0] <= moment]
        at, is_delivered = until[-1] if until else (moment, False)
        return at if is_delivered else None


@dataclass(frozen=True)
class Projects:
    """The projects, and the increments they were planned for."""

    projects: Sequence[Project]
    increments: Mapping[uuid.UUID, Increment]


def on_time(book: Projects, window: Window) -> Figure:
    """The share delivered by the last day, of the projects whose increment ended."""
    found: list[tuple[Project, Increment, bool]] = []
    for project in book.projects:
        delivered = project.delivered_by(window.last)
        for increment in _increments_of(project, book):
            over = _midnight(increment.end + A_DAY, window)
            is_in_window = window.start < over <= window.end
            if is_in_window and project.place_at(over) == increment.id:
                found.append((project, increment, delivered is not None and delivered < over))
    told = [(project.id, project.type, str(each.id), each.team, each.end, is_on_time)
            for project, each, is_on_time in found]  # fmt: skip
    by = {
        "team": _parts((each.team, is_on_time) for _, each, is_on_time in found),
        "type": _parts((project.type, is_on_time) for project, _, is_on_time in found),
    }
    return _share([is_on_time for *_, is_on_time in found], by, told)


def many_accounts(book: Projects, window: Window) -> Figure:
    """The share that serves several accounts, of the projects delivered."""
    found = [
        (project, project.accounts >= MANY)
        for project in book.projects
        if window.holds(project.delivered_by(window.last))
    ]
    told = [(project.id, project.type, is_many) for project, is_many in found]
    by = {"type": _parts((project.type, is_many) for project, is_many in found)}
    return _share([is_many for _, is_many in found], by, told)


Rule = Callable[[Projects, Window], Figure]
PROJECT_RULES: Mapping[str, Rule] = {
    "increments-on-time": on_time,
    "many-account-share": many_accounts,
}


def _increments_of(project: Project, book: Projects) -> list[Increment]:
    ids = dict.fromkeys(place for _, place in project.places if place is not None)
    return [book.increments[each] for each in ids if each in book.increments]


def _midnight(day: dt.date, window: Window) -> dt.datetime:
    zone = window.calendar.zone
    return dt.datetime.combine(day, dt.time(0), zone).astimezone(dt.UTC)


def _share(
    held: Sequence[bool], by: Mapping[str, Sequence[Part]], told: Iterable[object]
) -> Figure:
    count = len(held)
    return Figure(
        numerator=sum(held) if count else None,
        denominator=count or None,
        value=Fraction(sum(held), count) if count else None,
        by=by,
        told=tuple(told),
    )


def _parts(found: Iterable[tuple[str, bool]]) -> list[Part]:
    groups: dict[str, list[bool]] = defaultdict(list)
    for key, holds in found:
        groups[key].append(holds)
    return [
        Part(key, sum(each), len(each), Fraction(sum(each), len(each)))
        for key, each in sorted(groups.items())
    ]
