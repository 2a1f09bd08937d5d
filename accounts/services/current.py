"""Writes the narrow row of current facts, which the metrics app works out."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from django.db import connection

from accounts.models import AccountFacts

FIELDS = [
    field
    for field in AccountFacts._meta.concrete_fields  # noqa: SLF001
    if not field.primary_key
]
COLUMNS = [field.attname for field in FIELDS]
LISTED = ", ".join(COLUMNS)
# In the order of the accounts, so that two who write the same ones wait and do not lock.
WRITE = f"""
    WITH told AS MATERIALIZED ({{statement}}), written AS (
        INSERT INTO accounts_account_facts AS stored (account_id, {LISTED})
        SELECT account_id, {LISTED} FROM told WHERE NOT undecided ORDER BY account_id
        ON CONFLICT (account_id) DO UPDATE
        SET {", ".join(f"{name} = EXCLUDED.{name}" for name in COLUMNS)}
        WHERE ({", ".join(f"stored.{name}" for name in COLUMNS)})
            IS DISTINCT FROM ({", ".join(f"EXCLUDED.{name}" for name in COLUMNS)})
        RETURNING account_id
    )
    SELECT (SELECT count(*) FROM written),
           ARRAY(SELECT account_id FROM told WHERE undecided ORDER BY account_id)
"""
BATCH = 2000


def record_current_facts_of(
    statement: str, parameters: dict[str, Any], *, plan: str = ""
) -> tuple[int, list[int]]:
    """Write the rows a statement gives that are new or differ from what is stored.

    Returns how many, and the accounts it left `undecided`. `plan` goes before it.
    """
    with connection.cursor() as cursor:
        cursor.execute(plan + WRITE.format(statement=statement), parameters)
        written, undecided = cursor.fetchone()
        return written, undecided


def record_current_facts(facts: Iterable[AccountFacts]) -> int:
    """Write the rows that are new or differ from what is stored; return how many."""
    written = 0
    stream = iter(facts)
    while batch := list(islice(stream, BATCH)):
        stored = AccountFacts.objects.in_bulk([row.account_id for row in batch])
        changed = [row for row in batch if _differs(row, stored.get(row.account_id))]
        AccountFacts.objects.bulk_create(
            changed,
            update_conflicts=True,
            unique_fields=["account"],
            update_fields=[field.name for field in FIELDS],
        )
        written += len(changed)
    return written


def _differs(row: AccountFacts, stored: AccountFacts | None) -> bool:
    return stored is None or any(
        getattr(row, name) != getattr(stored, name) for name in ("account_id", *COLUMNS)
    )
