"""What stands around the things that need a person: what waits, what is under way, what is due."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum

from accounts.models import Account
from accounts.selectors import own_account_ids
from engagements.models import (
    OPEN_STATES,
    OutcomeCheck,
    RequestState,
    ServiceRequest,
    SignOffLink,
    WorkAtRisk,
)
from engagements.selectors.work import AT_WORK, Hat, requests_of
from people.models import User

S = RequestState
WITH_OTHERS = frozenset(
    {S.SUBMITTED, S.AWAITING_SIGNOFF, S.SIGNED_OFF, S.NEEDS_INFO, S.ON_HOLD, S.DELIVERED}
)
UNDER_WAY = frozenset({S.TRIAGED, S.SCHEDULED, S.IN_PROGRESS})
NEAR_POINTS = 5
SOON = dt.timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Due:
    """Something with a day, for a requester or for who answers for a risk."""

    request: ServiceRequest
    what: str
    on: dt.date


@dataclass(frozen=True, slots=True)
class Exposure:
    """What stands on Work at Risk alone."""

    count: int
    days: Decimal


def mine_in(user: User, *, on: dt.date, hats: Collection[str]) -> Q:
    """What the person takes part in, in these parts."""
    mine = Q(pk__in=[])
    if Hat.REQUESTER in hats:
        mine |= requests_of(user, on=on)
    if {Hat.ENGINEER, Hat.LEAD} & set(hats):
        works = ServiceRequest.engineers.through.objects.filter(
            servicerequest=OuterRef("pk"), user=user
        )
        mine |= Q(lead=user) | Q(Exists(works))
    return mine


def waiting_for_others(
    user: User, *, on: dt.date, hats: Collection[str], but: Collection[int]
) -> QuerySet[ServiceRequest]:
    """Return what waits for somebody else, the longest first."""
    which = mine_in(user, on=on, hats=hats) & Q(state__in=WITH_OTHERS)
    if Hat.LEAD in hats:
        which |= Q(state__in=[S.NEEDS_INFO, S.ON_HOLD])
    return (
        _requests(which)
        .exclude(pk__in=but)
        .exclude(waits_for=user)
        .order_by(F("moved_at").asc(nulls_last=True), "pk")
    )


def under_way(user: User, *, on: dt.date, hats: Collection[str]) -> QuerySet[ServiceRequest]:
    """Return what is being worked on, or will be; a lead sees all of it."""
    which = mine_in(user, on=on, hats=hats)
    if Hat.LEAD in hats:
        which |= Q(pk__isnull=False)
    return _requests(which & Q(state__in=UNDER_WAY)).order_by(
        F("end").asc(nulls_last=True), F("start").asc(nulls_last=True), "pk"
    )


def due_of_requester(user: User, *, at: dt.datetime, on: dt.date) -> list[Due]:
    """Return dates that matter to customers, links that run out and checks to come."""
    until = on + SOON
    mine = requests_of(user, on=on)
    needed = _requests(mine & Q(state__in=OPEN_STATES, needed_by__range=(on, until)))
    found = [Due(each, "Needed by the customer", _day(each.needed_by)) for each in needed]
    of_mine = ServiceRequest.objects.filter(mine).values("pk")
    links = SignOffLink.objects.filter(
        request__in=of_mine, used_at=None, revoked_at=None, expires_at__range=(at, at + SOON)
    )
    found += [
        Due(each.request, "The customer's link expires", each.expires_at.date())
        for each in links.select_related("request__account")
    ]
    checks = OutcomeCheck.objects.filter(
        request__in=of_mine, done_at=None, due_on__gt=on, due_on__lte=until
    )
    found += [
        Due(each.request, f"Look at the outcome after {each.days} days", each.due_on)
        for each in checks.select_related("request__account")
    ]
    return found


def live_risks(*, on: dt.date) -> QuerySet[WorkAtRisk]:
    """Return what is approved and has not run out, the one that ends first first."""
    return (
        WorkAtRisk.objects.filter(state=WorkAtRisk.State.APPROVED, expires_on__gte=on)
        .select_related("request__account")
        .order_by("expires_on", "pk")
    )


def exposure(*, on: dt.date) -> Exposure:
    risks = WorkAtRisk.objects.filter(state=WorkAtRisk.State.APPROVED, expires_on__gte=on)
    days = risks.aggregate(days=Sum("exposure_days"))["days"]
    return Exposure(risks.count(), days or Decimal(0))


def own_accounts(user: User, *, on: dt.date, share_percent: int) -> tuple[int, int]:
    """Return how many accounts the person has, and how many of them are near the line."""
    own = Account.objects.filter(pk__in=own_account_ids(user, on=on))
    near_from = share_percent - NEAR_POINTS
    near = own.filter(
        facts__eligible=True,
        facts__passes=False,
        facts__licensed__gt=0,
        facts__deployed__gte=F("facts__licensed") * near_from / 100.0,
    )
    return own.count(), near.count()


def open_count() -> int:
    return ServiceRequest.objects.filter(state__in=OPEN_STATES - {S.DRAFT}).count()


def at_work_count(user: User) -> int:
    return ServiceRequest.objects.filter(lead=user, state__in=AT_WORK).count()


def _requests(which: Q) -> QuerySet[ServiceRequest]:
    return ServiceRequest.objects.filter(which).select_related("account", "lead", "waits_for")


def _day(day: dt.date | None) -> dt.date:
    assert day is not None  # noqa: S101 filtered by it
    return day
