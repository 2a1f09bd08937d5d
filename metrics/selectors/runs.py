"""Which definitions there are, and which runs the ledger holds."""

import dataclasses
import datetime as dt
from collections.abc import Collection
from decimal import Decimal
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Exists, Max, OuterRef, QuerySet

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
    """Read the parameters of the rules; those of other parts, as `hold`, are theirs to read."""
    known = {field.name for field in dataclasses.fields(rules.Policy)}
    values = {name: value for name, value in definition.policy.items() if name in known}
    for name in ("source_order", "exclude_regions", "exclude_segments"):
        if name in values:
            values[name] = tuple(values[name])
    if "min_arr" in values:
        values["min_arr"] = Decimal(values["min_arr"])
    return rules.Policy(**values)


def term_of(slug: str) -> rules.Term:
    """Return from when on the number is computed, and until when."""
    versions = list(definitions().filter(slug=slug).order_by("valid_from", "number"))
    if not versions:
        raise MetricDefinition.DoesNotExist(f"There is no metric {slug}.")
    return rules.Term(versions[0].valid_from, versions[-1].valid_to)


def definition_for(slug: str, day: rules.Day) -> MetricDefinition:
    """Return the version under which a day is computed: once it is over, it keeps its version.

    Raises MetricDefinition.DoesNotExist for an unknown metric.
    """
    final = published_or_held(slug).filter(
        definition=OuterRef("pk"), day=day.day, known_at__gte=day.end
    )
    found = list(definitions().filter(slug=slug).annotate(has_final=Exists(final)))
    if not found:
        raise MetricDefinition.DoesNotExist(f"There is no metric {slug}.")
    begun = [version for version in found if version.valid_from <= day.day]
    return max(
        [version for version in found if version.has_final]
        or begun
        or [min(found, key=attrgetter("valid_from", "number"))],
        key=attrgetter("valid_from", "number"),
    )


def published_or_held(slug: str) -> QuerySet[MetricRun]:
    """Return every run but those on trial."""
    return MetricRun.objects.filter(definition__slug=slug).exclude(status=MetricRun.Status.TRIAL)


def company() -> Company:
    return Company.objects.get()


def published_runs(
    slug: str, *, known_at: dt.datetime | None = None, version: int | None = None
) -> QuerySet[MetricRun]:
    """Return what had been published by `known_at` (default: all), newest revision first."""
    runs = _published(known_at).filter(definition__slug=slug)
    if version is not None:
        runs = runs.filter(definition__number=version)
    return runs.order_by("-day", "-definition__number", "-revision")


def _published(known_at: dt.datetime | None) -> QuerySet[MetricRun]:
    runs = MetricRun.objects.filter(status=MetricRun.Status.PUBLISHED)
    if known_at is not None:
        runs = runs.filter(published_at__lte=known_at)
    return runs.select_related("definition")


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


def series_of_each(
    slugs: Collection[str], *, start: dt.date, end: dt.date, known_at: dt.datetime | None
) -> dict[str, list[MetricRun]]:
    """Return the series of each of these numbers, in one statement."""
    found: dict[str, list[MetricRun]] = {slug: [] for slug in slugs}
    runs = _published(known_at).filter(definition__slug__in=slugs, day__range=(start, end))
    order = ("definition__slug", "day", "-definition__number", "-revision")
    for run in runs.order_by(*order).distinct("definition__slug", "day"):
        found[run.definition.slug].append(run)
    return found


def target_of(slug: str, *, known_at: dt.datetime | None = None) -> MetricTarget | None:
    """Return the target that stands, or stood at a moment."""
    return targets_of([slug], known_at=known_at).get(slug)


def targets_of(
    slugs: Collection[str], *, known_at: dt.datetime | None = None
) -> dict[str, MetricTarget]:
    """Return the target of each of these numbers that has one."""
    targets = MetricTarget.objects.filter(slug__in=slugs)
    if known_at is not None:
        targets = targets.filter(set_at__lte=known_at)
    newest = targets.order_by("slug", "-set_at", "-id").distinct("slug")
    return {target.slug: target for target in newest}


def newest_days(slug: str) -> dict[dt.date, dt.datetime]:
    """Return, for each day computed, up to when its newest run knew the facts."""
    days: Any = published_or_held(slug).values_list("day").annotate(known_at=Max("known_at"))
    return dict(days)


def missing_days(slug: str, *, now: dt.datetime, most: int) -> list[dt.date]:
    """Return the finished company days that no run knew the whole of: rules.missing_days."""
    return rules.missing_days(
        newest_days(slug),
        now=now,
        zone=ZoneInfo(company().time_zone),
        most=most,
        term=term_of(slug),
    )
