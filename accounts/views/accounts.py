"""The tabs of one account."""

import datetime as dt
from itertools import dropwhile
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts import rules, selectors
from accounts.header import account_page
from accounts.models import Assignment, Subscription
from accounts.selectors import then_facts
from accounts.shell import Shell, shell_of
from accounts.stories import SHOWN_LABELS, Story, shown, stories_of
from accounts.views import recent
from accounts.words import path_to_line
from config.lib.keyset import Key
from config.lib.paging import Paged, paged
from config.lib.then import Then
from config.lib.ui.formats import day_text, number_text

EXCERPT = 5
PACE_WEEKS = 13
MOST_VERSIONS = 20
MOST_IMPORTS = 20
MOST_CONTACTS_BESIDE = 5
MOST_ASSIGNMENTS = 100


@require_safe
def overview(request: HttpRequest, number: int) -> HttpResponse:
    shell = shell_of(request, number)
    here, facts = shell.here, shell.facts
    if not here.looks_back:
        recent.note(request.session, shell.account.pk)
    points = _history(shell)
    events = list(shell.events.filter(shown()["all"])[: EXCERPT + 1])
    pace = rules.pace_of(points, weeks=PACE_WEEKS)
    context = {
        "points": points if any(point.deployed is not None for point in points) else [],
        "bar_tone": "good" if facts and facts.passes else "",
        "chart_label": _chart_label(points),
        "path": path_to_line(facts, here.setting, pace) if facts else "",
        "stories": _stories(shell, events[:EXCERPT]),
        "more_events": len(events) > EXCERPT,
        "churn_conflict": _runs_past_churn(shell),
        "contacts": shell.contacts[:MOST_CONTACTS_BESIDE] if shell.may_see_contacts else [],
    }
    return account_page(request, shell, "Overview", context)


@require_safe
def subscriptions(request: HttpRequest, number: int) -> HttpResponse:
    shell = shell_of(request, number)
    order = [Key("start", descending=True)]
    if shell.here.past is not None:
        lines = then_facts.subscriptions_then(shell.account, shell.here.past)
        order.append(Key("fact_id", descending=True))
    else:
        visible = selectors.subscriptions_visible_to(shell.here.user)
        lines = visible.filter(account=shell.account)
    found = paged(request, lines, order)
    context = {
        "lines": [(line, _state_of(line, shell.here.today)) for line in found.rows],
        "paged": found,
        "churn_conflict": _runs_past_churn(shell),
    }
    return account_page(request, shell, "Subscriptions", context)


@require_safe
def instances(request: HttpRequest, number: int) -> HttpResponse:
    shell = shell_of(request, number)
    context = {"rows": [(instance, shell.is_usable(instance)) for instance in shell.instances]}
    return account_page(request, shell, "Instances", context)


@require_safe
def people(request: HttpRequest, number: int) -> HttpResponse:
    shell = shell_of(request, number)
    empty = Paged([], "", "", lost=False)
    found = paged(request, shell.contacts, [Key("name")]) if shell.may_see_contacts else empty
    assignments = _assignments(shell)[:MOST_ASSIGNMENTS]
    context = {
        "assignments": [(line, _state_of(line, shell.here.today)) for line in assignments],
        "paged": found,
    }
    return account_page(request, shell, "People", context)


@require_safe
def timeline(request: HttpRequest, number: int) -> HttpResponse:
    shell = shell_of(request, number)
    kinds = shown()
    kind = request.GET.get("show", "all")
    if kind not in kinds:
        kind = "all"
    events = shell.events.filter(kinds[kind])
    more = shell.here.past.more if shell.here.past else ""
    found = paged(request, events, [Key("id", descending=True)])
    context = {
        "shown": [
            {"label": label, "url": f"?show={name}{more}", "current": name == kind}
            for name, label in SHOWN_LABELS.items()
        ],
        "shown_label": SHOWN_LABELS[kind],
        "is_narrowed": kind != "all",
        "stories": _stories(shell, found.rows),
        "paged": found,
    }
    return account_page(request, shell, "Timeline", context, partial="timeline")


@require_safe
def data(request: HttpRequest, number: int) -> HttpResponse:
    shell = shell_of(request, number)
    then = shell.here.past
    if then is not None:
        then_facts.with_imports([shell.account])
        versions = then_facts.versions_then(shell.account, then)
        lines = then_facts.subscription_facts(shell.account, then, most=MOST_VERSIONS)
        imports = then_facts.imports_then(shell.account, then)
    else:
        versions = selectors.versions_of(shell.account)
        visible = selectors.subscriptions_visible_to(shell.here.user)
        lines = list(
            visible.filter(account=shell.account).select_related("last_import")[:MOST_VERSIONS]
        )
        imports = selectors.imports_of(shell.account)
    known = list(versions[: MOST_VERSIONS + 1])
    context = {
        "subscriptions": lines,
        "imports": imports[:MOST_IMPORTS],
        "versions": _version_steps(known, then),
        "more_versions": len(known) > MOST_VERSIONS,
    }
    return account_page(request, shell, "Data", context)


def _assignments(shell: Shell) -> QuerySet[Any]:
    if shell.here.past is not None:
        return then_facts.assignments_then(shell.account, shell.here.past)
    rows = Assignment.objects.filter(account=shell.account).select_related("user")
    return rows.order_by("-start", "role", "pk")


def _history(shell: Shell) -> list[rules.SeatPoint]:
    """Return a point a week of the last year; before the account's first facts there is none."""
    days = selectors.weekly_days(shell.here.today)
    stale_days = shell.here.terms.stale_days
    counts = selectors.weekly_counts(
        [instance.pk for instance in shell.instances if instance.counted],
        today=shell.here.today,
        zone=shell.here.zone,
        since=days[0] - dt.timedelta(days=stale_days),
        known_at=shell.here.past.known_at if shell.here.past else None,
    )
    points = rules.seat_history(days, shell.contracts, counts, stale_days=stale_days)
    return list(dropwhile(lambda point: (point.licensed, point.deployed) == (None, None), points))


def _chart_label(points: list[rules.SeatPoint]) -> str:
    """Say the chart in a sentence, for those who do not see it."""
    if not points:
        return ""
    first, last = points[0], points[-1]
    return (
        f"Licensed and deployed seats by week. {day_text(first.day)}: {_seats_at(first)}."
        f" {day_text(last.day)}: {_seats_at(last)}."
    )


def _seats_at(point: rules.SeatPoint) -> str:
    return f"{number_text(point.deployed)} deployed of {number_text(point.licensed)} licensed"


def _stories(shell: Shell, events: list[Any]) -> list[Story]:
    return stories_of(events, may_open=shell.may_see_contacts, zone=shell.here.zone)


def _runs_past_churn(shell: Shell) -> rules.Contract | None:
    """Return a contract that runs beyond the churn date, which wins over it."""
    churned_on = shell.account.churned_on
    if churned_on is None:
        return None
    running = [contract for contract in shell.contracts if contract.runs_on(churned_on)]
    return max(running, key=lambda c: c.end or dt.date.max, default=None)


def _state_of(line: Subscription | Assignment, today: dt.date) -> str:
    if line.start > today:
        return "planned"
    return "ended" if line.end is not None and line.end <= today else "running"


def _version_steps(versions: list[Any], then: Then | None) -> list[dict[str, Any]]:
    """Return each version with the fields in which it differs from the one before."""
    steps = []
    for version in versions:
        if then is not None and version.known_to is not None and version.known_to > then.known_at:
            version.known_to = None
    for newer, older in zip(versions, [*versions[1:], None], strict=True):
        changes = [] if older is None else _differences(older, newer)
        steps.append({"version": newer, "is_first": older is None, "changes": changes})
    return steps[:MOST_VERSIONS]


VERSIONED = [
    "name", "status", "churned_on", "internal", "archived", "region", "segment", "currency",
    "strategic", "source", "external_id",
]  # fmt: skip


def _differences(older: Any, newer: Any) -> list[tuple[str, Any, Any]]:
    return [
        (name.replace("_", " "), getattr(older, name), getattr(newer, name))
        for name in VERSIONED
        if getattr(older, name) != getattr(newer, name)
    ]
