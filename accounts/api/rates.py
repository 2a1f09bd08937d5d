"""Exchange rates into the reporting currency, by day."""

from django.db.models import QuerySet

from accounts import selectors
from accounts.api.writing import FactViewSet
from accounts.models import ExchangeRate
from config.lib import fields, filters
from config.lib.bodies import WriteBody, forms_of
from config.lib.rows import RowSerializer
from people.http import user_of


class ExchangeRateRow(RowSerializer):
    """Units of the reporting currency for one unit of `currency`, from the day on."""

    id = fields.UuidField(source="uuid")
    currency = fields.CurrencyField()
    on = fields.DateField()
    rate = fields.RateField()
    created_at = fields.DateTimeField()
    updated_at = fields.DateTimeField()
    version = fields.IntegerField()


class ExchangeRateBody(WriteBody):
    """Known by currency and day."""

    row = ExchangeRateRow
    currency = fields.CurrencyField()
    on = fields.DateField()
    rate = fields.RateField()


class ExchangeRateViewSet(FactViewSet):
    """What a unit of a currency is worth in the reporting currency, from a day on."""

    noun = "exchange rate"
    kind = "exchange-rates"
    forms = forms_of(ExchangeRateBody, "ExchangeRate", identity=("currency", "on"))
    scope = "account:read"
    write_scope = "account:write"
    serializer_class = ExchangeRateRow
    filterset_class = filters.filter_set(
        "ExchangeRateFilters",
        filters.word("currency"),
        filters.day("on", lookups="exact gte lte"),
        filters.moment("updated_at"),
    )
    ordering = {"on": "on", "currency": "currency", "updated_at": "updated_at"}
    order_by = ("-on", "currency")
    updated_since = "updated_at"

    def get_queryset(self) -> QuerySet[ExchangeRate]:
        return selectors.rates_visible_to(user_of(self.request))
