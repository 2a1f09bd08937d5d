"""The rules of the router, as they stand or stood on a day."""

from typing import Any

from django.db.models import QuerySet

from accounts.looking_back import LooksBack
from config.lib import fields, filters
from config.lib.rows import RowSerializer
from engagements.models import Owner
from engagements.selectors import routing
from people.http import user_of
from people.models import Scope


class RoutingRuleRow(RowSerializer):
    """One version of a rule, from `start` on; `end` is the first day after it.

    `owner` is "" where a person decides. `conditions` hold for facts as a route preview takes
    them; the first rule that matches, by `priority`, wins.
    """

    id = fields.UuidField(source="uuid")
    slug = fields.PlainField()
    name = fields.NameField()
    priority = fields.IntegerField()
    conditions = fields.JsonField()
    owner = fields.ChoiceField(["", *Owner.values])
    fast_path = fields.BooleanField()
    needs_sow = fields.BooleanField()
    why = fields.LinesField()
    next_step = fields.LinesField()
    way_out = fields.LinesField()
    pack = fields.PlainField()
    start = fields.DateField()
    end = fields.DateField(allow_null=True)
    updated_at = fields.DateTimeField()
    version = fields.IntegerField()


class RoutingRuleViewSet(LooksBack):
    """Rules of the router, in the order they are tried.

    With `as_of` or `known_at` those in force on the day, as they were known at the moment.
    """

    noun = "routing rule"
    scope = Scope.REQUEST_READ
    serializer_class = RoutingRuleRow
    filterset_class = filters.filter_set(
        "RoutingRuleFilters",
        filters.word("slug"),
        filters.word("owner"),
        filters.day("start", lookups="gte lte"),
        filters.day("end", lookups="gt gte lte isnull"),
        filters.moment("updated_at"),
    )
    ordering = {"priority": "priority", "start": "start", "updated_at": "updated_at"}
    order_by = ("priority", "-start")
    search_fields = ("name",)
    updated_since = "updated_at"

    def get_queryset(self) -> QuerySet[Any, Any]:
        return routing.rules_then(user_of(self.request), self.then)
