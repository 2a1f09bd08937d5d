"""Statements of work of a request, version by version, and the changes of what was agreed to."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import ValidationError as NotValid
from django.db.models import JSONField, QuerySet, Value
from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from config.lib import etags, filters, parameters
from config.lib.errors import Missing
from config.lib.parameters import ETAG, IF_MATCH, IF_MATCH_MAYBE
from config.lib.rows import RowSerializer
from config.lib.values import parse_integer_text
from config.lib.views import ReadViewSet, Row
from engagements.api import sow_bodies as bodies
from engagements.api.talk import OfRequest
from engagements.models import ChangeRequest, SowVersion
from engagements.rules import diff
from engagements.rules import sow as rules
from engagements.selectors import sows as selectors
from engagements.services import changing, sows
from events.workflow import Given
from people.http import user_of
from people.writing import Keyed

NOTHING_YET = Value(None, output_field=JSONField())
NUMBER_MAX = 30_000
DIFF_TO = OpenApiParameter(
    "diff_to",
    {"type": "integer", "minimum": 1, "maximum": NUMBER_MAX},
    description="The number of a version: what changed since it is told as `diff`.",
)


@extend_schema_view(
    create=extend_schema(
        request=bodies.SowBody, responses={201: bodies.SowDetail}, summary="Begin the first version"
    ),
    update=extend_schema(
        request=bodies.SowBody,
        responses={200: bodies.SowDetail},
        parameters=[IF_MATCH, ETAG],
        summary="Write a draft",
    ),
)
class SowViewSet(Keyed, OfRequest, ReadViewSet):
    """Versions of the statement of work, those thrown away left out; newest first."""

    noun = "version"
    serializer_class = bodies.SowRow
    # Whether it is agreed to changes without it.
    answers_304 = False
    lookup_url_kwarg = "sow_id"
    filterset_class = filters.filter_set("SowFilters", filters.integer("number"))
    ordering = {"number": "number"}
    order_by = ("-number",)

    def get_queryset(self) -> QuerySet[SowVersion]:
        if "request_id" not in self.kwargs:
            return SowVersion.objects.none()
        versions = SowVersion.objects.filter(request=self.service_request(), discarded_at=None)
        return versions.annotate(is_agreed=NOTHING_YET, lacks=NOTHING_YET, differs=NOTHING_YET)

    def get_serializer_class(self) -> type[RowSerializer]:
        return self.serializer_class if self.is_list() else bodies.SowDetail

    def taken(self) -> Sequence[OpenApiParameter]:
        return (DIFF_TO,) if self.action == "retrieve" else ()

    def completed(self, rows: Sequence[Row]) -> Iterable[Row]:
        agreed = selectors.agreed_digests(self.service_request())
        other = None
        if self.action == "retrieve":
            other = parameters.read(self.request, DIFF_TO.name, _number, None)
        for row in rows:
            row["is_agreed"] = row["digest"] in agreed
            row["lacks"] = [
                {"path": each.path, "detail": each.words} for each in rules.missing(row["content"])
            ]
            if other is not None:
                row["differs"] = self._diff(row, other)
        return rows

    def create(self, request: Request, **_found: uuid.UUID) -> HttpResponseBase:
        """A later version begins with a move (`revise`) or, from triage on, with a change."""
        sent = _valid(bodies.SowBody, request)
        with _NamedByPath():
            sow = sows.start_draft(
                self.service_request(), by=user_of(request), at=timezone.now(), data=sent["content"]
            )
        return self._told(sow, HTTPStatus.CREATED)

    def update(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """The whole content. If-Match says from which version of the row; 409 once it was sent."""
        sow = self._one(found)
        etags.require_match(request, etags.etag_of(sow.uuid, sow.version))
        sent = _valid(bodies.SowBody, request)
        with _NamedByPath():
            # The service finds out under the lock whether it still is this version.
            sows.save_draft(
                sow,
                sent["content"],
                by=user_of(request),
                at=timezone.now(),
                version=sow.version,
                note=sent.get("note"),
            )
        return self._told(sow)

    @extend_schema(
        request=bodies.EstimateBody,
        responses={200: bodies.SowDetail},
        parameters=[ETAG],
        summary="Estimate the work",
    )
    @action(detail=True, methods=["post"])
    def estimate(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """Days that DE expects. More than for the version before make a change a larger one."""
        sow = self._one(found)
        days = _valid(bodies.EstimateBody, request)["effort_days"]
        sows.estimate(sow, days, by=user_of(request), at=timezone.now())
        return self._told(sow)

    def _one(self, found: Mapping[str, uuid.UUID]) -> SowVersion:
        one = self.get_queryset().filter(uuid=found["sow_id"]).select_related("request").first()
        if one is None:
            raise Missing(f"No such {self.noun}.")
        return one

    def _diff(self, row: Row, number: int) -> dict[str, Any]:
        other = self.get_queryset().filter(number=number).first()
        if other is None:
            raise Missing(f"There is no version {number} to compare with.")
        found = diff.difference(other.content, row["content"])
        return {
            "to": number,
            "count": found.changes,
            "deliverables": [
                {
                    "key": each.key,
                    "status": each.status,
                    **{name: _words(cell) for name, cell in each.cells.items()},
                }
                for each in found.deliverables
            ],
            "lists": {
                name: [{"status": item.status, "text": _words(item.text)} for item in items]
                for name, items in found.lists.items()
            },
            "values": {name: _words(text) for name, text in found.single.items()},
        }

    def _told(self, sow: SowVersion, status: int = HTTPStatus.OK) -> HttpResponseBase:
        told, etag = self.answer_about(sow.uuid)
        return Response(told, status=status, headers={"ETag": etag})


@extend_schema_view(
    create=extend_schema(
        request=bodies.ChangeBody, responses={201: bodies.SowChangeRow}, summary="Begin a change"
    )
)
class ChangeViewSet(Keyed, OfRequest, ReadViewSet):
    """Changes of what the customer agreed to, newest first."""

    noun = "change"
    serializer_class = bodies.SowChangeRow
    # The names of people change without it.
    answers_304 = False
    lookup_url_kwarg = "change_id"
    filterset_class = filters.filter_set(
        "ChangeFilters",
        filters.word("state", choices=ChangeRequest.State.values),
        filters.word("kind", choices=ChangeRequest.Kind.values),
        filters.moment("at"),
    )
    ordering = {"at": "at"}
    order_by = ("-at",)

    def get_queryset(self) -> QuerySet[ChangeRequest]:
        if "request_id" not in self.kwargs:
            return ChangeRequest.objects.none()
        return ChangeRequest.objects.filter(request=self.service_request())

    def create(self, request: Request, **_found: uuid.UUID) -> HttpResponseBase:
        """The next version is its `after`: write it with PUT, then make the move `send_change`."""
        sent = _valid(bodies.ChangeBody, request)
        change = changing.begin_change(
            self.service_request(), **sent, by=user_of(request), at=timezone.now()
        )
        return self._told(change, HTTPStatus.CREATED)

    @extend_schema(
        request=bodies.ChangeMoveBody,
        responses={200: bodies.SowChangeRow},
        parameters=[IF_MATCH_MAYBE, ETAG],
        summary="Decide on a change, or withdraw it",
    )
    @action(detail=True, methods=["post"])
    def transitions(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """409 names what blocks it; 403 says who may."""
        change = self.get_queryset().filter(uuid=found["change_id"]).first()
        if change is None:
            raise Missing(f"No such {self.noun}.")
        version = etags.version_asked(request, change)
        sent = _valid(bodies.ChangeMoveBody, request)
        given = Given(reason=sent.get("reason", ""), version=version)
        changing.decide(
            change, sent["transition"], by=user_of(request), at=timezone.now(), given=given
        )
        return self._told(change)

    def _told(self, change: ChangeRequest, status: int = HTTPStatus.OK) -> HttpResponseBase:
        told, etag = self.answer_about(change.uuid)
        return Response(told, status=status, headers={"ETag": etag})


class _NamedByPath:
    """Say of what is wrong in a content where it stands in the body."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> None:
        if not isinstance(error, NotValid) or not hasattr(error, "error_dict"):
            return
        raise ValidationError(
            {
                name if name == "note" else f"content.{name}": [
                    ErrorDetail(text, code=each.code or "invalid")
                    for each in errors
                    for text in each.messages
                ]
                for name, errors in error.error_dict.items()
            }
        ) from error


def _valid(body: Any, request: Request) -> dict[str, Any]:
    sent = body(data=request.data)
    sent.is_valid(raise_exception=True)
    found: dict[str, Any] = sent.validated_data
    return found


def _words(text: diff.Text) -> list[dict[str, str]]:
    return [{"kind": kind, "text": words} for kind, words in text.segments]


def _number(text: str) -> int:
    return parse_integer_text(text, low=1, high=NUMBER_MAX)
