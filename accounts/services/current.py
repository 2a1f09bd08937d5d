"""Writes the narrow row of current facts, which the metrics app works out."""

from collections.abc import Iterable
from itertools import islice

from accounts.models import AccountFacts

COLUMNS = [
    field.name
    for field in AccountFacts._meta.concrete_fields  # noqa: SLF001
    if not field.primary_key
]
BATCH = 2000


def record_current_facts(facts: Iterable[AccountFacts]) -> int:
    """Write the rows that are new or differ from what is stored; return how many."""
    written = 0
    stream = iter(facts)
    while batch := list(islice(stream, BATCH)):
        stored = AccountFacts.objects.in_bulk([row.account_id for row in batch])
        changed = [row for row in batch if _differs(row, stored.get(row.account_id))]
        AccountFacts.objects.bulk_create(
            changed, update_conflicts=True, unique_fields=["account"], update_fields=COLUMNS
        )
        written += len(changed)
    return written


def _differs(row: AccountFacts, stored: AccountFacts | None) -> bool:
    return stored is None or any(
        getattr(row, name) != getattr(stored, name)
        for name in (field.attname for field in AccountFacts._meta.concrete_fields)  # noqa: SLF001
    )
