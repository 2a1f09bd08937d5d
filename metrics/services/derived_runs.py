"""Writes runs of numbers that were worked out from the rows of another run."""

import hashlib
import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import connection

from metrics.models import MetricRun
from metrics.rules import derived
from metrics.rules.derived import Sums
from metrics.selectors.derived_sums import Number

# What the column holds; a sum beyond it has no value, and says so in its parts.
MOST = Decimal(10) ** 18
PLACES = 6
NOW = "clock_timestamp()"
INSERT = """
    INSERT INTO metrics_metricrun (
        definition_id, day, revision, status, known_at, computed_at, digest, numerator, denominator,
        unknown, covered, oldest_reading, excluded, held_for, published_at, published_by_id,
        publish_reason, value, parts, inputs_sum, inputs_format, base_id)
    SELECT made.definition_id, base.day, made.revision, {status}, base.known_at,
           {computed_at}, made.digest, made.numerator, made.denominator, made.unknown,
           made.covered, base.oldest_reading, '{{}}', '[]', {published}, made.value, made.parts, '',
           base.inputs_format, base.id
    FROM metrics_metricrun base, jsonb_to_recordset(%(made)s::jsonb) AS made (
        definition_id bigint, revision integer, digest text, numerator bigint, denominator bigint,
        unknown bigint, covered bigint, value numeric, parts jsonb)
    WHERE base.id = %(run)s
"""
PUBLISHED = (
    "CASE WHEN base.published_at IS NULL THEN NULL ELSE {0} END,"
    " base.published_by_id, base.publish_reason"
)


def versions_of(numbers: list[Number]) -> dict[str, int]:
    return {each.slug: each.version for each in numbers}


def insert(
    run: MetricRun,
    numbers: list[Number],
    *,
    published: str,
    status: str = "base.status",
    computed_at: str = "base.computed_at",
) -> None:
    made = [_made(each, run) for each in numbers]
    with connection.cursor() as cursor:
        cursor.execute(
            INSERT.format(status=status, computed_at=computed_at, published=published),
            {"made": json.dumps(made), "run": run.pk},
        )


def _made(number: Number, run: MetricRun) -> dict[str, Any]:
    terms = (number.slug, number.version, sorted(number.policy.items()), run.digest)
    if number.rule == derived.CONTRACTION:
        return _made_contraction(number, terms)
    whole = number.whole
    value: Fraction | None = Fraction(whole.amount)
    if number.rule == derived.ADOPTION:
        value = Fraction(whole.amount) / whole.weight if whole.weight else None
    high = whole.amount + whole.more if number.rule in derived.WITH_INTERVAL else None
    parts: dict[str, Any] = {"sums": _sums_text(number.sums)}
    if high is not None:
        parts |= {"low": _text(whole.amount), "high": _text(high)}
    if number.rule == derived.ADOPTION:
        parts |= {"monthly_active": _text(whole.amount), "licensed": whole.weight}
    if number.rule == derived.RENEWAL_EXPOSURE:
        quarters = derived.quarters_from(run.day, number.asked.policy.quarters)
        parts["by"] = {"quarter": [_part(key, number.sums.get(key, Sums())) for key in quarters]}
    return {
        "definition_id": number.definition,
        "revision": number.revision,
        "digest": _digest(terms),
        "numerator": whole.counted,
        "denominator": whole.asked,
        "unknown": whole.unknown,
        "covered": whole.asked - whole.unknown,
        "value": _value(value),
        "parts": parts,
    }


def _made_contraction(number: Number, terms: tuple[Any, ...]) -> dict[str, Any]:
    parts = number.earlier or {"night": {}, "nights": []}
    nights = parts["nights"]
    totals = {
        name: sum((Decimal(each[name]) for each in nights), Decimal(0))
        for name in ("seats", "arr", "churned_seats", "churned_arr")
    }
    return {
        "definition_id": number.definition,
        "revision": number.revision,
        "digest": _digest((*terms, json.dumps(nights, sort_keys=True))),
        "numerator": None,
        "denominator": None,
        "unknown": 0,
        "covered": 0,
        "value": _value(Fraction(totals["seats"])),
        "parts": {
            **parts,
            "arr": _text(totals["arr"]),
            "churned": {
                "seats": int(totals["churned_seats"]),
                "arr": _text(totals["churned_arr"]),
            },
        },
    }


def _digest(terms: tuple[Any, ...]) -> str:
    return hashlib.sha256(repr(terms).encode()).hexdigest()


def _part(key: str, sums: Sums) -> dict[str, Any]:
    return {
        "key": key,
        "numerator": sums.counted,
        "denominator": sums.asked,
        "value": _text(sums.amount),
        "high": _text(sums.amount + sums.more),
    }


def _sums_text(sums: dict[str, Sums]) -> dict[str, list[Any]]:
    return {
        key: [each.asked, each.counted, each.unknown, _text(each.amount), _text(each.more),
              each.weight]
        for key, each in sums.items() if each != Sums()
    }  # fmt: skip


def _text(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def _value(value: Fraction | None) -> str | None:
    """Return the value with its decimals cut off, never rounded up; None beyond the column."""
    if value is None or abs(value) >= MOST:
        return None
    millionths = value.numerator * 10**PLACES // value.denominator
    return f"{Decimal(millionths).scaleb(-PLACES):f}"
