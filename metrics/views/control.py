"""Runs under control: what is held and who may publish it, and what has not arrived."""

import datetime as dt
import uuid
from fractions import Fraction
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.services.readings import BY_HAND
from config.lib import keyset
from config.lib.authz import require
from config.lib.errors import Conflict, Missing
from config.lib.htmx import render
from config.lib.paging import paged
from config.lib.ui.formats import day_text
from metrics import permissions
from metrics.forms import PublishForm
from metrics.models import MetricRun
from metrics.selectors import arrivals, dashboard, holding, late_readings, runs
from metrics.selectors.runs import SEATS_DEPLOYED
from metrics.services.alerts import evaluate
from metrics.services.holding import publish_run
from metrics.views.period import Period, read_period
from people.http import user_of
from people.models import Role
from people.selectors import people_with_role

NEWEST_FIRST = ("-computed_at",)
MOST_NAMED = 3


def control_context(run: MetricRun | None, period: Period, *, now: dt.datetime) -> dict[str, Any]:
    """Return the held run that would stand in place of the one shown, and what is missing."""
    if period.known_at is not None:
        return {}
    held = holding.held_beside(run, SEATS_DEPLOYED, until=period.day)
    return {
        "held": held,
        "held_shares": dashboard.shares_of(held) if held else None,
        "not_arrived": [] if period.day or run is None else _not_arrived(run, period, now),
    }


def _not_arrived(run: MetricRun, period: Period, now: dt.datetime) -> list[str]:
    """Say in a sentence each what usually is here by now."""
    told = [
        f"Seat counts {_origin(late.source)} for {late.accounts:,} "
        f"account{'' if late.accounts == 1 else 's'}, the last of them on "
        f"{day_text(late.last.astimezone(period.zone).date(), period.today)}"
        for late in late_readings.by_source_of(run, period.zone)
    ]
    for file in arrivals.overdue_files(now=now):
        last = day_text(file.last.astimezone(period.zone).date(), period.today)
        rhythm = "every day" if file.every_days <= 1 else f"every {file.every_days} days"
        told.append(f"{file.kind} from {file.source}, which come {rhythm} and last came on {last}")
    return told


def _origin(source: str) -> str:
    return "entered by hand" if source == BY_HAND else f"from {source.replace('_', '-')}"


@require_safe
def run_list(request: HttpRequest) -> HttpResponse:
    """Every run of the ledger, the newest computed first."""
    require(permissions.can_see_metrics, user_of(request))
    period = read_period(request, now=timezone.now())
    found = holding.run_log(SEATS_DEPLOYED)
    if only_held := "held" in request.GET:
        found = holding.waiting(SEATS_DEPLOYED).order_by("-computed_at", "-id")
    page = paged(request, found, keyset.keys_for(MetricRun, NEWEST_FIRST))
    with timezone.override(period.zone):
        context = {
            "period": period,
            "notes": [*period.notes, *page.notes],
            "runs": [(run, _share_of(run)) for run in page.rows],
            "only_held": only_held,
            "views": [
                {"label": "All", "url": "?", "current": not only_held},
                {
                    "label": "Held",
                    "url": "?held=1",
                    "current": only_held,
                    "count": holding.waiting(SEATS_DEPLOYED).count(),
                },
            ],
            "next": page.next,
            "previous": page.previous,
            "summary": f"{len(page.rows):,} run{'' if len(page.rows) == 1 else 's'}",
        }
        return render(request, "metrics/run_list.html", context, partial="list").render()


def _share_of(run: MetricRun) -> Fraction | None:
    return dashboard.shares_of(run).value


@require_http_methods(["GET", "POST"])
def run_detail(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """One run: what it says, why it is held, and the form that publishes it."""
    user = user_of(request)
    require(permissions.can_see_metrics, user)
    run = holding.run_log(SEATS_DEPLOYED).filter(uuid=run_id).first()
    if run is None:
        raise Missing("There is no such run.")
    period = read_period(request, now=timezone.now())
    form = PublishForm(request.POST or None)
    if request.method == "POST":
        require(permissions.can_publish, user)
        if form.is_valid():
            try:
                publish_run(run, reason=form.cleaned_data["reason"], by=user, at=timezone.now())
            except Conflict as refusal:
                messages.warning(request, f"Not published. {refusal}")
            else:
                evaluate(at=timezone.now())
                messages.success(request, f"Published: the number of {day_text(run.day)}.")
                return redirect("metrics:dashboard")
            return redirect("metrics:run-detail", run_id=run.uuid)
    before = runs.run_on(SEATS_DEPLOYED, run.day)
    with timezone.override(period.zone):
        context = {
            "run": run,
            "period": period,
            "form": form,
            "share": _share_of(run),
            "before": before if before and before.pk != run.pk else None,
            "before_share": _share_of(before) if before else None,
            "may_publish": permissions.can_publish(user),
            "is_waiting": holding.waiting(SEATS_DEPLOYED).filter(pk=run.pk).exists(),
            "owners": _owners(),
            "recompute_url": reverse("metrics:recompute"),
        }
        status = 422 if form.errors else 200
        return render(request, "metrics/run_detail.html", context, status=status).render()


def _owners() -> str:
    names = [owner.name for owner in people_with_role(Role.METRIC_OWNER)[:MOST_NAMED]]
    return ", ".join(names) or "a metric owner (an administrator can name one)"
