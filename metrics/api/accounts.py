"""What a run saw for each account, and which are nearest to the line."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from django.db.models import QuerySet

from accounts.selectors.facts import within_limit
from config.lib import fields, filters
from config.lib.rows import RowSerializer
from config.lib.views import ListViewSet
from metrics.api.runs import NEWEST, require_accounts, require_line, run_asked_for
from metrics.models import MetricRow, MetricRun
from metrics.rules.derived import State
from metrics.selectors import answers, derived, rows, runs
from people.http import user_of


class AccountResultRow(RowSerializer):
    """`reason` says why an account stands outside the ratio, or what is unknown of it.

    `state` is where it stands in the number asked for: out, clear, counted or unknown; `adds` is
    what it adds, or would add where it is unknown.
    """

    account = fields.UuidField()
    external_id = fields.ExternalIdField()
    name = fields.NameField()
    arr = fields.AmountField(allow_null=True)
    licensed = fields.IntegerField()
    deployed = fields.IntegerField(allow_null=True)
    share = fields.RatioField(allow_null=True)
    eligible = fields.BooleanField()
    passes = fields.BooleanField(allow_null=True)
    reason = fields.PlainField()
    oldest_reading = fields.DateTimeField(allow_null=True)
    state = fields.ChoiceField([state.name.lower() for state in State])
    adds = fields.RatioField()
    monthly_active = fields.IntegerField(allow_null=True)
    renewal_on = fields.DateField(allow_null=True)
    customer_since = fields.DateField(allow_null=True)
    definition_version = fields.IntegerField()


class FlipRow(RowSerializer):
    """`seats_to_go` to reach the line, or `seats_above` it."""

    account = fields.UuidField()
    external_id = fields.ExternalIdField()
    name = fields.NameField()
    licensed = fields.IntegerField()
    deployed = fields.IntegerField()
    share = fields.RatioField()
    passes = fields.BooleanField()
    seats_needed = fields.IntegerField()
    seats_to_go = fields.IntegerField()
    seats_above = fields.IntegerField()
    definition_version = fields.IntegerField()


class OfARun(ListViewSet):
    """Rows of one run. A cursor ends with its run: a newer one starts from the first page."""

    scope = "metrics:read"
    for_limited_tokens = True
    takes = NEWEST

    @cached_property
    def run(self) -> MetricRun:
        require_accounts(self.request, self.kwargs["slug"])
        return run_asked_for(self.request, self.kwargs["slug"])

    def bound_to(self) -> str:
        return str(self.run.uuid)

    def as_rows(self, queryset: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
        return queryset


class RowViewSet(OfARun):
    """Every account as the run saw it, those outside the ratio with the reason."""

    noun = "account"
    serializer_class = AccountResultRow
    filterset_class = filters.filter_set(
        "RowFilters",
        filters.uuid("account", path="account__uuid"),
        filters.boolean("eligible"),
        filters.boolean("passes", lookups="exact isnull"),
        filters.word("reason"),
        filters.word("region"),
        filters.uuid("tier", path="tier__uuid", lookups="exact isnull"),
        filters.uuid("tam", path="tam__uuid", lookups="exact isnull"),
        filters.money("arr", lookups="gte lte isnull"),
        filters.integer("licensed", lookups="gte lte"),
        filters.integer("deployed", lookups="gte lte isnull"),
    )
    ordering = {"name": "account__name", "arr": "arr", "licensed": "licensed"}
    order_by = ("account__name",)
    search_fields = ("account__name", "account__external_id")

    def get_queryset(self) -> QuerySet[MetricRow]:
        if "slug" not in self.kwargs:
            return MetricRow.objects.none()
        found: QuerySet[MetricRow] = within_limit(
            derived.rows_of(self.run), user_of(self.request), "account__uuid"
        )
        return found

    def answers(self, found: Sequence[Any]) -> Iterable[dict[str, Any]]:
        seen = derived.rows_behind(self.run)
        oldest = rows.oldest_readings(seen, [row.account_id for row in found])
        version = self.run.definition.number
        for row in found:
            told = answers.row_as_json(row, oldest.get(row.account_id))
            yield {**told, "definition_version": version}


class FlipViewSet(OfARun):
    """Accounts in the ratio with a usable reading: seats to go to the line, or above it.

    Those below the line come first, the nearest of them first of all.
    """

    noun = "account"
    serializer_class = FlipRow
    filterset_class = filters.filter_set(
        "FlipFilters",
        filters.boolean("passes"),
        filters.integer("seats_to_go", path="to_go", lookups="gte lte"),
        filters.integer("seats_above", path="above", lookups="gte lte"),
        filters.word("region"),
        filters.uuid("tier", path="tier__uuid"),
        filters.uuid("tam", path="tam__uuid"),
    )
    ordering = {
        "name": "account__name",
        "seats_to_go": "to_go",
        "seats_above": "above",
        "licensed": "licensed",
    }
    order_by = ("passes", "to_go", "above", "account__name")
    search_fields = ("account__name", "account__external_id")

    def get_queryset(self) -> QuerySet[MetricRow]:
        if "slug" not in self.kwargs:
            return MetricRow.objects.none()
        require_line(self.request, self.kwargs["slug"])
        policy = runs.policy_of(self.run.definition)
        visible = rows.rows_visible_to(user_of(self.request), self.run)
        known = visible.filter(rows.IN_RATIO, passes__isnull=False)
        flips: QuerySet[MetricRow] = rows.with_seats(known, policy).filter(deployed__isnull=False)
        return flips

    def answers(self, found: Sequence[Any]) -> Iterable[dict[str, Any]]:
        for row in found:
            yield {
                "account": str(row.account.uuid),
                "external_id": row.account.external_id,
                "name": row.account.name,
                "licensed": row.licensed,
                "deployed": row.deployed,
                "share": answers.share(row.deployed, row.licensed),
                "passes": row.passes,
                "seats_needed": row.needed,
                "seats_to_go": row.to_go,
                "seats_above": row.above,
                "definition_version": self.run.definition.number,
            }
