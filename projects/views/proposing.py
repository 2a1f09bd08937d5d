"""Proposing a project."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.here import Here, page, posted
from config.lib.authz import require
from config.lib.errors import DomainError
from people.writing import once
from projects import permissions
from projects.forms.proposing import NewForm
from projects.services import charters


@require_http_methods(["GET", "POST"])
@once
def new(request: HttpRequest) -> HttpResponse:
    here = Here.of(request)
    require(permissions.can_propose, here.user)
    form = NewForm(here.user, posted(request), initial=request.GET.dict())
    if form.is_valid():
        try:
            made = charters.propose(form.values(), by=here.user, at=here.now)
        except (ValidationError, DomainError) as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, f"{made.number} is proposed. Its charter says what is next.")
            return redirect("projects:detail", made.pk)
    context: dict[str, Any] = {"form": form}
    status = 422 if form.is_bound else 200
    return page(request, "projects/new.html", context, here=here, status=status)
