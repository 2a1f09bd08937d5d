"""What if this were done, and what to do to reach a target.

Seats of several pieces of work at one account add up: low with low, likely with likely, high with
high. An account crosses the line when the seats it gets are at least its seats to go. Work whose
days are not known can be part of a what-if, but not of a plan.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from metrics.rules import covering, subsets
from metrics.rules.lift import NO_SEATS, Gain, Lift, Seats, Standing, gain, lift

# Days are planned in tenths.
TENTHS = 10


@dataclass(frozen=True, slots=True)
class Work:
    """Something that could be done: its days, where they are known, and seats by account."""

    key: Hashable
    days: Decimal | None
    seats: Mapping[int, Seats]


@dataclass(frozen=True, slots=True)
class Number:
    passing: int
    accounts: int

    def with_more(self, count: int) -> Fraction:
        return Fraction(self.passing + count, self.accounts)


@dataclass(frozen=True, slots=True)
class Effect:
    """What the work does for one account."""

    account: int
    standing: Standing
    seats: Seats
    gain: Gain

    def crosses(self, seats: int) -> bool:
        return 0 < self.standing.gap <= seats

    @property
    def is_likely(self) -> bool:
        return self.crosses(self.seats.likely)

    @property
    def is_sure(self) -> bool:
        """Whether it crosses even at the worst."""
        return self.crosses(self.seats.low)

    @property
    def is_possible(self) -> bool:
        return self.crosses(self.seats.high)


@dataclass(frozen=True, slots=True)
class Outlook:
    """The number if the work were done. `low`, `likely`, `high`: how many accounts cross."""

    number: Number
    low: int
    likely: int
    high: int
    lift: Lift
    effects: tuple[Effect, ...]
    # Accounts of the work of which nothing can be said.
    unknown: tuple[int, ...]
    days: Decimal
    # Work whose days are not known.
    undated: tuple[Hashable, ...]


def outlook(chosen: Sequence[Work], standings: Mapping[int, Standing], number: Number) -> Outlook:
    """Say what the number would be; `standings` are those of the accounts one knows of."""
    total: dict[int, Seats] = {}
    for work in chosen:
        for account, seats in work.seats.items():
            total[account] = total.get(account, NO_SEATS) + seats
    effects = tuple(
        Effect(account, standings[account], seats, gain(seats, standings[account]))
        for account, seats in sorted(total.items())
        if account in standings
    )
    return Outlook(
        number=number,
        low=sum(each.is_sure for each in effects),
        likely=sum(each.is_likely for each in effects),
        high=sum(each.is_possible for each in effects),
        lift=lift([each.gain for each in effects], number.accounts),
        effects=effects,
        unknown=tuple(sorted(total.keys() - standings.keys())),
        days=sum((work.days for work in chosen if work.days is not None), Decimal(0)),
        undated=tuple(work.key for work in chosen if work.days is None),
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """The cheapest work by which enough accounts cross, or the best there is.

    `least_days`: no plan that reaches it takes fewer; `most_crossing`: by no plan within the
    capacity do more cross. Where it `is_exact`, both are what the plan itself has.
    """

    chosen: tuple[Work, ...]
    wanted: int
    crossing: int
    days: Decimal
    is_exact: bool
    least_days: Decimal | None
    most_crossing: int
    # How many cross when everything is done, however long it takes.
    reachable: int
    # Work that was left out, for its days are not known.
    undated: tuple[Hashable, ...]

    @property
    def reaches(self) -> bool:
        return self.crossing >= self.wanted


def wanted_for(target: Fraction, number: Number) -> int:
    """Return how many more accounts have to pass for the target."""
    return max(0, math.ceil(target * number.accounts) - number.passing)


def plan(
    works: Sequence[Work],
    standings: Mapping[int, Standing],
    *,
    wanted: int,
    capacity: Decimal | None = None,
) -> Plan:
    """Choose by likely seats: exactly among up to 20 that help, else nearly, and say how nearly."""
    gaps = {account: each.gap for account, each in standings.items() if each.gap > 0}
    dated = [work for work in works if work.days is not None]
    everything = [_candidate(work, gaps) for work in dated]
    served = subsets.added_up(everything, gaps)
    gaps = {account: gap for account, gap in gaps.items() if served[account] >= gap}
    useful = [
        (work, candidate)
        for work, candidate in zip(dated, everything, strict=True)
        if candidate.seats.keys() & gaps.keys()
    ]
    question = covering.Question(
        [candidate for _, candidate in useful],
        gaps,
        wanted,
        None if capacity is None else math.floor(capacity * TENTHS),
    )
    is_few = len(useful) <= subsets.MOST
    places = _exactly(question) if is_few else covering.covering(question)
    crossing, days = question.crossing(places), question.days_of(places)
    least = days if is_few else covering.least_days(question)
    most = crossing if is_few else covering.most_crossing(question)
    reaches = crossing >= wanted
    return Plan(
        chosen=tuple(useful[place][0] for place in places),
        wanted=wanted,
        crossing=crossing,
        days=_days(days),
        is_exact=is_few or (days == least if reaches else crossing == most),
        least_days=_days(least) if reaches else None,
        most_crossing=max(most, crossing),
        reachable=len(gaps),
        undated=tuple(work.key for work in works if work.days is None),
    )


def _exactly(question: covering.Question) -> tuple[int, ...]:
    return subsets.cheapest(
        question.candidates, question.gaps, wanted=question.wanted, capacity=question.capacity
    ).chosen


def _candidate(work: Work, gaps: Mapping[int, int]) -> subsets.Candidate:
    assert work.days is not None  # noqa: S101
    return subsets.Candidate(
        math.ceil(work.days * TENTHS),
        {
            account: seats.likely
            for account, seats in work.seats.items()
            if account in gaps and seats.likely
        },
    )


def _days(tenths: int) -> Decimal:
    return Decimal(tenths) / TENTHS
