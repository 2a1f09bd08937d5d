"""Seat readings as programs send them: one, or thousands, all or nothing."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Q

from accounts import permissions
from accounts.models import Account, SeatReading
from accounts.selectors.references import Named, Reference, accounts_named, instances_named
from accounts.services import staged_sql
from accounts.services.changes import Problem, Refused
from accounts.services.reading_batches import ReadingBatch, ReadingDraft, write_readings
from accounts.services.readings import BY_HAND, CLOCK_SKEW, enter_reading
from accounts.services.upserts import CREATED, UNCHANGED, UPDATED, unknown_account
from accounts.services.ways import CALLS
from config.lib.authz import require
from config.lib.errors import Invalid
from people.models import User


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedReading:
    """One reading as a program sends it; `row` is its place in the call."""

    row: int
    account: Reference
    instance: Reference | None
    observed_at: dt.datetime
    source: str
    seats: int
    monthly_active: int | None = None
    note: str = ""


class WrittenReading(NamedTuple):
    """What became of it; `instance` is where it went."""

    row: int
    instance: uuid.UUID
    outcome: str


class _Place(NamedTuple):
    """The account and instance a reading belongs to; None: the default instance."""

    account: Named
    instance: int | None


@transaction.atomic
def write_reading_calls(
    wanted: Sequence[WantedReading], *, by: User, now: dt.datetime
) -> list[WrittenReading]:
    """Write readings that are new and correct those known otherwise.

    Raises Refused where one names nothing that is known, lies in the future or stands there
    twice; then nothing was written.
    """
    require(permissions.can_write_facts, by)
    places, problems = _placed(wanted, by=by)
    problems += _in_future(wanted, now)
    problems += [
        Problem(one.row, "note", "", "Only a reading by hand keeps a note.", "not_kept")
        for one in wanted
        if one.note
    ]
    if problems:
        raise Refused(sorted(problems, key=lambda problem: problem.row))
    by_source: dict[str, list[WantedReading]] = defaultdict(list)
    for one in wanted:
        by_source[one.source].append(one)
    written: list[WrittenReading] = []
    for source, group in by_source.items():
        write_readings(_batch(source, group, places), by=by)
        written += _outcomes()
    return sorted(written)


def enter_own_reading(wanted: WantedReading, *, by: User, now: dt.datetime) -> WrittenReading:
    """Record seats that one of the account's own people counted by hand."""
    if wanted.source != BY_HAND:
        raise Invalid(f"Readings by hand have the source “{BY_HAND}”.", field="source")
    if wanted.monthly_active is not None:
        raise Invalid("Readings by hand tell only the seats.", field="monthly_active")
    places, problems = _placed([wanted], by=by)
    if problems:
        raise Refused(problems)
    place = places[wanted.row]
    account = Account.objects.get(pk=place.account.key)
    where = Q(pk=place.instance) if place.instance else Q(is_default=True)
    with transaction.atomic():
        known = SeatReading.objects.filter(
            instance__in=account.instances.filter(where),
            observed_at=wanted.observed_at,
            source=BY_HAND,
            known_to=None,
        ).first()
        reading = enter_reading(
            account,
            instance=account.instances.get(where) if place.instance else None,
            seats=wanted.seats,
            observed_at=wanted.observed_at,
            note=wanted.note,
            by=by,
            now=now,
        )
    corrected = UNCHANGED if known and known.pk == reading.pk else UPDATED
    outcome = corrected if known else CREATED
    return WrittenReading(wanted.row, reading.instance.uuid, outcome)


def _placed(
    wanted: Sequence[WantedReading], *, by: User
) -> tuple[dict[int, _Place], list[Problem]]:
    accounts = accounts_named((one.account for one in wanted), user=by)
    instances = instances_named((one.instance for one in wanted if one.instance), user=by)
    places: dict[int, _Place] = {}
    problems = []
    for one in wanted:
        account = accounts.get(one.account)
        if account is None:
            problems.append(unknown_account(one.row, "account", one.account))
        elif one.instance is None:
            places[one.row] = _Place(account, None)
        elif (named := instances.get(one.instance)) and named.account == account.key:
            places[one.row] = _Place(account, named.key)
        else:
            detail = "The account has no such instance. Create it first, or correct the account."
            problems.append(Problem(one.row, "instance", "", detail, "unknown_instance"))
    return places, problems


def _in_future(wanted: Sequence[WantedReading], now: dt.datetime) -> list[Problem]:
    detail = "This lies in the future. A reading tells what was seen."
    return [
        Problem(one.row, "observed_at", "", detail, "in_future")
        for one in wanted
        if one.observed_at > now + CLOCK_SKEW
    ]


def _batch(
    source: str, group: Sequence[WantedReading], places: Mapping[int, _Place]
) -> ReadingBatch:
    keys: dict[tuple[str, str], tuple[int, int | None]] = {}
    drafts = []
    for one in group:
        place = places[one.row]
        names = str(place.account.key), str(place.instance or "")
        keys[names] = place.account.key, place.instance
        drafts.append(ReadingDraft(one.row, *names, one.observed_at, one.seats, one.monthly_active))
    return ReadingBatch(drafts=drafts, source=source, places=keys, way=CALLS)


def _outcomes() -> list[WrittenReading]:
    """Return what became of the readings that were written last in this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(staged_sql.OUTCOMES)
        return [WrittenReading(*row) for row in cursor.fetchall()]
