"""Charts as SVG, drawn on the server: no script, no style attribute, colours by class.

Shares are ratios (0..1), ticks and targets whole percents. Lines are drawn into a
stretched `viewBox`; what must not be stretched (text, dots, grid) is placed by
percentages over it.
"""

from config.lib.ui.charts.lines import Marker, Point, Step, Unit, beside, steps, trend
from config.lib.ui.charts.shares import BAR_HEIGHT, Part, bar, pips, units
from config.lib.ui.charts.waterfall import waterfall

__all__ = [
    "BAR_HEIGHT",
    "Marker",
    "Part",
    "Point",
    "Step",
    "Unit",
    "bar",
    "beside",
    "pips",
    "steps",
    "trend",
    "units",
    "waterfall",
]
