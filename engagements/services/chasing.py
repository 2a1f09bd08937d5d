"""What falls due about links by itself: reminders, expiry, holds that are over."""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts.selectors import today
from config.lib.errors import DomainError
from engagements import selectors
from engagements.models import SignOffLink
from engagements.selectors import links as reading
from engagements.selectors.links import Standing
from engagements.services import links
from engagements.services.telling import link_expired, link_expires
from events.models import Event
from events.services import record
from people.models import system_user

# How long ago an expiry may be and still be news.
NEWS = dt.timedelta(days=7)
EXPIRED = "link.expired"

log = structlog.get_logger(__name__)


def chase(*, at: dt.datetime) -> dict[str, int]:
    """Do what is due; return how much of each. What fails does not hold up the rest."""
    return {
        "let_out": _each(_held(), lambda link: links.let_out(link, at=at)),
        "reminded": _each(_to_remind(at), lambda link: _remind(link, at=at)),
        "expired": _each(_just_expired(at), lambda link: _tell_of_expiry(link, at=at)),
    }


def _each(things: Iterable[Any], work: Callable[[Any], Any]) -> int:
    done = 0
    for thing in things:
        try:
            done += bool(work(thing))
        except DomainError as refusal:
            log.warning("sign_off.chase", thing=str(thing.uuid), refusal=refusal.code)
    return done


def _open() -> QuerySet[SignOffLink]:
    """Return the links that may be due for something; standing_of has the last word."""
    links = SignOffLink.objects.filter(used_at=None, revoked_at=None, suspended_at=None)
    return links.select_related("request", "contact")


def _held() -> QuerySet[SignOffLink]:
    return _open().filter(mailed_at=None)


def _to_remind(at: dt.datetime) -> QuerySet[SignOffLink]:
    """Return links that end within the days of the policy, and were not mailed just now."""
    days = dt.timedelta(days=selectors.policy_on(today(at)).remind_days)
    return _open().filter(
        objects_to=None,
        reminded_at=None,
        mailed_at__lte=at - links.REMIND_AGAIN,
        expires_at__gt=at,
        expires_at__lte=at + days,
    )


def _remind(link: SignOffLink, *, at: dt.datetime) -> bool:
    if reading.standing_of(link, at=at) != Standing.OPEN:
        return False
    with transaction.atomic():
        links.remind(link, by=system_user(), at=at)
        link_expires(link, at=at)
    return True


def _just_expired(at: dt.datetime) -> QuerySet[SignOffLink]:
    told = Event.objects.filter(verb=EXPIRED, object_id=OuterRef("uuid"))
    due = _open().filter(
        objects_to=None, expires_at__lte=at, expires_at__gt=at - NEWS, mailed_at__isnull=False
    )
    return due.filter(~Exists(told))


@transaction.atomic
def _tell_of_expiry(link: SignOffLink, *, at: dt.datetime) -> bool:
    request, link = links.lock(link)
    is_told = Event.objects.filter(verb=EXPIRED, object_id=link.uuid).exists()
    if is_told or reading.standing_of(link, at=at) != Standing.EXPIRED:
        return False
    record(EXPIRED, link, by=system_user(), after={}, account_id=request.account_id)
    # The reminder's link ends together with the first one.
    if links.twins_of(link).first() == link:
        link_expired(link, at=at)
    return True
