"""A change as people read it: groups of accounts, why in words, and the number on its way."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from accounts.models import Account
from config.lib.ui.formats import percent, signed
from metrics.models import MetricRun
from metrics.rules.explaining import Cause, Contribution, Explanation, Move, total
from metrics.selectors import changes, runs
from metrics.selectors.change_words import Teller
from metrics.selectors.explaining import explanation

# Up to so many accounts are all shown; of more, the largest of each group.
MOST = 12
LARGEST = 3
# What lifts the number and is a loss all the same.
LOSSES = frozenset({Cause.LICENCES_SHRANK, Cause.ARR_DOWN, Cause.CHURNED})
DEFINITION, CORRECTED = "definition", "corrected"
# A change of definition comes first: the old number is restated before anything else.
GROUPS = (DEFINITION, *map(str, (Move.CROSSED, Move.FELL, Move.ENTERED, Move.LEFT)), CORRECTED)
CAUSES = {
    Cause.SEATS_GAINED: "Seats gained",
    Cause.SEATS_LOST: "Seats lost",
    Cause.LICENCES_GREW: "More licences",
    Cause.LICENCES_SHRANK: "Fewer licences",
    Cause.READING_STALE: "No usable reading",
    Cause.READING_RETURNED: "Read again",
    Cause.NEW_CUSTOMER: "New customer",
    Cause.CHURNED: "Churned",
    Cause.ARCHIVED: "Archived",
    Cause.RESTORED: "Restored",
    Cause.ARR_UP: "ARR rose",
    Cause.ARR_DOWN: "ARR fell",
    Cause.RATE_CHANGED: "Exchange rate",
    Cause.BECAME_LIMITED: "Licence became limited",
    Cause.BECAME_UNLIMITED: "Licence became unlimited",
    Cause.INCLUDED: "Counts again",
    Cause.LEFT_OUT: "Left out",
    Cause.CORRECTED: "Corrected",
    Cause.DEFINITION_CHANGED: "Definition changed",
}


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the change: the number before and after it."""

    start: Fraction
    end: Fraction
    tone: str
    points: str


@dataclass(frozen=True, slots=True)
class Line:
    """One account's part. The account is None where it is no longer on record."""

    contribution: Contribution
    account: Account | None
    why: str
    step: Step

    @property
    def cause(self) -> str:
        return CAUSES[self.contribution.cause]


@dataclass(frozen=True, slots=True)
class Rest:
    """The accounts of a group that are not shown one by one."""

    count: int
    step: Step


@dataclass(frozen=True, slots=True)
class Group:
    key: str
    title: str
    count: int
    step: Step
    lines: tuple[Line, ...]
    rest: Rest | None


@dataclass(frozen=True, slots=True)
class Contraction:
    """Accounts that lift the number because they have fewer licences, and what they paid."""

    count: int
    names: tuple[str, ...]
    points: str
    arr_before: Decimal
    arr_after: Decimal

    @property
    def more(self) -> int:
        return self.count - len(self.names)


@dataclass(frozen=True)
class Waterfall:
    """A change between two runs, ready to be shown."""

    before: MetricRun
    after: MetricRun
    explained: Explanation
    groups: tuple[Group, ...] = ()
    contraction: Contraction | None = None
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
        return any(group.rest for group in self.groups)

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
        rests = [group.rest.step.end for group in self.groups if group.rest]
        ends = [line.step.end for line in self.lines]
        return [self.explained.before.share, self.explained.after.share, *rests, *ends]


def waterfall_of(
    before: MetricRun, after: MetricRun, *, currency: str, is_whole: bool = False
) -> Waterfall:
    """Explain a change; unless `is_whole`, of many accounts only the largest are shown."""
    found = explanation(before, after)
    if found.delta is None:
        return Waterfall(before, after, found)
    return _Maker(before, after, found, currency).make(is_whole=is_whole)


class _Maker:
    def __init__(
        self, before: MetricRun, after: MetricRun, found: Explanation, currency: str
    ) -> None:
        self.before, self.after, self.found = before, after, found
        self.policy = runs.policy_of(after.definition)
        self.teller = Teller(self.policy, currency, after.day, after.definition.number)
        self.places = places_for(found.after.denominator)
        self.number = found.before.share
        self.accounts: dict[int, Account] = {}

    def make(self, *, is_whole: bool) -> Waterfall:
        members = {
            key: [each for each in self.found.contributions if group_of(each) == key]
            for key in GROUPS
        }
        limit = None if is_whole or len(self.found.contributions) <= MOST else LARGEST
        shown = {key: _largest(found, limit) for key, found in members.items()}
        lost = _largest(self.found.contraction, LARGEST)
        self.accounts = changes.accounts_of(
            {each.account_id for some in (*shown.values(), lost) for each in some}
        )
        groups = tuple(self._group(key, members[key], shown[key]) for key in GROUPS if members[key])
        return Waterfall(
            self.before,
            self.after,
            self.found,
            groups,
            self._contraction(lost),
            *map(self._points, (self.found.delta, self.found.earned, self.found.unearned)),
        )

    def _group(
        self, key: str, members: Collection[Contribution], shown: list[Contribution]
    ) -> Group:
        start = self.number
        lines = tuple(self._line(each) for each in sorted(shown, key=self._by_name))
        hidden = [each for each in members if each not in shown]
        tones = {tone_of(each) for each in hidden}
        tone = tones.pop() if len(tones) == 1 else ""
        rest = Rest(len(hidden), self._step(total(hidden), tone)) if hidden else None
        return Group(
            key=key,
            title=self._title(key, members),
            count=len(members),
            step=Step(start, self.number, "", self._points(total(members))),
            lines=lines,
            rest=rest,
        )

    def _by_name(self, each: Contribution) -> tuple[str, int]:
        return self._name(each).casefold(), each.account_id

    def _name(self, each: Contribution) -> str:
        account = self.accounts.get(each.account_id)
        return account.name if account else ""

    def _line(self, each: Contribution) -> Line:
        step = self._step(each.value, tone_of(each))
        return Line(each, self.accounts.get(each.account_id), self.teller.why(each), step)

    def _step(self, value: Fraction, tone: str) -> Step:
        start = self.number
        self.number += value
        return Step(start, self.number, tone, self._points(value))

    def _points(self, value: Fraction | None) -> str:
        exact = percent(value or 0)
        return signed(exact.quantize(Decimal(1).scaleb(-self.places), ROUND_HALF_UP))

    def _title(self, key: str, members: Collection[Contribution]) -> str:
        line = f"{self.policy.share_percent}%"
        if key == Move.CROSSED:
            was_unknown = any(each.before and each.before.passes is None for each in members)
            return f"Crossed {line}{' or became known' if was_unknown else ''}"
        if key == Move.FELL:
            is_unknown = any(each.after and each.after.passes is None for each in members)
            return f"Fell below {line}{' or became unknown' if is_unknown else ''}"
        return {
            DEFINITION: f"Definition changed from {self.before.definition.number}"
            f" to {self.after.definition.number}",
            Move.ENTERED: "Entered scope",
            Move.LEFT: "Left scope",
            CORRECTED: "Corrected",
        }[key]

    def _contraction(self, shown: list[Contribution]) -> Contraction | None:
        lost = self.found.contraction
        if not lost:
            return None
        return Contraction(
            len(lost),
            tuple(self._name(each) for each in shown),
            self._points(total(lost)),
            changes.arr_of(each.before for each in lost),
            changes.arr_of(each.after for each in lost),
        )


def group_of(contribution: Contribution) -> str:
    if contribution.cause is Cause.DEFINITION_CHANGED:
        return DEFINITION
    return CORRECTED if contribution.cause is Cause.CORRECTED else str(contribution.move)


def tone_of(contribution: Contribution) -> str:
    """Return the colour; a loss is no success, and what is put right or aside is neither."""
    cause, value = contribution.cause, contribution.value
    if cause in {Cause.DEFINITION_CHANGED, Cause.CORRECTED} or not value:
        return ""
    if value < 0:
        return "bad"
    if cause in LOSSES:
        return "warn"
    return "" if contribution.move is Move.LEFT else "good"


def places_for(accounts: int) -> int:
    """Return how many decimals of a point tell one account apart from none."""
    places = 1
    while accounts > 20 * 10**places:
        places += 1
    return places


def _largest(found: Collection[Contribution], limit: int | None) -> list[Contribution]:
    """Return those that count most, then those with the most ARR.

    A single one more than the limit is not worth a line that says so.
    """
    if limit is None or len(found) <= limit + 1:
        return list(found)
    return sorted(found, key=_size)[:limit]


def _size(each: Contribution) -> tuple[Fraction, Decimal, int]:
    arr = max((side.arr or Decimal(0) for side in (each.before, each.after) if side), default=0)
    return -abs(each.value), -Decimal(arr), each.account_id
