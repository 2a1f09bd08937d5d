"""What the cards of the dashboard say, worked out from a run and the days before it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from accounts.models import Account
from config.lib.ui.formats import Ratio, day_text, share_text
from metrics import rules
from metrics.models import MetricRun, MetricTarget
from metrics.selectors import dashboard, rows
from metrics.selectors.bands import NEAR_POINTS
from metrics.views.period import Period, compared_day
from metrics.views.words import AMISS, number_word, reason_text

CHART_DAYS = 365
GAP_DAYS = 35
WEEK = 7


def gaps(series: list[MetricRun], day: dt.date) -> list[dt.date]:
    """Return the days of the last weeks that have no run, though an earlier day has one."""
    known = {run.day for run in series}
    if not known:
        return []
    first = max(min(known), day - dt.timedelta(days=GAP_DAYS))
    days = (first + dt.timedelta(days=i) for i in range((day - first).days))
    return [gap for gap in days if gap not in known]


@dataclass(frozen=True)
class Compared:
    """The number of an earlier day; `run` is None where there is none."""

    asked: dt.date
    run: MetricRun | None = None
    share: Fraction | None = None
    difference: Fraction | None = None
    is_other_definition: bool = False


def compared(series: list[MetricRun], run: MetricRun, period: Period) -> Compared:
    asked = compared_day(period.versus, run.day)
    before = next((old for old in reversed(series) if old.day <= asked), None)
    if before is None or period.vs_known_at:
        before = period.run_compared(run)
    if before is None:
        return Compared(asked)
    old, new = dashboard.shares_of(before).value, dashboard.shares_of(run).value
    return Compared(
        asked,
        before,
        old,
        None if old is None or new is None else new - old,
        is_other_definition=before.definition_id != run.definition_id,
    )


@dataclass(frozen=True)
class Target:
    """Where leadership wants the number; `more` accounts are missing."""

    share: Ratio
    percent: int
    short: str
    text: str
    more: int


def target(stored: MetricTarget | None, run: MetricRun) -> Target | None:
    if stored is None:
        return None
    short = f"Target {share_text(stored.value).replace('.0%', '%')}"
    by_day = f" by {day_text(stored.by_day, run.day)}" if stored.by_day else ""
    needed = dashboard.needed_for(stored.value, run.denominator or 0)
    return Target(
        share=stored.value,
        percent=dashboard.needed_for(stored.value, 100),
        short=short,
        text=short + by_day,
        more=max(0, needed - (run.numerator or 0)),
    )


@dataclass(frozen=True)
class Steps:
    """What would reach the target: `count` accounts need `seats`.

    `is_short` where fewer accounts below the line have a known seat count than are missing.
    """

    more: str
    count: int
    count_word: str
    seats: int
    is_short: bool


def steps(near: tuple[dashboard.Near, ...], count: int, aim: Target | None) -> Steps | None:
    if aim is None or not aim.more:
        return None
    return Steps(
        more=number_word(aim.more).capitalize(),
        count=count,
        count_word=number_word(count),
        seats=next((each.so_far for each in near if not each.passes and each.rank == count), 0),
        is_short=count < aim.more,
    )


@dataclass(frozen=True)
class Line:
    """An account near the line."""

    near: dashboard.Near
    account: Account
    tam: dashboard.Label | None


def lines(
    near: tuple[dashboard.Near, ...],
    accounts: dict[int, Account],
    labels: dashboard.Labels,
    *,
    passes: bool,
) -> list[Line]:
    return [
        Line(each, accounts[each.account_id], labels.tams.get(each.tam_id or 0))
        for each in near
        if each.passes is passes and each.rank <= dashboard.SHOWN
    ]


def trend(series: list[MetricRun], run: MetricRun) -> dict[str, Any]:
    """Return every day of the last year from the first number on, None where it has none."""
    start = run.day - dt.timedelta(days=CHART_DAYS)
    shown = [each for each in series if each.day >= start] or [run]
    values = {each.day: dashboard.shares_of(each).value for each in shown}
    first = min(values)
    days = [first + dt.timedelta(days=i) for i in range((run.day - first).days + 1)]
    points = [(day, values.get(day)) for day in days]
    known = [(day, value) for day, value in points if value is not None]
    step = WEEK if len(points) > GAP_DAYS else 1
    return {
        "points": points,
        "is_empty": not known,
        "is_year": (first - start).days < GAP_DAYS,
        "first": first,
        "markers": [
            (after.day, f"Definition {after.definition.number}")
            for before, after in pairwise(shown)
            if before.definition_id != after.definition_id
        ],
        "table": points[::-1][::step][::-1],
        "caption": "Share by week" if step == WEEK else "Share by day",
        "label": _trend_label(known),
    }


def _trend_label(known: list[tuple[dt.date, Fraction]]) -> str:
    if not known:
        return ""
    (first_day, first), (last_day, last) = known[0], known[-1]
    return (
        f"Line chart of the share of accounts that pass, from {share_text(first)} on "
        f"{day_text(first_day)} to {share_text(last)} on {day_text(last_day)}. "
        "The figures are in the table below."
    )


@dataclass(frozen=True)
class SegmentLine:
    """A row of a segment; `share` is None where a percentage of so few means little."""

    label: str
    url: str
    share: Fraction | None
    tone: str
    passing: int
    accounts: int


# Key, heading, what accounts without one are called.
SEGMENTS = (
    ("tier", "Tier", "No tier"),
    ("region", "Region", "No region"),
    ("tam", "TAM", "No TAM"),
)


# Of more, those with the most accounts are shown.
MOST_LINES = 50


def segments(
    cells: Mapping[str, tuple[dashboard.Cell, ...]],
    labels: dashboard.Labels,
    period: Period,
    aim: Target | None,
    *,
    is_lead: bool,
) -> list[dict[str, Any]]:
    """Return the three cards. TAMs are a lens for help, not a ranking: folded but for leads."""
    return [
        {
            "by": by,
            "title": title,
            "is_folded": by == "tam" and not is_lead,
            "more": max(len(found) - MOST_LINES, 0),
            "lines": [_segment_line(segment, by, none, period, aim) for segment in _largest(found)],
        }
        for by, title, none in SEGMENTS
        for found in [dashboard.segments(cells[by], by, labels)]
    ]


def _largest(found: list[rows.Segment]) -> list[rows.Segment]:
    if len(found) <= MOST_LINES:
        return found
    return sorted(found, key=lambda segment: -segment.denominator)[:MOST_LINES]


def _segment_line(
    segment: rows.Segment, by: str, none: str, period: Period, aim: Target | None
) -> SegmentLine:
    share = None
    if segment.denominator >= dashboard.SMALL_SEGMENT:
        share = Fraction(segment.numerator, segment.denominator)
    reaches = aim is not None and share is not None and share >= Fraction(aim.share)
    return SegmentLine(
        label=segment.label or none,
        url=period.url("metrics:account-list", **{by: segment.key}),
        share=share,
        tone="good" if reaches else "",
        passing=segment.numerator,
        accounts=segment.denominator,
    )


@dataclass(frozen=True)
class Finding:
    """Something amiss with the data behind the number, and who can mend it."""

    title: str
    count: int
    url: str
    who: str
    icon: str


BAND_OF = {"missing_rate": "excluded", "missing_amount": "excluded", "over_deployed": "passing"}


def quality(cells: tuple[dashboard.Cell, ...], period: Period) -> list[Finding]:
    counts = {"conflict": dashboard.total(cells, "conflict")}
    for band in ("excluded", "passing", "unknown"):
        found = dashboard.reasons(cells, band)
        counts |= {code: n for code, n in found.items() if BAND_OF.get(code, "unknown") == band}
    return [
        Finding(title, counts[code], _list_url(period, code), who, icon)
        for code, title, who, icon in AMISS
        if counts.get(code)
    ]


def _list_url(period: Period, code: str) -> str:
    if code == "conflict":
        return period.url("metrics:account-list", band="conflict")
    band = BAND_OF.get(code, "unknown")
    return period.url("metrics:account-list", band=band, reason=code)


def excluded(
    cells: tuple[dashboard.Cell, ...], policy: rules.Policy, period: Period
) -> list[tuple[str, int, str]]:
    """Return (reason in words, accounts, address of their list), most first."""
    return [
        (
            reason_text(code, policy, period.currency),
            count,
            period.url("metrics:account-list", band="excluded", reason=code),
        )
        for code, count in dashboard.reasons(cells, "excluded").items()
    ]


def squares(cells: tuple[dashboard.Cell, ...]) -> dict[str, int]:
    near = dashboard.total(cells, "near")
    return {
        "passing": dashboard.total(cells, "passing"),
        "near": near,
        "further": dashboard.total(cells, "below") - near,
        "unknown": dashboard.total(cells, "unknown"),
    }


NEAR_TEXT = f"within {NEAR_POINTS} points"
