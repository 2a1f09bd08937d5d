"""The board packs that the demo company has had, each as it was known at its time."""

import datetime as dt

from django.db import transaction

from events.models import Notice, OutboxMessage
from metrics import rules
from metrics.demo.clock import told
from metrics.demo.people import email_of
from metrics.demo.story import ZONE
from metrics.models import BoardPack
from metrics.rules.packs import A_DAY, Month
from metrics.selectors import runs
from metrics.selectors.runs import SEATS_DEPLOYED
from metrics.services.packs import NothingNew, TooEarly, make_pack
from people.models import User, system_user

MONTHS = 4
# The tick that finds the number and the figures of the last day there.
FIRST = dt.timedelta(minutes=43)
# How long a run of a month's end was held at most, until its data were mended.
HELD_FOR_DAYS = 4
# When the metric owner looks again at what was corrected since.
AGAIN = dt.timedelta(days=12, hours=9)


def tell(*, now: dt.datetime) -> int:
    """Make the packs of the months before at their moments; return how many are new."""
    month, made = Month.of(now.astimezone(ZONE).date()), 0
    mark = OutboxMessage.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    owner = User.objects.get(email=email_of("Tariq Nasser"))
    for _ in range(MONTHS):
        month = month.before
        if BoardPack.objects.filter(month=month.first).exists():
            continue
        night = rules.start_of(month.after.first, ZONE) + FIRST
        for at in (night + days * A_DAY for days in range(HELD_FOR_DAYS + 1)):
            if at < now and not BoardPack.objects.filter(month=month.first).exists():
                made += _make(month, by=system_user(), at=at)
        if night + AGAIN < now and _is_revised(month, night + AGAIN):
            made += _make(month, by=owner, at=night + AGAIN)
    # Nobody is to be written to about what was long ago.
    OutboxMessage.objects.filter(pk__gt=mark).delete()
    Notice.objects.filter(kind="board_pack", at__lt=now - dt.timedelta(days=4)).update(seen_at=now)
    return made


def _make(month: Month, *, by: User, at: dt.datetime) -> bool:
    try:
        with transaction.atomic(), told(at):
            make_pack(month, by=by, at=at)
    except (TooEarly, NothingNew):
        return False
    return True


def _is_revised(month: Month, at: dt.datetime) -> bool:
    """Say whether the last day has another run by then than its pack shows."""
    pack = BoardPack.objects.filter(month=month.first).order_by("edition").last()
    found = runs.run_on(SEATS_DEPLOYED, month.last, known_at=at)
    return bool(pack and found and found.pk != pack.run_id)
