"""What a version and its neighbour say of the same days, for the page of the definition."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from metrics.models import MetricDefinition, MetricRun
from metrics.selectors import lab, lab_results, runs
from metrics.selectors.lab_results import Pair
from metrics.views.lab_series import Beside, beside


@dataclass(frozen=True)
class Series:
    """A chart of two series, and what it is of."""

    title: str
    note: str
    beside: Beside


def series_of(
    shown: MetricDefinition, versions: Sequence[MetricDefinition], *, currency: str
) -> list[Series]:
    """Return a chart for the version before or after, and for what is on trial."""
    found = [
        _version(shown, versions, currency),
        _second(shown, currency),
        _trial(shown, currency),
    ]
    return [each for each in found if each is not None]


def _version(
    shown: MetricDefinition, versions: Sequence[MetricDefinition], currency: str
) -> Series | None:
    """The version before it, or after the first one; days on trial are drawn as well."""
    number = shown.number or 0
    by_number = {each.number: each for each in versions}
    other = by_number.get(number - 1) or by_number.get(number + 1)
    if other is None:
        return None
    series = beside(
        _pairs(_runs(shown), _runs(other)),
        solid_text=f"Definition {shown.number}",
        dashed_text=f"Definition {other.number}",
        unit=shown.unit,
        currency=currency,
    )
    first = max(shown, other, key=lambda each: each.number or 0)
    note = (
        f"Definition {first.number} holds from {first.valid_from:%-d %b %Y}. Days before are of its"
        " back-test; what was published on them stays."
    )
    return _drawn("Both versions", note, series)


def _second(shown: MetricDefinition, currency: str) -> Series | None:
    """The number beside which a second one was made."""
    proposal = getattr(shown, "proposal", None)
    if proposal is None or not lab.is_second(proposal):
        return None
    base = proposal.base
    series = beside(
        _pairs(_runs(shown), {run.day: run for run in runs.series(base.slug)}),
        solid_text=shown.title,
        dashed_text=base.title,
        unit=shown.unit,
        currency=currency,
    )
    note = f"A number of its own beside {base.title}; days before its first are of its back-test."
    return _drawn(f"Beside {base.title}", note, series)


def _trial(shown: MetricDefinition, currency: str) -> Series | None:
    """The newest proposal that was back-tested and is not decided."""
    for proposal in lab.proposals_of(shown.slug):
        test = lab.newest_test(proposal)
        if test is None or test.done_to is None or proposal.base.slug != shown.slug:
            continue
        pairs = lab_results.pairs(shown.slug, test.trial, start=test.first_day, end=test.last_day)
        series = beside(
            pairs,
            solid_text="As published",
            dashed_text=proposal.number,
            unit=shown.unit,
            currency=currency,
        )
        note = f"{proposal.number} is {proposal.get_state_display().lower()}: nothing is decided."
        return _drawn(f"As {proposal.number} would have it", note, series)
    return None


def _drawn(title: str, note: str, series: Beside) -> Series | None:
    return None if series.is_empty else Series(title, note, series)


def _runs(definition: MetricDefinition) -> dict[dt.date, MetricRun]:
    """Return what a version says, by day: as published, else as it was back-tested."""
    published = runs.newest_of_each_day(definition.slug, version=definition.number)
    return {**lab_results.trial_runs(definition), **{run.day: run for run in published}}


def _pairs(solid: dict[dt.date, MetricRun], dashed: dict[dt.date, MetricRun]) -> list[Pair]:
    days = sorted(solid.keys() | dashed.keys())
    return [Pair(day, solid.get(day), dashed.get(day)) for day in days]
