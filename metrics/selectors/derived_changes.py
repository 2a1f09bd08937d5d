"""What moved a number that is worked out from rows, between two of its runs."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from django.db import connection, transaction

from metrics.models import MetricRun
from metrics.rules import derived
from metrics.rules.derived import Adds, Row, State
from metrics.rules.derived_explaining import (
    Explanation,
    Pair,
    Side,
    Terms,
    Totals,
    explain,
    explain_redefined,
)
from metrics.selectors import derived as derived_rows
from metrics.selectors import derived_nights, derived_sql, inputs, runs
from metrics.selectors.derived_sql import Seen

# Whose contribution is not the same on both days; where the definition is another one, all of
# those asked about, on the old day under the new one too.
MOVED = """
    SELECT account_id, {columns}
    FROM ({old}) old FULL JOIN ({new}) new USING (account_id)
    WHERE {which} ORDER BY account_id
"""
SIDE = ("state", "amount", "weight", "key", *derived_sql.COLUMNS)
DIFFERENT = f"""
    ROW(CASE WHEN old.state = {derived_sql.COUNTED} THEN old.amount ELSE 0 END, old.weight)
    IS DISTINCT FROM
    ROW(CASE WHEN new.state = {derived_sql.COUNTED} THEN new.amount ELSE 0 END, new.weight)
"""
ASKED = f"{derived_sql.OUT} <> ANY(ARRAY[old.state, new.state, old.restated])"
# Accounts with the same contracts on both days, as each of them knew it.
SAME_CONTRACTS = """
    SELECT account_id FROM unnest(%(ids)s) AS asked (account_id)
    WHERE NOT EXISTS (
        SELECT FROM accounts_subscription_version v
        WHERE v.account_id = asked.account_id AND v.kind = 'paid'
          AND (v.known_from <= %(cut_before)s
               AND (v.known_to IS NULL OR v.known_to > %(cut_before)s)
               AND v.start <= %(day_before)s AND (v."end" IS NULL OR v."end" > %(day_before)s))
              IS DISTINCT FROM
              (v.known_from <= %(cut)s AND (v.known_to IS NULL OR v.known_to > %(cut)s)
               AND v.start <= %(day)s AND (v."end" IS NULL OR v."end" > %(day)s)))
"""


@lru_cache(maxsize=32)
def explanation(before: MetricRun, after: MetricRun) -> Explanation:
    """Explain the change from one run to another of the same number."""
    rule = after.definition.rule
    is_redefined = before.definition_id != after.definition_id
    restated: dict[int, derived_rows.Drop] | None = None
    with transaction.atomic():
        if rule == derived.CONTRACTION:
            if is_redefined:
                restated = _drops_restated(before, after)
            pairs = _nights(before, after, restated)
        else:
            pairs = _pairs(before, after, ASKED if is_redefined else DIFFERENT)
        terms = _terms(before, after, pairs, restated or {})
    totals = _totals(before), _totals(after)
    found = explain_redefined if is_redefined else explain
    return found(pairs, *totals, terms)


def differences(old: MetricRun, new: MetricRun) -> list[Pair]:
    """Pair the accounts that add something else to one of two runs of a day than to the other."""
    with transaction.atomic():
        if new.definition.rule == derived.CONTRACTION:
            return _nights(old, new)
        return _pairs(old, new, DIFFERENT)


def _totals(run: MetricRun) -> Totals:
    if run.definition.rule == derived.CONTRACTION:
        return Totals(Fraction(run.value or 0))
    amount, weight = Decimal(0), 0
    for sums in run.parts.get("sums", {}).values():
        amount, weight = amount + Decimal(sums[3]), weight + sums[5]
    return Totals(Fraction(amount), weight)


def _terms(
    before: MetricRun,
    after: MetricRun,
    pairs: list[Pair],
    restated: Mapping[int, derived_rows.Drop],
) -> Terms:
    old, new = derived_rows.rows_behind(before), derived_rows.rows_behind(after)
    return Terms(
        rule=after.definition.rule,
        first=before.day,
        last=after.day,
        policy=derived_rows.policy_of(after),
        line=runs.policy_of(new.definition),
        by_rate=_by_rate(old, new, pairs),
        is_redrawn=old.definition_id != new.definition_id,
        restated={account_id: drop.seats for account_id, drop in restated.items()},
    )


def _by_rate(old: MetricRun, new: MetricRun, pairs: list[Pair]) -> set[int]:
    """Return the accounts whose ARR is another one for no contract's sake."""
    ids = [
        each.account_id
        for each in pairs
        if each.before and each.after and each.before.row.arr != each.after.row.arr
    ]
    if not ids:
        return set()
    rates = [inputs.moment(run.day, run.known_at).day.rates for run in (old, new)]
    if rates[0] == rates[1]:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            SAME_CONTRACTS,
            {
                "ids": ids,
                "cut_before": old.known_at,
                "day_before": old.day,
                "cut": new.known_at,
                "day": new.day,
            },
        )
        return {account_id for (account_id,) in cursor.fetchall()}


def _pairs(before: MetricRun, after: MetricRun, which: str) -> list[Pair]:
    said = {}
    rule = after.definition.rule
    under_the_new = derived_sql.BY_RULE[rule](before.day, derived_rows.policy_of(after)).state
    for side, run in (("old", before), ("new", after)):
        more = "".join(f", {name}" for name in derived_sql.COLUMNS)
        if side == "old":
            more += f", ({under_the_new}) AS restated"
        said[side] = derived_sql.adds_of(
            run.definition.rule,
            run.day,
            derived_rows.policy_of(run),
            Seen.by(derived_rows.rows_behind(run)).rows(),
            more=more,
        )
    columns = ", ".join(f"{side}.{name}" for side in said for name in SIDE)
    with connection.cursor() as cursor:
        cursor.execute(MOVED.format(columns=columns, which=which, **said))
        return [
            Pair(account_id, _side(values[: len(SIDE)]), _side(values[len(SIDE) :]))
            for account_id, *values in cursor.fetchall()
        ]


def _side(values: list[Any]) -> Side | None:
    state, amount, weight, key, *row = values
    if state is None:
        return None
    return Side(Row(*row), Adds(State(state), amount, weight, key))


def _drops_restated(before: MetricRun, after: MetricRun) -> dict[int, derived_rows.Drop]:
    """Return what accounts had given up by the old day, over the window of the new definition."""
    base = derived_rows.rows_behind(before)
    days = derived_rows.policy_of(after).window_days
    nights = derived_nights.over(before.definition.slug, base, days)["nights"]
    return derived_rows.drops_over(nights)


def _nights(
    before: MetricRun,
    after: MetricRun,
    restated: Mapping[int, derived_rows.Drop] | None = None,
) -> list[Pair]:
    """Pair what accounts gave up over the one window and over the other."""
    drops = [derived_rows.drops_of(run) for run in (before, after)]
    windows = drops if restated is None else [*drops, restated]
    known = sorted({account_id for window in windows for account_id in window})
    ids = [i for i in known if len({_seats(window, i) for window in windows}) > 1]
    rows = [_rows_of(run, ids) for run in (before, after)]
    return [
        Pair(i, *(_given_up(rows[side].get(i), _seats(drops[side], i)) for side in (0, 1)))
        for i in ids
    ]


def _seats(drops: Mapping[int, derived_rows.Drop], account_id: int) -> int:
    return drops.get(account_id, derived_rows.Drop()).seats


def _rows_of(run: MetricRun, ids: list[int]) -> dict[int, Row]:
    if not ids:
        return {}
    seen = Seen.by(derived_rows.rows_behind(run)).rows(only="AND account_id = ANY(%(ids)s)")
    with connection.cursor() as cursor:
        cursor.execute(seen, {"ids": ids})
        return {account_id: Row(*row) for account_id, *row in cursor.fetchall()}


NOT_ON_RECORD = Row(None, 0, False, None, "no_reading", False, None, "gone")  # noqa: FBT003


def _given_up(row: Row | None, seats: int) -> Side:
    state = State.COUNTED if seats else State.OUT
    return Side(row or NOT_ON_RECORD, Adds(state, Decimal(seats)))
