"""The nights of the made-up company; runs in a worker."""

import datetime as dt

from django.db import connection

from bench.databases import Company
from metrics.models import MetricRun
from metrics.selectors.runs import SEATS_DEPLOYED
from metrics.services.current import refresh_current_facts
from metrics.services.runs import recompute
from metrics.services.summaries import keep_summaries
from people.models import system_user

# A night's run begins when the next morning's readings are in.
RUN_AT = dt.timedelta(days=1, hours=5, minutes=30)


def morning_after(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC) + RUN_AT


def tell_history(company: Company) -> None:
    """Compute the nights before the last day, each as if in its time, and what is true now.

    The last day itself is left to be measured.
    """
    until = dt.date.fromisoformat(company.until)
    for back in range(company.nights, 0, -1):
        day = until - dt.timedelta(days=back)
        at = morning_after(day)
        recompute(SEATS_DEPLOYED, day, by=system_user(), now=at, known_at=at, computed_at=at)
    # Whatever looked odd in made-up nights is shown all the same.
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE metrics_metricrun SET status = 'published', published_at = computed_at"
            " WHERE status = 'held'"
        )
    assert MetricRun.objects.filter(status="published", base=None).count() == company.nights
    refresh_current_facts(now=morning_after(until))
    keep_summaries()
