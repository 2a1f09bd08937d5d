"""Whether a project did what it promised, and what that says about the next of its type."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from statistics import median

ACHIEVED, PARTLY, MISSED = "achieved", "partly", "missed"
# Shares of the seats promised from which on it is achieved, or partly.
ACHIEVED_FROM = Fraction(9, 10)
PARTLY_FROM = Fraction(1, 2)
# The thresholds in words, as pages and papers say them.
THRESHOLDS = (
    "Achieved: at least nine of ten seats promised came. Partly: at least half of them. "
    "Missed: fewer than half."
)
# Fewer projects than these are too few to go by.
ENOUGH = 5

Number = int | Decimal | Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Seats of all its accounts: promised, deployed before the work, found now; null: unknown."""

    promised: int | None
    before: int | None
    found: int | None

    @property
    def realised(self) -> int | None:
        """Return the seats that came; below zero where some went."""
        if self.before is None or self.found is None:
            return None
        return self.found - self.before

    @property
    def share(self) -> Fraction | None:
        """Return the share of the promise that came."""
        if self.realised is None or not self.promised:
            return None
        return Fraction(self.realised, self.promised)

    @property
    def verdict(self) -> str:
        """Return achieved, partly or missed; "" where it cannot be told."""
        if self.share is None:
            return ""
        if self.share >= ACHIEVED_FROM:
            return ACHIEVED
        return PARTLY if self.share >= PARTLY_FROM else MISSED

    @property
    def why_unknown(self) -> str:
        """Return why there is no verdict, "" where there is one."""
        if not self.promised:
            return "No seats were promised, so there is nothing to measure it against."
        if self.before is None:
            return "The seats before the work are not known, so what came cannot be told."
        if self.found is None:
            return "The seats now are not known."
        return ""


def times_planned(planned: Number | None, used: Number | None) -> Fraction | None:
    """Return how many times the days planned it took; nothing where either is not known."""
    if not planned or used is None:
        return None
    return Fraction(used) / Fraction(planned)


@dataclass(frozen=True, slots=True)
class Ratio:
    """The middle of some ratios, and of how many."""

    middle: Fraction
    count: int

    @property
    def is_thin(self) -> bool:
        """Whether these are too few to go by."""
        return self.count < ENOUGH


@dataclass(frozen=True, slots=True)
class Sample:
    """One project that is over: the share of its seats that came, and times its days planned."""

    seats: Fraction | None
    effort: Fraction | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """What projects of a type brought and took, beside what was said of them; null: none yet."""

    seats: Ratio | None
    effort: Ratio | None


def calibrate(samples: Iterable[Sample]) -> Calibration:
    """Return the medians: one project out of all proportion does not move them."""
    found = list(samples)
    return Calibration(
        _middle(each.seats for each in found), _middle(each.effort for each in found)
    )


def _middle(ratios: Iterable[Fraction | None]) -> Ratio | None:
    known = [ratio for ratio in ratios if ratio is not None]
    return Ratio(median(known), len(known)) if known else None
