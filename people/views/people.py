import uuid
from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config.lib.authz import require
from config.lib.errors import DomainError
from config.lib.htmx import render
from people import permissions, reach, selectors, services
from people.forms import ChangeRolesForm, PeopleFilter, PersonForm, TokenForm
from people.http import is_own_path, user_of
from people.models import ApiToken, User
from people.writing import once

PAGE_SIZE = 50
THEME_COOKIE = "theme"
THEME_COOKIE_SECONDS = 365 * 24 * 60 * 60


@require_safe
def token_list(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    tokens = list(selectors.tokens_of(user_of(request)))
    names = reach.named({one for token in tokens for one in token.account_ids or ()})
    context = {
        "usable": [(token, _reached(token, names)) for token in tokens if token.is_usable(now)],
        "ended": [token for token in tokens if not token.is_usable(now)],
    }
    return render(request, "people/token_list.html", context)


def token_shown(request: HttpRequest) -> HttpResponse:
    """What a form for a token answers the second time: the token itself is stored nowhere."""
    return render(request, "people/token_shown.html", {})


@never_cache
@sensitive_variables("text")
@require_http_methods(["GET", "POST"])
@once(again=token_shown)
def token_create(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    form = TokenForm(request.POST or None)
    if form.is_valid():
        try:
            token, text = services.create_token(
                owner=user, by=user, at=timezone.now(), **form.cleaned_data
            )
        except DomainError as refusal:
            _add_refusal(form, refusal)
        else:
            names = reach.named(token.account_ids or ())
            context = {"token": token, "text": text, "accounts": _reached(token, names)}
            return render(request, "people/token_created.html", context)
    return _form_page(request, "people/token_form.html", form)


@require_http_methods(["GET", "POST"])
def token_revoke(request: HttpRequest, token_id: uuid.UUID) -> HttpResponse:
    user = user_of(request)
    token = get_object_or_404(selectors.tokens_of(user), uuid=token_id)
    if request.method == "POST":
        services.revoke_token(token, by=user, at=timezone.now())
        messages.success(request, f"{token.name} is revoked.")
        return redirect("people:token-list")
    return render(request, "people/token_revoke.html", {"token": token})


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    chosen = request.POST.get("theme", "")
    if chosen not in User.Theme.values:
        raise BadRequest
    services.set_theme(user_of(request), chosen)
    back = request.POST.get("next", "")
    response = HttpResponseRedirect(back if is_own_path(back) else reverse("home"))
    # For the pages before the next sign-in.
    response.set_cookie(
        THEME_COOKIE,
        chosen,
        max_age=THEME_COOKIE_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


@require_safe
def person_list(request: HttpRequest) -> HttpResponse:
    require(permissions.can_see_people, user_of(request))
    text = request.GET.get("q", "")[:100]
    found = Paginator(selectors.people_named(text), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"people": found, "filters": PeopleFilter(request.GET)}
    return render(request, "people/person_list.html", context, partial="list")


@never_cache
@sensitive_variables("link")
@require_http_methods(["GET", "POST"])
def person_create(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    require(permissions.can_change_people, user)
    form = PersonForm(request.POST or None)
    if form.is_valid():
        try:
            with transaction.atomic():
                person = services.create_user(by=user, **form.cleaned_data)
                link = services.send_invitation(person, by=user)
        except DomainError as refusal:
            _add_refusal(form, refusal)
        else:
            return _link_page(request, person, link)
    return _form_page(request, "people/person_form.html", form)


@require_http_methods(["GET", "POST"])
def person_edit(request: HttpRequest, person_id: uuid.UUID) -> HttpResponse:
    user = user_of(request)
    require(permissions.can_see_people, user)
    person = get_object_or_404(selectors.people(), uuid=person_id)
    form = ChangeRolesForm.of(person, request.POST or None)
    if form.is_valid():
        try:
            services.change_roles(person, **form.cleaned_data, by=user)
        except DomainError as refusal:
            _add_refusal(form, refusal)
        else:
            messages.success(request, f"Roles of {person.name} saved.")
            return redirect("people:person-list")
    context = {
        "person": person,
        "may_change": permissions.can_change_roles_of(user, person),
        "refusal": permissions.can_change_roles_of.__doc__,
    }
    return _form_page(request, "people/person_edit.html", form, context)


@require_POST
def person_deactivate(request: HttpRequest, person_id: uuid.UUID) -> HttpResponse:
    return _switch(request, person_id, active=False)


@require_POST
def person_reactivate(request: HttpRequest, person_id: uuid.UUID) -> HttpResponse:
    return _switch(request, person_id, active=True)


@never_cache
@sensitive_variables("link")
@require_POST
def person_link(request: HttpRequest, person_id: uuid.UUID) -> HttpResponse:
    user = user_of(request)
    require(permissions.can_change_people, user)
    person = get_object_or_404(selectors.people(), uuid=person_id, is_active=True)
    return _link_page(request, person, services.send_invitation(person, by=user))


def _reached(token: ApiToken, names: Mapping[uuid.UUID, reach.Named]) -> list[reach.Named] | None:
    """Return the accounts the token is limited to; None: to none in particular."""
    if token.account_ids is None:
        return None
    return [names[one] for one in token.account_ids if one in names]


def _switch(request: HttpRequest, person_id: uuid.UUID, *, active: bool) -> HttpResponse:
    user = user_of(request)
    require(permissions.can_see_people, user)
    person = get_object_or_404(selectors.people(), uuid=person_id)
    try:
        if active:
            services.reactivate(person, by=user)
        else:
            services.deactivate(person, by=user, at=timezone.now())
    except DomainError as refusal:
        messages.error(request, str(refusal))
        return redirect("people:person-edit", person.uuid)
    word = "can sign in again" if active else "can no longer sign in"
    messages.success(request, f"{person.name} {word}.")
    return redirect("people:person-list")


def _link_page(request: HttpRequest, person: User, link: str) -> HttpResponse:
    return render(request, "people/person_link.html", {"person": person, "link": link})


def _form_page(
    request: HttpRequest, template: str, form: forms.Form, more: dict[str, Any] | None = None
) -> HttpResponse:
    context = {"form": form, **(more or {})}
    return render(request, template, context, status=422 if form.errors else 200)


def _add_refusal(form: forms.Form, refusal: DomainError) -> None:
    field = getattr(refusal, "field", "")
    form.add_error(field if field in form.fields else None, str(refusal))
