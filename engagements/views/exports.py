"""The list of requests as files."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from config.lib.keyset import ordered
from config.lib.rendering import CHUNK_ROWS, csv_response, xlsx_response
from engagements.views.listing import Listing
from engagements.views.picked import picked_ids

# What a file calls a value, and where it stands.
FIELDS = {
    "number": "pk",
    "title": "title",
    "account": "account",
    "account_name": "account__name",
    "state": "state",
    "state_since": "moved_at",
    "owner": "owner",
    "type": "type",
    "impact": "impact",
    "effort": "effort",
    "filed_by": "filed_by__name",
    "lead": "lead__name",
    "seats_low": "seats_low",
    "seats_likely": "seats_likely",
    "seats_high": "seats_high",
    "needed_by": "needed_by",
    "start": "start",
    "end": "end",
    "submitted_at": "submitted_at",
    "signed_off_at": "signed_off_at",
    "delivered_at": "delivered_at",
    "closed_at": "closed_at",
}
ALWAYS = ("number", "title")


@require_safe
def request_csv(request: HttpRequest) -> HttpResponseBase:
    """The filtered list as CSV; 400 where the address names no such filter."""
    listing = _listing(request)
    header = _header(listing)
    return csv_response(
        f"requests-{listing.here.today}.csv", header, _rows(listing, header, request)
    )


@require_safe
def request_xlsx(request: HttpRequest) -> HttpResponseBase:
    """The same as a workbook."""
    listing = _listing(request)
    header = _header(listing)
    return xlsx_response(
        f"requests-{listing.here.today}.xlsx", "Requests", header, _rows(listing, header, request)
    )


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


def _rows(listing: Listing, header: list[str], request: HttpRequest) -> Iterator[list[Any]]:
    requests = listing.requests
    if ids := picked_ids(request.GET):
        requests = requests.filter(pk__in=ids)
    found = ordered(requests.select_related(None), listing.ordering)
    paths = [FIELDS[name] for name in header]
    place = header.index("account") if "account" in header else None
    for number, *values in found.values_list(*paths).iterator(chunk_size=CHUNK_ROWS):
        row = [f"REQ-{number}", *values]
        if place is not None and row[place] is not None:
            row[place] = f"ACC-{row[place]}"
        yield row
