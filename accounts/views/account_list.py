"""The list of accounts."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts import selectors
from accounts.here import Here, page
from accounts.services.bulk_edits import MOST_ACCOUNTS
from accounts.views.bulk import acts_of
from accounts.views.listing import Listing, Row
from accounts.views.then_list import list_then
from config.lib.paging import Paged, paged
from config.lib.ui.formats import money_short_text, number_text


@require_safe
def account_list(request: HttpRequest) -> HttpResponse:
    here = Here.looking(request)
    if here.past is not None:
        return list_then(request, here, here.past)
    listing = Listing.of(request, here=here)
    found = paged(request, listing.accounts, listing.ordering)
    bar = listing.bar(request.GET)
    totals = _totals(listing, found)
    query = urlencode(listing.state.parameters)
    context: dict[str, Any] = {
        "views": listing.built_in_views(opened=bar.opened is not None),
        "bar": bar,
        "view_label": bar.opened.name if bar.opened else listing.view_label,
        "view": listing.view,
        "filters": listing.form,
        "problems": listing.problems,
        "sort": listing.sort,
        "columns": listing.columns,
        "rows": [Row.of(account) for account in found.rows],
        "paged": found,
        "summary": _summary(totals, here.company.reporting_currency),
        "totals": totals,
        "acts": acts_of(here.user),
        "most": MOST_ACCOUNTS,
        "is_narrowed": listing.is_narrowed,
        "line": here.terms.share_percent,
        "currency": here.company.reporting_currency,
        "csv_url": f"{reverse('accounts:account-export')}?{query}",
        "xlsx_url": f"{reverse('accounts:account-workbook')}?{query}",
    }
    return page(request, "accounts/account_list.html", context, here=here, partial="list")


def _totals(listing: Listing, found: Paged) -> selectors.Totals:
    is_whole = not (found.previous or found.next)
    return selectors.totals_in(found.rows) if is_whole else selectors.totals_of(listing.accounts)


def _summary(totals: selectors.Totals, currency: str) -> str:
    """Say how many accounts fit, and their ARR: "64 accounts, $12.4M ARR"."""
    parts = [f"{number_text(totals.count)}{'+' if totals.more else ''} accounts"]
    if totals.count == 1:
        parts = ["1 account"]
    if totals.arr is not None:
        parts.append(f"{money_short_text(totals.arr, currency)} ARR")
    if totals.arr_unknown:
        parts.append(f"ARR of {number_text(totals.arr_unknown)} unknown")
    return ", ".join(parts)
