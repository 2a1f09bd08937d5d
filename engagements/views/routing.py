"""Who does this? The router's answer while a request is being written."""

import re

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from accounts import selectors as accounts
from accounts.here import Here, page
from accounts.models import Account
from accounts.selectors.lists import NUMBER
from config.lib.authz import require
from config.lib.values import BadValue, parse_uuid
from engagements import permissions, selectors
from engagements.models import ServiceRequest
from engagements.rules import router
from engagements.selectors import routing
from engagements.views.scope import facts_sent, told

REQUEST = re.compile(r"REQ-([1-9][0-9]{0,17})")


@require_POST
def scope_check(request: HttpRequest) -> HttpResponse:
    """Answer a form of intake as it stands, saved or not; writes nothing."""
    here = Here.of(request)
    require(permissions.can_see_requests, here.user)
    sent = {name: value for name, value in request.POST.items() if isinstance(value, str)}
    draft = _draft(sent.get("request", ""), here) or ServiceRequest()
    account = _account(sent["account"], here) if sent.get("account") else draft.account
    draft.account = account
    facts = facts_sent(sent, routing.facts_of(draft))
    answer = router.route(facts, routing.rules_on(here.today), on=here.today)
    scope = told(answer, account, here) if facts.type else None
    context = {"scope": scope}
    return page(request, "requests/routing/check.html", context, here=here, partial="scope")


def _draft(text: str, here: Here) -> ServiceRequest | None:
    number = REQUEST.fullmatch(text)
    if number is None:
        return None
    rows = selectors.requests_visible_to(here.user).select_related("account__facts", "filed_by")
    return rows.filter(pk=int(number[1])).first()


def _account(text: str, here: Here) -> Account | None:
    rows = accounts.accounts_visible_to(here.user)
    if number := NUMBER.fullmatch(text.strip()):
        return rows.filter(pk=int(number[1])).first()
    try:
        return rows.filter(uuid=parse_uuid(text)).first()
    except BadValue:
        return None
