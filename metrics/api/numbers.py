"""The number: as of a day, day by day, and by segment."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from config.lib import fields, parameters, values
from config.lib.errors import Invalid
from config.lib.pagination import WholeList
from config.lib.rendering import CsvRenderer, csv_response_of_cells
from config.lib.rows import RowSerializer, cells, header
from config.lib.views import ListViewSet
from metrics import permissions
from metrics.api.runs import NEWEST, VERSION, day, known_at, require_metric, run_asked_for, version
from metrics.models import MetricDefinition, MetricRun
from metrics.selectors import answers, derived, families, figures, runs
from people.http import user_of

SEGMENTS = (*derived.SEGMENTS, *figures.BY)
BY = OpenApiParameter(
    "by",
    {"type": "string", "enum": list(SEGMENTS)},
    required=True,
    description="Accounts by tier, region or tam, renewal exposure by quarter too; requests by "
    "owner, impact, reason or clock; projects by team or type.",
)
FROM = OpenApiParameter("from", parameters.DAY, description="The first day.")
AS_CSV = OpenApiParameter("format", {"type": "string", "enum": ["json", "csv"]})
TO = OpenApiParameter("to", parameters.DAY, description="The last day.")


class DefinitionRow(RowSerializer):
    """One version of the rule behind a number."""

    metric = fields.PlainField(source="slug")
    version = fields.IntegerField(source="number")
    title = fields.TextField()
    unit = fields.ChoiceField(MetricDefinition.Unit.values)
    text = fields.LinesField(max_length=100_000)
    policy = fields.JsonField()
    owner = fields.TextField()
    valid_from = fields.DateField()
    valid_to = fields.DateField(allow_null=True)


class NumberRow(RowSerializer):
    """A published run. `low`: every unknown fails; `high`: every unknown passes.

    Of requests, a `duration` is the median in business hours, of as many as `denominator` says,
    with its 90th percentile; a `count` has neither numerator nor denominator. `running`: how many
    clocks are not decided, all missed in `low` and all met in `high`.

    Worked out from the rows of `seats-deployed`, a `money` is an amount in the reporting currency
    and `detail` says how many accounts are counted, of how many.
    """

    metric = fields.PlainField()
    unit = fields.ChoiceField(MetricDefinition.Unit.values)
    definition_version = fields.IntegerField()
    as_of = fields.DateField()
    revision = fields.IntegerField()
    status = fields.ChoiceField(MetricRun.Status.values)
    numerator = fields.IntegerField(allow_null=True)
    denominator = fields.IntegerField(allow_null=True)
    value = fields.RatioField(allow_null=True)
    low = fields.RatioField(allow_null=True)
    high = fields.RatioField(allow_null=True)
    unknown = fields.IntegerField()
    coverage = fields.RatioField(allow_null=True)
    oldest_reading = fields.DateTimeField(allow_null=True)
    excluded = fields.JsonField()
    computed_at = fields.DateTimeField()
    known_at = fields.DateTimeField()
    input_digest = fields.PlainField()
    percentile_90 = fields.RatioField(allow_null=True)
    running = fields.IntegerField(allow_null=True)
    detail = fields.JsonField(allow_null=True)


class NumberOfADayRow(NumberRow):
    """The same with the target that stands: `value`, `at_most` and `by_day`, or null."""

    target = fields.JsonField(allow_null=True)


class SegmentRow(NumberRow):
    """The same for one segment; `segment` is null for what has none."""

    segment = fields.TextField(allow_null=True)
    label = fields.TextField()  # type: ignore[assignment]


class MetricViewSet(ListViewSet):
    """The metrics: their definitions, and the number of one as of a day.

    The newest published revision of that day, or of the last day before it that has one;
    `as_of` in the answer says which. `known_at` asks for what had been published by then.
    """

    noun = "metric"
    scope = "metrics:read"
    ordering = {"metric": "slug", "version": "number", "valid_from": "valid_from"}
    order_by = ("slug", "-number")
    lookup_field = "slug"
    lookup_value_converter = "slug"

    def get_serializer_class(self) -> type[RowSerializer]:
        return DefinitionRow if self.is_list() else NumberOfADayRow

    def taken(self) -> Sequence[OpenApiParameter]:
        return () if self.is_list() else NEWEST

    def get_queryset(self) -> QuerySet[MetricDefinition]:
        if not permissions.can_see_metrics(user_of(self.request)):
            return MetricDefinition.objects.none()
        return runs.definitions()

    def retrieve(self, request: Request, slug: str) -> Response:
        run = run_asked_for(request, slug)
        return Response(answers.with_target(run, known_at=known_at(request)))


class SeriesViewSet(ListViewSet):
    """One point a day: the newest published revision of each."""

    noun = "day"
    scope = "metrics:read"
    serializer_class = NumberRow
    takes = (FROM, TO, parameters.KNOWN_AT, VERSION)
    ordering = {"as_of": "day"}
    order_by = ("day",)

    def get_queryset(self) -> QuerySet[MetricRun]:
        if "slug" not in self.kwargs:
            return MetricRun.objects.none()
        slug = self.kwargs["slug"]
        require_metric(self.request, slug)
        start, end = day(self.request, "from"), day(self.request, "to")
        if start and end and start > end:
            raise Invalid("The last day is before the first.", field="to", code="ends_early")
        newest = runs.newest_of_each_day(
            slug,
            start=start,
            end=end,
            known_at=known_at(self.request),
            version=version(self.request),
        )
        return MetricRun.objects.filter(pk__in=newest.values("pk")).select_related("definition")

    def as_rows(self, queryset: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
        return queryset

    def answers(self, rows: Sequence[Any]) -> Iterable[dict[str, Any]]:
        return map(answers.as_json, rows)


class SegmentViewSet(ListViewSet):
    """The number of each tier, region or TAM, or of each owner, impact or reason; never paged."""

    noun = "segment"
    scope = "metrics:read"
    serializer_class = SegmentRow
    takes = (BY, *NEWEST, AS_CSV)
    pagination_class = WholeList
    filter_backends = ()

    def known_parameters(self) -> set[str]:
        return {parameter.name for parameter in self.takes}

    def list(self, request: Request, slug: str) -> HttpResponseBase:  # type: ignore[override]
        require_metric(request, slug)
        known = _segments(slug)
        by = parameters.read(request, "by", _segmentation, "")
        if not by:
            raise Invalid(f"Say by what: {', '.join(known)}.", field="by", code="required")
        if by not in known:
            raise Invalid(
                f"{slug} has no parts by {by}. Ask by one of: {', '.join(known)}.",
                field="by",
                code="invalid_choice",
            )
        run = run_asked_for(request, slug)
        found = answers.segments_as_json(run, by)
        if getattr(request.accepted_renderer, "format", "") == CsvRenderer.format:
            columns = self.columns()
            lines = (cells(columns, item) for item in found)
            name = f"{slug}-by-{by}-{_today()}.csv"
            return csv_response_of_cells(name, header(columns), lines)
        return Response({"next": None, "previous": None, "results": found})


def _segmentation(text: str) -> str:
    return values.parse_choice(text, SEGMENTS)


def _segments(slug: str) -> Collection[str]:
    if families.family_of(slug) is families.FIGURES:
        return figures.BY
    return derived.segmentations(families.rule_of(slug))


def _today() -> dt.date:
    return timezone.now().date()
