"""The key figures of requests and projects as they were computed: values, parts and their words."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from config.lib.errors import Invalid
from config.lib.ui.formats import MINUS, hours_text, number_text, points_text, share_text
from config.lib.values import echo
from engagements.models import Impact, Owner, ReasonCode, ServiceLevel
from metrics.models import MetricDefinition, MetricRun
from metrics.rules.project_figures import PROJECT_RULES
from metrics.rules.request_figures import RULES
from metrics.selectors import runs
from projects.models import ProjectType, Team

SLUGS = (*RULES, *PROJECT_RULES)
# What the parts of a figure can be by, and what is said of those that have none.
BY = {
    "clock": ("Clock", ""),
    "owner": ("Owner", "No owner yet"),
    "impact": ("Impact", "Not triaged"),
    "reason": ("Reason", "No reason"),
    "team": ("Team", "No team"),
    "type": ("Type of work", "No type"),
}
# What a share says that was made from nothing.
NOTHING = {
    "increments-on-time": "No increment with a project ended",
    "many-account-share": "Nothing delivered",
}
BEFORE = dt.timedelta(days=30)
SHARE, COUNT, DURATION = (
    MetricDefinition.Unit.SHARE,
    MetricDefinition.Unit.COUNT,
    MetricDefinition.Unit.DURATION,
)


@dataclass(frozen=True)
class Segment:
    key: str
    label: str
    numerator: int | None
    denominator: int | None
    value: str | None


@dataclass(frozen=True)
class Shown:
    """A figure as a page lists it."""

    slug: str
    title: str
    unit: str
    run: MetricRun | None
    before: MetricRun | None
    points: Sequence[tuple[dt.date, Decimal | None]]

    @property
    def text(self) -> str:
        return value_text(self.run) if self.run else "not computed yet"

    @property
    def note(self) -> str:
        return note_of(self.run) if self.run else ""

    @property
    def change(self) -> str:
        """How it differs from 30 days before, with its sign; "" where that is not known."""
        if self.run is None or self.before is None:
            return ""
        now, then = self.run.value, self.before.value
        if now is None or then is None:
            return ""
        return change_text(now - then, self.unit)

    @property
    def has_line(self) -> bool:
        return sum(value is not None for _, value in self.points) > 1

    @property
    def chart_unit(self) -> str:
        return {SHARE: "share", COUNT: "count", DURATION: "hours"}[MetricDefinition.Unit(self.unit)]


def is_figure(slug: str) -> bool:
    return slug in SLUGS


def values_of(run: MetricRun) -> dict[str, Any]:
    """Return what the API says of a figure in place of what it says of a share of accounts."""
    parts, unit = run.parts, run.definition.unit
    return {
        "value": _plain(run.value, unit),
        "low": _plain(parts.get("low"), unit),
        "high": _plain(parts.get("high"), unit),
        "coverage": None,
        "percentile_90": _plain(parts.get("percentile_90"), unit),
        "running": parts.get("running"),
    }


def segments_of(run: MetricRun, by: str) -> list[Segment]:
    """Return its parts by owner, impact, reason, clock, team or type, those without last.

    Raises Invalid where it has no such parts.
    """
    groups = run.parts.get("by", {})
    if by not in groups:
        known = ", ".join(groups)
        slug = run.definition.slug
        raise Invalid(
            f"{slug} has no parts by {echo(by)}. Ask by one of: {known}.",
            field="by",
            code="invalid_choice",
        )
    labels = labels_of(by)
    order = list(labels)
    found = [
        Segment(
            key=part["key"],
            label=labels.get(part["key"], part["key"]),
            numerator=part["numerator"],
            denominator=part["denominator"],
            value=_plain(part["value"], run.definition.unit),
        )
        for part in groups[by]
    ]
    last = len(order)
    return sorted(
        found,
        key=lambda each: (
            each.key == "",
            order.index(each.key) if each.key in labels else last,
            each.key,
        ),
    )


def labels_of(by: str) -> dict[str, str]:
    """Return what people call the parts, in the order in which to show them."""
    if by == "impact":
        labels = {str(value): label for value, label in Impact.choices}
    elif by == "owner":
        labels = dict(Owner.choices)
    elif by == "clock":
        labels = dict(ServiceLevel.Clock.choices)
    elif by == "type":
        labels = dict(ProjectType.choices)
    elif by == "team":
        teams = Team.objects.order_by("name").values_list("uuid", "name")
        labels = {str(public_id): name for public_id, name in teams}
    else:
        rows = ReasonCode.objects.filter(kind=ReasonCode.Kind.DECLINE).order_by("pk")
        labels = dict(rows.values_list("code", "label"))
    return {**labels, "": BY[by][1]}


def shown(slug: str, *, day: dt.date, days: int) -> Shown:
    """Return a figure up to the day, with its line over so many days."""
    series = runs.series(slug, start=day - dt.timedelta(days=days), end=day)
    definition = series[-1].definition if series else runs.definition_on(slug, day)
    run = series[-1] if series else runs.run_on(slug, day)
    before = runs.run_on(slug, run.day - BEFORE) if run else None
    return Shown(
        slug=slug,
        title=definition.title,
        unit=definition.unit,
        run=run,
        before=before,
        points=[(each.day, each.value) for each in series],
    )


def value_text(run: MetricRun) -> str:
    return text_of(run.value, run.definition.unit)


def text_of(value: Decimal | Fraction | str | None, unit: str) -> str:
    """Say a value in words: "12.5 hours", "87.5%", "214"."""
    if value is None:
        return "no number"
    exact = Fraction(value)
    if unit == DURATION:
        return hours_text(exact)
    return share_text(exact) if unit == SHARE else number_text(int(exact))


def note_of(run: MetricRun) -> str:
    """Say what the value is made from."""
    parts, unit = run.parts, run.definition.unit
    if unit == DURATION:
        if not run.denominator:
            return "No request in the window"
        nine = text_of(parts.get("percentile_90"), unit)
        plural = "" if run.denominator == 1 else "s"
        return f"Median of {run.denominator:,} request{plural}; nine of ten within {nine}"
    if unit == SHARE:
        nothing = NOTHING.get(run.definition.slug, "None decided")
        fraction = f"{run.numerator:,} of {run.denominator:,}" if run.denominator else nothing
        running = parts.get("running")
        if not running or parts.get("low") is None:
            return fraction
        low, high = (text_of(parts[name], unit) for name in ("low", "high"))
        return f"{fraction}; {running:,} still run: between {low} and {high}"
    return f"In {run.definition.policy['window_days']} days"


def change_text(difference: Decimal, unit: str) -> str:
    if unit == SHARE:
        return f"{points_text(difference)} points"
    sign = MINUS if difference < 0 else "+" if difference > 0 else ""
    if unit == DURATION:
        return f"{sign}{text_of(abs(difference), unit)}"
    return f"{sign}{abs(int(difference)):,}"


def fraction_text(run: MetricRun) -> str:
    """Say it in a line, as commands do."""
    return f"{value_text(run)} ({note_of(run)})"


def _plain(value: Decimal | str | None, unit: str) -> str | None:
    """Write it as programs read it: shares with six decimals, as those of accounts."""
    if value is None:
        return None
    exact = Decimal(value)
    return f"{exact:.6f}" if unit == SHARE else f"{exact.normalize():f}"
