"""What stands behind an account's figures: readings, corrections, versions, imports."""

import datetime as dt
from collections.abc import Collection
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import OuterRef, Q, QuerySet, Subquery

from accounts.models import (
    Account,
    AccountVersion,
    Assignment,
    Contact,
    Import,
    Instance,
    SeatReading,
    Subscription,
)
from accounts.rules import Contract, Count

WEEKS = 52
# The last count of each week, weeks counted back from today; of counted instances.
COUNTS = """
    SELECT DISTINCT ON (r.instance_id, (%(today)s - at.day) / 7) r.instance_id, at.day, r.seats
    FROM accounts_seatreading r
    CROSS JOIN LATERAL (SELECT (r.observed_at AT TIME ZONE %(zone)s)::date AS day) at
    WHERE r.instance_id = ANY(%(instances)s) AND {known}
      AND r.observed_at >= %(start)s AND at.day <= %(today)s
    ORDER BY r.instance_id, (%(today)s - at.day) / 7, r.observed_at DESC, r.source
"""
NOW = "r.known_to IS NULL"
AT_A_MOMENT = "r.known_from <= %(known_at)s AND (r.known_to IS NULL OR r.known_to > %(known_at)s)"


def weekly_days(today: dt.date, *, weeks: int = WEEKS) -> list[dt.date]:
    """Return today and the same weekday of the weeks before it, oldest first."""
    return [today - dt.timedelta(weeks=week) for week in range(weeks, -1, -1)]


def weekly_counts(
    instance_ids: Collection[int],
    *,
    today: dt.date,
    zone: ZoneInfo,
    since: dt.date,
    known_at: dt.datetime | None = None,
) -> list[Count]:
    """Return the last standing reading of every instance and week, in one statement."""
    parameters: dict[str, Any] = {
        "instances": list(instance_ids),
        "today": today,
        "zone": zone.key,
        "start": dt.datetime.combine(since, dt.time(), zone),
        "known_at": known_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(COUNTS.format(known=NOW if known_at is None else AT_A_MOMENT), parameters)
        return [Count(*row) for row in cursor.fetchall()]


def contracts_of(account: Account) -> list[Contract]:
    """Return the account's paid subscriptions."""
    paid = Subscription.objects.filter(account=account, kind=Subscription.Kind.PAID)
    return [Contract(*row) for row in paid.values_list("start", "end", "seats", "unlimited")]


def instances_with_latest(account: Account, *, before: dt.datetime) -> QuerySet[Instance]:
    """Return the instances, each with its last reading: `latest_at`, `_seats` and `_source`."""
    readings = SeatReading.objects.filter(
        instance=OuterRef("pk"), known_to=None, observed_at__lt=before
    ).order_by("-observed_at", "source")
    return (
        Instance.objects.filter(account=account)
        .annotate(
            latest_at=Subquery(readings.values("observed_at")[:1]),
            latest_seats=Subquery(readings.values("seats")[:1]),
            latest_source=Subquery(readings.values("source")[:1]),
        )
        .order_by("-counted", "name", "pk")
    )


def readings_with_corrections(account: Account) -> QuerySet[SeatReading]:
    """Return every reading, corrected ones with `replaced_by`: the seats that took their place.

    A corrected reading without it was withdrawn.
    """
    successor = SeatReading.objects.filter(
        instance=OuterRef("instance"),
        observed_at=OuterRef("observed_at"),
        source=OuterRef("source"),
        known_from__gte=OuterRef("known_to"),
    ).order_by("known_from")
    instance_ids = Instance.objects.filter(account=account).values("pk")
    return (
        SeatReading.objects.filter(instance__in=instance_ids)
        .select_related("instance", "entered_by", "last_import")
        .annotate(replaced_by=Subquery(successor.values("seats")[:1]))
    )


def versions_of(account: Account) -> Any:
    """Return what was known of the account, newest first, with `known_from` and `known_to`."""
    versions: Any = AccountVersion
    return versions.objects.filter(fact=account).order_by("-known_from")


def imports_of(account: Account) -> QuerySet[Import]:
    """Return the imports that last touched a fact of the account, newest first."""
    touched = Q(pk=account.last_import_id)
    for model in (Subscription, Instance, Contact, Assignment):
        rows = model.objects.filter(account=account, last_import__isnull=False)
        touched |= Q(pk__in=rows.values("last_import"))
    instance_ids = Instance.objects.filter(account=account).values("pk")
    readings = SeatReading.objects.filter(instance__in=instance_ids, last_import__isnull=False)
    touched |= Q(pk__in=readings.values("last_import"))
    return Import.objects.filter(touched).select_related("by").order_by("-applied_at", "-pk")
