"""How health is worked out: read by everybody with a role, changed by the metric owner."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from accounts.here import Here, add_refusal, page, posted
from config.lib.authz import require
from config.lib.errors import DomainError
from config.lib.ui.formats import day_text
from metrics import permissions
from metrics.models import HealthPolicy
from metrics.rules.health_policy import Policy
from metrics.selectors import health
from metrics.selectors import health_words as words
from metrics.selectors.health_preview import Preview, preview
from metrics.services import health_policy as services
from metrics.views.health_forms import PolicyForm
from people.models import Role
from people.permissions import has_role
from people.writing import once

TAB = "Health"
SAVE = "save"
TEMPLATE = "metrics/settings/health.html"


@dataclass(frozen=True)
class Shown:
    """A policy as pages print it."""

    row: HealthPolicy
    policy: Policy
    is_now: bool = False
    is_planned: bool = False

    @property
    def parts(self) -> list[tuple[str, int, str]]:
        return words.policy_sentences(self.row)

    @property
    def bands(self) -> str:
        return ", ".join(
            f"{band.name} from {band.least}" if band.least else f"{band.name} below"
            for band in self.policy.bands
        )


class Compared(NamedTuple):
    """How many accounts are in a band now, and would be."""

    band: str
    before: int
    after: int


@require_http_methods(["GET", "POST"])
def health_settings(request: HttpRequest) -> HttpResponse:
    """Show the policies; a form says with `do` whether it asks what would move, or saves."""
    here = Here.of(request)
    require(permissions.can_see_metrics, here.user)
    if request.method == "POST":
        require(permissions.can_change_health_policy, here.user)
    now = health.policy_row_on(here.today)
    form = PolicyForm(posted(request), policy=health.read(now), today=here.today)
    found: Preview | None = None
    if form.is_valid():
        given = {"start": form.cleaned_data["start"], **form.values}
        try:
            if request.POST.get("do") == SAVE:
                note = form.cleaned_data["note"]
                row = services.begin_policy(**given, note=note, by=here.user, at=here.now)
                day = day_text(row.start, here.today)
                messages.success(request, f"Policy {row.number} holds from {day} on.")
                return redirect("settings:health")
            found = _preview(given, here)
        except DomainError as refusal:
            add_refusal(form, refusal)
    context = {
        **_policies(here.today),
        "form": form,
        "preview": found,
        "bands": _compared(found, form) if found else [],
        "asked": request.method == "POST" and not form.errors,
        "tab": TAB,
        "may_change": permissions.can_change_health_policy(here.user),
        "has_settings": has_role(here.user, Role.ADMINISTRATOR),
    }
    return page(request, TEMPLATE, context, here=here, status=422 if form.errors else 200)


@require_POST
@once
def take_back(request: HttpRequest, health_policy_id: uuid.UUID) -> HttpResponse:
    here = Here.of(request)
    require(permissions.can_change_health_policy, here.user)
    row = get_object_or_404(HealthPolicy, uuid=health_policy_id)
    services.take_back(row, by=here.user, at=here.now)
    messages.success(request, f"Policy {row.number} is taken back. It never begins.")
    return redirect("settings:health")


def _preview(given: dict[str, Any], here: Here) -> Preview | None:
    policy = services.checked_policy(**given, on=here.today)
    night = health.night_on(here.today)
    return preview(policy, night) if night else None


def _compared(found: Preview, form: PolicyForm) -> list[Compared]:
    """Return the bands there are and would be, in the order of the new ones."""
    names = [band["name"] for band in form.values["bands"]]
    others = sorted((found.before.keys() | found.after.keys()) - {*names, ""})
    rows = [Compared(name, found.before[name], found.after[name]) for name in [*names, *others]]
    without = Compared(words.NO_SCORE, found.before[""], found.after[""])
    return [*rows, without] if without.before or without.after else rows


def _policies(today: dt.date) -> dict[str, Any]:
    rows = health.policies()
    now = next((row for row in rows if row.start <= today), rows[-1])
    shown = [
        Shown(row, health.read(row), is_now=row == now, is_planned=row.start > today)
        for row in rows
    ]
    return {
        "now": next(each for each in shown if each.is_now),
        "others": [each for each in shown if not each.is_now],
    }
