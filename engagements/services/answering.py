"""What customers answer by link. Each answer is one transaction with one moment, the database's.

Rows are locked in one order: the request, its links, its sign-offs.
"""

import datetime as dt
import hmac
from dataclasses import dataclass
from typing import NamedTuple

from django.db import transaction

from config.lib.errors import Conflict, DomainError, Gone
from engagements.models import CustomerQuestion, SignOff, SignOffLink
from engagements.rules.receipts import new_receipt
from engagements.selectors import links as reading
from engagements.selectors.links import Standing
from engagements.services import codes
from engagements.services.codes import Checked
from engagements.services.links import close_links, lock
from engagements.services.moving import move
from engagements.services.telling import customer_asked
from events.services import record
from events.workflow import Given
from people.models import system_user

MOST_QUESTIONS = 10
AGENT_MAX = 300
Way = SignOff.Way


class Closed(Gone):
    """The link cannot be used for an answer; `standing` says why."""

    code = "link_closed"

    def __init__(self, standing: Standing) -> None:
        super().__init__("This link can no longer be used.")
        self.standing = standing


class Changed(Conflict):
    """What is asked about is not what the page showed."""

    code = "document_changed"
    default_message = "The document changed; please review again."


class NotAsHashed(DomainError):
    """What is stored does not fit its hash: nobody can agree to that."""

    code = "not_as_hashed"
    default_message = "This document cannot be shown as it was sent. We look into it."


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came with the form, already parsed."""

    # Of what the page showed.
    digest: str
    agrees: bool = False
    name: str = ""
    title: str = ""
    # What should change, what is wrong, or a question.
    text: str = ""
    rating: int | None = None
    code: str = ""
    ip: str = ""
    user_agent: str = ""


class Outcome(NamedTuple):
    """The sign-off, or what became of the code that is needed first."""

    sign_off: SignOff | None
    code: Checked = Checked.RIGHT


@transaction.atomic
def answer(link: SignOffLink, given: Answer, *, at: dt.datetime) -> Outcome:
    """Keep that the customer agrees, or asks for a change. Raises Closed, Changed, NotAsHashed."""
    link = _opened(link, given, at=at)
    if link.needs_code:
        checked = (
            codes.check_code(link, given.code, at=at)
            if given.code
            else codes.send_code(link, at=at)
        )
        if checked != Checked.RIGHT:
            return Outcome(None, checked)
    sign_off = SignOff.objects.create(
        request=link.request,
        purpose=SignOff.Purpose.DELIVERY if link.delivery else SignOff.Purpose.SOW,
        sow=link.sow,
        delivery=link.delivery,
        digest=given.digest,
        way=Way.LINK,
        contact=link.contact,
        party_name=given.name,
        party_title=given.title,
        party_email=link.sent_to,
        answered_at=at,
        note=given.text,
        rating=given.rating,
        recorded_at=at,
        link=link,
        code_checked=link.needs_code,
        ip=given.ip,
        user_agent=given.user_agent[:AGENT_MAX],
        receipt=new_receipt(),
    )
    sign_off.refresh_from_db()
    _use(link, at=at, agrees=given.agrees)
    record(
        "sign_off.answered",
        sign_off,
        by=system_user(),
        after={
            "purpose": sign_off.purpose,
            "way": sign_off.way,
            "digest": sign_off.digest,
            "party_name": sign_off.party_name,
            "party_email": sign_off.party_email,
        },
        account_id=sign_off.account_id,
    )
    if given.agrees:
        move(sign_off, "agree", by=system_user(), at=at)
    else:
        reason = Given(reason="The customer asked for a change.")
        move(sign_off, "reject", by=system_user(), at=at, given=reason)
    return Outcome(sign_off)


@transaction.atomic
def ask(link: SignOffLink, given: Answer, *, at: dt.datetime) -> CustomerQuestion:
    """Keep a question; the link stays as it is."""
    link = _opened(link, given, at=at)
    if link.questions.count() >= MOST_QUESTIONS:
        raise Conflict(
            f"You have asked {MOST_QUESTIONS} questions here. Write to {link.created_by.email}."
        )
    question = CustomerQuestion.objects.create(link=link, text=given.text, at=at)
    record("link.question_asked", link, by=system_user(), after={}, account_id=_account(link))
    customer_asked(link.request, at=at)
    return question


@transaction.atomic
def object_to(link: SignOffLink, given: Answer, *, at: dt.datetime) -> SignOff:
    """Keep that what was understood is not what was agreed to: work stops."""
    link = _opened(link, given, at=at)
    assert link.objects_to is not None  # noqa: S101 what the purpose says
    sign_off = link.objects_to
    sign_off.request = link.request
    _use(link, at=at, agrees=True)
    given_move = Given(
        reason="The customer objected to what was understood.", values={"objection": given.text}
    )
    move(sign_off, "object", by=system_user(), at=at, given=given_move)
    return sign_off


def _opened(link: SignOffLink, given: Answer, *, at: dt.datetime) -> SignOffLink:
    """Lock the link and see that it can be answered, and about what was shown."""
    _, link = lock(link)
    standing = reading.standing_of(link, at=at)
    if standing == Standing.REPLACED:
        raise Changed
    if standing != Standing.OPEN:
        raise Closed(standing)
    document = reading.shown_by(link)
    if not document.fits:
        raise NotAsHashed
    if not hmac.compare_digest(document.digest.encode(), given.digest.encode()):
        raise Changed
    return link


def _use(link: SignOffLink, *, at: dt.datetime, agrees: bool) -> None:
    """Close the link, and those that ask the same: of this contact, or of all once it is agreed."""
    link.used_at = at
    link.save(update_fields=["used_at"])
    same = reading.links_of(link.request).filter(
        purpose=link.purpose, sow=link.sow, delivery=link.delivery, objects_to=link.objects_to
    )
    if not agrees:
        same = same.filter(contact=link.contact)
    close_links(same, by=system_user(), at=at, but=link)


def _account(link: SignOffLink) -> int | None:
    return link.request.account_id
