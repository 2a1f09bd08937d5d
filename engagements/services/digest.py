"""When the daily mail goes out: in the morning of every business day, on the company's clocks."""

import datetime as dt

from engagements.selectors.calendar import company_calendar
from events.services import digests

HOUR = 8


def send_daily(*, at: dt.datetime) -> int:
    """Send the mails of the day, if it is time; return how many."""
    calendar = company_calendar()
    local = at.astimezone(calendar.zone)
    if local.hour < HOUR or not calendar.is_business_day(local.date()):
        return 0
    return digests.send_digests(day=local.date(), at=at)
