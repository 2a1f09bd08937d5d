"""Links sent to customers: which one a token names, how it stands, and what it shows."""

import datetime as dt
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from accounts.models import Account, AccountVersion, Contact, ContactVersion
from engagements.models import (
    CustomerQuestion,
    Delivery,
    RequestState,
    ServiceRequest,
    SignOff,
    SignOffLink,
    SowVersion,
)
from engagements.rules import delivery as delivery_rules
from engagements.rules import sow as sow_rules
from engagements.selectors.sows import current_sow
from events.models import Event
from people.models import User
from people.selectors import DIGEST_BYTES, newest_pepper_id, token_digest

TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
# A link waits as long where the address was changed shortly before: reliability, D09.
HOLD = dt.timedelta(hours=24)
Purpose = SignOffLink.Purpose


class Standing(StrEnum):
    """What can be done with a link."""

    OPEN = "open"
    HELD = "held"
    ANSWERED = "answered"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
    # The contact left, or has another address.
    UNREACHABLE = "unreachable"
    # What it asks about is not what is asked about now.
    REPLACED = "replaced"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Document:
    """What a link shows: exactly what was hashed, under the account's name at the time."""

    content: Mapping[str, Any]
    digest: str
    account: str
    fits: bool


def database_now() -> dt.datetime:
    """Return the time on the database's clock, which all web servers have in common."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: dt.datetime = cursor.fetchone()[0]
    return now


def link_of_token(text: str) -> SignOffLink | None:
    """Return the link with this token, usable or not. As much work for one that cannot be."""
    if not TOKEN.fullmatch(text):
        hmac.compare_digest(token_digest(text[:64], newest_pepper_id()), bytes(DIGEST_BYTES))
        return None
    digests = [token_digest(text, pepper) for pepper in settings.TOKEN_PEPPERS]
    return _links().filter(token_digest__in=digests, mailed_at__isnull=False).first()


def links_of(request: ServiceRequest) -> QuerySet[SignOffLink]:
    """Return the links of the request, newest first."""
    return _links().filter(request=request).order_by("-pk")


def questions_of(request: ServiceRequest) -> QuerySet[CustomerQuestion]:
    """Return what the customer asked by links, newest first."""
    return CustomerQuestion.objects.filter(link__request=request).order_by("-pk")


def standing_of(link: SignOffLink, *, at: dt.datetime) -> Standing:
    """Return how the link stands; what ended it first of all that did."""
    checks: tuple[tuple[Standing, Callable[[], bool]], ...] = (
        (Standing.ANSWERED, lambda: link.used_at is not None or _is_answered(link)),
        (Standing.REVOKED, lambda: link.revoked_at is not None or not link.request.is_open),
        (Standing.SUSPENDED, lambda: link.suspended_at is not None),
        (Standing.UNREACHABLE, lambda: not is_reachable(link)),
        (Standing.REPLACED, lambda: not _is_asked_now(link)),
        (Standing.HELD, lambda: link.mailed_at is None),
        (Standing.EXPIRED, lambda: at >= link.expires_at),
    )
    return next((standing for standing, holds in checks if holds()), Standing.OPEN)


def is_reachable(link: SignOffLink) -> bool:
    """Whether the contact is still there, under the address the link was made for."""
    contact = link.contact
    return contact.account_id == link.request.account_id and same_address(
        contact.email, link.sent_to
    )


def same_address(one: str, other: str) -> bool:
    return bool(one) and one.casefold() == other.casefold()


def thing_to_answer(request: ServiceRequest) -> SowVersion | Delivery | None:
    """Return what the customer can be asked about now: the delivery, or the SOW that was sent."""
    if request.state == RequestState.DELIVERED:
        return request.deliveries.order_by("-number").first()
    sow = current_sow(request) if request.is_open else None
    return sow if sow is not None and sow.is_frozen else None


def columns_of(thing: SowVersion | Delivery) -> dict[str, Any]:
    """Return the columns by which a link or a sign-off is bound to it."""
    if isinstance(thing, Delivery):
        return {"purpose": "delivery", "delivery": thing}
    return {"purpose": "sow", "sow": thing}


def shown_by(link: SignOffLink) -> Document:
    """Return what the link shows, and whether it still is what was hashed."""
    if link.objects_to is not None:
        return document_of(link.objects_to)
    return _document(link.request, link.delivery or link.sow)


def document_of(sign_off: SignOff) -> Document:
    """Return what the sign-off is about; it fits where that has the digest of what was shown."""
    document = _document(sign_off.request, sign_off.delivery or sign_off.sow)
    return Document(
        document.content,
        document.digest,
        document.account,
        document.fits and hmac.compare_digest(document.digest, sign_off.digest),
    )


def document_of_sow(sow: SowVersion) -> Document:
    """Return a version as it was hashed, under the account's name at the time."""
    return _document(sow.request, sow)


def version_before(link: SignOffLink) -> SowVersion | None:
    """Return the version that this contact was sent, or that was agreed to, before this one."""
    if link.sow is None:
        return None
    earlier = link.request.sows.filter(frozen_at__isnull=False, number__lt=link.sow.number)
    sent = Q(links__contact=link.contact_id, links__mailed_at__isnull=False)
    agreed = Q(sign_offs__state=SignOff.State.AGREED)
    return earlier.filter(sent | agreed).order_by("-number").first()


def address_changed_at(contact: Contact, *, by: User, at: dt.datetime) -> dt.datetime | None:
    """Return when the contact's address became what it is, where that was within a day.

    The first address of a contact counts too, where who sends the link wrote it themselves.
    """
    others = ContactVersion._default_manager.filter(  # noqa: SLF001 made by version_of
        fact=contact.pk, known_to__gt=at - HOLD
    ).exclude(email__iexact=contact.email)
    moments = others.order_by("-known_to").values_list("known_to", flat=True)
    changed: dt.datetime | None = moments.first()
    if changed is None:
        written = _addresses_written(contact).filter(actor=by, at__gt=at - HOLD)
        changed = written.values_list("at", flat=True).first()
    return changed


def contacts_to_ask(request: ServiceRequest) -> QuerySet[Contact]:
    """Return the people of the account that a link can be sent to."""
    return Contact.objects.filter(account=request.account_id).exclude(email="").order_by("name")


@dataclass(frozen=True)
class ShownLink:
    """A link as staff see it."""

    link: SignOffLink
    standing: Standing

    @cached_property
    def label(self) -> str:
        if self.is_open and self.link.objects_to is not None:
            return "May object"
        return LABELS[self.standing][0]

    @cached_property
    def tone(self) -> str:
        if self.is_open and self.link.objects_to is not None:
            return "line"
        return LABELS[self.standing][1]

    @property
    def is_open(self) -> bool:
        return self.standing == Standing.OPEN

    @property
    def is_held(self) -> bool:
        return self.standing == Standing.HELD

    @property
    def can_be_reminded(self) -> bool:
        return self.is_open and self.link.objects_to is None

    @property
    def can_be_revoked(self) -> bool:
        return self.standing in {Standing.OPEN, Standing.HELD, Standing.EXPIRED}

    @property
    def can_be_sent_again(self) -> bool:
        return self.standing in {Standing.OPEN, Standing.EXPIRED, Standing.SUSPENDED}


LABELS = {
    Standing.OPEN: ("Waits for an answer", "warn"),
    Standing.HELD: ("Held back", "warn"),
    Standing.ANSWERED: ("Answered", "good"),
    Standing.REVOKED: ("Revoked", ""),
    Standing.SUSPENDED: ("Suspended", "bad"),
    Standing.UNREACHABLE: ("Address gone", "bad"),
    Standing.REPLACED: ("Replaced", ""),
    Standing.EXPIRED: ("Expired", "bad"),
}


def shown_links(request: ServiceRequest, *, at: dt.datetime) -> list[ShownLink]:
    """Return the newest link of each contact and purpose, newest first."""
    newest: dict[tuple[str, int, int | None], SignOffLink] = {}
    for link in links_of(request):
        newest.setdefault((link.purpose, link.contact_id, link.objects_to_id), link)
    return [ShownLink(link, standing_of(link, at=at)) for link in newest.values()]


def _links() -> QuerySet[SignOffLink]:
    return SignOffLink.objects.select_related(
        "request__account", "request__filed_by", "contact", "sow", "delivery", "created_by",
        "objects_to__sow", "objects_to__delivery", "objects_to__request__account",
    )  # fmt: skip


def _is_answered(link: SignOffLink) -> bool:
    """Whether somebody else gave, by link, the answer that this one asks for."""
    if link.objects_to is not None:
        return link.objects_to.state == SignOff.State.OBJECTED
    given = link.request.sign_offs.filter(
        state=SignOff.State.AGREED, sow=link.sow, delivery=link.delivery
    )
    if link.sow_id is not None:
        given = given.filter(way__in=(SignOff.Way.LINK, SignOff.Way.ESIGNED))
    return given.exists()


def _is_asked_now(link: SignOffLink) -> bool:
    if link.objects_to is not None:
        return link.objects_to.state in (SignOff.State.RECORDED, SignOff.State.AGREED)
    thing = thing_to_answer(link.request)
    return thing is not None and thing == (link.delivery or link.sow)


def _document(request: ServiceRequest, thing: SowVersion | Delivery | None) -> Document:
    assert thing is not None  # noqa: S101 a constraint: every sign-off is of one thing
    rules: Any = delivery_rules if isinstance(thing, Delivery) else sow_rules
    for name in _names_of(request.account):
        digest = rules.digest_of(thing.content, request=request.number, account=name)
        if hmac.compare_digest(digest, thing.digest):
            return Document(thing.content, digest, name, fits=True)
    return Document(thing.content, thing.digest, str(request.account), fits=False)


def _names_of(account: Account | None) -> Iterator[str]:
    """Return the account's name, then those it had: a document was hashed under one of them."""
    yield str(account)
    if account is not None:
        versions = AccountVersion._default_manager.filter(fact=account.pk)  # noqa: SLF001
        yield from versions.order_by("-known_from").values_list("name", flat=True).distinct()


def who_changed_address(link: SignOffLink) -> int | None:
    """Return the key of who changed the contact's address last."""
    written = _addresses_written(link.contact)
    actor: int | None = written.values_list("actor_id", flat=True).first()
    return actor


def _addresses_written(contact: Contact) -> QuerySet[Event]:
    written = Event.objects.filter(
        object_type="accounts.contact", object_id=contact.uuid, after__has_key="email"
    )
    return written.order_by("-id")
