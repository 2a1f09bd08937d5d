"""One import: how far it is, what it would change, what it changed, and its bad rows."""

import datetime as dt
from collections.abc import Iterator
from math import ceil
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts import permissions
from accounts.here import Here, page
from accounts.imports import lifecycle
from accounts.imports.columns import ADDED
from accounts.imports.moves import AT_WORK
from accounts.models import Import, ImportRow
from accounts.selectors import import_pages
from accounts.selectors.imports import causes_of, imports_visible_to, rows_of
from accounts.tabular import UnusableFile
from accounts.views.imports_words import (
    LABELS,
    changes_of,
    counted,
    effect_of,
    mapping_name,
    state_of,
    theirs_of,
)
from config.lib.authz import require
from config.lib.keyset import Key, Page, page_of
from config.lib.paging import CURSOR, PAGE_SIZE
from config.lib.rendering import CHUNK_ROWS, csv_response
from config.lib.ui.formats import number_text
from config.lib.values import BadValue

Status = Import.Status
# With these there is something to see of what the rows would do or did.
WITH_ROWS = {Status.CHECKED, Status.WAITING, Status.APPLYING, Status.APPLIED, Status.UNDOING,
             Status.UNDONE, Status.DISCARDED}  # fmt: skip
OPEN = {Status.UPLOADED, Status.CHECKED, Status.WAITING, Status.FAILED}
UNCHANGED = "unchanged"
LONGEST_CELL = 40
TABS = {
    "create": "Create",
    "update": "Update",
    UNCHANGED: "Unchanged",
    "excluded": "Left out",
    "error": "Errors",
}
REJECTED = [ImportRow.Outcome.ERROR, ImportRow.Outcome.EXCLUDED]
CONFIRMABLE = ("apply", "approve", "undo")


class Tab(NamedTuple):
    """One outcome of rows, with how many have it."""

    outcome: str
    label: str
    total: int
    url: str
    current: bool


@require_safe
def import_detail(request: HttpRequest, number: int) -> HttpResponse:
    here = Here.of(request)
    import_ = import_in(request, here, number)
    context = {
        **_of_import(import_, here),
        **_of_rows(request, import_, _first_tab(import_)),
        **_acts(request, import_, here),
        "is_changed": import_.status == Status.CHECKED
        and ("changed" in request.GET or bool(import_.failure)),
        "progress": lifecycle.progress_of(import_),
    }
    return page(request, "accounts/imports/detail.html", context, here=here)


@require_safe
def import_rows(request: HttpRequest, number: int) -> HttpResponse:
    """The rows of one outcome: a part of the import's page, or a page of its own."""
    here = Here.of(request)
    import_ = import_in(request, here, number)
    asked = request.GET.get("tab", "")
    tab = asked if asked in TABS else _first_tab(import_)
    context = {**_of_import(import_, here), **_of_rows(request, import_, tab)}
    return page(request, "accounts/imports/rows.html", context, here=here, partial="rows")


@require_safe
def import_progress(request: HttpRequest, number: int) -> HttpResponse:
    """How far the work on it is, for the page that asks every two seconds."""
    here = Here.of(request)
    import_ = import_in(request, here, number)
    if import_.status not in AT_WORK:
        return redirect("imports:detail", import_.pk)
    context = {"import": import_, "progress": lifecycle.progress_of(import_)}
    return page(request, "accounts/imports/progress.html", context, here=here, partial="progress")


@require_safe
def rejected_csv(request: HttpRequest, number: int) -> HttpResponseBase:
    """The bad rows as they stand in the file, each with its number and what is wrong."""
    here = Here.of(request)
    import_ = import_in(request, here, number)
    header = _header(import_)
    rows = rows_of(import_).filter(outcome__in=REJECTED)
    stem = import_.filename.rpartition(".")[0] or import_.filename
    return csv_response(f"{stem}-bad-rows.csv", [*header, *ADDED], _lines(rows, len(header)))


def import_in(request: HttpRequest, here: Here, number: int) -> Import:
    """Return the import of this number; 404 where there is none for this person."""
    require(permissions.can_see_imports, here.user)
    people = ("by", "applied_by", "approved_by", "undone_by")
    import_ = imports_visible_to(here.user).select_related(*people).filter(pk=number).first()
    if import_ is None:
        raise Http404
    return import_


def _of_import(import_: Import, here: Here) -> dict[str, Any]:
    return {
        "import": import_,
        "state": state_of(import_),
        "kind": LABELS[import_.kind],
        "mapping": mapping_name(import_),
        "changes": changes_of(import_),
        "changes_text": counted(changes_of(import_), "change"),
        "bad_text": counted(import_.bad_rows, "bad row"),
        "effect": effect_of(import_),
        "not_undone": _not_undone(import_),
        "former": import_pages.applied_before(import_)
        if import_.status in OPEN - {Status.FAILED}
        else None,
        "is_at_work": import_.status in AT_WORK,
        "has_rows": import_.status in WITH_ROWS and bool(import_.rows),
        "has_rejected": bool(import_.bad_rows or import_.excluded),
        "may_import": permissions.can_import(here.user),
        "may_change": may_change(import_, here),
    }


def _not_undone(import_: Import) -> str:
    told = import_.undone or {}
    return number_text(len(told.get("skipped", [])) + told.get("more", 0))


def may_change(import_: Import, here: Here) -> bool:
    """Whether this person can say how the file is read and which rows stay out."""
    return permissions.can_import(here.user) and import_.by_id == here.user.pk


def _of_rows(request: HttpRequest, import_: Import, tab: str) -> dict[str, Any]:
    address = reverse("imports:rows", args=[import_.pk])
    counts = _counts(import_)
    found = None if tab == UNCHANGED else _page_of(request, import_, tab)
    return {
        "tab": tab,
        "tabs": [
            Tab(outcome, label, counts[outcome], f"{address}?tab={outcome}", outcome == tab)
            for outcome, label in TABS.items()
        ],
        "rows": [(row, _title(row)) for row in found.rows] if found else [],
        "previous": _link(address, tab, found.previous if found else None),
        "next": _link(address, tab, found.next if found else None),
        "rows_summary": counted(counts[tab], "row"),
        "is_purged": bool(counts[tab]) and found is not None and not found.rows,
        "causes": causes_of(import_) if tab == "error" else [],
        "theirs": theirs_of(import_),
    }


def _title(row: ImportRow) -> str:
    """Name the row: by what it is about, or where that is not known by its first cell."""
    first = str(row.cells[0]) if row.cells else ""
    return row.label or first[:LONGEST_CELL]


def _page_of(request: HttpRequest, import_: Import, tab: str) -> Page[ImportRow]:
    """Return the page the cursor names, the first where there is none or it fits no more."""
    rows, keys, binding = rows_of(import_, tab), [Key("row")], f"{import_.pk}|{tab}"
    cursor = request.GET.get(CURSOR) or None
    try:
        return page_of(rows, keys, cursor, PAGE_SIZE, binding=binding)
    except BadValue:
        return page_of(rows, keys, None, PAGE_SIZE, binding=binding)


def _link(address: str, tab: str, cursor: str | None) -> str:
    return f"{address}?{urlencode({'tab': tab, CURSOR: cursor})}" if cursor else ""


def _counts(import_: Import) -> dict[str, int]:
    return {
        "create": import_.creates,
        "update": import_.updates,
        "unchanged": import_.unchanged,
        "excluded": len(import_.excluded),
        "error": import_.bad_rows,
    }


def _first_tab(import_: Import) -> str:
    counts = _counts(import_)
    for tab in ("error", "update", "create", "unchanged"):
        if counts[tab]:
            return tab
    return "create"


def _acts(request: HttpRequest, import_: Import, here: Here) -> dict[str, Any]:
    """Say what this person can do with it now."""
    may_import = permissions.can_import(here.user)
    may_approve = permissions.can_approve_import(here.user, import_)
    status = import_.status
    is_good = status == Status.CHECKED and not import_.bad_rows
    until = import_.applied_at + lifecycle.UNDO_WITHIN if import_.applied_at else None
    can = {
        "apply": may_import and is_good and changes_of(import_) > 0,
        "approve": may_approve and status == Status.WAITING,
        "undo": may_import and status == Status.APPLIED and until is not None and here.now < until,
        "discard": status in OPEN and (may_import or (may_approve and status == Status.WAITING)),
        "mend": may_import and status in {Status.CHECKED, Status.FAILED, Status.WAITING},
        "map": may_change(import_, here) and status in OPEN,
    }
    asked = request.GET.get("confirm", "")
    waits = status == Status.WAITING
    return {
        "can": can,
        "confirm": asked if asked in CONFIRMABLE and can[asked] else "",
        "undo_until": until,
        "hours_left": _hours_left(until, here.now),
        "needs_second": bool(import_.mass) and import_.by_id == here.user.pk,
        "approvers": list(import_pages.approvers_of(import_)) if waits else [],
    }


def _hours_left(until: dt.datetime | None, now: dt.datetime) -> str:
    if until is None or until <= now:
        return ""
    minutes = ceil((until - now).total_seconds() / 60)
    if minutes < 60:  # noqa: PLR2004 -- of an hour
        return counted(minutes, "minute")
    return counted(ceil(minutes / 60), "hour")


def _header(import_: Import) -> list[str]:
    """Return the file's own column names; none where the file is kept no longer."""
    try:
        return list(lifecycle.sheet_of(import_).header)
    except UnusableFile:
        return []


def _lines(rows: QuerySet[ImportRow], width: int) -> Iterator[list[Any]]:
    for row in rows.iterator(chunk_size=CHUNK_ROWS):
        cells = [*(row.cells or []), *[""] * width][:width]
        said = " ".join(detail for _, _, detail, _ in row.problems) or "Left out."
        yield [*cells, row.row, said]
