"""Projects: proposed, their charters changed, moved from state to state."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.lib import etags, filters
from config.lib.authz import require
from config.lib.bodies import checked
from config.lib.errors import Missing
from config.lib.parameters import ETAG, IF_MATCH, IF_MATCH_MAYBE, LOCATION
from config.lib.views import ReadViewSet, Row
from engagements import move_bodies
from engagements.models import Confidence, Effort
from people.http import user_of
from people.models import Scope
from people.writing import Keyed
from projects import permissions, selectors
from projects.api import project_bodies as bodies
from projects.api.project_rows import ProjectRow, ProjectTransitionOptions, with_lists
from projects.models import Project, ProjectState, ProjectType
from projects.services import charters, move, options
from projects.services.asking import ask_move

ID = "id"
OTHERS = ("preempted_by__uuid", "part_of__uuid")


class ProjectViewSet(Keyed, ReadViewSet):
    """Projects with their charters. Scores, votes, plans and artefacts are resources below one.

    A token limited to some accounts knows of the projects that are for these accounts only.
    """

    noun = "project"
    scope, write_scope = Scope.PROJECT_READ, Scope.PROJECT_WRITE
    for_limited_tokens = True
    serializer_class = ProjectRow
    # Names, and what other projects and requests have become, change without the project.
    answers_304 = False
    filterset_class = filters.filter_set(
        "ProjectFilters",
        filters.word("state", choices=ProjectState.values),
        filters.word("kind", choices=Project.Kind.values),
        filters.word("type", choices=ProjectType.values),
        filters.uuid("owner", path="owner__uuid", lookups="exact in isnull"),
        filters.uuid("proposed_by", path="proposed_by__uuid"),
        filters.uuid("lead", path="leads__uuid", lookups="exact"),
        filters.uuid("account", path="accounts__uuid", lookups="exact"),
        filters.uuid("request", path="requests__uuid", lookups="exact"),
        filters.uuid("increment", path="increment__uuid", lookups="exact in isnull"),
        filters.uuid("part_of", path="whole", lookups="exact isnull"),
        filters.integer("impact", lookups="exact gte lte isnull"),
        filters.word("effort", choices=Effort.values),
        filters.word("confidence", choices=Confidence.values),
        filters.ratio("days", lookups="gte lte isnull"),
        filters.ratio("score", lookups="gte lte isnull"),
        filters.ratio("lift", lookups="gte lte isnull"),
        filters.boolean("builds_code", lookups="exact isnull"),
        filters.boolean("inside_product"),
        filters.day("roll_out_on", lookups="gte lte isnull"),
        filters.moment("delivered_at", lookups="gte lte isnull"),
        filters.moment("moved_at"),
        filters.moment("proposed_at"),
        filters.moment("created_at"),
        filters.moment("updated_at"),
    )
    ordering = {
        "number": "id",
        "title": "title",
        "score": "score",
        "lift": "lift",
        "days": "days",
        "impact": "impact",
        "roll_out_on": "roll_out_on",
        "moved_at": "moved_at",
        "proposed_at": "proposed_at",
        "created_at": "created_at",
        "updated_at": "updated_at",
    }
    order_by = ("-id",)
    search_fields = ("title",)
    updated_since = "updated_at"

    def get_queryset(self) -> QuerySet[Project]:
        visible = selectors.projects_visible_to(user_of(self.request))
        found = Project.objects.filter(pk__in=visible.order_by().values("pk"))
        whole = visible.order_by().filter(pk=OuterRef("part_of")).values("uuid")[:1]
        return with_lists(found).annotate(whole=Subquery(whole))

    def completed(self, rows: Sequence[Row]) -> Iterable[Row]:
        user = user_of(self.request)
        if user.limited_to is None:
            return rows
        named = {row[path] for row in rows for path in OTHERS}
        visible = selectors.projects_visible_to(user).filter(uuid__in=named - {None})
        known = set(visible.values_list("uuid", flat=True))
        for row in rows:
            for path in OTHERS:
                row[path] = row[path] if row[path] in known else None
        return rows

    def create(self, request: Request) -> HttpResponseBase:
        """Propose one: it stands in triage, and the DE leads are told."""
        require(permissions.can_propose, user_of(request))
        sent = checked(bodies.ProjectCreate, request.data)
        values = bodies.resolved(sent, by=user_of(request))
        made = charters.propose(values, by=user_of(request), at=timezone.now())
        return self._told(made, HTTPStatus.CREATED)

    def partial_update(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Change the charter. A list replaces the whole list. If-Match says from which version."""
        one = self.one(found)
        etags.require_match(request, etags.etag_of(one.uuid, one.version))
        sent = checked(bodies.ProjectBody, request.data)
        changes = bodies.resolved(sent, by=user_of(request))
        # The service finds out under the lock whether it still is this version.
        by, at = user_of(request), timezone.now()
        return self._told(charters.change_charter(one, changes, version=one.version, by=by, at=at))

    @extend_schema(responses=ProjectTransitionOptions, summary="List what may happen next")
    @action(detail=True)
    def transitions(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Every move from its state: for whom it is, what blocks it, what it asks for."""
        one = self.one(found)
        offered = options(one, user_of(request), at=timezone.now())
        return move_bodies.options_told(one, offered)

    @extend_schema(
        request={"application/json": move_bodies.MOVE_BODY},
        responses={200: ProjectRow},
        summary="Make a move",
    )
    @transitions.mapping.post
    def make_move(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """409 names what blocks it; 403 says who may; 400 names what is missing or wrong."""
        one = self.one(found)
        name, given = move_bodies.move_asked(request, one)
        move(one, name, by=user_of(request), at=timezone.now(), given=given)
        return self._told(one)

    @extend_schema(
        request=move_bodies.AskBody,
        responses={201: move_bodies.AskedMove},
        summary="Ask for a move",
    )
    @action(detail=True, methods=["post"], url_path="transitions/ask", url_name="ask")
    def ask(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Ask those who may for a move that you may not make; they are told."""
        one = self.one(found)
        name, note = move_bodies.wish_sent(request.data)
        asked = ask_move(one, name, by=user_of(request), at=timezone.now(), note=note)
        return Response(move_bodies.told_asked(asked), status=HTTPStatus.CREATED)

    def bodies(self) -> Mapping[str, type[serializers.Serializer[Any]]]:
        return {"create": bodies.ProjectCreate, "partial_update": bodies.ProjectBody}

    def headers_told(self) -> Sequence[OpenApiParameter]:
        match self.action:
            case "create":
                return (ETAG, LOCATION)
            case "partial_update":
                return (IF_MATCH, ETAG)
            case "make_move":
                return (IF_MATCH_MAYBE, ETAG)
        return ()

    def answers_told(self) -> Mapping[int, type[serializers.Serializer[Any]]] | None:
        return {201: self.serializer_class} if self.action == "create" else None

    def one(self, found: Mapping[str, uuid.UUID]) -> Project:
        visible = selectors.projects_visible_to(user_of(self.request))
        one = visible.filter(uuid=found[ID]).first()
        if one is None:
            raise Missing(f"No such {self.noun}.")
        return one

    def _told(self, project: Project, status: int = HTTPStatus.OK) -> HttpResponseBase:
        body, etag = self.answer_about(project.uuid)
        headers = {"ETag": etag}
        if status == HTTPStatus.CREATED:
            address = reverse("api:projects-detail", kwargs={ID: project.uuid})
            headers["Location"] = self.request.build_absolute_uri(address)
        return Response(body, status=status, headers=headers)
