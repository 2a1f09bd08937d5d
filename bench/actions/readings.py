"""One new reading of each instance: by COPY, and as a file that is imported. Runs in a worker."""

import datetime as dt
import tempfile
from pathlib import Path

from django.db import connection

from accounts.imports.running import Order, apply_import
from bench.actions.calls import OWNER
from bench.actions.history import morning_after
from bench.actions.measuring import (
    Sample,
    check_constraints,
    execute,
    measured,
    most_memory,
    undone,
    vacuum,
)
from bench.databases import Company
from people.models import User

COLUMNS = "instance_id, observed_at, source, known_from, seats"
# The same readings for both: of every so manieth instance, some of the day after the last.
READINGS = """
    SELECT {columns} FROM accounts_instance i, generate_series(1, {times}) n
    WHERE mod(i.id, {each}) = 0 ORDER BY n, i.id
"""
FOR_COPY = (
    "i.id, '{day} 00:00+00'::timestamptz + n * interval '1 minute', 'bench', '{day} 05:00+00', "
    "100 + mod(i.id, 50)"
)
FOR_IMPORT = (
    "i.external_id AS instance_external_id, 100 + mod(i.id, 50) AS seats, "
    "'{day}T00:' || lpad(n::text, 2, '0') || ':00Z' AS observed_at"
)


def by_copy(company: Company, each: int, times: int) -> Sample:
    day = _day_after(company)
    with tempfile.TemporaryDirectory() as folder, undone():
        execute("SELECT keel_make_reading_month(%s)", [day])
        rows, file = _written(Path(folder), FOR_COPY, day, (each, times), "FORMAT text")
        with file.open("rb") as opened, connection.cursor() as cursor:
            sql = f"COPY accounts_seatreading ({COLUMNS}) FROM STDIN"
            sample = measured(lambda: cursor.copy_expert(sql, opened, 1 << 16), with_wal=True)
    vacuum("accounts_seatreading")
    sample.more = {"rows": rows}
    return sample


def by_import(company: Company, each: int, times: int) -> Sample:
    """Import the file as the command does, up to the last check of a commit."""
    day = _day_after(company)
    owner = User.objects.get(pk=OWNER)
    now = morning_after(day)
    with tempfile.TemporaryDirectory() as folder, undone():
        rows, file = _written(Path(folder), FOR_IMPORT, day, (each, times), "FORMAT csv, HEADER")
        with file.open("rb") as opened:
            order = Order(
                kind="seat-readings", file=opened, filename="readings.csv", source="bench"
            )

            def whole() -> int:
                report = apply_import(order, by=owner, now=now)
                check_constraints()
                return report.creates

            before = most_memory()
            sample = measured(whole, with_wal=True)
    assert sample.more["result"] == rows, f"{sample.more['result']} of {rows} readings are new."
    vacuum("accounts_seatreading", "accounts_account_facts", "events_event")
    sample.more = {"rows": rows, "memory": most_memory() - before}
    return sample


def _written(
    folder: Path, columns: str, day: dt.date, which: tuple[int, int], options: str
) -> tuple[int, Path]:
    file = folder / "readings"
    each, times = which
    query = READINGS.format(columns=columns.format(day=day), each=each, times=times)
    with file.open("wb") as opened, connection.cursor() as cursor:
        cursor.copy_expert(f"COPY ({query}) TO STDOUT WITH ({options})", opened)
        return cursor.rowcount, file


def _day_after(company: Company) -> dt.date:
    return dt.date.fromisoformat(company.until) + dt.timedelta(days=1)
