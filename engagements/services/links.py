"""Links to customers: made, held back, mailed, sent again, revoked. Only digests are kept.

Whatever touches several rows locks them in one order: the request, then its links, then its
sign-offs.
"""

import datetime as dt
import secrets
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Contact
from accounts.selectors import today
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid
from engagements import permissions, selectors
from engagements.models import Delivery, ServiceRequest, SignOff, SignOffLink
from engagements.selectors import links as reading
from engagements.selectors.links import Standing
from engagements.services import customer_mails as mails
from engagements.services.telling import new_link_asked_for
from events.services import record
from people.models import User, system_user
from people.selectors import newest_pepper_id, token_digest

TOKEN_BYTES = 32
MOST_OPEN = 20
REMIND_AGAIN = dt.timedelta(days=1)


class NotNow(Conflict):
    """A link cannot be sent, or not again; the message says why and what to do."""

    code = "no_link_now"


@transaction.atomic
def send_link(
    request: ServiceRequest, contact: Contact, *, by: User, at: dt.datetime
) -> SignOffLink:
    """Ask a contact about what waits for an answer; an earlier link of theirs ends.

    Where the address was changed within the last day, the link is held back until a second
    person has confirmed the address, or the day is over.
    """
    require(permissions.can_send_link, by, request)
    request = lock_request(request)
    thing = reading.thing_to_answer(request)
    if thing is None:
        raise NotNow("There is nothing the customer could answer now. Send a version first.")
    return _make(request, contact, reading.columns_of(thing), by=by, at=at)


@transaction.atomic
def ask_for_acceptance(delivery: Delivery, *, by: User, at: dt.datetime) -> SignOffLink | None:
    """Mail who agreed to the work that it was delivered; None where nobody can be written to."""
    request = lock_request(delivery.request)
    agreed = request.sign_offs.filter(
        purpose=SignOff.Purpose.SOW, state=SignOff.State.AGREED, contact__isnull=False
    )
    newest = agreed.select_related("contact").order_by("-pk").first()
    contact = newest.contact if newest else request.contact
    if contact is None or not contact.email or contact.account_id != request.account_id:
        return None
    return _make(request, contact, reading.columns_of(delivery), by=by, at=at)


@transaction.atomic
def send_objection_link(sign_off: SignOff, *, by: User, at: dt.datetime) -> SignOffLink:
    """Mail the customer what was understood, with the way to say that it is wrong."""
    assert sign_off.contact is not None  # noqa: S101 a verbal agreement names one
    columns = {
        "purpose": SignOffLink.Purpose.OBJECTION,
        "sow": sign_off.sow,
        "delivery": sign_off.delivery,
        "objects_to": sign_off,
    }
    return _make(lock_request(sign_off.request), sign_off.contact, columns, by=by, at=at)


@transaction.atomic
def resend_link(link: SignOffLink, *, by: User, at: dt.datetime) -> SignOffLink:
    """Send a new token to the same registered address; the old one ends."""
    require(permissions.can_send_link, by, link.request)
    request, link = lock(link)
    _refuse_other_address(link)
    standing = reading.standing_of(link, at=at)
    if standing == Standing.HELD:
        raise NotNow("This link is held back. A second person can confirm the address.")
    if standing == Standing.REPLACED or not request.is_open:
        raise NotNow("What this link asked about is no longer what is asked. Send a new link.")
    return _make(request, link.contact, _columns(link), by=by, at=at)


@transaction.atomic
def remind(link: SignOffLink, *, by: User, at: dt.datetime) -> SignOffLink:
    """Remind the contact, with a link that ends when the first one does; both work until then."""
    if not by.is_system:
        require(permissions.can_send_link, by, link.request)
    request, link = lock(link)
    if reading.standing_of(link, at=at) != Standing.OPEN or link.objects_to is not None:
        raise NotNow("This link waits for no answer.")
    # By itself once; by people again after a day.
    is_known = link.reminded_at is not None and (
        by.is_system or at < link.reminded_at + REMIND_AGAIN
    )
    if is_known:
        raise NotNow("They were reminded within the last day. Wait a little.")
    token = new_token()
    twin = _stored(
        request,
        link.contact,
        {**_columns(link), "sent_to": link.sent_to, "expires_at": link.expires_at},
        token=token,
        by=link.created_by,
        at=at,
        mailed_at=at,
        address_changed_at=link.address_changed_at,
        confirmed_by=link.confirmed_by,
        confirmed_at=link.confirmed_at,
        needs_code=link.needs_code,
        reminded_at=at,
    )
    link.reminded_at = at
    link.save(update_fields=["reminded_at"])
    mails.send_reminder(twin, token)
    _told("link.reminded", twin, by=by, after={"sent_to": twin.sent_to})
    return twin


@transaction.atomic
def revoke_link(link: SignOffLink, *, by: User, at: dt.datetime) -> None:
    """End a link, and its twins to the same contact."""
    require(permissions.can_revoke_link, by, link)
    _, link = lock(link)
    if link.used_at is not None:
        raise NotNow("The customer has answered by this link already.")
    close_links(twins_of(link), by=by, at=at)


@transaction.atomic
def confirm_address(link: SignOffLink, *, by: User, at: dt.datetime) -> SignOffLink:
    """Say, as a second person, that the new address is right, and let the link go out."""
    require(permissions.can_confirm_address, by, link)
    _, link = lock(link)
    if reading.standing_of(link, at=at) != Standing.HELD:
        raise NotNow("This link is not held back.")
    if reading.who_changed_address(link) == by.pk:
        raise NotNow("You changed this address yourself. Somebody else has to confirm it.")
    link.confirmed_by, link.confirmed_at = by, at
    link.save(update_fields=["confirmed_by", "confirmed_at"])
    _told("link.address_confirmed", link, by=by, after={"sent_to": link.sent_to})
    _let_out(link, at=at)
    return link


@transaction.atomic
def let_out(link: SignOffLink, *, at: dt.datetime) -> bool:
    """Mail a link that was held back for its day; return whether it was."""
    _, link = lock(link)
    held_until = (link.address_changed_at or at) + reading.HOLD
    if reading.standing_of(link, at=at) != Standing.HELD or at < held_until:
        return False
    _let_out(link, at=at)
    return True


@transaction.atomic
def renew(link: SignOffLink, *, at: dt.datetime) -> SignOffLink | None:
    """Send who asks for it a new link in place of an expired one, once, to the same address."""
    request, link = lock(link)
    if link.renewal_asked_at is not None:
        return None
    link.renewal_asked_at = at
    link.save(update_fields=["renewal_asked_at"])
    keel = system_user()
    _told("link.renewal_asked", link, by=keel, after={})
    if reading.standing_of(link, at=at) != Standing.EXPIRED:
        new_link_asked_for(request, at=at)
        return None
    return _make(request, link.contact, _columns(link), by=link.created_by, at=at, actor=keel)


def close_links(
    links: QuerySet[SignOffLink],
    *,
    by: User,
    at: dt.datetime,
    but: SignOffLink | None = None,
    reason: str = "",
) -> None:
    """Revoke what is still open of these; in order, so that two who do never deadlock."""
    still_open = links.filter(used_at=None, revoked_at=None).order_by("pk")
    for link in still_open.select_for_update(of=("self",), no_key=True):
        if but is None or link.pk != but.pk:
            _revoke(link, by=by, at=at, reason=reason)


def twins_of(link: SignOffLink) -> QuerySet[SignOffLink]:
    """Return the links that ask the same contact the same, newest first."""
    return reading.links_of(link.request).filter(contact=link.contact, **_columns(link))


def lock_request(request: ServiceRequest) -> ServiceRequest:
    locked = ServiceRequest.objects.select_for_update(of=("self",), no_key=True)
    return locked.select_related("account", "filed_by", "contact").get(pk=request.pk)


def lock(link: SignOffLink) -> tuple[ServiceRequest, SignOffLink]:
    """Lock the request, then the link, and return both as they are now."""
    request = lock_request(link.request)
    SignOffLink.objects.select_for_update(of=("self",), no_key=True).get(pk=link.pk)
    link = reading.links_of(request).get(pk=link.pk)
    link.request = request
    return request, link


def new_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


def _revoke(link: SignOffLink, *, by: User, at: dt.datetime, reason: str) -> None:
    link.revoked_at, link.revoked_by = at, by
    link.save(update_fields=["revoked_at", "revoked_by"])
    _told("link.revoked", link, by=by, after={"revoked_at": at}, reason=reason)


def _make(
    request: ServiceRequest,
    contact: Contact,
    columns: dict[str, Any],
    *,
    by: User,
    at: dt.datetime,
    actor: User | None = None,
) -> SignOffLink:
    if contact.account_id != request.account_id:
        raise Invalid(f"{contact.name} is not at {request.account}.", field="contact")
    if not contact.email:
        raise Invalid(f"{contact.name} has no e-mail address.", field="contact", code="no_address")
    policy = selectors.policy_on(today(at))
    same = reading.links_of(request).filter(contact=contact, **columns)
    close_links(same, by=actor or by, at=at)
    if reading.links_of(request).filter(used_at=None, revoked_at=None).count() >= MOST_OPEN:
        raise NotNow(f"{MOST_OPEN} links of {request.number} are open. Revoke some first.")
    token = new_token()
    changed_at = reading.address_changed_at(contact, by=by, at=at)
    link = _stored(
        request,
        contact,
        {
            **columns,
            "sent_to": contact.email,
            "expires_at": at + dt.timedelta(days=policy.link_days),
        },
        token=token,
        by=by,
        at=at,
        mailed_at=None if changed_at else at,
        address_changed_at=changed_at,
        needs_code=policy.needs_code and columns["purpose"] != SignOffLink.Purpose.OBJECTION,
    )
    if changed_at is None:
        mails.send_link(link, token)
    _told(
        "link.held" if changed_at else "link.sent",
        link,
        by=actor or by,
        after={
            "request": request.number,
            "purpose": link.purpose,
            "sent_to": link.sent_to,
            "expires_at": link.expires_at,
        },
    )
    return link


def _stored(
    request: ServiceRequest,
    contact: Contact,
    columns: dict[str, Any],
    *,
    token: str,
    by: User,
    at: dt.datetime,
    **more: Any,
) -> SignOffLink:
    pepper = newest_pepper_id()
    link = SignOffLink.objects.create(
        request=request,
        contact=contact,
        pepper_id=pepper,
        token_digest=token_digest(token, pepper),
        created_by=by,
        created_at=at,
        **columns,
        **more,
    )
    return reading.links_of(request).get(pk=link.pk)


def _let_out(link: SignOffLink, *, at: dt.datetime) -> None:
    """Give a link that was held back a token of its own, and mail it."""
    token, pepper = new_token(), newest_pepper_id()
    days = selectors.policy_on(today(at)).link_days
    link.token_digest, link.pepper_id = token_digest(token, pepper), pepper
    link.mailed_at, link.expires_at = at, at + dt.timedelta(days=days)
    link.save(update_fields=["token_digest", "pepper_id", "mailed_at", "expires_at"])
    mails.send_link(link, token)
    _told("link.sent", link, by=system_user(), after={"sent_to": link.sent_to})


def _columns(link: SignOffLink) -> dict[str, Any]:
    return {
        "purpose": link.purpose,
        "sow": link.sow,
        "delivery": link.delivery,
        "objects_to": link.objects_to,
    }


def _refuse_other_address(link: SignOffLink) -> None:
    if not reading.is_reachable(link):
        raise NotNow(
            f"{link.contact.name} no longer has the address this link was made for. "
            "Send a new link instead."
        )


def _told(
    verb: str, link: SignOffLink, *, by: User, after: dict[str, Any], reason: str = ""
) -> None:
    record(verb, link, by=by, after=after, account_id=link.request.account_id, reason=reason)
