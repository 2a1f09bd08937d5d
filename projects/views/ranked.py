"""The board as one list: what comes first, what it costs, and where the days end."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse

from accounts.here import Here
from config.lib.ui.formats import lift_text
from projects import permissions, selectors
from projects.forms.scoring import LAST
from projects.models import Allocation, Project, RankOverride
from projects.rules import scoring as rules
from projects.selectors.capacity import free_days_ahead
from projects.selectors.ranked import TO_COME
from projects.selectors.scoring import order_of, overrides_on
from projects.views.addresses import page_url
from projects.views.cards import Card, cards_of

MOST_ROWS = 200
WEEK = dt.timedelta(days=7)
NO_DAYS = Decimal(0)


@dataclass(frozen=True)
class Room:
    """The days that are free for what is still to be begun; nothing without an increment."""

    days: Decimal
    # How much of them the projects above the line take.
    planned: Decimal

    @property
    def words(self) -> str:
        return f"{rules.plain(self.planned)} of {rules.plain(self.days)} days planned"

    @property
    def free(self) -> str:
        return rules.plain(self.days)


@dataclass(frozen=True)
class Line:
    """One project in the list."""

    place: int
    card: Card
    running: Decimal
    override: RankOverride | None
    # Whether the days end directly above it.
    is_beyond: bool
    up_url: str
    down_url: str

    @property
    def project(self) -> Project:
        return self.card.project

    @property
    def levels(self) -> str:
        """Return impact and effort in words; nothing where either is not known."""
        impact, effort = self.card.impact, self.card.effort
        if impact is None or effort is None:
            return ""
        return f"{impact.word} {rules.TIMES} {effort.word.lower()}"

    @property
    def lift(self) -> str:
        lift = self.project.lift
        return lift_text(lift) if lift is not None else ""

    @property
    def bounds(self) -> str:
        project = self.project
        if project.lift is None or project.lift_low == project.lift_high:
            return ""
        return f"{lift_text(project.lift_low)} to {lift_text(project.lift_high)}"

    @property
    def days(self) -> str:
        return rules.plain(self.project.days) if self.project.days is not None else ""

    @property
    def total(self) -> str:
        return rules.plain(self.running)

    @property
    def override_url(self) -> str:
        return reverse("projects:override", args=[self.project.pk])


def ranked_context(request: HttpRequest, here: Here, projects: QuerySet[Project]) -> dict[str, Any]:
    """Return what projects/board/ranked.html shows of the board's projects.

    Places and running totals are those among all projects to come, also where few are shown.
    """
    to_come = selectors.projects_visible_to(here.user).filter(state__in=TO_COME)
    order = order_of(to_come.order_by(), on=here.today)
    shown = set(projects.filter(state__in=TO_COME).order_by().values_list("pk", flat=True))
    days = dict(to_come.order_by().values_list("pk", "days"))
    totals = dict(zip(order, _running(order, days), strict=True))
    room = _room(here, list(totals.values()))
    wanted = [pk for pk in order if pk in shown]
    lines = _lines(request, here, order, wanted[:MOST_ROWS], totals, room)
    return {
        "lines": lines,
        "room": room,
        "fits": room is not None and not any(line.is_beyond for line in lines),
        "left_off": max(0, len(wanted) - MOST_ROWS),
        "without_days": sum(days[pk] is None for pk in wanted),
        "may_order": permissions.can_order(here.user),
        "moved_this_week": RankOverride.objects.filter(at__gte=here.now - WEEK).count(),
        "capacity_url": page_url("projects:capacity"),
        "next": request.get_full_path(),
    }


def _lines(
    request: HttpRequest,
    here: Here,
    order: Sequence[int],
    wanted: Sequence[int],
    totals: dict[int, Decimal],
    room: Room | None,
) -> list[Line]:
    found = Project.objects.select_related("owner", "increment").in_bulk(wanted)
    cards = cards_of([found[pk] for pk in wanted], today=here.today)
    overrides = {each.project_id: each for each in overrides_on(here.today)}
    places = {pk: place for place, pk in enumerate(order, 1)}
    next_ = request.get_full_path()
    beyond = _first_beyond(wanted, totals, room)
    return [
        Line(
            place=places[card.project.pk],
            card=card,
            running=totals[card.project.pk],
            override=overrides.get(card.project.pk),
            is_beyond=card.project.pk == beyond,
            up_url=_move_url(card.project.pk, order, places, -1, next_),
            down_url=_move_url(card.project.pk, order, places, 1, next_),
        )
        for card in cards
    ]


def _running(order: Sequence[int], days: dict[int, Decimal | None]) -> Iterator[Decimal]:
    total = NO_DAYS
    for pk in order:
        total += days[pk] or NO_DAYS
        yield total


def _first_beyond(
    wanted: Sequence[int], totals: dict[int, Decimal], room: Room | None
) -> int | None:
    if room is None:
        return None
    return next((pk for pk in wanted if totals[pk] > room.days), None)


def _room(here: Here, totals: Sequence[Decimal]) -> Room | None:
    """Return the free days: also those already given to what stands in the list itself."""
    free = free_days_ahead(here.today)
    increments = [each for team in free.teams for each in team.increments]
    if not increments:
        return None
    own = Allocation.objects.filter(increment__in=increments, project__state__in=TO_COME)
    given = own.aggregate(days=Sum("days"))["days"] or NO_DAYS
    days = free.days + given
    return Room(days, max((each for each in totals if each <= days), default=NO_DAYS))


def _move_url(pk: int, order: Sequence[int], places: dict[int, int], step: int, next_: str) -> str:
    """Return where a project is moved one place up (-1) or down (1); "" at either end."""
    index = places[pk] - 1
    if not 0 <= index + step < len(order):
        return ""
    # Down means before the one after the next, and last where there is none.
    target = index - 1 if step < 0 else index + 2
    before = f"PRJ-{order[target]}" if target < len(order) else LAST
    query = urlencode({"before": before, "next": next_})
    return f"{reverse('projects:override', args=[pk])}?{query}"
