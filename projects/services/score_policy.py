"""How scores are worked out, by date. What was scored before keeps its row of the history."""

import datetime as dt
from typing import Any

from django.db import transaction

from accounts.selectors import today
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid
from config.lib.ui.formats import day_text
from config.lib.values import BadValue, parse_text
from events.services import record
from people.models import User
from projects import permissions
from projects.models import ScorePolicy
from projects.rules import scoring as rules
from projects.rules.scoring import BadPolicy, Policy
from projects.services.scoring import rescore_open

NOTE_MAX = 500


def checked_policy(
    *, number: int, start: dt.date, points: Any, factors: Any, days: Any, on: dt.date
) -> Policy:
    """Return the policy these values make; raises Invalid naming the field that is wrong."""
    if start < on:
        words = f"{day_text(start)} is past. Choose today or a later day."
        raise Invalid(words, field="start", code="past")
    try:
        return rules.read_policy(
            number=number, start=start, points=points, factors=factors, days=days
        )
    except BadPolicy as bad:
        raise Invalid(bad.detail, field=bad.field) from bad


@transaction.atomic
def begin_policy(
    *,
    start: dt.date,
    points: Any,
    factors: Any,
    days: Any,
    note: str,
    by: User,
    at: dt.datetime,
) -> ScorePolicy:
    """Let scores be worked out like this from a day on; today's takes effect at once.

    Raises Invalid naming the field, Conflict where another begins on that day.
    """
    require(permissions.can_change_score_policy, by)
    stored = list(ScorePolicy.objects.select_for_update().order_by("number"))
    number = max((row.number for row in stored), default=0) + 1
    policy = checked_policy(
        number=number, start=start, points=points, factors=factors, days=days, on=today(at)
    )
    if same := next((row for row in stored if row.start == start), None):
        raise Conflict(
            f"Policy {same.number} begins on {day_text(start)} already."
            " Choose another day, or take that one back first."
        )
    row = ScorePolicy.objects.create(
        number=number, start=start, note=_note(note), made_by=by, **rules.written(policy)
    )
    row.refresh_from_db()
    after = {"number": number, "start": start, **rules.written(policy)}
    record("score_policy.added", row, by=by, after=after, reason=row.note)
    rescore_open(at=at)
    return row


@transaction.atomic
def take_back(row: ScorePolicy, *, by: User, at: dt.datetime) -> None:
    """Let a policy that has not begun never begin."""
    require(permissions.can_change_score_policy, by)
    row = ScorePolicy.objects.select_for_update().get(pk=row.pk)
    if row.start <= today(at):
        raise Conflict(
            f"Policy {row.number} began on {day_text(row.start)}, and scores were worked out by it."
            " Let another begin in its place."
        )
    before = {"number": row.number, "start": row.start}
    record("score_policy.taken_back", row, by=by, before=before)
    row.delete()


def _note(text: str) -> str:
    if not text.strip():
        raise Invalid("Say why scores change. It stands beside the policy.", field="note")
    try:
        return parse_text(text.strip(), max_length=NOTE_MAX, lines=True)
    except BadValue as bad:
        raise Invalid(bad.detail, field="note", code=bad.code) from bad
