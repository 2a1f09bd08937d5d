"""The register of Work at Risk: what work stands on a leader's word alone."""

import datetime as dt
from collections.abc import Collection
from decimal import Decimal

from django.db.models import Q, QuerySet, Sum

from accounts.selectors.facts import within_limit
from engagements import permissions
from engagements.models import OPEN_STATES, RequestState, ServiceRequest, WorkAtRisk
from engagements.selectors.agreements import agreements_of
from engagements.selectors.signoffs import risks_of
from people.models import User

State = WorkAtRisk.State
VIEWS = ("live", "asked", "over", "all")
# From here on nothing is owed any more: it is over, or was handed over without a sign-off.
NOT_OWED = frozenset(RequestState) - OPEN_STATES


def risks_visible_to(user: User) -> QuerySet[WorkAtRisk]:
    """Return the Work at Risk the person may know of: that of the requests they see."""
    rows = WorkAtRisk.objects.select_related("request__account", "asked_by", "decided_by").order_by(
        "-pk"
    )
    if not permissions.can_see_requests(user):
        return rows.none()
    return within_limit(rows, user, "request__account__uuid")


def in_view(risks: QuerySet[WorkAtRisk], view: str, *, on: dt.date) -> QuerySet[WorkAtRisk]:
    """Keep what is live, waits for a decision, or is over."""
    live = Q(state=State.APPROVED, expires_on__gte=on)
    asked = Q(state=State.ASKED)
    which = {"live": live, "asked": asked, "over": ~live & ~asked, "all": Q()}
    return risks.filter(which[view])


def matching(risks: QuerySet[WorkAtRisk], text: str) -> QuerySet[WorkAtRisk]:
    """Keep those whose request or account has every word."""
    for word in text.split():
        number = word.upper().removeprefix("REQ-")
        found = Q(request__title__icontains=word) | Q(request__account__name__icontains=word)
        if number.isdecimal() and len(number) <= 18:  # noqa: PLR2004 what a key can hold
            found |= Q(request=int(number))
        risks = risks.filter(found)
    return risks


def days_at_stake(risks: QuerySet[WorkAtRisk]) -> Decimal:
    return risks.order_by().aggregate(days=Sum("exposure_days"))["days"] or Decimal(0)


def risk_of(request: ServiceRequest) -> WorkAtRisk | None:
    """Return the newest of the request, whatever became of it."""
    return next(reversed(risks_of(request)), None)


def owes_sign_off(request: ServiceRequest, signed: Collection[int]) -> bool:
    """Whether the customer has still to sign; `signed` are the requests that have it."""
    return request.state not in NOT_OWED and not request.fast_path and request.pk not in signed


def signed_ids(requests: Collection[ServiceRequest], *, on: dt.date) -> set[int]:
    """Return which of them have a live sign-off, in a constant number of statements."""
    agreements = agreements_of(requests, on=on)
    return {pk for pk, agreement in agreements.items() if agreement.kind == "signed"}
