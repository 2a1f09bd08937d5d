"""How health is worked out, by date. What the nights said before stays as it was said."""

import datetime as dt
from typing import Any

from django.db import transaction

from accounts.selectors import today
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid
from config.lib.ui.formats import day_text
from config.lib.values import BadValue, parse_text
from events.services import record
from metrics import permissions
from metrics.models import HealthNight, HealthPolicy
from metrics.rules import health_policy as rules
from metrics.rules.health_policy import BadPolicy, Policy
from people.models import User

NOTE_MAX = 500


def checked_policy(*, start: dt.date, parts: Any, bands: Any, on: dt.date) -> Policy:
    """Return the policy these values make; raises Invalid naming the field that is wrong."""
    if start < on:
        words = f"{day_text(start)} is past. Choose today or a later day."
        raise Invalid(words, field="start", code="past")
    try:
        return rules.read_policy(parts=parts, bands=bands)
    except BadPolicy as bad:
        raise Invalid(bad.detail, field=bad.field) from bad


@transaction.atomic
def begin_policy(
    *, start: dt.date, parts: Any, bands: Any, note: str, by: User, at: dt.datetime
) -> HealthPolicy:
    """Let health be worked out like this from a day on.

    Raises Invalid naming the field, Conflict where another begins on that day.
    """
    require(permissions.can_change_health_policy, by)
    # Two that begin one at once: the second sees the first only by asking again.
    list(HealthPolicy.objects.select_for_update().order_by("number"))
    stored = list(HealthPolicy.objects.order_by("number"))
    policy = checked_policy(start=start, parts=parts, bands=bands, on=today(at))
    if same := next((row for row in stored if row.start == start), None):
        raise Conflict(
            f"Policy {same.number} begins on {day_text(start)} already."
            " Choose another day, or take that one back first."
        )
    number = max((row.number for row in stored), default=0) + 1
    row = HealthPolicy.objects.create(
        number=number, start=start, note=_note(note), made_by=by, **rules.written(policy)
    )
    row.refresh_from_db()
    after = {"number": number, "start": start, **rules.written(policy)}
    record("health_policy.added", row, by=by, after=after, reason=row.note)
    return row


@transaction.atomic
def take_back(row: HealthPolicy, *, by: User, at: dt.datetime) -> None:
    """Let a policy that has not begun never begin."""
    require(permissions.can_change_health_policy, by)
    row = HealthPolicy.objects.select_for_update().get(pk=row.pk)
    is_used = HealthNight.objects.filter(policy=row).exists()
    if row.start <= today(at) or is_used:
        raise Conflict(
            f"Policy {row.number} began on {day_text(row.start)}."
            " Let another begin in its place, today or later."
        )
    record(
        "health_policy.taken_back", row, by=by, before={"number": row.number, "start": row.start}
    )
    row.delete()


def _note(text: str) -> str:
    if not text.strip():
        raise Invalid("Say why health changes. It stands beside the policy.", field="note")
    try:
        return parse_text(text, max_length=NOTE_MAX, lines=True)
    except BadValue as bad:
        raise Invalid(bad.detail, field="note", code=bad.code) from bad
