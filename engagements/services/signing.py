"""Evidence of agreement: recorded, confirmed, given by link, objected to, withdrawn."""

from accounts.selectors import today
from engagements import selectors
from engagements.models import RequestState, ServiceRequest
from engagements.services.moving import move as make_move
from events.workflow import Given, Move
from people.models import system_user


def send_link_asked_for(move: Move) -> None:
    """Send the link to the contact named with the move, if one is."""


def agreed(move: Move) -> None:
    """Take the request on, once the evidence is strong enough."""
    request: ServiceRequest = move.obj.request
    on = today(move.at)
    if request.state == RequestState.AWAITING_SIGNOFF and selectors.live_sign_off(request, on=on):
        make_move(request, "sign", by=system_user(), at=move.at)


def lost(move: Move) -> None:
    """Stop what stood on evidence that is gone: an objection stops work."""
    request: ServiceRequest = move.obj.request
    on = today(move.at)
    if selectors.may_work(request, on=on):
        return
    keel = system_user()
    reason = move.reason or "The evidence of the sign-off was withdrawn."
    if request.state == RequestState.SIGNED_OFF:
        make_move(request, "unsign", by=keel, at=move.at, given=Given(reason=reason))
    if request.state == RequestState.IN_PROGRESS:
        given = Given(reason=reason, values={"code": "objected"})
        make_move(request, "hold", by=keel, at=move.at, given=given)


def rejected(move: Move) -> None:
    """Tell the requester what the customer wants changed."""
