"""What accounts bought, and where it runs."""

from django.db.models import QuerySet

from accounts import selectors
from accounts.api.writing import OUTER_ID, SourcedFactViewSet
from accounts.models import Instance, Subscription
from config.lib import fields, filters
from config.lib.bodies import WriteBody, forms_of
from config.lib.rows import RowSerializer
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


class SubscriptionBody(WriteBody):
    """A contract line. The currency is the account's where none is named."""

    row = SubscriptionRow
    account = fields.ReferenceField()
    source = fields.SourceField()
    external_id = fields.ExternalIdField()
    product = fields.TextField(max_length=120, blank=True, required=False)
    kind = fields.ChoiceField(Subscription.Kind.values, required=False)
    seats = fields.SeatsField(required=False, allow_null=True)
    unlimited = fields.BooleanField(required=False)
    arr = fields.MoneyField(required=False, allow_null=True)
    tcv = fields.MoneyField(required=False, allow_null=True)
    currency = fields.CurrencyField(required=False)
    start = fields.DateField()
    end = fields.DateField(required=False, allow_null=True)


class SubscriptionViewSet(SourcedFactViewSet):
    """Licences and contract lines."""

    noun = "subscription"
    kind = "subscriptions"
    forms = forms_of(SubscriptionBody, "Subscription", identity=OUTER_ID)
    scope = "account:read"
    write_scope = "account:write"
    for_limited_tokens = True
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


class InstanceBody(WriteBody):
    """A deployment. Its name is its `external_id` where none is given."""

    row = InstanceRow
    account = fields.ReferenceField()
    source = fields.SourceField()
    external_id = fields.ExternalIdField()
    name = fields.NameField(required=False)
    environment = fields.TextField(max_length=60, required=False)
    counted = fields.BooleanField(required=False)


class InstanceViewSet(SourcedFactViewSet):
    """Deployments of the product."""

    noun = "instance"
    kind = "instances"
    forms = forms_of(InstanceBody, "Instance", identity=OUTER_ID)
    scope = "account:read"
    write_scope = "account:write"
    for_limited_tokens = True
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
