"""Two series of one number beside each other, as a chart and as a table."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from accounts.here import Here
from config.lib.ui.formats import day_text
from metrics.models import DefinitionProposal, MetricDefinition, MetricRun
from metrics.selectors import lab_results, numbers, runs
from metrics.selectors.lab_results import Pair, Result

# More days than these are a table by week, its newest day among them.
MOST_DAYS, WEEK = 35, 7
Unit = MetricDefinition.Unit
CHART_UNITS = {Unit.SHARE: "share", Unit.DURATION: "hours"}


@dataclass(frozen=True)
class Row:
    """A day of the table, in words."""

    day: dt.date
    old: str
    new: str
    difference: str


@dataclass(frozen=True)
class Beside:
    """What components of the two series take; `solid` and `dashed` are (day, value)."""

    solid: Sequence[tuple[dt.date, Any]]
    dashed: Sequence[tuple[dt.date, Any]]
    solid_text: str
    dashed_text: str
    label: str
    unit: str
    table: Sequence[Row]
    is_by_week: bool

    @property
    def is_empty(self) -> bool:
        return not self.table


def beside(
    pairs: Sequence[Pair],
    *,
    solid_text: str,
    dashed_text: str,
    unit: str,
    currency: str,
) -> Beside:
    """Return both series; a line has a gap on a day of the other that it does not have."""
    step = WEEK if len(pairs) > MOST_DAYS else 1
    return Beside(
        solid=_points(pairs, "old"),
        dashed=_points(pairs, "new"),
        solid_text=solid_text,
        dashed_text=dashed_text,
        label=_label(pairs, solid_text, dashed_text, currency),
        unit=CHART_UNITS.get(Unit(unit), "count"),
        table=[_row(pair, unit, currency) for pair in list(pairs)[::-1][::step]],
        is_by_week=step == WEEK,
    )


def _points(pairs: Sequence[Pair], side: str) -> list[tuple[dt.date, Any]]:
    found = [(pair.day, numbers.value_of(getattr(pair, side))) for pair in pairs]
    known = [place for place, (_, value) in enumerate(found) if value is not None]
    return found[known[0] : known[-1] + 1] if known else []


def _label(pairs: Sequence[Pair], solid: str, dashed: str, currency: str) -> str:
    both = [pair for pair in pairs if pair.old is not None and pair.new is not None]
    if not both:
        return ""
    last = both[-1]
    return (
        f"Line chart of two series from {day_text(pairs[0].day, None)} to"
        f" {day_text(pairs[-1].day, None)}. On {day_text(last.day, None)} {solid} says"
        f" {_said(last.old, currency)}, {dashed} {_said(last.new, currency)}."
        " The figures are in the table below."
    )


def _row(pair: Pair, unit: str, currency: str) -> Row:
    difference = pair.difference
    told = "" if difference is None else numbers.change_text(difference, unit, currency)
    return Row(pair.day, _said(pair.old, currency), _said(pair.new, currency), told)


def _said(run: MetricRun | None, currency: str) -> str:
    unit = run.definition.unit if run else Unit.SHARE
    return numbers.text_of(numbers.value_of(run), unit, currency)


def result_context(here: Here, proposal: DefinitionProposal, result: Result) -> dict[str, Any]:
    """Return the result of a back-test as its card shows it."""
    newest = result.newest
    shown: dict[str, Any] = {"result": result}
    if newest is None or newest.old is None or newest.new is None:
        return shown
    base, currency = proposal.base, here.company.reporting_currency
    target = runs.target_of(base.slug)
    largest = result.largest
    aims = [
        numbers.aim_of(target, run, base.unit, currency, here.today)
        for run in (newest.old, newest.new)
    ]
    return {
        **shown,
        "newest": newest,
        "flips": lab_results.flips(newest),
        "largest": largest,
        "largest_text": numbers.change_text(largest.difference, base.unit, currency)
        if largest and largest.difference is not None
        else "",
        "is_share": newest.new.base is None,
        "numbers": [
            _number(f"{base.title} as published", newest.old, currency),
            _number("As proposed", newest.new, currency),
        ],
        "aims": aims if target else None,
        "effect": result.effect,
        "beside": beside(
            result.pairs,
            solid_text="As published",
            dashed_text="As proposed",
            unit=base.unit,
            currency=currency,
        ),
        "target_percent": _percent(target.value)
        if target and not target.at_most and base.unit == Unit.SHARE
        else None,
    }


def _percent(share: Decimal) -> int:
    return round(100 * share)


@dataclass(frozen=True)
class Number:
    """The number of a day under one definition, with how high it could be, in words."""

    label: str
    run: MetricRun
    value: str
    made_from: str
    high: str


def _number(label: str, run: MetricRun, currency: str) -> Number:
    unit, interval = run.definition.unit, numbers.interval_of(run)
    return Number(
        label,
        run,
        numbers.text_of(numbers.value_of(run), unit, currency),
        numbers.note_of(run, currency),
        numbers.text_of(interval[1], unit, currency) if interval else "",
    )
