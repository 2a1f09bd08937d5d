"""Writes the expected lift of projects, which the metrics app works out."""

import datetime as dt
import json
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

# Numbers worked out from others, so neither a version nor an event; who waits for a row waits in
# the order of the keys, as everybody does who writes several.
WRITE = """
    WITH told AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(%(told)s) AS told (
            id bigint, lift numeric, lift_low numeric, lift_high numeric, lift_seats integer,
            lift_parts jsonb
        )
    ), differing AS MATERIALIZED (
        SELECT told.* FROM told JOIN projects_project stored USING (id)
        WHERE (stored.lift, stored.lift_low, stored.lift_high, stored.lift_seats, stored.lift_parts)
            IS DISTINCT FROM
            (told.lift, told.lift_low, told.lift_high, told.lift_seats, told.lift_parts)
        ORDER BY id FOR NO KEY UPDATE OF stored
    )
    UPDATE projects_project stored
    SET lift = told.lift, lift_low = told.lift_low, lift_high = told.lift_high,
        lift_seats = told.lift_seats, lift_parts = told.lift_parts, lifted_at = %(at)s
    FROM differing told WHERE stored.id = told.id
"""


@dataclass(frozen=True, slots=True)
class Lift:
    """What is written of one project; nulls where nothing can be said."""

    project_id: int
    lift: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    seats: int | None = None
    parts: tuple[dict[str, Any], ...] = ()


def record_lifts(lifts: Collection[Lift], *, at: dt.datetime) -> int:
    """Write those that differ from what is stored, in one statement; return how many.

    Needs no actor: it adds nothing that the rows do not say.
    """
    if not lifts:
        return 0
    told = [
        {
            "id": each.project_id,
            "lift": _text(each.lift),
            "lift_low": _text(each.low),
            "lift_high": _text(each.high),
            "lift_seats": each.seats,
            "lift_parts": each.parts,
        }
        for each in lifts
    ]
    with connection.cursor() as cursor:
        cursor.execute(WRITE, {"told": json.dumps(told), "at": at})
        written: int = cursor.rowcount
        return written


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
