"""What more seats would do to the number. Nothing here is ever written anywhere."""

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction


def crossing(seats: int, so_far: Sequence[int]) -> int:
    """Return how many accounts reach the line when seats go to the nearest first.

    `so_far` is what all accounts up to each of them still need together, in that order.
    """
    return bisect_right(so_far, seats)


def shares_by_crossing(numerator: int, denominator: int, most: int) -> list[Fraction]:
    """Return the number for each count of accounts that cross, from none to `most`."""
    return [Fraction(numerator + count, denominator) for count in range(most + 1)]
