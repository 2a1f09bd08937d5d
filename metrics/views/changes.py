"""`/metric/changes/`: every account that moved the number between two days, and why."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from config.lib.authz import require
from config.lib.errors import Invalid
from config.lib.htmx import render
from config.lib.rendering import csv_response
from config.lib.values import BadValue, parse_integer_text
from metrics import permissions
from metrics.forms import ChangeForm
from metrics.models import MetricRun
from metrics.rules.explaining import Cause
from metrics.selectors import changes
from metrics.selectors.waterfall import CAUSES, Group, Line, Waterfall, group_of, waterfall_of
from metrics.views.change_parts import change_context
from metrics.views.dashboard import no_number
from metrics.views.period import Period, comparisons, read_period
from people.http import user_of

PAGE_SIZE = 100
MOST_PAGES = 100_000
COLUMNS = (
    "from", "to", "account", "external_id", "name", "group", "cause", "why", "earned",
    "contraction", "contribution", "points", "arr_before", "arr_after", "licensed_before",
    "licensed_after", "deployed_before", "deployed_after", "definition_version_before",
    "definition_version_after",
)  # fmt: skip


@dataclass(frozen=True)
class Listing:
    """What an address asks for: the lines that its filters leave, and which page of them."""

    change: Waterfall
    form: ChangeForm
    page: int
    notes: list[str]

    @property
    def filters(self) -> dict[str, str]:
        return {name: value for name, value in self.form.cleaned_data.items() if value}

    @property
    def lines(self) -> list[Line]:
        return [line for line in self.change.lines if self._keeps(line)]

    def _keeps(self, line: Line) -> bool:
        each = line.contribution
        is_as = {"group": group_of(each), "cause": str(each.cause)}
        is_as["earned"] = "yes" if each.is_earned else "no"
        return all(is_as[name] == value for name, value in self.filters.items())


@require_safe
def changes_page(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    require(permissions.can_see_metrics, user)
    period = read_period(request, now=timezone.now())
    with timezone.override(period.zone):
        run = period.run()
        if run is None:
            return no_number(request, period, user)
        before = period.run_compared(run)
        context = {
            "period": period,
            "run": run,
            "before": before,
            "comparisons": comparisons(run.day, period.versus),
            "notes": period.notes,
            "dashboard_url": period.changes_url("metrics:dashboard"),
            **change_context(run, before, period, is_whole=True),
        }
        if context["change"] and context["change"].has_number:
            context |= _listing_context(request, _read(request, context["change"]), period)
        return render(request, "metrics/changes_page.html", context, partial="list").render()


@require_safe
def changes_csv(request: HttpRequest) -> HttpResponseBase:
    require(permissions.can_see_metrics, user_of(request))
    period = read_period(request, now=timezone.now(), strict=True)
    run = period.run()
    before = period.run_compared(run) if run else None
    if run is None or before is None:
        raise Invalid("There is no number for one of these days.", field="vs")
    change = waterfall_of(before, run, currency=period.currency, is_whole=True)
    listing = _read(request, change)
    if listing.notes:
        raise Invalid(" ".join(listing.notes))
    name = f"seats-deployed-changes-{before.day}-{run.day}.csv"
    return csv_response(name, COLUMNS, _csv_lines(before, run, listing))


def _csv_lines(before: MetricRun, run: MetricRun, listing: Listing) -> Iterator[tuple[Any, ...]]:
    for line in listing.lines:
        each, account = line.contribution, line.account
        old, new = each.before, each.after
        yield (
            before.day, run.day, account.number if account else None,
            account.external_id if account else None, account.name if account else None,
            group_of(each), str(each.cause), line.why, each.is_earned, each.is_contraction,
            f"{each.value.numerator}/{each.value.denominator}", changes.points_of(each.value),
            old and old.arr, new and new.arr, old and old.licensed, new and new.licensed,
            old and old.deployed, new and new.deployed, before.definition.number,
            run.definition.number,
        )  # fmt: skip


def _read(request: HttpRequest, change: Waterfall) -> Listing:
    """Read filters and page; what makes no sense is left out and noted."""
    causes = {line.contribution.cause for line in change.lines}
    form = ChangeForm(
        request.GET,
        choices={
            "group": [(group.key, group.title) for group in change.groups],
            "cause": [(str(cause), CAUSES[cause]) for cause in Cause if cause in causes],
        },
    )
    form.is_valid()
    notes = [str(error) for errors in form.errors.values() for error in errors]
    try:
        page = parse_integer_text(request.GET.get("page", "1"), low=1, high=MOST_PAGES)
    except BadValue:
        page = 1
        notes.append("There is no such page. This is the first one.")
    return Listing(change, form, page, notes)


def _listing_context(request: HttpRequest, listing: Listing, period: Period) -> dict[str, Any]:
    lines = listing.lines
    last = max(1, -(-len(lines) // PAGE_SIZE))
    page = min(listing.page, last)
    shown = lines[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    is_whole = not listing.filters

    def page_url(number: int) -> str:
        query = request.GET.copy()
        query["page"] = str(number)
        return f"?{query.urlencode()}" if 1 <= number <= last else ""

    return {
        "listing": listing,
        "notes": [*period.notes, *listing.notes],
        "change_groups": [(group, "") for group in _groups(listing, shown)],
        "shows_start": is_whole and page == 1,
        "shows_end": is_whole and page == last,
        "previous": page_url(page - 1),
        "next": page_url(page + 1),
        "summary": _summary(len(shown), len(lines)),
        "csv_url": period.changes_url("metrics:changes-csv", **listing.filters),
        "clear_url": period.changes_url("metrics:changes"),
    }


def _groups(listing: Listing, shown: list[Line]) -> list[Group]:
    """Return the groups with those of their lines that the page shows."""
    groups = []
    for group in listing.change.groups:
        lines = tuple(line for line in shown if group_of(line.contribution) == group.key)
        if lines:
            groups.append(dataclasses.replace(group, lines=lines, **_narrowed(group, listing)))
    return groups


def _narrowed(group: Group, listing: Listing) -> dict[str, Any]:
    """Return what a group says of itself where filters leave some of it: no sum of the whole."""
    if not listing.filters:
        return {}
    count = sum(group_of(line.contribution) == group.key for line in listing.lines)
    return {"count": count, "step": dataclasses.replace(group.step, points="")}


def _summary(shown: int, of: int) -> str:
    if shown == of:
        return f"{of:,} account{'' if of == 1 else 's'}"
    return f"{shown:,} of {of:,} accounts"
