"""`/metric/figures/<slug>/accounts/`: every account behind a number, and what it adds."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.selectors.facts import within_limit
from config.lib import keyset
from config.lib.authz import require
from config.lib.errors import Invalid
from config.lib.htmx import render
from config.lib.paging import paged
from config.lib.rendering import CHUNK_ROWS, csv_response
from config.lib.values import BadValue
from metrics import permissions
from metrics.forms import FigureAccountsForm
from metrics.models import MetricDefinition, MetricRow, MetricRun
from metrics.rules import derived as rules
from metrics.rules.derived import State
from metrics.selectors import derived, families, numbers, runs
from metrics.selectors.families import Family
from metrics.views.period import Period, read_period
from people.http import user_of

TOP = 8
NONE = "none"
USUAL = "-adds"
ORDER = {
    "name": "account__name",
    "arr": "arr",
    "adds": "adds",
    "renewal": "renewal_on",
    "since": "customer_since",
    "licensed": "licensed",
    "deployed": "deployed",
}
COLUMNS = (
    "day", "revision", "account", "external_id", "name", "region", "tier", "tam", "arr",
    "licensed", "deployed", "monthly_active", "renewal_on", "customer_since", "state", "adds",
    "part", "reason",
)  # fmt: skip
# What a number calls an account that it counts, and one that is asked about and not counted.
COUNTED = {
    rules.NET_SEATS: ("Counted", ""),
    rules.ARR_AT_RISK: ("Below the line", "At the line or above"),
    rules.EARLY_WARNING: ("Early warning", "Clear"),
    rules.AT_RISK: ("At risk", "Clear"),
    rules.ADOPTION: ("Counted", ""),
    rules.RENEWAL_EXPOSURE: ("Below the line", "At the line or above"),
    rules.CONTRACTION: ("Gave up seats", ""),
    runs.SEATS_DEPLOYED: ("Passes", "Below the line"),
}
ADDS = {
    rules.NET_SEATS: "Seats",
    rules.ADOPTION: "Active of licensed",
    rules.CONTRACTION: "Given up",
    rules.ARR_AT_RISK: "ARR at risk",
    rules.RENEWAL_EXPOSURE: "ARR exposed",
}
TONES = {State.COUNTED: "warn", State.UNKNOWN: "", State.CLEAR: "good", State.OUT: ""}


@dataclass(frozen=True)
class Line:
    row: Any
    state: str
    tone: str
    adds: str


@dataclass(frozen=True)
class Listing:
    """What an address asks for, once it is read."""

    run: MetricRun
    form: FigureAccountsForm
    sort: str
    notes: list[str]

    @property
    def filters(self) -> dict[str, str]:
        return {name: value for name, value in self.form.cleaned_data.items() if value}

    def rows(self, user: Any) -> Any:
        found = within_limit(derived.rows_of(self.run), user, "account__uuid")
        asked = self.filters
        if state := asked.pop("state", ""):
            found = found.filter(state=int(State[state.upper()]))
        else:
            found = found.exclude(state=int(State.OUT))
        for name, value in asked.items():
            found = found.filter(**narrowed(name, value))
        return found.select_related("account", "tam", "tier")

    @property
    def order(self) -> list[str]:
        return keyset.parse_ordering(self.sort, ORDER)


def narrowed(name: str, value: str) -> dict[str, Any]:
    if name == derived.QUARTER:
        return {"part": value}
    if name == "region":
        return {"region": "" if value == NONE else value}
    if value == NONE:
        return {f"{name}__isnull": True}
    return {f"{name}__uuid": value}


@require_safe
def figure_accounts(request: HttpRequest, slug: str) -> HttpResponse:
    user = user_of(request)
    require(permissions.can_see_metrics, user)
    period = read_period(request, now=timezone.now())
    definition = number_of_accounts(slug, period)
    run = runs.run_on(slug, period.day, known_at=period.known_at)
    with timezone.override(period.zone):
        context: dict[str, Any] = {
            "period": period,
            "definition": definition,
            "run": run,
            "figures_url": period.url("metrics:figures"),
            "figure_url": period.url("metrics:figure", slug),
        }
        if run:
            context |= _listed(request, run, period)
        return render(request, "metrics/figures/accounts.html", context, partial="list").render()


def _listed(request: HttpRequest, run: MetricRun, period: Period) -> dict[str, Any]:
    slug = run.definition.slug
    listing = _read(request, run)
    keys = keyset.keys_for(MetricRow, listing.order)
    page = paged(request, listing.rows(user_of(request)), keys, bound_to=run.pk)
    shown = len(page.rows)
    return {
        "listing": listing,
        "notes": [*period.notes, *listing.notes, *page.notes],
        "lines": lines_of(page.rows, run, period),
        "adds_title": ADDS.get(run.definition.rule, ""),
        "sort": listing.sort,
        "next": page.next,
        "previous": page.previous,
        "summary": f"{shown:,} account{'' if shown == 1 else 's'} on this page",
        "csv_url": period.url("metrics:figure-accounts-csv", slug, **listing.filters),
        "clear_url": period.url("metrics:figure-accounts", slug),
    }


@require_safe
def figure_accounts_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    user = user_of(request)
    require(permissions.can_see_metrics, user)
    period = read_period(request, now=timezone.now(), strict=True)
    number_of_accounts(slug, period)
    run = runs.run_on(slug, period.day, known_at=period.known_at)
    if run is None:
        raise Invalid("There is no number for that day.", field="as_of")
    listing = _read(request, run)
    if listing.notes:
        raise Invalid(" ".join(listing.notes))
    found = listing.rows(user).order_by("account__name", "account_id")
    name = f"{slug}-accounts-{run.day}-r{run.revision}.csv"
    return csv_response(name, COLUMNS, _csv_lines(run, found))


def _csv_lines(run: MetricRun, found: Any) -> Iterator[tuple[Any, ...]]:
    for row in found.iterator(chunk_size=CHUNK_ROWS):
        yield (
            run.day, run.revision, row.account.number, row.account.external_id, row.account.name,
            row.region, row.tier.name if row.tier else None, row.tam.name if row.tam else None,
            row.arr, row.licensed, row.deployed, row.monthly_active, row.renewal_on,
            row.customer_since, State(row.state).name.lower(), row.adds, row.part or None,
            row.reason,
        )  # fmt: skip


def number_of_accounts(slug: str, period: Period) -> MetricDefinition:
    """Raise Http404 where there is no such number, or none that is made from accounts."""
    try:
        definition = runs.definition_on(slug, period.day or period.today)
    except MetricDefinition.DoesNotExist:
        raise Http404("There is no such number.") from None
    if families.family_of(definition) is Family.FIGURES:
        raise Http404(f"{definition.title} is made from requests, not from accounts.")
    return definition


def _read(request: HttpRequest, run: MetricRun) -> Listing:
    """Read filters and order; what makes no sense is left out and noted."""
    counted, clear = words_of(run)
    states = [("counted", counted), ("unknown", "Unknown")]
    if clear:
        states.append(("clear", clear))
    choices = {"state": states}
    for by in derived.segmentations(run.definition.rule):
        choices[by] = [
            (segment.key or NONE, segment.label if segment.key else "None")
            for segment in derived.segments_of(run, by)
        ]
    form = FigureAccountsForm(request.GET, choices=choices)
    form.is_valid()
    notes = [str(error) for errors in form.errors.values() for error in errors]
    sort = request.GET.get("sort", USUAL)
    try:
        keyset.parse_ordering(sort, ORDER)
    except BadValue as bad:
        sort = USUAL
        notes.append(f"The order cannot be followed. {bad.detail}")
    return Listing(run, form, sort, notes)


def words_of(run: MetricRun) -> tuple[str, str]:
    return COUNTED[run.definition.rule]


def lines_of(found: list[Any], run: MetricRun, period: Period) -> list[Line]:
    counted, clear = words_of(run)
    words = {State.COUNTED: counted, State.CLEAR: clear or "Clear", State.UNKNOWN: "Unknown",
             State.OUT: "Not asked about"}  # fmt: skip
    tones = TONES
    if run.definition.rule == runs.SEATS_DEPLOYED:
        tones = {**TONES, State.COUNTED: "good", State.CLEAR: "warn"}
    elif not clear and run.definition.rule != rules.CONTRACTION:
        tones = {**TONES, State.COUNTED: ""}
    return [
        Line(row, words[State(row.state)], tones[State(row.state)], _adds(row, run, period))
        for row in found
    ]


def _adds(row: Any, run: MetricRun, period: Period) -> str:
    if run.definition.rule not in ADDS:
        return ""
    if State(row.state) is State.UNKNOWN and run.definition.unit != numbers.MONEY:
        return "unknown"
    if run.definition.rule == rules.ADOPTION:
        return f"{int(row.adds):,} of {row.of:,}"
    return numbers.text_of(Decimal(row.adds), run.definition.unit, period.currency, short=True)


def top_accounts(run: MetricRun, period: Period) -> dict[str, Any]:
    """Return the accounts that count most, for the page of the number."""
    found = derived.rows_of(run).filter(state=int(State.COUNTED)).select_related("tam", "tier")
    rows = list(found.order_by("-adds", "-arr", "account__name", "account_id")[: TOP + 1])
    counted, _ = words_of(run)
    slug = run.definition.slug
    return {
        "top": lines_of(rows[:TOP], run, period),
        "top_title": counted,
        "adds_title": ADDS.get(run.definition.rule, ""),
        "has_more": len(rows) > TOP,
        "accounts_url": period.url("metrics:figure-accounts", slug),
        "unknown_url": period.url("metrics:figure-accounts", slug, state="unknown"),
    }
