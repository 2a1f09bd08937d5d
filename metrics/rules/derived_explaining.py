"""Why a number worked out from rows moved: what each account did to it, and one cause for each.

The contributions are exact and add up to the change. With M the old number, A and W the sums of
amounts and of what they are a share of, and a and w those of one account (0 where it is not
counted), an account contributes to a share (a1 - a0 - M (w1 - w0)) / W1, which adds up to
(A1 - A0 - M (W1 - W0)) / W1 = A1/W1 - M. To a sum it contributes a1 - a0.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from metrics.rules.derived import (
    ADOPTION,
    COMPLETE,
    CONTRACTION,
    NET_SEATS,
    ROW_RULES,
    Adds,
    Policy,
    Row,
    State,
)
from metrics.rules.explaining import EARNED, ENTERED_FROM, FAILED, LEFT_TO, Cause
from metrics.rules.seats_deployed import Policy as LinePolicy
from metrics.rules.seats_deployed import reaches

# Beside those that move a share of accounts.
RENEWAL_MOVED, TIME_PASSED = "renewal_moved", "time_passed"
USE_GREW, USE_FELL = "use_grew", "use_fell"
MORE_CAUSES = (RENEWAL_MOVED, TIME_PASSED, USE_GREW, USE_FELL)


class Way(StrEnum):
    ENTERED = "entered"
    LEFT = "left"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Side:
    """What the run of one day saw of an account, and what that adds."""

    row: Row
    adds: Adds

    @property
    def amount(self) -> Fraction:
        return Fraction(self.adds.counted)

    @property
    def weight(self) -> int:
        return self.adds.counted_weight


@dataclass(frozen=True, slots=True)
class Pair:
    """An account on both days; a side is None where it was not on record."""

    account_id: int
    before: Side | None
    after: Side | None


@dataclass(frozen=True, slots=True)
class Totals:
    amount: Fraction
    weight: int = 0

    def value(self, rule: str) -> Fraction | None:
        if rule != ADOPTION:
            return self.amount
        return self.amount / self.weight if self.weight else None


@dataclass(frozen=True, slots=True)
class Contribution:
    """`told_by` is what happened to it where the cause is only that a day was corrected."""

    account_id: int
    way: Way
    value: Fraction
    cause: str
    told_by: str
    before: Side | None
    after: Side | None

    @property
    def is_earned(self) -> bool:
        return self.cause in EARNED

    @property
    def is_contraction(self) -> bool:
        return self.cause == Cause.LICENCES_SHRANK


@dataclass(frozen=True, slots=True)
class Explanation:
    """A change and what it is made of; no delta where a day has no number."""

    before: Fraction | None
    after: Fraction | None
    delta: Fraction | None = None
    contributions: tuple[Contribution, ...] = ()
    restated: Fraction | None = None

    @property
    def earned(self) -> Fraction:
        return sum((each.value for each in self.contributions if each.is_earned), Fraction(0))

    @property
    def unearned(self) -> Fraction:
        return sum((each.value for each in self.contributions if not each.is_earned), Fraction(0))


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every account of a change.

    `line` is the policy that says which side of the line an account is on. `by_rate` names those
    whose ARR only an exchange rate moved; where the line itself was redrawn, `is_redrawn`.
    `restated` is what contraction had of each account on the old day over the new window.
    """

    rule: str
    first: dt.date
    last: dt.date
    policy: Policy
    line: LinePolicy
    by_rate: Collection[int] = ()
    is_redrawn: bool = False
    restated: Mapping[int, int] = field(default_factory=dict)

    @property
    def is_one_day(self) -> bool:
        return self.first == self.last


def explain(pairs: Sequence[Pair], before: Totals, after: Totals, terms: Terms) -> Explanation:
    old, new = before.value(terms.rule), after.value(terms.rule)
    if old is None or new is None:
        return Explanation(old, new)
    found = tuple(_contributions(pairs, before, after, terms, None))
    return Explanation(old, new, new - old, found)


def explain_redefined(
    pairs: Sequence[Pair], before: Totals, after: Totals, terms: Terms
) -> Explanation:
    """Explain a change of definition too: the old day is worked out under the new one first."""
    restated_pairs = [Pair(each.account_id, each.before, _restated(each, terms)) for each in pairs]
    restated = _moved(before, restated_pairs)
    old, new = before.value(terms.rule), after.value(terms.rule)
    if old is None or new is None:
        return Explanation(old, new)
    if restated.value(terms.rule) is None:
        label = Cause.DEFINITION_CHANGED
        found = tuple(_contributions(pairs, before, after, terms, label))
        return Explanation(old, new, new - old, found)
    rest = [
        Pair(each.account_id, between.after, each.after)
        for each, between in zip(pairs, restated_pairs, strict=True)
    ]
    found = (
        *_contributions(restated_pairs, before, restated, terms, Cause.DEFINITION_CHANGED),
        *_contributions(rest, restated, after, terms, None),
    )
    return Explanation(old, new, new - old, found, restated.value(terms.rule))


def _restated(pair: Pair, terms: Terms) -> Side | None:
    side = pair.before
    if side is None:
        return None
    if terms.rule == CONTRACTION:
        seats = terms.restated.get(pair.account_id, 0)
        return Side(side.row, Adds(State.COUNTED if seats else State.OUT, Decimal(seats)))
    return Side(side.row, ROW_RULES[terms.rule](side.row, terms.first, terms.policy))


def _moved(totals: Totals, pairs: Iterable[Pair]) -> Totals:
    amount, weight = totals.amount, totals.weight
    for each in pairs:
        a0, w0 = _adds(each.before)
        a1, w1 = _adds(each.after)
        amount, weight = amount + a1 - a0, weight + w1 - w0
    return Totals(amount, weight)


def _contributions(
    pairs: Iterable[Pair], before: Totals, after: Totals, terms: Terms, label: str | None
) -> Iterator[Contribution]:
    old = before.value(terms.rule)
    for each in pairs:
        a0, w0 = _adds(each.before)
        a1, w1 = _adds(each.after)
        if (a0, w0) == (a1, w1):
            continue
        value = a1 - a0
        if terms.rule == ADOPTION and old is not None:
            value = (value - old * (w1 - w0)) / after.weight
        told_by = label or cause_of(each, terms, old)
        yield Contribution(
            each.account_id,
            _way(each),
            value,
            label or (Cause.CORRECTED if terms.is_one_day else told_by),
            told_by,
            each.before,
            each.after,
        )


def _adds(side: Side | None) -> tuple[Fraction, int]:
    return (Fraction(0), 0) if side is None else (side.amount, side.weight)


def _way(pair: Pair) -> Way:
    was = pair.before is not None and pair.before.adds.state is State.COUNTED
    is_now = pair.after is not None and pair.after.adds.state is State.COUNTED
    if was == is_now:
        return Way.CHANGED
    return Way.ENTERED if is_now else Way.LEFT


def cause_of(pair: Pair, terms: Terms, old_number: Fraction | None = None) -> str:
    old, new = pair.before, pair.after
    if terms.rule == CONTRACTION:
        has_more = _adds(new)[0] > _adds(old)[0]
        return Cause.LICENCES_SHRANK if has_more else TIME_PASSED
    if old is None:
        return Cause.NEW_CUSTOMER
    if new is None:
        return Cause.ARCHIVED
    was, is_now = _stands_in(old.row, terms.rule), _stands_in(new.row, terms.rule)
    by_rate = pair.account_id in terms.by_rate
    if is_now and not was:
        usual: str = Cause.RATE_CHANGED if by_rate else Cause.ARR_UP
        return ENTERED_FROM.get(old.row.reason, usual)
    if was and not is_now:
        usual = Cause.RATE_CHANGED if by_rate else Cause.ARR_DOWN
        return LEFT_TO.get(new.row.reason, usual)
    return _by_replacing(old, new, terms, old_number, by_rate=by_rate)


def _stands_in(row: Row, rule: str) -> bool:
    return row.eligible if rule == NET_SEATS else row.is_member


def _by_replacing(
    old: Side, new: Side, terms: Terms, old_number: Fraction | None, *, by_rate: bool
) -> str:
    """Replace one thing after the other by what it is now.

    The last that changes where the account stands is the cause; where it stands as before, the
    last that changes what it adds, and of a share the one that moves it most.
    """
    adds = old.adds
    moved_state, moved_amount, most = "", "", Fraction(-1)
    for cause, row, day in _steps(old.row, new.row, terms, by_rate=by_rate):
        now = ROW_RULES[terms.rule](row, day, terms.policy)
        if now.state is not adds.state:
            moved_state = cause
        amount = Fraction(now.counted - adds.counted)
        weight = now.counted_weight - adds.counted_weight
        if amount or weight:
            size = abs(amount - (old_number or 0) * weight)
            if terms.rule != ADOPTION or size > most:
                moved_amount, most = cause, size
        adds = now
    if new.adds.state is not old.adds.state and moved_state:
        return moved_state
    if adds == new.adds and moved_amount:
        return moved_amount
    if FAILED in (old.row.reason, new.row.reason):
        return Cause.READING_STALE if new.row.reason == FAILED else Cause.READING_RETURNED
    return Cause.DEFINITION_CHANGED if terms.is_redrawn else moved_amount or Cause.CORRECTED


def _steps(
    old: Row, new: Row, terms: Terms, *, by_rate: bool
) -> Iterator[tuple[str, Row, dt.date]]:
    """Yield the row after each replacement, with the cause it stands for."""
    row = old
    for names, cause_of_step in REPLACED:
        values = {name: getattr(new, name) for name in names}
        if all(getattr(row, name) == value for name, value in values.items()):
            continue
        cause = cause_of_step(row, new)
        row = replace(row, **values)
        row = replace(row, passes=_passes(row, terms.line))
        is_by_rate = by_rate and cause in {Cause.ARR_UP, Cause.ARR_DOWN}
        yield (Cause.RATE_CHANGED if is_by_rate else cause), row, terms.first
    if terms.first != terms.last:
        yield TIME_PASSED, row, terms.last
    if row.passes is not new.passes:
        # The line was redrawn, or the account could not be judged.
        yield Cause.DEFINITION_CHANGED, replace(row, passes=new.passes), terms.last


def _by_readings(old: Row, new: Row) -> str:
    """Which readings are usable, and with them the seats: nothing of that is earned."""
    if old.data_state == new.data_state:
        gained = (new.deployed or 0) > (old.deployed or 0)
        return Cause.SEATS_GAINED if gained else Cause.SEATS_LOST
    is_returned = new.data_state == COMPLETE or old.deployed is None
    return Cause.READING_RETURNED if is_returned else Cause.READING_STALE


def _by_use(old: Row, new: Row) -> str:
    if old.monthly_active is None:
        return Cause.READING_RETURNED
    if new.monthly_active is None:
        return Cause.READING_STALE
    return USE_GREW if new.monthly_active > old.monthly_active else USE_FELL


def _by_licences(old: Row, new: Row) -> str:
    return Cause.LICENCES_GREW if new.licensed > old.licensed else Cause.LICENCES_SHRANK


def _by_arr(old: Row, new: Row) -> str:
    return Cause.ARR_UP if (new.arr or 0) > (old.arr or 0) else Cause.ARR_DOWN


# In this order; what stands together is replaced at once.
REPLACED: tuple[tuple[tuple[str, ...], Callable[[Row, Row], str]], ...] = (
    (("data_state", "deployed"), _by_readings),
    (("monthly_active",), _by_use),
    (("licensed",), _by_licences),
    (("arr",), _by_arr),
    (("renewal_on",), lambda *_: RENEWAL_MOVED),
    (("customer_since",), lambda *_: Cause.CORRECTED),
)


def _passes(row: Row, line: LinePolicy) -> bool | None:
    if not row.is_member or row.reason == FAILED or not row.licensed or row.deployed is None:
        return None
    if reaches(row.deployed, row.licensed, line):
        return True
    return False if row.data_state == COMPLETE else None
