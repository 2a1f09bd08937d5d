"""The list of accounts: its views, filters, what can be chosen in them, and its totals."""

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Lower
from django.db.models.lookups import GreaterThanOrEqual, StartsWith

from accounts.measure import Terms
from accounts.models import Account, DataState
from accounts.selectors.facts import own_account_ids
from config.lib.filters import search_condition
from config.lib.keyset import COUNT_MAX
from people.models import User

NEAR_POINTS = 5
RENEWAL_DAYS = 120
MOST_CHOICES = 200
MOST_TAMS = 1_000
# Three characters make the trigram that the index knows.
SHORTEST_PART = 3
MOST_KEY = 2**63 - 1
NUMBER = re.compile(r"(?:ACC-)?([1-9][0-9]{0,17})", re.IGNORECASE)
IN_RATIO = Q(facts__eligible=True, facts__unlimited=False)
BELOW = IN_RATIO & Q(facts__passes=False)

STANDINGS = {
    "passes": IN_RATIO & Q(facts__passes=True),
    "below": BELOW,
    "unknown": IN_RATIO & Q(facts__passes=None),
    "unlimited": Q(facts__eligible=True, facts__unlimited=True),
    "outside": Q(facts__eligible=False) | Q(facts=None),
}
NO_TAM = "none"


class Asker(NamedTuple):
    """Who looks at a view, on which day, under which terms of the definition."""

    user: User
    today: dt.date
    terms: Terms


def _mine(asker: Asker) -> Q:
    return Q(pk__in=own_account_ids(asker.user, on=asker.today))


def _near(asker: Asker) -> Q:
    near_percent = asker.terms.share_percent - NEAR_POINTS
    return BELOW & Q(
        GreaterThanOrEqual(F("facts__deployed") * 100, F("facts__licensed") * near_percent)
    )


def _renewal(asker: Asker) -> Q:
    last = asker.today + dt.timedelta(days=RENEWAL_DAYS)
    return Q(facts__renewal_on__gte=asker.today, facts__renewal_on__lte=last)


def _stale(_asker: Asker) -> Q:
    states = [DataState.STALE, DataState.PARTIAL]
    return Q(status=Account.Status.CUSTOMER, archived=False, facts__data_state__in=states)


VIEWS: dict[str, Callable[[Asker], Q]] = {
    "mine": _mine,
    "below": lambda _asker: BELOW,
    "near": _near,
    "renewal": _renewal,
    "stale": _stale,
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to; empty means anything."""

    q: str = ""
    tier: str = ""
    region: str = ""
    tam: str = ""
    status: str = ""
    standing: str = ""
    state: str = ""


def in_view(accounts: QuerySet[Account], view: str, asker: Asker) -> QuerySet[Account]:
    """Narrow the accounts to one of VIEWS."""
    return accounts.filter(VIEWS[view](asker))


def filtered(accounts: QuerySet[Account], by: Filters) -> QuerySet[Account]:
    if by.q:
        accounts = accounts.filter(search(by.q))
    if by.tier:
        accounts = accounts.filter(facts__tier__name=by.tier)
    if by.region:
        accounts = accounts.filter(region=by.region)
    if by.tam:
        tam = Q(facts__tam=None) if by.tam == NO_TAM else Q(facts__tam__uuid=by.tam)
        accounts = accounts.filter(tam)
    if by.status:
        accounts = accounts.filter(status=by.status)
    if by.standing:
        accounts = accounts.filter(STANDINGS[by.standing])
    if by.state:
        accounts = accounts.filter(facts__data_state=by.state)
    return accounts


def search(text: str, *, key: str = "pk") -> Q:
    """Match names, outer ids and numbers; `key` is the column that holds the number."""
    found = search_condition(text, ["name", "external_id"])
    number = NUMBER.fullmatch(text.strip())
    return found | Q(**{key: int(number[1])}) if number else found


def capped_count(rows: "QuerySet[Any, Any]") -> tuple[int, bool]:
    """Count up to 10,000 rows; say whether there are more."""
    found = rows.order_by().values("pk")[: COUNT_MAX + 1].count()
    return min(found, COUNT_MAX), found > COUNT_MAX


def accounts_like(accounts: QuerySet[Account], text: str, *, most: int) -> list[Account]:
    """Return what somebody who types this most likely means, the best first.

    Of a word too short for the index only names that begin with it are looked for.
    """
    text = " ".join(text.split())
    if not text:
        return []
    found: list[Account] = []
    if number := NUMBER.fullmatch(text):
        found += accounts.filter(pk=min(int(number[1]), MOST_KEY))
    by_name = accounts.order_by("name", "pk")
    starts = StartsWith(Lower(F("name")), Lower(Value(text)))
    found += by_name.filter(starts)[:most]
    if len(found) < most and len(text) >= SHORTEST_PART:
        found += by_name.filter(search_condition(text, ["name", "external_id"]))[:most]
    return list(dict.fromkeys(found))[:most]


@dataclass(frozen=True, slots=True)
class Totals:
    """Counted up to 10,000 accounts; beyond that there is no sum."""

    count: int
    more: bool
    # In the reporting currency, of the accounts whose ARR is known.
    arr: Decimal | None
    arr_unknown: int


def totals_of(accounts: QuerySet[Account]) -> Totals:
    capped = accounts.order_by().values("pk", "facts__arr")[: COUNT_MAX + 1]
    found = capped.aggregate(
        accounts=Count("pk"), with_arr=Count("facts__arr"), total=Sum("facts__arr")
    )
    count, more = min(found["accounts"], COUNT_MAX), found["accounts"] > COUNT_MAX
    return Totals(
        count=count,
        more=more,
        arr=None if more else found["total"],
        arr_unknown=0 if more else count - found["with_arr"],
    )


def totals_in(accounts: Sequence[Account]) -> Totals:
    """Return the same of accounts read already."""
    known = [
        account.facts.arr
        for account in accounts
        if hasattr(account, "facts") and account.facts.arr is not None
    ]
    return Totals(
        count=len(accounts),
        more=False,
        arr=sum(known, Decimal()) if known else None,
        arr_unknown=len(accounts) - len(known),
    )


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer, as (value, label)."""

    tiers: list[tuple[str, str]] = field(default_factory=list)
    regions: list[tuple[str, str]] = field(default_factory=list)
    tams: list[tuple[str, str]] = field(default_factory=list)


# Regions by jumping along the index from one to the next, not by reading every account.
CHOICES = """
    WITH RECURSIVE regions AS (
        (SELECT region FROM accounts_account WHERE region > '' ORDER BY region LIMIT 1)
        UNION ALL
        SELECT (SELECT a.region FROM accounts_account a
                WHERE a.region > r.region ORDER BY a.region LIMIT 1)
        FROM regions r WHERE r.region IS NOT NULL
    )
    (SELECT 'regions', region, region, 0 FROM regions
     WHERE region IS NOT NULL LIMIT %(most)s)
    UNION ALL
    SELECT 'tiers', name, name, -max(arr_from) FROM accounts_tier GROUP BY name
    UNION ALL
    (SELECT 'tams', u.uuid::text, u.name, 0 FROM people_user u
     WHERE EXISTS (SELECT FROM accounts_assignment a WHERE a.user_id = u.id AND a.role = 'TAM')
     ORDER BY u.name LIMIT %(most_tams)s)
    ORDER BY 1, 4, 3
"""


def choices() -> Choices:
    found = Choices()
    with connection.cursor() as cursor:
        cursor.execute(CHOICES, {"most": MOST_CHOICES, "most_tams": MOST_TAMS})
        for kind, value, label, _ in cursor.fetchall():
            getattr(found, kind).append((value, label))
    return found
