"""What is left of imports when nobody needs it any more: files, rows, abandoned uploads."""

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet

from accounts.imports import moves
from accounts.imports.moves import Status
from accounts.models import Import, ImportChunk, ImportRow
from people.models import system_user

# How long a file and what was found in it are kept after the end, or after the last step.
KEPT = dt.timedelta(days=7)
UNFINISHED = (Status.UPLOADED, Status.CHECKED, Status.WAITING)


def purge(*, now: dt.datetime) -> int:
    """Delete the files and rows of imports that ended, and give up abandoned ones.

    What an import changed can be undone without its file. Return how many were purged.
    """
    old = Import.objects.filter(moved_at__lt=now - KEPT)
    for import_ in old.filter(status__in=UNFINISHED):
        _give_up(import_, now=now)
    ended = old.filter(status__in=moves.ENDED) | Import.objects.filter(status=Status.DISCARDED)
    return _empty(ended)


@transaction.atomic
def _give_up(import_: Import, *, now: dt.datetime) -> None:
    found = Import.objects.select_for_update(skip_locked=True).filter(
        pk=import_.pk, status=import_.status, moved_at=import_.moved_at
    )
    for each in found:
        moves.move(each, "discarded", Status.DISCARDED, at=now)
        moves.tell("discarded", each, by=system_user(), reason="Nobody went on with it.")


def _empty(ended: QuerySet[Import]) -> int:
    filled = ended.filter(chunks__isnull=False) | ended.filter(rows_seen__isnull=False)
    ids = list(filled.order_by("pk").values_list("pk", flat=True).distinct())
    for pk in ids:
        ImportChunk.objects.filter(file_id=pk).delete()
        ImportRow.objects.filter(file_id=pk).delete()
    return len(ids)
