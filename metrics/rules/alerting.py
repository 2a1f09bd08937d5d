"""Whether a rule on a number holds, and how that is said. Exact; what is unknown stays unknown."""

import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction

from config.lib.ui.formats import (
    day_text,
    hours_text,
    money_text,
    number_text,
    share_text,
    signed,
)

ABOVE, BELOW, ROSE, FELL, COVERAGE_FELL = "above", "below", "rose", "fell", "coverage_fell"
LEVELS = frozenset({ABOVE, BELOW})
CHANGES = frozenset({ROSE, FELL, COVERAGE_FELL})
SHARE, COUNT, DURATION, MONEY = "share", "count", "duration", "money"
TENTH = Decimal("0.1")
# A change of so many days is told by a day up to so many earlier, where that day has no number.
GAP_DAYS = 3


@dataclass(frozen=True)
class Terms:
    """What is asked of a number. `value` is in its unit; shares and coverage as shares."""

    kind: str
    value: Fraction
    unit: str
    days: int | None = None
    currency: str = "USD"


@dataclass(frozen=True)
class Point:
    """A number as a day has it; None is unknown."""

    day: dt.date
    value: Fraction | None
    coverage: Fraction | None = None
    definition: int | None = None


@dataclass(frozen=True)
class Target:
    value: Fraction
    at_most: bool = False


@dataclass(frozen=True)
class Verdict:
    """`holds` is None where it cannot be known; `says` is a sentence without its full stop."""

    holds: bool | None
    says: str


def verdict(
    terms: Terms, now: Point, then: Point | None = None, *, target: Target | None = None
) -> Verdict:
    """Ask the rule. `then` is the number to compare with, for rules of changes."""
    if terms.kind in LEVELS:
        return _of_level(terms, now, target)
    return _of_change(terms, now, then)


def compared_day(terms: Terms, day: dt.date) -> dt.date:
    return day - dt.timedelta(days=terms.days or 0)


def is_near(terms: Terms, now: dt.date, then: dt.date) -> bool:
    """Whether a day can stand for the one to compare with."""
    wanted = compared_day(terms, now)
    return wanted - dt.timedelta(days=GAP_DAYS) <= then <= wanted


def rule_text(terms: Terms) -> str:
    """Say what is asked: "falls by at least 3 points in 7 days"."""
    value = _amount(terms, terms.value)
    if terms.kind in LEVELS:
        return f"is {terms.kind} {_level(terms, terms.value)}"
    what = {ROSE: "rises", FELL: "falls", COVERAGE_FELL: "loses coverage"}[terms.kind]
    return f"{what} by at least {value} in {_days(terms.days or 0)}"


def value_text(value: Fraction | None, unit: str, currency: str = "USD") -> str:
    """Say a value with its unit, as pages do."""
    if value is None:
        return "unknown"
    if unit == SHARE:
        return share_text(value)
    if unit == DURATION:
        return hours_text(value)
    if unit == MONEY:
        return money_text(_decimal(value), currency)
    exact = _decimal(value)
    return number_text(int(exact) if exact == exact.to_integral_value() else exact)


def _of_level(terms: Terms, now: Point, target: Target | None) -> Verdict:
    if now.value is None:
        return Verdict(None, _unknown(now))
    holds = now.value > terms.value if terms.kind == ABOVE else now.value < terms.value
    shown, line = value_text(now.value, terms.unit, terms.currency), _level(terms, terms.value)
    is_close = holds and shown.replace(".0%", "%") == line
    says = f"{shown} is {'' if holds else 'not '}{'just ' if is_close else ''}{terms.kind} {line}"
    if holds and target is not None:
        at_most = "at most " if target.at_most else ""
        says += f"; the target is {at_most}{_level(terms, target.value)}"
    return Verdict(holds, says)


def _of_change(terms: Terms, now: Point, then: Point | None) -> Verdict:
    is_coverage = terms.kind == COVERAGE_FELL
    what = "coverage" if is_coverage else "number"
    current = now.coverage if is_coverage else now.value
    if current is None:
        return Verdict(None, _unknown(now, what))
    wanted = compared_day(terms, now.day)
    if then is None or not is_near(terms, now.day, then.day):
        return Verdict(None, f"there is no number of {day_text(wanted)} to compare with")
    before = then.coverage if is_coverage else then.value
    if before is None:
        return Verdict(None, f"{_unknown(then, what)}, so there is nothing to compare with")
    change = current - before
    holds = change >= terms.value if terms.kind == ROSE else -change >= terms.value
    return Verdict(holds and change != 0, _changed(terms, now, then, before, current))


def _changed(terms: Terms, now: Point, then: Point, before: Fraction, current: Fraction) -> str:
    change = current - before
    is_coverage = terms.kind == COVERAGE_FELL
    unit = SHARE if is_coverage else terms.unit
    old = value_text(before, unit, terms.currency)
    new = value_text(current, unit, terms.currency)
    days = _days((now.day - then.day).days)
    says = f"did not change in {days}: {new}"
    if change:
        verb = "rose" if change > 0 else "fell"
        says = f"{verb} {_amount(terms, abs(change))} in {days}, from {old} to {new}"
    says = f"{'coverage ' if is_coverage else ''}{says}"
    says += f"; the rule says {_amount(terms, terms.value, bare=True)}"
    if then.definition != now.definition and None not in (then.definition, now.definition):
        says += f" (definition {then.definition} then, {now.definition} now)"
    return says


def _unknown(point: Point, what: str = "number") -> str:
    return f"the {what} of {day_text(point.day)} is unknown"


def _level(terms: Terms, value: Fraction) -> str:
    """Say a line drawn by people, to the last decimal: "70%", "62.5%", "$250,000"."""
    if terms.unit == SHARE:
        return f"{_plain(value * 100)}%"
    return value_text(value, terms.unit, terms.currency)


def _amount(terms: Terms, value: Fraction, *, bare: bool = False) -> str:
    """Say how much changed: "5.2 points", "$250,000", "3". Cut off: what is short stays short."""
    if terms.kind == COVERAGE_FELL or terms.unit == SHARE:
        points = _decimal(value * 100)
        places = min(TENTH, _places(terms))
        shown = signed(_stripped(points.quantize(places, ROUND_DOWN)), plus="")
        if shown == "0" and points:
            shown = f"under {_stripped(places)}"
        return shown if bare else f"{shown} point{'' if shown == '1' else 's'}"
    return value_text(value, terms.unit, terms.currency)


def _places(terms: Terms) -> Decimal:
    """Return how fine the line is, in points."""
    exponent = _stripped(_decimal(terms.value * 100)).as_tuple().exponent
    return Decimal(1).scaleb(min(int(exponent), 0))


def _plain(value: Fraction) -> str:
    return signed(_stripped(_decimal(value)), plus="")


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def _stripped(value: Decimal) -> Decimal:
    whole = value.to_integral_value()
    return whole if value == whole else value.normalize()


def _days(days: int) -> str:
    return f"{days} day{'' if days == 1 else 's'}"
