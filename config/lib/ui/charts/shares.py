"""Shares and counts: a bar with a tick, one square per account."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from config.lib.ui.charts.svg import EMPTY, line, places
from config.lib.ui.formats import Ratio, number_text, percent

MOST_UNITS = 150
# Up to so many squares stand in so many rows.
ROWS = ((8, 1), (24, 2), (100, 4), (MOST_UNITS, 6))
MOST_TALL_ROWS = 4
HIDDEN = SafeString('aria-hidden="true"')


class Part(NamedTuple):
    """One kind of account in a picture of counts."""

    css: str
    number: int
    text: str


# Pixels; others have a rule in keel.css: 6 and 10.
BAR_HEIGHT = 8


def bar(
    share: Ratio | None,
    *,
    tick: int | None = 80,
    tone: str = "",
    height: int = BAR_HEIGHT,
    label: str = "",
) -> SafeString:
    """A share as a bar with a tick; hatched where the share is unknown.

    Without a label it is decoration: then the number has to stand beside it.
    """
    named = format_html('role="img" aria-label="{}"', label) if label else HIDDEN
    filled = (
        EMPTY
        if share is None
        else format_html(
            '<rect class="fg" width="{}%"/>',
            places(min(max(float(percent(share)), 0.0), 100.0)),
        )
    )
    mark = EMPTY if tick is None else format_html('<rect class="tick" x="{}%"/>', tick)
    # The heights stand in the stylesheet: a list has fifty of them.
    return format_html(
        '<svg class="bar{}{}" {}><rect class="bg"/>{}{}</svg>',
        " unknown" if share is None else f" {tone}" if tone else "",
        "" if height == BAR_HEIGHT else f" h{height}",
        named,
        filled,
        mark,
    )


def pips(level: int, *, of: int = 4, label: str = "") -> SafeString:
    """So many of a few rising bars; without a label the words stand beside it."""
    named = format_html('role="img" aria-label="{}"', label) if label else HIDDEN
    drawn = format_html_join(
        "",
        '<rect class="p{}" x="{}" y="{}" width="4" height="{}"/>',
        (
            (" on" if number < level else "", number * 6, 2 * (of - number), 2 + 2 * number)
            for number in range(of)
        ),
    )
    return format_html(
        '<svg class="pips" width="{}" height="{}" {}>{}</svg>', of * 6 - 2, of * 2 + 2, named, drawn
    )


def units(parts: Sequence[Part], *, target: int | None = None, target_text: str = "") -> SafeString:
    """One square per account, in the order of the parts; many make a bar of parts."""
    total = sum(part.number for part in parts)
    if not total:
        return EMPTY
    draw = _squares if total <= MOST_UNITS else _parts_bar
    needed = None if target is None else -(-target * total // 100)
    sentence = "; ".join(f"{part.number} {part.text}" for part in parts if part.number)
    aim = "" if needed is None else f". The target of {target}% is at {number_text(needed)}"
    return format_html(
        '{}<p class="key mt2">{}</p>',
        draw(
            parts,
            needed,
            target_text,
            f"{number_text(total)} accounts: {sentence}{aim}.",
        ),
        format_html_join(
            "",
            '<span><svg width="10" height="10" aria-hidden="true">'
            '<rect class="{}" x=".5" y=".5" width="9" height="9" rx="2"/></svg>'
            "{} {}</span>",
            ((part.css, number_text(part.number), part.text) for part in parts if part.number),
        ),
    )


def _squares(parts: Sequence[Part], needed: int | None, text: str, label: str) -> SafeString:
    total = sum(part.number for part in parts)
    rows = next(
        rows for most, rows in ((8, 1), (24, 2), (100, 4), (MOST_UNITS, 6)) if total <= most
    )
    columns = max(math.ceil(total / rows), 4)
    side = 16 if rows <= MOST_TALL_ROWS else 12
    pitch, top = side + 4, 18
    kinds = [part.css for part in parts for _ in range(part.number)]
    squares = format_html_join(
        "",
        '<rect class="{}" x="{}%" y="{}" width="{}%" height="{}" rx="2"/>',
        (
            (
                kind,
                places((number // rows + 0.06) * 100 / columns),
                top + number % rows * pitch,
                places(88 / columns),
                side,
            )
            for number, kind in enumerate(kinds)
        ),
    )
    bottom = top + rows * pitch
    line = EMPTY
    if needed is not None:
        column, row = divmod(needed, rows)
        line = _target_line(column * 100 / columns, 100 / columns, top, row * pitch, bottom)
        line += _target_text((column + (1 if row else 0)) * 100 / columns, text)
    return _picture("units", bottom, label, squares + line)


def _target_line(left: float, step: float, top: int, drop: int, bottom: int) -> SafeString:
    """After the last square that is needed, with a step where a column is cut."""
    if not drop:
        return line("tick", left, left, top - 14, bottom)
    right, turn = left + step, top + drop - 2
    return (
        line("tick", right, right, top - 14, turn)
        + line("tick", left, right, turn, turn)
        + line("tick", left, left, turn, bottom)
    )


def _target_text(at: float, text: str) -> SafeString:
    left = at < 50  # noqa: PLR2004
    return format_html(
        '<text x="{}%" dx="{}" y="11" text-anchor="{}">{}</text>',
        places(at),
        6 if left else -6,
        "start" if left else "end",
        text,
    )


def _parts_bar(parts: Sequence[Part], needed: int | None, text: str, label: str) -> SafeString:
    total = sum(part.number for part in parts)
    left, drawn = 0.0, EMPTY
    for part in parts:
        width = part.number * 100 / total
        drawn += format_html(
            '<rect class="{}" x="{}%" y="18" width="{}%" height="28"/>',
            part.css,
            places(left),
            places(width),
        )
        left += width
    if needed is not None:
        at = needed * 100 / total
        drawn += line("tick", at, at, 4, 50) + _target_text(at, text)
    return _picture("units", 50, label, drawn)


def _picture(css: str, height: int, label: str, drawn: SafeString) -> SafeString:
    return format_html(
        '<svg class="{}" width="100%" height="{}" role="img" aria-label="{}">{}</svg>',
        css,
        height,
        label,
        drawn,
    )
