"""Many rows of one table written in one statement, and the locks that keep writers apart."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from django.db import connection, models

T = TypeVar("T")
ROWS_A_STATEMENT = 2_000
PATIENCE = "15min"
LOCKS = {
    kind: 4_153_020 + place
    for place, kind in enumerate(
        (
            "accounts", "subscriptions", "instances", "seat-readings", "contacts", "assignments",
            "exchange-rates",
        )
    )
}  # fmt: skip


def take_turn(kind: str, *, patient: bool = False) -> None:
    """Wait until nobody else writes facts of this kind, and keep others waiting until commit.

    Gives up as the connection's lock_timeout says, or later where `patient`.
    """
    with connection.cursor() as cursor:
        if patient:
            cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCKS[kind]])


def new_ids(model: type[models.Model], count: int) -> list[int]:
    """Return keys for rows that are about to be inserted."""
    if not count:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [_table(model), count],
        )
        return [row[0] for row in cursor.fetchall()]


def insert_rows(model: type[models.Model], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, one at least, that all name the same columns."""
    table = connection.ops.quote_name(_table(model))
    names = ", ".join(connection.ops.quote_name(name) for name in rows[0])
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {names}"  # noqa: S608 -- names are ours
            f" FROM json_populate_recordset(NULL::{table}, %s)",
            [json.dumps(rows, default=str)],
        )


def update_rows(model: type[models.Model], rows: Sequence[Mapping[str, Any]]) -> None:
    """Update rows, one at least, by their `id`; all name the same columns. Counts up versions."""
    table = connection.ops.quote_name(_table(model))
    columns = [connection.ops.quote_name(name) for name in rows[0] if name != "id"]
    settings = "".join(f"{name} = d.{name}, " for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} t SET {settings}"  # noqa: S608 -- names are ours
            " version = t.version + 1, updated_at = statement_timestamp()"
            f" FROM json_populate_recordset(NULL::{table}, %s) d WHERE t.id = d.id",
            [json.dumps(rows, default=str)],
        )


def ids_by(
    model: type[models.Model], column: str, values: Collection[str], **filters: Any
) -> dict[str, int]:
    """Return the keys of the rows that have one of these values in a column."""
    if not values:
        return {}
    rows = model._default_manager.filter(**{f"{column}__in": list(values)}, **filters)  # noqa: SLF001
    return dict(rows.values_list(column, "pk"))


def batches(things: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield as many at a time as one statement takes."""
    for start in range(0, len(things), ROWS_A_STATEMENT):
        yield things[start : start + ROWS_A_STATEMENT]


def _table(model: type[models.Model]) -> str:
    return model._meta.db_table  # noqa: SLF001 -- Django's documented _meta API
