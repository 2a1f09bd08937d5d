"""Charts of reports: one picture each, that reads alike on a page, on paper and without colour.

Drawn in a fixed `viewBox`, text and all. The stylesheet colours it by class; paper puts the rules
in before `<defs>`. What is solid and what is hatched says the same as the hues.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from config.lib.ui.charts.axes import Scale, percent_scale
from config.lib.ui.charts.svg import EMPTY, places
from config.lib.ui.formats import share_text

WIDTH = 720
LEFT, RIGHT, ROW = 180, 96, 28
TOP, BAR = 26, 14
LEAST_BAR = 1.5
LABEL_MOST = 28
HIGH, LOW_EDGE, UPPER_EDGE = 190, 40, 24
BELOW = 4.0
MOST_TICKS = 6
HATCHED = ("good", "warn", "bad", "plain")
Place = Callable[[Fraction], float]


class Fall(NamedTuple):
    """A row of a waterfall: what it is called, from where to where, and its part in words.

    `tone` is good, warn, bad or plain; without a start it is a number, not a part.
    """

    label: str
    start: Fraction | None
    end: Fraction
    text: str
    tone: str = "plain"
    is_solid: bool = True


class Mark(NamedTuple):
    """A point of a trend: the number and up to where it could be; None where there is none."""

    label: str
    value: Fraction | None
    high: Fraction | None = None
    # What begins here, such as another definition.
    note: str = ""


def fall(
    rows: Sequence[Fall],
    *,
    label: str,
    name: str,
    key: Sequence[tuple[str, bool, str]] = (),
) -> SafeString:
    """Draw a waterfall, downwards: each part begins where the one before it ended.

    `key` explains the fillings: tone, whether it is solid, words.
    """
    stops = [each for row in rows for each in (row.start, row.end) if each is not None]
    low, high = min(stops), max(stops)
    margin = max((high - low) / 20, Fraction(1, 200))
    low, high = low - margin, high + margin

    def at(value: Fraction) -> float:
        return LEFT + float((value - low) / (high - low)) * (WIDTH - LEFT - RIGHT)

    drawn = EMPTY
    for number, row in enumerate(rows):
        drawn += _fall_row(row, number, at, name, is_last=number == len(rows) - 1)
    height = TOP + ROW * len(rows)
    ticks = _fall_ticks(low, high, at, height)
    drawn += _key(key, height + 22, name)
    bottom = height + (34 if key else 4)
    return _picture(bottom, ticks + drawn, label=label, name=name)


def _key(key: Sequence[tuple[str, bool, str]], y: float, name: str) -> SafeString:
    drawn, x = EMPTY, 4.0
    for tone, is_solid, words in key:
        drawn += format_html(
            '<rect class="part {}" x="{}" y="{}" width="18" height="11"{}/>'
            '<text class="tick" x="{}" y="{}">{}</text>',
            f"{tone} {'solid' if is_solid else 'hatched'}",
            places(x),
            places(y - 9),
            EMPTY if is_solid else format_html(' fill="url(#{}-{})"', name, tone),
            places(x + 24),
            places(y),
            words,
        )
        x += 24 + 6.3 * len(words) + 18
    return drawn


def _fall_row(row: Fall, number: int, at: Place, name: str, *, is_last: bool) -> SafeString:
    middle = TOP + ROW * number + ROW / 2
    drawn = format_html(
        '<text class="{}" x="{}" y="{}" text-anchor="end">{}</text>'
        '<text class="{}" x="{}" y="{}" text-anchor="end">{}</text>',
        "total" if row.start is None else "what",
        LEFT - 12,
        places(middle + 4),
        _short(row.label),
        "total" if row.start is None else "value",
        WIDTH - 4,
        places(middle + 4),
        row.text,
    )
    if row.start is None:
        drawn += format_html(
            '<circle class="end" cx="{}" cy="{}" r="5"/>', places(at(row.end)), places(middle)
        )
    else:
        left, right = sorted((at(row.start), at(row.end)))
        fill = "" if row.is_solid else f"{name}-{row.tone}"
        drawn += format_html(
            '<rect class="part {}" x="{}" y="{}" width="{}" height="{}"{}/>',
            f"{row.tone} {'solid' if row.is_solid else 'hatched'}",
            places(left),
            places(middle - BAR / 2),
            places(max(right - left, LEAST_BAR)),
            BAR,
            format_html(' fill="url(#{})"', fill) if fill else EMPTY,
        )
    if not is_last:
        drawn += format_html(
            '<line class="join" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>',
            places(at(row.end)),
            places(middle + (5 if row.start is None else BAR / 2)),
            places(middle + ROW - (BAR / 2)),
        )
    return drawn


def _fall_ticks(low: Fraction, high: Fraction, at: Place, height: int) -> SafeString:
    """Draw lines at whole percents, so many that they can be read."""
    step = next(
        step for step in (1, 2, 5, 10, 20, 50, 100) if (high - low) * 100 / step <= MOST_TICKS
    )
    first = -(-(low * 100) // step) * step
    ticks = [Fraction(first + step * n, 100) for n in range(MOST_TICKS + 1)]
    return format_html_join(
        "",
        '<line class="grid" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>'
        '<text class="tick" x="{0}" y="12" text-anchor="middle">{3}</text>',
        (
            (places(at(tick)), TOP - 8, height, f"{int(tick * 100)}%")
            for tick in ticks
            if low <= tick <= high
        ),
    )


def months(
    marks: Sequence[Mark],
    *,
    label: str,
    name: str,
    target: int | None = None,
    target_text: str = "",
) -> SafeString:
    """Draw a number month by month, with a whisker up to where it could be."""
    known = [float(each.value * 100) for each in marks if each.value is not None]
    if not known:
        return EMPTY
    highs = [float(each.high * 100) for each in marks if each.high is not None]
    seen = [*known, *highs, *([float(target)] if target is not None else [])]
    # Values are written below their dots.
    scale = percent_scale([*seen, max(min(seen) - BELOW, 0)])
    step = (WIDTH - LOW_EDGE - 12) / max(len(marks), 1)

    def across(number: int) -> float:
        return LOW_EDGE + step * (number + 0.5)

    def down(value: float) -> float:
        return UPPER_EDGE + scale.drop(value) * (HIGH - UPPER_EDGE)

    drawn = _month_grid(scale, down)
    if target is not None:
        drawn += format_html(
            '<line class="target" x1="{}" x2="{}" y1="{y}" y2="{y}"/>'
            '<text class="tick" x="{}" y="{}">{}</text>',
            LOW_EDGE,
            WIDTH,
            LOW_EDGE + 4,
            places(down(target) - 5),
            target_text or f"Target {target}%",
            y=places(down(target)),
        )
    for number, mark in enumerate(marks):
        drawn += _month(mark, across(number), step, down)
    points = [
        None if each.value is None else (across(number), down(float(each.value * 100)))
        for number, each in enumerate(marks)
    ]
    line = format_html('<path class="line" d="{}"/>', _line(points))
    return _picture(HIGH + 28, line + drawn, label=label, name=name)


def _month(mark: Mark, x: float, step: float, down: Callable[[float], float]) -> SafeString:
    drawn = format_html(
        '<text class="tick" x="{}" y="{}" text-anchor="middle">{}</text>',
        places(x),
        HIGH + 18,
        mark.label,
    )
    if mark.note:
        drawn += format_html(
            '<line class="marker" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>'
            '<text class="tick" x="{3}" y="{4}" text-anchor="end">{5}</text>',
            places(x - step / 2),
            UPPER_EDGE - 8,
            HIGH,
            places(x - step / 2 - 4),
            UPPER_EDGE - 2,
            mark.note,
        )
    if mark.value is None:
        return drawn
    y = down(float(mark.value * 100))
    if mark.high is not None and mark.high > mark.value:
        drawn += format_html(
            '<path class="whisker" d="M{0} {1}V{2}M{3} {2}H{4}"/>',
            places(x),
            places(y),
            places(down(float(mark.high * 100))),
            places(x - 4),
            places(x + 4),
        )
    return drawn + format_html(
        '<circle class="dot" cx="{0}" cy="{1}" r="3.5"/>'
        '<text class="value" x="{0}" y="{2}" text-anchor="middle">{3}</text>',
        places(x),
        places(y),
        places(y + 18),
        share_text(mark.value, sign=""),
    )


def _line(points: Sequence[tuple[float, float] | None]) -> str:
    """Join the points; where one is missing the line begins anew."""
    path, pen = [], "M"
    for point in points:
        if point is None:
            pen = "M"
            continue
        path.append(f"{pen}{places(point[0])} {places(point[1])}")
        pen = "L"
    return " ".join(path)


def _month_grid(scale: Scale, down: Callable[[float], float]) -> SafeString:
    return format_html_join(
        "",
        '<line class="grid" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/>'
        '<text class="tick" x="{3}" y="{4}" text-anchor="end">{5}%</text>',
        (
            (LOW_EDGE, WIDTH, places(down(tick)), LOW_EDGE - 6, places(down(tick) + 4), tick)
            for tick in scale.ticks
        ),
    )


def _picture(height: float, drawn: SafeString, *, label: str, name: str) -> SafeString:
    return format_html(
        '<svg class="report-chart" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{}"'
        ' viewBox="0 0 {} {}"><defs>{}</defs>{}</svg>',
        label,
        WIDTH,
        places(height),
        _hatches(name),
        drawn,
    )


def _hatches(name: str) -> SafeString:
    return format_html_join(
        "",
        '<pattern id="{0}-{1}" width="6" height="6" patternUnits="userSpaceOnUse">'
        '<path class="hatch {1}" d="M-1 1L1 -1M0 6L6 0M5 7L7 5"/></pattern>',
        ((name, tone) for tone in HATCHED),
    )


def _short(text: str) -> str:
    return text if len(text) <= LABEL_MOST else f"{text[: LABEL_MOST - 1]}…"
