"""When the company works."""

import datetime as dt
from collections import defaultdict
from zoneinfo import ZoneInfo

from accounts.selectors.facts import company
from engagements.models import BusinessHours, Holiday
from engagements.rules.business_time import Calendar


def company_calendar() -> Calendar:
    """Return the company's hours, past and to come, its holidays and its time zone."""
    weeks: dict[dt.date, dict[int, tuple[dt.time, dt.time]]] = defaultdict(dict)
    for row in BusinessHours.objects.order_by("since", "weekday"):
        weeks[row.since][row.weekday] = (row.opens, row.closes)
    return Calendar(
        weeks=list(weeks.items()),
        holidays=frozenset(Holiday.objects.values_list("day", flat=True)),
        zone=ZoneInfo(company().time_zone),
    )


def hours_on(day: dt.date) -> list[BusinessHours]:
    """Return the week in force on the day; weekdays without a row are off."""
    since = (
        BusinessHours.objects.filter(since__lte=day)
        .order_by("-since")
        .values_list("since", flat=True)
        .first()
    )
    if since is None:
        return []
    return list(BusinessHours.objects.filter(since=since).order_by("weekday"))
