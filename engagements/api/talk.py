"""What is said about a request, and its files."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.db.models import JSONField, QuerySet, Value
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from config.lib import fields, filters
from config.lib.errors import Missing
from config.lib.rendering import file_response
from config.lib.rows import RowSerializer
from config.lib.uploads import FileField, form_of
from config.lib.views import ListViewSet, Row
from engagements import selectors
from engagements.models import Attachment, Comment, ServiceRequest
from engagements.services.attachments import content_of, keep_file
from engagements.services.conversation import MENTIONS_MAX, TEXT_MAX, add_comment
from people.http import user_of
from people.models import Scope
from people.rows import WriterRow
from people.writing import Keyed

NOTHING_YET = Value(None, output_field=JSONField())
TEXT, ID = {"type": "string"}, {"type": "string", "format": "uuid"}
PERSON = {"type": "object", "required": ["id", "name"], "properties": {"id": ID, "name": TEXT}}
FILE = {
    "type": "object",
    "required": ["id", "name", "content_type", "size"],
    "properties": {"id": ID, "name": TEXT, "content_type": TEXT, "size": {"type": "integer"}},
}
LOCATION = OpenApiParameter(
    "Location", {"type": "string", "format": "uri"}, OpenApiParameter.HEADER, response=[201]
)


class CommentRow(RowSerializer):
    """Markdown; only for people in Keel. One that was withdrawn has no text any more."""

    id = fields.UuidField(source="uuid")
    by = WriterRow()
    at = fields.DateTimeField()
    text = fields.LinesField(max_length=TEXT_MAX)
    mentions = fields.JsonListField(PERSON, source="named")
    files = fields.JsonListField(FILE, source="kept")
    edited_at = fields.DateTimeField(allow_null=True)
    withdrawn_at = fields.DateTimeField(source="deleted_at", allow_null=True)
    version = fields.IntegerField()


class CommentBody(fields.StrictSerializer):
    """What to say. Mentions of those who may not see the request are left out."""

    text = fields.LinesField(max_length=TEXT_MAX)
    mentions = serializers.ListField(
        child=fields.PersonField(), required=False, max_length=MENTIONS_MAX
    )


class AttachmentRow(RowSerializer):
    """A file. `content_type` is what its bytes are, not what the sender said."""

    id = fields.UuidField(source="uuid")
    name = fields.NameField()
    content_type = fields.PlainField()
    size = fields.IntegerField()
    sha256 = fields.PlainField()
    by = WriterRow()
    at = fields.DateTimeField()
    comment = fields.UuidField(source="comment.uuid", allow_null=True)
    sign_off = fields.UuidField(source="sign_off.uuid", allow_null=True)


class AttachmentBody(fields.StrictSerializer):
    """A file of a kind that is taken, up to 10 MB."""

    file = FileField()


class BytesRenderer(BaseRenderer):
    """Names any type to content negotiation; the view streams the file itself."""

    media_type = "*/*"
    format = "bytes"


class OfRequest(ListViewSet):
    """Something that belongs to one request, which the reader may know of."""

    scope, write_scope = Scope.REQUEST_READ, Scope.REQUEST_WRITE
    for_limited_tokens = True

    def service_request(self) -> ServiceRequest:
        visible = selectors.requests_visible_to(user_of(self.request))
        found = visible.filter(uuid=self.kwargs["request_id"]).first()
        if found is None:
            raise Missing("No such service request.")
        return found

    def answered(self, queryset: "QuerySet[Any, Any]") -> HttpResponseBase:
        """Answer with what was made just now."""
        (told,) = self.answers(list(self.as_rows(queryset)))
        return Response(told, status=HTTPStatus.CREATED)


@extend_schema_view(
    create=extend_schema(
        request=CommentBody, responses={201: CommentRow}, summary="Say something about a request"
    )
)
class CommentViewSet(Keyed, OfRequest):
    """The conversation of a request, newest first."""

    noun = "comment"
    serializer_class = CommentRow
    filterset_class = filters.filter_set("CommentFilters", filters.moment("at"))
    ordering = {"at": "at"}
    order_by = ("-at",)

    def get_queryset(self) -> QuerySet[Comment]:
        if "request_id" not in self.kwargs:
            return Comment.objects.none()
        comments = Comment.objects.filter(request=self.service_request())
        return comments.annotate(named=NOTHING_YET, kept=NOTHING_YET)

    def further_paths(self) -> Sequence[str]:
        return ("pk",)

    def completed(self, rows: Sequence[Row]) -> Iterable[Row]:
        keys = [row["pk"] for row in rows]
        found = Comment.objects.filter(pk__in=keys).prefetch_related("mentions", "attachments")
        comments = {comment.pk: comment for comment in found}
        for row in rows:
            comment = comments[row["pk"]]
            row["named"] = [
                {"id": str(person.uuid), "name": person.name} for person in comment.mentions.all()
            ]
            row["kept"] = [_told_file(file) for file in comment.attachments.all()]
        return rows

    def create(self, request: Request, **_found: uuid.UUID) -> HttpResponseBase:
        body = CommentBody(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        comment = add_comment(
            self.service_request(),
            given["text"],
            mentions=given.get("mentions", ()),
            by=user_of(request),
            at=timezone.now(),
        )
        return self.answered(self.get_queryset().filter(pk=comment.pk))


@extend_schema_view(
    create=extend_schema(
        request={"multipart/form-data": AttachmentBody},
        responses={201: AttachmentRow},
        parameters=[LOCATION],
        summary="Add a file to a request",
    )
)
class AttachmentViewSet(Keyed, OfRequest):
    """The files of a request. Evidence of sign-offs only for who sees the customer's people."""

    noun = "file"
    serializer_class = AttachmentRow
    filterset_class = filters.filter_set("AttachmentFilters", filters.moment("at"))
    ordering = {"at": "at"}
    order_by = ("-at",)
    parser_classes = (MultiPartParser,)
    lookup_field = "uuid"
    lookup_url_kwarg = "file_id"
    lookup_value_converter = "uuid"

    def get_renderers(self) -> list[Any]:
        return [BytesRenderer()] if self.action == "content" else super().get_renderers()

    def get_queryset(self) -> QuerySet[Attachment]:
        if "request_id" not in self.kwargs:
            return Attachment.objects.none()
        visible = selectors.attachments_visible_to(user_of(self.request), self.service_request())
        return visible.order_by().select_related(None)

    def create(self, request: Request, **_found: uuid.UUID) -> HttpResponseBase:
        body = AttachmentBody(data=form_of(request.data))
        body.is_valid(raise_exception=True)
        of = self.service_request()
        file = keep_file(of, body.validated_data["file"], by=user_of(request), at=timezone.now())
        answer = self.answered(self.get_queryset().filter(pk=file.pk))
        found = {"request_id": of.uuid, "file_id": file.uuid}
        address = reverse("api:attachments-content", kwargs=found)
        answer["Location"] = request.build_absolute_uri(address)
        return answer

    @extend_schema(
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
        summary="Download one file",
    )
    @action(detail=True)
    def content(self, _request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """The bytes as they were sent; `Content-Type` is what they are."""
        file = self.get_queryset().filter(uuid=found["file_id"]).first()
        if file is None:
            raise Missing("No such file.")
        return file_response(
            content_of(file), name=file.name, content_type=file.content_type, size=file.size
        )


def _told_file(file: Attachment) -> Mapping[str, Any]:
    return {
        "id": str(file.uuid),
        "name": file.name,
        "content_type": file.content_type,
        "size": file.size,
    }
