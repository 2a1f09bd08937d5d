"""`/metric/flips/`: who needs how many seats to reach the line, and who is about to fall."""

import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from config.lib import keyset, lists
from config.lib.authz import require
from config.lib.errors import Invalid
from config.lib.htmx import render
from config.lib.lists import ListPage
from config.lib.paging import Paged, paged
from config.lib.rendering import CHUNK_ROWS, csv_response
from config.lib.values import ratio_text
from metrics import permissions
from metrics.forms import FlipForm
from metrics.models import MetricRow, MetricRun
from metrics.selectors import dashboard, flips, late_readings, runs
from metrics.views.dashboard import no_number
from metrics.views.narrowing import narrowed, segment_choices
from metrics.views.period import Period, read_period
from people.http import user_of
from people.permissions import can_change_view

PLACES = 6
GO, FALL = "go", "fall"
FORESEEN = flips.TREND_DAYS * flips.TREND_TIMES
SIDES = {
    GO: ("Seats to go", "Below the line: with these seats deployed, the account counts.", "to_go"),
    FALL: (
        "About to fall",
        f"Few seats above the line, or under it within {FORESEEN} days if their trend goes on.",
        "above",
    ),
}
# In the address, and what it sorts by on each side.
SORTS = {"seats": "", "renewal": "renews_on", "arr": "arr", "name": "account__name"}
COLUMNS = (
    "day", "account", "external_id", "name", "tier", "region", "tam", "arr", "licensed", "deployed",
    "share", "seats_to_go", "seats_above", "seats_30_days_before", "renewal_on", "last_reading",
    "definition_version",
)  # fmt: skip


FLIPS = lists.register(
    ListPage(
        name="flips",
        label="Flip list",
        icon="target",
        url_name="metrics:flip-list",
        parameters=("side", "tier", "region", "tam", "renewal", "seats", "sort"),
        columns=(),
        default_columns=(),
        defaults=(("side", GO), ("sort", "seats")),
    )
)


@dataclass(frozen=True)
class FlipList:
    """What an address asks for, once it is read."""

    run: MetricRun
    before: MetricRun | None
    period: Period
    side: str
    sort: str
    form: FlipForm
    notes: list[str]

    @property
    def filters(self) -> dict[str, Any]:
        return {name: value for name, value in self.form.cleaned_data.items() if value}

    @property
    def ordering(self) -> list[keyset.Key]:
        seats = SIDES[self.side][2]
        name = self.sort.removeprefix("-")
        first = SORTS[name] or seats
        sign = "-" if self.sort.startswith("-") else ""
        return keyset.keys_for(MetricRow, [sign + first, seats, "account__name", "account_id"])

    def rows(self) -> Any:
        rows_of = flips.to_go if self.side == GO else flips.about_to_fall
        found = rows_of(self.run, self.before)
        for name, value in self.filters.items():
            match name:
                case "renewal":
                    until = self.run.day + dt.timedelta(days=int(value))
                    found = found.filter(renews_on__lte=until)
                case "seats":
                    found = found.filter(**{f"{SIDES[self.side][2]}__lte": value})
                case _:
                    found = found.filter(narrowed(name, value))
        return found


@dataclass(frozen=True)
class Flip:
    row: Any
    last_reading: dt.datetime | None
    is_late: bool

    @property
    def share(self) -> Fraction:
        return Fraction(self.row.deployed, self.row.licensed)

    @property
    def change(self) -> int | None:
        before = self.row.deployed_before
        return None if before is None else int(self.row.deployed - before)


@require_safe
def flip_list(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    require(permissions.can_see_metrics, user)
    period = read_period(request, now=timezone.now())
    with timezone.override(period.zone):
        run = period.run()
        if run is None:
            return no_number(request, period, user)
        listing = _read(request, run, period)
        page = paged(request, listing.rows(), listing.ordering, bound_to=run.pk)
        title, explained, _ = SIDES[listing.side]
        context = {
            "listing": listing,
            "run": run,
            "period": period,
            "policy": runs.policy_of(run.definition),
            "title": title,
            "explained": explained,
            "notes": [*period.notes, *listing.notes, *page.notes],
            "views": _views(listing),
            "bar": lists.view_bar(
                FLIPS,
                request.GET,
                user.visible_views,
                may_change=lambda view: can_change_view(user, view),  # type: ignore[arg-type]
            ),
            "sort": listing.sort,
            "flips": _flips(listing, page.rows),
            "trend_days": flips.TREND_DAYS,
            "next": page.next,
            "previous": page.previous,
            "summary": _summary(listing, page),
            "dashboard_url": period.url("metrics:dashboard"),
            "csv_url": period.url(
                "metrics:flips-csv",
                side=listing.side,
                sort=listing.sort,
                **{name: str(value) for name, value in listing.filters.items()},
            ),
            "clear_url": period.url("metrics:flip-list", side=listing.side),
        }
        return render(request, "metrics/flip_list.html", context, partial="list").render()


@require_safe
def flips_csv(request: HttpRequest) -> HttpResponseBase:
    """The whole of the list as CSV."""
    require(permissions.can_see_metrics, user_of(request))
    period = read_period(request, now=timezone.now(), strict=True)
    run = period.run()
    if run is None:
        raise Invalid("There is no number for that day.", field="as_of")
    listing = _read(request, run, period)
    if listing.notes:
        raise Invalid(" ".join(listing.notes))
    found = keyset.ordered(listing.rows(), listing.ordering)
    name = f"flips-{listing.side}-{run.day}.csv"
    return csv_response(name, COLUMNS, _lines(listing, found.iterator(chunk_size=CHUNK_ROWS)))


def _lines(listing: FlipList, found: Iterator[Any]) -> Iterator[tuple[Any, ...]]:
    while chunk := list(itertools.islice(found, CHUNK_ROWS)):
        for flip in _flips(listing, chunk):
            row = flip.row
            yield (
                listing.run.day, row.account.number, row.account.external_id, row.account.name,
                row.tier.name if row.tier else None, row.region,
                row.tam.name if row.tam else None, row.arr, row.licensed, row.deployed,
                ratio_text(*flip.share.as_integer_ratio(), places=PLACES), row.to_go, row.above,
                row.deployed_before, row.renews_on, flip.last_reading,
                listing.run.definition.number,
            )  # fmt: skip


def _read(request: HttpRequest, run: MetricRun, period: Period) -> FlipList:
    """Read side, order and filters; what makes no sense is left out and noted."""
    cells = dashboard.cells_of(run)
    labels = dashboard.labels_of([*cells, *dashboard.cells_by_tam(run)])
    policy = runs.policy_of(run.definition)
    notes = []
    side = request.GET.get("side", GO)
    if side not in SIDES:
        side, notes = GO, ["There is no such list. These are the accounts below the line."]
    sort = request.GET.get("sort", "seats")
    if sort.removeprefix("-") not in SORTS:
        sort = "seats"
        notes.append("The list cannot be sorted by this.")
    choices = segment_choices(cells, labels, "below", policy, period)
    form = FlipForm(request.GET, choices=choices)
    form.is_valid()
    notes += [str(error) for errors in form.errors.values() for error in errors]
    before = flips.run_before(run, known_at=period.known_at)
    return FlipList(run, before, period, side, sort, form, notes)


def _flips(listing: FlipList, found: list[Any]) -> list[Flip]:
    zone = listing.period.zone
    last = flips.last_readings(listing.run, [row.account_id for row in found], zone)
    late = dt.timedelta(days=late_readings.LATE_DAYS)

    def is_late(at: dt.datetime | None) -> bool:
        return at is not None and listing.run.day - at.astimezone(zone).date() > late

    return [Flip(row, at := last.get(row.account_id), is_late(at)) for row in found]


def _views(listing: FlipList) -> list[dict[str, Any]]:
    return [
        {
            "label": title,
            "url": listing.period.url("metrics:flip-list", side=side),
            "current": side == listing.side,
        }
        for side, (title, _, _) in SIDES.items()
    ]


def _summary(listing: FlipList, page: Paged) -> str:
    count = len(page.rows)
    seats = sum(getattr(row, SIDES[listing.side][2]) for row in page.rows)
    what = "to go" if listing.side == GO else "above the line"
    return f"{count:,} account{'' if count == 1 else 's'}, {seats:,} seats {what} on this page"
