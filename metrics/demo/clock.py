"""Time as it passes in what is told of the demo company."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from config.lib.versions import known_as_of
from events.services import told_as_of
from metrics.demo.story import ZONE


@contextmanager
def told(at: dt.datetime) -> Iterator[None]:
    """What happens is logged as of then; what one transaction writes is known from then, too."""
    token = told_as_of.set(at)
    try:
        with known_as_of(at):
            yield
    finally:
        told_as_of.reset(token)


class Clock:
    """Goes on with what happens, and ends before now; others may share it."""

    def __init__(self, *, days_ago: int, now: dt.datetime) -> None:
        self.now = now
        self.at = min(morning(now - dt.timedelta(days=days_ago)), now - dt.timedelta(hours=2))

    @contextmanager
    def then(self) -> Iterator[None]:
        with told(self.at):
            yield

    def wait(self, *, days: int = 0, hours: int = 0) -> None:
        later = self.at + dt.timedelta(days=days, hours=hours)
        if days:
            later = morning(later)
        self.at = min(later, self.now - dt.timedelta(minutes=5))


def morning(at: dt.datetime) -> dt.datetime:
    """The same day at half past nine; on Monday, if it is a weekend."""
    local = at.astimezone(ZONE)
    ahead = max(0, local.weekday() - 4) and 7 - local.weekday()
    day = local.date() + dt.timedelta(days=ahead)
    return dt.datetime.combine(day, dt.time(9, 30), ZONE).astimezone(dt.UTC)
