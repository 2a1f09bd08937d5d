"""Absences: asked for, changed, withdrawn. Decided by people in Keel only."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.lib import etags, fields, filters
from config.lib.bodies import WriteBody, checked
from config.lib.errors import Missing
from config.lib.parameters import ETAG, IF_MATCH, IF_MATCH_MAYBE, LOCATION
from config.lib.rows import RowSerializer
from config.lib.views import ReadViewSet, Row
from events.workflow import REASON_MAX, Given
from people import permissions, selectors
from people.http import user_of
from people.models import Absence, Scope
from people.rows import colleague_called
from people.services.absences import NOTE_MAX, ask_for_absence, change_absence, move_absence
from people.writing import Keyed

MOVES = ("approve", "refuse", "withdraw")


class SomebodyRow(RowSerializer):
    id = fields.UuidField(source="uuid")
    name = fields.NameField()
    email = fields.EmailField()


class AbsenceRow(RowSerializer):
    """Days somebody is away, both included.

    `note` is null for whose business it is not: all but the person, who entered it and who decides.
    """

    id = fields.UuidField(source="uuid")
    state = fields.ChoiceField(Absence.State.values)
    person = SomebodyRow()
    start = fields.DateField()
    end = fields.DateField()
    cover = SomebodyRow(allow_null=True)
    note = fields.LinesField(allow_null=True)
    asked_by = SomebodyRow()
    asked_at = fields.DateTimeField()
    decided_by = SomebodyRow(allow_null=True)
    decided_at = fields.DateTimeField(allow_null=True)
    updated_at = fields.DateTimeField()
    version = fields.IntegerField()


class AbsenceBody(WriteBody):
    """The days, who stands in, and a note. Once it is approved only `cover` can change."""

    row = AbsenceRow
    start = fields.DateField(required=False)
    end = fields.DateField(required=False)
    cover = fields.PersonField(required=False, allow_null=True)
    note = fields.LinesField(max_length=NOTE_MAX, blank=True, required=False)


class AbsenceCreate(AbsenceBody):
    """Days off for yourself; a DE lead or leadership names another `person`."""

    person = fields.PersonField(required=False)
    start = fields.DateField()
    end = fields.DateField()


class AbsenceMoveBody(fields.StrictSerializer):
    """`withdraw` takes it back. Who decides, `approve` or `refuse`, is signed in."""

    transition = fields.ChoiceField(MOVES)
    reason = fields.LinesField(max_length=REASON_MAX, blank=True, required=False)


class AbsenceViewSet(Keyed, ReadViewSet):
    """Who is away when, and who stands in."""

    noun = "absence"
    scope, write_scope = Scope.PROJECT_READ, Scope.PROJECT_WRITE
    serializer_class = AbsenceRow
    # Names of people change without it.
    answers_304 = False
    filterset_class = filters.filter_set(
        "AbsenceFilters",
        filters.word("state", choices=Absence.State.values),
        filters.uuid("person", path="person__uuid"),
        filters.uuid("cover", path="cover__uuid", lookups="exact in isnull"),
        filters.day("start"),
        filters.day("end"),
        filters.moment("updated_at"),
    )
    ordering = {"start": "start", "end": "end", "updated_at": "updated_at"}
    order_by = ("start",)
    updated_since = "updated_at"

    def get_queryset(self) -> QuerySet[Absence]:
        visible = selectors.absences_visible_to(user_of(self.request))
        return visible.order_by().select_related(None)

    def further_paths(self) -> Sequence[str]:
        return ("person_id", "asked_by_id")

    def completed(self, rows: Sequence[Row]) -> Iterable[Row]:
        user = user_of(self.request)
        decides = permissions.decides_on_absences(user)
        for row in rows:
            if not decides and user.pk not in (row["person_id"], row["asked_by_id"]):
                row["note"] = None
        return rows

    def create(self, request: Request) -> HttpResponseBase:
        """Ask for days off. Those who decide are told."""
        user = user_of(request)
        sent = _resolved(checked(AbsenceCreate, request.data))
        person = sent.pop("person", user)
        made = ask_for_absence(person=person, **sent, by=user, at=timezone.now())
        return self._told(made, HTTPStatus.CREATED)

    def partial_update(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Change it. If-Match says from which version."""
        one = self.one(found)
        etags.require_match(request, etags.etag_of(one.uuid, one.version))
        changes = _resolved(checked(AbsenceBody, request.data))
        by, at = user_of(request), timezone.now()
        return self._told(change_absence(one, changes, version=one.version, by=by, at=at))

    @extend_schema(
        request=AbsenceMoveBody, responses={200: AbsenceRow}, summary="Withdraw, or decide"
    )
    @action(detail=True, methods=["post"])
    def transitions(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """409 names what blocks it; 403 says who may."""
        one = self.one(found)
        version = etags.version_asked(request, one)
        body = AbsenceMoveBody(data=request.data)
        body.is_valid(raise_exception=True)
        sent = body.validated_data
        given = Given(reason=sent.get("reason", ""), version=version)
        move_absence(one, sent["transition"], by=user_of(request), at=timezone.now(), given=given)
        return self._told(one)

    def bodies(self) -> Mapping[str, type[serializers.Serializer[Any]]]:
        return {"create": AbsenceCreate, "partial_update": AbsenceBody}

    def headers_told(self) -> Sequence[OpenApiParameter]:
        match self.action:
            case "create":
                return (ETAG, LOCATION)
            case "partial_update":
                return (IF_MATCH, ETAG)
            case "transitions":
                return (IF_MATCH_MAYBE, ETAG)
        return ()

    def answers_told(self) -> Mapping[int, type[serializers.Serializer[Any]]] | None:
        return {201: self.serializer_class} if self.action == "create" else None

    def one(self, found: Mapping[str, uuid.UUID]) -> Absence:
        visible = selectors.absences_visible_to(user_of(self.request))
        one = visible.filter(uuid=found["id"]).first()
        if one is None:
            raise Missing("No such absence.")
        return one

    def _told(self, absence: Absence, status: int = HTTPStatus.OK) -> HttpResponseBase:
        body, etag = self.answer_about(absence.uuid)
        headers = {"ETag": etag}
        if status == HTTPStatus.CREATED:
            address = reverse("api:absences-detail", kwargs={"id": absence.uuid})
            headers["Location"] = self.request.build_absolute_uri(address)
        return Response(body, status=status, headers=headers)


def _resolved(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was sent with people for their ids and addresses."""
    found = dict(sent)
    for name in ("person", "cover"):
        if found.get(name) is not None:
            found[name] = colleague_called(found[name], field=name)
    return found
