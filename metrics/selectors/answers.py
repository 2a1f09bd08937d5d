"""The number of a run as programs read it: the API and `show_metric --json` give the same."""

import datetime as dt
from fractions import Fraction
from typing import Any

from config.lib.ui.formats import share_text
from config.lib.values import moment_text, money_text, ratio_text
from metrics.models import MetricRow, MetricRun
from metrics.selectors import figures, rows

PLACES = 6
Answer = dict[str, Any]


def as_json(run: MetricRun) -> Answer:
    definition = run.definition
    is_figure = figures.is_figure(definition.slug)
    return {
        "metric": definition.slug,
        "unit": definition.unit,
        "definition_version": definition.number,
        "as_of": run.day.isoformat(),
        "revision": run.revision,
        "status": run.status,
        "numerator": run.numerator,
        "denominator": run.denominator,
        **_shares(run.numerator, run.denominator, run.unknown, run.covered),
        "oldest_reading": _moment(run.oldest_reading),
        "excluded": dict(run.excluded),
        "computed_at": _moment(run.computed_at),
        "known_at": _moment(run.known_at),
        "input_digest": run.digest,
        **(figures.values_of(run) if is_figure else {"percentile_90": None, "running": None}),
    }


def segments_as_json(run: MetricRun, by: str) -> list[Answer]:
    """Return the fields of the whole for each segment of it."""
    whole = as_json(run)
    if figures.is_figure(run.definition.slug):
        return [_figure_segment(segment, whole) for segment in figures.segments_of(run, by)]
    oldest, excluded = rows.oldest_of_segments(run, by), rows.excluded_of_segments(run, by)
    return [
        {
            "segment": segment.key or None,
            "label": segment.label,
            **whole,
            "numerator": segment.numerator,
            "denominator": segment.denominator,
            **_shares(segment.numerator, segment.denominator, segment.unknown, segment.covered),
            "oldest_reading": _moment(oldest.get(segment.value)),
            "excluded": excluded.get(segment.value, {}),
        }
        for segment in rows.segments_of(run, by)
    ]


def _figure_segment(segment: figures.Segment, whole: Answer) -> Answer:
    return {
        "segment": segment.key or None,
        "label": segment.label,
        **whole,
        "numerator": segment.numerator,
        "denominator": segment.denominator,
        "value": segment.value,
        "low": None,
        "high": None,
        "percentile_90": None,
        "running": None,
    }


def rows_as_json(run: MetricRun) -> list[Answer]:
    found = list(rows.rows_of(run))
    oldest = rows.oldest_readings(run, [row.account_id for row in found])
    return [row_as_json(row, oldest.get(row.account_id)) for row in found]


def row_as_json(row: MetricRow, oldest_reading: dt.datetime | None) -> Answer:
    licensed = None if row.unlimited else row.licensed
    return {
        "account": str(row.account.uuid),
        "external_id": row.account.external_id,
        "name": row.account.name,
        "arr": None if row.arr is None else money_text(row.arr),
        "licensed": row.licensed,
        "deployed": row.deployed,
        "share": share(row.deployed, licensed),
        "eligible": row.eligible,
        "passes": row.passes,
        "reason": row.reason,
        "oldest_reading": _moment(oldest_reading),
    }


def fraction_text(run: MetricRun) -> str:
    """Say the number in words, its percentage as pages show it: "64.9%, 61 of 94"."""
    if figures.is_figure(run.definition.slug):
        return figures.fraction_text(run)
    if not run.denominator or run.numerator is None:
        return "no eligible account"
    share_shown = share_text(Fraction(run.numerator, run.denominator))
    return f"{share_shown}, {run.numerator} of {run.denominator}"


def share(part: int | None, whole: int | None) -> str | None:
    """Return a share with its decimals cut off, or None where there is nothing to share."""
    return None if part is None or not whole else ratio_text(part, whole, places=PLACES)


def _shares(
    numerator: int | None, denominator: int | None, unknown: int, covered: int
) -> dict[str, Any]:
    """Return the number, its interval and its coverage; null without an account."""
    return {
        "value": share(numerator, denominator),
        "low": share(numerator, denominator),
        "high": share(None if numerator is None else numerator + unknown, denominator),
        "unknown": unknown,
        "coverage": share(covered, denominator),
    }


def _moment(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment_text(moment)
