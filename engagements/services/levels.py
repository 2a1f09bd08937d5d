"""Service levels by date, the company's hours and days off, and why a level was missed."""

import datetime as dt
from decimal import Decimal

from django.db import transaction
from django.db.models import Q

from config.lib.authz import require
from config.lib.errors import Conflict, Invalid
from config.lib.ui.formats import day_text
from engagements import permissions
from engagements.models import LevelNote, ServiceLevel, ServiceRequest
from events import services as events
from people.models import User

MINUTE = dt.timedelta(minutes=1)


def hours_of(time: dt.timedelta) -> Decimal:
    """Return business time in hours as programs read it, to the hundredth."""
    return (Decimal(time // MINUTE) / 60).quantize(Decimal("0.01"))


@transaction.atomic
def note_miss(
    request: ServiceRequest, clock: str, text: str, *, by: User, at: dt.datetime
) -> LevelNote:
    """Keep why a clock of the request was missed; a later note replaces it."""
    require(permissions.can_note_miss, by)
    ServiceRequest.objects.select_for_update(no_key=True).get(pk=request.pk)
    before = LevelNote.objects.filter(request=request, clock=clock).first()
    note, _ = LevelNote.objects.update_or_create(
        request=request, clock=clock, defaults={"text": text, "by": by, "at": at}
    )
    events.record(
        "request.miss_noted",
        request,
        by=by,
        before={"text": before.text} if before else None,
        after={"clock": clock, "text": text},
        account_id=request.account_id,
    )
    return note


@transaction.atomic
def add_level(
    *,
    clock: str,
    impact: int | None,
    hours: Decimal,
    start: dt.date,
    by: User,
    today: dt.date,
) -> ServiceLevel:
    """Add a level from a day on; the one for the same clock and impact ends on that day.

    What is past stays: a level begins today or later. Raises Conflict where a later one is
    planned.
    """
    require(permissions.can_change_policy, by)
    if start < today:
        raise Invalid(
            f"{day_text(start)} is past. A level begins today or later, for what was promised"
            " before stays as it was.",
            field="start",
            code="past",
        )
    same = ServiceLevel.objects.select_for_update().filter(clock=clock, impact=impact)
    if later := same.filter(start__gte=start).order_by("start").first():
        raise Conflict(
            f"There is a level for this from {day_text(later.start)} on. Take that one back first."
        )
    for running in same.filter(Q(end=None) | Q(end__gt=start)):
        _end(running, start, by=by)
    level = ServiceLevel.objects.create(
        clock=clock, impact=impact, hours=hours, start=start, owner="Administrator"
    )
    level.refresh_from_db()
    events.record(
        "service_level.added",
        level,
        by=by,
        after={"clock": clock, "impact": impact, "hours": hours, "start": start},
    )
    return level


@transaction.atomic
def end_level(level: ServiceLevel, *, end: dt.date, by: User, today: dt.date) -> ServiceLevel:
    """Let a level hold up to, not including, a day; one that is only planned is taken back."""
    require(permissions.can_change_policy, by)
    level = ServiceLevel.objects.select_for_update().get(pk=level.pk)
    if level.end is not None and level.end <= today:
        raise Conflict(f"It ended on {day_text(level.end)} already.")
    if end < today:
        raise Invalid(
            f"{day_text(end)} is past. Choose today or a later day.", field="end", code="past"
        )
    if level.end is not None and end > level.end:
        raise Invalid(
            f"It ends on {day_text(level.end)}. Choose that day or an earlier one.",
            field="end",
            code="too_late",
        )
    if end <= level.start:
        events.record(
            "service_level.taken_back",
            level,
            by=by,
            before={"clock": level.clock, "impact": level.impact, "hours": level.hours,
                    "start": level.start, "end": level.end},
        )  # fmt: skip
        level.delete()
    else:
        _end(level, end, by=by)
    return level


def _end(level: ServiceLevel, end: dt.date, *, by: User) -> None:
    before, level.end = level.end, end
    level.version += 1
    level.save(update_fields=["end", "version"])
    events.record("service_level.ended", level, by=by, before={"end": before}, after={"end": end})
