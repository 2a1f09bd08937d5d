"""Mails to the customer's people about what they are asked, and what they answered."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse

from accounts import selectors as accounts
from config.lib.ui.formats import day_text
from engagements.models import Delivery, SignOff, SignOffLink, SowVersion
from events.services import send_notice
from events.services.notices import one_line

DISCLAIMER = "It sets expectations. It is not a contract and does not change your licence terms."
PRIVATE = """\
The link is for you alone and needs no account: whoever has it can answer for you, so do not
pass it on. Opening it changes nothing. If you are not the right person, say so on the page."""


def link_address(token: str) -> str:
    return f"{settings.BASE_URL}{reverse('public:sign', args=[token])}"


def thing_named(thing: SowVersion | Delivery | None) -> str:
    """Name what is asked about, in words for customers."""
    if isinstance(thing, Delivery):
        return f"delivery {thing.number}"
    return f"statement of work version {thing.number}" if thing else "statement of work"


def title_of(thing: Any, request: Any) -> str:
    """Return the title that the customer knows it by."""
    content = thing.content if thing is not None else {}
    return one_line(str(content.get("title") or request.title))


def send_link(link: SignOffLink, token: str) -> None:
    """Mail the link, the one place where its token stands."""
    wanted = {
        SignOffLink.Purpose.SOW: _asked_to_sign,
        SignOffLink.Purpose.DELIVERY: _asked_to_accept,
        SignOffLink.Purpose.OBJECTION: _told_what_was_understood,
    }
    subject, body = wanted[SignOffLink.Purpose(link.purpose)](link)
    _mail(link.sent_to, subject, _letter(link, body, token))


def send_reminder(link: SignOffLink, token: str) -> None:
    thing = link.delivery or link.sow
    title = title_of(thing, link.request)
    body = f"""\
{_us(link)} asked you about the {thing_named(thing)} for {link.request.account},
“{title}”. There is no answer yet. Please tell us by {_day(link.expires_at)} whether you agree:"""
    _mail(link.sent_to, f"Reminder: {title}", _letter(link, body, token))


def send_code(link: SignOffLink, code: str, *, minutes: int) -> None:
    _mail(
        link.sent_to,
        f"Your code for {title_of(link.delivery or link.sow, link.request)}",
        f"""\
Hello {link.contact.name},

to answer, enter this code on the page you opened:

{code}

It works for {minutes} minutes. Nobody of ours will ask you for it. If you have not opened the
page, somebody else has your link: please tell {link.created_by.email}.
""",
    )


def send_receipt(sign_off: SignOff, *, to: str, name: str, at: dt.datetime) -> None:
    """Mail what was answered, with the code by which anybody can check it."""
    thing = sign_off.delivery or sign_off.sow
    title = title_of(thing, sign_off.request)
    check = f"{settings.BASE_URL}{reverse('public:receipt-check', args=[sign_off.receipt])}"
    _mail(
        to,
        f"Receipt: {ANSWERS[sign_off.purpose, sign_off.state].lower()}, {title}",
        f"""\
Hello {name},

this is the receipt for the {thing_named(thing)} for {sign_off.request.account},
“{title}”.

Answer: {ANSWERS[sign_off.purpose, sign_off.state]}
By: {", ".join(filter(None, (sign_off.party_name, sign_off.party_title)))}
How: {sign_off.get_way_display()}
When: {_day(sign_off.answered_at or sign_off.recorded_at)}
Document: SHA-256 {sign_off.digest}
Receipt: {sign_off.receipt}

Whoever has the code can check it, now and later: {check}
{_objection_note(sign_off)}
{_signature(sign_off.request.filed_by)}
""",
    )


ANSWERS = {
    ("sow", "agreed"): "Agreed",
    ("sow", "rejected"): "Asked for a change",
    ("sow", "objected"): "Objected",
    ("delivery", "agreed"): "Accepted",
    ("delivery", "rejected"): "Not accepted",
    ("delivery", "objected"): "Objected",
}


def _asked_to_sign(link: SignOffLink) -> tuple[str, str]:
    title = title_of(link.sow, link.request)
    return (
        f"Please check and agree: {title}",
        f"""\
{_us(link)} has prepared a statement of work for {link.request.account}:
“{title}”, version {link.sow.number if link.sow else ""}.

Please read it and tell us by {_day(link.expires_at)} whether you agree, or what should change.
Work starts after you agree. {DISCLAIMER}""",
    )


def _asked_to_accept(link: SignOffLink) -> tuple[str, str]:
    title = title_of(link.delivery, link.request)
    deemed = link.delivery.deemed_on if link.delivery else None
    silence = (
        f"\nAs the statement of work says, it counts as accepted if we hear nothing by"
        f" {day_text(deemed)}."
        if deemed
        else ""
    )
    return (
        f"Please check what we delivered: {title}",
        f"""\
{_us(link)} reports that the work for {link.request.account} is done:
“{title}”.

Please look at what was delivered and tell us by {_day(link.expires_at)} whether you accept it,
or what is missing.{silence}""",
    )


def _told_what_was_understood(link: SignOffLink) -> tuple[str, str]:
    sign_off = link.objects_to
    assert sign_off is not None  # noqa: S101 what the purpose says
    thing = sign_off.delivery or sign_off.sow
    title = title_of(thing, link.request)
    return (
        f"What we understood: {title}",
        f"""\
{_us(link)} has noted that you agreed in a conversation on
{_day(sign_off.answered_at or sign_off.recorded_at)} to the {thing_named(thing)} for
{link.request.account}, “{title}”.

What was understood:

{_indented(sign_off.note)}

If that is right there is nothing to do. If it is not what you agreed to, say so here; work
stops until it is cleared up:""",
    )


def _letter(link: SignOffLink, body: str, token: str) -> str:
    return f"""\
Hello {link.contact.name},

{body}

{link_address(token)}

{PRIVATE}

{_signature(link.created_by)}
"""


def _objection_note(sign_off: SignOff) -> str:
    if sign_off.way in (SignOff.Way.LINK, SignOff.Way.ESIGNED):
        return ""
    return f"\nIf this is not right, write to {sign_off.request.filed_by.email}.\n"


def _us(link: SignOffLink) -> str:
    return f"{link.created_by.name} of {accounts.company().name}"


def _signature(person: Any) -> str:
    company = accounts.company().name
    return f"{company}\nQuestions? Write to {person.name}, {person.email}."


def _day(moment: dt.datetime) -> str:
    local = moment.astimezone(_zone())
    return f"{day_text(local.date())}, {local:%H:%M} {local:%Z}"


def _zone() -> ZoneInfo:
    return ZoneInfo(accounts.company().time_zone)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def _mail(to: str, subject: str, body: str) -> None:
    send_notice(to=to, subject=one_line(subject), body=body)
