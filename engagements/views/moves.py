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

from config.lib.errors import Invalid, StaleWrite
from config.lib.form_fields import LinesField
from engagements import services
from engagements.models import RequestState, ServiceRequest
from engagements.services.asking import ask_move, refuse_move
from engagements.views.next_steps import DANGER, Asked, NextSteps, reasons_of
from engagements.views.shell import Shell, request_page, request_shell
from engagements.views.stories import stories_since
from engagements.workflows import REQUEST
from events.move_forms import MoveForm
from events.workflow import REASON_MAX, Blocked, Case, Option, Transition, option
from people.http import is_own_path
from people.writing import once

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
    shell = request_shell(request, number)
    chosen = _transition(transition)
    case = Case(obj=shell.request, by=shell.here.user, at=shell.here.now, as_text=True)
    if request.method != "POST":
        found = _option(shell, chosen)
        if found is not None and found.can_ask:
            return redirect("requests:ask-move", number, chosen.id)
        if found is not None and not found.may:
            raise PermissionDenied(found.refusal)
        form = MoveForm(chosen, case, initial=request.GET.dict())
        blocks = found.blocks if found else _wrong_state(shell, chosen)
        return _page(request, shell, form, blocks=blocks)
    form = MoveForm(chosen, case, request.POST)
    was = shell.request.state
    try:
        services.move(
            shell.request, chosen.id, by=shell.here.user, at=shell.here.now, given=form.given
        )
    except ValidationError as error:
        form.refuse(error)
        return _page(request, shell, form, status=422)
    except Blocked as refusal:
        blocks = [(each["code"], each["detail"]) for each in refusal.details["guards"]]
        return _page(request, _fresh(request, shell), form, blocks=blocks, status=409)
    except StaleWrite:
        fresh = _fresh(request, shell)
        missed = max(1, fresh.request.version - (form.version or 0))
        return _page(request, fresh, form, missed=missed, status=412)
    _tell(request, shell, chosen, was)
    return redirect(_next(request, shell))


@require_http_methods(["GET", "POST"])
@once
def ask(request: HttpRequest, number: int, transition: str) -> HttpResponse:
    """Ask those who may for a move that one may not make."""
    shell = request_shell(request, number)
    chosen = _transition(transition)
    form = NoteForm(
        request.POST if request.method == "POST" else None,
        label="Why it should happen",
        hint="They read it with your wish.",
        needed=False,
    )
    if form.is_valid():
        ask_move(
            shell.request,
            chosen.id,
            by=shell.here.user,
            at=shell.here.now,
            note=form.cleaned_data["note"],
        )
        messages.success(request, f"Asked for “{chosen.label}”. You are told of the answer.")
        return redirect(shell.address)
    found = option(REQUEST, shell.request, chosen.id, shell.here.user, at=shell.here.now)
    if found.may:
        return redirect("requests:move", number, chosen.id)
    if not found.can_ask:
        raise PermissionDenied(found.refusal)
    asked_of = list(chosen.asks(shell.request)) if chosen.asks else []
    context = {
        "form": form,
        "title": f"Ask for “{chosen.label}”",
        "lead": found.refusal,
        "asked_of": asked_of,
        "button": "Ask for it",
        "action": reverse("requests:ask-move", args=[number, chosen.id]),
    }
    return _note_page(request, shell, context, form)


@require_http_methods(["GET", "POST"])
@once
def refuse(request: HttpRequest, number: int, asked_id: uuid.UUID) -> HttpResponse:
    """Say no to a wish, with a reason."""
    shell = request_shell(request, number)
    asked = _asked(shell, asked_id)
    form = NoteForm(
        request.POST if request.method == "POST" else None,
        label="Why not",
        hint=f"{asked.request.by.name} reads it.",
        needed=True,
    )
    if form.is_valid():
        refuse_move(
            shell.request,
            asked_id,
            by=shell.here.user,
            at=shell.here.now,
            answer=form.cleaned_data["note"],
        )
        messages.success(request, f"Refused. {asked.request.by.name} is told why.")
        return redirect(shell.address)
    if not asked.may:
        raise PermissionDenied(_refusal(asked))
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
        return REQUEST.transition(name)
    except Invalid as unknown:
        raise Http404 from unknown


def _option(shell: Shell, chosen: Transition) -> Option | None:
    """Return how it stands; nothing where the move does not start where the request is."""
    if chosen.is_automatic:
        raise PermissionDenied((chosen.who.__doc__ or "").strip())
    return shell.option(chosen.id)


def _wrong_state(shell: Shell, chosen: Transition) -> list[tuple[str, str]]:
    try:
        option(REQUEST, shell.request, chosen.id, shell.here.user, at=shell.here.now)
    except Blocked as refusal:
        return [("wrong_state", refusal.message)]
    return []


def _page(
    request: HttpRequest,
    shell: Shell,
    form: MoveForm,
    *,
    blocks: Any = (),
    missed: int = 0,
    status: int = 200,
) -> HttpResponse:
    chosen = form.transition
    context = {
        "form": form,
        "transition": chosen,
        "blocks": reasons_of(blocks, shell.request.pk),
        "becomes": _becomes(shell, chosen),
        "wishes": [each for each in NextSteps(shell).asked if each.request.transition == chosen.id],
        "is_stale": missed > 0,
        "missed": stories_since(shell, missed) if missed else [],
        "is_danger": chosen.id in DANGER,
        "next": _next(request, shell),
        "action": reverse("requests:move", args=[shell.request.pk, chosen.id]),
    }
    return request_page(
        request, shell, "requests/move.html", chosen.label, context, partial=PARTIAL, status=status
    )


def _note_page(
    request: HttpRequest, shell: Shell, context: dict[str, Any], form: forms.Form
) -> HttpResponse:
    return request_page(
        request,
        shell,
        "moves/note.html",
        context["title"],
        {**context, "shell_page": "requests/request.html", "number": shell.request.number},
        partial=PARTIAL,
        status=422 if form.errors else 200,
    )


def _becomes(shell: Shell, chosen: Transition) -> str:
    """Return the state it leads to, in words; "" where that stays or is not known before."""
    request = shell.request
    target = chosen.target or ""
    if chosen.leads is not None and request.state in chosen.sources:
        target = chosen.leads(Case(obj=request, by=shell.here.user, at=shell.here.now))
    return RequestState(target).label if target and target != request.state else ""


def _fresh(request: HttpRequest, shell: Shell) -> Shell:
    return request_shell(request, shell.request.pk)


def _next(request: HttpRequest, shell: Shell) -> str:
    sent = request.POST if request.method == "POST" else request.GET
    asked = sent.get(NEXT, "")
    return asked if is_own_path(asked) else shell.address


def _tell(request: HttpRequest, shell: Shell, chosen: Transition, was: str) -> None:
    """Say what happened, with the way back where there is a plain one."""
    moved: ServiceRequest = shell.request
    text = f"{moved.number}: “{chosen.label}” is done."
    if moved.state != was:
        text = f"{moved.number} is now “{moved.get_state_display()}”."
    messages.success(request, text, extra_tags=_undo_url(shell, was))


def _undo_url(shell: Shell, was: str) -> str:
    """Return the address of the move that puts it back and asks for nothing; "" without one."""
    moved = shell.request
    if moved.state == was:
        return ""
    for each in services.options(moved, shell.here.user, at=shell.here.now):
        step = each.transition
        is_plain = each.is_open and not (step.fields or step.needs_reason or step.warns)
        if is_plain and (step.leads(each.case) if step.leads else step.target) == was:
            return reverse("requests:move", args=[moved.pk, step.id])
    return ""


def _asked(shell: Shell, asked_id: uuid.UUID) -> Asked:
    for each in NextSteps(shell).asked:
        if each.request.uuid == asked_id:
            return each
    raise Http404


def _refusal(asked: Asked) -> str:
    return (REQUEST.transition(asked.request.transition).who.__doc__ or "").strip()
