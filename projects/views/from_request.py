"""Making a project from a request, in one step."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.here import Here, page, posted
from config.lib.authz import require
from config.lib.errors import DomainError
from engagements.models import ServiceRequest
from engagements.selectors import requests_visible_to
from engagements.words import state_tag
from people.writing import once
from projects import permissions
from projects.forms.proposing import FromRequestForm
from projects.models import Project
from projects.rules.charter_values import Seats
from projects.selectors.from_request import charter_from, project_of, why_not_made
from projects.services import charters


@require_http_methods(["GET", "POST"])
@once
def from_request(request: HttpRequest, number: int) -> HttpResponse:
    here = Here.of(request)
    require(permissions.can_see_projects, here.user)
    asked = requests_visible_to(here.user).filter(pk=number).first()
    if asked is None:
        raise Http404
    require(permissions.can_make_from_request, here.user)
    other = project_of(asked)
    values = charter_from(asked, by=here.user)
    form = FromRequestForm(
        posted(request),
        is_second=other is not None,
        initial={"title": values["title"], "type": values["type"]},
    )
    if form.is_valid():
        try:
            made = charters.make_from_request(
                asked, by=here.user, at=here.now, values=form.values(), again=form.again
            )
        except (ValidationError, DomainError) as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, f"{made.number} is made from {asked.number}.")
            return redirect("projects:detail", made.pk)
    return _page(request, here, asked, form, values, other)


def _page(
    request: HttpRequest,
    here: Here,
    asked: ServiceRequest,
    form: FromRequestForm,
    values: dict[str, Any],
    other: Project | None,
) -> HttpResponse:
    accounts = values.get("accounts", [])
    context = {
        "form": form,
        "service_request": asked,
        "state": state_tag(asked),
        "why_not": why_not_made(asked, on=here.today),
        "other": other,
        "values": values,
        "account": asked.account,
        "seats": Seats(*accounts[0][1:]) if accounts else None,
    }
    status = 422 if form.is_bound else 200
    return page(request, "projects/from_request.html", context, here=here, status=status)
