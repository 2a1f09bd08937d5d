"""A change of a number worked out from rows, as people and programs read it."""

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from accounts.models import Account
from config.lib.ui.formats import day_text, money_short_text, number_text, points_text
from config.lib.values import money_text as exact_money
from metrics.models import MetricRun
from metrics.rules import derived
from metrics.rules.derived_explaining import (
    RENEWAL_MOVED,
    TIME_PASSED,
    USE_FELL,
    USE_GREW,
    Contribution,
    Explanation,
    Side,
    Way,
)
from metrics.rules.explaining import Cause
from metrics.selectors import answers, changes, numbers
from metrics.selectors.derived_changes import explanation
from metrics.selectors.waterfall import CAUSES, CORRECTED, DEFINITION, LARGEST, LOSSES, MOST

WORDS = {
    **{str(cause): words for cause, words in CAUSES.items()},
    RENEWAL_MOVED: "Renewal moved",
    TIME_PASSED: "Time passed",
    USE_GREW: "More people active",
    USE_FELL: "Fewer people active",
}
TITLES = {
    DEFINITION: "Definition changed",
    str(Way.ENTERED): "Came in",
    str(Way.CHANGED): "Counted on both days",
    str(Way.LEFT): "Went out",
    CORRECTED: "Corrected",
}


@dataclass(frozen=True, slots=True)
class Step:
    start: Fraction
    end: Fraction
    tone: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One account's part. The account is None where it is no longer on record."""

    contribution: Contribution
    account: Account | None
    why: str
    step: Step

    @property
    def cause(self) -> str:
        return WORDS[self.contribution.cause]


@dataclass(frozen=True, slots=True)
class Group:
    """`hidden` is how many of it are not shown one by one, and `rest` what they come to."""

    key: str
    title: str
    count: int
    step: Step
    lines: tuple[Line, ...]
    hidden: int = 0
    rest: Step | None = None


@dataclass(frozen=True)
class Movement:
    before: MetricRun
    after: MetricRun
    explained: Explanation
    old: str
    new: str
    groups: tuple[Group, ...] = ()
    delta: str = ""
    earned: str = ""
    unearned: str = ""

    @property
    def has_number(self) -> bool:
        return self.explained.delta is not None

    @property
    def count(self) -> int:
        return len(self.explained.contributions)

    @property
    def is_shortened(self) -> bool:
        return any(group.hidden for group in self.groups)

    @property
    def lines(self) -> list[Line]:
        return [line for group in self.groups for line in group.lines]

    @property
    def low(self) -> Fraction:
        return min(self._stops)

    @property
    def high(self) -> Fraction:
        return max(self._stops)

    @property
    def _stops(self) -> list[Fraction]:
        ends = [line.step.end for line in self.lines]
        ends += [group.step.end for group in self.groups]
        return [self.explained.before or Fraction(0), self.explained.after or Fraction(0), *ends]


def group_of(each: Contribution) -> str:
    if each.cause == Cause.DEFINITION_CHANGED:
        return DEFINITION
    return CORRECTED if each.cause == Cause.CORRECTED else str(each.way)


def movement_of(
    before: MetricRun, after: MetricRun, *, currency: str, is_whole: bool = False
) -> Movement:
    """Explain a change; unless `is_whole`, of many accounts only the largest are shown."""
    return _Maker(before, after, currency).make(is_whole=is_whole)


class _Maker:
    def __init__(self, before: MetricRun, after: MetricRun, currency: str) -> None:
        self.before, self.after, self.currency = before, after, currency
        self.found = explanation(before, after)
        self.unit, self.rule = after.definition.unit, after.definition.rule
        self.number = self.found.before or Fraction(0)
        self.accounts: dict[int, Account] = {}

    def make(self, *, is_whole: bool) -> Movement:
        old, new = (
            numbers.text_of(value, self.unit, self.currency, short=True)
            for value in (self.found.before, self.found.after)
        )
        if self.found.delta is None:
            return Movement(self.before, self.after, self.found, old, new)
        members = {
            key: [each for each in self.found.contributions if group_of(each) == key]
            for key in TITLES
        }
        limit = None if is_whole or len(self.found.contributions) <= MOST else LARGEST
        shown = {key: largest(found, limit) for key, found in members.items()}
        self.accounts = changes.accounts_of(
            {each.account_id for some in shown.values() for each in some}
        )
        groups = tuple(self._group(key, members[key], shown[key]) for key in TITLES if members[key])
        texts = map(self.text, (self.found.delta, self.found.earned, self.found.unearned))
        return Movement(self.before, self.after, self.found, old, new, groups, *texts)

    def text(self, value: Fraction) -> str:
        if self.unit == numbers.SHARE:
            return f"{points_text(value)} points"
        return numbers.change_text(value, self.unit, self.currency)

    def _group(self, key: str, members: list[Contribution], shown: list[Contribution]) -> Group:
        start = self.number
        lines = tuple(self._line(each) for each in sorted(shown, key=self._by_name))
        named = {id(each) for each in shown}
        hidden = [each for each in members if id(each) not in named]
        rest = self._step(_total(hidden), "") if hidden else None
        whole = Step(start, self.number, "", self.text(_total(members)))
        return Group(key, TITLES[key], len(members), whole, lines, len(hidden), rest)

    def _by_name(self, each: Contribution) -> tuple[str, int]:
        account = self.accounts.get(each.account_id)
        return (account.name.casefold() if account else ""), each.account_id

    def _line(self, each: Contribution) -> Line:
        step = self._step(each.value, tone_of(each, self.rule))
        why = why_of(each, self.after, self.currency)
        return Line(each, self.accounts.get(each.account_id), why, step)

    def _step(self, value: Fraction, tone: str) -> Step:
        start = self.number
        self.number += value
        return Step(start, self.number, tone, self.text(value).removesuffix(" points"))


def largest(found: Collection[Contribution], limit: int | None) -> list[Contribution]:
    """Return those that count most; one more than the limit is not worth a line that says so."""
    if limit is None or len(found) <= limit + 1:
        return list(found)
    return sorted(found, key=lambda each: (-abs(each.value), each.account_id))[:limit]


def tone_of(each: Contribution, rule: str) -> str:
    """Return the colour: a loss is no success, and what is put right is neither."""
    if group_of(each) in {DEFINITION, CORRECTED} or not each.value:
        return ""
    if rule == derived.CONTRACTION:
        return "bad" if each.value > 0 else ""
    is_better = (each.value < 0) == (rule in numbers.LESS_IS_BETTER)
    if not is_better:
        return "bad"
    if each.cause in LOSSES or each.cause == TIME_PASSED:
        return "warn" if each.cause in LOSSES else ""
    return "good"


def _total(found: Collection[Contribution]) -> Fraction:
    return sum((each.value for each in found), Fraction(0))


def why_of(each: Contribution, run: MetricRun, currency: str) -> str:
    """Say what happened to an account in a few words."""
    if each.cause == Cause.DEFINITION_CHANGED:
        return f"under definition {run.definition.number}"
    old, new = each.before, each.after
    if old is None or new is None:
        return "new on record" if old is None else "no longer on record"
    if run.definition.rule == derived.CONTRACTION and each.value > 0:
        return f"gave up {number_text(int(each.value))} licensed seats"
    if each.told_by == TIME_PASSED:
        return _time(new, run)
    if each.told_by in TOLD:
        return TOLD[each.told_by](_Told(old, new, run, currency))
    return WORDS[each.told_by][0].lower() + WORDS[each.told_by][1:]


@dataclass(frozen=True, slots=True)
class _Told:
    old: Side
    new: Side
    run: MetricRun
    currency: str

    def seats(self) -> str:
        row = self.new.row
        of = ", unlimited licence" if row.unlimited else f" of {number_text(row.licensed)}"
        return f"{_seats(self.old)} → {_seats(self.new)} seats deployed{of}"

    def licences(self) -> str:
        was, is_now = (number_text(side.row.licensed) for side in (self.old, self.new))
        return f"{was} → {is_now} licensed seats"

    def arr(self) -> str:
        return f"{_arr(self.old, self.currency)} → {_arr(self.new, self.currency)}"

    def rate(self) -> str:
        return f"{self.arr()} by the exchange rate"

    def use(self) -> str:
        return f"{_active(self.old)} → {_active(self.new)} people active"

    def renewal(self) -> str:
        was, is_now = (_day(side.row.renewal_on, self.run) for side in (self.old, self.new))
        return f"renewal {was} → {is_now}"


TOLD: dict[str, Callable[[_Told], str]] = {
    Cause.SEATS_GAINED: _Told.seats,
    Cause.SEATS_LOST: _Told.seats,
    Cause.LICENCES_GREW: _Told.licences,
    Cause.LICENCES_SHRANK: _Told.licences,
    Cause.ARR_UP: _Told.arr,
    Cause.ARR_DOWN: _Told.arr,
    Cause.RATE_CHANGED: _Told.rate,
    USE_GREW: _Told.use,
    USE_FELL: _Told.use,
    RENEWAL_MOVED: _Told.renewal,
}


def _seats(side: Side) -> str:
    return "unknown" if side.row.deployed is None else number_text(side.row.deployed)


def _active(side: Side) -> str:
    active = side.row.monthly_active
    return "unknown" if active is None else number_text(active)


def _arr(side: Side, currency: str) -> str:
    arr = side.row.arr
    return "ARR unknown" if arr is None else money_short_text(arr, currency)


def _day(day: dt.date | None, run: MetricRun) -> str:
    return "open end" if day is None else day_text(day, run.day)


def _time(new: Side, run: MetricRun) -> str:
    rule, policy = run.definition.rule, run.definition.policy
    if rule == derived.CONTRACTION:
        return f"given up {policy['window_days']} days ago and longer"
    if rule == derived.EARLY_WARNING:
        bought = _day(new.row.customer_since, run)
        return f"bought {bought}, {policy['after_days']} days are over"
    return f"renews {_day(new.row.renewal_on, run)}"


def as_json(before: MetricRun, after: MetricRun) -> answers.Answer:
    """Write a change as the API gives it; `points` only of shares."""
    found = explanation(before, after)
    accounts = changes.accounts_of({each.account_id for each in found.contributions})
    has_number, is_share = found.delta is not None, after.definition.unit == numbers.SHARE

    def points(value: Fraction | None) -> str | None:
        return changes.points_of(value) if has_number and is_share else None

    def exact(value: Fraction | None) -> str | None:
        return changes.exact(value) if has_number else None

    return {
        "from": answers.as_json(before),
        "to": answers.as_json(after),
        "delta": exact(found.delta),
        "delta_points": points(found.delta),
        "earned": exact(found.earned),
        "earned_points": points(found.earned),
        "unearned": exact(found.unearned),
        "unearned_points": points(found.unearned),
        "stayed": None,
        "restated": None
        if found.restated is None
        else {
            "numerator": None,
            "denominator": None,
            "value": numbers.exact_text(found.restated, after.definition.unit),
        },
        "contraction": None,
        "contributions": [
            {
                **changes.named(accounts.get(each.account_id)),
                "move": each.way,
                "contribution": changes.exact(each.value),
                "points": changes.points_of(each.value) if is_share else None,
                "cause": each.cause,
                "earned": each.is_earned,
                "contraction": each.is_contraction,
                "before": _side_as_json(each.before),
                "after": _side_as_json(each.after),
                "work": [],
            }
            for each in found.contributions
        ],
    }


def _side_as_json(side: Side | None) -> dict[str, Any] | None:
    if side is None:
        return None
    row = side.row
    return {
        "arr": None if row.arr is None else exact_money(Decimal(row.arr)),
        "licensed": row.licensed,
        "deployed": row.deployed,
        "share": answers.share(row.deployed, None if row.unlimited else row.licensed),
        "eligible": row.eligible,
        "passes": row.passes,
        "reason": row.reason,
    }
