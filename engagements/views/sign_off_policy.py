"""Settings of sign-off, for administrators."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from accounts.here import Here, add_refusal, page, posted
from config.lib.authz import require
from config.lib.errors import DomainError
from config.lib.ui.formats import day_text
from engagements import permissions
from engagements.forms.sign_off_policy import MinimumEndForm, MinimumForm, PolicyForm
from engagements.models import SignOffMinimum, SignOffPolicy
from engagements.selectors import policy_on
from engagements.services import sign_off_policy as services

TAB = "Sign-off"
POLICY, MINIMUM = "policy", "minimum"


@require_http_methods(["GET", "POST"])
def sign_off(request: HttpRequest) -> HttpResponse:
    """Both in one page; a form says with `do` which it is."""
    here = _administrator(request)
    now = policy_on(here.today)
    policy_form = PolicyForm(
        posted(request) if request.POST.get("do") == POLICY else None,
        auto_id="policy_%s",
        initial={"start": here.today, **{name: getattr(now, name) for name in services.FIELDS}},
    )
    minimum_form = MinimumForm(
        posted(request) if request.POST.get("do") == MINIMUM else None,
        auto_id="minimum_%s",
        initial={"start": here.today, "currency": here.company.reporting_currency},
    )
    saved = _set_policy(request, here, policy_form) or _add_minimum(request, here, minimum_form)
    if saved:
        return redirect("settings:sign-off")
    sent = next((each for each in (policy_form, minimum_form) if each.is_bound), None)
    context = {
        "policy": now,
        "planned": SignOffPolicy.objects.filter(start__gt=here.today).order_by("start"),
        "groups": _minimums(here),
        "policy_form": policy_form,
        "minimum_form": minimum_form,
        "form": sent,
        "tab": TAB,
    }
    status = 422 if sent is not None else 200
    return page(request, "requests/settings/sign_off.html", context, here=here, status=status)


@require_http_methods(["GET", "POST"])
def minimum_end(request: HttpRequest, minimum_id: uuid.UUID) -> HttpResponse:
    here = _administrator(request)
    minimum = get_object_or_404(SignOffMinimum, uuid=minimum_id)
    form = MinimumEndForm(posted(request), initial={"end": here.today})
    if form.is_valid():
        end = form.cleaned_data["end"]
        try:
            services.end_minimum(minimum, end=end, by=here.user, today=here.today)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, f"It holds no more from {day_text(end, here.today)} on.")
            return redirect("settings:sign-off")
    status = 422 if form.errors else 200
    context = {"form": form, "minimum": minimum, "tab": TAB}
    return page(request, "requests/settings/minimum_end.html", context, here=here, status=status)


def _set_policy(request: HttpRequest, here: Here, form: PolicyForm) -> bool:
    if not form.is_valid():
        return False
    values = dict(form.cleaned_data)
    start = values.pop("start")
    return _saved(
        request,
        form,
        lambda: services.set_policy(values, start=start, by=here.user, today=here.today),
        f"Links work like this from {day_text(start, here.today)} on.",
    )


def _add_minimum(request: HttpRequest, here: Here, form: MinimumForm) -> bool:
    if not form.is_valid():
        return False
    given = form.cleaned_data
    return _saved(
        request,
        form,
        lambda: services.add_minimum(**given, by=here.user, today=here.today),
        f"It is asked for from {day_text(given['start'], here.today)} on.",
    )


def _saved(request: HttpRequest, form: forms.Form, work: Any, words: str) -> bool:
    try:
        work()
    except DomainError as refusal:
        add_refusal(form, refusal)
        return False
    messages.success(request, words)
    return True


def _minimums(here: Here) -> list[tuple[str, list[SignOffMinimum]]]:
    rows = list(SignOffMinimum.objects.order_by("amount_from", "impact", "start"))
    in_force = [each for each in rows if each.start <= here.today and _goes_on(each, here)]
    planned = [each for each in rows if each.start > here.today]
    ended = [each for each in rows if not _goes_on(each, here) and each not in planned]
    return [("In force today", in_force), ("Planned", planned), ("Ended", ended)]


def _goes_on(minimum: SignOffMinimum, here: Here) -> bool:
    return minimum.end is None or minimum.end > here.today


def _administrator(request: HttpRequest) -> Here:
    here = Here.of(request)
    require(permissions.can_change_policy, here.user)
    return here
