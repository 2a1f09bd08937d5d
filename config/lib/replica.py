"""Reads that may be answered by a replica of the database, decided in this one place.

    accounts = replica.reading(Account.objects.filter(...))

Lists of the API, files and reports ask so; everything else reads where it writes. A request that
has written, or is inside a transaction, reads its own writes: never from the replica. Nor does
anybody while the replica lags, is away, or none is named (REPLICA_URL), which costs nothing.
"""

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.core.signals import request_started
from django.db import (
    DEFAULT_DB_ALIAS,
    Error,
    InterfaceError,
    OperationalError,
    connection,
    connections,
)
from django.db.models import Model, QuerySet

ALIAS = "replica"
# So long an answer of the replica about itself holds.
CHECK_SECONDS = 2.0
AWAY_SECONDS = 30.0
LAG = """
SELECT pg_is_in_recovery(), coalesce(pg_last_wal_replay_lsn() >= %s::pg_lsn, true),
    extract(epoch FROM now() - pg_last_xact_replay_timestamp())
"""

QUERY_CANCELED = "57014"

M = TypeVar("M", bound=Model)
T = TypeVar("T")
_has_written: ContextVar[bool] = ContextVar("has_written", default=False)
# Until when it is good, or bad, for this process.
_known: dict[bool, float] = {True: 0.0, False: 0.0}

log = structlog.get_logger(__name__)


class Router:
    """Notes who writes; reads go to the replica only where somebody said so."""

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        """Return the primary: Django would write what was read from the replica back to it."""
        del model, hints
        _has_written.set(True)
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool:
        del one, other, hints
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        del app_label, hints
        return False if db == ALIAS else None


def reading(queryset: "QuerySet[M, Any]") -> "QuerySet[M, Any]":
    """Return the rows from the replica where that may be, else as they were asked for."""
    return queryset.using(ALIAS) if may_read() else queryset


def answered(rows: "QuerySet[M, Any]", work: "Callable[[QuerySet[M, Any]], T]") -> T:
    """Return what is made of the rows, read as `reading` says.

    Where the replica goes away over it, or makes the statement give way to what it catches up
    with, the primary answers; the replica is left alone for a while.
    """
    chosen = reading(rows)
    if chosen is rows:
        return work(rows)
    try:
        return work(chosen)
    except (OperationalError, InterfaceError) as error:
        if getattr(error.__cause__, "pgcode", None) == QUERY_CANCELED:
            # It took too long: it would there too.
            raise
        log.warning("replica.lost", error=type(error).__name__)
        _known.update({True: 0.0, False: time.monotonic() + AWAY_SECONDS})
    return work(rows)


def may_read() -> bool:
    if ALIAS not in connections.settings or _has_written.get() or _is_in_transaction():
        return False
    now = time.monotonic()
    for answer in (True, False):
        if now < _known[answer]:
            return answer
    good = _is_fresh()
    _known[good] = now + (CHECK_SECONDS if good else AWAY_SECONDS)
    return good


def _is_in_transaction() -> bool:
    return bool(connection.in_atomic_block)


def forget() -> None:
    """Ask the replica anew about itself."""
    _known.update({True: 0.0, False: 0.0})


def _is_fresh() -> bool:
    """Whether it has all that the primary had a moment ago, or lags no more than it may.

    Time alone tells nothing: where nobody writes, the last transaction is old.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_wal_flush_lsn()")
            (written,) = cursor.fetchone()
        with connections[ALIAS].cursor() as cursor:
            cursor.execute(LAG, [written])
            is_replica, has_all, lag = cursor.fetchone()
    except Error as error:
        log.warning("replica.away", error=type(error).__name__)
        return False
    if not is_replica or has_all or (lag is not None and lag <= settings.REPLICA_LAG_SECONDS):
        return True
    log.warning("replica.behind", seconds=float(lag or 0))
    return False


def _begun(**_: Any) -> None:
    _has_written.set(False)


request_started.connect(_begun, dispatch_uid="replica")
