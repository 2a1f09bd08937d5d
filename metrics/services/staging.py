"""Judges accounts into the temporary table `seen`, and counts what was seen.

The statement of selectors/judging.py judges them all at once. What it leaves undecided, and
everything where it fails as a whole, is judged by the rules in Python, account by account.
"""

import io
import logging
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, Self

from django.db import DataError, connection, transaction

from metrics import rules
from metrics.selectors import digests, inputs, judging
from metrics.selectors.digests import InputsSum

logger = logging.getLogger(__name__)

CHUNK = 1_000_000
COLUMNS = (
    "account_id", "arr", "licensed", "unlimited", "deployed", "data_state", "eligible", "passes",
    "reason", "region", "tier_id", "tam_id", "monthly_active", "renewal_on", "customer_since",
)  # fmt: skip
LISTED = ", ".join(COLUMNS)
# Beside the columns of a row of the ledger.
MORE = f"oldest, {digests.LISTED}, undecided"
STAGED = f"{LISTED}, {MORE}"

STAGE = f"""
    DROP TABLE IF EXISTS pg_temp.seen;
    CREATE TEMPORARY TABLE seen ON COMMIT DROP AS
    SELECT {LISTED}, oldest, {digests.HASH_PARTS}, undecided
    FROM ({{judged}}) judged {digests.HASHED};
    ANALYZE seen (account_id);
"""
STAGE_NOBODY = f"""
    DROP TABLE IF EXISTS pg_temp.seen;
    CREATE TEMPORARY TABLE seen ON COMMIT DROP AS
    SELECT {LISTED}, NULL::timestamptz AS oldest,
           {", ".join(f"0::bigint AS {name}" for name in digests.NAMES)}, false AS undecided
    FROM metrics_metricrow WITH NO DATA;
"""
COUNT = f"""
    SELECT eligible AND NOT unlimited, passes, reason, count(*), count(oldest), min(oldest),
           {digests.SUMMED}, array_agg(account_id) FILTER (WHERE undecided)
    FROM seen GROUP BY 1, 2, 3
"""


@dataclass(slots=True)
class Counts:
    """What a number is made of, but for its oldest reading: counts that add and subtract."""

    numerator: int = 0
    denominator: int = 0
    unknown: int = 0
    covered: int = 0
    excluded: Counter[str] = field(default_factory=Counter)

    def add(self, *, in_ratio: bool, passes: bool | None, reason: str, times: int) -> None:
        if not in_ratio:
            self.excluded[reason] += times
            return
        self.denominator += times
        self.numerator += times if passes else 0
        self.unknown += times if passes is None else 0

    @property
    def accounts(self) -> int:
        return self.denominator + self.excluded.total()

    def __add__(self, other: Self) -> "Counts":
        return self._joined(other, 1)

    def __sub__(self, other: Self) -> "Counts":
        return self._joined(other, -1)

    def _joined(self, other: Self, sign: int) -> "Counts":
        excluded = Counter(self.excluded)
        for reason, count in other.excluded.items():
            excluded[reason] += sign * count
        return Counts(
            self.numerator + sign * other.numerator,
            self.denominator + sign * other.denominator,
            self.unknown + sign * other.unknown,
            self.covered + sign * other.covered,
            Counter({reason: count for reason, count in excluded.items() if count}),
        )


@dataclass(frozen=True, slots=True)
class Staged:
    """What the accounts in `seen` come to."""

    counts: Counts
    oldest: Any
    inputs_sum: InputsSum
    judged: int
    # Whether `seen` holds every account, and not only those that another run's are added to.
    is_full: bool = True

    @property
    def number(self) -> rules.Number:
        return rules.Number(
            numerator=self.counts.numerator,
            denominator=self.counts.denominator,
            unknown=self.counts.unknown,
            covered=self.counts.covered,
            oldest_reading=self.oldest,
            excluded=dict(sorted(self.counts.excluded.items())),
        )


def stage(
    at: inputs.Moment, policy: rules.Policy, scope: judging.Scope = judging.EVERYBODY
) -> Staged:
    """Judge the accounts of the scope; run it inside a transaction that has set judging.PLAN.

    Raises DataError where the statement fails, but for everybody it does not.
    """
    sql, parameters = judging.judged(at, policy, scope)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(STAGE.format(judged=sql), parameters)
    except DataError:
        if scope != judging.EVERYBODY:
            raise
        logger.exception("The accounts cannot be judged at once for %s", at.day.day)
        return stage_by_the_rules(at, policy)
    staged, undecided = _counted()
    if undecided:
        _judge_by_the_rules(at, policy, undecided)
        staged, _ = _counted()
    return staged


def stage_by_the_rules(at: inputs.Moment, policy: rules.Policy) -> Staged:
    """Judge every account in Python: slower, and the same."""
    with connection.cursor() as cursor:
        cursor.execute(STAGE_NOBODY)
    _judge_by_the_rules(at, policy, None)
    return _counted()[0]


def _counted() -> tuple[Staged, list[int]]:
    counts, total = Counts(), InputsSum()
    undecided: list[int] = []
    oldest, judged = None, 0
    with connection.cursor() as cursor:
        cursor.execute(COUNT)
        for in_ratio, passes, reason, count, covered, first, *parts, left in cursor.fetchall():
            counts.add(in_ratio=in_ratio, passes=passes, reason=reason, times=count)
            total += InputsSum.of(parts)
            judged += count
            undecided += left or []
            if in_ratio:
                counts.covered += covered
                oldest = min(filter(None, (oldest, first)), default=None)
    return Staged(counts, oldest, total, judged), undecided


def _judge_by_the_rules(
    at: inputs.Moment, policy: rules.Policy, account_ids: Collection[int] | None
) -> None:
    with connection.cursor() as cursor:
        if account_ids is not None:
            cursor.execute("DELETE FROM seen WHERE account_id = ANY(%s)", [list(account_ids)])
        buffer = io.StringIO()
        for account in inputs.accounts_at(at, account_ids, policy):
            verdict = judge_safely(account, at.day, policy)
            hashed = InputsSum.of_account(account, at.day, policy)
            buffer.write(_copy_line(verdict, hashed))
            if buffer.tell() > CHUNK:
                _copy(cursor, buffer)
                buffer = io.StringIO()
        _copy(cursor, buffer)
        cursor.execute("ANALYZE seen")


def judge_safely(account: rules.Account, day: rules.Day, policy: rules.Policy) -> rules.Verdict:
    """Judge an account; one that cannot be judged stands as unknown and stops nobody else."""
    try:
        return _kept(rules.judge(account, day, policy))
    except Exception:
        logger.exception("Account %s could not be judged for %s", account.id, day.day)
        return rules.Verdict(
            account_id=account.id,
            arr=None,
            licensed=0,
            unlimited=False,
            deployed=None,
            data_state="no_reading",
            eligible=True,
            passes=None,
            reason="error",
            oldest_reading=None,
            region=account.region,
            tier_id=None,
            tam_id=account.tam_id,
            renewal_on=None,
        )


def _kept(verdict: rules.Verdict) -> rules.Verdict:
    """Refuse what no column holds: amounts and rates are bounded, their product less so."""
    if verdict.arr is not None and verdict.arr >= judging.MOST_ARR:
        raise OverflowError(f"an ARR of {float(verdict.arr):g} cannot be kept")
    return verdict


def decimal_of(exact: Fraction) -> Decimal:
    """Return the fraction cut to six places, for display; comparisons use the fraction itself."""
    scaled = int(exact * 1_000_000)
    return Decimal(scaled).scaleb(-6)


def _copy(cursor: Any, buffer: io.StringIO) -> None:
    buffer.seek(0)
    cursor.cursor.copy_expert(f"COPY seen ({STAGED}) FROM STDIN", buffer)


def _copy_line(verdict: rules.Verdict, hashed: InputsSum) -> str:
    arr = None if verdict.arr is None else decimal_of(verdict.arr)
    values: Iterable[Any] = (
        verdict.account_id, arr, verdict.licensed, verdict.unlimited, verdict.deployed,
        verdict.data_state, verdict.eligible, verdict.passes, verdict.reason,
        _escaped(verdict.region), verdict.tier_id, verdict.tam_id, verdict.monthly_active,
        verdict.renewal_on, verdict.customer_since, verdict.oldest_reading,
        *hashed.signed, False,
    )  # fmt: skip
    return "\t".join("\\N" if value is None else str(value) for value in values) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
