"""Exchange rates: units of the reporting currency for one unit of another, by day."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from accounts import selectors
from accounts.models import ExchangeRate, Subscription
from accounts.services.changes import Draft, Plan
from accounts.services.facts import Facts, Key
from accounts.services.items import Item


class Rates(Facts):
    kind = "exchange-rates"
    noun = "exchange_rate"
    model = ExchangeRate
    columns = {name: name for name in ("currency", "on", "rate")}
    required = ("currency", "on", "rate")
    key_column = "on"

    def key_of(self, values: Mapping[str, Any]) -> Key:
        return values["currency"], values["on"]

    def stored(self, drafts: Sequence[Draft]) -> QuerySet[ExchangeRate]:
        return ExchangeRate.objects.filter(
            currency__in={draft.values["currency"] for draft in drafts},
            on__in={draft.values["on"] for draft in drafts},
        )

    def resolve(self, items: Sequence[Item]) -> None:
        reporting = selectors.company().reporting_currency
        for item in items:
            if item.values["currency"] == reporting:
                self.problem(
                    item,
                    "currency",
                    f"{reporting} is the reporting currency: its rate is 1. "
                    + self.way.words.remove,
                    "reporting_currency",
                )

    def extras(self) -> dict[str, Any]:
        return {}

    def label_of(self, item: Item) -> str:
        return f"{item.values['currency']} {item.values['on']}"

    def account_of(self, item: Item) -> tuple[int | None, int | None]:
        del item
        return None, None

    def affected(self, plan: Plan) -> set[int]:
        currencies = {change.values["currency"] for change in [*plan.creates, *plan.updates]}
        rows = Subscription.objects.filter(currency__in=currencies)
        return set(rows.order_by().values_list("account_id", flat=True).distinct())
