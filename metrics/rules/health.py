"""How an account fares: points from 0 to 100, each of them with its reason. docs/health.md.

Plain values in, plain values out, exact fractions in between. A part that is not known gives its
weight to the others in proportion, so the ratio between these never changes.
"""

import datetime as dt
import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from metrics.rules.health_policy import (
    ADOPTION,
    DEPLOYMENT,
    FULL,
    GROUNDS,
    RENEWAL,
    REQUESTS,
    TREND,
    Part,
    Policy,
)

KNOWN = "known"
COMPLETE, PARTIAL = "complete", "partial"
UNLIMITED, NO_ENTITLEMENT = "unlimited", "no_entitlement"
NOT_RECORDED, NOT_COUNTED, NO_BEFORE = "not_recorded", "not_counted", "no_before"

# Another one where the same facts come to something else.
FORMAT = 1

TENTHS = 10
DAYS_A_WEEK = 7
ONE, NOTHING = Fraction(1), Fraction(0)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an account at the end of a day.

    `line` is the share in percent at which it counts as deployed. What the ledger did not hold
    yet on the day is not `recorded`.
    """

    day: dt.date
    line: int
    licensed: int
    unlimited: bool = False
    deployed: int | None = None
    data_state: str = COMPLETE
    # Where the trend begins: the seats, and how much of them was known; "" before its first day.
    deployed_before: int | None = None
    state_before: str = ""
    monthly_active: int | None = None
    renewal_on: dt.date | None = None
    is_recorded: bool = True
    open_requests: int = 0
    late_requests: int = 0
    # In the works on a leader's word, without the customer's sign-off.
    at_risk_requests: int = 0


@dataclass(frozen=True, slots=True)
class Measure:
    """What a part comes to: `fraction` of its full points, or why that is not known."""

    state: str
    fraction: Fraction = NOTHING
    value: str | int | None = None
    # What it was made from, to be said in a sentence.
    told: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """A part of a score: its points, of how many after what is not known was shared out.

    Both are whole numbers of `unit` parts of a point, which all parts of a score have in common.
    """

    part: Part
    measure: Measure
    unit: int
    share_units: int
    points_units: int
    # As they are shown: in tenths that add up.
    share_tenths: int
    points_tenths: int

    @property
    def is_known(self) -> bool:
        return self.measure.state == KNOWN

    @property
    def share(self) -> Fraction:
        return Fraction(self.share_units, self.unit)

    @property
    def points(self) -> Fraction:
        return Fraction(self.points_units, self.unit)


@dataclass(frozen=True, slots=True)
class Health:
    # None: nothing is known that makes a score.
    score: Fraction | None
    # The share of the weights that is known.
    known: Fraction
    band: str
    parts: tuple[Scored, ...]

    @property
    def tenths(self) -> int | None:
        """The score in tenths of a point, cut off, so that it never reaches a band it is not in."""
        return None if self.score is None else self.score * TENTHS // 1


def judge(facts: Facts, policy: Policy) -> Health:
    """Return the score of an account and where each of its points comes from."""
    measured = [(part, MEASURES[part.code](facts, part.parameters)) for part in policy.parts]
    return _scored(measured, policy)


def digest_of(facts: Facts, policy: Policy) -> int:
    """Hash what a score by the policy depends on; the day alone only by the weeks it leaves."""
    part, on = policy.part(RENEWAL), facts.renewal_on
    weeks = _weeks_left(facts, part.parameters["weeks"]) if part and on else None
    told = (
        FORMAT, facts.line, facts.licensed, facts.unlimited, facts.deployed, facts.data_state,
        facts.deployed_before, facts.state_before, facts.monthly_active, str(on), weeks,
        facts.is_recorded, facts.open_requests, facts.late_requests, facts.at_risk_requests,
    )  # fmt: skip
    found = hashlib.blake2b(repr(told).encode(), digest_size=8).digest()
    return int.from_bytes(found, signed=True)


def _weeks_left(facts: Facts, most: int) -> int:
    """Whole weeks: by the day, every account below the line would change each night."""
    assert facts.renewal_on is not None  # noqa: S101 asked only where there is one
    return min(max((facts.renewal_on - facts.day).days // DAYS_A_WEEK, 0), most)


def _scored(measured: Sequence[tuple[Part, Measure]], policy: Policy) -> Health:
    """Add up over a common denominator: in fractions this is most of the time of a night."""
    known = [(part, measure) for part, measure in measured if measure.state == KNOWN]
    weight = sum(part.weight for part, _ in known)
    every = sum(part.weight for part in policy.parts)
    has_score = weight > 0 and any(part.code in GROUNDS for part, _ in known)
    common = math.lcm(*(measure.fraction.denominator for _, measure in known))
    unit = weight * common if has_score else 1
    shares, points = [0] * len(measured), [0] * len(measured)
    for place, (part, measure) in enumerate(measured):
        if has_score and measure.state == KNOWN:
            value = measure.fraction
            shares[place] = FULL * part.weight * common
            points[place] = FULL * part.weight * value.numerator * (common // value.denominator)
    share_tenths = in_tenths(shares, unit)
    points_tenths = in_tenths(points, unit, most=share_tenths)
    score = Fraction(sum(points), unit) if has_score else None
    return Health(
        score=score,
        known=Fraction(weight, every) if every else NOTHING,
        band=band_of(score, policy),
        parts=tuple(
            Scored(*each, unit, shares[i], points[i], share_tenths[i], points_tenths[i])
            for i, each in enumerate(measured)
        ),
    )


def in_tenths(values: Sequence[int], unit: int, most: Sequence[int] | None = None) -> list[int]:
    """Return units in tenths of a point that add up to those of their sum: largest remainders.

    None gets more than its `most`.
    """
    found = [value * TENTHS // unit for value in values]
    missing = sum(values) * TENTHS // unit - sum(found)
    if not missing:
        return found
    left = [value * TENTHS % unit for value in values]
    order = sorted(range(len(found)), key=lambda i: (-left[i], i))
    for place in [*order, *order]:
        if missing and (most is None or found[place] < most[place]):
            found[place] += 1
            missing -= 1
    return found


def band_of(score: Fraction | None, policy: Policy) -> str:
    if score is None:
        return ""
    return next(band.name for band in policy.bands if score >= band.least)


def _deployment(facts: Facts, _: Mapping[str, int]) -> Measure:
    """Full points at the line, none at 0."""
    if why := _why_no_share(facts):
        return Measure(why)
    deployed = facts.deployed or 0
    told = {"deployed": deployed, "licensed": facts.licensed, "line": facts.line}
    fraction = _between(deployed * 100, facts.licensed * facts.line)
    return Measure(KNOWN, fraction, ratio(deployed, facts.licensed), told)


def _trend(facts: Facts, parameters: Mapping[str, int]) -> Measure:
    """Seats won and lost, in percent of those licensed; at the line nothing more need be won."""
    if why := _why_not_whole(facts):
        return Measure(why)
    if facts.state_before != COMPLETE or facts.deployed_before is None:
        return Measure(NO_BEFORE)
    gained = (facts.deployed or 0) - facts.deployed_before
    low, is_at_line = parameters["none_at"], _is_at_line(facts)
    high = 0 if is_at_line else parameters["full_at"]
    told = {
        "deployed": facts.deployed,
        "before": facts.deployed_before,
        "licensed": facts.licensed,
        "days": parameters["days"],
        "at_line": is_at_line,
    }
    fraction = _between(gained * 100 + low * facts.licensed, (low + high) * facts.licensed)
    return Measure(KNOWN, fraction, ratio(gained, facts.licensed), told)


def _adoption(facts: Facts, parameters: Mapping[str, int]) -> Measure:
    """Monthly active people of the licensed seats."""
    if why := _why_not_whole(facts):
        return Measure(why)
    if not facts.is_recorded:
        return Measure(NOT_RECORDED)
    if facts.monthly_active is None:
        return Measure(NOT_COUNTED)
    told = {
        "active": facts.monthly_active,
        "licensed": facts.licensed,
        "full_at": parameters["full_at"],
    }
    fraction = _between(facts.monthly_active * 100, facts.licensed * parameters["full_at"])
    return Measure(KNOWN, fraction, ratio(facts.monthly_active, facts.licensed), told)


def _renewal(facts: Facts, parameters: Mapping[str, int]) -> Measure:
    """Below the line a renewal that is near takes points; at the line it takes none."""
    if why := _why_no_share(facts):
        return Measure(why)
    if not facts.is_recorded:
        return Measure(NOT_RECORDED)
    on = facts.renewal_on
    told = {"on": on.isoformat() if on else None, "at_line": _is_at_line(facts), **parameters}
    if _is_at_line(facts) or on is None:
        return Measure(KNOWN, ONE, None, told)
    weeks = _weeks_left(facts, parameters["weeks"])
    return Measure(KNOWN, Fraction(weeks, parameters["weeks"]), weeks, told)


def _requests(facts: Facts, parameters: Mapping[str, int]) -> Measure:
    """Each open request that is late, or worked on at risk, takes points."""
    troubled = facts.late_requests + facts.at_risk_requests
    told = {
        "open": facts.open_requests,
        "late": facts.late_requests,
        "at_risk": facts.at_risk_requests,
        **parameters,
    }
    left = _between(FULL - parameters["each"] * troubled, FULL)
    return Measure(KNOWN, left, troubled, told)


Measurer = Callable[[Facts, Mapping[str, int]], Measure]
MEASURES: Mapping[str, Measurer] = {
    DEPLOYMENT: _deployment,
    TREND: _trend,
    ADOPTION: _adoption,
    RENEWAL: _renewal,
    REQUESTS: _requests,
}


def _why_not_whole(facts: Facts) -> str:
    """Return why the seats deployed cannot be said in full, "" where they can."""
    if facts.unlimited:
        return UNLIMITED
    if not facts.licensed:
        return NO_ENTITLEMENT
    return "" if facts.deployed is not None and facts.data_state == COMPLETE else facts.data_state


def _why_no_share(facts: Facts) -> str:
    """The same, but what is read of some instances is enough where it reaches the line alone."""
    why = _why_not_whole(facts)
    return "" if why == PARTIAL and _is_at_line(facts) else why


def _is_at_line(facts: Facts) -> bool:
    return facts.deployed is not None and 100 * facts.deployed >= facts.line * facts.licensed


def _between(part: int, whole: int) -> Fraction:
    """Return the share, from none to all of it."""
    if part <= 0:
        return NOTHING
    return ONE if part >= whole else Fraction(part, whole)


def ratio(part: int, whole: int) -> str:
    """Write a share with six decimals, cut off."""
    sign, millionths = "-" if part < 0 else "", abs(part) * 1_000_000 // whole
    return f"{sign}{millionths // 1_000_000}.{millionths % 1_000_000:06d}"
