"""What a back-test came to: both series, both numbers, and the accounts that change side."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import connection

from accounts.models import Account
from metrics.models import GONE, Backtest, MetricDefinition, MetricRun
from metrics.rules.derived import State
from metrics.rules.derived_explaining import Side
from metrics.selectors import derived_changes, families, numbers, runs
from metrics.selectors.dashboard import needed_for
from metrics.selectors.explaining import COLUMNS, HIGHEST, MOVED, ONLY, SEEN

PASSES, FAILS, OUT = "passes", "fails", "out"
# Of a number that is a sum: it adds something.
COUNTED = "counted"


@dataclass(frozen=True, slots=True)
class Pair:
    """A day under both definitions; a side is None where it has no run."""

    day: dt.date
    old: MetricRun | None
    new: MetricRun | None

    @property
    def difference(self) -> Fraction | None:
        old, new = numbers.value_of(self.old), numbers.value_of(self.new)
        return None if old is None or new is None else new - old


def trial_runs(
    definition: MetricDefinition, *, start: dt.date | None = None, end: dt.date | None = None
) -> dict[dt.date, MetricRun]:
    """Return what was computed of a definition while it was on trial, by day."""
    found = MetricRun.objects.filter(definition=definition, status=MetricRun.Status.TRIAL)
    if start is not None:
        found = found.filter(day__gte=start)
    if end is not None:
        found = found.filter(day__lte=end)
    newest = found.order_by("day", "-revision").distinct("day").select_related("definition")
    return {run.day: run for run in newest}


def pairs(slug: str, trial: MetricDefinition, *, start: dt.date, end: dt.date) -> list[Pair]:
    """Return each day of the ledger between these, under what was published and on trial."""
    old = {run.day: run for run in runs.series(slug, start=start, end=end)}
    new = trial_runs(trial, start=start, end=end)
    return [Pair(day, old.get(day), new.get(day)) for day in sorted(old.keys() | new.keys())]


@dataclass(frozen=True, slots=True)
class Flips:
    """Accounts that change side: to passing, to not passing, out of the number, into it."""

    up: int = 0
    down: int = 0
    left: int = 0
    entered: int = 0

    @property
    def total(self) -> int:
        return self.up + self.down + self.left + self.entered


@dataclass(frozen=True, slots=True)
class Seen:
    """What one definition says of an account; `side` is OUT where it is not in the number.

    `adds` is what it adds to a number that is a sum over accounts; None of a share of them.
    """

    side: str
    reason: str = ""
    licensed: int | None = None
    deployed: int | None = None
    arr: Decimal | None = None
    adds: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """An account that stands elsewhere under the other definition."""

    account: Account
    old: Seen
    new: Seen

    @property
    def kind(self) -> str:
        return kind_of(self.old, self.new)


def kind_of(old: Seen, new: Seen) -> str:
    """Return a field of Flips."""
    if new.side == OUT:
        return "left"
    if old.side == OUT:
        return "entered"
    if old.adds is not None and new.adds is not None:
        return "up" if new.adds > old.adds else "down"
    return "up" if new.side == PASSES else "down"


def moved(pair: Pair) -> list[Moved]:
    """Return the accounts that change side on the day, by name; none where a run is missing."""
    if pair.old is None or pair.new is None:
        return []
    found = _moved(pair.old, pair.new)
    accounts = Account.objects.in_bulk(list(found))
    rows = [Moved(accounts[pk], *found[pk]) for pk in found if pk in accounts]
    return sorted(rows, key=lambda each: (each.account.name.casefold(), each.account.pk))


def flips(pair: Pair) -> Flips:
    """Count them, without reading the accounts."""
    if pair.old is None or pair.new is None:
        return Flips()
    counts = Counter(kind_of(*sides) for sides in _moved(pair.old, pair.new).values())
    return Flips(**counts)


def _moved(old: MetricRun, new: MetricRun) -> dict[int, tuple[Seen, Seen]]:
    if new.base is not None:
        found = derived_changes.differences(old, new)
        return {each.account_id: (_added(each.before), _added(each.after)) for each in found}
    rows = _moved_rows(old, new)
    return {pk: (_seen(sides[0]), _seen(sides[1])) for pk, sides in rows.items()}


def _added(side: Side | None) -> Seen:
    if side is None:
        return Seen(OUT, adds=Fraction(0))
    row, is_in = side.row, side.adds.state is State.COUNTED
    return Seen(
        COUNTED if is_in else OUT, row.reason, row.licensed, row.deployed, row.arr, side.amount
    )


def _moved_rows(old: MetricRun, new: MetricRun) -> dict[int, tuple[Mapping[str, Any], ...]]:
    """Return the rows of both runs of the accounts that stand elsewhere."""
    parameters: dict[str, Any] = {"too": []}
    seen = {}
    for side, run in (("old", old), ("new", new)):
        layers = ONLY if run.revision == 1 else HIGHEST
        seen[side] = SEEN.format(side=side, columns=", ".join(COLUMNS), only="", **layers)
        parameters |= {
            f"{side}_definition": run.definition_id,
            f"{side}_layer": run.revision,
            f"{side}_day": run.day,
        }
    columns = ", ".join(f"{side}.{name}" for side in seen for name in COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(MOVED.format(columns=columns, gone=GONE, **seen), parameters)
        width = len(COLUMNS)
        return {
            account_id: (
                dict(zip(COLUMNS, values[:width], strict=True)),
                dict(zip(COLUMNS, values[width:], strict=True)),
            )
            for account_id, *values in cursor.fetchall()
        }


def _seen(row: Mapping[str, Any]) -> Seen:
    # No row that is there has no reason.
    if row["reason"] is None:
        return Seen(OUT)
    side = OUT if not row["eligible"] or row["unlimited"] else PASSES if row["passes"] else FAILS
    return Seen(side, row["reason"], row["licensed"], row["deployed"], row["arr"])


@dataclass(frozen=True, slots=True)
class Effect:
    """How many more accounts must pass to reach the target, under both."""

    target: Decimal
    by_day: dt.date | None
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class Result:
    """A back-test in short, as of its newest day that both have."""

    pairs: list[Pair]
    newest: Pair | None
    largest: Pair | None
    effect: Effect | None


def result_of(test: Backtest) -> Result:
    """Read what is done of it."""
    slug = test.proposal.base.slug
    found = pairs(slug, test.trial, start=test.first_day, end=test.last_day)
    both = [pair for pair in found if pair.old is not None and pair.new is not None]
    newest = both[-1] if both else None
    known = [pair for pair in both if pair.difference is not None]
    largest = max(known, key=lambda pair: (abs(pair.difference or 0), pair.day), default=None)
    if newest is None or newest.old is None or newest.new is None:
        return Result(found, None, largest, None)
    return Result(found, newest, largest, _effect(slug, newest.old, newest.new))


def _effect(slug: str, old: MetricRun, new: MetricRun) -> Effect | None:
    target = runs.target_of(slug)
    is_share = families.family_of(old.definition) is families.SEATS
    if target is None or target.at_most or not is_share:
        return None

    def missing(run: MetricRun) -> int:
        needed = needed_for(target.value, run.denominator or 0)
        return max(0, needed - (run.numerator or 0))

    return Effect(target.value, target.by_day, missing(old), missing(new))
