"""The list of projects as files."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from config.lib.keyset import ordered
from config.lib.rendering import CHUNK_ROWS, csv_response, xlsx_response
from projects.selectors.lists import with_lists
from projects.views.listing import Listing

# What a file calls a value, and where it stands.
FIELDS = {
    "number": "pk",
    "title": "title",
    "state": "state",
    "state_since": "moved_at",
    "kind": "kind",
    "type": "type",
    "accounts": "account_names",
    "requests": "request_numbers",
    "owner": "owner__name",
    "leads": "lead_names",
    "impact": "impact",
    "effort": "effort",
    "days": "days",
    "confidence": "confidence",
    "score": "score",
    "seats_low": "all_low",
    "seats_likely": "all_likely",
    "seats_high": "all_high",
    "lift": "lift",
    "lift_low": "lift_low",
    "lift_high": "lift_high",
    "increment": "increment__name",
    "start": "increment__start",
    "end": "increment__end",
    "blocked_by": "blocked_by",
    "roll_out_on": "roll_out_on",
    "rolled_out_on": "rolled_out_on",
    "days_used": "days_used",
    "proposed_by": "proposed_by__name",
    "proposed_at": "proposed_at",
    "started_at": "started_at",
    "delivered_at": "delivered_at",
    "closed_at": "closed_at",
}
ALWAYS = ("number", "title")


@require_safe
def project_csv(request: HttpRequest) -> HttpResponseBase:
    """The filtered list as CSV; 400 where the address names no such filter."""
    listing = _listing(request)
    header = _header(listing)
    return csv_response(f"projects-{listing.here.today}.csv", header, _rows(listing, header))


@require_safe
def project_xlsx(request: HttpRequest) -> HttpResponseBase:
    """The same as a workbook."""
    listing = _listing(request)
    header = _header(listing)
    name = f"projects-{listing.here.today}.xlsx"
    return xlsx_response(name, "Projects", header, _rows(listing, header))


def _listing(request: HttpRequest) -> Listing:
    listing = Listing.of(request)
    if listing.problems:
        raise BadRequest
    return listing


def _header(listing: Listing) -> list[str]:
    """Return the columns chosen, and all there are where nobody has chosen any."""
    if not listing.state.columns:
        return list(FIELDS)
    chosen = [field for column in listing.columns for field in column.fields]
    return list(dict.fromkeys([*ALWAYS, *chosen]))


def _rows(listing: Listing, header: list[str]) -> Iterator[list[Any]]:
    found = ordered(with_lists(listing.projects.select_related(None)), listing.ordering)
    paths = [FIELDS[name] for name in header]
    for values in found.values_list(*paths).iterator(chunk_size=CHUNK_ROWS):
        yield [_cell(name, value) for name, value in zip(header, values, strict=True)]


def _cell(name: str, value: Any) -> Any:
    if name == "number":
        return f"PRJ-{value}"
    if name == "requests":
        return ", ".join(f"REQ-{each}" for each in value or [])
    return ", ".join(value) if isinstance(value, list) else value
