"""What hung on one account, by what was known at a moment."""

from typing import Any, cast

from django.db.models import OuterRef, Q, QuerySet, Subquery

from accounts.models import (
    Account,
    AccountVersion,
    AssignmentVersion,
    ContactVersion,
    Import,
    Instance,
    InstanceVersion,
    SeatReading,
    Subscription,
    SubscriptionVersion,
)
from accounts.rules import Contract
from accounts.selectors.then import Versions, as_was, at_the_end, fact_of, known
from config.lib.then import Then


def subscriptions_then(account: Account, then: Then) -> Versions:
    """Return the subscriptions known then, those of other days among them."""
    rows = known(SubscriptionVersion, then.known_at).filter(account=account.pk)
    return rows.order_by("-start", "fact_id")


def subscription_facts(account: Account, then: Then, *, most: int) -> list[Subscription]:
    rows = subscriptions_then(account, then).select_related("last_import")[:most]
    return [fact_of(version, Subscription) for version in rows]


def contracts_then(account: Account, then: Then) -> list[Contract]:
    """Return the account's paid subscriptions as known then."""
    paid = subscriptions_then(account, then).filter(kind=Subscription.Kind.PAID)
    return [Contract(*row) for row in paid.values_list("start", "end", "seats", "unlimited")]


def instances_then(account: Account, then: Then) -> list[Instance]:
    """Return the instances, each with its last reading: `latest_at`, `_seats` and `_source`.

    One counts once it was known of or had a reading, or from the start where the whole account
    was only known later; see metrics.selectors.inputs.
    """
    ids = list(
        known(InstanceVersion, then.known_at)
        .filter(account=account.pk)
        .order_by()
        .values_list("fact_id", flat=True)
    )
    versions = as_was(InstanceVersion, ids, then)
    latest = _latest_of(ids, then)
    is_younger = not cast("Any", AccountVersion).objects.filter(
        fact=account.pk, known_from__lt=min(then.end, then.known_at)
    )
    found = []
    for pk in ids:
        version = at_the_end(versions[pk], then)
        instance = cast("Any", fact_of(version, Instance))
        reading = latest.get(pk)
        if version.known_from >= then.end and reading is None and not is_younger:
            continue
        instance.latest_at = reading.observed_at if reading else None
        instance.latest_seats = reading.seats if reading else None
        instance.latest_source = reading.source if reading else None
        found.append(instance)
    with_imports(found)
    return sorted(found, key=lambda each: (not each.counted, each.name, each.pk))


def with_imports(facts: list[Any]) -> None:
    """Attach `last_import` in one statement."""
    imports = Import.objects.in_bulk({fact.last_import_id for fact in facts if fact.last_import_id})
    for fact in facts:
        fact.last_import = imports.get(fact.last_import_id)


def _latest_of(ids: list[int], then: Then) -> dict[int, SeatReading]:
    readings: QuerySet[SeatReading] = known(SeatReading, then.known_at).filter(
        instance__in=ids, observed_at__lt=then.end
    )
    rows = readings.order_by("instance_id", "-observed_at", "source").distinct("instance_id")
    return {reading.instance_id: reading for reading in rows}


def readings_then(account: Account, then: Then) -> QuerySet[SeatReading]:
    """Return every reading of the time known then, with `replaced_by` as readings_with_corrections.

    Give what is shown of them to `as_read_then`.
    """
    rows = SeatReading.objects.filter(known_from__lte=then.known_at)
    successor = rows.filter(
        instance=OuterRef("instance"),
        observed_at=OuterRef("observed_at"),
        source=OuterRef("source"),
        known_from__gte=OuterRef("known_to"),
    ).order_by("known_from")
    instance_ids = cast("Any", InstanceVersion).objects.filter(
        account=account.pk, known_from__lte=then.known_at
    )
    return (
        rows.filter(instance__in=instance_ids.values("fact"), observed_at__lt=then.end)
        .select_related("entered_by", "last_import")
        .annotate(replaced_by=Subquery(successor.values("seats")[:1]))
    )


def as_read_then(readings: list[SeatReading], then: Then) -> list[SeatReading]:
    """Let what was corrected later stand, and instances be called as they were."""
    versions = as_was(InstanceVersion, {reading.instance_id for reading in readings}, then)
    for reading in readings:
        if reading.known_to is not None and reading.known_to > then.known_at:
            reading.known_to = None
        reading.instance = fact_of(at_the_end(versions[reading.instance_id], then), Instance)
    return readings


def contacts_then(account: Account, then: Then) -> Versions:
    """Return the customer's people known then; ask who may see them first."""
    rows = known(ContactVersion, then.known_at).filter(account=account.pk)
    return rows.order_by("name", "fact_id")


def assignments_then(account: Account, then: Then) -> Versions:
    rows = known(AssignmentVersion, then.known_at).filter(account=account.pk)
    return rows.select_related("user").order_by("-start", "role", "fact_id")


def versions_then(account: Account, then: Then) -> Versions:
    """Return what was known of the account up to then, newest first."""
    rows: Versions = cast("Any", AccountVersion).objects.filter(
        fact=account.pk, known_from__lte=then.known_at
    )
    return rows.order_by("-known_from")


def imports_then(account: Account, then: Then) -> QuerySet[Import]:
    """Return the imports that had last touched a fact of the account, newest first."""
    touched = Q(pk=account.last_import_id)
    for versions in (SubscriptionVersion, InstanceVersion, ContactVersion, AssignmentVersion):
        rows = known(versions, then.known_at).filter(account=account.pk)
        touched |= Q(pk__in=rows.filter(last_import__isnull=False).values("last_import"))
    instances = known(InstanceVersion, then.known_at).filter(account=account.pk)
    readings = known(SeatReading, then.known_at).filter(
        instance__in=instances.values("fact"), last_import__isnull=False
    )
    touched |= Q(pk__in=readings.values("last_import"))
    found = Import.objects.filter(touched, applied_at__lte=then.known_at)
    return found.select_related("by").order_by("-applied_at", "-pk")
