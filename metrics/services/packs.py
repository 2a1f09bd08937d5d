"""Makes board packs, keeps them, and tells those who take them to the board."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.urls import reverse

from config.lib.authz import require
from config.lib.errors import Conflict
from config.lib.values import moment_text
from events import services as events
from events.services.notices import absolute
from metrics import permissions
from metrics.models import BoardPack
from metrics.rules.packs import Month
from metrics.selectors import packs, runs
from metrics.selectors.pack_blocks import Document
from metrics.selectors.pack_document import document
from metrics.services.pack_papers import pack_pdf
from people.models import Role, User
from people.selectors import people

PACKS_LOCK = 4_153_005
KIND = "board_pack"
READERS = (Role.LEADERSHIP, Role.METRIC_OWNER)
# The figures of requests and projects come after the number; so long a pack waits for them.
WAITS_FOR_FIGURES = dt.timedelta(days=2)
# Of two editions that differ in nothing else, the second says nothing new.
NOT_NEWS = frozenset({"known_at", "made"})


class NothingNew(Conflict):
    """The newest edition says the same."""

    code = "nothing_new"


class TooEarly(Conflict):
    """The month is not over, or its last day has no published number."""

    code = "too_early"


def make_pack(month: Month, *, by: User, at: dt.datetime) -> BoardPack:
    """Keep what is known of a month as its next edition, and tell its readers once.

    Raises TooEarly and NothingNew.
    """
    require(permissions.can_make_packs, by)
    with transaction.atomic():
        _lock()
        return _made(month, by=by, at=at)


def make_due(*, by: User, at: dt.datetime) -> list[BoardPack]:
    """Make the first edition of last month, and of the one before where it has none yet.

    A month waits until its last day's run is published, and a while for the figures beside it.
    Calling it again does nothing.
    """
    zone = ZoneInfo(runs.company().time_zone)
    last = Month.of(at.astimezone(zone).date()).before
    made = []
    for month in (last.before, last):
        with transaction.atomic():
            _lock()
            is_waiting = at < month.end(zone) + WAITS_FOR_FIGURES and not packs.has_figures(month)
            if month in packs.months_made() or is_waiting or packs.why_not(month, at=at):
                continue
            made.append(_made(month, by=by, at=at))
    return made


def _made(month: Month, *, by: User, at: dt.datetime) -> BoardPack:
    reason = packs.why_not(month, at=at)
    found = None if reason else packs.gathered(month, at=at)
    if found is None:
        raise TooEarly(reason or f"{month} has no number.")
    newest = BoardPack.objects.filter(month=month.first).order_by("-edition").first()
    if newest is not None and _says(newest.told) == _says(found.told):
        raise NothingNew(f"Nothing has changed since edition {newest.edition} of {month}.")
    edition = newest.edition + 1 if newest else 1
    told = {**found.told, "made": {"edition": edition, "by": by.name, "at": moment_text(at)}}
    digest, shown = packs.digest_of_told(told), document(told)
    pack = BoardPack.objects.create(
        month=month.first,
        edition=edition,
        run=found.run,
        known_at=at,
        made_at=at,
        made_by=by,
        told=told,
        digest=digest,
        pdf=pack_pdf(shown, company=told["company"], digest=digest, at=at),
    )
    events.record(
        packs.MADE,
        pack,
        by=by,
        after={
            "month": month.key,
            "edition": edition,
            "day": found.run.day,
            "revision": found.run.revision,
            "digest": digest,
            "paper": packs.digest_of_paper(pack),
        },
    )
    _tell(pack, shown, at=at)
    return pack


def _says(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in NOT_NEWS}


def _tell(pack: BoardPack, shown: Document, *, at: dt.datetime) -> None:
    """Promise one mail to each reader, with the first sentences and where the rest is."""
    readers = people().filter(groups__name__in=READERS, is_active=True).distinct()
    edition = f", edition {pack.edition}" if pack.edition > 1 else ""
    path = f"{reverse('metrics:pack', args=[Month(pack.month)])}?edition={pack.edition}"
    paper = reverse("metrics:pack-pdf", args=[Month(pack.month)])
    body = "\n\n".join([*shown.summary, f"As PDF: {absolute(paper)}?edition={pack.edition}"])
    events.notify(readers, KIND, title=f"{shown.title}{edition}", body=body, path=path, at=at)
    pack.mailed_at = at
    pack.save(update_fields=["mailed_at"])


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PACKS_LOCK])
