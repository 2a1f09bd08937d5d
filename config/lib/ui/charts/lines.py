"""Values over time: a trend with its target; licensed and deployed seats."""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from config.lib.ui.charts.axes import (
    Days,
    Scale,
    count_scale,
    day_labels,
    percent_scale,
)
from config.lib.ui.charts.svg import EMPTY, places
from config.lib.ui.formats import (
    Ratio,
    day_text,
    hours_text,
    money_short_text,
    money_text,
    number_text,
    percent,
    share_text,
)

# "share", "count", "hours", or the code of the currency of amounts.
Unit = str
Point = tuple[dt.date, Ratio | int | None]
Marker = tuple[dt.date, str]
Step = tuple[dt.date, int | None, int | None]
Numbers = Sequence[tuple[dt.date, float | None]]

ACROSS, DOWN = 1000, 200
CURSOR = SafeString('<line class="cursor" x1="0" x2="0" y1="0" y2="100%" visibility="hidden"/>')


class Frame(NamedTuple):
    """What a chart is drawn into."""

    days: Days
    scale: Scale
    unit: Unit
    label: str
    name: str
    small: bool


def trend(  # noqa: PLR0913 - a chart has many knobs, all by name
    points: Iterable[Point],
    *,
    label: str,
    unit: Unit = "share",
    target: int | None = None,
    target_text: str = "",
    markers: Iterable[Marker] = (),
    name: str = "",
    small: bool = False,
) -> SafeString:
    """A line over time; no value is a gap. Draws nothing where no value is known.

    With a name, the value under the pointer is written to the element NAME-readout.
    """
    dated = sorted(points, key=lambda point: point[0])
    known = [(day, value) for day, value in dated if value is not None]
    if not known:
        return EMPTY
    numbers = [(day, None if v is None else _number(v, unit)) for day, v in dated]
    seen = [n for _, n in numbers if n is not None]
    if target is not None:
        # A little above, so that its label stays below the top of the chart.
        seen.append(min(float(target) + 1, 100.0))
    frame = Frame(
        Days(dated[0][0], dated[-1][0]),
        percent_scale(seen) if unit == "share" else count_scale(seen),
        unit,
        label,
        name,
        small,
    )
    return _chart(
        frame,
        under=_target(frame.scale, target, target_text) + _markers(frame.days, markers),
        paths=_area(frame, numbers) + _path(frame, "line", numbers),
        over=_lone_dots(frame, numbers) + _last_dot(frame, numbers),
        readings=[(day, f"{day_text(day)}: {_text(v, unit)}") for day, v in known],
    )


def beside(  # noqa: PLR0913 - a chart has many knobs, all by name
    solid: Iterable[Point],
    dashed: Iterable[Point],
    *,
    label: str,
    solid_text: str,
    dashed_text: str,
    unit: Unit = "share",
    target: int | None = None,
    target_text: str = "",
    markers: Iterable[Marker] = (),
    name: str = "",
) -> SafeString:
    """Two lines over the same days, told apart by their dashes and by words below them.

    Draws nothing where no value of either is known.
    """
    lines = [sorted(points, key=lambda point: point[0]) for points in (solid, dashed)]
    days = sorted({day for points in lines for day, _ in points})
    numbers = [
        [(day, None if value is None else _number(value, unit)) for day, value in points]
        for points in lines
    ]
    seen = [number for each in numbers for _, number in each if number is not None]
    if not seen:
        return EMPTY
    if target is not None:
        seen.append(min(float(target) + 1, 100.0))
    scale = percent_scale(seen) if unit == "share" else count_scale(seen)
    frame = Frame(Days(days[0], days[-1]), scale, unit, label, name, small=False)
    values = [dict(points) for points in lines]
    chart = _chart(
        frame,
        under=_target(scale, target, target_text) + _markers(frame.days, markers),
        paths=_path(frame, "line-2", numbers[1]) + _path(frame, "line", numbers[0]),
        over=_lone_dots(frame, numbers[0]) + _last_dot(frame, numbers[0]),
        readings=[
            (
                day,
                f"{day_text(day)}: "
                + ", ".join(
                    f"{words} {_text(value, unit)}"
                    for words, of_day in zip((solid_text, dashed_text), values, strict=True)
                    if (value := of_day.get(day)) is not None
                ),
            )
            for day in days
        ],
    )
    return format_html(
        '{}<p class="key mt2"><span>{}{}, solid</span><span>{}{}, dashed</span></p>',
        chart,
        _key_line("main"),
        solid_text,
        _key_line(""),
        dashed_text,
    )


def steps(points: Iterable[Step], *, label: str, name: str = "", small: bool = True) -> SafeString:
    """Licensed and deployed seats: each holds until the next point."""
    dated = sorted(points, key=lambda point: point[0])
    licensed = [(day, None if n is None else float(n)) for day, n, _ in dated]
    deployed = [(day, None if n is None else float(n)) for day, _, n in dated]
    seen = [n for _, n in licensed + deployed if n is not None]
    if not seen:
        return EMPTY
    days = Days(dated[0][0], dated[-1][0])
    frame = Frame(days, count_scale(seen), "count", label, name, small)
    chart = _chart(
        frame,
        under=EMPTY,
        paths=_path(frame, "line-2", licensed, stepped=True)
        + _area(frame, deployed, stepped=True)
        + _path(frame, "line", deployed, stepped=True),
        over=_last_dot(frame, deployed),
        readings=[
            (
                day,
                f"{day_text(day)}: {number_text(used)} of {number_text(sold)} seats",
            )
            for day, sold, used in dated
        ],
    )
    return format_html(
        '{}<p class="key mt2"><span>{}Deployed</span><span>{}Licensed</span></p>',
        chart,
        _key_line("main"),
        _key_line(""),
    )


def _key_line(css: str) -> SafeString:
    return format_html(
        '<svg width="16" height="10" aria-hidden="true">'
        '<line class="{}" x1="0" x2="16" y1="5" y2="5"/></svg>',
        css,
    )


def _chart(
    frame: Frame,
    *,
    under: SafeString,
    paths: SafeString,
    over: SafeString,
    readings: list[tuple[dt.date, str]],
) -> SafeString:
    read_out, cursor = EMPTY, EMPTY
    if frame.name:
        read_out = format_html(
            ' data-chart="{}-readout" data-points="{}"',
            frame.name,
            json.dumps([[round(frame.days.along(day), 4), text] for day, text in readings]),
        )
        cursor = CURSOR
    return format_html(
        '<div class="chart{small}"{read_out}>'
        '<div class="y" aria-hidden="true">{ticks}</div>'
        '<div class="plot" role="img" aria-label="{label}">'
        '<svg aria-hidden="true">{grid}{under}</svg>'
        '<svg viewBox="0 0 {across} {down}" preserveAspectRatio="none" '
        'aria-hidden="true">{paths}</svg>'
        '<svg aria-hidden="true">{over}{cursor}</svg></div>'
        '<svg class="x" width="100%" height="16" aria-hidden="true">{labels}</svg>'
        "</div>",
        small=" small" if frame.small else "",
        read_out=read_out,
        ticks=format_html_join(
            "",
            "<span>{}</span>",
            ((_tick_text(t, frame.unit),) for t in frame.scale.ticks),
        ),
        label=frame.label,
        grid=format_html_join(
            "",
            '<line class="grid-line" x1="0" x2="100%" y1="{0}%" y2="{0}%"/>',
            ((places(frame.scale.drop(tick) * 100),) for tick in frame.scale.ticks),
        ),
        under=under,
        across=ACROSS,
        down=DOWN,
        paths=paths,
        over=over,
        cursor=cursor,
        labels=day_labels(frame.days),
    )


def _number(value: Ratio, unit: Unit) -> float:
    return float(percent(value)) if unit == "share" else float(value)


def _text(value: Ratio, unit: Unit) -> str:
    if unit == "hours":
        return hours_text(value)
    if unit == "share":
        return share_text(value)
    return number_text(int(value)) if unit == "count" else money_text(_cents(value), unit)


def _cents(value: Ratio) -> Decimal:
    return Decimal(round(value * 100)) / 100


def _tick_text(tick: float, unit: Unit) -> str:
    if unit == "hours":
        return f"{tick:,.0f} h"
    if unit == "share":
        return f"{tick:g}%"
    if unit == "count":
        return f"{tick:,.0f}"
    return money_short_text(int(tick), unit).replace(".0", "")


def _runs(frame: Frame, numbers: Numbers) -> list[list[tuple[str, str]]]:
    """The stretches without a gap, each point as (x, y) in the stretched box."""
    runs: list[list[tuple[str, str]]] = [[]]
    for day, number in numbers:
        if number is None:
            runs.append([])
            continue
        x, y = frame.days.along(day) * ACROSS, frame.scale.drop(number) * DOWN
        runs[-1].append((places(x), places(y)))
    return [run for run in runs if run]


def _draw(run: list[tuple[str, str]], *, stepped: bool) -> str:
    (x, y), *rest = run
    if not rest:
        return f"M{x} {y}h0"
    pen = "H{}V{}" if stepped else "L{} {}"
    return f"M{x} {y}" + "".join(pen.format(*point) for point in rest)


def _path(frame: Frame, css: str, numbers: Numbers, *, stepped: bool = False) -> SafeString:
    drawn = "".join(_draw(run, stepped=stepped) for run in _runs(frame, numbers))
    return format_html('<path class="{}" d="{}"/>', css, drawn) if drawn else EMPTY


def _area(frame: Frame, numbers: Numbers, *, stepped: bool = False) -> SafeString:
    drawn = "".join(
        f"{_draw(run, stepped=stepped)}V{DOWN}H{run[0][0]}Z"
        for run in _runs(frame, numbers)
        if len(run) > 1
    )
    return format_html('<path class="area" d="{}"/>', drawn) if drawn else EMPTY


def _last_dot(frame: Frame, numbers: Numbers) -> SafeString:
    known = [(day, number) for day, number in numbers if number is not None]
    if not known:
        return EMPTY
    day, number = known[-1]
    return format_html(
        '<circle class="last" cx="{}%" cy="{}%" r="4.5"/>',
        places(frame.days.along(day) * 100),
        places(frame.scale.drop(number) * 100),
    )


def _lone_dots(frame: Frame, numbers: Numbers) -> SafeString:
    """Days with no neighbour: a line of one point cannot be seen."""
    known = [None, *(number for _, number in numbers), None]
    return format_html_join(
        "",
        '<circle class="lone" cx="{}%" cy="{}%" r="3"/>',
        (
            (places(frame.days.along(day) * 100), places(frame.scale.drop(number) * 100))
            for place, (day, number) in enumerate(numbers)
            if number is not None and known[place] is None and known[place + 2] is None
        ),
    )


def _target(scale: Scale, target: int | None, text: str) -> SafeString:
    if target is None:
        return EMPTY
    return format_html(
        '<line class="target" x1="0" x2="100%" y1="{0}%" y2="{0}%"/>'
        '<text class="target" x="0" y="{0}%" dy="-6">{1}</text>',
        places(scale.drop(target) * 100),
        text or f"Target {target}%",
    )


def _markers(days: Days, markers: Iterable[Marker]) -> SafeString:
    drawn = EMPTY
    for day, text in markers:
        if not days.first <= day <= days.last:
            continue
        at = days.along(day)
        left = at < 0.5  # noqa: PLR2004
        drawn += format_html(
            '<line class="marker" x1="{0}%" x2="{0}%" y1="12%" y2="100%"/>'
            '<text x="{0}%" dx="{1}" y="97%" text-anchor="{2}">{3}</text>',
            places(at * 100),
            6 if left else -6,
            "start" if left else "end",
            text,
        )
    return drawn
