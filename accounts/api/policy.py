"""The company's dated rows of policy about accounts."""

from typing import Any

from django.db.models import QuerySet

from accounts import selectors
from accounts.looking_back import LooksBack
from accounts.selectors import then as past
from config.lib import fields, filters
from config.lib.rows import RowSerializer
from people.http import user_of


class TierRow(RowSerializer):
    """An account is in the tier with the highest `arr_from` that its ARR reaches."""

    id = fields.UuidField(source="uuid")
    name = fields.NameField()
    arr_from = fields.MoneyField()
    engagement_model = fields.TextField()
    cadence_days = fields.IntegerField(allow_null=True)
    most_accounts_per_tam = fields.IntegerField(allow_null=True)
    project_mandatory = fields.BooleanField()
    start = fields.DateField()
    end = fields.DateField(allow_null=True)
    created_at = fields.DateTimeField()
    updated_at = fields.DateTimeField()
    version = fields.IntegerField()


class TierViewSet(LooksBack):
    """ARR bands with their engagement models, from a day on; `end` is the first day after.

    With `as_of` or `known_at` those in force on the day, as they were known at the moment.
    """

    noun = "tier"
    scope = "account:read"
    for_limited_tokens = True
    serializer_class = TierRow
    filterset_class = filters.filter_set(
        "TierFilters",
        filters.word("name"),
        filters.money("arr_from", lookups="gte lte"),
        filters.boolean("project_mandatory"),
        filters.day("start", lookups="gte lte"),
        filters.day("end", lookups="gt gte lte isnull"),
        filters.moment("updated_at"),
    )
    ordering = {"arr_from": "arr_from", "name": "name", "start": "start"}
    order_by = ("-arr_from", "-start")
    search_fields = ("name",)
    updated_since = "updated_at"

    def get_queryset(self) -> QuerySet[Any, Any]:
        user = user_of(self.request)
        if self.then is None:
            return selectors.tiers_visible_to(user)
        return past.holding(past.tiers_known(user, self.then), self.then.day)
