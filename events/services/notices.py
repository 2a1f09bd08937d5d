"""Telling people: in the application at once, by mail as each of them likes it.

`notify` is for who uses Keel and can set how they are told; `send_notice` is any mail, to any
address. Both are written in the transaction of what causes them, and leave the house after it.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import make_msgid
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Count, QuerySet
from django.urls import reverse

from events import outbox
from events.models import Notice, NoticeSetting

How = NoticeSetting.How

TOPIC = "email"
TITLE_MAX = 200
# More mails than these within the hour, and the rest waits for the digest.
MOST_MAILS = 20
MAILS_OF = dt.timedelta(hours=1)


class UnsafeHeader(ValueError):
    """A line break or control character where a mail has a header."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Something people are told of; `how` is what holds until they set it otherwise."""

    name: str
    label: str
    how: str


KINDS = {
    kind.name: kind
    for kind in (
        Kind("asked_of_you", "Something waits for you: an answer, a decision, work", How.AT_ONCE),
        Kind("move_asked", "Somebody asks you for a move, or answers what you asked", How.AT_ONCE),
        Kind("mention", "Somebody mentions you in a conversation", How.AT_ONCE),
        Kind("comment", "Somebody comments on a request you take part in", How.DAILY),
        Kind("sign_off", "A customer signs off, asks something or objects", How.AT_ONCE),
        Kind("delivery", "A customer accepts or rejects a delivery", How.AT_ONCE),
        Kind("decision", "Something of yours is routed, declined, held or resumed", How.AT_ONCE),
        Kind("request_moved", "A request of yours moves on", How.DAILY),
        Kind("project_moved", "A project of yours, or for your accounts, moves on", How.DAILY),
        Kind("change", "A change of a signed statement of work", How.AT_ONCE),
        Kind("minutes", "The minutes of a review you were at or invited to", How.AT_ONCE),
        Kind("risk", "Work at Risk is asked for, decided or ends", How.AT_ONCE),
        Kind("alert", "A number needs a look: an alert rule holds", How.AT_ONCE),
        Kind("alert_over", "An alert on a number is over", How.HERE),
        Kind("due", "Something falls due soon", How.DAILY),
        Kind("board_pack", "The board pack of a month is made", How.AT_ONCE),
    )
}


@transaction.atomic
def notify(  # noqa: PLR0913 -- all that can be said of a notice, by name
    people: Iterable[Any],
    kind: str,
    *,
    title: str,
    body: str = "",
    path: str = "",
    account_id: int | None = None,
    by: Any = None,
    at: dt.datetime,
) -> list[Notice]:
    """Tell these people, but not who did it, nobody twice, and nobody who may see nothing.

    The caller gives only people who may see what it is about: neither title nor body holds
    what any of them may not read, such as a customer's names and addresses.
    """
    told = reachable(people, but=by)
    title = one_line(title)
    notices = Notice.objects.bulk_create(
        Notice(
            to=person, kind=kind, title=title, body=body, path=path, account_id=account_id, at=at
        )
        for person in told
    )
    how = how_told(told)
    wanted = [each for each in notices if how[each.to_id][kind] == How.AT_ONCE]
    mailed = [each for each in _under_the_limit(wanted, at) if _mail(each)]
    Notice.objects.filter(pk__in=[each.pk for each in mailed]).update(mailed_at=at)
    return notices


def how_told(people: Sequence[Any]) -> dict[int, dict[str, str]]:
    """Return how each of them is told of each kind, in one statement."""
    found = {person.pk: {kind.name: kind.how for kind in KINDS.values()} for person in people}
    for row in NoticeSetting.objects.filter(person__in=list(found), kind__in=KINDS):
        found[row.person_id][row.kind] = row.how
    return found


@transaction.atomic
def set_how(person: Any, wanted: Mapping[str, str]) -> None:
    """Keep how the person wants to be told; what is as the kind has it needs no row."""
    for kind, how in wanted.items():
        rows = NoticeSetting.objects.filter(person=person, kind=kind)
        if how == KINDS[kind].how:
            rows.delete()
        else:
            NoticeSetting.objects.update_or_create(person=person, kind=kind, defaults={"how": how})


def mark_seen(notices: "QuerySet[Notice]", *, at: dt.datetime) -> int:
    """Note that these were seen; return how many were not before."""
    return notices.filter(seen_at=None).update(seen_at=at)


def reachable(people: Iterable[Any], *, but: Any = None) -> list[Any]:
    """Return those of them who can sign in and have a role, once each."""
    wanted = {person.pk for person in people} - {getattr(but, "pk", None)}
    found = everybody().filter(pk__in=wanted, is_active=True, is_system=False, groups__isnull=False)
    return list(found.distinct().order_by("pk"))


def everybody() -> "QuerySet[Any]":
    return get_user_model()._default_manager.all()  # noqa: SLF001


def one_line(title: str) -> str:
    """Make a title that a mail's subject can be."""
    line = "".join(letter if letter.isprintable() else " " for letter in title)
    return line if len(line) <= TITLE_MAX else f"{line[: TITLE_MAX - 1]}…"


def absolute(path: str) -> str:
    return f"{settings.BASE_URL}{path}"


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


def _under_the_limit(wanted: list[Notice], at: dt.datetime) -> list[Notice]:
    """Leave out those whose person has had too many mails: a flood becomes one digest."""
    if not wanted:
        return []
    sent = (
        Notice.objects.filter(to__in=[each.to_id for each in wanted], mailed_at__gt=at - MAILS_OF)
        .values_list("to")
        .annotate(mails=Count("pk"))
    )
    mails = dict(sent)
    return [each for each in wanted if mails.get(each.to_id, 0) < MOST_MAILS]


def _mail(notice: Notice) -> bool:
    """Promise the mail; a person whose address takes none is told in the application only."""
    parts = [
        notice.title,
        notice.body,
        absolute(notice.path) if notice.path else "",
        f"You are told of this at once: “{KINDS[notice.kind].label}”. Change it:\n"
        + absolute(reverse("notices:settings")),
    ]
    body = "\n\n".join(part for part in parts if part)
    try:
        send_notice(to=notice.to.email, subject=notice.title, body=body)
    except ValidationError:
        return False
    return True
