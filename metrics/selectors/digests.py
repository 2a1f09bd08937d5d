"""What stands for everything a run used: the sum of a hash for each account, and one digest.

An account's hash is of the record of what was known of it, as PostgreSQL writes a row: the same
whether the statement of selectors/judging.py makes it or this module does. The sum goes in four
parts of 64 bits and does not depend on any order, so a run may take the hash an account had out
of the sum of an earlier run and put in the one it has now.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from metrics import rules
from metrics.selectors.inputs import Moment

# Of the record that is hashed. Runs of another one are not gone on from, so whoever changes the
# record counts it up, and nothing else has to be done.
FORMAT = 2
PARTS = 4
WIDTH = 64
DIGITS = WIDTH // 4
NAMES = tuple(f"part{number}" for number in range(PARTS))
LISTED = ", ".join(NAMES)
SUMMED = ", ".join(f"coalesce(sum({name}), 0)" for name in NAMES)

# Joins to a statement with the column `told` its hash, as numbers that add up.
HASHED = f"""
    CROSS JOIN LATERAL (
        SELECT ('x' || encode(sha256(convert_to(told, 'UTF8')), 'hex'))::bit({PARTS * WIDTH})
            AS hash OFFSET 0
    ) hashed"""
HASH_PARTS = ", ".join(
    f"substring(hash, {number * WIDTH + 1}, {WIDTH})::bigint AS {name}"
    for number, name in enumerate(NAMES)
)


@dataclass(frozen=True, slots=True)
class InputsSum:
    """Four parts, each modulo 2^64. As hex it is what MetricRun.inputs_sum keeps."""

    parts: tuple[int, ...] = (0,) * PARTS

    @classmethod
    def of(cls, parts: Iterable[Any]) -> Self:
        """Take what the database summed up, with signs."""
        return cls(tuple(int(part) % 2**WIDTH for part in parts))

    @classmethod
    def from_hex(cls, text: str) -> Self:
        return cls(tuple(int(text[i : i + DIGITS], 16) for i in range(0, len(text), DIGITS)))

    @classmethod
    def of_account(cls, account: rules.Account, day: rules.Day, policy: rules.Policy) -> Self:
        told = told_of(account, day, policy)
        return cls.from_hex(hashlib.sha256(told.encode()).hexdigest())

    @property
    def hex(self) -> str:
        return "".join(f"{part:0{DIGITS}x}" for part in self.parts)

    @property
    def signed(self) -> list[int]:
        """Return the parts as the database's bigint holds them."""
        half = 2 ** (WIDTH - 1)
        return [part - 2**WIDTH if part >= half else part for part in self.parts]

    def __add__(self, other: Self) -> Self:
        return type(self).of(a + b for a, b in zip(self.parts, other.parts, strict=True))

    def __sub__(self, other: Self) -> Self:
        return type(self).of(a - b for a, b in zip(self.parts, other.parts, strict=True))


def digest_of(at: Moment, policy: rules.Policy, inputs_sum: InputsSum) -> str:
    """Hash everything a run used: the same day and inputs give the same digest.

    Whether the day was over is one of them, so an unfinished day's run is superseded by the
    first one that knew all of it.
    """
    day = at.day
    shared = (day.day, at.knows_the_whole_day, day.zone.key, day.currency)
    held = (sorted(day.rates.items()), sorted(day.tiers), policy)
    return hashlib.sha256(repr((shared, held, inputs_sum.hex)).encode()).hexdigest()


def told_of(account: rules.Account, day: rules.Day, policy: rules.Policy) -> str:
    """Write down all of an account that could change what is said of it, and nothing else."""
    latest = rules.latest_readings(account.readings, day, policy)
    contracts = "".join(
        _record(s.seats, s.unlimited, s.arr, s.tcv, s.currency, s.start, s.end)
        for s in account.subscriptions
        if s.counts_on(day.day)
    )
    instances = "".join(
        _record(i, _microseconds(latest[i].observed_at), latest[i].seats, latest[i].monthly_active)
        if i in latest
        else _record(i, None, None, None)
        for i in account.counted_instances
    )
    return _record(
        account.id, account.status, account.churned_on, account.internal, account.archived,
        account.region, account.tam_id, rules.customer_since(account.subscriptions, day.day),
        account.rolled_up, rules.is_left_out(account, policy), contracts or None,
        instances or None,
    )  # fmt: skip


def _microseconds(moment: dt.datetime) -> int:
    return (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)


def _record(*values: Any) -> str:
    return f"({','.join(map(_field, values))})"


def _field(value: Any) -> str:
    """Write a value as PostgreSQL does inside a row."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, Decimal):
        return f"{value:f}"
    text = str(value)
    if text and not any(letter in '"\\(), \t\n\v\f\r' for letter in text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '""') + '"'
