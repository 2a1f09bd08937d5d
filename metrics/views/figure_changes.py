"""`/metric/figures/<slug>/changes/`: every account that moved a number between two days."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from config.lib.authz import require
from config.lib.errors import Invalid
from config.lib.htmx import render
from config.lib.rendering import csv_response
from config.lib.ui.formats import day_text
from metrics import permissions
from metrics.models import MetricRun
from metrics.selectors import (
    changes,
    derived_changes,
    families,
    movements,
    numbers,
    runs,
    waterfall,
)
from metrics.selectors.families import Family
from metrics.views.figure_accounts import number_of_accounts
from metrics.views.period import Period, compared_day, comparisons, read_period
from people.http import user_of

COLUMNS = (
    "from", "to", "account", "external_id", "name", "group", "cause", "why", "earned",
    "contribution", "points", "arr_before", "arr_after", "licensed_before", "licensed_after",
    "deployed_before", "deployed_after",
)  # fmt: skip
# A page shows so many; the file has them all.
MOST_SHOWN = 500


def run_compared(run: MetricRun, period: Period) -> MetricRun | None:
    day = compared_day(period.versus, run.day)
    known_at = period.vs_known_at or period.known_at
    return runs.run_on(run.definition.slug, day, known_at=known_at)


def change_of(figure: numbers.Shown, period: Period) -> dict[str, Any]:
    """Return the change over 30 days, shortened, for the page of the number."""
    run, before = figure.run, figure.before
    if run is None or before is None:
        return {"change": None}
    slug = run.definition.slug
    return {**_told(before, run, period), "changes_url": period.url("metrics:figure-changes", slug)}


def _told(
    before: MetricRun, run: MetricRun, period: Period, *, is_whole: bool = False
) -> dict[str, Any]:
    is_seats = families.family_of(run.definition) is Family.SEATS
    find: Any = waterfall.waterfall_of if is_seats else movements.movement_of
    change = find(before, run, currency=period.currency, is_whole=is_whole)
    slug = run.definition.slug
    return {
        "change": change,
        "is_seats": is_seats,
        "new_day": "Today" if run.day == period.today else day_text(run.day),
        "change_title": f"What changed since {day_text(before.day, run.day)}",
        "change_groups": [
            (group, period.url("metrics:figure-changes", slug)) for group in change.groups
        ],
        "value_heading": "Points" if run.definition.unit == numbers.SHARE else "Change",
        "explained_url": f"{period.url('metrics:definition')}#changes",
    }


@require_safe
def figure_changes(request: HttpRequest, slug: str) -> HttpResponse:
    require(permissions.can_see_metrics, user_of(request))
    period = read_period(request, now=timezone.now())
    definition = number_of_accounts(slug, period)
    run = runs.run_on(slug, period.day, known_at=period.known_at)
    before = run_compared(run, period) if run else None
    with timezone.override(period.zone):
        context: dict[str, Any] = {
            "period": period,
            "definition": definition,
            "run": run,
            "before": before,
            "change": None,
            "change_title": "What changed",
            "comparisons": comparisons(run.day, period.versus) if run else [],
            "compare_url": request.path,
            "figures_url": period.url("metrics:figures"),
            "figure_url": period.url("metrics:figure", slug),
            "csv_url": period.changes_url("metrics:figure-changes-csv", slug),
        }
        if run and before:
            context |= _told(before, run, period, is_whole=_is_small(before, run))
        return render(request, "metrics/figures/changes.html", context, partial="list").render()


def _is_small(before: MetricRun, run: MetricRun) -> bool:
    if families.family_of(run.definition) is Family.SEATS:
        return True
    return len(derived_changes.explanation(before, run).contributions) <= MOST_SHOWN


@require_safe
def figure_changes_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    require(permissions.can_see_metrics, user_of(request))
    period = read_period(request, now=timezone.now(), strict=True)
    number_of_accounts(slug, period)
    run = runs.run_on(slug, period.day, known_at=period.known_at)
    before = run_compared(run, period) if run else None
    if run is None or before is None:
        raise Invalid("There is no number for one of these days.", field="vs")
    change = _told(before, run, period, is_whole=True)["change"]
    name = f"{slug}-changes-{before.day}-{run.day}.csv"
    return csv_response(name, COLUMNS, _csv_lines(before, run, change))


def _csv_lines(before: MetricRun, run: MetricRun, change: Any) -> Iterator[tuple[Any, ...]]:
    is_share = run.definition.unit == numbers.SHARE
    is_seats = families.family_of(run.definition) is Family.SEATS
    group_of: Any = waterfall.group_of if is_seats else movements.group_of
    for line in change.lines:
        each, account = line.contribution, line.account
        old, new = (_row(side) for side in (each.before, each.after))
        yield (
            before.day, run.day, account.number if account else None,
            account.external_id if account else None, account.name if account else None,
            group_of(each), str(each.cause), line.why, each.is_earned,
            changes.exact(each.value), changes.points_of(each.value) if is_share else None,
            old and old.arr, new and new.arr, old and old.licensed, new and new.licensed,
            old and old.deployed, new and new.deployed,
        )  # fmt: skip


def _row(side: Any) -> Any:
    return side if side is None else getattr(side, "row", side)
