"""The editor of a statement of work: rows by plain buttons, saved as it is typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.here import page
from config.lib.authz import require
from config.lib.errors import DomainError, StaleWrite
from config.lib.htmx import is_htmx
from config.lib.values import BadValue
from engagements import permissions, selectors
from engagements.forms.sows import (
    NoteForm,
    SowForm,
    StartForm,
    data_of,
    filled_rows,
    rows_of,
    texts_of,
    texts_sent,
    with_rows,
)
from engagements.models import SowVersion
from engagements.rules import sow as rules
from engagements.rules import sow_reading
from engagements.selectors import sows as reading
from engagements.services import sows as services
from engagements.services.sows import Saved
from engagements.views.shell import Shell, request_page, request_shell

TAB = "Statement of work"
NO_VERSION = -1
DIGITS_MAX = 9
NOTHING_TO_EDIT = "There is no draft to edit. A version that was sent does not change."


@dataclass(frozen=True)
class Editor:
    """What the editor shows: texts as typed or stored, what is wrong, what is missing."""

    sow: SowVersion
    texts: Mapping[str, str]
    errors: Mapping[str, BadValue] = field(default_factory=dict)
    blank: int = 0
    # Why nothing was saved, where it was not.
    refusal: str = ""
    note: str | None = None
    note_error: str = ""

    @classmethod
    def of(cls, sow: SowVersion, *, blank: int = 0) -> "Editor":
        """Show what is stored; what is wrong in what was typed is found again."""
        texts = texts_of(sow.content, sow.typed)
        return cls(sow, texts, _errors_in(sow, texts) if sow.typed else {}, blank)

    @property
    def form(self) -> SowForm:
        return SowForm(self.texts, self.errors, blank=self.blank)

    @property
    def note_form(self) -> NoteForm:
        form = NoteForm({"note": self.sow.note if self.note is None else self.note})
        if self.note_error:
            form.full_clean()
        return form

    @property
    def missing(self) -> list[rules.Missing]:
        return rules.missing(self.sow.content)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, number: int) -> HttpResponse:
    """The draft as a form. Each button says with `act` what it does beside saving."""
    shell = request_shell(request, number)
    require(permissions.is_requester_of, shell.here.user, shell.request)
    sow = shell.sow
    if request.method != "POST":
        if sow is None or sow.is_frozen:
            if sow is not None:
                messages.info(request, NOTHING_TO_EDIT)
            return redirect("requests:sow", number)
        sow.request = shell.request
        return _page(request, shell, Editor.of(sow, blank=_blank(request.GET)))
    editor, saved = _save(shell, request.POST, act=request.POST.get("act", ""))
    if editor is None:
        messages.error(request, NOTHING_TO_EDIT)
        return redirect("requests:sow", number)
    if saved is None:
        return _page(request, shell, editor, status=409)
    return _after(request, shell, editor, saved)


@require_POST
def save(request: HttpRequest, number: int) -> HttpResponse:
    """Keep what is typed so far; answers the line that says so, and what is missing still."""
    shell = request_shell(request, number)
    require(permissions.is_requester_of, shell.here.user, shell.request)
    editor, saved = _save(shell, request.POST, act="")
    context: dict[str, Any] = {"editor": editor, "service_request": shell.request}
    status = 200
    if editor is None or saved is None:
        context["refusal"] = editor.refusal if editor else NOTHING_TO_EDIT
        status = 409
    else:
        sow = saved.sow
        places = [place for place, _ in filled_rows(texts_sent(request.POST))]
        context["keys"] = list(zip(places, sow.content["deliverables"], strict=False))
        context["editor"] = Editor.of(sow)
    return page(request, "requests/sow/saved.html", context, here=shell.here, status=status)


@require_POST
def start(request: HttpRequest, number: int) -> HttpResponse:
    """Begin the first version, or put a template in the place of a draft."""
    shell = request_shell(request, number)
    require(permissions.is_requester_of, shell.here.user, shell.request)
    form = StartForm(reading.templates(), request.POST)
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, f"{' '.join(map(str, errors))}")
        return redirect("requests:sow", number)
    here, sow = shell.here, shell.sow
    try:
        if sow is not None and not sow.is_frozen and form.chosen is not None:
            services.fill_from_template(
                sow, form.chosen, by=here.user, at=here.now, start=form.first_day
            )
        else:
            services.start_draft(
                shell.request,
                by=here.user,
                at=here.now,
                template=form.chosen,
                start=form.first_day,
            )
    except DomainError as refusal:
        messages.error(request, refusal.message)
        return redirect("requests:sow", number)
    return redirect("requests:sow-edit", number)


@require_POST
def discard(request: HttpRequest, number: int) -> HttpResponse:
    shell = request_shell(request, number)
    require(permissions.is_requester_of, shell.here.user, shell.request)
    if shell.sow is not None:
        try:
            services.discard_draft(shell.sow, by=shell.here.user, at=shell.here.now)
        except DomainError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, f"Version {shell.sow.number} was thrown away.")
    return redirect("requests:sow", number)


def _save(shell: Shell, sent: QueryDict, *, act: str) -> tuple[Editor | None, Saved | None]:
    """Store what was sent. Without Saved it was not stored, and the editor says why."""
    sow = shell.request.sows.filter(pk=_pk(shell, sent)).select_related("by").first()
    if sow is None:
        return None, None
    sow.request = shell.request
    texts = acted(texts_sent(sent), act)
    note = sent.get("note")
    try:
        saved = services.save_draft(
            sow,
            data_of(texts),
            by=shell.here.user,
            at=shell.here.now,
            version=number_of(sent.get("version", "")),
            as_text=True,
            note=note,
        )
    except StaleWrite as stale:
        fresh = SowVersion.objects.select_related("by").get(pk=sow.pk)
        words = (
            f"{stale.message} Nothing of yours was saved yet. Save again to put yours in its "
            "place, or leave this page and take what is stored."
        )
        return Editor(fresh, texts, refusal=words, note=note), None
    except ValidationError as error:
        words = " ".join(error.messages)
        return Editor(sow, texts, refusal=f"Nothing was saved. {words}", note=note), None
    except DomainError as refusal:
        words = f"{refusal.message} What you typed is still here, and was not saved."
        return Editor(sow, texts, refusal=words, note=note), None
    return Editor.of(saved.sow), saved


def _after(request: HttpRequest, shell: Shell, editor: Editor, saved: Saved) -> HttpResponse:
    act = request.POST.get("act", "")
    number = shell.request.pk
    edit_url = reverse("requests:sow-edit", args=[number])
    if act == "leave" and not saved.errors:
        messages.success(request, f"Version {saved.sow.number} is saved.")
        return redirect("requests:sow", number)
    blank = blank_rows(acted(texts_sent(request.POST), act)) + (act == "add")
    if is_htmx(request) or saved.errors:
        shown = Editor(editor.sow, editor.texts, editor.errors, blank)
        return _page(request, shell, shown, status=422 if saved.errors else 200)
    return redirect(f"{edit_url}?blank={blank}#deliverables" if blank else edit_url)


def blank_rows(texts: Mapping[str, str]) -> int:
    """Return how many rows wait to be filled in."""
    return len(rows_of(texts)) - len(filled_rows(texts))


def acted(texts: dict[str, str], act: str) -> dict[str, str]:
    """Return the texts with a row removed or moved, where the button asks for it."""
    verb, _, place = act.partition("-")
    rows = rows_of(texts)
    places = [found for found, _ in rows]
    if verb not in {"remove", "up", "down"} or number_of(place) not in places:
        return texts
    at = places.index(number_of(place))
    bare = [row for _, row in rows]
    row = bare.pop(at)
    if verb != "remove":
        bare.insert(max(at + (1 if verb == "down" else -1), 0), row)
    return with_rows(texts, bare)


def _errors_in(sow: SowVersion, texts: Mapping[str, str]) -> dict[str, BadValue]:
    used = max(sow.keys_used, rules.keys_used(sow.content))
    return sow_reading.read(data_of(texts), used=used, as_text=True).errors


def _page(request: HttpRequest, shell: Shell, editor: Editor, *, status: int = 200) -> HttpResponse:
    context = {
        "editor": editor,
        "form": editor.form,
        "sow": editor.sow,
        "change": selectors.open_change(editor.sow),
        "start_form": StartForm(
            reading.templates(type_=shell.request.type), initial={"start": shell.here.today}
        ),
    }
    return request_page(
        request, shell, "requests/sow/edit.html", TAB, context, partial="editor", status=status
    )


def _pk(shell: Shell, sent: QueryDict) -> int:
    """Return the key of the version that the form is of; of the current one where it says none."""
    number = number_of(sent.get("sow", ""))
    found = shell.request.sows.filter(number=number).first() if number >= 0 else shell.sow
    return found.pk if found else NO_VERSION


def number_of(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX
    return int(text) if is_number else NO_VERSION


def _blank(asked: QueryDict) -> int:
    return max(number_of(asked.get("blank", "")), 0)
