"""The charter of a project: what it is for, what it takes, who does it, what is missing."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from accounts.here import page, posted
from config.lib import htmx
from config.lib.authz import require
from config.lib.errors import DomainError, StaleWrite
from people.writing import once
from projects import permissions, selectors
from projects.forms.charter_rows import RowsForm
from projects.models import ProjectState
from projects.selectors.scoring import history_of
from projects.services import charters
from projects.views.blocks import BY_NAME, AnyForm, Block, BlockCard, cards_of, form_of, gaps_of
from projects.views.outcome_words import calibrated
from projects.views.shell import CHARTER, Shell, project_page, project_shell
from projects.views.stories import stories_since

BLOCKED = "blocked"


@require_safe
def detail(request: HttpRequest, number: int) -> HttpResponse:
    shell = project_shell(request, number)
    return project_page(request, shell, "projects/charter.html", CHARTER, _shown(shell))


@require_http_methods(["GET", "POST"])
@once
def edit(request: HttpRequest, number: int, block: str) -> HttpResponse:
    """One block as a form: in its place with htmx, a page of its own without."""
    shell = project_shell(request, number)
    found = BY_NAME.get(block)
    if found is None:
        raise Http404
    require(permissions.can_edit, shell.here.user, shell.project)
    form = form_of(found, shell, posted(request))
    if request.method != "POST":
        return _form(request, shell, found, form)
    if isinstance(form, RowsForm) and form.wants_more:
        return _form(request, shell, found, form)
    if not form.is_valid():
        return _form(request, shell, found, form, status=422)
    try:
        _save(shell, found, form)
    except StaleWrite:
        fresh = project_shell(request, number)
        missed = max(1, fresh.project.version - (form.version or 0))
        return _form(request, fresh, found, form, missed=missed, status=412)
    except (ValidationError, DomainError) as refusal:
        form.refuse(refusal)
        status = refusal.status if isinstance(refusal, DomainError) else 422
        return _form(request, project_shell(request, number), found, form, status=status)
    return _saved(request, shell, found)


def _save(shell: Shell, block: Block, form: AnyForm) -> None:
    here, values = shell.here, form.values()
    if block.name == BLOCKED:
        why = values["blocked_by"]
        charters.set_blocked(shell.project, why, version=form.version, by=here.user, at=here.now)
    else:
        charters.change_charter(
            shell.project, values, version=form.version, by=here.user, at=here.now
        )


def _saved(request: HttpRequest, shell: Shell, block: Block) -> HttpResponse:
    fresh = project_shell(request, shell.project.pk)
    if not (block.is_card and _is_in_place(request, block)):
        messages.success(request, f"{block.label}: saved.")
        return redirect(f"{shell.address}#block-{block.name}" if block.is_card else shell.address)
    card = BlockCard(block, fresh, is_saved=True)
    context = {**_shared(fresh), **_shown(fresh), "card": card}
    return page(request, "projects/charter/saved.html", context, here=fresh.here)


def _form(
    request: HttpRequest,
    shell: Shell,
    block: Block,
    form: AnyForm,
    *,
    missed: int = 0,
    status: int = 200,
) -> HttpResponse:
    calibration = None
    if block.name == "accounts":
        calibration = calibrated(shell.project.type, but=shell.project)
    context = {
        "form": form,
        "card": BlockCard(block, shell),
        "calibration": calibration,
        "is_stale": missed > 0,
        "missed": stories_since(shell, missed) if missed else [],
        "resets": _resets(shell, block),
        "is_in_place": _is_in_place(request, block),
    }
    if context["is_in_place"]:
        return page(
            request,
            "projects/charter/form.html",
            {**_shared(shell), **context},
            here=shell.here,
            status=status,
        )
    return project_page(
        request, shell, "projects/charter/edit.html", block.label, context, status=status
    )


def _resets(shell: Shell, block: Block) -> str:
    """Say what a change of this block takes back, before it is saved."""
    if block.name == "scope":
        return selectors.what_a_change_of_scope_resets(shell.project)
    return ""


def _is_in_place(request: HttpRequest, block: Block) -> bool:
    asked_for = request.headers.get("HX-Target", "")
    return htmx.is_htmx(request) and asked_for == f"block-{block.name}"


def _shared(shell: Shell) -> dict[str, Any]:
    return {"shell": shell, "project": shell.project}


def _shown(shell: Shell) -> dict[str, Any]:
    project = shell.project
    history = history_of(project, most=1)
    return {
        "cards": cards_of(shell),
        "gaps": gaps_of(shell) if project.state == ProjectState.PROPOSED else [],
        "scoring": history[0].scoring if history else None,
    }
