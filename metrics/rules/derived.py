"""Numbers worked out from the rows of `seats-deployed`: what one account adds. No Django here.

Each rule looks at one row, its day and the policy; selectors/derived_sql.py says the same as SQL,
and tests hold the two against each other. Contraction alone looks at two nights of an account.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import IntEnum
from typing import Any

NET_SEATS = "net-seats-deployed"
ARR_AT_RISK = "arr-at-risk"
EARLY_WARNING = "early-warning"
AT_RISK = "at-risk"
ADOPTION = "adoption"
RENEWAL_EXPOSURE = "renewal-exposure"
CONTRACTION = "contraction"
RULES = (
    NET_SEATS, ARR_AT_RISK, EARLY_WARNING, AT_RISK, ADOPTION, RENEWAL_EXPOSURE, CONTRACTION,
)  # fmt: skip
# Those with an upper end: every account that is unknown counts.
WITH_INTERVAL = frozenset({ARR_AT_RISK, EARLY_WARNING, AT_RISK, RENEWAL_EXPOSURE})
# Reasons of a row that say the account is no customer of its own on the day.
NO_CUSTOMER = ("prospect", "churned", "archived", "internal", "rolled_up", "gone")
CHURNED = "churned"
COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class Policy:
    """The parameters of the definitions; each uses its own.

    Of every rule that looks at one row, accounts of which the ARR is not above `min_arr` are out;
    0 leaves none out.
    """

    min_arr: Decimal = Decimal(0)
    share_percent: int = 75
    after_days: int = 90
    within_days: int = 180
    quarters: int = 4
    window_days: int = 30

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "Policy":
        """Read the parameters of the rules; what else a definition keeps is for others."""
        known = {field.name for field in fields(cls)}
        values = {name: value for name, value in stored.items() if name in known}
        return cls(**values | {"min_arr": Decimal(values.get("min_arr", 0))})

    def leaves_out(self, row: "Row") -> bool:
        """Whether its ARR is not enough; one without a known ARR may have enough."""
        return bool(self.min_arr) and row.arr is not None and row.arr <= self.min_arr


@dataclass(frozen=True, slots=True)
class Row:
    """What the run saw of an account, as far as a rule asks for it."""

    arr: Decimal | None
    licensed: int
    unlimited: bool
    deployed: int | None
    data_state: str
    eligible: bool
    passes: bool | None
    reason: str
    monthly_active: int | None = None
    renewal_on: dt.date | None = None
    customer_since: dt.date | None = None

    @property
    def is_member(self) -> bool:
        return self.eligible and not self.unlimited


class State(IntEnum):
    """Where an account stands: not asked about, asked and clear, counted, or not known."""

    OUT = 0
    CLEAR = 1
    COUNTED = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Adds:
    """What an account adds, or would add where that is unknown.

    `weight` is what the amount is a share of; `key` the part of the number it belongs to.
    """

    state: State
    amount: Decimal = Decimal(0)
    weight: int = 0
    key: str = ""

    @property
    def counted(self) -> Decimal:
        return self.amount if self.state is State.COUNTED else Decimal(0)

    @property
    def counted_weight(self) -> int:
        return self.weight if self.state is State.COUNTED else 0


Rule = Callable[[Row, dt.date, Policy], Adds]
OUT = Adds(State.OUT)
CLEAR = Adds(State.CLEAR)


def _of_those_above(rule: Rule) -> Rule:
    def told(row: Row, day: dt.date, policy: Policy) -> Adds:
        return OUT if policy.leaves_out(row) else rule(row, day, policy)

    return told


@_of_those_above
def net_seats(row: Row, _day: dt.date, _policy: Policy) -> Adds:
    if not row.eligible:
        return OUT
    if row.deployed is None:
        return Adds(State.UNKNOWN)
    return Adds(State.COUNTED, Decimal(row.deployed))


@_of_those_above
def arr_at_risk(row: Row, _day: dt.date, _policy: Policy) -> Adds:
    return _by_the_line(row) if row.is_member else OUT


@_of_those_above
def early_warning(row: Row, day: dt.date, policy: Policy) -> Adds:
    state = _early(row, day, policy)
    return Adds(state, Decimal(state in (State.COUNTED, State.UNKNOWN)))


@_of_those_above
def at_risk(row: Row, day: dt.date, policy: Policy) -> Adds:
    if not row.is_member:
        return OUT
    last = day + dt.timedelta(days=policy.within_days)
    if row.renewal_on is None or not day < row.renewal_on <= last:
        return CLEAR
    early = _early(row, day, policy)
    if row.passes is False or early is State.COUNTED:
        return Adds(State.COUNTED, Decimal(1))
    if row.passes is None or early is State.UNKNOWN:
        return Adds(State.UNKNOWN, Decimal(1))
    return CLEAR


@_of_those_above
def adoption(row: Row, _day: dt.date, _policy: Policy) -> Adds:
    if not row.is_member:
        return OUT
    if row.monthly_active is None or not row.licensed:
        return Adds(State.UNKNOWN)
    return Adds(State.COUNTED, Decimal(row.monthly_active), row.licensed)


@_of_those_above
def renewal_exposure(row: Row, day: dt.date, policy: Policy) -> Adds:
    if not row.is_member or row.renewal_on is None:
        return OUT
    if not day < row.renewal_on < quarters_end(day, policy.quarters):
        return OUT
    found = _by_the_line(row)
    return Adds(found.state, found.amount, key=quarter_of(row.renewal_on))


ROW_RULES: dict[str, Rule] = {
    NET_SEATS: net_seats,
    ARR_AT_RISK: arr_at_risk,
    EARLY_WARNING: early_warning,
    AT_RISK: at_risk,
    ADOPTION: adoption,
    RENEWAL_EXPOSURE: renewal_exposure,
}


def given_up(before: Row, after: Row) -> int:
    """Return the licensed seats that an account which stayed a customer gave up in a night."""
    if not before.is_member or after.unlimited or after.reason in NO_CUSTOMER:
        return 0
    return max(0, before.licensed - after.licensed)


def churned_with(before: Row, after: Row) -> int:
    """Return the licensed seats that left with an account."""
    return before.licensed if before.is_member and after.reason == CHURNED else 0


def arr_given_up(before: Row, after: Row) -> Decimal:
    """Return the ARR that went along; 0 where one side is not known."""
    if before.arr is None or after.arr is None:
        return Decimal(0)
    return max(Decimal(0), before.arr - after.arr)


def _by_the_line(row: Row) -> Adds:
    if row.passes:
        return CLEAR
    state = State.UNKNOWN if row.passes is None else State.COUNTED
    return Adds(state, row.arr or Decimal(0))


def _early(row: Row, day: dt.date, policy: Policy) -> State:
    if not row.is_member:
        return State.OUT
    since = row.customer_since
    if since is not None and day - since < dt.timedelta(days=policy.after_days):
        return State.CLEAR
    if row.deployed is None or not row.licensed:
        return State.UNKNOWN
    if 100 * row.deployed >= policy.share_percent * row.licensed:
        return State.CLEAR
    # What the silent instances hold could still carry it over the line.
    return State.COUNTED if since and row.data_state == COMPLETE else State.UNKNOWN


def quarter_of(day: dt.date) -> str:
    return f"{day.year}-Q{(day.month + 2) // 3}"


def quarter_start(day: dt.date) -> dt.date:
    return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)


def quarters_end(day: dt.date, quarters: int) -> dt.date:
    """Return the first day after so many quarters, the one of the day being the first."""
    start = quarter_start(day)
    months = start.month - 1 + 3 * quarters
    return start.replace(year=start.year + months // 12, month=months % 12 + 1)


def quarters_from(day: dt.date, quarters: int) -> list[str]:
    starts = [quarters_end(day, count) for count in range(quarters)]
    return [quarter_of(start) for start in starts]


@dataclass(frozen=True, slots=True)
class Sums:
    """What the accounts come to: how many are asked about, counted and unknown, and the amounts.

    `more` is what those unknown would add. Sums add and subtract.
    """

    asked: int = 0
    counted: int = 0
    unknown: int = 0
    amount: Decimal = Decimal(0)
    more: Decimal = Decimal(0)
    weight: int = 0

    def plus(self, other: "Sums", sign: int = 1) -> "Sums":
        return Sums(
            self.asked + sign * other.asked,
            self.counted + sign * other.counted,
            self.unknown + sign * other.unknown,
            self.amount + sign * other.amount,
            self.more + sign * other.more,
            self.weight + sign * other.weight,
        )

    @classmethod
    def of(cls, adds: Adds) -> "Sums":
        is_unknown = adds.state is State.UNKNOWN
        return cls(
            int(adds.state is not State.OUT),
            int(adds.state is State.COUNTED),
            int(is_unknown),
            adds.counted,
            adds.amount if is_unknown else Decimal(0),
            adds.counted_weight,
        )
