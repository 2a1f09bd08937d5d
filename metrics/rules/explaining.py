"""Why a number moved between two days: what each account contributed, and one cause for each.

Contributions are exact and sum to the change, in whatever order they are added. How each cause
is found, and what was decided where the definition is silent, is in docs/metric.md.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from metrics.rules.seats_deployed import Policy, reaches


class Cause(StrEnum):
    """The one reason why an account moved the number."""

    SEATS_GAINED = "seats_gained"
    SEATS_LOST = "seats_lost"
    LICENCES_GREW = "licences_grew"
    LICENCES_SHRANK = "licences_shrank"
    READING_STALE = "reading_stale"
    READING_RETURNED = "reading_returned"
    NEW_CUSTOMER = "new_customer"
    CHURNED = "churned"
    ARCHIVED = "archived"
    RESTORED = "restored"
    ARR_UP = "arr_up"
    ARR_DOWN = "arr_down"
    RATE_CHANGED = "rate_changed"
    BECAME_LIMITED = "became_limited"
    BECAME_UNLIMITED = "became_unlimited"
    INCLUDED = "included"
    LEFT_OUT = "left_out"
    CORRECTED = "corrected"
    DEFINITION_CHANGED = "definition_changed"


# The reason of an account that could not be judged.
FAILED = "error"
EARNED = frozenset({Cause.SEATS_GAINED, Cause.SEATS_LOST})


class Move(StrEnum):
    """Which way an account went over a line."""

    CROSSED = "crossed"
    FELL = "fell"
    ENTERED = "entered"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Heard:
    """What was last heard of one instance by the end of a day; no seats where nothing was."""

    seats: int | None
    on: dt.date | None = None
    is_counted: bool = True
    is_usable: bool = True


@dataclass(frozen=True, slots=True)
class Side:
    """What the run of one day saw of an account, and the facts behind it.

    `arr_at_old_rates` is the ARR of this side's contracts at the rates of the old day; None where
    it cannot be said.
    """

    account_id: int
    reason: str
    eligible: bool
    unlimited: bool
    passes: bool | None
    licensed: int
    deployed: int | None
    arr: Decimal | None = None
    arr_at_old_rates: Fraction | None = None
    churned_on: dt.date | None = None
    instances: Mapping[int, Heard] = field(default_factory=dict)

    @property
    def is_member(self) -> bool:
        return self.eligible and not self.unlimited

    @property
    def score(self) -> int:
        return int(self.passes is True)

    @property
    def heard(self) -> Mapping[int, Heard]:
        """The instances; one without a name where only their sum is known."""
        if self.deployed is None:
            return {i: replace(each, is_usable=False) for i, each in self.instances.items()}
        return self.instances or {0: Heard(self.deployed)}


@dataclass(frozen=True, slots=True)
class Whole:
    """The number of a day as the run has it."""

    numerator: int
    denominator: int

    @property
    def share(self) -> Fraction:
        return Fraction(self.numerator, self.denominator)


@dataclass(frozen=True, slots=True)
class Picture:
    """The number of a day and its accounts; those that are the same on both may be left out."""

    whole: Whole
    sides: Mapping[int, Side]


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one account did to the number. A side is None where the account was not on record.

    `told_by` is what happened to it where the cause is only that a day was corrected.
    """

    account_id: int
    move: Move
    value: Fraction
    cause: Cause
    told_by: Cause
    before: Side | None
    after: Side | None

    @property
    def is_earned(self) -> bool:
        return self.cause in EARNED

    @property
    def is_contraction(self) -> bool:
        """Say whether the number is higher for it because a customer has fewer licences."""
        if self.value <= 0 or self.before is None or self.after is None:
            return False
        if self.cause is Cause.ARR_DOWN:
            return self.after.licensed < self.before.licensed
        return self.cause is Cause.LICENCES_SHRANK


@dataclass(frozen=True, slots=True)
class Explanation:
    """A change and what it is made of; no delta, and no contributions, where a day has no number.

    `restated` is the old day under the new definition, where the two days differ in it.
    """

    before: Whole
    after: Whole
    delta: Fraction | None
    contributions: tuple[Contribution, ...] = ()
    restated: Whole | None = None

    @property
    def earned(self) -> Fraction:
        return sum((c.value for c in self.contributions if c.is_earned), Fraction(0))

    @property
    def unearned(self) -> Fraction:
        return sum((c.value for c in self.contributions if not c.is_earned), Fraction(0))

    @property
    def contraction(self) -> tuple[Contribution, ...]:
        return tuple(c for c in self.contributions if c.is_contraction)

    @property
    def stayed(self) -> int:
        """Return how many accounts of the new day did not change side."""
        moved = {c.account_id for c in self.contributions if c.after and c.after.is_member}
        return self.after.denominator - len(moved)


def explain(
    before: Picture, after: Picture, policy: Policy, *, is_one_day: bool = False
) -> Explanation:
    """Explain a change under one definition; between revisions of one day all is corrected."""
    if not before.whole.denominator or not after.whole.denominator:
        return Explanation(before.whole, after.whole, None)
    label = Cause.CORRECTED if is_one_day else None

    def find(move: Move, old: Side | None, new: Side | None) -> Cause:
        return cause_of(move, old, new, policy)

    found = _contributions(before, after, find, label)
    return Explanation(before.whole, after.whole, after.whole.share - before.whole.share, found)


def explain_redefined(
    before: Picture, restated: Picture, after: Picture, policy: Policy, *, is_one_day: bool = False
) -> Explanation:
    """Explain a change of definition too: `restated` is the old day under the new one."""
    rest = explain(restated, after, policy, is_one_day=is_one_day)
    if not before.whole.denominator or not after.whole.denominator:
        return Explanation(before.whole, after.whole, None, restated=restated.whole)
    # Without a number in between there is nothing to measure the rest from.
    has_number = bool(restated.whole.denominator)
    by_definition = _contributions(
        before,
        restated if has_number else after,
        lambda *_: Cause.DEFINITION_CHANGED,
        Cause.DEFINITION_CHANGED,
    )
    return Explanation(
        before.whole,
        after.whole,
        after.whole.share - before.whole.share,
        by_definition + rest.contributions,
        restated.whole,
    )


CauseOf = Callable[[Move, "Side | None", "Side | None"], Cause]


def _contributions(
    before: Picture, after: Picture, find: CauseOf, label: Cause | None
) -> tuple[Contribution, ...]:
    old_share, count = before.whole.share, after.whole.denominator
    found = []
    for account_id, old, new in _pairs(before.sides, after.sides):
        move = move_of(old, new)
        if move is None:
            continue
        told_by = find(move, old, new)
        found.append(
            Contribution(
                account_id=account_id,
                move=move,
                value=_weight(move, old, new, old_share) / count,
                cause=label or told_by,
                told_by=told_by,
                before=old,
                after=new,
            )
        )
    return tuple(found)


def _pairs(
    old: Mapping[int, Side], new: Mapping[int, Side]
) -> Iterator[tuple[int, Side | None, Side | None]]:
    for account_id in sorted(old.keys() | new.keys()):
        yield account_id, old.get(account_id), new.get(account_id)


def move_of(old: Side | None, new: Side | None) -> Move | None:
    """Return how an account went over a line; None where it stayed where it was."""
    was, is_now = old is not None and old.is_member, new is not None and new.is_member
    if was != is_now:
        return Move.ENTERED if is_now else Move.LEFT
    if not was or old is None or new is None or old.score == new.score:
        return None
    return Move.CROSSED if new.score else Move.FELL


def _weight(move: Move, old: Side | None, new: Side | None, old_share: Fraction) -> Fraction:
    """Return the contribution times the number of accounts of the new day."""
    score_was, score = Fraction(old.score if old else 0), Fraction(new.score if new else 0)
    if move is Move.ENTERED:
        return score - old_share
    if move is Move.LEFT:
        return old_share - score_was
    return score - score_was


def cause_of(move: Move, old: Side | None, new: Side | None, policy: Policy) -> Cause:
    if move is Move.ENTERED and new is not None:
        return _entered(old, new, policy)
    if move is Move.LEFT and old is not None:
        return _left(new, policy)
    if old is None or new is None:
        raise ValueError(f"An account that is missing on a day cannot have {move}.")
    return _flipped(old, new, policy)


# Why an account stood outside before it entered, and where one that left stands now. The codes
# are `Verdict.reason`, which names the first rule that keeps an account out.
ENTERED_FROM = {
    "prospect": Cause.NEW_CUSTOMER,
    "churned": Cause.NEW_CUSTOMER,
    "archived": Cause.RESTORED,
    "internal": Cause.RESTORED,
    "missing_rate": Cause.RATE_CHANGED,
    "missing_amount": Cause.ARR_UP,
    "unlimited": Cause.BECAME_LIMITED,
    "in_grace": Cause.NEW_CUSTOMER,
    "left_out": Cause.INCLUDED,
    "rolled_up": Cause.INCLUDED,
}
LEFT_TO = {
    "prospect": Cause.CHURNED,
    "churned": Cause.CHURNED,
    "archived": Cause.ARCHIVED,
    "internal": Cause.ARCHIVED,
    "missing_rate": Cause.RATE_CHANGED,
    "missing_amount": Cause.ARR_DOWN,
    "unlimited": Cause.BECAME_UNLIMITED,
    "in_grace": Cause.LEFT_OUT,
    "left_out": Cause.LEFT_OUT,
    "rolled_up": Cause.LEFT_OUT,
}


def _entered(old: Side | None, new: Side, policy: Policy) -> Cause:
    if old is None:
        return Cause.NEW_CUSTOMER
    if old.reason in ENTERED_FROM:
        return ENTERED_FROM[old.reason]
    then = new.arr_at_old_rates
    return Cause.RATE_CHANGED if then is not None and then <= policy.min_arr else Cause.ARR_UP


def _left(new: Side | None, policy: Policy) -> Cause:
    if new is None:
        return Cause.ARCHIVED
    if new.reason in LEFT_TO:
        return LEFT_TO[new.reason]
    then = new.arr_at_old_rates
    return Cause.RATE_CHANGED if then is not None and then > policy.min_arr else Cause.ARR_DOWN


def _flipped(old: Side, new: Side, policy: Policy) -> Cause:
    """Replace usability, deployed and licensed seats in turn; the last that flips it is it."""
    has_passed, passes = old.score == 1, new.score == 1
    if FAILED in (old.reason, new.reason):
        # Nothing of it could be read on that day.
        return Cause.READING_RETURNED if passes else Cause.READING_STALE
    usable = _passes(_seats_as_usable(old, new), old.licensed, policy)
    deployed = _passes(new.deployed, old.licensed, policy)
    if deployed is not passes:
        return Cause.LICENCES_SHRANK if new.licensed < old.licensed else Cause.LICENCES_GREW
    if usable is not deployed:
        return Cause.SEATS_GAINED if passes else Cause.SEATS_LOST
    if has_passed is usable:
        raise ValueError(f"Account {old.account_id} did not flip.")
    return Cause.READING_RETURNED if passes else Cause.READING_STALE


def _passes(deployed: int | None, licensed: int, policy: Policy) -> bool:
    return deployed is not None and licensed > 0 and reaches(deployed, licensed, policy)


def _seats_as_usable(old: Side, new: Side) -> int | None:
    """Return the old seats of the instances whose readings are usable now.

    An instance that was there and silent, or an account of which nothing was known, has no old
    seats: it is taken as first read. A new instance beside others comes with the seats, and one
    that is gone goes with them.
    """
    before, after = old.heard, new.heard
    now_usable = _usable(after)
    if not now_usable:
        return None
    was_unknown = not _usable(before)
    seats = sum(before[i].seats or 0 for i in _usable(before) if i not in after)
    for instance, heard in now_usable.items():
        was = before.get(instance)
        if was is not None and was.seats is not None:
            seats += was.seats
        elif was is not None or was_unknown:
            seats += heard.seats or 0
    return seats


def _usable(heard: Mapping[int, Heard]) -> dict[int, Heard]:
    return {
        i: each
        for i, each in heard.items()
        if each.is_counted and each.is_usable and each.seats is not None
    }


def total(contributions: Iterable[Contribution]) -> Fraction:
    return sum((each.value for each in contributions), Fraction(0))
