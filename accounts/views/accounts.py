"""The list of accounts, its CSV, and the tabs of one account."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import dropwhile
from typing import Any

from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts import permissions, rules, selectors
from accounts.forms import AccountFilterForm
from accounts.models import Account, AccountFacts, Assignment, Subscription
from accounts.views.figures import account_page
from accounts.views.shell import Here, Paged, Shell, page, paged, shell_of
from accounts.views.stories import SHOWN, SHOWN_LABELS, Story, story_of
from accounts.views.words import SHORT, path_to_line
from config.lib.authz import require
from config.lib.keyset import Key, keys_for, ordered
from config.lib.rendering import CHUNK_ROWS, csv_response
from config.lib.ui.formats import day_text, money_short_text, number_text
from events.selectors import events_of_account

SORTS = {
    "name": "name",
    "arr": "facts__arr",
    "share": "facts__share",
    "to_go": "facts__seats_to_go",
    "renewal": "facts__renewal_on",
}
DEFAULT_SORT = "name"
VIEW_LABELS = {
    "mine": "Mine",
    "below": "Below {line}%",
    "near": "Within 5 points",
    "renewal": "Renewal in 120 days",
    "stale": "Stale data",
    "": "All",
}
EXCERPT = 5
PACE_WEEKS = 13
MOST_VERSIONS = 20
MOST_IMPORTS = 20
MOST_CONTACTS_BESIDE = 5
CSV_HEADER = [
    "number", "name", "source", "external_id", "status", "region", "segment", "tier",
    "arr", "currency", "seats_licensed", "unlimited", "seats_deployed", "seats_share",
    "seats_to_go", "eligible", "passes", "reason", "data_state", "renewal_on", "tam",
]  # fmt: skip
CSV_PATHS = [
    "pk", "name", "source", "external_id", "status", "region", "segment", "facts__tier__name",
    "facts__arr", "facts__licensed", "facts__unlimited", "facts__deployed", "facts__share",
    "facts__seats_to_go", "facts__eligible", "facts__passes", "facts__reason",
    "facts__data_state", "facts__renewal_on", "facts__tam__name",
]  # fmt: skip
CURRENCY_AT = CSV_HEADER.index("currency")


@dataclass(frozen=True)
class Listing:
    """What the address asks of the list."""

    here: Here
    view: str
    sort: str
    form: AccountFilterForm
    accounts: QuerySet[Account]
    # Parts of the address that mean nothing, by label.
    problems: list[tuple[str, str]]

    @classmethod
    def of(cls, request: HttpRequest) -> "Listing":
        here = Here.of(request)
        require(permissions.can_see_accounts, here.user)
        form = AccountFilterForm(request.GET, choices=selectors.choices())
        problems = form.problems()
        view, sort = request.GET.get("view", ""), request.GET.get("sort", "") or DEFAULT_SORT
        if view not in VIEW_LABELS:
            problems.append(("View", "There is no such view."))
            view = ""
        if sort.removeprefix("-") not in SORTS:
            problems.append(("Order", "The list cannot be sorted by this."))
            sort = DEFAULT_SORT
        visible = selectors.accounts_visible_to(here.user).select_related(None)
        shown = visible.select_related("facts__tier", "facts__tam")
        accounts = selectors.filtered(shown, form.filters())
        if view:
            asker = selectors.Asker(here.user, here.today, here.terms)
            accounts = selectors.in_view(accounts, view, asker)
        return cls(here, view, sort, form, accounts, problems)

    @property
    def ordering(self) -> list[Key]:
        sign = "-" if self.sort.startswith("-") else ""
        return keys_for(Account, [sign + SORTS[self.sort.removeprefix("-")]])

    @property
    def is_narrowed(self) -> bool:
        filters = self.form.filters()
        return bool(self.view) or filters != selectors.Filters()


@dataclass(frozen=True)
class Row:
    account: Account
    facts: AccountFacts | None
    # Why there is no result, or why the account does not count.
    short: str

    @property
    def tone(self) -> str:
        return "good" if self.facts and self.facts.passes else ""

    @classmethod
    def of(cls, account: Account) -> "Row":
        facts = getattr(account, "facts", None)
        return cls(account, facts, SHORT.get(facts.reason, "") if facts else "not computed yet")


@require_safe
def account_list(request: HttpRequest) -> HttpResponse:
    listing = Listing.of(request)
    found = paged(request, listing.accounts, listing.ordering)
    line = listing.here.terms.share_percent
    query = request.GET.copy()
    query.pop("cursor", None)
    context: dict[str, Any] = {
        "views": [
            {
                "label": label.format(line=line),
                "url": f"?view={view}" if view else "?",
                "current": view == listing.view,
            }
            for view, label in VIEW_LABELS.items()
        ],
        "view_label": VIEW_LABELS[listing.view].format(line=line),
        "view": listing.view,
        "filters": listing.form,
        "problems": listing.problems,
        "sort": listing.sort,
        "rows": [Row.of(account) for account in found.rows],
        "paged": found,
        "summary": _summary(listing, found),
        "is_narrowed": listing.is_narrowed,
        "line": line,
        "currency": listing.here.company.reporting_currency,
        "export_url": f"{reverse('accounts:account-export')}?{query.urlencode()}",
    }
    return page(request, "accounts/account_list.html", context, here=listing.here, partial="list")


def _summary(listing: Listing, found: Paged) -> str:
    """Say how many accounts fit, and their ARR: "64 accounts, $12.4M ARR"."""
    is_whole = not (found.previous or found.next)
    totals = selectors.totals_in(found.rows) if is_whole else selectors.totals_of(listing.accounts)
    currency = listing.here.company.reporting_currency
    parts = [f"{number_text(totals.count)}{'+' if totals.more else ''} accounts"]
    if totals.count == 1:
        parts = ["1 account"]
    if totals.arr is not None:
        parts.append(f"{money_short_text(totals.arr, currency)} ARR")
    if totals.arr_unknown:
        parts.append(f"ARR of {number_text(totals.arr_unknown)} unknown")
    return ", ".join(parts)


@require_safe
def account_export(request: HttpRequest) -> HttpResponseBase:
    """The whole of the filtered list as CSV; 400 where the address names no such filter."""
    listing = Listing.of(request)
    if listing.problems:
        raise BadRequest
    accounts = ordered(listing.accounts, listing.ordering).values_list(*CSV_PATHS)
    currency = listing.here.company.reporting_currency

    def rows() -> Iterator[list[Any]]:
        for number, *values in accounts.iterator(chunk_size=CHUNK_ROWS):
            row = [f"ACC-{number}", *values]
            row.insert(CURRENCY_AT, currency)
            yield row

    return csv_response(f"accounts-{listing.here.today}.csv", CSV_HEADER, rows())


@require_safe
def overview(request: HttpRequest, number: int) -> HttpResponse:
    shell = shell_of(request, number)
    here, facts = shell.here, shell.facts
    contracts = selectors.contracts_of(shell.account)
    points = _history(shell, contracts)
    events = list(events_of_account(shell.account.pk)[: EXCERPT + 1])
    pace = rules.pace_of(points, weeks=PACE_WEEKS)
    context = {
        "points": points if any(point.deployed is not None for point in points) else [],
        "bar_tone": "good" if facts and facts.passes else "",
        "chart_label": _chart_label(points),
        "path": path_to_line(facts, here.setting, pace) if facts else "",
        "stories": _stories(shell, events[:EXCERPT]),
        "more_events": len(events) > EXCERPT,
        "churn_conflict": _runs_past_churn(shell.account, contracts),
        "contacts": _contacts(shell)[:MOST_CONTACTS_BESIDE] if shell.may_see_contacts else [],
    }
    return account_page(request, shell, "Overview", context)


@require_safe
def subscriptions(request: HttpRequest, number: int) -> HttpResponse:
    shell = shell_of(request, number)
    lines = selectors.subscriptions_visible_to(shell.here.user).filter(account=shell.account)
    found = paged(request, lines, [Key("start", descending=True)])
    contracts = selectors.contracts_of(shell.account)
    context = {
        "lines": [(line, _state_of(line, shell.here.today)) for line in found.rows],
        "paged": found,
        "churn_conflict": _runs_past_churn(shell.account, contracts),
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
    assignments = (
        Assignment.objects.filter(account=shell.account)
        .select_related("user")
        .order_by("-start", "role", "pk")
    )
    empty = Paged([], "", "", lost=False)
    found = paged(request, _contacts(shell), [Key("name")]) if shell.may_see_contacts else empty
    context = {
        "assignments": [(line, _state_of(line, shell.here.today)) for line in assignments[:100]],
        "paged": found,
    }
    return account_page(request, shell, "People", context)


@require_safe
def timeline(request: HttpRequest, number: int) -> HttpResponse:
    shell = shell_of(request, number)
    shown = request.GET.get("show", "all")
    if shown not in SHOWN:
        shown = "all"
    events = events_of_account(shell.account.pk).filter(SHOWN[shown])
    found = paged(request, events, [Key("id", descending=True)])
    context = {
        "shown": [
            {"label": label, "url": f"?show={name}", "current": name == shown}
            for name, label in SHOWN_LABELS.items()
        ],
        "shown_label": SHOWN_LABELS[shown],
        "is_narrowed": shown != "all",
        "stories": _stories(shell, found.rows),
        "paged": found,
    }
    return account_page(request, shell, "Timeline", context, partial="timeline")


@require_safe
def data(request: HttpRequest, number: int) -> HttpResponse:
    shell = shell_of(request, number)
    versions = list(selectors.versions_of(shell.account)[: MOST_VERSIONS + 1])
    lines = selectors.subscriptions_visible_to(shell.here.user).filter(account=shell.account)
    context = {
        "subscriptions": lines.select_related("last_import")[:MOST_VERSIONS],
        "imports": selectors.imports_of(shell.account)[:MOST_IMPORTS],
        "versions": _version_steps(versions),
        "more_versions": len(versions) > MOST_VERSIONS,
    }
    return account_page(request, shell, "Data", context)


def _history(shell: Shell, contracts: list[rules.Contract]) -> list[rules.SeatPoint]:
    """Return a point a week of the last year; before the account's first facts there is none."""
    days = selectors.weekly_days(shell.here.today)
    stale_days = shell.here.terms.stale_days
    counts = selectors.weekly_counts(
        shell.account,
        today=shell.here.today,
        zone=shell.here.zone,
        since=days[0] - dt.timedelta(days=stale_days),
    )
    points = rules.seat_history(days, contracts, counts, stale_days=stale_days)
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
    may_open = shell.may_see_contacts
    return [story_of(event, may_open=may_open, zone=shell.here.zone) for event in events]


def _contacts(shell: Shell) -> QuerySet[Any]:
    """Return the customer's people; ask `may_see_contacts` first."""
    return shell.account.contacts.order_by("name", "pk")


def _runs_past_churn(account: Account, contracts: list[rules.Contract]) -> rules.Contract | None:
    """Return a contract that runs beyond the churn date, which wins over it."""
    churned_on = account.churned_on
    if churned_on is None:
        return None
    running = [contract for contract in contracts if contract.runs_on(churned_on)]
    return max(running, key=lambda c: c.end or dt.date.max, default=None)


def _state_of(line: Subscription | Assignment, today: dt.date) -> str:
    if line.start > today:
        return "planned"
    return "ended" if line.end is not None and line.end <= today else "running"


def _version_steps(versions: list[Any]) -> list[dict[str, Any]]:
    """Return each version with the fields in which it differs from the one before."""
    steps = []
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
