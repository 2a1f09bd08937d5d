"""Where a card stands: in its own column, or in another by the move that leads there."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import IntegrityError, transaction
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now

from config.lib.authz import require
from config.lib.errors import Conflict, StaleWrite
from config.lib.retries import tried_again
from events.services import record
from events.workflow import NOTHING, Blocked, Case, Given, Transition
from people.models import User
from projects.models import LANES, Project, ProjectAccount, ProjectState
from projects.permissions import can_order
from projects.services.lanes import key_before, lock_lanes
from projects.services.moving import move, workflow_of

END = "end"
TRIES = 5
ONE_RANK = "projects_rank_unique_in_its_lane"
# Where a card goes: directly before another, at the end, or (in a new column) by its score.
Before = Project | str | None


class LaneChanged(Conflict):
    """Somebody else was there in the meantime; nothing was moved."""

    code = "lane_changed"
    default_message = "The board changed meanwhile. Nothing was moved. Look again, then move it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A card that was put somewhere, fresh; and where it came from."""

    project: Project
    was: str
    # The card it stood before; nothing where it was the last.
    was_before: Project | None
    position: int
    count: int
    # The move that was made; nothing within a column.
    transition: Transition | None = None
    # Its increment before the move, for taking the move back.
    was_in: Any = None


def place(
    project: Project,
    *,
    lane: str,
    before: Before = None,
    version: int | None = None,
    by: User,
    at: dt.datetime,
    given: Given = NOTHING,
) -> Placed:
    """Put a card before another, at the end of a column, or in it by its score.

    Raises LaneChanged where the card or its neighbour is no longer where it was seen, and
    otherwise what the move that leads to the column raises: Blocked, PermissionDenied,
    ValidationError.
    """

    def once() -> Placed:
        with transaction.atomic():
            if lane == project.state:
                return _ordered(project, before, version, by=by)
            asked = replace(given, version=version)
            return _moved(project, lane, before, asked, by=by, at=at)

    return tried_again(lambda: _without_clash(once))


def way_to(project: Project, lane: str) -> Transition | None:
    """Return the move that leads from where the project is to the column."""
    table = workflow_of(project)
    for each in table.transitions:
        if project.state in each.sources and lane in each.leads_to - {project.state}:
            return table.transition(each.id)
    return None


def _ordered(project: Project, before: Before, version: int | None, *, by: User) -> Placed:
    require(can_order, by)
    lane = project.state
    lock_lanes([lane])
    locked = _locked(project)
    if version is not None and version != locked.version:
        raise LaneChanged
    neighbour = _neighbour(before, lane, locked)
    was_before = _card(locked.next_pk)
    if neighbour not in (was_before, locked):
        changes = {"rank": key_before(lane, neighbour, locked), "version": F("version") + 1}
        Project.objects.filter(pk=locked.pk).update(**changes, updated_at=Now())
        locked.rank, locked.version = str(changes["rank"]), locked.version + 1
        record(
            "project.reordered",
            locked,
            by=by,
            before={"before": was_before.number if was_before else END},
            after={"before": neighbour.number if neighbour else END, "state": lane},
            account_id=locked.account_ids[0] if len(locked.account_ids) == 1 else None,
        )
    _take_over(project, locked)
    position, count = place_of(project)
    return Placed(project=project, was=lane, was_before=was_before, position=position, count=count)


def _moved(
    project: Project, lane: str, before: Before, given: Given, *, by: User, at: dt.datetime
) -> Placed:
    seen, way = project.state, way_to(project, lane)
    if way is None:
        raise _no_way(project, lane)
    lock_lanes([*way.leads_to, *way.sources, lane])
    locked = _locked(project)
    if locked.state != seen:
        raise LaneChanged
    if way.leads is not None and (goes := way.leads(Case(obj=locked, by=by, at=at))) != lane:
        words = f"{project.number} goes on as {_name(goes)}, not as {_name(lane)}."
        raise _blocked(words, project, way.id)
    neighbour = _neighbour(before, lane, locked)
    was_before, was_in = _card(locked.next_pk), locked.increment_id
    values = dict(given.values)
    if before is not None and "before" in {each.name for each in way.fields}:
        values["before"] = neighbour.number if neighbour else END
    try:
        move(project, way.id, by=by, at=at, given=replace(given, values=values))
    except StaleWrite as stale:
        raise LaneChanged from stale
    position, count = place_of(project)
    return Placed(
        project=project,
        was=seen,
        was_before=was_before,
        position=position,
        count=count,
        transition=way,
        was_in=was_in,
    )


def place_of(project: Project, among: QuerySet[Project] | None = None) -> tuple[int, int]:
    """Return its position in its column, from 1, and how many stand there, of these."""
    rows = Project.objects.all() if among is None else among
    stand = rows.filter(state=project.state).aggregate(
        count=Count("rank"), position=Count("rank", filter=Q(rank__lte=project.rank))
    )
    return stand["position"], stand["count"]


def _without_clash(do: Callable[[], Placed]) -> Placed:
    """Do it anew where somebody put a card at the same place without asking for the column."""
    for attempt in range(TRIES):
        try:
            return do()
        except IntegrityError as error:
            diagnostics = getattr(error.__cause__, "diag", None)
            if getattr(diagnostics, "constraint_name", "") != ONE_RANK or attempt == TRIES - 1:
                raise
    raise LaneChanged


def _locked(project: Project) -> Any:
    """Return the card, locked, with the key of the one behind it and of its accounts."""
    behind = Project.objects.filter(state=OuterRef("state"), rank__gt=OuterRef("rank"))
    links = ProjectAccount.objects.filter(project=OuterRef("pk")).order_by("account_id")
    rows = Project.objects.annotate(
        next_pk=Subquery(behind.order_by("rank").values("pk")[:1]),
        account_ids=ArraySubquery(links.values("account_id")[:2]),
    )
    found = rows.select_for_update(of=("self",), no_key=True).filter(pk=project.pk).first()
    if found is None or found.state != project.state:
        raise LaneChanged
    return found


def _neighbour(before: Before, lane: str, moved: Project) -> Project | None:
    """Return the card it goes before, as it stands now; nothing for the end."""
    if not isinstance(before, Project):
        return None
    found = Project.objects.filter(pk=before.pk, state=lane).only("pk", "rank").first()
    if found is None:
        raise LaneChanged
    return found


def _card(pk: int | None) -> Project | None:
    return Project(pk=pk) if pk else None


def _take_over(project: Project, locked: Project) -> None:
    for name in ("rank", "version", "state"):
        setattr(project, name, getattr(locked, name))


def _no_way(project: Project, lane: str) -> Blocked:
    table = workflow_of(project)
    leads = [
        LANES[ProjectState(target)]
        for each in table.transitions
        if project.state in each.sources
        for target in sorted(each.leads_to - {project.state})
        if target in LANES
    ]
    there = " or ".join(dict.fromkeys(leads)) or "no other column"
    words = f"From {_name(project.state)} it goes to {there}, not to {_name(lane)}."
    return _blocked(words, project, "")


def _blocked(words: str, project: Project, transition: str) -> Blocked:
    guards = [{"code": "no_way", "detail": words}]
    details = {"transition": transition, "state": project.state, "guards": guards}
    return Blocked(words, details=details)


def _name(state: str) -> str:
    known = ProjectState(state)
    return str(LANES.get(known, known.label))
