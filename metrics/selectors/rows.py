"""What a run saw for each account, and what that says of groups of them."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import (
    BigIntegerField,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Value,
)
from django.db.models.functions import Greatest

from accounts.models import Tier
from accounts.selectors.facts import within_limit
from metrics import rules
from metrics.models import GONE, MetricRow, MetricRun
from metrics.selectors import inputs, runs
from people.models import User

IN_RATIO = Q(eligible=True, unlimited=False)


def rows_of(run: MetricRun) -> QuerySet[MetricRow]:
    """Return what the run saw: for each account the row of its highest layer on the day."""
    covering = MetricRow.objects.filter(
        Q(to_day=None) | Q(to_day__gt=run.day),
        definition=run.definition_id,
        layer__lte=run.revision,
        from_day__lte=run.day,
    )
    rows = covering
    if run.revision > 1:
        higher = covering.filter(account=OuterRef("account"), layer__gt=OuterRef("layer"))
        rows = covering.filter(~Exists(higher))
    return (
        rows.exclude(reason=GONE).select_related("account").order_by("account__name", "account_id")
    )


def rows_visible_to(user: User, run: MetricRun) -> QuerySet[MetricRow]:
    """Return what the run saw of the accounts the user may know of."""
    return within_limit(rows_of(run), user, "account__uuid")


def with_seats(rows: QuerySet[MetricRow], policy: rules.Policy) -> Any:
    """Add `needed`, `to_go` and `above`: seats to the line, missing or spare.

    Typed Any, for the types know no annotations.
    """
    # Whole numbers on both sides, so the division rounds down and the sum rounds up.
    needed = ExpressionWrapper(
        (F("licensed") * policy.share_percent + 99) / 100, output_field=BigIntegerField()
    )
    return rows.annotate(
        needed=needed,
        to_go=Greatest(F("needed") - F("deployed"), Value(0), output_field=BigIntegerField()),
        above=Greatest(F("deployed") - F("needed"), Value(0), output_field=BigIntegerField()),
    )


@dataclass(frozen=True, slots=True)
class Segment:
    key: str
    label: str
    numerator: int
    denominator: int
    unknown: int
    covered: int
    # The stored key: a tier, a region or a person.
    value: object = None


SEGMENTS = {"tier": "tier_id", "region": "region", "tam": "tam_id"}


def segments_of(run: MetricRun, by: str) -> list[Segment]:
    """Return the number of each tier, region or TAM; accounts without one come last."""
    column = SEGMENTS[by]
    groups = (
        rows_of(run)
        .order_by()
        .filter(IN_RATIO)
        .values(column)
        .annotate(
            numerator=Count("id", filter=Q(passes=True)),
            denominator=Count("id"),
            unknown=Count("id", filter=Q(passes=None)),
            covered=Count("id", filter=Q(deployed__isnull=False)),
        )
    )
    labels = labels_of(by)
    found = [
        Segment(
            key=labels[group[column]][0] if group[column] in labels else str(group[column] or ""),
            label=labels[group[column]][1] if group[column] in labels else group[column] or "None",
            numerator=group["numerator"],
            denominator=group["denominator"],
            unknown=group["unknown"],
            covered=group["covered"],
            value=group[column],
        )
        for group in groups
    ]
    order = [label for _, label in labels.values()]
    return sorted(
        found,
        key=lambda s: (s.key == "", order.index(s.label) if s.label in order else -1, s.label),
    )


def labels_of(by: str) -> dict[object, tuple[str, str]]:
    """Return (public key, label) by the stored key, in the order in which to show them."""
    if by == "tier":
        tiers = Tier.objects.order_by("-arr_from", "-start")
        return {tier.pk: (str(tier.uuid), tier.name) for tier in tiers}
    if by == "tam":
        tams = User.objects.filter(assignments__role="TAM").distinct().order_by("name", "pk")
        return {tam.pk: (str(tam.uuid), tam.name) for tam in tams}
    return {}


def excluded_of_segments(run: MetricRun, by: str) -> dict[object, dict[str, int]]:
    """Return, by the segment's stored key, how many accounts stand outside the ratio and why."""
    column = SEGMENTS[by]
    groups = (
        rows_of(run)
        .order_by(column, "reason")
        .exclude(IN_RATIO)
        .values_list(column, "reason")
        .annotate(count=Count("id"))
    )
    excluded: dict[object, dict[str, int]] = {}
    for value, reason, count in groups:
        excluded.setdefault(value, {})[reason] = count
    return excluded


def oldest_of_segments(run: MetricRun, by: str) -> dict[object, dt.datetime]:
    """Return, by the segment's stored key, when the oldest reading used there was observed."""
    members = dict(rows_of(run).order_by().filter(IN_RATIO).values_list("account_id", SEGMENTS[by]))
    oldest: dict[object, dt.datetime] = {}
    for account_id, moment in oldest_readings(run, list(members)).items():
        value = members[account_id]
        if moment is not None:
            oldest[value] = min(moment, oldest.get(value, moment))
    return oldest


def oldest_readings(run: MetricRun, account_ids: Collection[int]) -> dict[int, dt.datetime | None]:
    """Return when each account's oldest used reading was observed, as the run knew it."""
    at = inputs.moment(run.day, run.known_at)
    policy = runs.policy_of(run.definition)
    with transaction.atomic():
        return {
            account.id: rules.deployed_on(account, at.day, policy).oldest
            for account in inputs.accounts_at(at, account_ids, policy)
        }
