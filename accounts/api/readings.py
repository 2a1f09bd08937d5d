"""How many seats are in use: what was counted, when, and who says so."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils import timezone
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import permissions, selectors
from accounts.api.writing import OUTCOMES, Writing, refusal
from accounts.models import SeatReading
from accounts.services.changes import Refused
from accounts.services.reading_calls import (
    WantedReading,
    WrittenReading,
    enter_own_reading,
    write_reading_calls,
)
from accounts.services.upserts import CREATED
from config.lib import fields, filters
from config.lib.bodies import ITEMS, WriteBody, checked, checked_items, forms_of
from config.lib.parsers import BulkJSONParser
from config.lib.rows import RowSerializer
from people.http import user_of
from people.models import User


class SeatReadingRow(RowSerializer):
    """A reading has no id: it is known by its instance, time and source."""

    account = fields.UuidField(source="instance.account.uuid")
    instance = fields.UuidField(source="instance.uuid")
    observed_at = fields.DateTimeField()
    source = fields.TextField()
    seats = fields.SeatsField()
    monthly_active = fields.SeatsField(allow_null=True)
    note = fields.LinesField()
    known_from = fields.DateTimeField()


class SeatReadingBody(WriteBody):
    """Sent whole: without `monthly_active` it is not known. A `note` is for readings by hand."""

    row = SeatReadingRow
    account = fields.ReferenceField()
    instance = fields.ReferenceField(required=False, allow_null=True)
    observed_at = fields.DateTimeField()
    source = fields.SourceField()
    seats = fields.SeatsField()
    monthly_active = fields.SeatsField(required=False, allow_null=True)
    note = fields.LinesField(max_length=500, blank=True, required=False)


class SeatReadingResult(serializers.Serializer[Any]):
    """What became of one reading, and the instance it went to; in the order of the items."""

    instance = fields.UuidField()
    observed_at = fields.DateTimeField()
    source: Any = fields.SourceField()
    outcome = fields.ChoiceField(OUTCOMES)


class SeatReadingBulkAnswer(serializers.Serializer[Any]):
    """How many readings had which outcome, and each one's."""

    created = fields.IntegerField()
    updated = fields.IntegerField()
    unchanged = fields.IntegerField()
    results = SeatReadingResult(many=True)


class SeatReadingViewSet(Writing):
    """Active seats counted, as they stand: a corrected reading is answered once.

    By default a reading follows the earlier ones of its instance.
    """

    noun = "seat reading"
    forms = forms_of(
        SeatReadingBody,
        "SeatReading",
        identity=("account", "observed_at", "source", "seats"),
        is_versioned=False,
    )
    bulk_answer = SeatReadingBulkAnswer
    scope = "account:read"
    write_scope = "seats:write"
    for_limited_tokens = True
    serializer_class = SeatReadingRow
    filterset_class = filters.filter_set(
        "SeatReadingFilters",
        filters.uuid("account", path="instance__account__uuid"),
        filters.uuid("instance", path="instance__uuid"),
        filters.word("source"),
        filters.moment("observed_at"),
        filters.integer("seats", lookups="gte lte"),
        filters.moment("known_from"),
    )
    ordering = {"observed_at": "observed_at"}
    order_by = ("instance", "observed_at")
    updated_since = "known_from"

    def get_queryset(self) -> QuerySet[SeatReading]:
        return selectors.readings_visible_to(user_of(self.request))

    def check_may(self, user: User) -> None:
        """Leave it to the service whether somebody may enter a single reading."""
        if self.action != "create":
            super().check_may(user)

    def create(self, request: Request) -> HttpResponseBase:
        """Tell one reading. The same again changes nothing; other seats correct the former.

        The account's own people may enter what they counted by hand: with the source
        `manual` and a `note` of where it comes from.
        """
        user, now = user_of(request), timezone.now()
        wanted = _wanted(0, checked(self.forms.create, request.data))
        try:
            if permissions.can_write_facts(user):
                written = write_reading_calls([wanted], by=user, now=now)[0]
            else:
                written = enter_own_reading(wanted, by=user, now=now)
        except Refused as refused:
            raise refusal(refused.problems) from refused
        status = 201 if written.outcome == CREATED else 200
        return Response(self._answer(written, wanted), status=status)

    @action(detail=False, methods=["post"], parser_classes=[BulkJSONParser])
    def bulk(self, request: Request) -> HttpResponseBase:
        """Tell up to 5,000 readings, all or nothing; other seats correct what was told before."""
        items = checked_items(self.forms.item, request.data)
        wanted = [_wanted(row, item) for row, item in enumerate(items)]
        try:
            written = write_reading_calls(wanted, by=user_of(request), now=timezone.now())
        except Refused as refused:
            raise refusal(refused.problems, prefix=f"{ITEMS}.") from refused
        return Response(_bulk_answer(wanted, written))

    def _answer(self, written: WrittenReading, wanted: WantedReading) -> dict[str, Any]:
        readings = self.get_queryset().filter(
            instance__uuid=written.instance, observed_at=wanted.observed_at, source=wanted.source
        )
        (answer,) = self.answers(list(self.as_rows(readings)))
        return answer


def _wanted(row: int, values: Mapping[str, Any]) -> WantedReading:
    return WantedReading(row=row, **{"instance": None, **values})


def _bulk_answer(
    wanted: Sequence[WantedReading], written: Sequence[WrittenReading]
) -> dict[str, Any]:
    outcomes = [one.outcome for one in written]
    return {
        **{outcome: outcomes.count(outcome) for outcome in OUTCOMES},
        "results": [
            {
                "instance": str(one.instance),
                "observed_at": fields.DateTimeField.write(wanted[one.row].observed_at),
                "source": wanted[one.row].source,
                "outcome": one.outcome,
            }
            for one in written
        ],
    }
