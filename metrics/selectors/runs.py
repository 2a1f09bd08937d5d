"""Which definitions there are, and which runs the ledger holds."""

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Max, QuerySet

from accounts.models import Company
from metrics import rules
from metrics.models import MetricDefinition, MetricRun, MetricTarget

SEATS_DEPLOYED = "seats-deployed"


def definitions() -> QuerySet[MetricDefinition]:
    """Return every version, without those that are only tried out."""
    return MetricDefinition.objects.filter(number__isnull=False).order_by("slug", "-number")


def slugs() -> list[str]:
    return list(definitions().order_by("slug").values_list("slug", flat=True).distinct())


def definition_on(slug: str, day: dt.date) -> MetricDefinition:
    """Return the version in force on the day, or the oldest one for days before it.

    Raises MetricDefinition.DoesNotExist for an unknown metric.
    """
    versions = definitions().filter(slug=slug).order_by("-valid_from", "-number")
    return versions.filter(valid_from__lte=day).first() or versions.latest("-valid_from")


def policy_of(definition: MetricDefinition) -> rules.Policy:
    values = {name: value for name, value in definition.policy.items() if name != "hold"}
    values["min_arr"] = Decimal(values["min_arr"])
    values["source_order"] = tuple(values["source_order"])
    return rules.Policy(**values)


def company() -> Company:
    return Company.objects.get()


def published_runs(
    slug: str, *, known_at: dt.datetime | None = None, version: int | None = None
) -> QuerySet[MetricRun]:
    """Return what had been published by `known_at` (default: all), newest revision first."""
    runs = MetricRun.objects.filter(
        definition__slug=slug, status=MetricRun.Status.PUBLISHED
    ).select_related("definition")
    if known_at is not None:
        runs = runs.filter(published_at__lte=known_at)
    if version is not None:
        runs = runs.filter(definition__number=version)
    return runs.order_by("-day", "-definition__number", "-revision")


def run_on(
    slug: str,
    day: dt.date | None = None,
    *,
    known_at: dt.datetime | None = None,
    version: int | None = None,
) -> MetricRun | None:
    """Return the newest published revision of the day, or of the last day before it."""
    runs = published_runs(slug, known_at=known_at, version=version)
    if day is not None:
        runs = runs.filter(day__lte=day)
    return runs.first()


def newest_of_each_day(
    slug: str,
    *,
    start: dt.date | None = None,
    end: dt.date | None = None,
    known_at: dt.datetime | None = None,
    version: int | None = None,
) -> QuerySet[MetricRun]:
    """Return the newest published revision of each day, oldest day first."""
    runs = published_runs(slug, known_at=known_at, version=version)
    if start is not None:
        runs = runs.filter(day__gte=start)
    if end is not None:
        runs = runs.filter(day__lte=end)
    return runs.order_by("day", "-definition__number", "-revision").distinct("day")


def series(
    slug: str,
    *,
    start: dt.date | None = None,
    end: dt.date | None = None,
    known_at: dt.datetime | None = None,
    version: int | None = None,
) -> list[MetricRun]:
    return list(newest_of_each_day(slug, start=start, end=end, known_at=known_at, version=version))


def target_of(slug: str) -> MetricTarget | None:
    return MetricTarget.objects.filter(slug=slug).order_by("-set_at", "-id").first()


def newest_days(slug: str) -> dict[dt.date, dt.datetime]:
    """Return, for each day computed, up to when its newest run knew the facts."""
    days: Any = (
        MetricRun.objects.filter(definition__slug=slug)
        .exclude(status=MetricRun.Status.TRIAL)
        .values_list("day")
        .annotate(known_at=Max("known_at"))
    )
    return dict(days)


def missing_days(slug: str, *, now: dt.datetime, most: int) -> list[dt.date]:
    """Return the finished company days that no run knew the whole of, oldest first.

    Looks back at most `most` days and never before the first day computed; an empty ledger
    misses only yesterday.
    """
    zone = ZoneInfo(company().time_zone)
    yesterday = now.astimezone(zone).date() - dt.timedelta(days=1)
    known = newest_days(slug)
    if not known:
        return [yesterday]
    floor = max(min(known), yesterday - dt.timedelta(days=most - 1))
    days = (floor + dt.timedelta(days=i) for i in range((yesterday - floor).days + 1))
    return [
        day
        for day in days
        if day not in known or known[day] < rules.start_of(day + dt.timedelta(days=1), zone)
    ]
