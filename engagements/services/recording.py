"""Evidence that we record: what a customer wrote, or said. Never by a program's token."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from accounts.models import Contact
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid
from engagements import permissions
from engagements.models import Delivery, ServiceRequest, SignOff, SowVersion
from engagements.rules.receipts import new_receipt
from engagements.selectors import links as reading
from engagements.services.attachments import keep_file
from engagements.services.links import lock_request, send_objection_link
from engagements.services.moving import move
from engagements.services.telling import sign_off_recorded
from events.services import record
from events.workflow import Given
from people.models import User, system_user

Way = SignOff.Way


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Who agreed or not, when, and what was understood."""

    contact: Contact | None
    name: str
    title: str = ""
    answered_at: dt.datetime
    note: str
    # Of a delivery only; a SOW that is not agreed to needs no evidence.
    agrees: bool = True
    rating: int | None = None


@transaction.atomic
def record_written(
    request: ServiceRequest,
    evidence: Evidence,
    file: "UploadedFile[Any]",
    *,
    by: User,
    at: dt.datetime,
) -> SignOff:
    """Record what the customer wrote, with the file that shows it: agreed at once."""
    require(permissions.can_record_sign_off, by, request)
    request = lock_request(request)
    sign_off = _recorded(request, evidence, Way.WRITTEN, by=by, at=at)
    keep_file(request, file, by=by, at=at, sign_off=sign_off)
    if evidence.agrees:
        move(sign_off, "agree", by=system_user(), at=at)
    else:
        given = Given(reason="The customer did not accept the delivery.")
        move(sign_off, "reject", by=system_user(), at=at, given=given)
    return sign_off


@transaction.atomic
def record_verbal(
    request: ServiceRequest, evidence: Evidence, *, by: User, at: dt.datetime
) -> SignOff:
    """Record what was said. It waits for a second person; the customer is told what we heard."""
    require(permissions.can_record_sign_off, by, request)
    request = lock_request(request)
    if evidence.contact is None or not evidence.contact.email:
        raise Invalid(
            "Choose a contact with an e-mail address: they are told what was understood.",
            field="contact",
            code="no_address",
        )
    sign_off = _recorded(request, evidence, Way.VERBAL, by=by, at=at)
    send_objection_link(sign_off, by=by, at=at)
    sign_off_recorded(sign_off, by=by, at=at)
    return sign_off


@transaction.atomic
def confirm(sign_off: SignOff, *, by: User, at: dt.datetime) -> SignOff:
    """Confirm, as a second person, what was said."""
    require(permissions.can_confirm_sign_off, by, sign_off)
    lock_request(sign_off.request)
    move(sign_off, "confirm", by=by, at=at)
    return sign_off


@transaction.atomic
def withdraw(sign_off: SignOff, reason: str, *, by: User, at: dt.datetime) -> SignOff:
    """Take back evidence that we recorded."""
    require(permissions.can_withdraw_sign_off, by, sign_off)
    lock_request(sign_off.request)
    move(sign_off, "withdraw", by=by, at=at, given=Given(reason=reason))
    return sign_off


def _recorded(
    request: ServiceRequest, evidence: Evidence, way: str, *, by: User, at: dt.datetime
) -> SignOff:
    thing = reading.thing_to_answer(request)
    if thing is None:
        raise Conflict("Nothing was sent that the customer could have agreed to.", code="not_sent")
    _check(request, evidence, thing, way, at=at)
    sign_off = SignOff.objects.create(
        request=request,
        **reading.columns_of(thing),
        digest=thing.digest,
        way=way,
        contact=evidence.contact,
        party_name=evidence.name,
        party_title=evidence.title,
        party_email=evidence.contact.email if evidence.contact else "",
        answered_at=evidence.answered_at,
        note=evidence.note,
        rating=evidence.rating,
        recorded_by=by,
        recorded_at=at,
        receipt=new_receipt(),
    )
    sign_off.refresh_from_db()
    record(
        "sign_off.recorded",
        sign_off,
        by=by,
        after={
            "request": request.number,
            "purpose": sign_off.purpose,
            "way": sign_off.way,
            "digest": sign_off.digest,
            "party_name": sign_off.party_name,
        },
        account_id=request.account_id,
    )
    return sign_off


def _check(
    request: ServiceRequest,
    evidence: Evidence,
    thing: SowVersion | Delivery,
    way: str,
    *,
    at: dt.datetime,
) -> None:
    if evidence.contact is not None and evidence.contact.account_id != request.account_id:
        raise Invalid(f"{evidence.contact.name} is not at {request.account}.", field="contact")
    if evidence.answered_at > at:
        raise Invalid("This is in the future.", field="on", code="in_future")
    shown_at = thing.at if isinstance(thing, Delivery) else thing.frozen_at
    if shown_at is not None and evidence.answered_at.date() < shown_at.date():
        raise Invalid(
            f"Before {shown_at:%d %b %Y} the customer could not know this version.",
            field="on",
            code="too_early",
        )
    same = request.sign_offs.filter(
        way=way,
        state__in=(SignOff.State.RECORDED, SignOff.State.AGREED),
        **reading.columns_of(thing),
    )
    if same.exists():
        raise Conflict(
            f"“{Way(way).label}” is recorded already. Withdraw that first.", code="recorded_already"
        )
