"""The accounts list as a file: everything that fits the filters, in the order of the list."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import BadRequest
from django.db.models import CharField, F, Value
from django.db.models.expressions import Combinable
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from accounts import permissions
from accounts.here import Here
from accounts.views.listing import ACCOUNTS, Listing
from accounts.views.picked import picked_ids
from accounts.views.then_list import file_text, rows_then
from config.lib import replica
from config.lib.authz import require
from config.lib.keyset import ordered
from config.lib.lists import State
from config.lib.rendering import CHUNK_ROWS, csv_response, xlsx_response

# What a file calls a value, and where it stands; the currency is the company's.
FIELDS = {
    "number": "pk",
    "name": "name",
    "source": "source",
    "external_id": "external_id",
    "status": "status",
    "region": "region",
    "segment": "segment",
    "strategic": "strategic",
    "tier": "facts__tier__name",
    "arr": "facts__arr",
    "currency": "",
    "seats_licensed": "facts__licensed",
    "unlimited": "facts__unlimited",
    "seats_deployed": "facts__deployed",
    "seats_share": "facts__share",
    "seats_to_go": "facts__seats_to_go",
    "eligible": "facts__eligible",
    "passes": "facts__passes",
    "reason": "facts__reason",
    "data_state": "facts__data_state",
    "renewal_on": "facts__renewal_on",
    "tam": "facts__tam__name",
}
ALWAYS = ("number", "name")


@require_safe
def account_csv(request: HttpRequest) -> HttpResponseBase:
    """The filtered list as CSV; 400 where the address names no such filter."""
    name, header, rows = _asked(request)
    return csv_response(f"{name}.csv", header, rows)


@require_safe
def account_xlsx(request: HttpRequest) -> HttpResponseBase:
    """The same as a workbook."""
    name, header, rows = _asked(request)
    return xlsx_response(f"{name}.xlsx", "Accounts", header, rows)


def _asked(request: HttpRequest) -> tuple[str, list[str], Iterator[list[Any]]]:
    """Return the name of the file, its header and its rows."""
    here = Here.looking(request, strict=True)
    if here.past is not None:
        require(permissions.can_see_accounts, here.user)
        text = file_text(request)
        header = _header(ACCOUNTS.state_of(request.GET))
        paths = [FIELDS[name] for name in header]
        return f"accounts-{here.today}", header, rows_then(here, here.past, text, paths)
    listing = _listing(request)
    header = _header(listing.state)
    return f"accounts-{here.today}", header, _rows(listing, header, request)


def _listing(request: HttpRequest) -> Listing:
    listing = Listing.of(request)
    if listing.problems:
        raise BadRequest
    return listing


def _header(state: State) -> list[str]:
    """Return the columns chosen, and all there are where nobody has chosen any."""
    if not state.columns:
        return list(FIELDS)
    chosen = [field for column in ACCOUNTS.shown(state.columns) for field in column.fields]
    return list(dict.fromkeys([*ALWAYS, *chosen]))


def _rows(listing: Listing, header: list[str], request: HttpRequest) -> Iterator[list[Any]]:
    accounts = listing.accounts
    ids = picked_ids(request.GET)
    if ids:
        accounts = accounts.filter(pk__in=ids)
    currency = Value(listing.here.company.reporting_currency, output_field=CharField())
    paths: list[Combinable] = [F(FIELDS[name]) if FIELDS[name] else currency for name in header]
    found = ordered(replica.reading(accounts), listing.ordering).values_list(*paths)
    for number, *values in found.iterator(chunk_size=CHUNK_ROWS):
        yield [f"ACC-{number}", *values]
