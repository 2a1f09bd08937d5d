"""How all customers fare: by band, what changed band, and the list, worst first."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum

from accounts.selectors.facts import within_limit
from metrics.models import HealthNight, HealthRow
from metrics.rules.health_policy import Policy, worst_first
from metrics.selectors import health
from people.models import User

NO_SCORE = ""


@dataclass(frozen=True)
class Share:
    """The accounts of a band, "" for those without a score, and their ARR of today."""

    band: str
    accounts: int
    arr: Decimal
    # Of all accounts.
    of: int

    @property
    def share(self) -> Decimal:
        return Decimal(self.accounts) / self.of if self.of else Decimal(0)


@dataclass(frozen=True)
class Move:
    """How many accounts went from one band to another."""

    before: str
    after: str
    accounts: int
    is_better: bool | None


def distribution(night: HealthNight, bands: Sequence[str]) -> list[Share]:
    """Return the accounts of each band, in the order of the bands, those without a score last."""
    groups: Any = (
        health.rows_on(night)
        .order_by()
        .values_list("band")
        .annotate(accounts=Count("id"), arr=Sum("account__facts__arr"))
    )
    found = {band: (count, arr or Decimal(0)) for band, count, arr in groups}
    every = sum(count for count, _ in found.values())
    # A band that the policy of that day had, and this one has not, is shown too.
    order = [*bands, *sorted(found.keys() - {*bands, NO_SCORE}), NO_SCORE]
    return [
        Share(band, *found.get(band, (0, Decimal(0))), of=every)
        for band in order
        if band in bands or band in found
    ]


def with_band_before(rows: QuerySet[HealthRow], day: dt.date) -> Any:
    """Add `band_before`: the band on an earlier day; null where nothing was said then."""
    then = HealthRow.objects.filter(health.covering(day), account=OuterRef("account"))
    return rows.annotate(band_before=Subquery(then.values("band")[:1]))


def moved(night: HealthNight, policy: Policy) -> list[Move]:
    """Return what changed band since 30 days before, what got worse first."""
    day = night.day - health.MONTH
    # What stood then and still stands cannot have changed.
    since = with_band_before(health.rows_on(night).filter(from_day__gt=day), day)
    groups = (
        since.exclude(band_before=None)
        .order_by()
        .values_list("band_before", "band")
        .annotate(accounts=Count("id"))
    )
    order = worst_first(policy.bands)
    moves = [
        Move(before, after, count, _is_better(before, after, order))
        for before, after, count in groups
        if before != after
    ]
    return sorted(moves, key=lambda m: (m.is_better is not False, m.is_better is None, -m.accounts,
                                        m.before, m.after))  # fmt: skip


def _is_better(before: str, after: str, worst: Sequence[str]) -> bool | None:
    """None where a score came or went."""
    if before not in worst or after not in worst:
        return None
    return worst.index(after) > worst.index(before)


def listed(user: User, night: HealthNight) -> QuerySet[HealthRow]:
    rows = within_limit(health.rows_on(night), user, "account__uuid")
    return rows.select_related("account", "account__facts__tier", "account__facts__tam")
