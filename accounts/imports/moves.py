"""Which steps an import can take from where: one table, and the lock that each step takes."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import OperationalError
from django.db.models import F

from accounts.models import Import
from config.lib.errors import Conflict, DomainError, Missing
from events import services as events
from people.models import User

Status = Import.Status
# What is done to it, as its past participle: from which states, into which.
STEPS: Mapping[str, tuple[frozenset[Status], frozenset[Status]]] = {
    "checked": (
        frozenset({Status.UPLOADED, Status.CHECKED, Status.WAITING, Status.FAILED}),
        frozenset({Status.CHECKING}),
    ),
    "found good or bad": (
        frozenset({Status.CHECKING, Status.APPLYING}),
        frozenset({Status.CHECKED, Status.FAILED}),
    ),
    "applied": (
        frozenset({Status.CHECKED}),
        frozenset({Status.APPLYING, Status.WAITING}),
    ),
    "approved": (frozenset({Status.WAITING}), frozenset({Status.APPLYING})),
    "written": (frozenset({Status.APPLYING}), frozenset({Status.APPLIED})),
    "undone": (frozenset({Status.APPLIED}), frozenset({Status.UNDOING})),
    "put back": (frozenset({Status.UNDOING}), frozenset({Status.UNDONE, Status.APPLIED})),
    "discarded": (
        frozenset({Status.UPLOADED, Status.CHECKED, Status.WAITING, Status.FAILED}),
        frozenset({Status.DISCARDED}),
    ),
}
IS = {
    Status.UPLOADED: "still needs a mapping",
    Status.CHECKING: "is being checked",
    Status.CHECKED: "is checked, but not applied",
    Status.WAITING: "waits for a second person",
    Status.APPLYING: "is being applied",
    Status.APPLIED: "is applied",
    Status.UNDOING: "is being undone",
    Status.UNDONE: "is undone",
    Status.FAILED: "failed",
    Status.DISCARDED: "is discarded",
}
# A worker is, or should be, busy with these.
AT_WORK = frozenset({Status.CHECKING, Status.APPLYING, Status.UNDOING})
ENDED = frozenset({Status.APPLIED, Status.UNDONE, Status.FAILED, Status.DISCARDED})


class NotNow(DomainError):
    """The import is not where this step begins."""

    code = "not_now"


class Busy(Conflict):
    """Somebody else is at it in this very moment."""

    code = "busy"


def locked(import_: Import) -> Import:
    """Return the import as stored, kept from everybody else until commit. Raises Busy."""
    rows = Import.objects.select_for_update(nowait=True, no_key=True, of=("self",))
    try:
        return rows.select_related("by", "applied_by", "approved_by", "undone_by").get(
            pk=import_.pk
        )
    except Import.DoesNotExist:
        raise Missing("No such import.") from None
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", "") != LOCK_NOT_AVAILABLE:
            raise
        raise Busy(
            f"Somebody else is at work on {import_.number} right now. Look at it again."
        ) from None


LOCK_NOT_AVAILABLE = "55P03"


def require_step(import_: Import, step: str) -> None:
    """Raise NotNow unless the step begins where the import is."""
    if import_.status not in STEPS[step][0]:
        raise NotNow(
            f"{import_.number} {IS[Status(import_.status)]}, so it cannot be {step} now.",
            details={"state": import_.status},
        )


def move(import_: Import, step: str, to: Status, *, at: dt.datetime, **values: Any) -> None:
    """Take the step and write it, with further values of the row."""
    require_step(import_, step)
    if to not in STEPS[step][1]:
        raise ValueError(f"Being {step} does not end in {to}.")
    write(import_, status=to, moved_at=at, **values)


def write(import_: Import, **values: Any) -> None:
    """Write these columns of the locked import, as a new version."""
    for name, value in values.items():
        setattr(import_, name, value)
    Import.objects.filter(pk=import_.pk).update(version=F("version") + 1, **values)
    import_.version += 1


def tell(verb: str, import_: Import, *, by: User, **after: Any) -> None:
    """Log what was done to the import."""
    events.record(f"import.{verb}", import_, by=by, after=after or None)
