"""Subscriptions and instances as another system tells them."""

from collections.abc import Iterable, Sequence

from accounts.models import Account, Instance, Subscription
from accounts.services.facts import Facts
from accounts.services.items import Item

ACCOUNT = {"account_external_id": ("account_id", "account__external_id")}


class Subscriptions(Facts):
    kind = "subscriptions"
    noun = "subscription"
    model = Subscription
    columns = {
        name: name
        for name in (
            "external_id", "product", "kind", "seats", "unlimited", "arr", "tcv", "currency",
            "start", "end",
        )
    }  # fmt: skip
    links = ACCOUNT
    required = ("account_external_id", "start")
    defaults = {"product": "", "kind": Subscription.Kind.PAID.value, "unlimited": False}
    label_column = "product"

    def complete(self, items: Sequence[Item]) -> None:
        """Take the account's currency where nobody names one."""
        bare = [item for item in items if item.values["currency"] is None]
        accounts = {item.links["account_external_id"] for item in bare}
        if not accounts:
            return
        rows = Account.objects.filter(pk__in=[each for each in accounts if each])
        currencies = dict(rows.values_list("pk", "currency"))
        for item in bare:
            item.values["currency"] = currencies.get(item.links["account_external_id"] or 0)

    def check(self, item: Item) -> Iterable[tuple[str, str]]:
        values = item.values
        if values["end"] is not None and values["end"] <= values["start"]:
            column = "end" if item.draft.values.get("end") else "start"
            days = f"The contract would end on {values['end']}, not after its start on "
            yield column, f"{days}{values['start']}. The end is the first day not covered."
        if values["arr"] is not None and values["tcv"] is not None:
            arr, tcv = values["arr"], values["tcv"]
            column = "tcv" if item.draft.values.get("tcv") is not None else "arr"
            sentence = f"The contract would have both ARR {arr:f} and TCV {tcv:f}. "
            yield column, sentence + f"Give one, and {self.way.words.nothing} for the other."
        if values["tcv"] is not None and values["end"] is None:
            column = "tcv" if "tcv" in item.draft.values else "end"
            yield column, "A TCV needs an end, to tell what it is a year."

    def label_of(self, item: Item) -> str:
        return str(item.values["external_id"])


class Instances(Facts):
    kind = "instances"
    noun = "instance"
    model = Instance
    columns = {name: name for name in ("external_id", "name", "environment", "counted")}
    links = ACCOUNT
    required = ("account_external_id",)
    defaults = {"environment": "production", "counted": True}

    def complete(self, items: Sequence[Item]) -> None:
        for item in items:
            if item.values["name"] is None:
                item.values["name"] = item.values["external_id"]

    def extras(self) -> dict[str, object]:
        return {**super().extras(), "is_default": False}
