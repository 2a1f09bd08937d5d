"""The form of any move, and asking for a move one may not make."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.here import posted
from config.lib.errors import Conflict, Invalid, StaleWrite
from config.lib.form_fields import LinesField
from events.workflow import REASON_MAX, Blocked, Case, Option, Transition, option
from people.http import is_own_path
from people.writing import once
from projects import services
from projects.forms.moves import ProjectMoveForm
from projects.models import ProjectState
from projects.selectors.lanes import is_full
from projects.services.asking import ask_move, refuse_move
from projects.views.blocks import gaps_of
from projects.views.next_steps import DANGER, Asked, label_of, reasons_of
from projects.views.shell import Shell, project_page, project_shell
from projects.views.stories import stories_since
from projects.workflows import PROJECT

NEXT = "next"
PARTIAL = "move-form"


class NoteForm(forms.Form):
    """A few words along with a wish, or its refusal."""

    note = LinesField(label="Note", max_length=REASON_MAX, required=False)

    def __init__(self, data: QueryDict | None, *, label: str, hint: str, needed: bool) -> None:
        super().__init__(data, auto_id="move_%s")
        note = self.fields["note"]
        note.label, note.help_text, note.required = label, hint, needed
        note.widget.attrs["rows"] = 3


@require_http_methods(["GET", "POST"])
@once
def move(request: HttpRequest, number: int, transition: str) -> HttpResponse:
    shell = project_shell(request, number)
    chosen = _transition(transition)
    case = Case(obj=shell.project, by=shell.here.user, at=shell.here.now, as_text=True)
    if request.method != "POST":
        found = shell.option(chosen.id)
        if found is not None and found.can_ask:
            return redirect("projects:ask-move", number, chosen.id)
        if found is not None and not found.may:
            raise PermissionDenied(found.refusal)
        form = ProjectMoveForm(chosen, case, initial=request.GET.dict())
        return _page(request, shell, form, blocks=_blocks(shell, chosen, found))
    form = ProjectMoveForm(chosen, case, request.POST)
    was = shell.project.state
    try:
        services.move(
            shell.project, chosen.id, by=shell.here.user, at=shell.here.now, given=form.given
        )
    except ValidationError as error:
        form.refuse(error)
        return _page(request, shell, form, status=422)
    except Blocked as refusal:
        blocks = [(each["code"], each["detail"]) for each in refusal.details["guards"]]
        return _page(request, _fresh(request, shell), form, blocks=blocks, status=409)
    except StaleWrite:
        fresh = _fresh(request, shell)
        missed = max(1, fresh.project.version - (form.version or 0))
        return _page(request, fresh, form, missed=missed, status=412)
    except Conflict as refusal:
        blocks = [(refusal.code, refusal.message)]
        return _page(request, _fresh(request, shell), form, blocks=blocks, status=409)
    _tell(request, shell, chosen, was)
    return redirect(_next(request, shell))


@require_http_methods(["GET", "POST"])
@once
def ask(request: HttpRequest, number: int, transition: str) -> HttpResponse:
    """Ask those who may for a move that one may not make."""
    shell = project_shell(request, number)
    chosen = _transition(transition)
    form = NoteForm(
        posted(request),
        label="Why it should happen",
        hint="They read it with your wish.",
        needed=False,
    )
    if form.is_valid():
        ask_move(
            shell.project,
            chosen.id,
            by=shell.here.user,
            at=shell.here.now,
            note=form.cleaned_data["note"],
        )
        messages.success(request, f"Asked for “{label_of(chosen)}”. You are told of the answer.")
        return redirect(shell.address)
    found = option(PROJECT, shell.project, chosen.id, shell.here.user, at=shell.here.now)
    if found.may:
        return redirect("projects:move", number, chosen.id)
    if not found.can_ask:
        raise PermissionDenied(found.refusal)
    context = {
        "form": form,
        "title": f"Ask for “{label_of(chosen)}”",
        "lead": found.refusal,
        "asked_of": list(chosen.asks(shell.project)) if chosen.asks else [],
        "button": "Ask for it",
        "action": reverse("projects:ask-move", args=[number, chosen.id]),
    }
    return _note_page(request, shell, context, form)


@require_http_methods(["GET", "POST"])
@once
def refuse(request: HttpRequest, number: int, asked_id: uuid.UUID) -> HttpResponse:
    """Say no to a wish, with a reason."""
    shell = project_shell(request, number)
    asked = _asked(shell, asked_id)
    form = NoteForm(
        posted(request), label="Why not", hint=f"{asked.request.by.name} reads it.", needed=True
    )
    if form.is_valid():
        refuse_move(
            shell.project,
            asked_id,
            by=shell.here.user,
            at=shell.here.now,
            answer=form.cleaned_data["note"],
        )
        messages.success(request, f"Refused. {asked.request.by.name} is told why.")
        return redirect(shell.address)
    if not asked.may:
        raise PermissionDenied((_transition(asked.request.transition).who.__doc__ or "").strip())
    context = {
        "form": form,
        "title": f"Refuse “{asked.label}”",
        "asked": asked,
        "button": "Refuse",
        "action": asked.refuse_url,
    }
    return _note_page(request, shell, context, form)


def _transition(name: str) -> Transition:
    try:
        return PROJECT.transition(name)
    except Invalid as unknown:
        raise Http404 from unknown


def _blocks(shell: Shell, chosen: Transition, found: Option | None) -> Any:
    """Return what stands in its way; also that it does not start where the project is."""
    if found is not None:
        return found.blocks
    try:
        option(PROJECT, shell.project, chosen.id, shell.here.user, at=shell.here.now)
    except Blocked as refusal:
        return [("wrong_state", refusal.message)]
    return []


def _page(
    request: HttpRequest,
    shell: Shell,
    form: ProjectMoveForm,
    *,
    blocks: Any = (),
    missed: int = 0,
    status: int = 200,
) -> HttpResponse:
    chosen = form.transition
    target = _target(shell, chosen)
    if target != shell.project.state and is_full(target):
        form.needed = frozenset({"limit_note"})
    context = {
        "form": form,
        "move_label": label_of(chosen),
        "transition": chosen,
        "blocks": reasons_of(blocks, shell.project.pk),
        "gaps": gaps_of(shell) if chosen.id == "ready" and blocks else [],
        "becomes": ProjectState(target).label if target != shell.project.state else "",
        "wishes": [each for each in shell.next_steps.asked if _is_of(each, chosen)],
        "is_stale": missed > 0,
        "missed": stories_since(shell, missed) if missed else [],
        "is_danger": chosen.id in DANGER,
        "next": _next(request, shell),
        "action": reverse("projects:move", args=[shell.project.pk, chosen.id]),
    }
    return project_page(
        request, shell, "projects/move.html", label_of(chosen), context, partial=PARTIAL,
        status=status,
    )  # fmt: skip


def _note_page(
    request: HttpRequest, shell: Shell, context: dict[str, Any], form: forms.Form
) -> HttpResponse:
    return project_page(
        request,
        shell,
        "moves/note.html",
        context["title"],
        {**context, "shell_page": "projects/project.html", "number": shell.project.number},
        partial=PARTIAL,
        status=422 if form.errors else 200,
    )


def _target(shell: Shell, chosen: Transition) -> str:
    """Return the state it leads to; the present one where that is not known."""
    project = shell.project
    if chosen.leads is not None and project.state in chosen.sources:
        return chosen.leads(Case(obj=project, by=shell.here.user, at=shell.here.now))
    return chosen.target or project.state


def _is_of(asked: Asked, chosen: Transition) -> bool:
    return bool(asked.request.transition == chosen.id)


def _fresh(request: HttpRequest, shell: Shell) -> Shell:
    return project_shell(request, shell.project.pk)


def _next(request: HttpRequest, shell: Shell) -> str:
    sent = request.POST if request.method == "POST" else request.GET
    asked = sent.get(NEXT, "")
    return asked if is_own_path(asked) else shell.address


def _tell(request: HttpRequest, shell: Shell, chosen: Transition, was: str) -> None:
    """Say what happened, with the way back where there is a plain one."""
    moved = shell.project
    text = f"{moved.number}: “{label_of(chosen)}” is done."
    if moved.state != was:
        text = f"{moved.number} is now “{moved.get_state_display()}”."
    messages.success(request, text, extra_tags=_undo_url(shell, was))


def _undo_url(shell: Shell, was: str) -> str:
    """Return the address of the move that puts it back and asks for nothing; "" without one."""
    moved = shell.project
    if moved.state == was:
        return ""
    for each in services.options(moved, shell.here.user, at=shell.here.now):
        step = each.transition
        asks = step.needs_reason or step.warns or any(field.required for field in step.fields)
        if each.is_open and not asks and _target(shell, step) == was:
            return reverse("projects:move", args=[moved.pk, step.id])
    return ""


def _asked(shell: Shell, asked_id: uuid.UUID) -> Asked:
    for each in shell.next_steps.asked:
        if each.request.uuid == asked_id:
            return each
    raise Http404
