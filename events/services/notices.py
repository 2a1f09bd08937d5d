"""E-mail notices: the first thing the outbox carries."""

from email.utils import make_msgid
from typing import Any

from django.core.mail import EmailMessage
from django.core.validators import validate_email

from events import outbox

TOPIC = "email"


class UnsafeHeader(ValueError):
    """A line break or control character where a mail has a header."""


def send_notice(*, to: str, subject: str, body: str, dedupe_key: str | None = None) -> None:
    """Promise a plain-text mail to one address, in the transaction that causes it.

    Raises UnsafeHeader for an address or subject that would add headers of its own, and
    ValidationError for what is no address.
    """
    for text in (to, subject):
        if not text.isprintable():
            raise UnsafeHeader("A mail's address and subject are one line of plain text.")
    validate_email(to)
    outbox.enqueue(
        TOPIC,
        {"to": to, "subject": subject, "body": body, "message_id": make_msgid(domain="keel")},
        dedupe_key=dedupe_key,
    )


def deliver(payload: dict[str, Any]) -> None:
    """Hand the mail over. Sent again after a crash, it has the same Message-ID."""
    EmailMessage(
        subject=payload["subject"],
        body=payload["body"],
        to=[payload["to"]],
        headers={"Message-ID": payload["message_id"], "Auto-Submitted": "auto-generated"},
    ).send()
