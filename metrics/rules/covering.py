"""A good set of candidates where there are too many for all subsets, and how good at least.

Greedy by what a day brings, then parts of the answer worked out exactly, again and again. The bound
beside it counts every seat as a part of the account it helps: a candidate is worth the sum, over
its accounts, of its seats as a share of the gap, one at most. A set by which n accounts cross is
worth n at least, for the shares of such an account add up to one or more. So no set is cheaper
than the cheapest fractions of candidates worth n; where candidates share an account, its worth
is counted more than once, which makes the bound lower but never wrong.
"""

import heapq
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from metrics.rules.subsets import Candidate, added_up, cheapest, crossing_by

# So many candidates are looked at exactly at a time: 2**12 subsets take about a millisecond.
WINDOW = 12
MOST_WINDOWS = 40
# Sums of shares are rounded; a bound may be too low by this, not too high.
SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Question:
    candidates: Sequence[Candidate]
    gaps: Mapping[int, int]
    wanted: int
    capacity: int | None

    def days_of(self, chosen: Collection[int]) -> int:
        return sum(self.candidates[place].days for place in chosen)

    def crossing(self, chosen: Collection[int]) -> int:
        return crossing_by([self.candidates[place] for place in chosen], self.gaps)

    def badness(self, chosen: Collection[int]) -> tuple[int, int, int]:
        """Return what is compared: accounts missing, then days, then how many candidates."""
        missing = max(0, self.wanted - self.crossing(chosen))
        return missing, self.days_of(chosen), len(chosen)


def covering(question: Question) -> tuple[int, ...]:
    """Return the places of the candidates of a good set within the capacity."""
    chosen = improved(question, greedy(question))
    return tuple(sorted(chosen))


def greedy(question: Question) -> set[int]:
    """Take what brings most a day until enough accounts cross; give back what is not needed."""
    state = _State(question)
    queue = [state.entry(place) for place in range(len(question.candidates))]
    heapq.heapify(queue)
    days = 0
    while queue and state.crossing < question.wanted:
        entry = heapq.heappop(queue)
        place = entry[1]
        if place in state.chosen or entry != state.entry(place) or not entry[0]:
            continue
        if question.capacity is not None and days + question.candidates[place].days > (
            question.capacity
        ):
            continue
        days += question.candidates[place].days
        for other in state.take(place):
            heapq.heappush(queue, state.entry(other))
    return _needed(question, state.chosen)


def _needed(question: Question, chosen: Collection[int]) -> set[int]:
    """Give back, the dearest first, those without which as many cross."""
    kept = set(chosen)
    wanted = min(question.wanted, question.crossing(kept))
    state = added_up([question.candidates[place] for place in kept], question.gaps)
    crossing = question.crossing(kept)
    for place in sorted(kept, key=lambda each: (-question.candidates[each].days, -each)):
        candidate = question.candidates[place]
        lost = sum(
            state[account] >= question.gaps[account] > state[account] - seats
            for account, seats in candidate.seats.items()
            if account in question.gaps
        )
        if crossing - lost >= wanted:
            crossing -= lost
            kept.remove(place)
            state.subtract({a: s for a, s in candidate.seats.items() if a in question.gaps})
    return kept


class _State:
    """What is chosen so far, what the accounts still need, and what each candidate brings."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.left = dict(question.gaps)
        self.chosen: set[int] = set()
        self.crossing = 0
        self.serving: dict[int, list[int]] = {account: [] for account in question.gaps}
        for place, candidate in enumerate(question.candidates):
            for account, seats in candidate.seats.items():
                if seats and account in self.serving:
                    self.serving[account].append(place)

    def entry(self, place: int) -> tuple[float, int]:
        """Return what it brings a day, the most first, and the earlier of equal ones."""
        candidate = self.question.candidates[place]
        worth = sum(
            min(1.0, seats / self.left[account])
            for account, seats in candidate.seats.items()
            if self.left.get(account, 0) > 0
        )
        return -worth / max(candidate.days, 1), place

    def take(self, place: int) -> Iterator[int]:
        """Choose it; return those that bring something else now."""
        self.chosen.add(place)
        touched: set[int] = set()
        for account, seats in self.question.candidates[place].seats.items():
            left = self.left.get(account, 0)
            if left > 0 and seats:
                self.left[account] = left - seats
                self.crossing += left <= seats
                touched.update(self.serving[account])
        return iter(sorted(touched - self.chosen))


def improved(question: Question, chosen: set[int]) -> set[int]:
    """Work out parts of the answer exactly: some of the chosen, and the best of the others."""
    best = question.badness(chosen)
    for window in list(_windows(question, chosen)):
        fixed = chosen - set(window)
        if question.capacity is not None and question.days_of(fixed) > question.capacity:
            continue
        held = added_up([question.candidates[place] for place in fixed], question.gaps)
        left = {a: gap - held[a] for a, gap in question.gaps.items() if gap > held[a]}
        found = cheapest(
            [question.candidates[place] for place in window],
            left,
            wanted=max(0, question.wanted - (len(question.gaps) - len(left))),
            capacity=None
            if question.capacity is None
            else question.capacity - question.days_of(fixed),
        )
        other = fixed | {window[place] for place in found.chosen}
        if (badness := question.badness(other)) < best:
            chosen, best = other, badness
    return chosen


def _windows(question: Question, chosen: Collection[int]) -> Iterator[tuple[int, ...]]:
    """Return neighbours in the order of what a day brings, those at the edge first."""
    state = _State(question)
    order = [place for _, place in sorted(map(state.entry, range(len(question.candidates))))]
    inside = [place for place in reversed(order) if place in chosen]
    outside = [place for place in order if place not in chosen]
    half = WINDOW // 2
    for number in range(MOST_WINDOWS):
        # Every pair of a part of the chosen and a part of the others, the nearest pairs first.
        step, shift = divmod(number, 4)
        one, two = (step, shift) if number % 2 else (shift, step)
        window = [
            *inside[one * half : (one + 1) * half],
            *outside[two * half : (two + 1) * half],
        ]
        if window:
            yield tuple(sorted(window))


def least_days(question: Question) -> int:
    """Return days that no set by which enough accounts cross can go below."""
    missing, days = float(question.wanted), 0.0
    for worth, cost in _by_price(question):
        if missing <= SLACK:
            break
        part = min(1.0, missing / worth)
        missing -= part * worth
        days += part * cost
    return math.ceil(days - SLACK * (1 + days))


def most_crossing(question: Question) -> int:
    """Return how many accounts no set within the capacity can go above."""
    reachable = _reachable(question)
    if question.capacity is None:
        return len(reachable)
    left, worth = float(question.capacity), 0.0
    for value, cost in _by_price(question):
        part = min(1.0, left / cost) if cost else 1.0
        worth += part * value
        left -= part * cost
    return min(len(reachable), math.floor(worth + SLACK * (1 + worth)))


def _by_price(question: Question) -> list[tuple[float, int]]:
    reachable = _reachable(question)
    worths = [
        (
            sum(
                min(1.0, seats / question.gaps[account])
                for account, seats in candidate.seats.items()
                if account in reachable
            )
            * (1 + SLACK),
            candidate.days,
        )
        for candidate in question.candidates
    ]
    return sorted((each for each in worths if each[0]), key=lambda each: each[1] / each[0])


def _reachable(question: Question) -> set[int]:
    """Return the accounts that cross when everything is done."""
    everything = added_up(question.candidates, question.gaps)
    return {account for account, gap in question.gaps.items() if everything[account] >= gap}
