"""What each account adds to a number of accounts, and what its segments come to."""

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    Count,
    DecimalField,
    IntegerField,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.expressions import RawSQL

from metrics.models import MetricRow, MetricRun
from metrics.rules import derived
from metrics.rules.derived import Policy, State, Sums
from metrics.selectors import derived_sql, families, rows
from metrics.selectors.derived_sql import Seen
from metrics.selectors.rows import IN_RATIO

QUARTER = "quarter"
# Amounts of accounts, and the key of the part they belong to.
MONEY = DecimalField(max_digits=24, decimal_places=6)
COLUMN = re.compile(rf"\b({'|'.join(derived_sql.COLUMNS)})\b(?!')")


@dataclass(frozen=True, slots=True)
class Segment:
    """What its accounts come to; `key` is the public one, empty for those without one."""

    key: str
    label: str
    sums: Sums
    value: Fraction | None


def policy_of(run: MetricRun) -> Policy:
    return Policy.read(run.definition.policy)


def is_seats(run: MetricRun) -> bool:
    return families.family_of(run.definition) is families.SEATS


def rows_behind(run: MetricRun) -> MetricRun:
    """Return the run whose rows a number is made from."""
    return run if run.base is None else run.base


def rows_of(run: MetricRun) -> Any:
    """Return what the run's rows are, each with `state`, `adds`, `of` and `part`.

    Typed Any, for the types know no annotations.
    """
    found = rows.rows_of(rows_behind(run))
    if is_seats(run):
        return _judged(found)
    if run.definition.rule == derived.CONTRACTION:
        return _given_up(found, drops_of(run))
    says = derived_sql.BY_RULE[run.definition.rule](run.day, policy_of(run))
    counted = f"({says.state}) IN ({derived_sql.COUNTED}, {derived_sql.UNKNOWN})"
    return found.annotate(
        state=_raw(says.state, IntegerField()),
        adds=_raw(f"CASE WHEN {counted} THEN ({says.amount})::numeric ELSE 0 END", MONEY),
        of=_raw(
            f"CASE WHEN ({says.state}) = {derived_sql.COUNTED} THEN {says.weight} ELSE 0 END",
            BigIntegerField(),
        ),
        part=_raw(
            f"CASE WHEN ({says.state}) <> {derived_sql.OUT} THEN {says.key} ELSE '' END",
            CharField(),
        ),
    )


def _raw(sql: str, field: Any) -> RawSQL:
    """Name the table of each column: others have columns of the same name."""
    named = COLUMN.sub(r"metrics_metricrow.\1", sql)
    return RawSQL(named, (), field)  # noqa: S611 -- constants, whole numbers and days


def _judged(found: QuerySet[MetricRow]) -> Any:
    """Say of a share of accounts what its rows say: one that passes is counted."""
    return found.annotate(
        state=Case(
            When(~IN_RATIO, then=Value(int(State.OUT))),
            When(passes=True, then=Value(int(State.COUNTED))),
            When(passes=None, then=Value(int(State.UNKNOWN))),
            default=Value(int(State.CLEAR)),
        ),
        adds=Case(
            When(IN_RATIO & Q(passes=True), then=Value(Decimal(1))),
            When(IN_RATIO & Q(passes=None), then=Value(Decimal(1))),
            default=Value(Decimal(0)),
            output_field=MONEY,
        ),
        of=Case(When(IN_RATIO, then=Value(1)), default=Value(0), output_field=BigIntegerField()),
        part=Value("", CharField()),
    )


def _given_up(found: QuerySet[MetricRow], drops: Mapping[int, "Drop"]) -> Any:
    by_account = json.dumps({str(i): drop.seats for i, drop in drops.items() if drop.seats})
    seats = "coalesce((%s::jsonb ->> metrics_metricrow.account_id::text)::numeric, 0)"
    state = f"CASE WHEN {seats} > 0 THEN {derived_sql.COUNTED} ELSE {derived_sql.OUT} END"
    return found.annotate(
        state=RawSQL(state, (by_account,), IntegerField()),  # noqa: S611
        adds=RawSQL(seats, (by_account,), MONEY),  # noqa: S611
        of=Value(0, BigIntegerField()),
        part=Value("", CharField()),
    )


@dataclass(frozen=True, slots=True)
class Drop:
    """What an account gave up, or took along, over the nights of a window."""

    seats: int = 0
    arr: Decimal = Decimal(0)
    churned_seats: int = 0
    churned_arr: Decimal = Decimal(0)


@lru_cache(maxsize=16)
def drops_of(run: MetricRun) -> dict[int, Drop]:
    """Return the accounts behind the nights that a run of contraction adds up.

    Runs never change, so it is worked out once.
    """
    return drops_over(run.parts.get("nights", []))


def drops_over(nights: Iterable[Mapping[str, Any]]) -> dict[int, Drop]:
    found: dict[int, Drop] = {}
    for night in nights:
        before, after = nights_runs(night)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT account_id, seats, arr, churned_seats, churned_arr FROM"
                f" ({derived_sql.drops_between(before, after)}) drops"
            )
            for account_id, *values in cursor.fetchall():
                was = found.get(account_id, Drop())
                found[account_id] = Drop(
                    was.seats + int(values[0]), was.arr + values[1],
                    was.churned_seats + int(values[2]), was.churned_arr + values[3],
                )  # fmt: skip
    return found


def nights_runs(night: Mapping[str, Any]) -> tuple[Seen, Seen]:
    """Return the rows of the two runs that a night was compared by."""
    definition = int(night["definition"])

    def seen(day: str, revision: str) -> Seen:
        return Seen(definition, int(night[revision]), dt.date.fromisoformat(night[day]))

    return seen("from", "from_revision"), seen("day", "revision")


def value_of_sums(rule: str, sums: Sums) -> Fraction | None:
    if rule == derived.ADOPTION:
        return Fraction(sums.amount) / sums.weight if sums.weight else None
    return Fraction(sums.amount)


SEGMENTS = (*rows.SEGMENTS, QUARTER)


def segmentations(rule: str) -> tuple[str, ...]:
    """Return what a number of accounts of this rule can be told by."""
    has_quarters = rule == derived.RENEWAL_EXPOSURE
    return SEGMENTS if has_quarters else tuple(rows.SEGMENTS)


def segments_of(run: MetricRun, by: str) -> list[Segment]:
    """Return each tier, region, TAM or quarter, those without one last."""
    rule = run.definition.rule
    if by == QUARTER:
        stored = run.parts.get("sums", {})
        quarters = {
            part["key"]: _sums(stored.get(part["key"])) for part in run.parts["by"][QUARTER]
        }
        return [
            Segment(key, key, sums, value_of_sums(rule, sums)) for key, sums in quarters.items()
        ]
    column = rows.SEGMENTS[by]
    groups = (
        rows_of(run)
        .order_by()
        .exclude(state=int(State.OUT))
        .values(column)
        .annotate(
            counted=Count("id", filter=Q(state=int(State.COUNTED))),
            unknown=Count("id", filter=Q(state=int(State.UNKNOWN))),
            asked=Count("id"),
            amount=Sum("adds", filter=Q(state=int(State.COUNTED))),
            more=Sum("adds", filter=Q(state=int(State.UNKNOWN))),
            weight=Sum("of"),
        )
    )
    labels = rows.labels_of(by)
    found = []
    for group in groups:
        sums = Sums(
            group["asked"], group["counted"], group["unknown"], group["amount"] or Decimal(0),
            group["more"] or Decimal(0), int(group["weight"] or 0),
        )  # fmt: skip
        value = group[column]
        key, label = labels.get(value, (str(value or ""), value or "None"))
        found.append(Segment(key, label, sums, value_of_sums(rule, sums)))
    order = [label for _, label in labels.values()]
    return sorted(
        found,
        key=lambda s: (s.key == "", order.index(s.label) if s.label in order else -1, s.label),
    )


def _sums(stored: list[Any] | None) -> Sums:
    if stored is None:
        return Sums()
    asked, counted, unknown, amount, more, weight = stored
    return Sums(asked, counted, unknown, Decimal(amount), Decimal(more), weight)
