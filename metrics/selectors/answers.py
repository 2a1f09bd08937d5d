"""The number of a run as programs read it: the API and `show_metric --json` give the same."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from typing import Any

from config.lib.ui.formats import share_text
from config.lib.values import moment_text, money_text, ratio_text
from metrics.models import MetricRun
from metrics.rules.derived import AT_RISK, CONTRACTION, EARLY_WARNING, WITH_INTERVAL, State
from metrics.selectors import derived, families, figures, numbers, rows, runs

PLACES = 6
Answer = dict[str, Any]


def as_json(run: MetricRun) -> Answer:
    definition = run.definition
    family = families.family_of(definition)
    answer = {
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
        "percentile_90": None,
        "running": None,
        "detail": None,
    }
    if family is families.DERIVED:
        return answer | numbers.values_as_json(run)
    return answer | figures.values_of(run) if family is families.FIGURES else answer


def with_target(run: MetricRun, *, known_at: dt.datetime | None) -> Answer:
    target = runs.target_of(run.definition.slug, known_at=known_at)
    return {**as_json(run), "target": numbers.target_as_json(target, run.definition.unit)}


def segments_as_json(run: MetricRun, by: str) -> list[Answer]:
    """Return the fields of the whole for each segment of it."""
    whole = as_json(run)
    family = families.family_of(run.definition)
    if family is families.FIGURES:
        return [_figure_segment(segment, whole) for segment in figures.segments_of(run, by)]
    if family is families.DERIVED:
        return [_derived_segment(each, run, whole) for each in derived.segments_of(run, by)]
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


def _derived_segment(segment: derived.Segment, run: MetricRun, whole: Answer) -> Answer:
    rule, unit, sums = run.definition.rule, run.definition.unit, segment.sums
    has_interval = rule in WITH_INTERVAL
    is_share = unit == numbers.SHARE
    counts = rule in (EARLY_WARNING, AT_RISK)
    return {
        "segment": segment.key or None,
        "label": segment.label,
        **whole,
        "numerator": int(sums.amount) if is_share else sums.counted if counts else None,
        "denominator": sums.weight if is_share else sums.asked if counts else None,
        "value": numbers.exact_text(segment.value, unit),
        "low": numbers.exact_text(segment.value, unit) if has_interval else None,
        "high": numbers.exact_text(Fraction(sums.amount + sums.more), unit)
        if has_interval
        else None,
        "unknown": sums.unknown,
        "coverage": None if rule == CONTRACTION else share(sums.asked - sums.unknown, sums.asked),
        "detail": None if rule == CONTRACTION else {"accounts": sums.counted, "of": sums.asked},
        "oldest_reading": None,
    }


def rows_as_json(run: MetricRun) -> list[Answer]:
    """Return every account as the run saw it, or the run that it was worked out from."""
    seen = derived.rows_behind(run)
    found = list(derived.rows_of(run))
    oldest = rows.oldest_readings(seen, [row.account_id for row in found])
    version = run.definition.number
    return [
        {**row_as_json(row, oldest.get(row.account_id)), "definition_version": version}
        for row in found
    ]


def row_as_json(row: Any, oldest_reading: dt.datetime | None) -> Answer:
    """Write a row of `derived.rows_of`."""
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
        "state": State(row.state).name.lower(),
        "adds": f"{Decimal(row.adds).normalize():f}",
        "monthly_active": row.monthly_active,
        "renewal_on": row.renewal_on.isoformat() if row.renewal_on else None,
        "customer_since": row.customer_since.isoformat() if row.customer_since else None,
    }


def fraction_text(run: MetricRun) -> str:
    """Say the number in words, its percentage as pages show it: "64.9%, 61 of 94"."""
    family = families.family_of(run.definition)
    if family is families.FIGURES:
        return figures.fraction_text(run)
    if family is families.DERIVED:
        return numbers.fraction_text(run, runs.company().reporting_currency)
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
