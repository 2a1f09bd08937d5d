"""What a board pack says of the number, from the runs as they were known at its moment.

Everything is plain data. Differences of shares are exact fractions, written "1/94".
"""

import datetime as dt
from collections.abc import Collection, Iterable
from fractions import Fraction
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from accounts.models import Account
from config.lib.values import moment_text, money_text
from metrics.models import MetricRun
from metrics.rules.explaining import EARNED, Cause, Contribution, Explanation, Move, total
from metrics.rules.packs import TREND_MONTHS, Month, months_until
from metrics.selectors import answers, changes, dashboard, flips, runs
from metrics.selectors.change_words import Teller
from metrics.selectors.explaining import explanation
from metrics.selectors.runs import SEATS_DEPLOYED
from metrics.selectors.waterfall import CAUSES, LOSSES

Told = dict[str, Any]
LARGEST, LISTED, FLIPPED = 10, 10, 25


class Used:
    """The runs a pack shows, each once, read as they were known at its moment."""

    def __init__(self, known_at: dt.datetime) -> None:
        self.known_at = known_at
        self._found: dict[int, MetricRun] = {}

    def run_on(self, slug: str, day: dt.date) -> MetricRun | None:
        return self.add(runs.run_on(slug, day, known_at=self.known_at))

    def add(self, run: MetricRun | None) -> MetricRun | None:
        if run is not None:
            self._found[run.pk] = run
        return run

    def told(self) -> list[Told]:
        """Return which runs they were, by metric and day, with what can be checked of them."""
        found = sorted(
            self._found.values(), key=lambda run: (run.definition.slug, run.day, run.revision)
        )
        return [
            {
                **ref(run),
                "digest": run.digest,
                "numerator": run.numerator,
                "denominator": run.denominator,
                "value": None if run.value is None else f"{run.value:f}",
            }
            for run in found
        ]


class Scene(NamedTuple):
    """What every part is told from."""

    month: Month
    run: MetricRun
    before: MetricRun | None
    used: Used
    zone: ZoneInfo
    currency: str

    @property
    def known_at(self) -> dt.datetime:
        return self.used.known_at


def ref(run: MetricRun) -> Told:
    """Name a run: whoever has these four can look it up."""
    return {
        "metric": run.definition.slug,
        "version": run.definition.number,
        "day": run.day.isoformat(),
        "revision": run.revision,
    }


def exact(value: Fraction | None) -> str | None:
    return None if value is None else f"{value.numerator}/{value.denominator}"


def number(scene: Scene) -> Told:
    run, policy = scene.run, runs.policy_of(scene.run.definition)
    oldest = run.oldest_reading
    age = (run.day - oldest.astimezone(scene.zone).date()).days if oldest else None
    return {
        **ref(run),
        **counts(run),
        "oldest_reading": moment_text(oldest) if oldest else None,
        "oldest_age_days": age,
        "share_percent": policy.share_percent,
        "min_arr": money_text(policy.min_arr),
        "stale_days": policy.stale_days,
        "target": _target(scene),
    }


def counts(run: MetricRun) -> Told:
    return {
        "numerator": run.numerator,
        "denominator": run.denominator,
        "unknown": run.unknown,
        "covered": run.covered,
    }


def _target(scene: Scene) -> Told | None:
    target = dashboard.target_at(SEATS_DEPLOYED, scene.known_at)
    if target is None:
        return None
    run, share = scene.run, dashboard.shares_of(scene.run).value
    wanted = Fraction(target.value)
    needed = dashboard.needed_for(target.value, run.denominator) if run.denominator else None
    return {
        "value": exact(wanted),
        "by_day": target.by_day.isoformat() if target.by_day else None,
        "distance": exact(None if share is None else share - wanted),
        "more_accounts": None if needed is None else max(0, needed - (run.numerator or 0)),
    }


def change(scene: Scene) -> Told | None:
    """Explain the change since the month before; nothing where that has no number."""
    before = scene.before
    if before is None:
        return None
    found = explanation(before, scene.run)
    if found.delta is None:
        return None
    teller = _teller(scene)
    ups = [each for each in found.contributions if each.value > 0]
    downs = [each for each in found.contributions if each.value < 0]
    shown = [*_largest(ups), *_largest(downs), *_largest(found.contraction)]
    names = changes.accounts_of({each.account_id for each in shown})
    return {
        "before": {**ref(before), **counts(before)},
        "delta": exact(found.delta),
        "earned": exact(found.earned),
        "unearned": exact(found.unearned),
        "stayed": found.stayed,
        "moved": len(found.contributions),
        "causes": _causes(found),
        "up": _side(ups, names, teller),
        "down": _side(downs, names, teller),
        "contraction": _contraction(found, names),
    }


def _teller(scene: Scene) -> Teller:
    definition = scene.run.definition
    return Teller(runs.policy_of(definition), scene.currency, scene.run.day, definition.number)


def _causes(found: Explanation) -> list[Told]:
    """Sum by cause: a new definition first, then what was earned, then the rest, most first."""
    groups: dict[Cause, list[Contribution]] = {}
    for each in found.contributions:
        groups.setdefault(each.cause, []).append(each)
    sums = {cause: total(some) for cause, some in groups.items()}
    order = sorted(
        groups,
        key=lambda cause: (
            cause is not Cause.DEFINITION_CHANGED, cause not in EARNED, -sums[cause], cause,
        ),
    )  # fmt: skip
    return [
        {
            "cause": str(cause),
            "label": CAUSES[cause],
            "accounts": len(groups[cause]),
            "value": exact(sums[cause]),
            "earned": cause in EARNED,
            "loss": cause in LOSSES and sums[cause] > 0,
        }
        for cause in order
    ]


def _largest(some: Collection[Contribution]) -> list[Contribution]:
    return sorted(some, key=lambda each: (-abs(each.value), -_arr(each), each.account_id))[:LARGEST]


def _arr(each: Contribution) -> Fraction:
    sides = (each.before, each.after)
    return max((Fraction(side.arr) for side in sides if side and side.arr), default=Fraction(0))


def _side(some: list[Contribution], names: dict[int, Account], teller: Teller) -> Told:
    """Tell the largest of one direction, and what the others come to together."""
    shown = _largest(some)
    rest = [each for each in some if each not in shown]
    return {
        "accounts": [_contribution(each, names, teller) for each in shown],
        "rest": {"count": len(rest), "value": exact(total(rest))},
    }


def _contribution(each: Contribution, names: dict[int, Account], teller: Teller) -> Told:
    return {
        **account(names.get(each.account_id)),
        "cause": str(each.cause),
        "label": CAUSES[each.cause],
        "why": teller.why(each),
        "value": exact(each.value),
        "earned": each.is_earned,
        "contraction": each.is_contraction,
    }


def account(found: Account | None) -> Told:
    return {"account": found.number if found else None, "name": found.name if found else None}


def _contraction(found: Explanation, names: dict[int, Account]) -> Told | None:
    lost = found.contraction
    if not lost:
        return None
    return {
        "count": len(lost),
        "accounts": [account(names.get(each.account_id)) for each in _largest(lost)],
        "value": exact(total(lost)),
        "arr_before": money_text(changes.arr_of(each.before for each in lost)),
        "arr_after": money_text(changes.arr_of(each.after for each in lost)),
    }


def trend(scene: Scene) -> list[Told]:
    """Return the number of each month's last day, or of the last day before it in the month."""
    found = []
    for month in months_until(scene.month, TREND_MONTHS):
        day = min(month.last, scene.run.day)
        run = runs.run_on(SEATS_DEPLOYED, day, known_at=scene.known_at)
        run = scene.used.add(run) if run and run.day >= month.first else None
        found.append({"month": month.key, "run": {**ref(run), **counts(run)} if run else None})
    return found


def segments(scene: Scene) -> Told:
    return {by: _segments(scene, by) for by in ("tier", "region")}


def _segments(scene: Scene, by: str) -> list[Told]:
    now = dashboard.cells_of(scene.run)
    then = dashboard.cells_of(scene.before) if scene.before else ()
    labels = dashboard.labels_of([*now, *then])
    before = {each.key: each for each in dashboard.segments(then, by, labels)}
    return [
        {
            "label": each.label or f"No {by}",
            "numerator": each.numerator,
            "denominator": each.denominator,
            "unknown": each.unknown,
            "before": [old.numerator, old.denominator] if (old := before.get(each.key)) else None,
        }
        for each in dashboard.segments(now, by, labels)
    ]


def flipped(scene: Scene) -> Told:
    """Tell who went over the line since the month before, and who stands nearest to it."""
    found = explanation(scene.before, scene.run) if scene.before else None
    moved = found.contributions if found else ()
    month_before = scene.used.add(flips.run_before(scene.run, known_at=scene.known_at))
    below = flips.to_go(scene.run, month_before)
    falling = flips.about_to_fall(scene.run, month_before)
    return {
        "crossed": _flipped(scene, (each for each in moved if each.move is Move.CROSSED)),
        "fell": _flipped(scene, (each for each in moved if each.move is Move.FELL)),
        "closest": _nearest(below, "to_go"),
        "falling": _nearest(falling, "above"),
    }


def _flipped(scene: Scene, found: Iterable[Contribution]) -> Told:
    every = list(found)
    shown = sorted(every, key=lambda each: (-_arr(each), each.account_id))[:FLIPPED]
    names, teller = changes.accounts_of({each.account_id for each in shown}), _teller(scene)
    told = [_contribution(each, names, teller) for each in shown]
    return {"count": len(every), "accounts": told}


def _nearest(found: Any, seats: str) -> Told:
    shown = found.order_by(seats, "account__name", "account_id")[:LISTED]
    return {
        "count": found.order_by().count(),
        "accounts": [
            {
                **account(row.account),
                "tier": row.tier.name if row.tier else None,
                "seats": getattr(row, seats),
                "deployed": row.deployed,
                "licensed": row.licensed,
                "deployed_before": row.deployed_before,
                "renewal_on": row.renewal_on.isoformat() if row.renewal_on else None,
            }
            for row in shown
        ],
    }


def share_of(told: Told) -> Fraction | None:
    """Return the share that counts come to, exactly."""
    return Fraction(told["numerator"], told["denominator"]) if told["denominator"] else None


def value_text(run: MetricRun) -> str | None:
    """Write what a run comes to: of accounts the share, of all else its value."""
    if run.value is not None:
        return f"{run.value:f}"
    return answers.share(run.numerator, run.denominator)
