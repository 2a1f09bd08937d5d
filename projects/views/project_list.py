"""The list of projects."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.here import page
from config.lib.keyset import count_of
from config.lib.paging import Paged, paged
from config.lib.ui.formats import number_text
from projects import permissions
from projects.views.listing import Listing


@require_safe
def project_list(request: HttpRequest) -> HttpResponse:
    listing = Listing.of(request)
    here = listing.here
    found = paged(request, listing.for_rows, listing.ordering)
    bar = listing.bar(request.GET)
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
        "summary": _summary(listing, found),
        "is_narrowed": listing.is_narrowed,
        "all_url": _all_url(listing),
        "may_propose": permissions.can_propose(here.user),
        "refusal": permissions.can_propose.__doc__,
        "csv_url": f"{reverse('projects:export')}?{query}",
        "xlsx_url": f"{reverse('projects:workbook')}?{query}",
    }
    return page(request, "projects/list.html", context, here=here, partial="list")


def _summary(listing: Listing, found: Paged) -> str:
    count, is_more = len(found.rows), False
    if found.previous or found.next:
        counted = count_of(listing.projects)
        count, is_more = counted.rows, counted.estimated
    if count == 1:
        return "1 project"
    return f"{'about ' if is_more else ''}{number_text(count)} projects"


def _all_url(listing: Listing) -> str:
    """Return the same search among all projects; "" where it is among all already."""
    text = listing.form.filters().q
    if listing.view == "all" or not text:
        return ""
    return f"?{urlencode({'view': 'all', 'q': text})}"
