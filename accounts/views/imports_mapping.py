"""Which columns of a file are which of ours: suggestions, what was chosen, and samples."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts import permissions
from accounts.forms import MappingForm
from accounts.forms.imports import (
    ABOVE,
    LAYOUT_FIELDS,
    THEIRS,
    column_field,
    constant_field,
    layout_from,
)
from accounts.here import Here, add_refusal, page
from accounts.imports import lifecycle
from accounts.imports.mappings import UnusableMapping
from accounts.imports.saved import mapping_named, saved_mappings, update_mapping
from accounts.imports.suggesting import Sheet
from accounts.models import Import
from accounts.tabular import UnusableFile
from accounts.views.imports import address_after
from accounts.views.imports_detail import import_in, may_change
from accounts.views.imports_words import ColumnWords, kind_words, state_of
from config.lib.authz import require
from config.lib.errors import DomainError

MAPPABLE = {
    Import.Status.UPLOADED,
    Import.Status.CHECKED,
    Import.Status.WAITING,
    Import.Status.FAILED,
}
SAMPLES = 3
# Another choice for a column shows its samples and words at once.
LOOK_AGAIN = {
    "hx-vals": '{"look": "1"}',
    "hx-trigger": "change",
    "hx-target": "#mapping",
    "hx-swap": "outerHTML",
    "hx-include": "closest form",
}
EMPTY_SHEET = Sheet(header=(), rows=())


class Mark(NamedTuple):
    """Where the choice for a column comes from, if Keel made it."""

    text: str
    tone: str
    icon: str


@dataclass(frozen=True)
class ColumnRow:
    """One of our columns on the page."""

    words: ColumnWords
    choice: Any
    constant: Any
    mark: Mark | None
    samples: list[str]
    translations: list[Any]


@dataclass(frozen=True)
class Looked:
    """The file's head as the page reads it, or why it cannot be read so."""

    sheet: Sheet
    problem: str


@require_http_methods(["GET", "POST"])
def import_mapping(request: HttpRequest, number: int) -> HttpResponse:
    here = Here.of(request)
    import_ = import_in(request, here, number)
    require(permissions.can_import, here.user)
    if import_.status not in MAPPABLE or not may_change(import_, here):
        return redirect("imports:detail", import_.pk)
    given = request.POST or request.GET
    looked = _look(import_, given if request.method == "POST" else None)
    base_name = _base_name(import_, given, looked.sheet)
    base = _base(import_, base_name)
    form = MappingForm(
        request.POST if _is_sent(request) else None,
        kind=import_.kind,
        sheet=looked.sheet,
        base=base,
        initial=_typed(request),
    )
    if not looked.problem and form.is_valid():
        try:
            import_ = _chosen(import_, form, base_name, here)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            if kept := form.cleaned_data["save_as"]:
                messages.success(request, f"Mapping kept as “{kept}”.")
            return redirect(address_after(import_), import_.pk)
    context = {
        "import": import_,
        "state": state_of(import_),
        "form": form,
        "looked": looked,
        "base_name": base_name,
        "rows": _rows(import_, form, looked.sheet, base_name),
        "layout_fields": [form[name] for name in LAYOUT_FIELDS],
        "writing_fields": _writing(form),
        "first_rows": looked.sheet.rows,
    }
    status = 422 if form.is_bound and form.errors else 200
    return page(
        request,
        "accounts/imports/mapping.html",
        context,
        here=here,
        partial="mapping",
        status=status,
    )


def _is_sent(request: HttpRequest) -> bool:
    """Whether the mapping is to be taken, and not only looked at with other choices."""
    return request.method == "POST" and "look" not in request.POST


def _typed(request: HttpRequest) -> dict[str, Any]:
    """Return what was chosen so far where the page is only looked at again."""
    if request.method != "POST" or _is_sent(request):
        return {}
    boxes = {"end_is_last_day", "salesforce_ids"}
    return {name: value for name, value in request.POST.items() if name not in boxes} | {
        name: name in request.POST for name in boxes
    }


def _chosen(import_: Import, form: MappingForm, base_name: str, here: Here) -> Import:
    """Check the file with what was chosen, and keep it under the name given."""
    name, raw = form.cleaned_data["save_as"], form.raw()
    former = saved_mappings(import_.kind).filter(name=name).first() if name == base_name else None
    save_as = "" if former else name
    found = lifecycle.choose_mapping(import_, raw, save_as=save_as, by=here.user, at=here.now)
    if former is not None:
        update_mapping(former, name=name, raw=raw, by=here.user, at=here.now)
    return found


def _base_name(import_: Import, given: Mapping[str, str], sheet: Sheet) -> str:
    """Return the mapping one starts from; a first look starts from the one that fits best."""
    if "from" in given or import_.status != Import.Status.UPLOADED or not sheet.mappings:
        return given.get("from", "")
    return sheet.mappings[0].name


def _base(import_: Import, name: str) -> Mapping[str, Any]:
    """Return the mapping one starts from: the one named, or what the import has."""
    if name:
        try:
            return mapping_named(name, import_.kind).raw
        except UnusableMapping:
            return {}
    return dict(import_.mapping)


def _look(import_: Import, given: Mapping[str, Any] | None) -> Looked:
    layout = None if given is None else layout_from(given)
    try:
        return Looked(lifecycle.sheet_of(import_, layout), "")
    except UnusableFile as error:
        return Looked(EMPTY_SHEET, error.message)


def _rows(import_: Import, form: MappingForm, sheet: Sheet, base_name: str) -> list[ColumnRow]:
    address = reverse("imports:mapping", args=[import_.pk])
    for words in kind_words(import_.kind).columns:
        form.fields[column_field(words.name)].widget.attrs |= {**LOOK_AGAIN, "hx-post": address}
    return [
        ColumnRow(
            words,
            form[column_field(words.name)],
            form[constant_field(words.name)],
            _mark(words.name, form, sheet, base_name),
            _samples(form.chosen(words.name), sheet),
            list(form.words_of(words.name)),
        )
        for words in kind_words(import_.kind).columns
    ]


def _mark(ours: str, form: MappingForm, sheet: Sheet, base_name: str) -> Mark | None:
    """Say where the choice that stands there comes from."""
    theirs = form.chosen(ours).removeprefix(THEIRS).removeprefix(ABOVE)
    of_base = {**form.base.get("columns", {}), **form.base.get("preamble", {})}
    if base_name and theirs and of_base.get(ours, "").lower() == theirs.lower():
        return Mark(f"From the mapping {base_name}", "info", "bookmark")
    suggestion = sheet.suggestions.get(ours)
    if suggestion is None or suggestion.theirs != theirs:
        return None
    match suggestion.how:
        case "same":
            return Mark("Suggested: same name", "info", "sparkles")
        case "alike":
            return Mark("Looks alike: check", "warn", "triangle-alert")
        case "saved":
            return Mark(f"From the saved mapping {_named(sheet, 'saved')}", "info", "bookmark")
    return Mark(f"From the mapping {_named(sheet, 'shipped')}", "info", "bookmark")


def _named(sheet: Sheet, how: str) -> str:
    return next((each.name for each in sheet.mappings if each.how == how), "")


def _samples(chosen: str, sheet: Sheet) -> list[str]:
    if chosen.startswith(ABOVE):
        return [sheet.preamble.get(chosen.removeprefix(ABOVE), "")]
    theirs = chosen.removeprefix(THEIRS)
    if not chosen.startswith(THEIRS) or theirs not in sheet.header:
        return []
    place = list(sheet.header).index(theirs)
    found = [row[place] for row in sheet.rows if place < len(row) and row[place].strip()]
    return list(dict.fromkeys(found))[:SAMPLES]


def _writing(form: MappingForm) -> list[Any]:
    names = (
        "date_format",
        "decimal",
        "end_is_last_day",
        "account_source",
        "time_zone",
        "salesforce_ids",
    )
    return [form[name] for name in names if name in form.fields]
