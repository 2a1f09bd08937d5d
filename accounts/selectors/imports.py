"""Reads of imports. Nothing here writes."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Max, QuerySet

from accounts import permissions
from accounts.models import Import, ImportRow
from config.lib.errors import Missing
from people.models import User

NUMBER = re.compile(r"(?:IMP-)?([1-9][0-9]{0,17})")
MOST_CAUSES = 50
# A problem is [column, value, detail, code].
CAUSES = """
SELECT p ->> 0, p ->> 3, count(*), (array_agg(p ->> 2 ORDER BY r.row))[1], min(r.row)
FROM accounts_importrow r CROSS JOIN LATERAL jsonb_array_elements(r.problems) p
WHERE r.file_id = %s AND r.outcome = %s
GROUP BY 1, 2 ORDER BY 3 DESC, 5, 1, 2 LIMIT %s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Problems of one kind in one column; `example` is the detail of the first, in `row`."""

    column: str
    code: str
    count: int
    example: str
    row: int


def imports_visible_to(user: User) -> QuerySet[Import]:
    """Return imports, newest first; none to those who may see none."""
    if not permissions.can_see_imports(user):
        return Import.objects.none()
    people = ("by", "applied_by", "approved_by", "undone_by")
    return Import.objects.select_related(*people).order_by("-created_at", "-pk")


def import_of(number: str | int) -> Import:
    """Return the import "IMP-3" or 3. Raises Missing."""
    match = NUMBER.fullmatch(str(number))
    people = ("by", "applied_by", "approved_by", "undone_by")
    found = match and Import.objects.select_related(*people).filter(pk=int(match[1])).first()
    if not found:
        raise Missing("No such import.")
    return found


def rows_of(import_: Import, outcome: str = "") -> QuerySet[ImportRow]:
    """Return what the last check says of its rows, in the order of the file."""
    rows = ImportRow.objects.filter(file=import_).order_by("row")
    return rows.filter(outcome=outcome) if outcome else rows


def causes_of(import_: Import) -> Sequence[Cause]:
    """Return why rows are bad, the commonest first."""
    with connection.cursor() as cursor:
        cursor.execute(CAUSES, [import_.pk, ImportRow.Outcome.ERROR, MOST_CAUSES])
        return [
            Cause(column=column, code=code, count=count, example=example, row=row)
            for column, code, count, example, row in cursor.fetchall()
        ]


def left_lately(person: User, *, since: dt.datetime) -> int:
    """Return how many accounts left the number by what a person alone imported since then."""
    alone = Import.objects.filter(
        status=Import.Status.APPLIED,
        by=person,
        applied_by=person,
        approved_by=None,
        applied_at__gt=since,
    )
    return sum(left or 0 for left in alone.values_list("effect__left", flat=True))


def applied_before(import_: Import) -> dt.datetime | None:
    """Return when the very same file was applied last, before this import."""
    twins = Import.objects.filter(
        kind=import_.kind, source=import_.source, sha256=import_.sha256, undone_at=None
    ).exclude(pk=import_.pk)
    if import_.applied_at:
        twins = twins.filter(applied_at__lt=import_.applied_at)
    found: dt.datetime | None = twins.aggregate(at=Max("applied_at"))["at"]
    return found
