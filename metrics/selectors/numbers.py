"""Any number of the ledger as pages and programs show it, whatever it is made from."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from config.lib.ui.formats import (
    MINUS,
    Ratio,
    day_text,
    hours_text,
    money_short_text,
    money_text,
    number_text,
    points_text,
    share_text,
)
from config.lib.values import money_text as exact_money
from config.lib.values import ratio_text
from metrics.models import MetricDefinition, MetricRun, MetricTarget
from metrics.rules import derived
from metrics.selectors import families, figures, runs

BEFORE = dt.timedelta(days=30)
WHOLE, CENT = Decimal(1), Decimal("0.01")
SHARE, COUNT, DURATION, MONEY = (
    MetricDefinition.Unit.SHARE,
    MetricDefinition.Unit.COUNT,
    MetricDefinition.Unit.DURATION,
    MetricDefinition.Unit.MONEY,
)
# Where less is better; only these say so when nobody set a target.
LESS_IS_BETTER = frozenset(
    {derived.ARR_AT_RISK, derived.EARLY_WARNING, derived.AT_RISK, derived.RENEWAL_EXPOSURE,
     derived.CONTRACTION}
)  # fmt: skip


def value_of(run: MetricRun | None) -> Fraction | None:
    """Return the number in its unit: a share from 0, a count, an amount, or hours."""
    if run is None:
        return None
    if families.family_of(run.definition) is families.SEATS:
        if not run.denominator or run.numerator is None:
            return None
        return Fraction(run.numerator, run.denominator)
    return None if run.value is None else Fraction(run.value)


def interval_of(run: MetricRun) -> tuple[Fraction, Fraction] | None:
    """Return how low and how high it may be by what is not known; None where it has none."""
    family = families.family_of(run.definition)
    if family is families.SEATS:
        value = value_of(run)
        if value is None or not run.denominator:
            return None
        return value, value + Fraction(run.unknown, run.denominator)
    low, high = run.parts.get("low"), run.parts.get("high")
    return None if low is None or high is None else (Fraction(low), Fraction(high))


def coverage_of(run: MetricRun) -> Fraction | None:
    if families.family_of(run.definition) is families.FIGURES or not run.denominator:
        return None
    return Fraction(run.covered, run.denominator)


def text_of(value: Ratio | None, unit: str, currency: str, *, short: bool = False) -> str:
    """Say a value: "87.5%", "214", "12.5 hours", "$1.2M"."""
    if value is None:
        return "no number"
    exact = Fraction(value)
    if unit == SHARE:
        return share_text(exact)
    if unit == DURATION:
        return hours_text(exact)
    if unit == MONEY:
        amount = Decimal(exact.numerator) / Decimal(exact.denominator)
        return money_short_text(amount, currency) if short else money_text(amount, currency)
    return number_text(int(exact))


def change_text(difference: Ratio, unit: str, currency: str) -> str:
    """Say a difference with its sign: "+1.6 points", "+12", "+$40K"."""
    if unit == SHARE:
        return f"{points_text(difference)} points"
    exact = Fraction(difference)
    sign = MINUS if exact < 0 else "+" if exact > 0 else ""
    return f"{sign}{text_of(abs(exact), unit, currency, short=True)}"


def note_of(run: MetricRun, currency: str) -> str:
    """Say in a line what the value is made from."""
    family = families.family_of(run.definition)
    if family is families.FIGURES:
        return figures.note_of(run)
    if family is families.SEATS:
        if not run.denominator:
            return "No account in the ratio"
        return f"{run.numerator:,} of {run.denominator:,} accounts"
    return DERIVED_NOTES[run.definition.rule](run, currency)


def _counted_of(run: MetricRun, what: str) -> str:
    counted, of = run.numerator or 0, run.denominator or 0
    plural = "" if counted == 1 else "s"
    return f"{counted:,} account{plural} of {of:,} {what}"


def _unknown(run: MetricRun) -> str:
    return f"; {run.unknown:,} unknown" if run.unknown else ""


def _quarters(run: MetricRun) -> str:
    count = run.definition.policy["quarters"]
    return "this quarter" if count == 1 else f"{count} quarters"


def _adoption_note(run: MetricRun, _currency: str) -> str:
    if not run.numerator:
        return "Of no account the people active in the month are known"
    active, licensed = int(Decimal(run.parts["monthly_active"])), run.parts["licensed"]
    left_out = f"; {run.unknown:,} not known and left out" if run.unknown else ""
    return (
        f"{active:,} active of {licensed:,} seats of {run.numerator:,}"
        f" account{'' if run.numerator == 1 else 's'}{left_out}"
    )


def _contraction_note(run: MetricRun, currency: str) -> str:
    days = run.definition.policy["window_days"]
    churned = run.parts["churned"]
    arr = money_short_text(Decimal(run.parts["arr"]), currency)
    text = f"Seats given up in {days} days, {arr} of ARR"
    if churned["seats"]:
        text += f"; {churned['seats']:,} more seats left with accounts that churned"
    return text


DERIVED_NOTES = {
    derived.NET_SEATS: lambda run, _: _counted_of(run, "eligible") + _unknown(run),
    derived.ARR_AT_RISK: lambda run, _: (
        _counted_of(run, "in the ratio are below the line") + _unknown(run)
    ),
    derived.EARLY_WARNING: lambda run, _: (
        f"Of {run.denominator or 0:,} accounts in the ratio" + _unknown(run)
    ),
    derived.AT_RISK: lambda run, _: (
        f"Of {run.denominator or 0:,} accounts in the ratio" + _unknown(run)
    ),
    derived.ADOPTION: _adoption_note,
    derived.RENEWAL_EXPOSURE: lambda run, _: (
        _counted_of(run, f"that renew in {_quarters(run)}") + _unknown(run)
    ),
    derived.CONTRACTION: _contraction_note,
}


def fraction_text(run: MetricRun, currency: str) -> str:
    """Say it in a line, as commands do."""
    value = text_of(value_of(run), run.definition.unit, currency)
    return f"{value} ({note_of(run, currency)})"


@dataclass(frozen=True)
class Aim:
    """A target, and how the number stands to it."""

    target: MetricTarget
    is_met: bool | None
    text: str
    state: str

    @property
    def tone(self) -> str:
        if self.is_met is None:
            return ""
        return "good" if self.is_met else "warn"


def aim_of(
    target: MetricTarget | None, run: MetricRun | None, unit: str, currency: str, today: dt.date
) -> Aim | None:
    """Say "at most 12 by 31 Jan", and "3 above" or "met"."""
    if target is None:
        return None
    wanted = text_of(target.value, unit, currency, short=True)
    if unit == SHARE:
        wanted = wanted.replace(".0%", "%")
    by_day = f" by {day_text(target.by_day, today)}" if target.by_day else ""
    text = f"{'at most' if target.at_most else 'at least'} {wanted}{by_day}"
    value = value_of(run)
    if value is None:
        return Aim(target, is_met=None, text=text, state="no number yet")
    gap = value - Fraction(target.value)
    if gap == 0 or (gap < 0) == target.at_most:
        return Aim(target, is_met=True, text=text, state="met")
    how_far = (
        f"{points_text(abs(gap)).lstrip('+')} points"
        if unit == SHARE
        else text_of(abs(gap), unit, currency, short=True)
    )
    state = f"{how_far} {'above' if gap > 0 else 'to go'}"
    return Aim(target, is_met=False, text=text, state=state)


@dataclass(frozen=True)
class Shown:
    """A number as a page lists it."""

    definition: MetricDefinition
    currency: str
    run: MetricRun | None
    before: MetricRun | None
    points: Sequence[tuple[dt.date, Ratio | None]]
    aim: Aim | None

    @property
    def slug(self) -> str:
        return self.definition.slug

    @property
    def title(self) -> str:
        return self.definition.title

    @property
    def unit(self) -> str:
        return self.run.definition.unit if self.run else self.definition.unit

    @property
    def text(self) -> str:
        if self.run is None:
            return "not computed yet"
        return text_of(value_of(self.run), self.unit, self.currency, short=True)

    @property
    def note(self) -> str:
        return note_of(self.run, self.currency) if self.run else ""

    @property
    def difference(self) -> Fraction | None:
        now, then = value_of(self.run), value_of(self.before)
        return None if now is None or then is None else now - then

    @property
    def change(self) -> str:
        """How it differs from 30 days before, with its sign; "" where that is not known."""
        difference = self.difference
        return "" if difference is None else change_text(difference, self.unit, self.currency)

    @property
    def interval(self) -> str:
        found = interval_of(self.run) if self.run else None
        if found is None or found[0] == found[1]:
            return ""
        low, high = (text_of(each, self.unit, self.currency, short=True) for each in found)
        return f"between {low} and {high}"

    @property
    def coverage(self) -> Fraction | None:
        return coverage_of(self.run) if self.run else None

    @property
    def has_line(self) -> bool:
        return sum(value is not None for _, value in self.points) > 1

    @property
    def chart_unit(self) -> str:
        units = {SHARE: "share", COUNT: "count", DURATION: "hours", MONEY: self.currency}
        return units[MetricDefinition.Unit(self.unit)]


def shown(
    slugs: Sequence[str],
    *,
    day: dt.date,
    days: int,
    currency: str,
    known_at: dt.datetime | None = None,
) -> list[Shown]:
    """Return numbers up to the day, as they were known, each with its line over so many days."""
    start = day - dt.timedelta(days=days)
    series = runs.series_of_each(slugs, start=start, end=day, known_at=known_at)
    targets = runs.targets_of(slugs, known_at=known_at)
    return [
        _shown(slug, series[slug], targets.get(slug), day, currency, known_at) for slug in slugs
    ]


def _shown(
    slug: str,
    series: Sequence[MetricRun],
    target: MetricTarget | None,
    day: dt.date,
    currency: str,
    known_at: dt.datetime | None,
) -> Shown:
    run = series[-1] if series else runs.run_on(slug, day, known_at=known_at)
    definition = run.definition if run else runs.definition_on(slug, day)
    first = run.day - BEFORE if run else day
    before = next((each for each in reversed(series) if each.day <= first), None)
    if before is None and run:
        before = runs.run_on(slug, first, known_at=known_at)
    return Shown(
        definition=definition,
        currency=currency,
        run=run,
        before=before,
        points=[(each.day, _point(each)) for each in series],
        aim=aim_of(target, run, definition.unit, currency, day),
    )


def _point(run: MetricRun) -> Ratio | None:
    """Return a value as a chart and its table show it: counts whole, money to the cent."""
    unit, value = run.definition.unit, value_of(run)
    if value is None or run.value is None or unit == SHARE:
        return value
    return run.value if unit == DURATION else run.value.quantize(WHOLE if unit == COUNT else CENT)


def values_as_json(run: MetricRun) -> dict[str, Any]:
    """Return what the API says of a number from the rows of another."""
    unit, parts = run.definition.unit, run.parts
    numerator, denominator = run.numerator, run.denominator
    if run.definition.rule == derived.ADOPTION:
        numerator, denominator = int(Decimal(parts["monthly_active"])), parts["licensed"]
    elif run.definition.rule not in (derived.EARLY_WARNING, derived.AT_RISK):
        numerator = denominator = None
    interval = interval_of(run)
    return {
        "numerator": numerator,
        "denominator": denominator,
        "value": exact_text(value_of(run), unit),
        "low": exact_text(interval[0], unit) if interval else None,
        "high": exact_text(interval[1], unit) if interval else None,
        "unknown": run.unknown,
        "coverage": ratio_text(run.covered, run.denominator, places=6) if run.denominator else None,
        "percentile_90": None,
        "running": None,
        "detail": detail_of(run),
    }


def detail_of(run: MetricRun) -> dict[str, Any] | None:
    """Return what else a number says of itself."""
    if run.definition.rule == derived.CONTRACTION:
        churned = run.parts["churned"]
        return {
            "arr_given_up": exact_money(Decimal(run.parts["arr"])),
            "churned_seats": churned["seats"],
            "churned_arr": exact_money(Decimal(churned["arr"])),
        }
    if run.definition.rule in derived.ROW_RULES:
        return {"accounts": run.numerator, "of": run.denominator}
    return None


def exact_text(value: Fraction | None, unit: str) -> str | None:
    """Write a value as programs read it: cut to six places, never rounded up."""
    if value is None:
        return None
    millionths = Decimal(value.numerator * 1_000_000 // value.denominator).scaleb(-6)
    if unit == SHARE:
        return f"{millionths:.6f}"
    return exact_money(millionths) if unit == MONEY else f"{millionths.normalize():f}"


def target_as_json(target: MetricTarget | None, unit: str) -> dict[str, Any] | None:
    if target is None:
        return None
    return {
        "value": exact_text(Fraction(target.value), unit),
        "at_most": target.at_most,
        "by_day": target.by_day.isoformat() if target.by_day else None,
    }
