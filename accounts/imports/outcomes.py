"""What becomes of each row, kept for the pages that show it."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.models import Import, ImportRow
from accounts.services.changes import Change
from config.lib.copying import Copier
from config.lib.values import money_text

COLUMNS = ("file_id", "row", "outcome", "label", "account_id", "changes", "problems", "cells")
LONGEST_LABEL = 200


class Outcomes:
    """Copies the outcomes of rows to those of one import; what was found before goes."""

    def __init__(self, file: Import) -> None:
        self.file = file
        self._copier = Copier(ImportRow._meta.db_table, COLUMNS)  # noqa: SLF001
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM accounts_importrow WHERE file_id = %s", [file.pk])

    def add(self, change: Change) -> None:
        outcome = ImportRow.Outcome.CREATE if change.before is None else ImportRow.Outcome.UPDATE
        # An account that is yet to be made has a number below 0.
        account = change.account_id if (change.account_id or 0) > 0 else None
        self._copier.add(
            self.file.pk,
            change.row,
            outcome.value,
            change.label[:LONGEST_LABEL],
            account,
            differences(change),
            [],
            None,
        )

    def flush(self) -> None:
        self._copier.flush()


def differences(change: Change) -> list[Sequence[str | None]]:
    """Return (column, old, new) of what differs; of a new fact there is no old."""
    before = change.before
    return [
        (name, None if before is None else as_text(before[name]), as_text(change.values[name]))
        for name in change.names
    ]


def as_text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return money_text(value)
        case dt.date():
            return value.isoformat()
        case list():
            return "; ".join(value)
    return str(value)
