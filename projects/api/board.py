"""The board over the API: columns with their cards in order, and moving one."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.looking_back import moment_of
from config.lib import fields, parameters
from config.lib.bodies import WriteBody, checked
from config.lib.errors import Invalid, Missing
from config.lib.rows import RowSerializer
from config.lib.then import Then
from config.lib.values import parse_choice, parse_date, parse_datetime, parse_integer_text
from engagements.models import Effort
from engagements.move_bodies import REASON, TRANSITION, move_sent
from people.http import user_of
from people.models import Scope, User
from people.writing import Keyed
from projects import selectors
from projects.api.project_rows import ImpactField
from projects.models import LANES, Lane, Project, ProjectState
from projects.selectors import board as reading
from projects.selectors import then as past
from projects.selectors.board import Stand
from projects.services.ordering import END, LaneChanged, place, place_of

CARDS, MOST_CARDS = 200, 1000
NO_STORE = {"Cache-Control": "no-store"}
LANE = OpenApiParameter(
    "lane", {"type": "string", "enum": list(LANES)}, description="Only this column."
)
COUNT = OpenApiParameter(
    "cards",
    {"type": "integer", "minimum": 1, "maximum": MOST_CARDS, "default": CARDS},
    description="At most so many cards of each column, from its head.",
)


class CardRow(RowSerializer):
    """A project in its column. `position` counts from 1; `version` is what a move sends along."""

    id = fields.UuidField()
    number = fields.PlainField()
    title = fields.PlainField()
    position = fields.IntegerField()
    version = fields.VersionField()
    impact = ImpactField(allow_null=True)
    effort = fields.ChoiceField(Effort.values, allow_null=True)
    score = fields.RatioField(allow_null=True)
    owner = fields.UuidField(allow_null=True)


class LaneRow(RowSerializer):
    """A column: `limit` null is any number; `count` are all its cards, shown here or not."""

    lane = fields.ChoiceField(list(LANES))
    name = fields.PlainField()
    limit = fields.SeatsField(allow_null=True)
    count = fields.SeatsField()
    cards = CardRow(many=True)


class BoardRow(serializers.Serializer[Any]):
    """Columns from left to right."""

    lanes = LaneRow(many=True)


class PlacedRow(RowSerializer):
    """Where the card stands now. `transition` is the move that led there, null within a column."""

    project = fields.UuidField()
    lane = fields.ChoiceField(list(LANES))
    position = fields.IntegerField()
    count = fields.SeatsField()
    version = fields.VersionField()
    transition = fields.PlainField(allow_null=True)


class PlaceBody(WriteBody):
    """Where a card goes: before another, at the end (null), or by its score (left out).

    A move to another column takes what the transition asks for beside: its fields and `reason`.
    """

    row = PlacedRow
    project = fields.UuidField()
    lane = fields.ChoiceField(list(LANES))
    before = fields.UuidField(required=False, allow_null=True)
    version = fields.VersionField()


class BoardView(APIView):
    """The board as it stands.

    With `as_of` or `known_at` as it stood at the end of that day, or at that moment if it came
    before; it is kept from its first project on. `limit` is null then.
    """

    noun = "board"
    scope = Scope.PROJECT_READ
    for_limited_tokens = True
    serializer_class = BoardRow

    @extend_schema(
        summary="Get the board",
        parameters=[LANE, COUNT, parameters.AS_OF, parameters.KNOWN_AT],
    )
    def get(self, request: Request) -> HttpResponseBase:
        parameters.check(request, ("lane", "cards", "as_of", "known_at"))
        then = moment_of(
            parameters.read(request, "as_of", parse_date, None),
            parameters.read(request, "known_at", parse_datetime, None),
            now=timezone.now(),
        )
        lane = parameters.read(request, "lane", _lane, None)
        most = parameters.read(request, "cards", _count, CARDS)
        lanes = tuple(LANES) if lane is None else (lane,)
        told = board_of(user_of(request), lanes, most, then)
        return Response({"lanes": told}, headers=NO_STORE)


class BoardMovesView(Keyed, APIView):
    """Moves of cards, one at a time."""

    noun = "move"
    scope = Scope.PROJECT_READ
    write_scope = Scope.PROJECT_WRITE
    for_limited_tokens = True
    serializer_class = PlacedRow

    @extend_schema(request=PlaceBody, responses=PlacedRow, summary="Move a card")
    def post(self, request: Request) -> HttpResponseBase:
        """Put a card somewhere in its column, or in another by the transition that leads there.

        409 `lane_changed` where the card or its neighbour is not as it was read, with the fresh
        column in `lane`; 409 `blocked` with the guards that do not hold.
        """
        parameters.check(request, ())
        by = user_of(request)
        sent, rest = _split(request.data)
        project = _called(sent["project"], by)
        if project is None:
            raise Missing("No such project.")
        _name, given = move_sent({TRANSITION: "place", **rest}, version=None)
        if sent["lane"] == project.state and (given.values or given.reason):
            name = next(iter(given.values), REASON)
            raise Invalid("A move in a column takes no such field.", field=name, code="unknown")
        try:
            placed = place(
                project,
                lane=sent["lane"],
                before=_before(sent, by),
                version=sent["version"],
                by=by,
                at=timezone.now(),
                given=given,
            )
        except LaneChanged as changed:
            (fresh,) = board_of(by, (sent["lane"],), CARDS)
            raise LaneChanged(changed.message, details={"lane": fresh}) from changed
        position, count = placed.position, placed.count
        if by.limited_to is not None:
            position, count = place_of(project, selectors.projects_visible_to(by))
        told = {
            "project": str(project.uuid),
            "lane": project.state,
            "position": position,
            "count": count,
            "version": project.version,
            "transition": placed.transition.id if placed.transition else None,
        }
        return Response(told, headers=NO_STORE)


def board_of(
    user: User, states: tuple[str, ...], most: int, then: Then | None = None
) -> list[dict[str, Any]]:
    """Return columns with so many cards each, as the API tells them."""
    shown = dict.fromkeys(states, most)
    if then is not None:
        projects = past.open_then(user, then)
        totals = past.counts_then(projects)
        return _told(past.stands_then(projects, states, totals=totals, shown=shown))
    visible = reading.open_projects(selectors.projects_visible_to(user))
    lanes = Lane.objects.in_bulk(states)
    totals = reading.counts(visible)
    found = reading.stands(
        visible,
        [lanes[state] for state in states],
        fitting=totals,
        totals=totals,
        shown=shown,
    )
    return _told(found)


def _told(found: Mapping[str, Stand]) -> list[dict[str, Any]]:
    return [
        {
            "lane": state,
            "name": str(LANES[ProjectState(state)]),
            "limit": stand.lane.limit,
            "count": stand.count,
            "cards": [_card(each, number) for number, each in enumerate(stand.projects, 1)],
        }
        for state, stand in found.items()
    ]


def _card(project: Project, position: int) -> dict[str, Any]:
    return {
        "id": str(project.uuid),
        "number": project.number,
        "title": project.title,
        "position": position,
        "version": project.version,
        "impact": project.impact,
        "effort": project.effort or None,
        "score": None if project.score is None else f"{project.score.normalize():f}",
        "owner": str(project.owner.uuid) if project.owner else None,
    }


def _split(data: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part what says where from what the move asks for."""
    names = ("project", "lane", "before", "version")
    is_object = isinstance(data, Mapping)
    known = {name: data[name] for name in names if name in data} if is_object else data
    rest = {name: value for name, value in data.items() if name not in names} if is_object else {}
    if TRANSITION in rest:
        raise Invalid("The column says which transition it is.", field=TRANSITION, code="unknown")
    return checked(PlaceBody, known), rest


def _before(sent: Mapping[str, Any], by: User) -> Project | str | None:
    if "before" not in sent:
        return None
    if sent["before"] is None:
        return END
    found = _called(sent["before"], by)
    if found is None:
        (fresh,) = board_of(by, (sent["lane"],), CARDS)
        raise LaneChanged(details={"lane": fresh})
    return found


def _called(public_id: uuid.UUID, by: User) -> Project | None:
    visible: QuerySet[Project] = selectors.projects_visible_to(by)
    return visible.filter(uuid=public_id).first()


def _lane(text: str) -> str:
    return parse_choice(text, list(LANES))


def _count(text: str) -> int:
    return parse_integer_text(text, low=1, high=MOST_CARDS)
