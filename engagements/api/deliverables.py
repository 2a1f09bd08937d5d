"""What a statement of work promises, ticked one by one."""

import uuid
from http import HTTPStatus
from typing import Any

from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.lib import fields
from config.lib.authz import require
from config.lib.errors import Invalid
from config.lib.pagination import WholeList
from config.lib.rendering import CsvRenderer, csv_response_of_cells
from config.lib.rows import RowSerializer, cells, header
from engagements import permissions, selectors
from engagements.api.talk import OfRequest
from engagements.models import Attachment, ServiceRequest
from engagements.rules.links import LINK_MAX
from engagements.selectors.delivering import Deliverable
from engagements.services import delivering
from engagements.services.delivering import TEXT_MAX, Evidence
from people.http import user_of
from people.rows import WriterRow
from people.writing import Keyed

AS_CSV = OpenApiParameter(
    "format", {"type": "string", "enum": ["json", "csv"]}, description="csv gives one file."
)
KEY = OpenApiParameter(
    "key",
    {"type": "string", "maxLength": 12, "pattern": "^[-a-zA-Z0-9_]+$"},
    OpenApiParameter.PATH,
    description="Of the deliverable: it stays the same from version to version.",
)


class TickRow(RowSerializer):
    """That it is done, and what shows it. The customer reads `evidence`, and nothing else."""

    evidence = fields.LinesField(max_length=TEXT_MAX)
    url = fields.PlainField()
    file = fields.UuidField(allow_null=True)
    done_on = fields.DateField()
    by = WriterRow()
    at = fields.DateTimeField()


class DeliverableRow(RowSerializer):
    """What the newest version that was sent promises. `tick` is null until it is done."""

    key = fields.PlainField()
    what = fields.TextField()
    detail = fields.LinesField()
    by_whom = fields.TextField()
    by_when = fields.DateField(allow_null=True)
    tick = TickRow(allow_null=True)


class TickBody(fields.StrictSerializer):
    """What shows that it is done. `file` is the id of a file that the request has already."""

    evidence = fields.LinesField(max_length=TEXT_MAX)
    done_on = fields.DateField()
    url = fields.TextField(max_length=LINK_MAX, blank=True, required=False)
    file = fields.UuidField(required=False, allow_null=True)


class UntickBody(fields.StrictSerializer):
    """Why it is not done after all."""

    reason = fields.LinesField(max_length=TEXT_MAX)


class DeliverableViewSet(Keyed, OfRequest):
    """The deliverables of a request, in the order of the statement of work."""

    noun = "deliverable"
    serializer_class = DeliverableRow
    pagination_class = WholeList
    filter_backends = ()
    takes = ()
    lookup_url_kwarg = "key"
    lookup_value_converter = "slug"

    def known_parameters(self) -> set[str]:
        return {"format"}

    @extend_schema(parameters=[AS_CSV])
    def list(self, request: Request, **_found: uuid.UUID) -> HttpResponseBase:
        of = self.service_request()
        rows = [_told(each) for each in selectors.deliverables_of(of)]
        if getattr(request.accepted_renderer, "format", "") == CsvRenderer.format:
            columns = self.columns()
            lines = (cells(columns, row) for row in rows)
            return csv_response_of_cells(f"{of.number}-deliverables.csv", header(columns), lines)
        return Response({"next": None, "previous": None, "results": rows})

    @extend_schema(
        request=TickBody,
        responses={201: DeliverableRow},
        parameters=[KEY],
        summary="Tick a deliverable",
    )
    @action(detail=True, methods=["post"])
    def tick(self, request: Request, **_found: Any) -> HttpResponseBase:
        """While the work is in progress, by who works on it."""
        of, key = self.service_request(), self.kwargs["key"]
        require(permissions.works_on, user_of(request), of)
        body = TickBody(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        evidence = Evidence(
            text=given["evidence"],
            done_on=given["done_on"],
            url=given.get("url") or "",
            attachment=self._file(of, given.get("file")),
        )
        delivering.tick(of, key, evidence, by=user_of(request), at=timezone.now())
        return Response(_one(of, key), status=HTTPStatus.CREATED)

    @extend_schema(
        request=UntickBody,
        responses={200: DeliverableRow},
        parameters=[KEY],
        summary="Take a tick back",
    )
    @action(detail=True, methods=["post"])
    def untick(self, request: Request, **_found: Any) -> HttpResponseBase:
        of, key = self.service_request(), self.kwargs["key"]
        require(permissions.works_on, user_of(request), of)
        body = UntickBody(data=request.data)
        body.is_valid(raise_exception=True)
        reason = body.validated_data["reason"]
        delivering.untick(of, key, reason=reason, by=user_of(request), at=timezone.now())
        return Response(_one(of, key))

    def _file(self, of: ServiceRequest, public_id: uuid.UUID | None) -> Attachment | None:
        if public_id is None:
            return None
        visible = selectors.attachments_visible_to(user_of(self.request), of)
        file = visible.filter(uuid=public_id, sign_off=None).first()
        if file is None:
            raise Invalid(f"{of.number} has no file {public_id}.", field="file", code="unknown")
        return file


def _one(of: ServiceRequest, key: str) -> dict[str, Any]:
    (found,) = (each for each in selectors.deliverables_of(of) if each.key == key)
    return _told(found)


def _told(each: Deliverable) -> dict[str, Any]:
    told = {name: getattr(each, name) for name in ("key", "what", "detail", "by_whom")}
    by_when = each.by_when and each.by_when.isoformat()
    return {**told, "by_when": by_when, "tick": _told_tick(each)}


def _told_tick(each: Deliverable) -> dict[str, Any] | None:
    if each.tick is None:
        return None
    tick = each.tick
    return {
        "evidence": tick.evidence,
        "url": tick.url,
        "file": str(tick.attachment.uuid) if tick.attachment else None,
        "done_on": tick.done_on.isoformat(),
        "by": {"id": str(tick.by.uuid), "name": tick.by.name},
        "at": fields.DateTimeField.write(tick.at),
    }
