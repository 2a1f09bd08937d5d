"""Accounts as another system tells them, parents included."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from accounts import selectors
from accounts.models import Account
from accounts.services.facts import Facts
from accounts.services.items import Item
from accounts.services.storing import ids_by
from config.lib.values import echo

MOST_ANCESTORS = 10


class Accounts(Facts):
    kind = "accounts"
    noun = "account"
    model = Account
    columns = {
        name: name
        for name in (
            "external_id", "name", "status", "churned_on", "internal", "archived", "region",
            "segment", "currency", "strategic",
        )
    }  # fmt: skip
    links = {"parent_external_id": ("parent_id", "parent__external_id")}
    required = ("name",)
    defaults = {
        "status": Account.Status.CUSTOMER.value,
        "internal": False,
        "archived": False,
        "region": "",
        "segment": "",
        "strategic": False,
    }

    def complete(self, items: Sequence[Item]) -> None:
        reporting_currency = ""
        for item in items:
            if item.values["currency"] is None:
                reporting_currency = reporting_currency or selectors.company().reporting_currency
                item.values["currency"] = reporting_currency

    def elsewhere(self, wanted: Collection[str]) -> Mapping[str, int]:
        """Return the keys of accounts that come with these, but in another plan."""
        del wanted
        return {}

    def resolve(self, items: Sequence[Item]) -> None:
        column = "parent_external_id"
        asked = self.follow_links(items, column)
        if not asked:
            return
        wanted = {outer for item in asked if (outer := item.draft.values[column])}
        found = ids_by(Account, "external_id", wanted, source=self.account_source)
        if self.account_source == self.source:
            found |= self.elsewhere(wanted)
            found |= {item.values["external_id"]: item.id for item in items}
        for item in asked:
            parent = item.draft.values[column]
            item.links[column] = found.get(parent)
            if parent is not None and parent not in found:
                self.problem(
                    item,
                    column,
                    f"{self.way.words.together} the source “{self.account_source}” has an account "
                    f"with the id “{echo(parent)}”.",
                    "unknown_account",
                )

    def check(self, item: Item) -> Iterable[tuple[str, str]]:
        if item.values["status"] == Account.Status.CHURNED and item.values["churned_on"] is None:
            yield "churned_on", "A churned account needs the day it left. Add it."

    def check_together(self, items: Sequence[Item]) -> None:
        """Refuse parents in a ring and chains that are too long, whoever closes them."""
        asked = {item.id: item for item in items if item.draft.values.get("parent_external_id")}
        if not asked:
            return
        known = Account.objects.exclude(parent=None).values_list("pk", "parent_id")
        parents: dict[int, int | None] = dict(known)
        parents |= {item.id: item.links["parent_external_id"] for item in items}
        blamed: dict[int, str] = {}
        for account in parents:
            chain = _ancestors(account, parents)
            if chain[-1] in chain[:-1]:
                sentence = "The parents form a ring. Correct one of them."
            elif len(chain) > MOST_ANCESTORS + 1:
                sentence = f"An account has at most {MOST_ANCESTORS} parents above it."
            else:
                continue
            blamed |= dict.fromkeys(asked.keys() & set(chain), sentence)
        for account, sentence in blamed.items():
            self.problem(asked[account], "parent_external_id", sentence, "bad_parent")

    def account_of(self, item: Item) -> tuple[int | None, int | None]:
        return item.id, None


def _ancestors(account: int, parents: dict[int, int | None]) -> list[int]:
    """Return the account and what stands above it, up to the first that repeats."""
    chain = [account]
    while (above := parents.get(chain[-1])) is not None:
        chain.append(above)
        if above in chain[:-1] or len(chain) > 2 * MOST_ANCESTORS:
            break
    return chain
