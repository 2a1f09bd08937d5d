"""Who has how many days in the weeks ahead, what does not fit, and who stands in."""

import uuid
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.here import Here, page
from config.lib.authz import require
from config.lib.ui.formats import day_text, days_between_text
from config.lib.values import BadValue, parse_uuid
from people import selectors as people
from people.models import Absence
from projects import permissions
from projects.models import Project, Team
from projects.rules.capacity import NO_DAYS
from projects.selectors import capacity
from projects.selectors.away import Stake, at_stake
from projects.selectors.capacity import IncrementSheet
from projects.selectors.capacity_grid import Cell, Grid, grid
from projects.views.words import StateTag, state_tag


@dataclass(frozen=True)
class Chip:
    label: str
    url: str
    current: bool
    count: int | None = None


@require_safe
def capacity_page(request: HttpRequest) -> HttpResponse:
    here = Here.of(request)
    require(permissions.can_see_projects, here.user)
    teams = list(Team.objects.filter(archived=False).order_by("name"))
    chosen = _chosen(request, teams)
    found = grid(here.today, team=chosen)
    start, end = found.weeks[0].start, found.weeks[-1].end or here.today
    ids = {row.person.pk for row in found.rows}
    context = {
        "teams": teams,
        "team": chosen,
        "chips": _chips(teams, chosen),
        "grid": found,
        "weeks": [_week(found, place, here) for place in range(len(found.weeks))],
        "running": [_line(sheet, here) for sheet in found.sheets],
        "covers": [_cover(each, here) for each in capacity.absences_of(ids, start, end)],
        "promised": sum((row.load.hard for row in _cells(found)), NO_DAYS),
        "free": sum(found.totals, NO_DAYS),
        "may_plan": permissions.can_plan(here.user),
    }
    return page(request, "projects/capacity/page.html", context, here=here)


@require_safe
def absence_at_risk(request: HttpRequest, absence_id: uuid.UUID) -> HttpResponse:
    """What somebody who is away works on: a part of the absence's page, or a page of its own."""
    here = Here.of(request)
    require(permissions.can_see_projects, here.user)
    found = get_object_or_404(people.absences_visible_to(here.user), uuid=absence_id)
    stake: Stake = at_stake(found.person, found.start, found.end)
    context = {
        "absence": found,
        "days": days_between_text(found.start, found.end, here.today),
        "stake": stake,
        "projects": [(each, state_tag(each)) for each in stake.projects],
    }
    return page(request, "projects/capacity/away.html", context, here=here, partial="away-at-risk")


def _chosen(request: HttpRequest, teams: list[Team]) -> Team | None:
    try:
        asked = parse_uuid(request.GET.get("team", ""))
    except BadValue:
        return None
    return next((team for team in teams if team.uuid == asked), None)


def _chips(teams: list[Team], chosen: Team | None) -> list[Chip]:
    url = reverse("projects:capacity")
    if len(teams) < 2:  # noqa: PLR2004
        return []
    chips = [Chip("All teams", url, chosen is None)]
    return [*chips, *(Chip(each.name, f"{url}?team={each.uuid}", each == chosen) for each in teams)]


@dataclass(frozen=True)
class Week:
    """A column of the grid, and a part of the list on a phone."""

    label: str
    days: str
    number: str
    free: object
    cells: list[tuple[object, Cell]]


def _week(grid: Grid, place: int, here: Here) -> Week:
    span = grid.weeks[place]
    end = span.end or span.start
    is_now = span.start <= here.today <= end
    return Week(
        label="This week" if is_now else day_text(span.start, here.today),
        days=days_between_text(span.start, end, here.today),
        number=f"W{span.start.isocalendar().week}",
        free=grid.totals[place],
        cells=[(row, row.cells[place]) for row in grid.rows],
    )


def _cells(grid: Grid) -> list[Cell]:
    return [cell for row in grid.rows for cell in row.cells]


@dataclass(frozen=True)
class Line:
    """An increment in a list."""

    sheet: IncrementSheet
    days: str
    when: str
    tone: str

    @property
    def on(self) -> list[tuple[Project, StateTag]]:
        """Return what is worked on in it."""
        found = {row.project_id: row.project for each in self.sheet.people for row in each.on}
        return [(each, state_tag(each)) for each in found.values()]


def _line(sheet: IncrementSheet, here: Here) -> Line:
    increment = sheet.increment
    is_running = increment.start <= here.today <= increment.end
    when, tone = ("Running", "info") if is_running else ("Ahead", "")
    if increment.end < here.today:
        when = "Over"
    return Line(sheet, days_between_text(increment.start, increment.end, here.today), when, tone)


def _cover(absence: Absence, here: Here) -> tuple[Absence, str]:
    return absence, days_between_text(absence.start, absence.end, here.today)
