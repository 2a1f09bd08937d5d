"""Evidence of agreement, and links, for our people."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.here import add_refusal, posted
from accounts.models import Contact
from config.lib.authz import require
from config.lib.errors import Conflict, DomainError
from config.lib.ui.formats import day_text
from engagements import permissions
from engagements.forms.signing import (
    REFUSED,
    EvidenceForm,
    LinkForm,
    VerbalForm,
    WithdrawForm,
    WrittenForm,
)
from engagements.models import Delivery, SignOff, SignOffLink
from engagements.selectors import links as reading
from engagements.services import links, papers, recording
from engagements.services.recording import Evidence
from engagements.views.evidence_words import Evidence as ShownEvidence
from engagements.views.shell import Shell, request_page, request_shell
from people.writing import once

TAB = "Statement of work"
VERBAL, EMAIL, FILE = "verbal", "email", "file"
WAYS: dict[str, tuple[str, type[EvidenceForm]]] = {
    VERBAL: ("Record a verbal agreement", VerbalForm),
    EMAIL: ("Record an agreement by e-mail", WrittenForm),
    FILE: ("Record a signed file", WrittenForm),
}
NOON = dt.time(12)


@require_http_methods(["GET", "POST"])
@once
def record(request: HttpRequest, number: int, way: str) -> HttpResponse:
    """Record what a customer said or wrote."""
    if way not in WAYS:
        raise Http404
    shell = request_shell(request, number)
    require(permissions.can_record_sign_off, shell.here.user, shell.request)
    thing = reading.thing_to_answer(shell.request)
    if thing is None:
        raise Conflict("Nothing was sent yet that the customer could have agreed to.")
    title, form_class = WAYS[way]
    form = form_class(
        posted(request),
        request.FILES or None,
        contacts=_contacts(shell, needs_address=way == VERBAL),
        is_delivery=isinstance(thing, Delivery),
        initial={"on": shell.here.today, "heard_by": shell.here.user.name},
    )
    if form.is_valid():
        try:
            sign_off = _recorded(shell, form)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            words = "Recorded. A second person has to confirm it."
            if sign_off.state != SignOff.State.RECORDED:
                words = "Recorded."
            messages.success(request, words)
            return redirect(shell.address)
    context = {"form": form, "way": way, "title": title, "thing": thing}
    status = 422 if form.errors else 200
    template = "requests/sign/record.html"
    return request_page(request, shell, template, _tab(thing), context, status=status)


@require_safe
def detail(request: HttpRequest, number: int, sign_off_id: uuid.UUID) -> HttpResponse:
    """One sign-off: its evidence, and the hash worked out anew."""
    return _detail(request, request_shell(request, number), sign_off_id)


@require_POST
@once
def confirm(request: HttpRequest, number: int, sign_off_id: uuid.UUID) -> HttpResponse:
    shell = request_shell(request, number)
    sign_off = _sign_off(shell, sign_off_id)
    recording.confirm(sign_off, by=shell.here.user, at=shell.here.now)
    messages.success(request, "Confirmed.")
    return redirect(shell.address)


@require_POST
@once
def withdraw(request: HttpRequest, number: int, sign_off_id: uuid.UUID) -> HttpResponse:
    shell = request_shell(request, number)
    sign_off = _sign_off(shell, sign_off_id)
    require(permissions.can_withdraw_sign_off, shell.here.user, sign_off)
    form = WithdrawForm(request.POST)
    if not form.is_valid():
        return _detail(request, shell, sign_off_id, form, status=422)
    reason = form.cleaned_data["reason"]
    recording.withdraw(sign_off, reason, by=shell.here.user, at=shell.here.now)
    messages.success(request, "Withdrawn. It counts no more.")
    return redirect(shell.address)


@require_safe
def certificate(request: HttpRequest, number: int, sign_off_id: uuid.UUID) -> HttpResponse:
    """The certificate as a file; it names the customer's people."""
    shell = request_shell(request, number)
    require(permissions.sees_parties, shell.here.user, shell.request)
    sign_off = _sign_off(shell, sign_off_id)
    name = f"{shell.request.number}-certificate-{sign_off.pk}.pdf"
    return HttpResponse(
        papers.certificate_pdf(sign_off),
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_http_methods(["GET", "POST"])
@once
def link_new(request: HttpRequest, number: int) -> HttpResponse:
    """Send a link to one of the customer's people."""
    shell = request_shell(request, number)
    require(permissions.can_send_link, shell.here.user, shell.request)
    thing = reading.thing_to_answer(shell.request)
    if thing is None:
        raise Conflict("There is nothing the customer could answer now. Send a version first.")
    form = LinkForm(
        posted(request),
        contacts=_contacts(shell, needs_address=True),
        initial={"contact": shell.request.contact and shell.request.contact.uuid},
    )
    if form.is_valid():
        try:
            link = links.send_link(
                shell.request,
                form.cleaned_data["contact"],
                by=shell.here.user,
                at=shell.here.now,
            )
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            _say_sent(request, shell, link)
            return redirect(shell.address)
    status = 422 if form.errors else 200
    context = {"form": form, "thing": thing}
    template = "requests/sign/link.html"
    return request_page(request, shell, template, _tab(thing), context, status=status)


Act = Callable[[Shell, SignOffLink], SignOffLink | None]


def _act_on_link(act: Act, words: str) -> Callable[..., HttpResponse]:
    """Make a view that does one thing with a link and goes back to the request."""

    @require_POST
    @once
    def view(request: HttpRequest, number: int, link_id: uuid.UUID) -> HttpResponse:
        shell = request_shell(request, number)
        link = reading.links_of(shell.request).filter(uuid=link_id).first()
        if link is None:
            raise Http404
        made = act(shell, link)
        if made is not None and made.mailed_at is None:
            _say_sent(request, shell, made)
        else:
            messages.success(request, words)
        return redirect(shell.address)

    return view


link_resend = _act_on_link(
    lambda shell, link: links.resend_link(link, by=shell.here.user, at=shell.here.now),
    "Sent. The link before no longer works.",
)
link_remind = _act_on_link(
    lambda shell, link: links.remind(link, by=shell.here.user, at=shell.here.now),
    "Reminded.",
)
link_revoke = _act_on_link(
    lambda shell, link: links.revoke_link(link, by=shell.here.user, at=shell.here.now),
    "Revoked. The link no longer works.",
)
link_confirm = _act_on_link(
    lambda shell, link: links.confirm_address(link, by=shell.here.user, at=shell.here.now),
    "Confirmed, and sent.",
)


def _recorded(shell: Shell, form: EvidenceForm) -> SignOff:
    given = form.cleaned_data
    local = dt.datetime.combine(given["on"], given.get("time") or NOON, shell.here.zone)
    note = given.get("note") or ""
    if given.get("heard_by"):
        note = f"{note}\n\nHeard by {given['heard_by']}."
    evidence = Evidence(
        contact=given.get("contact"),
        name=given["name"],
        title=given.get("title") or "",
        # A day without a time is that day's noon, or now where that is still to come.
        answered_at=local if given.get("time") else min(local, shell.here.now),
        note=note,
        agrees=given.get("answer") != REFUSED,
        rating=given.get("rating"),
    )
    by, at = shell.here.user, shell.here.now
    if isinstance(form, VerbalForm):
        return recording.record_verbal(shell.request, evidence, by=by, at=at)
    return recording.record_written(shell.request, evidence, given["file"], by=by, at=at)


def _detail(
    request: HttpRequest,
    shell: Shell,
    sign_off_id: uuid.UUID,
    form: WithdrawForm | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    sign_off = _sign_off(shell, sign_off_id)
    context: dict[str, Any] = {
        "evidence": ShownEvidence(shell, sign_off),
        "form": form or WithdrawForm(),
        "files": sign_off.attachments.order_by("pk"),
    }
    template = "requests/sign/detail.html"
    tab = _tab(sign_off.delivery or sign_off.sow)
    return request_page(request, shell, template, tab, context, status=status)


def _sign_off(shell: Shell, sign_off_id: uuid.UUID) -> SignOff:
    found = shell.request.sign_offs.select_related(
        "sow", "delivery", "link__confirmed_by", "recorded_by", "confirmed_by", "contact",
        "request__account",
    ).filter(uuid=sign_off_id)  # fmt: skip
    sign_off = found.first()
    if sign_off is None:
        raise Http404
    return sign_off


def _contacts(shell: Shell, *, needs_address: bool) -> Any:
    if needs_address:
        return reading.contacts_to_ask(shell.request)
    return Contact.objects.filter(account=shell.request.account_id).order_by("name")


def _tab(thing: Any) -> str:
    return "Delivery" if isinstance(thing, Delivery) else TAB


def _say_sent(request: HttpRequest, shell: Shell, link: SignOffLink) -> None:
    if link.mailed_at is not None:
        day = day_text(link.expires_at.astimezone(shell.here.zone).date(), shell.here.today)
        messages.success(request, f"The link is on its way. It works until {day}.")
        return
    messages.warning(
        request,
        "Held back: the address was changed within the last day. It goes out when a second "
        "person confirms the address, or the day is over.",
    )
