"""One row of a waterfall: where the number was before a part of the change, and after it."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

from config.lib.ui.charts.svg import EMPTY, places
from config.lib.ui.formats import Ratio

# So much of the width stays free on either side, for the dots at the ends.
MARGIN = 6.0
LEAST_WIDTH = 0.8


def waterfall(
    start: Ratio | None, end: Ratio | None, *, low: Ratio, high: Ratio, tone: str = ""
) -> SafeString:
    """Draw a row between `low` and `high`; it fills its cell, so that rows of any height join.

    Without a start it is the first number, without an end the last one. Decoration: the points
    stand beside it.
    """
    span = float(high) - float(low)

    def at(value: Ratio) -> float:
        along = (float(value) - float(low)) / span if span else 0.5
        return MARGIN + along * (100 - 2 * MARGIN)

    drawn = EMPTY
    if start is not None:
        drawn += _line(at(start), "0", "50%")
    if end is not None:
        drawn += _line(at(end), "50%", "100%")
    if start is None or end is None:
        value = end if start is None else start
        drawn += format_html(
            '<circle class="end" cx="{}%" cy="50%" r="4.5"/>', places(at(value or 0))
        )
    elif start != end or tone:
        left, right = sorted((at(start), at(end)))
        width = max(right - left, LEAST_WIDTH)
        drawn += format_html(
            '<rect class="{}" x="{}%" y="50%" width="{}%" height="9" rx="1.5"'
            ' transform="translate(0 -4.5)"/>',
            tone or "plain",
            places(left),
            places(width),
        )
    return format_html('<svg class="wf" aria-hidden="true">{}</svg>', drawn)


def _line(at: float, top: str, bottom: str) -> SafeString:
    return format_html('<line x1="{0}%" x2="{0}%" y1="{1}" y2="{2}"/>', places(at), top, bottom)
