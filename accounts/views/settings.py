"""Company settings and tiers, for administrators."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from accounts import permissions, selectors
from accounts.forms import CompanyForm, TierEndForm, TierForm
from accounts.here import Here, add_refusal, page, posted
from accounts.models import Tier
from accounts.selectors import then as past
from accounts.services import company as services
from config.lib.authz import require
from config.lib.errors import DomainError, StaleWrite
from config.lib.ui.formats import day_text
from config.lib.values import BadValue, money_text, parse_uuid


@require_http_methods(["GET", "POST"])
def company(request: HttpRequest) -> HttpResponse:
    here = _administrator(request)
    stored = {
        "name": here.company.name,
        "time_zone": here.company.time_zone,
        "reporting_currency": here.company.reporting_currency,
        "version": here.company.version,
    }
    form = CompanyForm(posted(request), initial=stored)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                services.update_company(**form.cleaned_data, by=here.user, at=here.now)
            except StaleWrite:
                form.add_error(None, _changed_meanwhile(stored))
                status = 409
            else:
                messages.success(request, "Settings saved.")
                return redirect("settings:company")
    return _page(request, "accounts/company.html", {"form": form}, here, "Company", status)


@require_safe
def tier_list(request: HttpRequest) -> HttpResponse:
    here = _administrator(request, looks=True)
    tiers = _tiers(here)
    context = {
        "in_force_title": "In force on the day" if here.looks_back else "In force today",
        "in_force": [tier for tier in tiers if _state(tier, here) == "running"],
        "planned": [tier for tier in tiers if _state(tier, here) == "planned"],
        "ended": [tier for tier in tiers if _state(tier, here) == "ended"],
        "currency": here.company.reporting_currency,
    }
    return _page(request, "accounts/tier_list.html", context, here, "Tiers")


@require_http_methods(["GET", "POST"])
def tier_create(request: HttpRequest) -> HttpResponse:
    here = _administrator(request)
    form = TierForm(
        posted(request),
        initial=_like(request.GET.get("like", ""), here),
    )
    if form.is_valid():
        given = {name: value for name, value in form.cleaned_data.items() if value is not None}
        try:
            tier = services.add_tier(**given, by=here.user, at=here.now)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            day = day_text(tier.start, here.today)
            messages.success(request, f"{tier.name} is in force from {day}.")
            return redirect("settings:tier-list")
    status = 422 if form.errors else 200
    context = {"form": form, "currency": here.company.reporting_currency}
    return _page(request, "accounts/tier_form.html", context, here, "Tiers", status)


@require_http_methods(["GET", "POST"])
def tier_end(request: HttpRequest, tier_id: uuid.UUID) -> HttpResponse:
    here = _administrator(request)
    tier = selectors.tiers_visible_to(here.user).filter(uuid=tier_id).first()
    if tier is None:
        raise Http404
    form = TierEndForm(posted(request), initial={"end": here.today})
    if form.is_valid():
        try:
            services.end_tier(tier, end=form.cleaned_data["end"], by=here.user, at=here.now)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            day = day_text(form.cleaned_data["end"], here.today)
            messages.success(request, f"{tier.name} is no longer in force from {day}.")
            return redirect("settings:tier-list")
    status = 422 if form.errors else 200
    context = {"form": form, "tier": tier}
    return _page(request, "accounts/tier_end.html", context, here, "Tiers", status)


def _tiers(here: Here) -> list[Tier]:
    if here.past is None:
        return list(selectors.tiers_visible_to(here.user))
    return [past.fact_of(version, Tier) for version in past.tiers_known(here.user, here.past)]


def _administrator(request: HttpRequest, *, looks: bool = False) -> Here:
    here = Here.looking(request) if looks else Here.of(request)
    require(permissions.can_change_company, here.user)
    return here


def _page(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    here: Here,
    tab: str,
    status: int = 200,
) -> HttpResponse:
    return page(request, template, {"tab": tab, **context}, here=here, status=status)


def _changed_meanwhile(stored: dict[str, Any]) -> str:
    return (
        "Not saved: someone changed these settings since you opened this page. They now read"
        f" “{stored['name']}”, {stored['time_zone']}, {stored['reporting_currency']}."
        " Reload the page to change those."
    )


def _state(tier: Tier, here: Here) -> str:
    if tier.start > here.today:
        return "planned"
    return "ended" if tier.end is not None and tier.end <= here.today else "running"


def _like(like: str, here: Here) -> dict[str, Any]:
    """Return a start for the form: the terms of the tier with that id."""
    try:
        tier = selectors.tiers_visible_to(here.user).filter(uuid=parse_uuid(like)).first()
    except BadValue:
        return {}
    if tier is None:
        return {}
    return {
        "name": tier.name,
        "arr_from": money_text(tier.arr_from),
        "engagement_model": tier.engagement_model,
        "cadence_days": tier.cadence_days,
        "most_accounts_per_tam": tier.most_accounts_per_tam,
        "project_mandatory": tier.project_mandatory,
    }
