"""Many seat readings at once: copied into a table of their own, checked and written set-wise.

The number of statements does not depend on the number of readings; what stays in memory are
the instances they name.
"""

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from accounts.measure import facts_changed
from accounts.models import Account, Import
from accounts.services import staged_sql
from accounts.services.changes import Problem, Refused
from accounts.services.instances_by_default import make_default_instances
from accounts.services.storing import take_turn
from accounts.services.ways import FILES, Way
from config.lib.authz import require
from config.lib.values import echo
from events import services as events
from people.models import User

KIND = "seat-readings"
SHOWN = 20


class ReadingDraft(NamedTuple):
    """One reading as somebody wants it; it names an account, an instance ("": none) or both."""

    row: int
    account: str
    instance: str
    observed_at: dt.datetime
    seats: int
    monthly_active: int | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """A reading that is known otherwise; seats and monthly active, before and after."""

    row: int
    label: str
    before: tuple[int, int | None]
    after: tuple[int, int | None]


@dataclass(slots=True)
class ReadingPlan:
    """What would happen; of the corrections only the first few are kept to be shown."""

    creates: int = 0
    updates: int = 0
    unchanged: int = 0
    new_instances: int = 0
    corrections: list[Correction] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not self.creates and not self.updates


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingBatch:
    """Readings of one source. Where `has_monthly_active` is false, what is stored of it stays."""

    drafts: Iterable[ReadingDraft]
    source: str = "import"
    account_source: str = ""
    has_monthly_active: bool = True
    way: Way = FILES
    # The keys of account and instance (None: the default one), found already, by their names.
    places: Mapping[tuple[str, str], tuple[int, int | None]] | None = None


def plan_readings(batch: ReadingBatch) -> ReadingPlan:
    """Stage the readings in the open transaction and return what would happen."""
    with connection.cursor() as cursor:
        _stage(cursor, batch)
        cursor.execute(staged_sql.SURVEY)
        *span, new_instances, has_twins = cursor.fetchone()
        plan = ReadingPlan(new_instances=new_instances)
        plan.problems = _problems(cursor, batch, has_twins=has_twins)
        compare_readings(cursor, batch, plan, span)
    return plan


def store_readings(batch: ReadingBatch, *, by: User, lineage: Import | None) -> None:
    """Write what was planned last in this transaction."""
    require(batch.way.may, by)
    with connection.cursor() as cursor:
        cursor.execute(staged_sql.DEFAULTS_WANTED)
        make_default_instances([row[0] for row in cursor.fetchall()], actor=by)
        _store(cursor, batch, by=by, lineage=lineage)


@transaction.atomic
def write_readings(batch: ReadingBatch, *, by: User, lineage: Import | None = None) -> ReadingPlan:
    """Write the readings that are new and correct those known otherwise.

    Raises Refused where one names nothing that is known or stands there twice; then nothing
    was written.
    """
    require(batch.way.may, by)
    take_turn(KIND)
    plan = plan_readings(batch)
    if plan.problems:
        raise Refused(plan.problems)
    if not plan.is_empty:
        store_readings(batch, by=by, lineage=lineage)
    return plan


def _stage(cursor: CursorWrapper, batch: ReadingBatch) -> None:
    """Copy the readings into `staged_reading`, and where they belong into `staged_place`."""
    cursor.execute(staged_sql.TABLES)
    places: dict[tuple[str, str], int] = {}
    cursor.copy_expert("COPY staged_reading FROM STDIN", _Lines(_lines(batch.drafts, places)))
    named: list[dict[str, Any]] = [
        {"place": place, "account": account, "instance": instance}
        for (account, instance), place in places.items()
    ]
    if batch.places is not None:
        for each, names in zip(named, places, strict=True):
            each["account_id"], each["instance_id"] = batch.places[names]
        cursor.execute(staged_sql.KNOWN_PLACES, {"named": json.dumps(named)})
        return
    sources = {"source": batch.source, "account_source": batch.account_source or batch.source}
    cursor.execute(staged_sql.PLACES, {**sources, "named": json.dumps(named)})


def _lines(drafts: Iterable[ReadingDraft], places: dict[tuple[str, str], int]) -> Iterator[str]:
    for row, account, instance, observed_at, seats, monthly_active in drafts:
        place = places.setdefault((account, instance), len(places))
        active = r"\N" if monthly_active is None else monthly_active
        yield f"{row}\t{place}\t{observed_at.isoformat()}\t{seats}\t{active}\n"


class _Lines:
    """Lines as a file that COPY reads piece by piece."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines

    def read(self, size: int = -1) -> str:
        taken: list[str] = []
        length = 0
        for line in self._lines:
            taken.append(line)
            length += len(line)
            if length >= size - 200 >= 0:
                break
        return "".join(taken)


def _problems(cursor: CursorWrapper, batch: ReadingBatch, *, has_twins: bool) -> list[Problem]:
    found: list[Problem] = []
    if batch.places is None:
        cursor.execute(staged_sql.ASTRAY)
        found += [astray_problem(batch, *row) for row in cursor.fetchall()]
    twins: dict[int, list[tuple[int, dt.datetime]]] = defaultdict(list)
    if has_twins:
        cursor.execute(staged_sql.TWINS)
        for group, line, observed_at in cursor.fetchall():
            twins[group].append((line, observed_at))
    for group in twins.values():
        lines = ", ".join(str(line) for line, _ in group[:SHOWN])
        found += [
            Problem(
                line,
                "observed_at",
                observed_at.isoformat(),
                f"{batch.way.words.rows} {lines} are readings of one instance at one time. "
                "Keep one of them.",
                "duplicate",
            )
            for line, observed_at in group
        ]
    return sorted(found, key=lambda problem: problem.row)


def astray_problem(
    batch: ReadingBatch, row: int, account: str, instance: str, what: str
) -> Problem:
    """Say what is wrong with the names of a reading."""
    match what:
        case "account":
            detail = (
                f"No account has the id “{echo(account)}” in the source "
                f"“{batch.account_source or batch.source}”. Import the accounts first, or name "
                "their source."
            )
            return Problem(row, "account_external_id", echo(account), detail, "unknown_account")
        case "several":
            detail = (
                f"Several instances are called “{echo(instance)}” there. "
                "Name the source of the right one."
            )
        case "other":
            detail = f"The instance “{echo(instance)}” belongs to another account."
        case _:
            detail = f"No instance has the id “{echo(instance)}” there. Import the instances first."
    return Problem(row, "instance_external_id", echo(instance), detail, "unknown_instance")


def compare_readings(
    cursor: CursorWrapper, batch: ReadingBatch, plan: ReadingPlan, span: list[dt.datetime | None]
) -> None:
    first, last = span
    cursor.execute(
        staged_sql.COMPARE,
        {
            "source": batch.source,
            "first": first,
            "last": last,
            "has_monthly_active": batch.has_monthly_active,
        },
    )
    count_readings(cursor, batch, plan)


def count_readings(cursor: CursorWrapper, batch: ReadingBatch, plan: ReadingPlan) -> None:
    cursor.execute(staged_sql.COUNT)
    plan.creates, plan.updates, plan.unchanged = cursor.fetchone()
    if not plan.updates or batch.places is not None:
        return
    cursor.execute(staged_sql.CORRECTIONS, [SHOWN])
    plan.corrections = [
        Correction(
            row,
            f"{account} {observed_at:%Y-%m-%d %H:%M} UTC",
            (old_seats, old_active),
            (seats, active),
        )
        for row, account, observed_at, old_seats, old_active, seats, active in cursor.fetchall()
    ]


def _store(cursor: CursorWrapper, batch: ReadingBatch, *, by: User, lineage: Import | None) -> None:
    cursor.execute(staged_sql.MAKE_MONTHS)
    values: dict[str, Any] = {
        "source": batch.source,
        "known_from": cursor.fetchone()[0],
        "import": lineage and lineage.pk,
    }
    cursor.execute(staged_sql.CLOSE, values)
    cursor.execute(staged_sql.INSERT, values)
    cursor.execute(staged_sql.BY_ACCOUNT)
    told = cursor.fetchall()
    events.record_many(
        [
            imported_event(
                Account(id=pk, uuid=uuid, name=name), *counted, batch=batch, lineage=lineage
            )
            for pk, uuid, name, *counted in told
        ],
        by=by,
    )
    facts_changed([row[0] for row in told])


def imported_event(
    account: Account,
    count: int,
    corrected: int,
    observed_at: dt.datetime,
    *,
    batch: ReadingBatch,
    lineage: Import | None,
) -> events.Draft:
    return events.Draft(
        verb="readings.imported",
        obj=account,
        after={
            "readings": count,
            "corrected": corrected,
            "latest_observed_at": observed_at,
            "source": batch.source,
        },
        account_id=account.pk,
        reason=f"Imported from {lineage.filename}" if lineage else "",
    )
