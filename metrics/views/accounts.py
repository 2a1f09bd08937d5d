"""`/metric/accounts/`: the full list behind every number of the dashboard."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from config.lib import keyset
from config.lib.authz import require
from config.lib.errors import Invalid
from config.lib.htmx import render
from config.lib.paging import Paged, paged
from config.lib.rendering import CHUNK_ROWS, csv_response, xlsx_response
from config.lib.values import ratio_text
from metrics import permissions, rules
from metrics.forms import SegmentForm
from metrics.models import MetricRow, MetricRun
from metrics.selectors import bands, dashboard, late_readings, runs
from metrics.views.dashboard import no_number
from metrics.views.narrowing import narrowed, segment_choices
from metrics.views.period import Period, read_period
from metrics.views.words import mender_of, reason_text
from people.http import user_of

LATE = "late"
AMISS = "amiss"
DEFAULT = "counted"
BY_NAME = ("account__name", "account_id")
PLACES = 6
COLUMNS = (
    "day", "revision", "account", "external_id", "name", "region", "tier", "tam", "arr",
    "licensed", "deployed", "share", "seats_to_go", "eligible", "passes", "reason", "mend_by",
    "definition_version",
)  # fmt: skip


@dataclass(frozen=True)
class Band:
    """A list of accounts: its name, what it holds, and its order."""

    title: str
    explained: str
    order: tuple[str, ...] = BY_NAME


LISTS = {
    "counted": Band("In the number", "Every account in the ratio."),
    "passing": Band("At the line or above", "Accounts that pass.", ("above", *BY_NAME)),
    "falling": Band(
        "About to fall",
        "Accounts that pass by few seats, fewest first.",
        ("above", *BY_NAME),
    ),
    "below": Band(
        "Below the line",
        "Accounts that do not pass, fewest seats to go first.",
        ("to_go", *BY_NAME),
    ),
    "near": Band(
        "Near the line",
        f"Accounts below the line by up to {bands.NEAR_POINTS} points.",
        ("to_go", *BY_NAME),
    ),
    "unknown": Band(
        "Unknown",
        "Accounts without a usable seat count. They stay in the number and do not pass.",
    ),
    LATE: Band(
        "Late",
        f"Accounts counted by a reading over {late_readings.LATE_DAYS} days old.",
    ),
    "excluded": Band("Not in the number", "Accounts outside the ratio, and why."),
    AMISS: Band(
        "Data to mend",
        "Accounts whose data is amiss, and who can mend it.",
    ),
    "conflict": Band(
        "Churned, contract running",
        "The churn date wins until one of the two is put right.",
    ),
}
# Shown as a view of its own only where it is asked for.
ON_REQUEST = ("conflict",)
# Where all stand for the same reason, the renewal tells more.
WITH_RENEWAL = ("below", "near", "falling")


@dataclass(frozen=True)
class Listing:
    """What an address asks for, once it is read."""

    run: MetricRun
    policy: rules.Policy
    period: Period
    band: str
    form: SegmentForm
    notes: list[str]
    labels: dashboard.Labels
    cells: tuple[dashboard.Cell, ...]

    @property
    def filters(self) -> dict[str, str]:
        return {name: value for name, value in self.form.cleaned_data.items() if value}

    def rows(self) -> Any:
        found = bands.measured(self.run).select_related("account", "tam", "tier")
        if self.band == LATE:
            found = found.filter(account_id__in=late_readings.ids_of(self.run, self.period.zone))
        else:
            found = found.filter(bands.BANDS[self.band])
        for name, value in self.filters.items():
            found = found.filter(narrowed(name, value))
        return found.order_by(*LISTS[self.band].order)

    def count(self) -> int | None:
        """Return how many accounts there are without asking the database; None for late ones."""
        if self.band == LATE:
            return None
        cells = (cell for cell in self.cells if self._matches(cell))
        return dashboard.total(cells, self.band)

    def _matches(self, cell: dashboard.Cell) -> bool:
        return all(
            value == (cell.reason if name == "reason" else self._key(cell, name))
            for name, value in self.filters.items()
        )

    def _key(self, cell: dashboard.Cell, by: str) -> str:
        return dashboard.label_of(cell, by, self.labels).key


@require_safe
def account_list(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    require(permissions.can_see_metrics, user)
    period = read_period(request, now=timezone.now())
    with timezone.override(period.zone):
        run = period.run()
        if run is None:
            return no_number(request, period, user)
        listing = _read(request, run, period)
        page = _page(request, listing)
        context = {
            "listing": listing,
            "band": LISTS[listing.band],
            "period": period,
            "run": run,
            "notes": [*period.notes, *listing.notes, *page.notes],
            "views": _views(listing),
            "shows_renewal": listing.band in WITH_RENEWAL,
            "shows_mender": listing.band == AMISS,
            "accounts": [_account(row, listing) for row in page.rows],
            "page": page,
            "next": page.next,
            "previous": page.previous,
            "summary": _summary(listing, len(page.rows)),
            "dashboard_url": period.url("metrics:dashboard"),
            "csv_url": period.url("metrics:rows-csv", band=listing.band, **listing.filters),
            "xlsx_url": period.url("metrics:rows-xlsx", band=listing.band, **listing.filters),
            "clear_url": period.url("metrics:account-list", band=listing.band),
        }
        return render(request, "metrics/account_list.html", context, partial="list").render()


@require_safe
def rows_csv(request: HttpRequest) -> HttpResponseBase:
    """Every account the run saw, or those of the band and filters asked for."""
    run, found = _rows_asked(request)
    return csv_response(f"{_filename(run)}.csv", COLUMNS, _lines(run, found))


@require_safe
def rows_xlsx(request: HttpRequest) -> HttpResponseBase:
    """The same as a workbook."""
    run, found = _rows_asked(request)
    return xlsx_response(f"{_filename(run)}.xlsx", "Accounts", COLUMNS, _lines(run, found))


def _filename(run: MetricRun) -> str:
    return f"seats-deployed-{run.day}-r{run.revision}"


def _rows_asked(request: HttpRequest) -> tuple[MetricRun, Any]:
    require(permissions.can_see_metrics, user_of(request))
    period = read_period(request, now=timezone.now(), strict=True)
    run = period.run()
    if run is None:
        raise Invalid("There is no number for that day.", field="as_of")
    if "band" in request.GET:
        listing = _read(request, run, period)
        if listing.notes:
            raise Invalid(" ".join(listing.notes))
        found = listing.rows()
    else:
        found = bands.measured(run).select_related("account", "tam", "tier").order_by(*BY_NAME)
    return run, found


def _lines(run: MetricRun, found: Any) -> Iterator[tuple[Any, ...]]:
    for row in found.iterator(chunk_size=CHUNK_ROWS):
        share = _share(row)
        yield (
            run.day, run.revision, row.account.number, row.account.external_id, row.account.name,
            row.region, row.tier.name if row.tier else None, row.tam.name if row.tam else None,
            row.arr, row.licensed, row.deployed,
            None if share is None else _decimal(share),
            None if share is None else row.to_go,
            row.eligible, row.passes, row.reason,
            _mender(row) if row.reason in bands.AMISS or _conflicts(row) else None,
            run.definition.number,
        )  # fmt: skip


def _decimal(share: Fraction) -> Decimal:
    return Decimal(ratio_text(*share.as_integer_ratio(), places=PLACES))


def _read(request: HttpRequest, run: MetricRun, period: Period) -> Listing:
    """Read band and filters; what makes no sense is left out and noted."""
    cells = dashboard.cells_of(run)
    labels = dashboard.labels_of([*cells, *dashboard.cells_by_tam(run)])
    policy = runs.policy_of(run.definition)
    band, notes = request.GET.get("band", DEFAULT), []
    if band not in LISTS:
        band, notes = DEFAULT, ["There is no such list. These are the accounts in the number."]
    form = SegmentForm(
        request.GET,
        choices=segment_choices(cells, labels, DEFAULT if band == LATE else band, policy, period),
    )
    form.is_valid()
    notes += [str(error) for errors in form.errors.values() for error in errors]
    if form.cleaned_data.get("tam"):
        cells = dashboard.finest_cells_of(run)
    return Listing(run, policy, period, band, form, notes, labels, cells)


def _page(request: HttpRequest, listing: Listing) -> Paged:
    found = listing.rows()
    if listing.band in WITH_RENEWAL:
        found = found.annotate(renews_on=bands.renews_on(listing.run))
    keys = keyset.keys_for(MetricRow, LISTS[listing.band].order)
    return paged(request, found, keys, bound_to=listing.run.pk)


def _summary(listing: Listing, shown: int) -> str:
    total = listing.count()
    if total is None or total == shown:
        return f"{shown:,} account{'' if shown == 1 else 's'}"
    return f"{shown:,} of {total:,} accounts"


def _views(listing: Listing) -> list[dict[str, Any]]:
    def count(band: str) -> int:
        if band == LATE:
            return late_readings.count_of(listing.run, listing.period.zone)
        return dashboard.total(listing.cells, band)

    return [
        {
            "label": band.title,
            "url": listing.period.url("metrics:account-list", band=name),
            "current": name == listing.band,
            "count": count(name),
        }
        for name, band in LISTS.items()
        if name not in ON_REQUEST or name == listing.band
    ]


@dataclass(frozen=True)
class Line:
    row: MetricRow
    share: Fraction | None
    tone: str
    reason: str
    to_go: int | None
    above: int | None
    mender: str = ""

    @property
    def has_seats(self) -> bool:
        return self.to_go is not None or self.above is not None


def _account(row: Any, listing: Listing) -> Line:
    share = _share(row)
    in_ratio = row.eligible and not row.unlimited
    return Line(
        row=row,
        share=share,
        tone={True: "good", False: "warn"}.get(row.passes, "") if in_ratio else "",
        reason="Churned, contract still runs"
        if _conflicts(row)
        else reason_text(row.reason, listing.policy, listing.period.currency),
        to_go=row.to_go if row.passes is False else None,
        above=row.above if row.passes else None,
        mender=_mender(row) if listing.band == AMISS else "",
    )


def _mender(row: MetricRow) -> str:
    return mender_of(row.reason, row.tam.name if row.tam else None)


def _conflicts(row: Any) -> bool:
    return bool(row.reason == "churned" and row.still_runs)


def _share(row: MetricRow) -> Fraction | None:
    if row.deployed is None or row.unlimited or not row.licensed:
        return None
    return Fraction(row.deployed, row.licensed)
