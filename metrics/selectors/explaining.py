"""What moved the number between two runs, read from the ledger and the facts behind it.

Only accounts that went over a line are read; those that stayed are counted by the runs. Runs and
what was known at their moments never change, so an explanation is worked out once.
"""

import dataclasses
import logging
from collections.abc import Collection, Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

from django.db import connection, transaction

from metrics import rules
from metrics.models import GONE, MetricRun
from metrics.rules import explaining
from metrics.rules.explaining import Explanation, Heard, Picture, Side, Whole
from metrics.selectors import inputs, runs

logger = logging.getLogger(__name__)

COLUMNS = ("reason", "eligible", "unlimited", "passes", "licensed", "deployed", "arr")
# Whether an account is in the ratio, and whether it passes: what it takes to move a number.
# Of one layer there is one row an account and day, and nothing to sort by.
SEEN = """
    SELECT {distinct} account_id, {columns},
           eligible AND NOT unlimited AS in_ratio, passes IS TRUE AS is_passing
    FROM metrics_metricrow
    WHERE definition_id = %({side}_definition)s AND layer <= %({side}_layer)s
      AND from_day <= %({side}_day)s AND (to_day IS NULL OR to_day > %({side}_day)s)
    {order}
"""
HIGHEST = {"distinct": "DISTINCT ON (account_id)", "order": "ORDER BY account_id, layer DESC"}
ONLY = {"distinct": "", "order": ""}
MOVED = """
    WITH old AS ({old}), new AS ({new})
    SELECT account_id, {columns}
    FROM (SELECT * FROM old WHERE reason <> '{gone}') old
    FULL JOIN (SELECT * FROM new WHERE reason <> '{gone}') new USING (account_id)
    WHERE coalesce(old.in_ratio, false) <> coalesce(new.in_ratio, false)
       OR (old.in_ratio AND new.in_ratio AND old.is_passing <> new.is_passing)
       OR account_id = ANY(%(too)s)
    ORDER BY account_id
"""
Rows = dict[int, tuple[Any, ...]]


@lru_cache(maxsize=32)
def explanation(before: MetricRun, after: MetricRun) -> Explanation:
    """Explain the change from one run to another, of whichever day, revision or definition."""
    whole_before, whole_after = _whole(before), _whole(after)
    if not whole_before.denominator or not whole_after.denominator:
        return Explanation(whole_before, whole_after, None)
    policy = runs.policy_of(after.definition)
    is_one_day = before.day == after.day
    with transaction.atomic():
        is_redefined = before.definition_id != after.definition_id
        whole_restated, too = _redefined(before, policy) if is_redefined else (whole_before, [])
        old, new = _moved(before, after, too)
        facts = _Facts(before, after, old.keys() | new.keys())
    sides = {i: _side(i, row, facts.before.get(i)) for i, row in old.items()}
    first = Picture(whole_before, sides)
    last = Picture(whole_after, {i: _side(i, row, facts.after.get(i)) for i, row in new.items()})
    if not is_redefined:
        return explaining.explain(first, last, policy, is_one_day=is_one_day)
    restated = {i: _restated(side, facts.restated.get(i), policy) for i, side in sides.items()}
    return explaining.explain_redefined(
        first, Picture(whole_restated, restated), last, policy, is_one_day=is_one_day
    )


def _whole(run: MetricRun) -> Whole:
    return Whole(run.numerator or 0, run.denominator or 0)


def _moved(before: MetricRun, after: MetricRun, too: Collection[int]) -> tuple[Rows, Rows]:
    """Return the rows of the accounts that went over a line, and of those of `too`, by side."""
    parameters: dict[str, Any] = {"too": list(too)}
    seen = {}
    for side, run in (("old", before), ("new", after)):
        layers = ONLY if run.revision == 1 else HIGHEST
        seen[side] = SEEN.format(side=side, columns=", ".join(COLUMNS), **layers)
        parameters |= {
            f"{side}_definition": run.definition_id,
            f"{side}_layer": run.revision,
            f"{side}_day": run.day,
        }
    columns = ", ".join(f"{side}.{name}" for side in seen for name in COLUMNS)
    old: Rows = {}
    new: Rows = {}
    with connection.cursor() as cursor:
        cursor.execute(MOVED.format(columns=columns, gone=GONE, **seen), parameters)
        for account_id, *values in cursor.fetchall():
            for rows, row in ((old, values[: len(COLUMNS)]), (new, values[len(COLUMNS) :])):
                # No column of a row that is there has no reason.
                if row[0] is not None:
                    rows[account_id] = tuple(row)
    return old, new


@dataclasses.dataclass(frozen=True, slots=True)
class _Fact:
    """An account on a day, by the policy that judges it."""

    account: rules.Account
    at: inputs.Moment
    policy: rules.Policy
    arr_at_old_rates: Fraction | None = None


class _Facts:
    """What was known of the accounts on both days."""

    def __init__(self, before: MetricRun, after: MetricRun, ids: Collection[int]) -> None:
        then = inputs.moment(before.day, before.known_at)
        now = inputs.moment(after.day, after.known_at)
        old_policy, policy = runs.policy_of(before.definition), runs.policy_of(after.definition)
        # The contracts of the new day, at the rates and in the currency of the old one.
        at_old_rates = dataclasses.replace(then.day, day=now.day.day)
        self.before = {
            account.id: _Fact(account, then, old_policy)
            for account in inputs.accounts_at(then, ids, old_policy)
        }
        # Of the old day, what is whose under the new policy.
        self.restated = self.before
        if old_policy.roll_up != policy.roll_up:
            self.restated = {
                account.id: _Fact(account, then, policy)
                for account in inputs.accounts_at(then, ids, policy)
            }
        self.after = {
            account.id: _Fact(account, now, policy, _arr(account, at_old_rates))
            for account in inputs.accounts_at(now, ids, policy)
        }


def _arr(account: rules.Account, day: rules.Day) -> Fraction | None:
    try:
        return rules.arr_on(account.subscriptions, day)
    except rules.UnknownArr:
        return None


def _side(account_id: int, row: tuple[Any, ...], fact: _Fact | None) -> Side:
    values = dict(zip(COLUMNS, row, strict=True))
    return Side(account_id=account_id, **values, **_details(fact, values["reason"]))


def _details(fact: _Fact | None, reason: str) -> dict[str, Any]:
    if fact is None or reason == explaining.FAILED:
        return {}
    return {
        "arr_at_old_rates": fact.arr_at_old_rates,
        "churned_on": fact.account.churned_on,
        "instances": _heard(fact),
    }


def _heard(fact: _Fact) -> Mapping[int, Heard]:
    day, policy = fact.at.day, fact.policy
    latest = rules.latest_readings(fact.account.readings, day, policy)
    counted = set(fact.account.counted_instances)
    heard = {i: Heard(None) for i in counted - latest.keys()}
    for instance, reading in latest.items():
        heard[instance] = Heard(
            seats=reading.seats,
            on=reading.observed_at.astimezone(day.zone).date(),
            is_counted=instance in counted,
            is_usable=not rules.is_stale(reading, day, policy),
        )
    return heard


def _redefined(before: MetricRun, policy: rules.Policy) -> tuple[Whole, list[int]]:
    """Judge the old day under another policy: its number, and who is judged otherwise.

    Reads every account, a few at a time, for any may be; nothing is stored.
    """
    at = inputs.moment(before.day, before.known_at)
    old_policy = runs.policy_of(before.definition)
    numerator, denominator = before.numerator or 0, before.denominator or 0
    changed = []
    for was, becomes in _by_both(at, old_policy, policy):
        old, new = _judged(was, at, old_policy), _judged(becomes, at, policy)
        if old is None or new is None:
            continue
        if (old.in_ratio, old.passes is True) != (new.in_ratio, new.passes is True):
            changed.append(was.id)
            denominator += new.in_ratio - old.in_ratio
            numerator += (new.passes is True) - (old.passes is True)
    return Whole(numerator, denominator), changed


def _by_both(
    at: inputs.Moment, old: rules.Policy, new: rules.Policy
) -> Iterator[tuple[rules.Account, rules.Account]]:
    """Yield each account with what is its own under the one policy, and under the other."""
    if old.roll_up == new.roll_up:
        yield from ((account, account) for account in inputs.accounts_at(at, policy=new))
    else:
        yield from zip(
            inputs.accounts_at(at, policy=old), inputs.accounts_at(at, policy=new), strict=True
        )


def _restated(side: Side, fact: _Fact | None, policy: rules.Policy) -> Side:
    """Return what the run would have seen of an account under another policy."""
    verdict = _judged(fact.account, fact.at, policy) if fact else None
    if fact is None or verdict is None:
        return side
    return dataclasses.replace(
        side,
        reason=verdict.reason,
        eligible=verdict.eligible,
        unlimited=verdict.unlimited,
        passes=verdict.passes,
        licensed=verdict.licensed,
        deployed=verdict.deployed,
        **_details(dataclasses.replace(fact, policy=policy), verdict.reason),
    )


def _judged(
    account: rules.Account, at: inputs.Moment, policy: rules.Policy
) -> rules.Verdict | None:
    """Judge an account; None where that fails, as it did for the run of the day."""
    try:
        return rules.judge(account, at.day, policy)
    except Exception:
        logger.exception("Account %s could not be judged for %s", account.id, at.day.day)
        return None
