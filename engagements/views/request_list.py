"""The list of requests."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.here import page
from config.lib.keyset import count_of
from config.lib.paging import Paged, paged
from config.lib.ui.formats import number_text
from engagements import permissions
from engagements.views.bulk_acts import MOST, acts_of
from engagements.views.listing import Listing


@require_safe
def request_list(request: HttpRequest) -> HttpResponse:
    listing = Listing.of(request)
    here = listing.here
    found = paged(request, listing.requests, listing.ordering)
    bar = listing.bar(request.GET)
    count, is_more = _count(listing, found)
    query = urlencode(listing.state.parameters)
    context: dict[str, Any] = {
        "views": listing.built_in_views(opened=bar.opened is not None),
        "bar": bar,
        "view_label": bar.opened.name if bar.opened else listing.view_label,
        "view": listing.view,
        "account": listing.account,
        "filters": listing.form,
        "problems": listing.problems,
        "sort": listing.sort,
        "columns": listing.columns,
        "rows": listing.rows(found.rows),
        "paged": found,
        "count": count,
        "is_more": is_more,
        "summary": _summary(count, is_more=is_more),
        "acts": acts_of(here.user),
        "most": MOST,
        "is_narrowed": listing.is_narrowed,
        "all_url": _all_url(listing),
        "may_file": permissions.can_file_requests(here.user),
        "refusal": permissions.can_file_requests.__doc__,
        "csv_url": f"{reverse('requests:export')}?{query}",
        "xlsx_url": f"{reverse('requests:workbook')}?{query}",
    }
    return page(request, "requests/list.html", context, here=here, partial="list")


def _count(listing: Listing, found: Paged) -> tuple[int, bool]:
    if not (found.previous or found.next):
        return len(found.rows), False
    counted = count_of(listing.requests)
    return counted.rows, counted.estimated


def _summary(count: int, *, is_more: bool) -> str:
    if count == 1:
        return "1 request"
    return f"{'about ' if is_more else ''}{number_text(count)} requests"


def _all_url(listing: Listing) -> str:
    """Return the same search among all requests; "" where it is among all already."""
    text = listing.form.filters().q
    if listing.view == "all" or not text:
        return ""
    return f"?{urlencode({'view': 'all', 'q': text})}"
