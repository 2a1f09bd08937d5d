"""Whether the one who is to lead a request is away then."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from config.lib.ui.formats import days_between_text
from engagements.selectors.calendar import company_calendar
from people.models import User
from people.selectors import absences_between

A_DAY = dt.timedelta(days=1)
# Whether what takes the request along has looked at people's days itself.
_planned_above: ContextVar[bool] = ContextVar("planned_above", default=False)


@contextmanager
def planned_above() -> Iterator[None]:
    """Leave the question who is away to what takes requests along, which plans by days."""
    token = _planned_above.set(True)
    try:
        yield
    finally:
        _planned_above.reset(token)


def why_away(lead: User, start: dt.date, end: dt.date) -> str:
    """Return "" unless the person is away on a working day from `start` to `end`."""
    if _planned_above.get():
        return ""
    absences = list(absences_between(start, end).filter(person=lead))
    if not absences:
        return ""
    calendar = company_calendar()
    found = []
    for absence in absences:
        first, last = max(absence.start, start), min(absence.end, end)
        days = (first + ahead * A_DAY for ahead in range((last - first).days + 1))
        if any(calendar.is_business_day(day) for day in days):
            found.append(days_between_text(absence.start, absence.end))
    if not found:
        return ""
    return f"{lead} is away {' and '.join(found)}. Choose other days, or somebody else to lead."
