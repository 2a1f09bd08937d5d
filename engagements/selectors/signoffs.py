"""Which evidence is live: whether work may start on what the customer agreed to."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

from django.db.models import Q, QuerySet

from config.lib.reading import read_once
from engagements.models import (
    STRENGTHS,
    ChangeRequest,
    RequestState,
    ServiceRequest,
    SignOff,
    SignOffMinimum,
    SignOffPolicy,
    SowVersion,
    WorkAtRisk,
)
from engagements.selectors.sows import change_of, current_sow

# What a customer only said is too weak for these changes of a signed SOW.
WRITTEN_CHANGES = (ChangeRequest.Kind.LONGER, ChangeRequest.Kind.LARGER)


def strength_of(way: str) -> int:
    """Return 0 for the weakest; -1 for a way that is no agreement to work at all."""
    return STRENGTHS.index(way) if way in STRENGTHS else -1


def live_sign_off(request: ServiceRequest, *, on: dt.date) -> SignOff | None:
    """Return the strongest agreement to the current SOW that is strong enough, if there is one.

    It lives as long as the current version has the digest of what was shown: any edit ends it.
    """
    sow = current_sow(request)
    return sign_off_of(request, sow, on=on) if sow is not None else None


def sign_off_of(request: ServiceRequest, sow: SowVersion, *, on: dt.date) -> SignOff | None:
    """Return the strongest agreement to this version that is strong enough."""
    if not sow.digest:
        return None
    agreed = agreements_to(request, sow)
    least = strength_of(least_strength(request, sow, on=on))
    enough = [each for each in agreed if strength_of(each.way) >= least]
    return max(enough, key=lambda each: strength_of(each.way), default=None)


def last_ground(sow: SowVersion, *, on: dt.date) -> SowVersion:
    """Return what a change of this version is measured against: what was agreed to last.

    A change that was never agreed to, or not strongly enough, is no ground for the next one.
    """
    change = change_of(sow)
    while change is not None and sign_off_of(sow.request, sow, on=on) is None:
        sow = change.before
        change = change_of(sow)
    return sow


def agreements_to(request: ServiceRequest, sow: SowVersion) -> list[SignOff]:
    """Return what was agreed to this content, strong enough or not."""
    return [each for each in _agreed(request) if each.digest == sow.digest]


@read_once
def least_strength(request: ServiceRequest, sow: SowVersion, *, on: dt.date) -> str:
    """Return how strong a sign-off of this version must be at least.

    By amount and impact; and a change that takes longer, or more effort, is confirmed in writing.
    """
    is_larger = ChangeRequest.objects.filter(after=sow, kind__in=WRITTEN_CHANGES).exists()
    return least_of(request, sow, minimums_on(on), is_larger=is_larger)


def least_of(
    request: ServiceRequest,
    sow: SowVersion,
    minimums: Iterable[SignOffMinimum],
    *,
    is_larger: bool,
) -> str:
    """Return the same of what was read already."""
    amount = Decimal(str(sow.content.get("amount") or 0))
    currency = sow.content.get("currency") or ""
    strengths = [
        row.strength
        for row in minimums
        if (row.impact is None or (request.impact is not None and request.impact <= row.impact))
        and _reaches(row, amount, currency)
    ]
    if is_larger:
        strengths.append(SignOff.Way.WRITTEN)
    return max(strengths, key=strength_of, default="verbal")


def _reaches(row: SignOffMinimum, amount: Decimal, currency: str) -> bool:
    if not row.amount_from:
        return True
    # An amount in another currency is not compared: the stricter rule holds.
    return amount > 0 and (amount >= row.amount_from or currency != row.currency)


def minimums_on(day: dt.date) -> QuerySet[SignOffMinimum]:
    return SignOffMinimum.objects.filter(Q(end=None) | Q(end__gt=day), start__lte=day)


@read_once
def policy_on(day: dt.date) -> SignOffPolicy:
    """Return how links work on the day."""
    policy = (
        SignOffPolicy.objects.filter(Q(end=None) | Q(end__gt=day), start__lte=day)
        .order_by("-start")
        .first()
    )
    return policy or SignOffPolicy(start=day)


@read_once
def risks_of(request: ServiceRequest) -> list[WorkAtRisk]:
    """Return all Work at Risk of the request, whatever became of it, the oldest first."""
    return list(request.risks.select_related("asked_by", "decided_by").order_by("pk"))


def live_risk(request: ServiceRequest, *, on: dt.date) -> WorkAtRisk | None:
    """Return the approved Work at Risk of the request that has not run out."""
    approved = WorkAtRisk.State.APPROVED
    live = (each for each in risks_of(request) if each.state == approved and each.expires_on >= on)
    return next(live, None)


def may_work(request: ServiceRequest, *, on: dt.date) -> bool:
    """Whether the ground for work is there: agreed to, at a leader's risk, or no SOW needed."""
    return (
        request.fast_path
        or live_sign_off(request, on=on) is not None
        or live_risk(request, on=on) is not None
    )


def where_it_was(request: ServiceRequest, *, on: dt.date) -> str:
    """Return the state to go back to after a pause. Work goes on only where its ground is there."""
    was = request.paused_from or RequestState.SUBMITTED
    if was == RequestState.IN_PROGRESS and not may_work(request, on=on):
        return RequestState.SCHEDULED
    # The customer may have answered, or objected, in the meantime.
    if was in (RequestState.AWAITING_SIGNOFF, RequestState.SIGNED_OFF):
        is_signed = live_sign_off(request, on=on) is not None
        return RequestState.SIGNED_OFF if is_signed else RequestState.AWAITING_SIGNOFF
    return was


def why_not_signed(request: ServiceRequest, *, on: dt.date) -> str:
    """Return "" where a live sign-off is there, else what is missing and what to do."""
    sow = current_sow(request)
    if sow is None:
        return "There is no statement of work that the customer could have agreed to."
    if sign_off_of(request, sow, on=on):
        return ""
    if sow.digest and agreements_to(request, sow):
        least = SignOff.Way(least_strength(request, sow, on=on)).label.lower()
        return f"The sign-off of version {sow.number} is too weak: it has to be {least}, or more."
    if _was_signed(request):
        return f"The sign-off was superseded: version {sow.number} has to be agreed to anew."
    return f"Version {sow.number} of the statement of work is not signed off."


def _was_signed(request: ServiceRequest) -> bool:
    return bool(_agreed(request))


def _agreed(request: ServiceRequest) -> list[SignOff]:
    """Return what was agreed to, of any version."""
    is_agreed = (SignOff.Purpose.SOW, SignOff.State.AGREED)
    return [each for each in sign_offs_of(request) if (each.purpose, each.state) == is_agreed]


@read_once
def sign_offs_of(request: ServiceRequest) -> list[SignOff]:
    """Return every sign-off of the request, the oldest first."""
    rows = request.sign_offs.select_related(
        "sow", "delivery", "link", "recorded_by", "confirmed_by"
    )
    return list(rows.order_by("pk"))
