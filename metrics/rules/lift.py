"""What more seats are worth: by how much they raise the chance that accounts pass.

Seats unlocked are triangular between low and high with their mode at likely. What a falling trend
takes until the horizon is triangular too: from nothing, over half of going on as before, to going
on as before all the way. An account passes where the seats unlocked, less the loss, are at least
its gap. That chance has a closed form, worked out in whole numbers and rounded once: equal input
gives equal output, and whatever is larger stays larger. See docs/decisions/0024.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

# The trend is what changed over so many days, and goes on for so many times as long.
TREND_DAYS = 30
TREND_TIMES = 3
PLACES = Decimal("0.00001")
# All powers that occur divide 4! = 24.
POWER_MAX = 4


class Seats(NamedTuple):
    """How many seats are unlocked, at the worst, likely and at best."""

    low: int
    likely: int
    high: int

    def __add__(self, other: "Seats") -> "Seats":  # type: ignore[override]
        return Seats(*(a + b for a, b in zip(self, other, strict=True)))


NO_SEATS = Seats(0, 0, 0)


def point(seats: int) -> Seats:
    return Seats(seats, seats, seats)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an account stands: seats to go, or less than zero: seats above the line.

    `fell` is how many seats it lost over the days of the trend; 0 where it lost none.
    """

    gap: int
    fell: int = 0


@dataclass(frozen=True, slots=True)
class Gain:
    """The chances that an account passes: without the seats, and with them."""

    before: float
    after: float
    after_low: float
    after_high: float

    @property
    def expected(self) -> float:
        return self.after - self.before

    @property
    def low(self) -> float:
        return self.after_low - self.before

    @property
    def high(self) -> float:
        return self.after_high - self.before


class Lift(NamedTuple):
    """In points of the number."""

    low: Decimal
    expected: Decimal
    high: Decimal


def gain(seats: Seats, standing: Standing) -> Gain:
    return Gain(
        before=chance(NO_SEATS, standing),
        after=chance(seats, standing),
        after_low=chance(point(seats.low), standing),
        after_high=chance(point(seats.high), standing),
    )


def lift(gains: Collection[Gain], denominator: int) -> Lift:
    """Return what the accounts gain together, as a change of the number.

    `low`: each unlocks its low; `high`: each its high. No order of the accounts changes a digit.
    """
    return Lift(
        _points((each.low for each in gains), denominator),
        _points((each.expected for each in gains), denominator),
        _points((each.high for each in gains), denominator),
    )


def _points(values: Iterable[float], denominator: int) -> Decimal:
    whole = Decimal(math.fsum(values)) * 100 / denominator
    return whole.quantize(PLACES, ROUND_HALF_UP)


def chance(seats: Seats, standing: Standing) -> float:
    """Return the chance that the seats, less what the trend takes, are at least the gap."""
    if not standing.fell and seats.low == seats.high:
        return float(seats.low >= standing.gap)
    low, likely, high = (2 * each for each in seats)
    # The seats are turned round: P(seats - loss >= gap) is P(loss - seats <= -gap).
    terms, whole = _spline(-high, -likely, -low)
    # In half seats, so that the middle of the loss is a whole number.
    most = 2 * TREND_TIMES * max(0, standing.fell)
    loss, whole_of_loss = _spline(0, most // 2, most)
    return _below(-2 * standing.gap, _sum_of(terms, loss), whole * whole_of_loss)


class Term(NamedTuple):
    """`factor * (x - knot) ** power / power!` from the knot on; a power of -1 is a point."""

    factor: int
    knot: int
    power: int


def _spline(low: int, mode: int, high: int) -> tuple[list[Term], int]:
    """Return the density of a triangular distribution: its terms, and what they are divided by."""
    left, right, width = mode - low, high - mode, high - low
    if width == 0:
        return [Term(1, low, -1)], 1
    if left == 0:
        return [Term(2 * width, low, 0), Term(-2, low, 1), Term(2, high, 1)], width**2
    if right == 0:
        return [Term(2, low, 1), Term(-2, high, 1), Term(-2 * width, high, 0)], width**2
    return [
        Term(2 * right, low, 1),
        Term(-2 * width, mode, 1),
        Term(2 * left, high, 1),
    ], width * left * right


def _sum_of(first: Sequence[Term], second: Sequence[Term]) -> list[Term]:
    """Return the density of the sum of two that do not depend on each other."""
    return [
        Term(a.factor * b.factor, a.knot + b.knot, a.power + b.power + 1)
        for a in first
        for b in second
    ]


def _below(x: int, terms: Iterable[Term], whole: int) -> float:
    """Return the chance of at most `x`; both sides are whole numbers, so it is rounded once."""
    scale = math.factorial(POWER_MAX)
    total = sum(
        factor * (x - knot) ** (power + 1) * (scale // math.factorial(power + 1))
        for factor, knot, power in terms
        if x >= knot
    )
    share: float = total / (whole * scale)
    return share
