"""Which day a page shows, read from its address: `as_of`, `known_at`, `vs`."""

import datetime as dt
from dataclasses import dataclass, field
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.urls import reverse

from config.lib.errors import Invalid
from config.lib.ui.formats import day_text
from config.lib.values import moment_text
from metrics.forms import MONTH, QUARTER, YEAR, PeriodForm
from metrics.models import MetricRun
from metrics.selectors import runs
from metrics.selectors.runs import SEATS_DEPLOYED


@dataclass(frozen=True)
class Period:
    """What was asked for; None stands for the newest. `notes` say what could not be followed."""

    today: dt.date
    zone: ZoneInfo
    currency: str
    day: dt.date | None
    known_at: dt.datetime | None
    versus: str
    notes: list[str] = field(default_factory=list)

    def url(self, name: str, **parameters: str) -> str:
        """Return the address of a page of the same day and knowledge."""
        asked = {
            "as_of": self.day.isoformat() if self.day else "",
            "known_at": moment_text(self.known_at) if self.known_at else "",
            **parameters,
        }
        query = urlencode({key: value for key, value in asked.items() if value})
        return reverse(name) + (f"?{query}" if query else "")

    def run(self) -> MetricRun | None:
        return runs.run_on(SEATS_DEPLOYED, self.day, known_at=self.known_at)


def read_period(request: HttpRequest, *, now: dt.datetime, strict: bool = False) -> Period:
    """Read the address; what is malformed or lies ahead is left out and noted.

    Where a file is asked for (`strict`), nobody would read the notes: raises Invalid.
    """
    company = runs.company()
    zone = ZoneInfo(company.time_zone)
    today = now.astimezone(zone).date()
    form = PeriodForm(request.GET)
    form.is_valid()
    notes = [f"{name}: {error}" for name, errors in form.errors.items() for error in errors]
    day, known_at = form.cleaned_data.get("as_of"), form.cleaned_data.get("known_at")
    if day is not None and day > today:
        notes.append(f"{day_text(day)} has not come yet. This is the newest day.")
        day = None
    if known_at is not None and known_at > now:
        notes.append("The moment known_at lies ahead. This is what is known now.")
        known_at = None
    if strict and notes:
        raise Invalid(" ".join(notes))
    return Period(
        today=today,
        zone=zone,
        currency=company.reporting_currency,
        day=day,
        known_at=known_at,
        versus=form.cleaned_data.get("vs") or MONTH,
        notes=notes,
    )


def comparisons(day: dt.date) -> list[tuple[str, str]]:
    """Return what the number of a day can be compared with."""
    return [
        (MONTH, f"vs {day_text(compared_day(MONTH, day), day)} (30 days)"),
        (QUARTER, f"vs {day_text(compared_day(QUARTER, day), day)} (quarter)"),
        (YEAR, f"vs {day_text(compared_day(YEAR, day), day)} (year)"),
    ]


def compared_day(versus: str, day: dt.date) -> dt.date:
    if versus == QUARTER:
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    if versus == YEAR:
        last = 28 if (day.month, day.day) == (2, 29) else day.day
        return day.replace(year=day.year - 1, day=last)
    return day - dt.timedelta(days=30)
