"""The register of all that stays, of requests and of projects."""

import uuid
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.here import Here, add_refusal, page, posted
from config.lib.authz import require
from config.lib.errors import DomainError
from config.lib.keyset import Key
from config.lib.paging import paged
from config.lib.rendering import csv_response
from engagements import permissions as request_permissions
from engagements.delivery_forms import care_of
from engagements.models import Artefact
from engagements.services.keeping import look_after
from people.models import User
from people.writing import once
from projects import permissions, selectors
from projects.forms.artefacts import RegisterForm
from projects.forms.delivery import RetiredForm
from projects.models import KeptArtefact, ProjectArtefact
from projects.selectors import artefacts as register
from projects.services import artefacts as services

ORDER = (Key("name"), Key("pk"))
REVIEW_FIRST = (Key("review_on", nullable=True), Key("pk"))
CSV_ROWS = 500
COLUMNS = (
    "name", "of", "title", "url", "maintained_by", "known_by", "has_left",
    "depends_on_server_version", "review_on", "retired_on",
)  # fmt: skip


@require_safe
def artefact_list(request: HttpRequest) -> HttpResponse:
    here = Here.of(request)
    form, rows, view = _asked(request, here)
    listed = paged(request, rows, REVIEW_FIRST if view == register.DUE else ORDER)
    context: dict[str, Any] = {
        "form": form,
        "notes": [*form.notes, *listed.notes],
        "list": listed,
        "view": view,
        "chips": _chips(request, view, here),
        "is_narrowed": any(form.data.get(name) for name in form.fields),
        "orphans": selectors.orphans(here.user),
        "csv_url": f"{reverse('projects:artefacts-csv')}?{request.GET.urlencode()}",
    }
    return page(request, "projects/artefacts/list.html", context, here=here, partial="list")


@require_safe
def artefact_csv(request: HttpRequest) -> HttpResponseBase:
    here = Here.of(request)
    _, rows, _ = _asked(request, here)
    name = f"artefacts-{here.today}.csv"
    return csv_response(name, COLUMNS, _lines(rows.order_by("name", "pk")))


@require_http_methods(["GET", "POST"])
@once
def artefact_edit(request: HttpRequest, artefact_id: uuid.UUID) -> HttpResponse:
    """Say who looks after it, until when, and whether it is still in use."""
    here = Here.of(request)
    require(permissions.can_see_projects, here.user)
    row = selectors.artefacts_visible_to(here.user).filter(uuid=artefact_id).first()
    if row is None:
        raise Http404
    artefact = _stored(row, here.user)
    initial = {**care_of(artefact), "retired_on": artefact.retired_on}
    form, status = RetiredForm(posted(request), initial=initial), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                _save(artefact, form.cleaned_data, here)
            except DomainError as refusal:
                add_refusal(form, refusal)
            else:
                messages.success(request, f"“{artefact.name}” is saved.")
                return redirect("projects:artefacts")
    context = {"form": form, "row": row}
    return page(request, "projects/artefacts/edit.html", context, here=here, status=status)


def _asked(request: HttpRequest, here: Here) -> tuple[RegisterForm, QuerySet[KeptArtefact], str]:
    """Read which rows the address asks for."""
    require(permissions.can_see_projects, here.user)
    form = RegisterForm(request.GET)
    view = request.GET.get("view", "")
    if view not in register.VIEWS:
        view = register.IN_USE
    rows = selectors.artefacts_visible_to(here.user)
    rows = register.in_view(rows, view, on=here.today)
    return form, register.narrowed(rows, form.filters(), user=here.user), view


def _chips(request: HttpRequest, view: str, here: Here) -> list[dict[str, Any]]:
    names = RegisterForm.base_fields
    kept = {name: request.GET[name] for name in names if request.GET.get(name)}
    rows = selectors.artefacts_visible_to(here.user)
    counts = {
        name: register.in_view(rows, name, on=here.today).count()
        for name in (register.ORPHANS, register.DUE)
    }
    return [
        {
            "label": label,
            "url": f"?{urlencode({'view': name, **kept})}",
            "current": name == view,
            "count": counts.get(name) or None,
        }
        for name, label in register.VIEWS.items()
    ]


def _stored(row: KeptArtefact, user: User) -> Artefact | ProjectArtefact:
    if row.project_id:
        of_project = ProjectArtefact.objects.select_related("project", "keeper").get(uuid=row.uuid)
        require(permissions.can_keep_artefacts, user, of_project.project)
        return of_project
    of_request = Artefact.objects.select_related("request", "keeper").get(uuid=row.uuid)
    require(request_permissions.can_keep_artefacts, user, of_request.request)
    return of_request


def _save(artefact: Artefact | ProjectArtefact, given: dict[str, Any], here: Here) -> None:
    if isinstance(artefact, Artefact):
        look_after(artefact, **given, by=here.user, at=here.now)
    else:
        services.change_artefact(artefact, **given, by=here.user, at=here.now)


def _lines(rows: QuerySet[KeptArtefact]) -> Iterator[list[Any]]:
    found = iter(rows.iterator(chunk_size=CSV_ROWS))
    while chunk := list(islice(found, CSV_ROWS)):
        for row in chunk:
            yield _line(row)


def _line(row: KeptArtefact) -> list[Any]:
    return [
        row.name,
        row.of,
        row.title,
        row.url,
        row.maintained_by,
        row.keeper.name if row.keeper else "",
        row.keeper is not None and not row.keeper.is_active,
        row.depends_on_server_version,
        row.review_on,
        row.retired_on,
    ]
