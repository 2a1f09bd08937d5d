"""Putting back what an import changed, except for what was changed since."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import transaction

from accounts import permissions
from accounts.imports.checking import READINGS
from accounts.imports.effects import refresh_touched
from accounts.imports.running import silent
from accounts.imports.staging import TABLES, execute
from accounts.imports.undoing_facts import UndoneFacts
from accounts.imports.undoing_readings import UndoneReadings
from accounts.models import Import
from accounts.services.storing import take_turn
from config.lib.authz import require
from people.models import User

MOST_TOLD = 1_000


@dataclass(slots=True)
class Undone:
    """How many facts were put back, and (label, reason) of those that were not.

    Only the first of these are told; `more` is how many are not among them.
    """

    count: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    more: int = 0


def undo(import_: Import, *, by: User, now: dt.datetime) -> Undone:
    """Put back every fact as it was before the import. Does not touch the import's own row.

    What the import made goes, or is withdrawn; what was changed since, or others hang on by
    now, stays and is told.
    """
    del now
    require(permissions.can_import, by)
    with transaction.atomic():
        take_turn(import_.kind, patient=True)
        execute(TABLES)
        reason = f"Undo of {import_.number}: {import_.filename}"
        work = (UndoneReadings if import_.kind == READINGS else UndoneFacts)(import_, reason)
        count = work.put_back(by=by)
        refresh_touched(silent)
        return _told(count, work.skipped())


def _told(count: int, skipped: Iterator[tuple[str, str]]) -> Undone:
    undone = Undone(count)
    for each in skipped:
        if len(undone.skipped) < MOST_TOLD:
            undone.skipped.append(each)
        else:
            undone.more += 1
    return undone
