"""The cheapest set of candidates, exactly: all subsets at once, a bit for each.

A whole number of 2**n bits stands for a set of subsets. Which subsets carry an account over the
line is one such number, and so is each binary digit of how many accounts a subset carries over.
Half of the candidates are ordered by cost inside the number, so that the cheapest is its lowest
bit. The time is the same whatever the candidates share. See docs/decisions/0025-planning.md.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

# 2**20 subsets are 128 KB a number.
MOST = 20
BITS_A_BYTE = 8


class Candidate(NamedTuple):
    """What costs days, and the seats it unlocks by account. Several may serve one account."""

    days: int
    seats: Mapping[int, int]


class Found(NamedTuple):
    """The places of the candidates chosen, how many accounts cross by them, and their days."""

    chosen: tuple[int, ...]
    crossing: int
    days: int


def cheapest(
    candidates: Sequence[Candidate],
    gaps: Mapping[int, int],
    *,
    wanted: int,
    capacity: int | None = None,
) -> Found:
    """Return the set of fewest days by which so many accounts cross, within the capacity.

    Of equal ones that of fewest candidates, then the earlier ones. Where none reaches so many,
    the one by which most cross, cheapest again. `gaps` are the seats to go, all above 0.
    """
    space = _Space(candidates)
    within = space.within(capacity)
    digits: list[int] = []
    for needs, count in _alike(candidates, gaps).items():
        _add(digits, space.reaching(needs), count)
    enough = within & _at_least(wanted, digits, within)
    chosen = space.cheapest_in(enough or _most(digits, within))
    return Found(
        chosen,
        crossing_by([candidates[place] for place in chosen], gaps),
        sum(candidates[place].days for place in chosen),
    )


def crossing_by(chosen: Sequence[Candidate], gaps: Mapping[int, int]) -> int:
    """Return how many accounts cross when the seats of all that are chosen add up."""
    return sum(seats >= gaps[account] for account, seats in added_up(chosen, gaps).items())


def added_up(chosen: Sequence[Candidate], gaps: Mapping[int, int]) -> Counter[int]:
    total: Counter[int] = Counter()
    for candidate in chosen:
        for account, seats in candidate.seats.items():
            if account in gaps:
                total[account] += seats
    return total


class Needs(NamedTuple):
    """What an account needs: seats by the place of a candidate, and how many in all."""

    seats: tuple[tuple[int, int], ...]
    gap: int


def _alike(candidates: Sequence[Candidate], gaps: Mapping[int, int]) -> Counter[Needs]:
    """Count the accounts by what they need, written in one way."""
    serving: dict[int, list[tuple[int, int]]] = {account: [] for account in gaps}
    for place, candidate in enumerate(candidates):
        for account, seats in candidate.seats.items():
            if seats > 0 and account in serving:
                serving[account].append((place, min(seats, gaps[account])))
    return Counter(
        _plain(seats, gaps[account])
        for account, seats in serving.items()
        if sum(each for _, each in seats) >= gaps[account]
    )


def _plain(seats: list[tuple[int, int]], gap: int) -> Needs:
    """Say “any of them” and “all of them” alike, whatever the numbers of seats."""
    alone = [place for place, each in seats if each >= gap]
    if alone and sum(each for _, each in seats if each < gap) < gap:
        return Needs(tuple((place, 1) for place in alone), 1)
    smallest = min(each for _, each in seats)
    if sum(each for _, each in seats) - smallest < gap:
        return Needs(tuple((place, 1) for place, _ in seats), len(seats))
    return Needs(tuple(seats), gap)


class _Space:
    """All subsets: a chunk for each of those of the later half, a bit in it for the earlier."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        count = len(candidates)
        self.split = count // 2
        self.count = count
        # Days first, then how many, then the places: one number that is never equal for two sets.
        costs = [
            ((candidate.days * (count + 1) + 1) << count) - (1 << (count - 1 - place))
            for place, candidate in enumerate(candidates)
        ]
        first = _sums(costs[: self.split])
        self.order = sorted(range(len(first)), key=first.__getitem__)
        self.first_costs = [first[subset] for subset in self.order]
        self.later_costs = _sums(costs[self.split :])
        days = _sums([candidate.days for candidate in candidates[: self.split]])
        self.first_days = [days[subset] for subset in self.order]
        self.later_days = _sums([candidate.days for candidate in candidates[self.split :]])
        self.width = -(-len(first) // BITS_A_BYTE)

    def within(self, capacity: int | None) -> int:
        """Return the subsets that take no more days."""
        if capacity is None:
            return self._joined([len(self.order)] * len(self.later_costs), self._up_to)
        places = (bisect_right(self.first_days, capacity - days) for days in self.later_days)
        return self._joined(list(places), self._up_to)

    def reaching(self, needs: Needs) -> int:
        """Return the subsets that give an account what it needs."""
        seats = [0] * self.count
        for place, each in needs.seats:
            seats[place] = each
        by_seats: dict[int, int] = {}
        first = _sums(seats[: self.split])
        for bit, subset in enumerate(self.order):
            by_seats[first[subset]] = by_seats.get(first[subset], 0) | 1 << bit
        levels = sorted(by_seats)
        # From the most seats down: who reaches that level reaches those below.
        reached = list(accumulate((by_seats[each] for each in reversed(levels)), int.__or__))
        reached = [*reversed(reached), 0]

        def chunk(seats_before: int) -> int:
            return reached[bisect_left(levels, needs.gap - seats_before)]

        return self._joined(_sums(seats[self.split :]), chunk)

    def cheapest_in(self, subsets: int) -> tuple[int, ...]:
        """Return the places in the cheapest of the subsets."""
        chunks = subsets.to_bytes(self.width * len(self.later_costs), "little")
        best: tuple[int, int, int] | None = None
        for later, cost in enumerate(self.later_costs):
            start = later * self.width
            chunk = int.from_bytes(chunks[start : start + self.width], "little")
            if chunk:
                bit = (chunk & -chunk).bit_length() - 1
                found = (cost + self.first_costs[bit], later, bit)
                best = min(best or found, found)
        if best is None:
            return ()
        _, later, bit = best
        subset = self.order[bit] | later << self.split
        return tuple(place for place in range(self.count) if subset >> place & 1)

    def _joined(self, values: list[int], chunk: Callable[[int], int]) -> int:
        chunks = {value: chunk(value).to_bytes(self.width, "little") for value in set(values)}
        return int.from_bytes(b"".join(map(chunks.__getitem__, values)), "little")

    @staticmethod
    def _up_to(bits: int) -> int:
        return (1 << bits) - 1


def _sums(values: Sequence[int]) -> list[int]:
    """Return the sum of each subset, by the subset as a number."""
    sums = [0]
    for value in values:
        sums += [each + value for each in sums]
    return sums


def _add(digits: list[int], subsets: int, count: int) -> None:
    """Count so many accounts more for the subsets; `digits` are binary, the lowest first."""
    for place in _ones(count):
        carry, at = subsets, place
        while carry:
            while len(digits) <= at:
                digits.append(0)
            digits[at], carry = digits[at] ^ carry, digits[at] & carry
            at += 1


def _ones(number: int) -> Iterator[int]:
    return (place for place in range(number.bit_length()) if number >> place & 1)


def _at_least(wanted: int, digits: Sequence[int], everything: int) -> int:
    """Return the subsets by which so many cross."""
    if wanted >> len(digits):
        return 0
    found = everything
    for place, digit in enumerate(digits):
        found = found & digit if wanted >> place & 1 else found | digit
    return found


def _most(digits: Sequence[int], subsets: int) -> int:
    """Return those of the subsets by which most cross."""
    for digit in reversed(digits):
        subsets = subsets & digit or subsets
    return subsets
