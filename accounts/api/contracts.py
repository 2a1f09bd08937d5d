"""What accounts bought, where it runs and how many seats are in use there."""

from django.db.models import QuerySet

from accounts import selectors
from accounts.models import Instance, SeatReading, Subscription
from config.lib import fields, filters
from config.lib.rows import RowSerializer
from config.lib.views import ListViewSet, ReadViewSet
from people.http import user_of


class SubscriptionRow(RowSerializer):
    """`end` is the first day not covered; one of `arr` and `tcv` at most is given."""

    id = fields.UuidField(source="uuid")
    account = fields.UuidField(source="account.uuid")
    source = fields.TextField()
    external_id = fields.ExternalIdField()
    product = fields.TextField()
    kind = fields.ChoiceField(Subscription.Kind.values)
    seats = fields.SeatsField(allow_null=True)
    unlimited = fields.BooleanField()
    arr = fields.MoneyField(allow_null=True)
    tcv = fields.MoneyField(allow_null=True)
    currency = fields.CurrencyField()
    start = fields.DateField()
    end = fields.DateField(allow_null=True)
    created_at = fields.DateTimeField()
    updated_at = fields.DateTimeField()
    version = fields.IntegerField()


class SubscriptionViewSet(ReadViewSet):
    """Licences and contract lines."""

    noun = "subscription"
    scope = "account:read"
    serializer_class = SubscriptionRow
    filterset_class = filters.filter_set(
        "SubscriptionFilters",
        filters.uuid("account", path="account__uuid"),
        filters.word("source"),
        filters.external_id("external_id"),
        filters.word("product"),
        filters.word("kind", choices=Subscription.Kind.values),
        filters.integer("seats", lookups="gte lte isnull"),
        filters.boolean("unlimited"),
        filters.money("arr", lookups="gte lte isnull"),
        filters.money("tcv", lookups="gte lte isnull"),
        filters.word("currency"),
        filters.day("start", lookups="gte lte"),
        filters.day("end", lookups="gt gte lte isnull"),
        filters.moment("updated_at"),
    )
    ordering = {
        "start": "start",
        "end": "end",
        "arr": "arr",
        "seats": "seats",
        "updated_at": "updated_at",
    }
    order_by = ("-start",)
    search_fields = ("product", "external_id")
    updated_since = "updated_at"

    def get_queryset(self) -> QuerySet[Subscription]:
        return selectors.subscriptions_visible_to(user_of(self.request))


class InstanceRow(RowSerializer):
    """`counted` says whether its seats count; `is_default` takes readings that name none."""

    id = fields.UuidField(source="uuid")
    account = fields.UuidField(source="account.uuid")
    source = fields.TextField()
    external_id = fields.ExternalIdField()
    name = fields.NameField()
    environment = fields.TextField()
    counted = fields.BooleanField()
    is_default = fields.BooleanField()
    created_at = fields.DateTimeField()
    updated_at = fields.DateTimeField()
    version = fields.IntegerField()


class InstanceViewSet(ReadViewSet):
    """Deployments of the product."""

    noun = "instance"
    scope = "account:read"
    serializer_class = InstanceRow
    filterset_class = filters.filter_set(
        "InstanceFilters",
        filters.uuid("account", path="account__uuid"),
        filters.word("source"),
        filters.external_id("external_id"),
        filters.word("environment"),
        filters.boolean("counted"),
        filters.boolean("is_default"),
        filters.moment("updated_at"),
    )
    ordering = {"name": "name", "environment": "environment", "updated_at": "updated_at"}
    order_by = ("name",)
    search_fields = ("name", "external_id")
    updated_since = "updated_at"

    def get_queryset(self) -> QuerySet[Instance]:
        return selectors.instances_visible_to(user_of(self.request))


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


class SeatReadingViewSet(ListViewSet):
    """Active seats counted, as they stand: a corrected reading is answered once.

    By default a reading follows the earlier ones of its instance.
    """

    noun = "seat reading"
    scope = "account:read"
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
