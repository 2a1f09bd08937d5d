"""Groups of accounts that a run sees, each behind a link of the dashboard."""

from typing import Any

from django.db.models import Case, F, Min, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.lookups import IsNull

from accounts.models import SubscriptionVersion
from metrics.models import MetricRun
from metrics.selectors import rows, runs
from metrics.selectors.rows import IN_RATIO

NEAR_POINTS = 5
# The format of inputs from which on rows know when the first contract ends.
RENEWALS_SINCE = 2

# Reasons that say the data is amiss; "conflict" is a band of its own.
AMISS = (
    "missing_rate", "missing_amount", "no_entitlement", "no_instance", "no_reading", "stale",
    "partial", "over_deployed", "error",
)  # fmt: skip
CONFLICT = Q(reason="churned", still_runs=True)

# Conditions over rows that `measured` has prepared.
BANDS: dict[str, Q] = {
    "counted": IN_RATIO,
    "passing": IN_RATIO & Q(passes=True),
    "falling": IN_RATIO & Q(passes=True, above__lte=F("licensed") * NEAR_POINTS / 100),
    "below": IN_RATIO & Q(passes=False),
    "near": IN_RATIO & Q(passes=False, hundredfold__gte=F("near_from")),
    "unknown": IN_RATIO & Q(passes=None),
    "excluded": ~IN_RATIO,
    "conflict": CONFLICT,
    "amiss": Q(reason__in=AMISS) | CONFLICT,
}


def measured(run: MetricRun) -> Any:
    """Return what the run saw, with seats to the line and what the bands ask for.

    Typed Any, for the types know no annotations.
    """
    policy = runs.policy_of(run.definition)
    near_percent = policy.share_percent - NEAR_POINTS
    return rows.with_seats(rows.rows_of(run), policy).annotate(
        hundredfold=F("deployed") * 100,
        near_from=F("licensed") * near_percent,
        still_runs=Case(When(reason="churned", then=_runs(run)), default=False),
    )


def running(run: MetricRun, *, account: str) -> QuerySet[Any]:
    """Return the paid contracts that cover the run's day, as the run knew them.

    `account` is the column of the outer query that holds the account.
    """
    versions: QuerySet[Any] = QuerySet(SubscriptionVersion)
    return versions.filter(
        Q(end=None) | Q(end__gt=run.day),
        Q(known_to=None) | Q(known_to__gt=run.known_at),
        account=OuterRef(account),
        kind="paid",
        start__lte=run.day,
        known_from__lte=run.known_at,
    )


def _runs(run: MetricRun) -> IsNull:
    """Ask for one account at a time: EXISTS may read all contracts for a page of accounts."""
    found = running(run, account="account_id").order_by().values("pk")[:1]
    return IsNull(Subquery(found), False)  # noqa: FBT003 -- Django takes it by position


def renewal_on(run: MetricRun, *, account: str) -> Subquery:
    """Return the end of the first running contract to end."""
    ends = running(run, account=account).order_by().values("account")
    return Subquery(ends.annotate(first=Min("end")).values("first"))


def renews_on(run: MetricRun) -> Any:
    """Return the same for rows of the run; those of old hold no such date and are asked for it."""
    if run.inputs_format < RENEWALS_SINCE:
        return renewal_on(run, account="account_id")
    return F("renewal_on")
