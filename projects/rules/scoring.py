"""Points for impact times a factor for effort: absolute, so no card moves another's score.

domain.md, Prioritisation. Everything is a Decimal and nothing is rounded: a policy whose scores
would have more than two decimals is refused.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from config.lib.values import BadValue, parse_decimal, parse_integer

HIGHEST, HIGH, MEDIUM, LOW = 1, 2, 3, 4
IMPACTS = {HIGHEST: "Highest", HIGH: "High", MEDIUM: "Medium", LOW: "Low"}
IMPACT_MEANS = {
    HIGHEST: "widespread, for customers and for us",
    HIGH: "widespread, for customers or for us",
    MEDIUM: "specific, for a customer",
    LOW: "specific, for us",
}
EFFORTS = {"low": "Low", "medium": "Medium", "high": "High", "very_high": "Very high"}
LONGEST = "very_high"

TIMES = "\N{MULTIPLICATION SIGN}"
PLACES = 2
FACTOR_PLACES = 4
MOST_POINTS = Decimal(1000)
MOST_DAYS = 365


class BadPolicy(ValueError):
    """A policy that cannot rank; `field` is `points`, `factors` or `days` with the level."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    number: int
    start: dt.date
    points: Mapping[int, Decimal]
    factors: Mapping[str, Decimal]
    # Most days of an effort; none for the longest.
    days: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """How a score came about."""

    points: Decimal
    factor: Decimal

    @property
    def score(self) -> Decimal:
        return self.points * self.factor

    def __str__(self) -> str:
        return f"{plain(self.points)} {TIMES} {plain(self.factor)} = {plain(self.score)}"


@dataclass(frozen=True, slots=True)
class Cell:
    """One place of the matrix."""

    impact: int
    effort: str
    score: Decimal


@dataclass(frozen=True, slots=True)
class Example:
    """What the company's handbook says must rank above what, and whether it does."""

    holds: bool
    sentence: str


def read_policy(
    *,
    number: int,
    start: dt.date,
    points: Any,
    factors: Any,
    days: Any,
) -> Policy:
    """Return the policy kept as JSON; raises BadPolicy naming what is wrong with which value."""
    policy = Policy(
        number=number,
        start=start,
        points={
            level: _number("points", str(level), _of("points", points, str(level)), PLACES)
            for level in IMPACTS
        },
        factors={
            effort: _number("factors", effort, _of("factors", factors, effort), FACTOR_PLACES)
            for effort in EFFORTS
        },
        days={effort: _days(effort, _of("days", days, effort)) for effort in EFFORTS},
    )
    _check(policy)
    return policy


def written(policy: Policy) -> dict[str, dict[str, Any]]:
    """Return the policy as JSON: what read_policy reads."""
    return {
        "points": {str(level): plain(value) for level, value in policy.points.items()},
        "factors": {effort: plain(value) for effort, value in policy.factors.items()},
        "days": dict(policy.days),
    }


def arithmetic(policy: Policy, impact: int | None, effort: str) -> Arithmetic | None:
    """Return how the score comes about; nothing until both impact and effort are known."""
    if impact is None or impact not in policy.points or effort not in policy.factors:
        return None
    return Arithmetic(policy.points[impact], policy.factors[effort])


def score_of(policy: Policy, impact: int | None, effort: str) -> Decimal | None:
    found = arithmetic(policy, impact, effort)
    return found.score if found else None


def effort_for(policy: Policy, days: Decimal) -> str:
    """Return the smallest effort that takes so many days."""
    for effort, most in policy.days.items():
        if most is None or days <= most:
            return effort
    return LONGEST


def days_words(policy: Policy, effort: str) -> str:
    """Return how many days an effort is: "up to 2 days"."""
    most = policy.days[effort]
    if most is not None:
        return f"up to {most} day{'' if most == 1 else 's'}"
    known = [each for each in policy.days.values() if each is not None]
    return f"more than {known[-1]} days"


def matrix(policy: Policy) -> list[list[Cell]]:
    """Return the cells, a row an impact from the highest down."""
    return [
        [Cell(level, effort, policy.points[level] * policy.factors[effort]) for effort in EFFORTS]
        for level in IMPACTS
    ]


def example(policy: Policy) -> Example:
    """Hold the policy against the handbook's example: 50 above 40, and 60 above both."""
    small = _score(policy, MEDIUM, "low")
    huge = _score(policy, HIGH, "very_high")
    solid = _score(policy, HIGH, "high")
    middle = f"Medium impact with low effort ({plain(small)})"
    lowest = f"high impact with very high effort ({plain(huge)})"
    top = f"high impact with high effort ({plain(solid)})"
    if small > huge and solid > small:
        return Example(holds=True, sentence=f"{middle} ranks above {lowest}, and {top} above both.")
    wrong = []
    if small <= huge:
        wrong.append(f"{middle} does not rank above {lowest}")
    if solid <= max(small, huge):
        wrong.append(f"{top} does not rank above both")
    said = f"{'; '.join(wrong)}."
    said = f"{said[0].upper()}{said[1:]} The handbook says it should."
    return Example(holds=False, sentence=said)


def plain(number: Decimal) -> str:
    """Write a number without zeros that say nothing: 60, 37.5."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _score(policy: Policy, impact: int, effort: str) -> Decimal:
    return policy.points[impact] * policy.factors[effort]


def _of(field: str, values: Any, name: str) -> Any:
    if not isinstance(values, Mapping) or name not in values:
        raise BadPolicy(f"{field}_{name}", f"{_called(field, name)} is missing.")
    return values[name]


def _number(field: str, name: str, value: Any, places: int) -> Decimal:
    if isinstance(value, Decimal):
        value = f"{value:f}"
    try:
        return parse_decimal(value, places=places, whole_digits=4)
    except BadValue as bad:
        raise BadPolicy(f"{field}_{name}", f"{_called(field, name)}: {bad.detail}") from bad


def _days(effort: str, value: Any) -> int | None:
    if value is None:
        return None
    try:
        return parse_integer(value, low=1, high=MOST_DAYS)
    except BadValue as bad:
        raise BadPolicy(f"days_{effort}", f"{_called('days', effort)}: {bad.detail}") from bad


def _check(policy: Policy) -> None:
    _check_falling("points", {str(level): value for level, value in policy.points.items()})
    _check_falling("factors", policy.factors)
    if policy.points[HIGHEST] > MOST_POINTS:
        raise BadPolicy(f"points_{HIGHEST}", f"At most {plain(MOST_POINTS)} points.")
    if policy.factors["low"] > 1:
        raise BadPolicy("factors_low", "A factor is 1 at most.")
    _check_days(policy)
    for cell in (cell for row in matrix(policy) for cell in row):
        if cell.score != round(cell.score, PLACES):
            raise BadPolicy(
                f"factors_{cell.effort}",
                f"{arithmetic(policy, cell.impact, cell.effort)}: a score has at most"
                f" {PLACES} decimals. Change the factor or the points.",
            )


def _check_falling(field: str, values: Mapping[str, Decimal]) -> None:
    """Less impact and more effort never score more, and nothing scores 0."""
    for (_, above), (name, value) in pairwise(values.items()):
        if value >= above:
            called = _called(field, name)
            raise BadPolicy(
                f"{field}_{name}",
                f"{called}: {plain(value)} is not below the {plain(above)} before it. Enter less.",
            )
    name, last = list(values.items())[-1]
    if last <= 0:
        raise BadPolicy(f"{field}_{name}", f"{_called(field, name)}: enter more than 0.")


def _check_days(policy: Policy) -> None:
    last = 0
    for effort, most in policy.days.items():
        if effort == LONGEST:
            if most is not None:
                raise BadPolicy(f"days_{effort}", "Very high effort has no most days.")
        elif most is None or most <= last:
            raise BadPolicy(f"days_{effort}", f"{_called('days', effort)}: more than {last} days.")
        else:
            last = most


def _called(field: str, name: str) -> str:
    level = EFFORTS.get(name) or IMPACTS.get(int(name), name)
    noun = {"points": "Points for", "factors": "The factor for", "days": "Most days of"}[field]
    kind = "impact" if field == "points" else "effort"
    return f"{noun} {level.lower()} {kind}"
