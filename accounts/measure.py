"""Where the metrics app, which stands above, hangs in what it alone can work out.

Whoever changes facts calls `facts_changed`; lists and pages that show an account as of
another day ask `facts_on`. The metrics app registers the one Measure at start-up.
"""

import datetime as dt
from collections.abc import Collection
from decimal import Decimal
from typing import Protocol

from accounts.models import AccountFacts


class Terms(Protocol):
    """What the definition in force says of the line, for pages that explain a verdict."""

    @property
    def share_percent(self) -> int: ...

    @property
    def min_arr(self) -> Decimal: ...

    @property
    def stale_days(self) -> int: ...


class Measure(Protocol):
    def refresh(self, account_ids: Collection[int]) -> None:
        """Bring the current facts of these accounts up to date, in the open transaction."""

    def facts_on(
        self, account_ids: Collection[int], *, day: dt.date, known_at: dt.datetime | None
    ) -> dict[int, AccountFacts]:
        """Return unsaved facts as they were true on `day` by what was known at `known_at`."""

    def terms_on(self, day: dt.date) -> Terms:
        """Return the parameters of the definition in force on the day."""


_measures: list[Measure] = []


def register(measure: Measure) -> None:
    _measures[:] = [measure]


def facts_changed(account_ids: Collection[int]) -> None:
    for measure in _measures:
        measure.refresh(account_ids)


def facts_on(
    account_ids: Collection[int], *, day: dt.date, known_at: dt.datetime | None = None
) -> dict[int, AccountFacts]:
    (measure,) = _measures
    return measure.facts_on(account_ids, day=day, known_at=known_at)


def terms_on(day: dt.date) -> Terms:
    (measure,) = _measures
    return measure.terms_on(day)
