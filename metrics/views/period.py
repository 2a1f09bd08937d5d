"""Which day a page shows, read from its address: `as_of`, `known_at`, `vs`."""

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from config.lib.errors import Invalid
from config.lib.then import Then, kept_of
from config.lib.ui.formats import day_text
from config.lib.ui.times import told_at
from config.lib.values import moment_text
from metrics.forms import MONTH, QUARTER, VERSUS, YEAR, PeriodForm
from metrics.models import MetricRun
from metrics.selectors import runs
from metrics.selectors.runs import SEATS_DEPLOYED


@dataclass(frozen=True)
class Period:
    """What was asked for; None stands for the newest. `notes` say what could not be followed.

    `versus` is a word of `forms.VERSUS` or a day; `vs_known_at` asks for an earlier revision of it.
    """

    today: dt.date
    zone: ZoneInfo
    currency: str
    day: dt.date | None
    known_at: dt.datetime | None
    versus: str
    vs_known_at: dt.datetime | None = None
    notes: list[str] = field(default_factory=list)
    now: dt.datetime = field(default_factory=timezone.now)
    # What else the address says.
    kept: tuple[tuple[str, str], ...] = ()

    @property
    def then(self) -> Then:
        """Return the same for the bar that says it."""
        return Then(self.zone, self.now, self.day, self.known_at, kept=self.kept)

    @contextmanager
    def clocks(self) -> Iterator[None]:
        """Let times be told on the company's clocks, and from the day looked back at."""
        with (
            timezone.override(self.zone),
            told_at(self.then.told_at if self.then.looks_back else None),
        ):
            yield

    @property
    def known_at_text(self) -> str:
        return moment_text(self.known_at) if self.known_at else ""

    def url(self, name: str, *args: object, **parameters: str) -> str:
        """Return the address of a page of the same day and knowledge."""
        asked = {
            "as_of": self.day.isoformat() if self.day else "",
            "known_at": self.known_at_text,
            **parameters,
        }
        query = urlencode({key: value for key, value in asked.items() if value})
        return reverse(name, args=args or None) + (f"?{query}" if query else "")

    def changes_url(self, name: str, *args: object, **parameters: str) -> str:
        """Return the address of a page of the same change."""
        moment = moment_text(self.vs_known_at) if self.vs_known_at else ""
        versus = "" if self.versus == MONTH else self.versus
        return self.url(name, *args, vs=versus, vs_known_at=moment, **parameters)

    def run(self) -> MetricRun | None:
        return runs.run_on(SEATS_DEPLOYED, self.day, known_at=self.known_at)

    def run_compared(self, run: MetricRun) -> MetricRun | None:
        """Return the run of the day to compare with, or of the last one before it."""
        day = compared_day(self.versus, run.day)
        return runs.run_on(SEATS_DEPLOYED, day, known_at=self.vs_known_at or self.known_at)


def read_period(request: HttpRequest, *, now: dt.datetime, strict: bool = False) -> Period:
    """Read the address; what is malformed or lies ahead is left out and noted.

    Where a file is asked for (`strict`), nobody would read the notes: raises Invalid.
    """
    company = runs.company()
    zone = ZoneInfo(company.time_zone)
    today = now.astimezone(zone).date()
    form = PeriodForm(request.GET, zone=zone)
    form.is_valid()
    notes = [f"{name}: {error}" for name, errors in form.errors.items() for error in errors]
    day, known_at = form.cleaned_data.get("as_of"), form.cleaned_data.get("known_at")
    if day is not None and day > today:
        notes.append(f"{day_text(day)} has not come yet. This is the newest day.")
        day = None
    if known_at is not None and known_at > now:
        notes.append("The moment known_at lies ahead. This is what is known now.")
        known_at = None
    versus = _versus(form.cleaned_data)
    vs_known_at = form.cleaned_data.get("vs_known_at")
    if versus not in VERSUS and not _is_before(versus, day or today, is_revision=bool(vs_known_at)):
        notes.append(f"Compare with a day before {day_text(day or today)}.")
        versus, vs_known_at = MONTH, None
    if strict and notes:
        raise Invalid(" ".join(notes))
    return Period(
        today=today,
        zone=zone,
        currency=company.reporting_currency,
        day=day,
        known_at=known_at,
        versus=versus,
        vs_known_at=vs_known_at,
        notes=notes,
        now=now,
        kept=kept_of(request.GET),
    )


def _versus(asked: Mapping[str, Any]) -> str:
    day: dt.date | None = asked.get("vs_day")
    return day.isoformat() if day else asked.get("vs") or MONTH


def _is_before(versus: str, day: dt.date, *, is_revision: bool) -> bool:
    """Say whether the day to compare with lies before; an earlier revision may be of the same."""
    asked = dt.date.fromisoformat(versus)
    return asked < day or (is_revision and asked == day)


def comparisons(day: dt.date, versus: str = MONTH) -> list[tuple[str, str]]:
    """Return what the number of a day can be compared with, the day asked for among it."""
    asked = [] if versus in VERSUS else [(versus, f"vs {day_text(compared_day(versus, day), day)}")]
    return [
        *asked,
        (MONTH, f"vs {day_text(compared_day(MONTH, day), day)} (30 days)"),
        (QUARTER, f"vs {day_text(compared_day(QUARTER, day), day)} (quarter)"),
        (YEAR, f"vs {day_text(compared_day(YEAR, day), day)} (year)"),
    ]


def compared_day(versus: str, day: dt.date) -> dt.date:
    if versus not in VERSUS:
        return dt.date.fromisoformat(versus)
    if versus == QUARTER:
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    if versus == YEAR:
        last = 28 if (day.month, day.day) == (2, 29) else day.day
        return day.replace(year=day.year - 1, day=last)
    return day - dt.timedelta(days=30)
