"""After the delivery: acceptance by silence, the retrospective, looks at whether seats came."""

import datetime as dt

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from accounts.selectors import today
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid, StaleWrite
from config.lib.etags import etag_of
from config.lib.ui.formats import day_text
from config.lib.values import BadValue, parse_text
from engagements import permissions
from engagements.models import Delivery, OutcomeCheck, RequestState, ServiceRequest, SignOff
from engagements.selectors.calendar import company_calendar
from engagements.services.moving import move
from events.services import record
from people.models import User, system_user

TEXT_MAX = 10_000
NOTE_MAX = 4_000


@transaction.atomic
def write_retrospective(
    request: ServiceRequest, text: str, *, by: User, at: dt.datetime, version: int | None = None
) -> ServiceRequest:
    """Write down what could have gone better, or write it anew, until the request is closed."""
    del at
    require(permissions.is_party_of, by, request)
    request = _locked(request)
    if request.state not in (RequestState.DELIVERED, RequestState.ACCEPTED):
        state = request.get_state_display().lower()
        raise Conflict(
            f"{request.number} is {state}. A retrospective is written between delivery and close.",
            code="wrong_state",
        )
    if version is not None and version != request.version:
        raise StaleWrite(etag=etag_of(request.uuid, request.version))
    text = _text("text", text, TEXT_MAX)
    is_new = not request.retrospective
    ServiceRequest.objects.filter(pk=request.pk).update(
        retrospective=text, version=F("version") + 1, updated_at=Now()
    )
    request.refresh_from_db()
    record(
        "request.retrospective_written",
        request,
        by=by,
        after={"is_new": is_new},
        account_id=request.account_id,
    )
    return request


@transaction.atomic
def record_check(check: OutcomeCheck, *, note: str = "", by: User, at: dt.datetime) -> OutcomeCheck:
    """Note how many seats the account has now, from its facts, and what one makes of it."""
    request = check.request
    require(permissions.is_party_of, by, request)
    check = OutcomeCheck.objects.select_for_update().get(pk=check.pk)
    if check.done_at is not None:
        raise Conflict(f"The look after {check.days} days is recorded already.", code="done")
    if check.due_on > today(at):
        raise Conflict(f"The look after {check.days} days is due on {day_text(check.due_on)}.")
    facts = getattr(request.account, "facts", None)
    check.seats_found = facts.deployed if facts else None
    if check.seats_found is None and not note.strip():
        raise Invalid(
            "The account's seats are not known. Say what you found.", field="note", code="required"
        )
    check.note = _text("note", note, NOTE_MAX) if note.strip() else ""
    check.done_by, check.done_at = by, at
    check.save(update_fields=["seats_found", "note", "done_by", "done_at"])
    record(
        "request.outcome_checked",
        request,
        by=by,
        after={
            "days": check.days,
            "seats_before": check.seats_before,
            "seats_found": check.seats_found,
        },
        account_id=request.account_id,
    )
    return check


def accept_silent(*, at: dt.datetime) -> int:
    """Take deliveries as accepted whose customer agreed that silence is a yes, and was silent."""
    due = Delivery.objects.filter(
        request__state=RequestState.DELIVERED, deemed_on__lt=today(at), sign_offs=None
    )
    return sum(_accept_silent(delivery, at) for delivery in due.order_by("pk"))


@transaction.atomic
def _accept_silent(delivery: Delivery, at: dt.datetime) -> bool:
    request = _locked(delivery.request)
    newest = request.deliveries.order_by("-number").first()
    if (
        request.state != RequestState.DELIVERED
        or newest != delivery
        or not _is_silent(delivery, at)
    ):
        return False
    sign_off = SignOff.objects.create(
        request=request,
        purpose=SignOff.Purpose.DELIVERY,
        delivery=delivery,
        digest=delivery.digest,
        way=SignOff.Way.DEEMED,
        note=f"Nobody answered by {day_text(delivery.deemed_on or today(at))}.",
        recorded_at=at,
    )
    sign_off.refresh_from_db()
    move(sign_off, "agree", by=system_user(), at=at)
    return True


def _is_silent(delivery: Delivery, at: dt.datetime) -> bool:
    """Whether the customer was asked, had all the days they agreed to, and said nothing."""
    asked = delivery.links.filter(mailed_at__isnull=False)
    first = asked.order_by("mailed_at").first()
    if first is None or not asked.filter(revoked_at=None).exists():
        return False
    if asked.filter(questions__isnull=False).exists() or delivery.sign_offs.exists():
        return False
    days = (delivery.sow.content.get("deemed_acceptance_days") if delivery.sow else None) or 0
    return company_calendar().day_after(today(first.mailed_at or at), days) < today(at)


def _locked(request: ServiceRequest) -> ServiceRequest:
    return ServiceRequest.objects.select_for_update(of=("self",), no_key=True).get(pk=request.pk)


def _text(field: str, value: str, max_length: int) -> str:
    try:
        return parse_text(value, max_length=max_length, lines=True)
    except BadValue as bad:
        words = "Write something." if bad.code == "blank" else bad.detail
        raise Invalid(words, field=field, code=bad.code) from bad
