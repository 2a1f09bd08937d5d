"""Scenarios: what-ifs that people keep, and what came of them."""

import uuid
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.here import Here, page
from config.lib import keyset
from config.lib.authz import require
from config.lib.errors import Invalid
from config.lib.paging import paged
from config.lib.rendering import csv_response
from config.lib.ui.formats import day_text, points_text, share_text
from config.lib.values import ratio_text
from metrics import permissions
from metrics.forms import ScenarioForm
from metrics.models import Scenario
from metrics.selectors import changes, runs, scenarios
from metrics.selectors.runs import SEATS_DEPLOYED
from metrics.selectors.scenarios import Promised, Since, WorkSince
from metrics.selectors.what_if import number_of
from metrics.services.scenarios import delete_scenario, keep_scenario
from metrics.views.what_if import Shown
from metrics.views.what_if_asked import read_asked
from people.writing import once
from projects.models import Project

PLACES = 6
COLUMNS = (
    "account", "external_id", "name", "seats_to_go", "seats_low", "seats_likely", "seats_high",
    "promised_points", "happened_points", "difference_points", "deployed_then", "deployed_now",
    "passes_now", "why",
)  # fmt: skip
LIST_COLUMNS = (
    "name", "kept_by", "kept_at", "day", "then", "promised", "low", "high", "accounts_crossing",
    "days",
)  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@once
def scenario_list(request: HttpRequest) -> HttpResponse:
    """The list; POST keeps what is sent along as a new one."""
    here = Here.of(request)
    require(permissions.can_see_metrics, here.user)
    if request.method == "POST":
        return _keep(request, here)
    found = scenarios.scenarios_visible_to(here.user)
    shown = paged(request, found, keyset.keys_for(Scenario, ["-at", "-id"]))
    context = {
        "scenarios": [Promised(each) for each in shown.rows],
        "notes": shown.notes,
        "next": shown.next,
        "previous": shown.previous,
        "summary": f"{len(shown.rows):,} scenario{'' if len(shown.rows) == 1 else 's'}",
    }
    return page(request, "metrics/scenarios/list.html", context, here=here, partial="list")


def _keep(request: HttpRequest, here: Here) -> HttpResponse:
    require(permissions.can_keep_scenarios, here.user)
    asked = read_asked(request.POST)
    run = runs.run_on(SEATS_DEPLOYED)
    number = number_of(run) if run else None
    if run is None or number is None:
        messages.warning(request, "Not kept: there is no number to start from.")
        return redirect("metrics:what-if")
    shown = Shown(here, asked, run, number)
    form = ScenarioForm(request.POST)
    if form.is_valid() and shown.answer is not None:
        try:
            scenario = keep_scenario(
                shown.answer, form.cleaned_data["name"], by=here.user, at=here.now
            )
        except Invalid as refusal:
            form.add_error("name" if refusal.field == "name" else None, refusal.message)
        else:
            messages.success(request, f"Kept: {scenario.name}.")
            return redirect("metrics:scenario", scenario.uuid)
    context = {
        "shown": shown,
        "asked": asked,
        "run": run,
        "answer": shown.answer,
        "form": form,
    }
    return page(request, "metrics/what_if/page.html", context, here=here, status=422)


@require_safe
def scenario_page(request: HttpRequest, scenario_id: uuid.UUID) -> HttpResponse:
    """One scenario: what it promised, and what came of it."""
    here = Here.of(request)
    scenario = _scenario(here, scenario_id)
    since = _since(here, scenario)
    context: dict[str, Any] = {
        "scenario": scenario,
        "promised": Promised(scenario),
        "since": since,
        "stats": _stats(since, here) if since else [],
        "works": [_work(each) for each in since.works] if since else [],
        "changes_url": _changes_url(scenario, since) if since else "",
        "again_url": _again_url(scenario),
        "may_delete": permissions.can_delete_scenario(here.user, scenario),
    }
    return page(request, "metrics/scenarios/scenario.html", context, here=here)


@require_safe
def scenario_csv(request: HttpRequest, scenario_id: uuid.UUID) -> HttpResponseBase:
    here = Here.of(request)
    scenario = _scenario(here, scenario_id)
    since = _since(here, scenario)
    lines = _lines(since) if since else iter(())
    return csv_response(f"scenario-{scenario.at:%Y-%m-%d}.csv", COLUMNS, lines)


@require_safe
def scenarios_csv(request: HttpRequest) -> HttpResponseBase:
    here = Here.of(request)
    require(permissions.can_see_metrics, here.user)
    found = scenarios.scenarios_visible_to(here.user).iterator(chunk_size=500)
    return csv_response("scenarios.csv", LIST_COLUMNS, map(_line, map(Promised, found)))


@require_POST
@once
def scenario_delete(request: HttpRequest, scenario_id: uuid.UUID) -> HttpResponse:
    here = Here.of(request)
    scenario = _scenario(here, scenario_id)
    name = scenario.name
    delete_scenario(scenario, by=here.user)
    messages.success(request, f"Deleted: {name}.")
    return redirect("metrics:scenario-list")


def _scenario(here: Here, scenario_id: uuid.UUID) -> Scenario:
    require(permissions.can_see_metrics, here.user)
    found = scenarios.scenarios_visible_to(here.user).filter(uuid=scenario_id).first()
    if found is None:
        raise Http404
    return found


def _since(here: Here, scenario: Scenario) -> Since | None:
    run = runs.run_on(SEATS_DEPLOYED)
    if run is None:
        return None
    return scenarios.since(scenario, run, currency=here.company.reporting_currency)


def _stats(since: Since, here: Here) -> list[tuple[str, str, str, str]]:
    """Return what stands at the top: label, value, note, tone."""
    promised, run = since.promised, since.promised.scenario.run
    count = len(since.works)
    difference = since.difference
    return [
        ("Then", share_text(promised.then), day_text(run.day, here.today), ""),
        (
            "Promised",
            share_text(promised.likely),
            f"between {share_text(promised.low)} and {share_text(promised.high)}",
            "",
        ),
        ("Now", share_text(since.now), day_text(since.run.day, here.today), ""),
        (
            "Now less promised",
            points_text(difference),
            "points",
            "warn" if difference < 0 else "good",
        ),
        ("Accounts that pass now", f"{since.crossed:,} of {promised.crossing:,}", "promised", ""),
        ("Work delivered", f"{since.delivered:,} of {count:,}", "", ""),
    ]


def _work(work: WorkSince) -> dict[str, Any]:
    name = "projects:detail" if isinstance(work.thing, Project) else "requests:detail"
    return {"work": work, "url": reverse(name, args=[work.thing.pk]) if work.thing else ""}


def _changes_url(scenario: Scenario, since: Since) -> str:
    query = urlencode({"as_of": since.run.day.isoformat(), "vs": scenario.run.day.isoformat()})
    return f"{reverse('metrics:changes')}?{query}"


def _again_url(scenario: Scenario) -> str:
    """Return the address of the same work, asked of today."""
    asked = QueryDict(mutable=True)
    asked.setlist("project", scenario.asked["projects"])
    asked.setlist("request", scenario.asked["requests"])
    for number, seats in scenario.asked["seats"].items():
        asked[f"add-{number.removeprefix('ACC-')}"] = str(seats)
    return f"{reverse('metrics:what-if')}?{asked.urlencode()}"


def _lines(since: Since) -> Iterator[tuple[Any, ...]]:
    for line in since.lines:
        account = line.account
        yield (
            account and account.number, account and account.external_id, account and account.name,
            line.gap, *line.seats, _points(line.promised), _points(line.happened),
            _points(line.difference),
            line.then and line.then.deployed, line.now and line.now.deployed, line.passes,
            line.why,
        )  # fmt: skip


def _points(value: Fraction) -> Decimal:
    return Decimal(changes.points_of(value) or 0)


def _line(promised: Promised) -> tuple[Any, ...]:
    scenario = promised.scenario
    return (
        scenario.name, scenario.by.name, scenario.at, scenario.run.day,
        *(
            ratio_text(*each.as_integer_ratio(), places=PLACES)
            for each in (promised.then, promised.likely, promised.low, promised.high)
        ),
        promised.crossing, promised.days,
    )  # fmt: skip
