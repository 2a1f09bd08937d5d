"""When an import changes so much at once that a second person has to agree. No Django here.

The caps keep a half file, a wrong column or a wrong source from emptying the number unnoticed.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from accounts.services.changes import Change

# Customers that would be none any more, or accounts that leave the number by another change:
# more than this share of all, or more than so many.
MOST_PERCENT_DEACTIVATED = 10
MOST_DEACTIVATED = 50
# Below this many, a share says nothing.
FEWEST_DEACTIVATED = 3
# ARR today of the contracts that are changed: by more than this, at so many accounts or more.
MOST_PERCENT_OF_ARR = 30
FEWEST_ACCOUNTS = 10
DAYS_A_YEAR = 365


class Mass:
    """Counts what changes of facts that are there; new ones are no mass change."""

    def __init__(self, kind: str, today: dt.date) -> None:
        self._kind, self.today = kind, today
        self._deactivated = 0
        self._arr: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
        # No more of them than it takes.
        self._accounts: set[int | None] = set()

    def see(self, change: Change) -> None:
        if change.before is None:
            return
        was = {**change.values, **change.before}
        if self._kind == "accounts":
            self._deactivated += _is_customer(was) and not _is_customer(change.values)
        if self._kind == "subscriptions":
            self._see_arr(change, was)

    def reasons(self, *, customers: int, rates: Mapping[str, Decimal]) -> list[str]:
        """Return why it is a mass change, in sentences; `rates` of the reporting currency."""
        found = []
        count = self._deactivated
        if _is_many(count, customers):
            found.append(
                f"{count:,} of {customers:,} customers would no longer be customers; one person "
                f"may do this to {MOST_PERCENT_DEACTIVATED}%, and to {MOST_DEACTIVATED} at once."
            )
        before, after = self._in_total(0, rates), self._in_total(1, rates)
        percent = 100 * (after - before) / before if before else Decimal(0)
        if abs(percent) > MOST_PERCENT_OF_ARR and len(self._accounts) >= FEWEST_ACCOUNTS:
            way = "rise" if percent > 0 else "fall"
            found.append(
                f"The ARR of the contracts changed would {way} by {abs(percent):.0f}% in total; "
                f"one person may change it by {MOST_PERCENT_OF_ARR}%."
            )
        return found

    def _in_total(self, side: int, rates: Mapping[str, Decimal]) -> Decimal:
        # ARR without a rate is unknown, not an amount in our currency.
        amounts = (
            both[side] * rates[currency]
            for currency, both in self._arr.items()
            if currency in rates
        )
        return sum(amounts, Decimal(0))

    def _see_arr(self, change: Change, was: Mapping[str, Any]) -> None:
        before, after = self._yearly(was), self._yearly(change.values)
        self._arr[was["currency"]][0] += before
        self._arr[change.values["currency"]][1] += after
        is_other = before != after or was["currency"] != change.values["currency"]
        if is_other and len(self._accounts) < FEWEST_ACCOUNTS:
            self._accounts.add(change.account_id)

    def _yearly(self, values: Mapping[str, Any]) -> Decimal:
        """Return what the contract makes a year, or 0 where it does not run today."""
        start, end = values["start"], values["end"]
        if values["kind"] != "paid" or start > self.today or (end and end <= self.today):
            return Decimal(0)
        if values["arr"] is not None:
            return Decimal(values["arr"])
        if values["tcv"] is not None and end:
            days: int = (end - start).days
            return Decimal(values["tcv"]) / days * DAYS_A_YEAR
        return Decimal(0)


def reasons_of_leaving(left: int, members: int, *, lately: int = 0) -> list[str]:
    """Return why it is a mass change that so many of the accounts in the number leave it.

    `lately` is how many left by what the same person imported alone within a day.
    """
    if not left or not _is_many(left + lately, members + lately):
        return []
    what = f"{left:,} of {members:,} accounts would leave the number"
    if lately:
        what += f", and {lately:,} left by what the same person imported within 24 hours"
    caps = f"{MOST_PERCENT_DEACTIVATED}%, and to {MOST_DEACTIVATED} at once"
    return [f"{what}; one person may do this to {caps}."]


def _is_many(count: int, whole: int) -> bool:
    is_large_share = 100 * count > MOST_PERCENT_DEACTIVATED * whole
    return count > MOST_DEACTIVATED or (is_large_share and count >= FEWEST_DEACTIVATED)


def _is_customer(values: Mapping[str, Any]) -> bool:
    left = values["status"] != "customer" or values["churned_on"] is not None
    return not (left or values["internal"] or values["archived"])
