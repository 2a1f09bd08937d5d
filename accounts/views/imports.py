"""The list of imports, a new one, and what its columns can be."""

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from accounts import permissions
from accounts.forms import ImportFilterForm, UploadForm
from accounts.here import Here, add_refusal, page, posted
from accounts.imports import lifecycle
from accounts.imports.columns import KINDS
from accounts.imports.mappings import UnusableMapping, shipped_names
from accounts.imports.saved import mapping_named, saved_mappings
from accounts.models import Import
from accounts.selectors import import_pages
from accounts.selectors.imports import imports_visible_to
from accounts.views.imports_words import LABELS, all_kinds, changes_of, counted, state_of
from config.lib.authz import require
from config.lib.errors import DomainError
from config.lib.keyset import Key
from config.lib.paging import paged
from config.lib.rendering import csv_response
from people.writing import once


@require_safe
def import_list(request: HttpRequest) -> HttpResponse:
    here = reader(request)
    form = ImportFilterForm(request.GET)
    narrowed = {name: value for name, value in _filters(form).items() if value}
    imports = imports_visible_to(here.user).filter(**narrowed).select_related("by")
    found = paged(request, imports, [Key("created_at", descending=True)])
    context = {
        "rows": [(each, state_of(each), changes_of(each)) for each in found.rows],
        "paged": found,
        "summary": counted(imports.count(), "import"),
        "filters": form,
        "is_narrowed": bool(narrowed),
        "is_malformed": not form.is_valid(),
        "latest": import_pages.latest_by_source(),
        "labels": LABELS,
        "may_import": permissions.can_import(here.user),
        "who_may": who_may_import(),
    }
    return page(request, "accounts/imports/list.html", context, here=here, partial="list")


@require_http_methods(["GET", "POST"])
@once
def import_create(request: HttpRequest) -> HttpResponse:
    here = Here.of(request)
    require(permissions.can_import, here.user)
    like = _like(request, here)
    form = UploadForm(
        posted(request),
        request.FILES or None,
        mappings=_mappings(),
        initial=_start(request.GET, like),
    )
    if form.is_valid():
        try:
            import_ = _upload(form, here, like)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return redirect(address_after(import_), import_.pk)
    context = {
        "form": form,
        "like": like,
        "kinds": all_kinds(),
        "sources": import_pages.sources(),
    }
    status = 422 if form.errors else 200
    return page(request, "accounts/imports/new.html", context, here=here, status=status)


@require_safe
def template_csv(request: HttpRequest, kind: str) -> HttpResponseBase:
    """A file with our column names and nothing under them."""
    reader(request)
    if kind not in KINDS:
        raise Http404
    return csv_response(f"{kind}.csv", list(KINDS[kind].columns), [])


def reader(request: HttpRequest) -> Here:
    here = Here.of(request)
    require(permissions.can_see_imports, here.user)
    return here


def address_after(import_: Import) -> str:
    """Return where one goes on with it."""
    is_uploaded = import_.status == Import.Status.UPLOADED
    return "imports:mapping" if is_uploaded else "imports:detail"


def who_may_import() -> str:
    return (permissions.can_import.__doc__ or "").strip()


def _filters(form: ImportFilterForm) -> dict[str, Any]:
    return form.cleaned_data if form.is_valid() else {}


def _upload(form: UploadForm, here: Here, like: Import | None) -> Import:
    given = form.cleaned_data
    is_alike = like is not None and given["kind"] == like.kind and not given["mapping"]
    return lifecycle.upload(
        kind=given["kind"],
        file=given["file"].file,
        filename=given["file"].name,
        source=given["source"] or "",
        mapping=given["mapping"],
        like=like if is_alike else None,
        by=here.user,
        at=here.now,
    )


def _like(request: HttpRequest, here: Here) -> Import | None:
    """Return the import whose mended file comes now, if the address names one."""
    number = request.GET.get("like", "").removeprefix("IMP-")
    if not (number.isascii() and number.isdecimal()):
        return None
    return imports_visible_to(here.user).filter(pk=int(number[:18])).first()


def _start(query: QueryDict, like: Import | None) -> dict[str, str]:
    if like is not None:
        return {"kind": like.kind, "source": like.source}
    return {name: query.get(name, "") for name in ("kind", "source", "mapping") if name in query}


def _mappings() -> Sequence[Any]:
    """Return what a file can be read with, by kind, as choices."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for kind in KINDS:
        names = [(each.name, each.name) for each in saved_mappings(kind)]
        names += [
            (name, f"{name} (comes with Keel)") for name in shipped_names() if _fits(name, kind)
        ]
        if names:
            groups[LABELS[kind]] = names
    return list(groups.items())


def _fits(name: str, kind: str) -> bool:
    try:
        mapping_named(name, kind)
    except UnusableMapping:
        return False
    return True
