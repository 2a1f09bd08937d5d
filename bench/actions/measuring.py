"""What one piece of work costs: time, statements, bytes of WAL. Runs in a worker."""

import gc
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, transaction
from django.db.backends.signals import connection_created
from psycopg2 import extensions

from bench.figures import Sample

# What keeps a transaction and asks for nothing; CONN_HEALTH_CHECKS asks SELECT 1.
NOT_COUNTED = ("SAVEPOINT", "RELEASE", "ROLLBACK", "SELECT 1", "SET CONSTRAINTS")


class CountingCursor(extensions.cursor):
    """Counts every statement that is sent, those of one string each."""

    statements = 0
    trips = 0
    copied: ClassVar[set[str]] = set()
    # Where somebody wants to see them: what is sent, with its values.
    sent: ClassVar[list[bytes] | None] = None

    def execute(self, query: Any, vars: Any = None) -> Any:  # noqa: A002
        _count(query)
        if CountingCursor.sent is not None:
            CountingCursor.sent.append(self.mogrify(query, vars))
        return super().execute(query, vars)

    def executemany(self, query: Any, vars_list: Any) -> Any:
        _count(query)
        return super().executemany(query, vars_list)

    def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> Any:
        # A file goes in blocks; they are one COPY.
        if sql not in CountingCursor.copied:
            _count(sql)
        CountingCursor.copied.add(sql)
        return super().copy_expert(sql, file, size)


def _count(query: Any) -> None:
    # Some come composed; those are Django's own, of one statement.
    text = query if isinstance(query, str) else str(query)
    if text.lstrip().upper().startswith(NOT_COUNTED):
        return
    CountingCursor.statements += sum(1 for part in text.split(";") if part.strip())
    CountingCursor.trips += 1


def _counting(connection: Any, **_: Any) -> None:
    connection.connection.cursor_factory = CountingCursor


connection_created.connect(_counting, dispatch_uid="bench")
if connection.connection is not None:
    _counting(connection)


def measured(action: Callable[[], Any], *, with_wal: bool = False) -> Sample:
    """Do it once and return what it cost; what it returns is in `more["result"]`."""
    before_wal = _wal() if with_wal else 0
    gc.collect()
    CountingCursor.copied.clear()
    statements, trips = CountingCursor.statements, CountingCursor.trips
    started = time.perf_counter()
    result = action()
    seconds = time.perf_counter() - started
    sample = Sample(seconds, CountingCursor.statements - statements, CountingCursor.trips - trips)
    if with_wal:
        sample.wal = _wal() - before_wal
    sample.more["result"] = result
    return sample


@contextmanager
def undone() -> Iterator[None]:
    """Take back all that is written inside, so that each round finds the same company."""
    with _kept_open(), transaction.atomic():
        execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield
        transaction.set_rollback(True)


@contextmanager
def _kept_open() -> Iterator[None]:
    """Let requests find the transaction: they would close the connection that has one open."""
    ends = (request_started, request_finished)
    for end in ends:
        end.disconnect(close_old_connections)
    try:
        yield
    finally:
        for end in ends:
            end.connect(close_old_connections)


def check_constraints() -> None:
    """Do the checks that a commit would do."""
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute("SET CONSTRAINTS ALL DEFERRED")


def execute(statement: str, values: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def vacuum(*tables: str) -> None:
    """Clear away what undone rounds have left."""
    execute(f"VACUUM {', '.join(tables)}")


def most_memory() -> int:
    """Return the most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _wal() -> int:
    ((position,),) = execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
    return int(position)
