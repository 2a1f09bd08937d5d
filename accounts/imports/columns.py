"""The columns of each kind of file, and what an empty cell in them means. No Django here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from accounts.imports import cells

# What the download of bad rows adds to a file; left alone when the mended file comes back.
ADDED = ("keel_row", "keel_problem")


class Empty(Enum):
    """What an empty cell means in a column that the file carries."""

    MISSING = "an error: the fact cannot be without it"
    CLEARS = "the fact has none (any more)"
    KEEPS = "nothing: what is stored stays, and a new fact gets the default"


@dataclass(frozen=True, slots=True)
class Column:
    parse: cells.Parser
    empty: Empty
    # What an emptied column holds.
    cleared: object = None


@dataclass(frozen=True, slots=True)
class Kind:
    """`needed`: the columns that a file must carry, whatever its rows do."""

    columns: Mapping[str, Column]
    needed: tuple[str, ...] = field(default=("external_id",))


def _must(parse: cells.Parser) -> Column:
    return Column(parse, Empty.MISSING)


def _may(parse: cells.Parser, cleared: object = None) -> Column:
    return Column(parse, Empty.CLEARS, cleared)


def _keeps(parse: cells.Parser) -> Column:
    return Column(parse, Empty.KEEPS)


KINDS: Mapping[str, Kind] = {
    "accounts": Kind(
        {
            "external_id": _must(cells.external_id),
            "name": _must(cells.text(200)),
            "status": _keeps(cells.word("prospect", "customer", "churned")),
            "churned_on": _may(cells.day),
            "internal": _keeps(cells.boolean),
            "archived": _keeps(cells.boolean),
            "region": _may(cells.text(60), ""),
            "segment": _may(cells.text(60), ""),
            "currency": _keeps(cells.currency),
            "parent_external_id": _may(cells.external_id),
            "strategic": _keeps(cells.boolean),
        }
    ),
    "subscriptions": Kind(
        {
            "external_id": _must(cells.external_id),
            "account_external_id": _must(cells.external_id),
            "product": _may(cells.text(120), ""),
            "kind": _keeps(cells.word("paid", "trial", "poc")),
            "seats": _may(cells.seats),
            "unlimited": _keeps(cells.boolean),
            "arr": _may(cells.money),
            "tcv": _may(cells.money),
            "currency": _keeps(cells.currency),
            "start": _must(cells.day),
            "end": _may(cells.end),
        }
    ),
    "instances": Kind(
        {
            "external_id": _must(cells.external_id),
            "account_external_id": _must(cells.external_id),
            "name": _keeps(cells.text(200)),
            "environment": _keeps(cells.text(60)),
            "counted": _keeps(cells.boolean),
        }
    ),
    "seat-readings": Kind(
        {
            "account_external_id": _may(cells.external_id),
            "instance_external_id": _may(cells.external_id),
            "observed_at": _must(cells.observed_at),
            "seats": _must(cells.seats),
            "monthly_active": _may(cells.seats),
        },
        needed=("observed_at", "seats"),
    ),
    "contacts": Kind(
        {
            "external_id": _must(cells.external_id),
            "account_external_id": _must(cells.external_id),
            "name": _must(cells.text(200)),
            "email": _may(cells.email, ""),
            "title": _may(cells.text(120), ""),
            "roles": _may(cells.words, []),
        }
    ),
    "assignments": Kind(
        {
            "account_external_id": _must(cells.external_id),
            "user_email": _must(cells.email),
            "role": _must(cells.word("TAM", "CSM", "AE", "SA", "IE", "DE", "CRE")),
            "primary": _keeps(cells.boolean),
            "start": _must(cells.day),
            "end": _may(cells.end),
        },
        needed=("account_external_id", "user_email", "role", "start"),
    ),
    "exchange-rates": Kind(
        {
            "currency": _must(cells.currency),
            "on": _must(cells.day),
            "rate": _must(cells.rate),
        },
        needed=("currency", "on", "rate"),
    ),
}
