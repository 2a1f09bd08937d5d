"""`board-packs/`: the monthly reports, as they were kept."""

import uuid
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import JSONField, QuerySet, Value
from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from config.lib import fields, filters
from config.lib.authz import require
from config.lib.errors import Missing
from config.lib.rows import RowSerializer
from config.lib.views import ReadViewSet, Row
from metrics import permissions
from metrics.models import BoardPack
from metrics.selectors import packs
from metrics.selectors.answers import share
from people.http import user_of
from people.models import Scope
from people.rows import WriterRow

NOTHING_YET = Value(None, output_field=JSONField())


class BoardPackRow(RowSerializer):
    """An edition of a month. `value` and what it is of are those of the month's last day."""

    id = fields.UuidField(source="uuid")
    month = fields.DateField()
    edition = fields.IntegerField()
    as_of = fields.DateField(source="run.day")
    definition_version = fields.IntegerField(source="run.definition.number")
    revision = fields.IntegerField(source="run.revision")
    numerator = fields.IntegerField(source="run.numerator", allow_null=True)
    denominator = fields.IntegerField(source="run.denominator", allow_null=True)
    value = fields.RatioField(source="share", allow_null=True)
    known_at = fields.DateTimeField()
    made_at = fields.DateTimeField()
    made_by = WriterRow()
    mailed_at = fields.DateTimeField(allow_null=True)
    digest = fields.PlainField()
    pdf = fields.PlainField(source="paper")


class BoardPackDetail(BoardPackRow):
    """With all that it says; `told.runs` names every run shown and the digest of its inputs."""

    told = fields.JsonField()


class PdfRenderer(BaseRenderer):
    """Names the type to content negotiation; the view sends the bytes itself."""

    media_type = "application/pdf"
    format = "pdf"


class BoardPackViewSet(ReadViewSet):
    """The monthly reports to the board, as they were kept."""

    noun = "board pack"
    scope = Scope.METRICS_READ
    serializer_class = BoardPackRow
    filterset_class = filters.filter_set(
        "BoardPackFilters",
        filters.day("month"),
        filters.integer("edition", lookups="exact"),
    )
    ordering = {"month": "month", "made_at": "made_at"}
    order_by = ("-month", "-edition")

    def get_serializer_class(self) -> type[RowSerializer]:
        return BoardPackRow if self.is_list() else BoardPackDetail

    def get_renderers(self) -> list[Any]:
        return [PdfRenderer()] if self.action == "pdf" else super().get_renderers()

    def get_queryset(self) -> QuerySet[BoardPack]:
        user = user_of(self.request)
        require(permissions.can_see_metrics, user)
        found = packs.packs_visible_to(user).select_related(None).order_by()
        return found.annotate(share=NOTHING_YET, paper=NOTHING_YET)

    def completed(self, rows: Sequence[Row]) -> Iterable[Row]:
        for row in rows:
            value = share(row["run__numerator"], row["run__denominator"])
            row["share"] = None if value is None else Decimal(value)
            path = reverse("api:board-packs-pdf", kwargs={"id": row["uuid"]})
            row["paper"] = self.request.build_absolute_uri(path)
        return rows

    @extend_schema(
        responses={(200, "application/pdf"): OpenApiTypes.BINARY}, summary="Download the paper"
    )
    @action(detail=True)
    def pdf(self, _request: Request, **found: uuid.UUID) -> HttpResponseBase:
        """The PDF as it was made with this edition."""
        pack = self.get_queryset().filter(uuid=found["id"]).first()
        if pack is None:
            raise Missing("No such board pack.")
        name = f"board-pack-{pack.month:%Y-%m}-edition-{pack.edition}.pdf"
        return HttpResponse(
            bytes(pack.pdf),
            content_type="application/pdf",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
