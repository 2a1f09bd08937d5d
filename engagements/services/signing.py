"""What follows from evidence of agreement, given or gone."""

from typing import Any

from accounts.selectors import today
from engagements import selectors
from engagements.models import (
    RequestState,
    ServiceRequest,
    SignOff,
    SignOffLink,
    SowVersion,
    WorkAtRisk,
)
from engagements.rules.receipts import new_receipt
from engagements.services import changing, links
from engagements.services.customer_mails import send_receipt
from engagements.services.moving import move as make_move
from events.selectors import events_of_object
from events.workflow import Given, Move
from people.models import system_user

S = RequestState
Purpose = SignOff.Purpose


def send_link_asked_for(move: Move) -> None:
    """Send the link to the contact named with the move, if one is."""
    contact = move.values.get("contact")
    if contact is not None:
        links.send_link(move.obj, contact, by=move.by, at=move.at)


def agreed(move: Move) -> None:
    """Take the request on, once the evidence is strong enough, and send receipts."""
    sign_off: SignOff = move.obj
    _seal(sign_off)
    _close_answered(move)
    if sign_off.purpose == Purpose.DELIVERY:
        _accept_delivery(move)
    else:
        _sign(move)
    _send_receipts(move)


def rejected(move: Move) -> None:
    """Take a delivery that was not accepted back to work, and send receipts."""
    sign_off: SignOff = move.obj
    _seal(sign_off)
    _close_answered(move)
    request = sign_off.request
    if sign_off.purpose == Purpose.DELIVERY and request.state == S.DELIVERED:
        given = Given(reason="The customer did not accept the delivery.")
        make_move(request, "reject_delivery", by=system_user(), at=move.at, given=given)
    _send_receipts(move)


def lost(move: Move) -> None:
    """Stop what stood on evidence that is gone: an objection stops work."""
    sign_off: SignOff = move.obj
    _seal(sign_off)
    if sign_off.state == SignOff.State.OBJECTED:
        _send_receipts(move)
    request: ServiceRequest = sign_off.request
    keel = system_user()
    reason = move.reason or "The evidence of the sign-off was withdrawn."
    if sign_off.purpose == Purpose.DELIVERY:
        if request.state == S.ACCEPTED and move.was == SignOff.State.AGREED:
            given = Given(reason=reason)
            make_move(request, "lose_acceptance", by=keel, at=move.at, given=given)
        return
    if selectors.may_work(request, on=today(move.at)):
        return
    if request.state == S.SIGNED_OFF:
        make_move(request, "unsign", by=keel, at=move.at, given=Given(reason=reason))
    if request.state == S.IN_PROGRESS:
        given = Given(reason=reason, values={"code": "objected"})
        make_move(request, "hold", by=keel, at=move.at, given=given)


def _sign(move: Move) -> None:
    request: ServiceRequest = move.obj.request
    sow: SowVersion = move.obj.sow
    if selectors.live_sign_off(request, on=today(move.at)) is None:
        return
    keel = system_user()
    changing.agreed(sow, at=move.at)
    if request.state == S.AWAITING_SIGNOFF:
        make_move(request, "sign", by=keel, at=move.at)
        return
    # It was owed: work went on, or waited, without it.
    stamped = ServiceRequest.objects.filter(pk=request.pk, signed_off_at=None)
    stamped.update(signed_off_at=move.at)
    risks = request.risks.filter(state__in=(WorkAtRisk.State.ASKED, WorkAtRisk.State.APPROVED))
    for risk in risks:
        given = Given(reason="The customer has signed off.", values={"code": "signed"})
        make_move(risk, "end", by=keel, at=move.at, given=given)


def _accept_delivery(move: Move) -> None:
    sign_off: SignOff = move.obj
    request = sign_off.request
    if sign_off.rating is not None:
        ServiceRequest.objects.filter(pk=request.pk).update(rating=sign_off.rating)
    if request.state == S.DELIVERED:
        make_move(request, "accept_delivery", by=system_user(), at=move.at)


def _close_answered(move: Move) -> None:
    """Close the links that ask about a delivery which has its answer, however that came."""
    sign_off: SignOff = move.obj
    if sign_off.delivery is not None:
        same = sign_off.delivery.links.exclude(purpose=SignOffLink.Purpose.OBJECTION)
        links.close_links(same.select_related("request"), by=system_user(), at=move.at)


def _seal(sign_off: SignOff) -> None:
    """Note where the answer stands in the log, and a code by which it can be checked."""
    event = events_of_object(sign_off).first()
    columns: dict[str, Any] = {"event_id": event.pk if event else None}
    if sign_off.receipt is None:
        columns["receipt"] = new_receipt()
    SignOff.objects.filter(pk=sign_off.pk).update(**columns)
    for name, value in columns.items():
        setattr(sign_off, name, value)


def _send_receipts(move: Move) -> None:
    """Mail the receipt to both sides: to the address that was asked, and to who filed it."""
    sign_off: SignOff = move.obj
    sides = {}
    if to := _address_of(sign_off):
        sides[to.casefold()] = (to, sign_off.party_name)
    filer = sign_off.request.filed_by
    if filer.is_active:
        sides.setdefault(filer.email.casefold(), (filer.email, filer.name))
    for to, name in sides.values():
        send_receipt(sign_off, to=to, name=name, at=move.at)


def _address_of(sign_off: SignOff) -> str:
    """Return where the customer's receipt goes; an address that is on hold gets none."""
    link: SignOffLink | None = sign_off.link or sign_off.objection_links.order_by("-pk").first()
    if link is not None:
        return link.sent_to if link.mailed_at else ""
    contact = sign_off.contact
    return contact.email if contact is not None else ""
