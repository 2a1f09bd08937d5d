"""Computes the runs that each night of the demo company would have computed."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection

from metrics import rules
from metrics.demo.people import email_of, people_by_email
from metrics.demo.story import YEAR, ZONE, Story
from metrics.models import MetricRun
from metrics.selectors.figures import SLUGS
from metrics.selectors.runs import SEATS_DEPLOYED, newest_days
from metrics.services import figures
from metrics.services.current import refresh_current_facts
from metrics.services.holding import publish_run
from metrics.services.runs import MOST_DAYS_BACK, Outcome, catch_up, recompute
from people.models import User, system_user

# The beat ticks at seven past the hour.
TICK = dt.timedelta(minutes=7)
TAKES = dt.timedelta(seconds=2)
# How long after the day it happened somebody asks the customer.
LASTS = dt.timedelta(days=10)
LOOKS_AT_IT = dt.timedelta(hours=9)
RECENT = MOST_DAYS_BACK
FIGURE_DAYS = 120


def compute_figures(*, now: dt.datetime) -> int:
    """Compute the key figures of requests for the months that their page shows."""
    today = now.astimezone(ZONE).date()
    days = [today - dt.timedelta(days=back) for back in range(FIGURE_DAYS, -1, -1)]
    made = 0
    # Board packs show those of a month's last day as they were known the night after.
    for after in [day + dt.timedelta(days=1) for day in days]:
        if after.day == 1 and after <= today:
            night = rules.start_of(after, ZONE) + TICK
            day = after - dt.timedelta(days=1)
            made += len(list(figures.recompute(SLUGS, [day], by=system_user(), now=night)))
    return made + len(list(figures.recompute(SLUGS, days, by=system_user(), now=now)))


def compute(story: Story, *, now: dt.datetime, say: Callable[[str], None]) -> int:
    """Compute the nights that are missing, then today so far; return how many runs are new."""
    by = system_user()
    known = newest_days(SEATS_DEPLOYED)
    latest = max(known.values(), default=None)
    made = 0
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO off")
    late = story.late_days()
    days = [day for day in _days(story, now) if day not in known]
    for number, day in enumerate(days):
        if number % 50 == 0:
            say(f"Night {number + 1} of {len(days)}")
        night = rules.start_of(day + dt.timedelta(days=1), ZONE) + TICK
        if latest is not None and night <= latest:
            continue
        moments: Any = {"by": by, "now": night, "known_at": night, "computed_at": night + TAKES}
        if day in late and not story.is_large:
            outcomes = list(catch_up(SEATS_DEPLOYED, **moments))
        else:
            outcomes = [recompute(SEATS_DEPLOYED, day, **moments)]
        made += sum(outcome.is_new for outcome in outcomes)
        _confirm(story, outcomes[-1:], at=night + LOOKS_AT_IT)
    refresh_current_facts(now=now)
    made += sum(outcome.is_new for outcome in catch_up(SEATS_DEPLOYED, by=by, now=now))
    today = now.astimezone(ZONE).date()
    made += recompute(SEATS_DEPLOYED, today, by=by, now=now).is_new
    with connection.cursor() as cursor:
        cursor.execute("RESET synchronous_commit")
    return made


def _confirm(story: Story, outcomes: list[Outcome], *, at: dt.datetime) -> None:
    """Let the metric owner publish a held run that is right all the same."""
    for outcome in outcomes:
        since = outcome.run.day - LASTS
        reason = next(
            (why for on, why in story.confirmed.items() if since < on <= outcome.run.day), ""
        )
        if reason and outcome.run.status == MetricRun.Status.HELD:
            owner = people_by_email()[email_of("Tariq Nasser")]
            publish_run(outcome.run, reason=reason, by=User.objects.get(pk=owner), at=at)


def _days(story: Story, now: dt.datetime) -> Iterator[dt.date]:
    """Yield the days whose night is over; of a large company the recent ones and month ends."""
    yesterday = YEAR + (now.astimezone(ZONE).date() - story.anchor).days - 1
    for number in range(yesterday + 1):
        day = story.day(number)
        is_month_end = (day + dt.timedelta(days=1)).day == 1
        if not story.is_large or is_month_end or number > yesterday - RECENT:
            yield day
