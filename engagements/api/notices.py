"""What the owner of the token was told."""

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.lib import fields, filters
from config.lib.rows import RowSerializer
from config.lib.views import ListViewSet
from events.models import Notice
from events.selectors import notices_of
from events.services import notices as services
from people.http import user_of
from people.models import Scope
from people.writing import Keyed

IDS_MAX = 200


class NoticeRow(RowSerializer):
    """Something you were told. `path` leads to what it is about, on this site."""

    id = fields.UuidField(source="uuid")
    kind = fields.ChoiceField(list(services.KINDS))
    title = fields.TextField()
    body = fields.LinesField()
    path = fields.PlainField()
    at = fields.DateTimeField()
    seen_at = fields.DateTimeField(allow_null=True)


class SeenBody(fields.StrictSerializer):
    """Which notices were read; all of yours without `ids`."""

    ids = serializers.ListField(child=fields.UuidField(), required=False, max_length=IDS_MAX)


class SeenAnswer(fields.StrictSerializer):
    """How many were not read before."""

    seen = fields.IntegerField()


class NoticeViewSet(Keyed, ListViewSet):
    """Your own notices, newest first."""

    noun = "notice"
    scope, write_scope = Scope.REQUEST_READ, Scope.REQUEST_WRITE
    serializer_class = NoticeRow
    filterset_class = filters.filter_set(
        "NoticeFilters",
        filters.word("kind", choices=list(services.KINDS)),
        filters.moment("at"),
        filters.moment("seen_at", lookups="gte lte isnull"),
    )
    ordering = {"at": "id"}
    order_by = ("-id",)

    def get_queryset(self) -> QuerySet[Notice]:
        return notices_of(user_of(self.request))

    @extend_schema(request=SeenBody, responses={200: SeenAnswer}, summary="Mark notices as read")
    @action(detail=False, methods=["post"])
    def seen(self, request: Request) -> HttpResponseBase:
        """Others' notices stay as they are; ids that are not yours are passed over."""
        body = SeenBody(data=request.data)
        body.is_valid(raise_exception=True)
        notices = self.get_queryset()
        if "ids" in body.validated_data:
            notices = notices.filter(uuid__in=body.validated_data["ids"])
        return Response({"seen": services.mark_seen(notices, at=timezone.now())})
