"""The work itself: check, write, put back; by whoever holds the import, or by a worker.

A worker counts its attempt before it starts, works in one transaction and moves the import in
it, so that a worker that is killed leaves the import as it was, for the next one to take up.
"""

import contextlib
import datetime as dt
from collections.abc import Iterator
from typing import BinaryIO
from zoneinfo import ZoneInfo

import structlog
from django.db import Error, connection, transaction

from accounts import selectors
from accounts.imports import files, moves, undoing
from accounts.imports.checking import checker_for, reading_of
from accounts.imports.mappings import Mapping, read_mapping
from accounts.imports.moves import Status
from accounts.imports.progress import Teller
from accounts.imports.running import (
    Order,
    PlanChanged,
    Report,
    Tell,
    apply_import,
    preview_import,
    silent,
)
from accounts.models import Import
from accounts.services.storing import LOCKS
from accounts.tabular import UnusableFile, read_table
from events import outbox
from people.models import User

TASK = "accounts.run_import"
# Of the advisory locks that say which import a worker is busy with.
AT_WORK_LOCK = 4_153_040
MOST_ATTEMPTS = 3
# Reading a large file may keep the database waiting for longer than a page ever does.
IDLE_AT_MOST = "15min"
GIVEN_UP = {
    Status.CHECKING: "Checking it was given up after three attempts.",
    Status.APPLYING: "Applying it was given up after three attempts. Nothing was written.",
    Status.UNDOING: "Undoing it was given up after three attempts. Nothing was put back.",
}
CHANGED = "Data changed since the preview. Look at what it would do now, then apply it."

log = structlog.get_logger(__name__)


def mapping_of(import_: Import) -> Mapping:
    """Return how the file is read, as chosen."""
    raw = dict(import_.mapping)
    name = str(raw.pop("name", ""))
    return read_mapping(raw, import_.kind, name=name)


def verify(import_: Import, file: BinaryIO, *, at: dt.datetime) -> None:
    """Raise UnusableFile unless the file has the columns that its mapping names."""
    mapping = mapping_of(import_)
    zone = ZoneInfo(mapping.time_zone or selectors.company().time_zone)
    table = read_table(file, mapping.layout)
    checker_for(table, mapping, reading_of(mapping, now=at, zone=zone), import_.kind)


def check(import_: Import, *, at: dt.datetime, tell: Tell = silent) -> Report:
    """Check the locked import, which is CHECKING or APPLYING. Raises UnusableFile."""
    with files.opened(import_) as file:
        report = preview_import(
            _order(import_, file), by=import_.by, now=at, keep=import_, tell=tell
        )
    moves.move(
        import_,
        "found good or bad",
        Status.CHECKED,
        at=at,
        source=report.source,
        **_counts(report),
        effect=report.effect.as_json() if report.effect else None,
        mass=list(report.mass),
        checked_at=at,
        applied_by=None,
        approved_by=None,
    )
    counts = _counts(report)
    moves.tell("checked", import_, by=import_.by, excluded=len(import_.excluded), **counts)
    return report


def apply(import_: Import, *, at: dt.datetime, tell: Tell = silent) -> None:
    """Write the locked import, which is APPLYING. Raises PlanChanged and UnusableFile."""
    by = import_.applied_by
    assert by is not None  # noqa: S101 -- whoever asked for it
    with files.opened(import_) as file:
        report = apply_import(
            _order(import_, file),
            by=by,
            now=at,
            keep=import_,
            expected=import_.plan_hash,
            tell=tell,
        )
    if report.problems:
        raise PlanChanged
    counts = {name: getattr(report, name) for name in ("creates", "updates", "unchanged")}
    moves.move(import_, "written", Status.APPLIED, at=at, applied_at=at, failure="", **counts)
    moves.tell("applied", import_, by=by, **counts)


def apply_or_recheck(import_: Import, *, at: dt.datetime, tell: Tell = silent) -> bool:
    """Write it, or make a fresh plan where the old one does not hold. Return whether that."""
    try:
        with transaction.atomic():
            apply(import_, at=at, tell=tell)
    except PlanChanged:
        import_.refresh_from_db()
        check(import_, at=at, tell=tell)
        moves.write(import_, failure=CHANGED)
        return True
    return False


def put_back(import_: Import, *, at: dt.datetime) -> None:
    """Undo the locked import, which is UNDOING."""
    by = import_.undone_by
    assert by is not None  # noqa: S101 -- whoever asked for it
    undone = undoing.undo(import_, by=by, now=at)
    skipped = [list(each) for each in undone.skipped]
    told = {"count": undone.count, "skipped": skipped, "more": undone.more}
    moves.move(import_, "put back", Status.UNDONE, at=at, undone_at=at, undone=told, failure="")
    moves.tell("undone", import_, by=by, count=undone.count, skipped=len(undone.skipped))


def can_write_now(kind: str) -> bool:
    """Whether nobody else writes facts of this kind; if so, others wait until we commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCKS[kind]])
        return bool(cursor.fetchone()[0])


def hand_over(import_: Import) -> None:
    """Ring for a worker once this transaction commits; the sweeper rings again."""
    transaction.on_commit(lambda: outbox.ring(TASK, import_.pk))


def run(import_id: int, *, now: dt.datetime) -> bool:
    """Do what the import waits for, as a worker. Return whether there was anything to do."""
    with alone(import_id) as is_ours:
        try:
            return is_ours and _begun(import_id, now=now) and _done(import_id, now=now)
        except moves.Busy:
            # Somebody looks at it for a moment; the sweeper rings again.
            return False


def _done(import_id: int, *, now: dt.datetime) -> bool:
    with transaction.atomic():
        _be_patient()
        import_ = moves.locked(Import(pk=import_id))
        teller = Teller(import_)
        _work(import_, at=now, tell=teller)
    teller.end()
    log.info("import.done", import_id=import_id, status=import_.status)
    return True


def sweep() -> int:
    """Ring for every import that waits for a worker and has none. Return how many."""
    waiting = list(Import.objects.filter(status__in=moves.AT_WORK).values_list("pk", flat=True))
    if not waiting:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND classid = %s AND objsubid = 2"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [AT_WORK_LOCK],
        )
        busy = {row[0] for row in cursor.fetchall()}
    forgotten = [pk for pk in waiting if pk not in busy]
    for pk in forgotten:
        outbox.ring(TASK, pk)
    return len(forgotten)


def _work(import_: Import, *, at: dt.datetime, tell: Tell) -> None:
    match Status(import_.status):
        case Status.CHECKING:
            with _noted_if_unusable(import_, at=at):
                check(import_, at=at, tell=tell)
        case Status.APPLYING:
            with _noted_if_unusable(import_, at=at):
                apply_or_recheck(import_, at=at, tell=tell)
        case Status.UNDOING:
            put_back(import_, at=at)


@contextlib.contextmanager
def _noted_if_unusable(import_: Import, *, at: dt.datetime) -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except UnusableFile as error:
        import_.refresh_from_db()
        _fail(import_, error.message, by=import_.by, at=at)


def _fail(import_: Import, why: str, *, by: User, at: dt.datetime) -> None:
    moves.move(import_, "found good or bad", Status.FAILED, at=at, failure=why)
    moves.tell("failed", import_, by=by, failure=why)


@transaction.atomic
def _begun(import_id: int, *, now: dt.datetime) -> bool:
    """Count the attempt, or give up after too many. Return whether there is work to do."""
    import_ = moves.locked(Import(pk=import_id))
    if import_.status not in moves.AT_WORK:
        return False
    if import_.attempts < MOST_ATTEMPTS:
        moves.write(import_, attempts=import_.attempts + 1, started_at=now)
        return True
    why = GIVEN_UP[Status(import_.status)]
    if import_.status == Status.UNDOING:
        values = {"undone_by": None, "failure": why}
        moves.move(import_, "put back", Status.APPLIED, at=now, **values)
        moves.tell("failed", import_, by=import_.by, failure=why)
    else:
        _fail(import_, why, by=import_.by, at=now)
    return False


@contextlib.contextmanager
def alone(import_id: int) -> Iterator[bool]:
    """Hold the lock that says that we are at it; it ends with the connection at the latest."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [AT_WORK_LOCK, import_id])
        is_ours = bool(cursor.fetchone()[0])
    try:
        yield is_ours
    finally:
        if is_ours:
            _let_go(import_id)


def _let_go(import_id: int) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [AT_WORK_LOCK, import_id])
    except Error as error:
        # A connection that broke has let go by itself; one that is left over must not keep it.
        connection.close()
        log.warning("import.unlock", import_id=import_id, error=type(error).__name__)


def _be_patient() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_AT_MOST}'")


def _order(import_: Import, file: BinaryIO) -> Order:
    return Order(
        kind=import_.kind,
        file=file,
        filename=import_.filename,
        mapping=mapping_of(import_),
        source=import_.source,
        excluded=frozenset(import_.excluded),
    )


def _counts(report: Report) -> dict[str, object]:
    names = ("rows", "creates", "updates", "unchanged", "bad_rows", "plan_hash")
    return {name: getattr(report, name) for name in names}
