"""Six digits by mail, which show that who answers reads the mailbox the link was sent to."""

import datetime as dt
import hmac
import secrets
from enum import StrEnum

from engagements.models import SignOffLink
from engagements.services import customer_mails as mails
from events.services import record
from people.models import system_user
from people.selectors import token_digest

DIGITS = 6
LIFETIME = dt.timedelta(minutes=10)
MOST_TRIES = 5
# A new code only after this, so that nobody floods the mailbox.
PAUSE = dt.timedelta(minutes=1)


class Checked(StrEnum):
    """What became of a code."""

    RIGHT = "right"
    SENT = "sent"
    WRONG = "wrong"
    EXPIRED = "expired"
    SUSPENDED = "suspended"


def send_code(link: SignOffLink, *, at: dt.datetime) -> Checked:
    """Mail a new code, which takes the place of the one before; none while that is quite new."""
    if link.code_expires_at is not None and at < link.code_expires_at - LIFETIME + PAUSE:
        return Checked.SENT
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    link.code_digest, link.code_expires_at = _digest(link, code), at + LIFETIME
    link.save(update_fields=["code_digest", "code_expires_at"])
    mails.send_code(link, code, minutes=LIFETIME.seconds // 60)
    _told("link.code_sent", link)
    return Checked.SENT


def check_code(link: SignOffLink, text: str, *, at: dt.datetime) -> Checked:
    """Count a try before it is looked at. After five wrong ones the link is suspended."""
    if link.code_digest is None or link.code_expires_at is None or at >= link.code_expires_at:
        send_code(link, at=at)
        return Checked.EXPIRED
    if hmac.compare_digest(_digest(link, text), bytes(link.code_digest)):
        # It works once.
        link.code_digest = None
        link.save(update_fields=["code_digest"])
        return Checked.RIGHT
    link.code_tries += 1
    if link.code_tries >= MOST_TRIES:
        link.suspended_at, link.code_digest = at, None
        _told("link.suspended", link)
    link.save(update_fields=["code_tries", "suspended_at", "code_digest"])
    return Checked.SUSPENDED if link.suspended_at else Checked.WRONG


def _digest(link: SignOffLink, code: str) -> bytes:
    return token_digest(f"{link.uuid}:{code}", link.pepper_id)


def _told(verb: str, link: SignOffLink) -> None:
    record(verb, link, by=system_user(), after={}, account_id=link.request.account_id)
