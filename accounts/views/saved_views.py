"""Views people keep of any list, and which columns a list shows.

All of it works for every ListPage that is registered, whichever app it belongs to.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms import ViewForm
from accounts.here import add_refusal, posted
from config.lib import lists
from config.lib.authz import require
from config.lib.errors import DomainError
from config.lib.htmx import render
from config.lib.lists import COLUMNS, SAVED, ListPage, url_of_view
from people import permissions
from people.http import user_of
from people.models import SavedView, User
from people.services import saved_views as services

PAGE = "page"


@dataclass(frozen=True)
class Line:
    """A saved view, as the page that lists them shows it."""

    view: SavedView
    page: ListPage
    may_change: bool

    @property
    def url(self) -> str:
        return url_of_view(self.view)


@require_safe
def view_list(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    require(permissions.can_save_views, user)
    found = [
        Line(view, page, permissions.can_change_view(user, view))
        for view in user.visible_views
        if (page := lists.page_named(view.page))
    ]
    context = {
        "own": [line for line in found if not line.view.is_team],
        "team": [line for line in found if line.view.is_team],
        "refusal": permissions.can_make_team_views.__doc__,
        "may_share": permissions.can_make_team_views(user),
    }
    return render(request, "lists/view_list.html", context)


@require_http_methods(["GET", "POST"])
def view_create(request: HttpRequest) -> HttpResponse:
    """Keep what a list shows, as its address says it, under a name."""
    user = user_of(request)
    require(permissions.can_save_views, user)
    sent = request.POST if request.method == "POST" else request.GET
    page = _page_asked(sent)
    state = page.state_of(sent)
    form = ViewForm(posted(request), may_share=permissions.can_make_team_views(user))
    if form.is_valid():
        try:
            view = services.create_view(
                page=page.name,
                query=state.query,
                columns=state.columns,
                by=user,
                at=timezone.now(),
                **form.cleaned_data,
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, f"“{view.name}” is kept in the side bar.")
            return redirect(url_of_view(view))
    context = {
        "form": form,
        "page": page,
        "hidden": [(PAGE, page.name), *state.parameters],
        "back_url": page.url + state.address(),
        "refusal": permissions.can_make_team_views.__doc__,
    }
    return _form_page(request, "lists/view_form.html", form, context)


@require_POST
def view_save(request: HttpRequest, view_id: uuid.UUID) -> HttpResponse:
    """Let a view be what its list shows now."""
    user = user_of(request)
    view = _view_of(user, view_id)
    state = _page_of(view).state_of(request.POST)
    view = services.change_view(
        view, query=state.query, columns=list(state.columns), by=user, at=timezone.now()
    )
    messages.success(request, f"“{view.name}” is saved.")
    return redirect(url_of_view(view))


@require_http_methods(["GET", "POST"])
def view_edit(request: HttpRequest, view_id: uuid.UUID) -> HttpResponse:
    user = user_of(request)
    view = _view_of(user, view_id)
    require(permissions.can_change_view, user, view)
    form = ViewForm(
        posted(request),
        initial={"name": view.name, "is_team": view.is_team},
        may_share=permissions.can_make_team_views(user),
    )
    if form.is_valid():
        try:
            services.change_view(view, by=user, at=timezone.now(), **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, f"“{form.cleaned_data['name']}” is saved.")
            return redirect("views:list")
    context = {
        "form": form,
        "view": view,
        "page": _page_of(view),
        "back_url": url_of_view(view),
        "refusal": permissions.can_make_team_views.__doc__,
    }
    return _form_page(request, "lists/view_edit.html", form, context)


@require_http_methods(["GET", "POST"])
def view_delete(request: HttpRequest, view_id: uuid.UUID) -> HttpResponse:
    user = user_of(request)
    view = _view_of(user, view_id)
    require(permissions.can_change_view, user, view)
    if request.method == "POST":
        services.delete_view(view, by=user)
        messages.success(request, f"“{view.name}” is deleted.")
        return redirect("views:list")
    context = {"view": view, "page": _page_of(view), "back_url": url_of_view(view)}
    return render(request, "lists/view_delete.html", context)


@require_safe
def columns(request: HttpRequest) -> HttpResponse:
    """Choose columns and their order; the buttons send the whole form, so it needs no script."""
    require(permissions.can_save_views, user_of(request))
    page = _page_asked(request.GET)
    state = page.state_of(request.GET)
    order, shown = _columns_of(request.GET, page)
    if "show" in request.GET and shown:
        names = ",".join(name for name in order if name in shown)
        asked = QueryDict(state.query, mutable=True)
        asked[COLUMNS] = names
        return redirect(page.url + page.state_of(asked).address(request.GET.get(SAVED, "")))
    filters = lists.State(state.query)
    opened = [(SAVED, request.GET[SAVED])] if request.GET.get(SAVED) else []
    context = {
        "page": page,
        "choices": lists.arranged(page, order, shown),
        "hidden": [(PAGE, page.name), *opened, *filters.parameters],
        "is_empty": not shown,
        "back_url": page.url + state.address(request.GET.get(SAVED, "")),
        "usual_url": page.url + filters.address(request.GET.get(SAVED, "")),
    }
    return render(request, "lists/columns.html", context, partial="columns-form")


def _columns_of(sent: QueryDict, page: ListPage) -> tuple[list[str], list[str]]:
    """Return all columns in the order asked for, and those that are ticked."""
    if "order" not in sent:
        shown = list(page.columns_asked(sent.getlist(COLUMNS)) or page.default_columns)
        return shown, shown
    order = [choice.column.name for choice in lists.arranged(page, sent.getlist("order"), ())]
    for name, by in (("up", -1), ("down", 1)):
        order = lists.moved(order, sent.get(name, ""), by)
    ticked = set(sent.getlist("column"))
    return order, [name for name in order if name in ticked]


def _page_asked(sent: QueryDict) -> ListPage:
    page = lists.page_named(sent.get(PAGE, ""))
    if page is None:
        raise Http404
    return page


def _page_of(view: SavedView) -> ListPage:
    page = lists.page_named(view.page)
    if page is None:
        raise Http404
    return page


def _view_of(user: User, view_id: uuid.UUID) -> SavedView:
    """Return one of the person's or the team's; 404 where it is somebody else's."""
    view = next((view for view in user.visible_views if view.uuid == view_id), None)
    if view is None:
        raise Http404
    return view


def _form_page(
    request: HttpRequest, template: str, form: ViewForm, context: dict[str, Any]
) -> HttpResponse:
    return render(
        request, template, context, partial="view-form", status=422 if form.errors else 200
    )
