"""Filters of the library `keel` that print days, moments and durations in the company's time."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.utils import timezone

from config.lib.ui import formats

_told_at: ContextVar[dt.datetime | None] = ContextVar("told_at", default=None)


@contextmanager
def told_at(moment: dt.datetime | None) -> Iterator[None]:
    """Let "today" and "ago" be told from this moment: of pages that look back."""
    token = _told_at.set(moment)
    try:
        yield
    finally:
        _told_at.reset(token)


def _now() -> dt.datetime:
    return timezone.localtime(_told_at.get())


def day(value: dt.date | None, form: str = "") -> str:
    """ "20 Nov"; always with its year for the form "full"."""
    local = _local_day(value)
    if local is None:
        return formats.UNKNOWN
    return formats.day_text(local, None if form == "full" else _now().date())


def days_to(start: dt.date, end: dt.date) -> str:
    """ "16 to 29 Nov"."""
    return formats.days_between_text(start, end, _now().date())


def weekday(value: dt.date | None) -> str:
    local = _local_day(value)
    if local is None:
        return formats.UNKNOWN
    return formats.weekday_text(local, _now().date())


def moment(value: dt.datetime | None) -> str:
    if value is None:
        return "never"
    return formats.moment_text(timezone.localtime(value), _now())


def hours(value: formats.Ratio | None) -> str:
    return formats.hours_text(value)


def duration(value: dt.timedelta | None) -> str:
    return formats.duration_text(value)


def ago(value: dt.date | dt.datetime | None) -> str:
    if value is None:
        return "never"
    if isinstance(value, dt.datetime):
        return formats.ago_text(timezone.localtime(value), _now())
    return formats.days_ago_text(value, _now().date())


def _local_day(value: dt.date | dt.datetime | None) -> dt.date | None:
    if isinstance(value, dt.datetime):
        return timezone.localtime(value).date()
    return value


FILTERS = (day, days_to, weekday, moment, hours, duration, ago)
