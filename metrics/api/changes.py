"""Why the number moved between two days."""

import datetime as dt
from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.lib import fields, parameters, values
from config.lib.errors import Invalid, Missing
from config.lib.pagination import WholeList
from config.lib.rendering import CsvRenderer, csv_response_of_cells
from config.lib.rows import RowSerializer, cells, header
from config.lib.views import ListViewSet
from metrics.api.numbers import NumberRow
from metrics.api.runs import day, known_at, require_accounts
from metrics.models import MetricRun
from metrics.rules.derived_explaining import MORE_CAUSES, Way
from metrics.rules.explaining import Cause, Move
from metrics.selectors import changes, families, movements

FROM = OpenApiParameter("from", parameters.DAY, required=True, description="The old day.")
TO = OpenApiParameter("to", parameters.DAY, required=True, description="The new day.")
FROM_KNOWN_AT = OpenApiParameter(
    "from_known_at",
    parameters.MOMENT,
    description="By what was published of the old day at this moment; `known_at`, if left out.",
)
AS_CSV = OpenApiParameter(
    "format",
    {"type": "string", "enum": ["json", "csv"]},
    description="csv gives the contributions as one file.",
)


@extend_schema_field({"type": "string", "pattern": r"^-?\d+/\d+$", "examples": ["1/64"]})
class ExactField(fields.PlainField):
    """A fraction, exact; only ever answered."""


class SideRow(RowSerializer):
    """What the run of a day saw of an account; null where it was not on record."""

    arr = fields.AmountField(allow_null=True)
    licensed = fields.IntegerField()
    deployed = fields.IntegerField(allow_null=True)
    share = fields.RatioField(allow_null=True)
    eligible = fields.BooleanField()
    passes = fields.BooleanField(allow_null=True)
    reason = fields.PlainField()


class ContributionRow(RowSerializer):
    """What one account did to the number. `account` is null where it is not on record any more."""

    account = fields.UuidField(allow_null=True)
    number = fields.PlainField(allow_null=True)
    external_id = fields.ExternalIdField(allow_null=True)
    name = fields.NameField(allow_null=True)
    move = fields.ChoiceField([*(move.value for move in Move), Way.CHANGED.value])
    contribution = ExactField()
    points = fields.RatioField(allow_null=True)
    cause = fields.ChoiceField([*(cause.value for cause in Cause), *MORE_CAUSES])
    earned = fields.BooleanField()
    contraction = fields.BooleanField()
    before = SideRow(allow_null=True)
    after = SideRow(allow_null=True)
    work = fields.JsonListField({"type": "object", "additionalProperties": True})


class RestatedRow(RowSerializer):
    """The old day under the new definition, where the two days differ in it."""

    numerator = fields.IntegerField(allow_null=True)
    denominator = fields.IntegerField(allow_null=True)
    value = fields.RatioField(allow_null=True)


class ContractionRow(RowSerializer):
    """What the number gained because customers have fewer licences; null where nothing."""

    accounts = fields.IntegerField()
    contribution = ExactField()
    points = fields.RatioField()
    arr_before = fields.AmountField()
    arr_after = fields.AmountField()


@extend_schema_serializer(many=False)
class ChangeRow(serializers.Serializer[Any]):
    """The contributions sum exactly to `delta`; null and none where a day has no number."""

    to = NumberRow()
    delta = ExactField(allow_null=True)
    delta_points = fields.RatioField(allow_null=True)
    earned = ExactField(allow_null=True)
    earned_points = fields.RatioField(allow_null=True)
    unearned = ExactField(allow_null=True)
    unearned_points = fields.RatioField(allow_null=True)
    stayed = fields.IntegerField(allow_null=True)
    restated = RestatedRow(allow_null=True)
    contraction = ContractionRow(allow_null=True)
    contributions = ContributionRow(many=True)

    def get_fields(self) -> dict[str, Any]:
        # The name is a word of the language.
        return {"from": NumberRow(), **super().get_fields()}


class ChangeViewSet(ListViewSet):
    """Why the number moved: what each account contributed, and the one cause of it.

    `from` and `to` are the newest published revisions of those days, or of the last days before
    them that have one. Only seats gained and lost are earned. Accounts that did not change side
    are counted in `stayed`. Between two revisions of one day everything is `corrected`.
    Of a number that is no share there are no points: `contribution` is in its unit, and `move`
    says whether the account came in, went out or is counted on both days.
    """

    noun = "change"
    scope = "metrics:read"
    serializer_class = ContributionRow
    takes = (FROM, TO, parameters.KNOWN_AT, FROM_KNOWN_AT, AS_CSV)
    pagination_class = WholeList
    filter_backends = ()

    def known_parameters(self) -> set[str]:
        return {parameter.name for parameter in self.takes}

    @extend_schema(responses=ChangeRow, summary="Explain a change")
    def list(self, request: Request, slug: str) -> HttpResponseBase:  # type: ignore[override]
        require_accounts(request, slug)
        before, after = _runs(request, slug)
        is_share = families.family_of(after.definition) is families.SEATS
        found = (changes if is_share else movements).as_json(before, after)
        if getattr(request.accepted_renderer, "format", "") == CsvRenderer.format:
            columns = self.columns()
            lines = (cells(columns, each) for each in found["contributions"])
            name = f"{slug}-changes-{before.day}-{after.day}.csv"
            return csv_response_of_cells(name, header(columns), lines)
        return Response(found)


def _runs(request: Request, slug: str) -> tuple[MetricRun, MetricRun]:
    first, last = _day(request, "from"), _day(request, "to")
    if first > last:
        raise Invalid("The last day is before the first.", field="to", code="ends_early")
    first_known_at = parameters.read(request, "from_known_at", values.parse_datetime, None)
    before, after = changes.runs_of(
        slug, first, last, known_at=known_at(request), first_known_at=first_known_at
    )
    if before is None or after is None:
        early = first if before is None else last
        raise Missing(f"Nothing was published of {early} or before.", code="no_run")
    return before, after


def _day(request: Request, name: str) -> dt.date:
    found = day(request, name)
    if found is None:
        raise Invalid("Say from which day and to which.", field=name, code="required")
    return found
