"""What an import would do to the number: both sides of it, and who moves from one to the other."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from django.db import connection

from accounts import selectors
from accounts.imports.staging import Tell, one
from accounts.measure import facts_changed, terms_on
from accounts.models import Account
from config.lib.ui.formats import money_short_text


@dataclass(frozen=True, slots=True)
class Side:
    """The number as today's facts give it: `numerator` of `denominator` accounts pass."""

    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True)
class Mover:
    """An account that changes sides. `number` is how its page is addressed, such as ACC-7."""

    number: str
    name: str
    was: str
    becomes: str


@dataclass(frozen=True, slots=True)
class Effect:
    """`movers` are the first of those who move; `more` is how many are not among them.

    `left` is how many of all who move are in the number no longer.
    """

    before: Side
    after: Side
    movers: list[Mover] = field(default_factory=list)
    more: int = 0
    left: int = 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Effect":
        return cls(
            Side(**told["before"]),
            Side(**told["after"]),
            [Mover(**mover) for mover in told["movers"]],
            told["more"],
            told.get("left", 0),
        )


class Standing(NamedTuple):
    """Where an account stands to the number; `is_in` where it counts at all."""

    is_in: bool
    passes: bool | None
    reason: str

    @property
    def place(self) -> tuple[bool, bool | None]:
        return self.is_in, self.passes if self.is_in else None


OUTSIDE = Standing(is_in=False, passes=None, reason="")
MOST_MOVERS = 50
ACCOUNTS_AT_ONCE = 20_000
NEXT_TOUCHED = """
SELECT account_id FROM staged_touched WHERE account_id > %s ORDER BY account_id LIMIT %s
"""
TOTALS = """
SELECT count(*) FILTER (WHERE passes), count(*) FROM accounts_account_facts
WHERE eligible AND NOT unlimited
"""
STANDINGS = """
SELECT account_id, eligible AND NOT unlimited, passes, reason FROM accounts_account_facts
WHERE account_id = ANY(%s)
"""
REASONS = {
    "unlimited": "unlimited licence",
    "missing_rate": "ARR unknown, no exchange rate",
    "missing_amount": "ARR unknown, a contract without an amount",
    "no_entitlement": "no licensed seats",
    "partial": "some instances have no usable reading",
    "stale": "every reading is stale",
    "no_reading": "no reading yet",
    "no_instance": "no counted instance",
    "internal": "internal account",
}


def refresh_touched(tell: Tell) -> None:
    """Bring the current facts of the accounts in `staged_touched` up to date."""
    for ids in _touched(tell):
        facts_changed(ids)


def measure(today: dt.date, tell: Tell) -> Effect:
    """Refresh the accounts touched, and tell what that does to the number."""
    numerator, denominator = one(TOTALS)
    before = Side(numerator, denominator)
    moves: list[tuple[int, Standing, Standing]] = []
    count = left = 0
    for ids in _touched(tell):
        was = _standings(ids)
        facts_changed(ids)
        now = _standings(ids)
        for id_ in ids:
            old, new = was.get(id_, OUTSIDE), now.get(id_, OUTSIDE)
            if old.place == new.place:
                continue
            numerator += (new.place == (True, True)) - (old.place == (True, True))
            denominator += new.is_in - old.is_in
            count += 1
            left += old.is_in and not new.is_in
            if len(moves) < MOST_MOVERS:
                moves.append((id_, old, new))
    after = Side(numerator, denominator)
    return Effect(before, after, _movers(moves, today), count - len(moves), left)


def _touched(tell: Tell) -> Iterator[list[int]]:
    total = one("SELECT count(*) FROM staged_touched")[0]
    done, last = 0, 0
    while ids := _next(last):
        yield ids
        done, last = done + len(ids), ids[-1]
        tell("Numbers", done, total)


def _next(last: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(NEXT_TOUCHED, [last, ACCOUNTS_AT_ONCE])
        return [row[0] for row in cursor.fetchall()]


def _standings(ids: Sequence[int]) -> dict[int, Standing]:
    with connection.cursor() as cursor:
        cursor.execute(STANDINGS, [list(ids)])
        return {row[0]: Standing(*row[1:]) for row in cursor.fetchall()}


def _movers(moves: Sequence[tuple[int, Standing, Standing]], today: dt.date) -> list[Mover]:
    if not moves:
        return []
    accounts = Account.objects.in_bulk([id_ for id_, _, _ in moves])
    line = money_short_text(terms_on(today).min_arr, selectors.company().reporting_currency)
    return [
        Mover(
            accounts[id_].number,
            accounts[id_].name,
            _words(was, line) if was.is_in else "not in the number",
            _words(becomes, line),
        )
        for id_, was, becomes in moves
    ]


def _words(standing: Standing, line: str) -> str:
    reason = f"ARR not above {line}"
    if standing.reason != "arr_not_above":
        reason = REASONS.get(standing.reason, standing.reason)
    if not standing.is_in:
        return f"left the number: {reason}"
    if standing.passes is None:
        return f"unknown: {reason}"
    return "passes" if standing.passes else "does not pass"
