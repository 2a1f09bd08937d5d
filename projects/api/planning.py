"""Teams, their increments, and who is on what."""

import uuid
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import CharField, OuterRef, QuerySet
from django.db.models.functions import Cast, JSONObject
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import today
from config.lib import etags, filters
from config.lib.authz import require
from config.lib.bodies import checked
from config.lib.errors import Invalid, Missing
from config.lib.parameters import ETAG, IF_MATCH, LOCATION
from config.lib.values import echo
from config.lib.views import ReadViewSet
from people.http import user_of
from people.models import Scope
from people.rows import colleague_called
from people.writing import Keyed
from projects import permissions, selectors
from projects.api import planning_rows as rows
from projects.models import Allocation, Increment, Membership, Project, Team
from projects.selectors.capacity import increment_sheet
from projects.services import allocating, increments, teams

ID = "id"


class Planned(Keyed, ReadViewSet):
    """What planning resources share. People with a role read them, DE leads write them."""

    scope, write_scope = Scope.PROJECT_READ, Scope.PROJECT_WRITE
    # Names of people change without it.
    answers_304 = False
    body: type[serializers.Serializer[Any]]
    create_body: type[serializers.Serializer[Any]]
    is_versioned = True

    def found(self) -> QuerySet[Any]:
        raise NotImplementedError

    def get_queryset(self) -> QuerySet[Any]:
        require(permissions.can_see_projects, user_of(self.request))
        return self.found()

    def one(self, found: Mapping[str, uuid.UUID]) -> Any:
        one = self.get_queryset().filter(uuid=found[self.lookup_url_kwarg]).first()
        if one is None:
            raise Missing(f"No such {self.noun}.")
        return one

    def bodies(self) -> Mapping[str, type[serializers.Serializer[Any]]]:
        return {"create": self.create_body, "partial_update": self.body}

    def headers_told(self) -> Sequence[OpenApiParameter]:
        match self.action:
            case "create":
                return (ETAG, LOCATION) if self.is_versioned else (LOCATION,)
            case "partial_update":
                return (IF_MATCH, ETAG) if self.is_versioned else ()
        return ()

    def answers_told(self) -> Mapping[int, type[serializers.Serializer[Any]]] | None:
        return {201: self.serializer_class} if self.action == "create" else None

    def told(self, thing: Any, status: int = HTTPStatus.OK) -> HttpResponseBase:
        body, etag = self.answer_about(thing.uuid)
        headers = {"ETag": etag} if etag else {}
        if status == HTTPStatus.CREATED:
            kwargs = {**self.kwargs, self.lookup_url_kwarg: thing.uuid}
            address = reverse(f"api:{self.basename}-detail", kwargs=kwargs)
            headers["Location"] = self.request.build_absolute_uri(address)
        return Response(body, status=status, headers=headers)


class TeamViewSet(Planned):
    """Teams whose days are planned together, with who is in them."""

    noun = "team"
    serializer_class = rows.TeamRow
    body, create_body = rows.TeamBody, rows.TeamCreate
    filterset_class = filters.filter_set(
        "TeamFilters", filters.boolean("archived"), filters.moment("updated_at")
    )
    ordering = {"name": "name", "updated_at": "updated_at"}
    order_by = ("name",)
    search_fields = ("name",)
    updated_since = "updated_at"

    def found(self) -> QuerySet[Team]:
        members = Membership.objects.filter(team=OuterRef("pk")).order_by("person__name", "start")
        shown = JSONObject(
            id="uuid",
            person="person__uuid",
            name="person__name",
            days_a_week=Cast("days_a_week", CharField()),
            start="start",
            end="end",
        )
        return Team.objects.annotate(member_rows=ArraySubquery(members.values(row=shown)))

    def create(self, request: Request) -> HttpResponseBase:
        sent = checked(rows.TeamCreate, request.data)
        made = teams.create_team(**sent, by=user_of(request))
        return self.told(made, HTTPStatus.CREATED)

    def partial_update(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Change it. If-Match says from which version."""
        one = self.one(found)
        etags.require_match(request, etags.etag_of(one.uuid, one.version))
        sent = checked(rows.TeamBody, request.data)
        return self.told(teams.change_team(one, sent, version=one.version, by=user_of(request)))


class MembershipViewSet(Planned):
    """Who is in a team, with how many days a week. `end` is the first day not covered."""

    noun = "part in the team"
    serializer_class = rows.MembershipRow
    body, create_body = rows.MembershipBody, rows.MembershipCreate
    is_versioned = False
    lookup_url_kwarg = "membership_id"
    filterset_class = filters.filter_set(
        "MembershipFilters",
        filters.uuid("person", path="person__uuid"),
        filters.day("start"),
        filters.day("end", lookups="exact gte lte isnull"),
    )
    ordering = {"start": "start", "days_a_week": "days_a_week"}
    order_by = ("start",)

    def found(self) -> QuerySet[Membership]:
        if "team_id" not in self.kwargs:
            return Membership.objects.none()
        return Membership.objects.filter(team=self.team())

    def team(self) -> Team:
        team = Team.objects.filter(uuid=self.kwargs["team_id"]).first()
        if team is None:
            raise Missing("No such team.")
        return team

    def create(self, request: Request, **_found: uuid.UUID) -> HttpResponseBase:
        team = self.team()
        sent = checked(rows.MembershipCreate, request.data)
        person = colleague_called(sent.pop("person"), field="person")
        made = teams.add_member(team, person, **sent, by=user_of(request))
        return self.told(made, HTTPStatus.CREATED)

    def partial_update(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        one = self.one(found)
        sent = checked(rows.MembershipBody, request.data)
        return self.told(teams.change_member(one, sent, by=user_of(request)))

    def destroy(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Take back what was entered by mistake; who leaves is given an `end` instead."""
        teams.remove_member(self.one(found), by=user_of(request))
        return Response(status=HTTPStatus.NO_CONTENT)


class IncrementViewSet(Planned):
    """One- or two-week slots of the teams. `end` is the last day."""

    noun = "increment"
    serializer_class = rows.IncrementRow
    body, create_body = rows.IncrementBody, rows.IncrementsCreate
    filterset_class = filters.filter_set(
        "IncrementFilters",
        filters.uuid("team", path="team__uuid"),
        filters.day("start"),
        filters.day("end"),
        filters.moment("updated_at"),
    )
    ordering = {"start": "start", "name": "name", "updated_at": "updated_at"}
    order_by = ("start",)
    search_fields = ("name",)
    updated_since = "updated_at"

    def found(self) -> QuerySet[Increment]:
        return Increment.objects.all()

    def create(self, request: Request) -> HttpResponseBase:
        """Make those of the next weeks in one step; weeks that have one are left out."""
        sent = checked(rows.IncrementsCreate, request.data)
        team = Team.objects.filter(uuid=sent.pop("team")).first()
        if team is None:
            raise Invalid("There is no such team.", field="team", code="unknown")
        on = today(timezone.now())
        made = increments.make_increments(team, **sent, by=user_of(request), on=on)
        found = self.get_queryset().filter(pk__in=[each.pk for each in made]).order_by("start")
        told = list(self.answers(list(self.as_rows(found))))
        return Response({"increments": told}, status=HTTPStatus.CREATED)

    def partial_update(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Change it. If-Match says from which version; its days only while it is empty."""
        one = self.one(found)
        etags.require_match(request, etags.etag_of(one.uuid, one.version))
        sent = checked(rows.IncrementBody, request.data)
        by, on = user_of(request), today(timezone.now())
        return self.told(increments.change_increment(one, sent, version=one.version, by=by, on=on))

    def destroy(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Take it away; 409 where work is or was planned in it."""
        increments.drop_increment(self.one(found), by=user_of(request))
        return Response(status=HTTPStatus.NO_CONTENT)

    @extend_schema(responses=rows.SheetAnswer, summary="Who has how much time in it")
    @action(detail=True)
    def sheet(self, _request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Days of each person: to give, promised (`hard`), pencilled in (`soft`), free."""
        one = self.get_queryset().select_related("team").filter(uuid=found[ID]).first()
        if one is None:
            raise Missing("No such increment.")
        return Response(rows.told_sheet(increment_sheet(one)))

    def headers_told(self) -> Sequence[OpenApiParameter]:
        return () if self.action == "create" else super().headers_told()

    def answers_told(self) -> Mapping[int, type[serializers.Serializer[Any]]] | None:
        return {201: rows.IncrementsMade} if self.action == "create" else None


class AllocationViewSet(Planned):
    """Days of a person for a project in an increment: promised (`hard`), or pencilled in."""

    noun = "allocation"
    serializer_class = rows.AllocationRow
    body, create_body = rows.AllocationBody, rows.AllocationCreate
    is_versioned = False
    filterset_class = filters.filter_set(
        "AllocationFilters",
        filters.uuid("increment", path="increment__uuid"),
        filters.uuid("project", path="project__uuid"),
        filters.uuid("person", path="person__uuid"),
        filters.boolean("hard", path="is_hard"),
        filters.moment("at"),
    )
    ordering = {"at": "at"}
    order_by = ("-at",)

    def found(self) -> QuerySet[Allocation]:
        return Allocation.objects.all()

    def create(self, request: Request) -> HttpResponseBase:
        """Put a person on a project. Days that do not fit are promised with `despite` only."""
        sent = _resolved(checked(rows.AllocationCreate, request.data), self)
        increment, project, person = (sent.pop(name) for name in ("increment", "project", "person"))
        by, at = user_of(request), timezone.now()
        made = allocating.allocate(increment, project, person, **sent, by=by, at=at)
        return self.told(made, HTTPStatus.CREATED)

    def partial_update(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Change the days, or move them to another person or increment."""
        one = self.one(found)
        sent = _resolved(checked(rows.AllocationBody, request.data), self)
        by, at = user_of(request), timezone.now()
        return self.told(allocating.reallocate(one, **sent, by=by, at=at))

    def destroy(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        allocating.release(self.one(found), by=user_of(request))
        return Response(status=HTTPStatus.NO_CONTENT)


def _resolved(sent: dict[str, Any], view: Planned) -> dict[str, Any]:
    """Return what was sent as the services take it."""
    if "hard" in sent:
        sent["is_hard"] = sent.pop("hard")
    if "person" in sent:
        sent["person"] = colleague_called(sent["person"], field="person")
    if "increment" in sent:
        rows_ = Increment.objects.select_related("team").filter(uuid=sent["increment"])
        sent["increment"] = _known(rows_.first(), "increment", sent["increment"])
    if "project" in sent:
        found: Project | None = selectors.project_called(
            str(sent["project"]), by=user_of(view.request)
        )
        sent["project"] = _known(found, "project", sent["project"])
    return sent


def _known(thing: Any, name: str, sent: Any) -> Any:
    if thing is None:
        raise Invalid(f"There is no {name} “{echo(str(sent))}”.", field=name, code="unknown")
    return thing
