"""Seat readings: one entered by hand, and the months they are kept in."""

import datetime as dt
from collections.abc import Iterable

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Greatest

from accounts import permissions, selectors
from accounts.measure import facts_changed
from accounts.models import Account, Instance, SeatReading
from accounts.services.instances_by_default import make_default_instances
from config.lib.authz import require
from config.lib.errors import Invalid
from config.lib.versions import KnowledgeTime
from events import services as events
from people.models import User

BY_HAND = "manual"
CLOCK_SKEW = dt.timedelta(minutes=5)


@transaction.atomic
def enter_reading(
    account: Account,
    *,
    instance: Instance | None,
    seats: int,
    observed_at: dt.datetime,
    note: str,
    by: User,
    now: dt.datetime,
) -> SeatReading:
    """Record seats counted by hand, with a note of where they come from.

    Without an instance they go to the account's default one. A second entry for the same
    moment corrects the first; the same entry sent twice is one.
    """
    own = selectors.is_own(by, account, on=selectors.today(now))
    require(permissions.can_enter_reading, by, is_own=own)
    if observed_at > now + CLOCK_SKEW:
        raise Invalid("The count cannot lie in the future.", field="observed_at")
    if not note.strip():
        raise Invalid("Say where the count comes from.", field="note")
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    if instance is not None and instance.account_id != account.pk:
        raise Invalid("Choose an instance of this account.", field="instance")
    instance = instance or default_instance(account, actor=by)
    sent_before = SeatReading.objects.filter(
        instance=instance,
        observed_at=observed_at,
        source=BY_HAND,
        known_to=None,
        seats=seats,
        note=note.strip(),
        entered_by=by,
    ).first()
    if sent_before:
        return sent_before
    make_months([observed_at.date()])
    before = close_reading(instance, observed_at, BY_HAND)
    reading = SeatReading(
        instance=instance,
        observed_at=observed_at,
        source=BY_HAND,
        seats=seats,
        note=note.strip(),
        entered_by=by,
        known_from=Greatest(KnowledgeTime(), before.known_to) if before else KnowledgeTime(),
    )
    reading.save(force_insert=True)
    events.record(
        "reading.entered",
        account,
        by=by,
        account_id=account.pk,
        before={"seats": before.seats} if before else None,
        after={"seats": seats, "observed_at": observed_at, "instance": instance.name, "note": note},
    )
    facts_changed([account.pk])
    return reading


def close_reading(instance: Instance, observed_at: dt.datetime, source: str) -> SeatReading | None:
    """End what is known under this key and return it as it stood, or None."""
    standing = SeatReading.objects.select_for_update().filter(
        instance=instance, observed_at=observed_at, source=source, known_to=None
    )
    before = standing.first()
    if before is None:
        return None
    known_to = Greatest(KnowledgeTime(), F("known_from") + dt.timedelta(microseconds=1))
    SeatReading.objects.filter(
        instance=instance, observed_at=observed_at, source=source, known_to=None
    ).update(known_to=known_to)
    return SeatReading.objects.get(
        instance=instance,
        observed_at=observed_at,
        source=source,
        known_from=before.known_from,
    )


def default_instance(account: Account, *, actor: User) -> Instance:
    """Return where readings go that name no instance; the account's row is locked."""
    defaults = Instance.objects.filter(account=account, is_default=True)
    if not defaults.exists():
        make_default_instances([account.pk], actor=actor)
    return defaults.get()


def make_reading_months(*, from_day: dt.date, ahead: int) -> int:
    """Make the months of readings from a day on, `ahead` of them; return how many were new."""
    months = [from_day.replace(day=1)]
    for _ in range(ahead):
        months.append((months[-1] + dt.timedelta(days=32)).replace(day=1))
    return make_months(months)


def make_months(days: Iterable[dt.date]) -> int:
    """Make the months that hold these days, where there are none yet."""
    months = sorted({day.replace(day=1) for day in days})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE keel_make_reading_month(month))"
            " FROM unnest(%s::date[]) AS month",
            [months],
        )
        made: int = cursor.fetchone()[0]
    return made
