"""The daily mail: what is new for one person, once a day, whoever rings for it how often."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.urls import reverse

from events.models import Notice, OutboxMessage
from events.services.notices import (
    KINDS,
    How,
    absolute,
    everybody,
    how_told,
    reachable,
    send_notice,
)

# What is older was not worth a mail for two weeks.
REACHES_BACK = dt.timedelta(days=14)
KEEP = dt.timedelta(days=180)
MOST_LINES = 100


def send_digests(*, day: dt.date, at: dt.datetime) -> int:
    """Send everybody their mail of the day who has not had it; return how many were sent."""
    waiting = _unmailed(at).order_by().values_list("to", flat=True).distinct()
    return sum(_send(pk, day, at) for pk in list(waiting))


def purge(*, at: dt.datetime) -> int:
    """Delete what is half a year old; return the count."""
    return Notice.objects.filter(at__lt=at - KEEP).delete()[0]


@transaction.atomic
def _send(pk: int, day: dt.date, at: dt.datetime) -> bool:
    # Two ticks at once: the second waits here, and finds the mail of the day promised.
    person = everybody().select_for_update(no_key=True).get(pk=pk)
    key = f"digest:{person.uuid}:{day}"
    if not reachable([person]) or OutboxMessage.objects.filter(dedupe_key=key).exists():
        return False
    how = how_told([person])[pk]
    kinds = [kind for kind in KINDS if how[kind] != How.HERE]
    notices = list(_unmailed(at).filter(to=pk, kind__in=kinds).order_by("pk"))
    if not notices:
        return False
    count = len(notices)
    send_notice(
        to=person.email,
        subject="One thing is new in Keel" if count == 1 else f"{count:,} things are new in Keel",
        body=_body(notices),
        dedupe_key=key,
    )
    Notice.objects.filter(pk__in=[each.pk for each in notices]).update(mailed_at=at)
    return True


def _unmailed(at: dt.datetime) -> Any:
    """Return what nobody has seen or been mailed."""
    return Notice.objects.filter(mailed_at=None, seen_at=None, at__gt=at - REACHES_BACK)


def _body(notices: Sequence[Notice]) -> str:
    parts = []
    for kind in KINDS.values():
        of_kind = [each for each in notices[:MOST_LINES] if each.kind == kind.name]
        if of_kind:
            parts.append("\n".join([kind.label, *(_line(each) for each in of_kind)]))
    if len(notices) > MOST_LINES:
        parts.append(f"And {len(notices) - MOST_LINES:,} more.")
    parts.append(f"All of them: {absolute(reverse('notices:list'))}")
    parts.append(f"Change how you are told: {absolute(reverse('notices:settings'))}")
    return "\n\n".join(parts)


def _line(notice: Notice) -> str:
    return f"- {notice.title}" + (f"\n  {absolute(notice.path)}" if notice.path else "")
