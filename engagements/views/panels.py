"""Requests as the pages of accounts show them: a part of a page, asked for by the page itself."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from accounts.here import Here, page
from accounts.selectors import accounts_visible_to
from config.lib.authz import require
from config.lib.htmx import is_htmx
from engagements import permissions, selectors
from engagements.models import OPEN_STATES
from engagements.views.listing import Row

MOST = 5


@require_safe
def account_panel(request: HttpRequest, number: int) -> HttpResponse:
    """The account's open requests; without the script one lands in the list of them."""
    here = Here.of(request)
    require(permissions.can_see_requests, here.user)
    account = accounts_visible_to(here.user).select_related(None).filter(pk=number).first()
    if account is None:
        raise Http404
    all_url = f"{reverse('requests:list')}?{urlencode({'view': 'all', 'account': account.number})}"
    if not is_htmx(request):
        return redirect(all_url)
    requests = selectors.requests_visible_to(here.user).filter(account=account)
    found = list(requests.filter(state__in=OPEN_STATES)[: MOST + 1])
    context = {
        "account": account,
        "rows": [Row(each, None) for each in found[:MOST]],
        "has_more": len(found) > MOST,
        "has_any": bool(found) or requests.exists(),
        "all_url": all_url,
    }
    return page(request, "requests/account_panel.html", context, here=here)
