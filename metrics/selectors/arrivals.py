"""Files that usually come, and have not come this time."""

import datetime as dt
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from accounts.models import Import

LOOK_BACK = dt.timedelta(days=180)
FEWEST = 3
DAY = dt.timedelta(days=1)


class Overdue(NamedTuple):
    """A kind of file from a source, how often it comes, and when it came last."""

    kind: str
    source: str
    every_days: int
    last: dt.datetime


def overdue_files(*, now: dt.datetime) -> list[Overdue]:
    """Return the files that came at least three times, and now are late by half their rhythm."""
    applied = Import.objects.filter(
        status=Import.Status.APPLIED, applied_at__gte=now - LOOK_BACK, applied_at__lte=now
    )
    times: dict[tuple[str, str], list[dt.datetime]] = {}
    for kind, source, at in applied.order_by("applied_at").values_list(
        "kind", "source", "applied_at"
    ):
        if at is not None:
            times.setdefault((kind, source), []).append(at)
    found = (_overdue(*of, moments, now) for of, moments in sorted(times.items()))
    return [each for each in found if each]


def _overdue(
    kind: str, source: str, moments: list[dt.datetime], now: dt.datetime
) -> Overdue | None:
    # Several files of one day are one delivery.
    days = sorted({moment.date() for moment in moments})
    if len(days) < FEWEST:
        return None
    every = median((later - earlier).days for earlier, later in pairwise(days))
    if now - moments[-1] <= max(DAY, dt.timedelta(days=every * 1.5)):
        return None
    return Overdue(str(Import.Kind(kind).label), source, round(every), moments[-1])
