"""What is done with an import: each a form that is sent, and back to its page."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts import permissions
from accounts.here import Here
from accounts.imports import lifecycle
from accounts.models import Import
from accounts.views.imports_detail import import_in
from accounts.views.imports_words import changes_of, counted
from config.lib.authz import require
from config.lib.errors import DomainError, StaleWrite

Status = Import.Status
Act = Callable[[HttpRequest, Import, Here], str]


def _act(do: Act) -> Callable[[HttpRequest, int], HttpResponse]:
    """Wrap what is done, which returns what to tell; what is refused is told as well."""

    @wraps(do)
    @require_POST
    def view(request: HttpRequest, number: int) -> HttpResponse:
        here = Here.of(request)
        import_ = import_in(request, here, number)
        try:
            told = do(request, import_, here)
        except StaleWrite:
            return HttpResponseRedirect(f"{reverse('imports:detail', args=[number])}?changed=1")
        except DomainError as refusal:
            told = refusal.message
        if told:
            messages.info(request, told)
        return redirect("imports:detail", number)

    return view


@_act
def import_exclude(request: HttpRequest, import_: Import, here: Here) -> str:
    require(permissions.can_import, here.user)
    if request.POST.get("rows") == "none":
        lifecycle.include_all(import_, by=here.user, at=here.now)
        return "No row is left out any more. This is the new plan."
    found = lifecycle.exclude(import_, None, by=here.user, at=here.now)
    return f"{counted(len(found.excluded), 'row')} left out. This is the new plan."


@_act
def import_apply(request: HttpRequest, import_: Import, here: Here) -> str:
    require(permissions.can_import, here.user)
    if _is_through(import_):
        return ""
    plan_hash = request.POST.get("plan_hash", "")
    return _told(lifecycle.request_apply(import_, plan_hash=plan_hash, by=here.user, at=here.now))


@_act
def import_approve(request: HttpRequest, import_: Import, here: Here) -> str:
    require(permissions.can_approve_import, here.user, import_)
    if _is_through(import_):
        return ""
    plan_hash = request.POST.get("plan_hash", "")
    return _told(lifecycle.approve(import_, plan_hash=plan_hash, by=here.user, at=here.now))


@_act
def import_undo(request: HttpRequest, import_: Import, here: Here) -> str:
    require(permissions.can_import, here.user)
    found = lifecycle.undo(import_, by=here.user, at=here.now)
    return "" if found.status == Status.UNDOING else "Undone."


@_act
def import_discard(request: HttpRequest, import_: Import, here: Here) -> str:
    if not permissions.can_approve_import(here.user, import_):
        require(permissions.can_import, here.user)
    lifecycle.discard(import_, by=here.user, at=here.now)
    return "Discarded. Nothing of it was applied."


def _is_through(import_: Import) -> bool:
    """Whether the button was pressed twice: the page shows what the first time did."""
    return import_.status in {Status.APPLYING, Status.APPLIED}


def _told(import_: Import) -> str:
    match import_.status:
        case Status.APPLIED:
            return f"{counted(changes_of(import_), 'change')} applied."
        case Status.WAITING:
            return "A second person has to approve it now."
    return ""
