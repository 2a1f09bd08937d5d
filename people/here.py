"""The company's clocks: the accounts app, which stands above and keeps them, says.

It registers where to read the time zone at start-up.
"""

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

_zones: list[Callable[[], str]] = []


def register(time_zone: Callable[[], str]) -> None:
    _zones[:] = [time_zone]


def zone() -> ZoneInfo:
    (time_zone,) = _zones
    return ZoneInfo(time_zone())


def today(now: dt.datetime) -> dt.date:
    """Return the company's date at a moment."""
    return now.astimezone(zone()).date()
