"""Deliverables ticked with evidence, artefacts with an owner, and what is handed over."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, Unpack

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from accounts.selectors import today
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid, Missing
from config.lib.ui.formats import day_text
from config.lib.values import BadValue, echo, parse_text
from engagements import permissions, selectors
from engagements.models import (
    Artefact,
    Attachment,
    Delivery,
    RequestState,
    RollOut,
    ServiceRequest,
    Tick,
)
from engagements.rules import delivery as rules
from engagements.rules.links import parse_link
from engagements.selectors.calendar import company_calendar
from engagements.services.attachments import keep_file
from engagements.services.keeping import Care, take_care, told_of
from engagements.services.links import ask_for_acceptance
from events.services import record
from events.workflow import Move
from people.models import User

T = TypeVar("T")
TEXT_MAX = 4_000


class NotInProgress(Conflict):
    """It is noted only while the work is in progress."""

    code = "not_in_progress"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What shows that a deliverable is done. The customer reads the text, and nothing else."""

    text: str
    done_on: dt.date
    url: str = ""
    upload: "UploadedFile[Any] | None" = None
    # Or one that the request has already.
    attachment: Attachment | None = None


@transaction.atomic
def tick(
    request: ServiceRequest, key: str, evidence: Evidence, *, by: User, at: dt.datetime
) -> Tick:
    """Note that a deliverable is done, and what shows it. Raises Conflict where it is already."""
    request = require_in_work(request, by)
    found = [each for each in selectors.deliverables_of(request) if each.key == key]
    if not found:
        raise Missing(f"{request.number} has no deliverable “{echo(key)}”.")
    if found[0].tick is not None:
        raise Conflict(
            f"“{found[0].what}” is ticked already, by {found[0].tick.by.name}.", code="ticked"
        )
    made = Tick(
        request=request,
        key=key,
        evidence=_text("evidence", evidence.text, "Say what shows that it is done."),
        url=_url(evidence.url),
        attachment=_own_file(request, evidence.attachment),
        done_on=_past("done_on", evidence.done_on, at),
        by=by,
        at=at,
    )
    if evidence.upload is not None:
        made.attachment = keep_file(request, evidence.upload, by=by, at=at)
    made.save()
    made.refresh_from_db()
    after = {"key": key, "deliverable": found[0].what, "done_on": made.done_on}
    _record("deliverable_ticked", request, by=by, after=after)
    return made


@transaction.atomic
def untick(request: ServiceRequest, key: str, *, reason: str, by: User, at: dt.datetime) -> None:
    """Take a tick back. Its file stays with the request."""
    request = require_in_work(request, by)
    del at
    found = request.ticks.filter(key=key).first()
    if found is None:
        raise Missing(f"Deliverable “{echo(key)}” of {request.number} is not ticked.")
    reason = _text("reason", reason, "Say why it is not done after all.")
    found.delete()
    _record("deliverable_unticked", request, by=by, after={"key": key}, reason=reason)


@transaction.atomic
def add_artefact(
    request: ServiceRequest,
    *,
    name: str,
    url: str = "",
    by: User,
    at: dt.datetime,
    **care: Unpack[Care],
) -> Artefact:
    """Note something that stays with the customer."""
    request = require_in_work(request, by)
    artefact = Artefact(request=request, by=by, at=at)
    _describe(artefact, name, url)
    take_care(artefact, care, at=at)
    artefact.save()
    artefact.refresh_from_db()
    after = {"artefact": artefact.name, **told_of(artefact)}
    _record("artefact_added", request, by=by, after=after)
    return artefact


@transaction.atomic
def change_artefact(
    artefact: Artefact,
    *,
    name: str,
    url: str = "",
    by: User,
    at: dt.datetime,
    **care: Unpack[Care],
) -> Artefact:
    request = require_in_work(artefact.request, by)
    artefact = request.artefacts.get(pk=artefact.pk)
    before = {"artefact": artefact.name, **told_of(artefact)}
    _describe(artefact, name, url)
    take_care(artefact, care, at=at)
    artefact.by, artefact.at = by, at
    artefact.save()
    after = {"artefact": artefact.name, **told_of(artefact)}
    _record("artefact_changed", request, by=by, before=before, after=after)
    return artefact


@transaction.atomic
def remove_artefact(artefact: Artefact, *, by: User, at: dt.datetime) -> None:
    request = require_in_work(artefact.request, by)
    del at
    before = {"artefact": artefact.name, "maintained_by": artefact.maintained_by}
    artefact.delete()
    _record("artefact_removed", request, by=by, before=before)


@transaction.atomic
def roll_out(
    request: ServiceRequest, *, note: str, done_on: dt.date, by: User, at: dt.datetime
) -> RollOut:
    """Note that what was built is in use, or correct what was noted."""
    request = require_in_work(request, by)
    found, _ = RollOut.objects.update_or_create(
        request=request,
        defaults={
            "note": _text("note", note, "Say where and how it was rolled out."),
            "done_on": _past("done_on", done_on, at),
            "by": by,
            "at": at,
        },
    )
    _record("rolled_out", request, by=by, after={"done_on": found.done_on})
    return found


@transaction.atomic
def take_back_roll_out(request: ServiceRequest, *, reason: str, by: User, at: dt.datetime) -> None:
    request = require_in_work(request, by)
    del at
    reason = _text("reason", reason, "Say why it is not rolled out after all.")
    if not RollOut.objects.filter(request=request).delete()[0]:
        raise Missing(f"{request.number} is not rolled out.")
    _record("roll_out_taken_back", request, by=by, reason=reason)


def require_in_work(request: ServiceRequest, by: User) -> ServiceRequest:
    """Return the request, locked: what is noted and the hand-over come one after the other."""
    require(permissions.works_on, by, request)
    request = ServiceRequest.objects.select_for_update(of=("self",), no_key=True).get(pk=request.pk)
    require(permissions.works_on, by, request)
    if request.state != RequestState.IN_PROGRESS:
        state = request.get_state_display().lower()
        raise NotInProgress(
            f"{request.number} is {state}. What is delivered is noted while it is in progress."
        )
    return request


def freeze_delivery(move: Move) -> Delivery:
    """Keep what is handed over as the customer will see it, hashed."""
    request: ServiceRequest = move.obj
    promised = selectors.promised_sow(request)
    sow = promised if promised and promised.is_frozen else None
    deemed_on = _deemed_on(request, move.at)
    content = rules.content_of(
        rules.Report(
            title=request.title,
            summary=move.values["summary"],
            sow=sow.number if sow else None,
            done=[
                rules.Done(each.key, each.what, each.tick.evidence, each.tick.done_on)
                for each in selectors.deliverables_of(request)
                if each.tick is not None
            ],
            stays=[
                rules.Stays(each.name, each.maintained_by)
                for each in request.artefacts.order_by("pk")
            ],
            rolled_out_on=RollOut.objects.get(request=request).done_on,
            deemed_on=deemed_on,
        )
    )
    delivery = Delivery.objects.create(
        request=request,
        number=request.deliveries.count() + 1,
        sow=sow,
        content=content,
        digest=rules.digest_of(content, request=request.number, account=str(request.account)),
        by=move.by,
        at=move.at,
        deemed_on=deemed_on,
    )
    ask_for_acceptance(delivery, by=move.by, at=move.at)
    return delivery


def _deemed_on(request: ServiceRequest, at: dt.datetime) -> dt.date | None:
    """Return until when the customer can answer, where they agreed that silence is a yes."""
    sow = selectors.agreed_sow(request)
    days = sow.content.get("deemed_acceptance_days") if sow else None
    return company_calendar().day_after(today(at), days) if days else None


def _own_file(request: ServiceRequest, file: Attachment | None) -> Attachment | None:
    if file is not None and (file.request_id != request.pk or file.sign_off_id is not None):
        raise Invalid("This file belongs to something else.", field="file", code="unknown")
    return file


def _describe(artefact: Artefact, name: str, url: str) -> None:
    artefact.name = _text("name", name, "Name what stays.", max_length=200, lines=False)
    artefact.url = _url(url)


def _text(
    field: str, value: str, wanted: str, *, max_length: int = TEXT_MAX, lines: bool = True
) -> str:
    if not value.strip():
        raise Invalid(wanted, field=field, code="required")
    return _parsed(field, lambda: parse_text(value, max_length=max_length, lines=lines))


def _url(value: str) -> str:
    return _parsed("url", lambda: parse_link(value)["url"]) if value.strip() else ""


def _parsed(field: str, parse: Callable[[], T]) -> T:
    try:
        return parse()
    except BadValue as bad:
        raise Invalid(bad.detail, field=field, code=bad.code) from bad


def _past(field: str, day: dt.date, at: dt.datetime) -> dt.date:
    if day > today(at):
        words = f"{day_text(day)} is still to come. Enter the day on which it was done."
        raise Invalid(words, field=field, code="in_the_future")
    return day


def _record(verb: str, request: ServiceRequest, *, by: User, **told: Any) -> None:
    record(f"request.{verb}", request, by=by, account_id=request.account_id, **told)
