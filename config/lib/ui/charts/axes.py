"""Where a value and a day lie on a chart."""

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from itertools import count
from typing import NamedTuple

from django.utils.html import format_html
from django.utils.safestring import SafeString

from config.lib.ui.charts.svg import EMPTY, places

LABELS = 5
LONG_DAYS = 100
FULL = 100
LEAST_SPAN = 20
MOST_STEPS = 5


class Scale(NamedTuple):
    """A value axis from `low` to `high`, ticks from the top down."""

    low: int
    high: int
    ticks: list[int]

    def drop(self, value: float) -> float:
        """How far below the top the value lies, 0..1."""
        return (self.high - value) / (self.high - self.low)


class Days(NamedTuple):
    """The time axis."""

    first: dt.date
    last: dt.date

    def along(self, day: dt.date) -> float:
        """How far along the axis the day lies, 0..1; one day alone lies at the end."""
        span = (self.last - self.first).days
        return (day - self.first).days / span if span else 1.0


def day_labels(days: Days) -> SafeString:
    span = (days.last - days.first).days
    if not span:
        return format_html('<text x="100%" y="12" text-anchor="end">{}</text>', _short(days.last))
    labels = min(LABELS, span + 1)
    drawn = EMPTY
    for number in range(labels):
        day = days.first + dt.timedelta(days=round(span * number / (labels - 1)))
        ends = number in {0, labels - 1}
        text = _short(day) if span < LONG_DAYS else f"{day:%b %Y}" if ends else f"{day:%b}"
        drawn += format_html(
            '<text x="{}%" y="12" text-anchor="{}">{}</text>',
            places(days.along(day) * 100),
            "middle" if not ends else "end" if number else "start",
            text,
        )
    return drawn


def _short(day: dt.date) -> str:
    return f"{day.day} {day:%b}"


def percent_scale(seen: Sequence[float]) -> Scale:
    """Around what is shown, at least 20 points high, on tens or greater steps."""
    for step in _round_numbers(10):
        low = math.floor(min(seen) / step) * step
        high = math.ceil(max(seen) / step) * step
        while high - low < LEAST_SPAN:
            low, high = (low, high + step) if high < FULL else (low - step, high)
        if high - low <= MOST_STEPS * step:
            break
    return _scale(low, high, step)


def count_scale(seen: Sequence[float]) -> Scale:
    """From zero to a round number at or above the most."""
    most = max(*seen, 1)
    step = next(step for step in _round_numbers(1) if step * (MOST_STEPS - 1) >= most)
    return _scale(0, math.ceil(most / step) * step, step)


def _round_numbers(first: int) -> Iterator[int]:
    """Yield 1, 2, 5, 10, 20, 50 and so on, times the first."""
    return (first * size * 10**power for power in count() for size in (1, 2, 5))


def _scale(low: int, high: int, step: int) -> Scale:
    return Scale(low, high, list(range(high, low - 1, -step)))
