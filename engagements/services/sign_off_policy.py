"""How links work and how strong a sign-off must be, by date."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from django.db import transaction
from django.db.models import Q

from config.lib.authz import require
from config.lib.errors import Conflict, Invalid
from config.lib.ui.formats import day_text
from engagements import permissions
from engagements.models import SignOffMinimum, SignOffPolicy
from events.services import record
from people.models import User

FIELDS = ("link_days", "remind_days", "needs_code", "risk_days", "keep_years")


@transaction.atomic
def set_policy(
    values: Mapping[str, int | bool], *, start: dt.date, by: User, today: dt.date
) -> SignOffPolicy:
    """Let links work like this from a day on. What was sent before keeps what it was sent with."""
    require(permissions.can_change_policy, by)
    _check_start(start, today)
    if int(values["remind_days"]) >= int(values["link_days"]):
        raise Invalid(
            "A reminder comes before the link ends: enter fewer days than the link works.",
            field="remind_days",
            code="too_many",
        )
    policy = SignOffPolicy.objects.select_for_update().filter(start=start).first()
    before = {name: getattr(policy, name) for name in FIELDS} if policy else None
    policy = policy or SignOffPolicy(start=start)
    for name in FIELDS:
        setattr(policy, name, values[name])
    policy.save()
    policy.refresh_from_db()
    after = {"start": start, **{name: values[name] for name in FIELDS}}
    record("sign_off_policy.set", policy, by=by, before=before, after=after)
    return policy


@transaction.atomic
def add_minimum(
    *,
    strength: str,
    amount_from: Decimal,
    currency: str,
    impact: int | None,
    start: dt.date,
    by: User,
    today: dt.date,
) -> SignOffMinimum:
    """Ask for a strength from a day on; the row for the same amount and impact ends on that day.

    Raises Conflict where a later one is planned.
    """
    require(permissions.can_change_policy, by)
    _check_start(start, today)
    same = SignOffMinimum.objects.select_for_update().filter(
        amount_from=amount_from, currency=currency, impact=impact
    )
    if planned := same.filter(start__gte=start).order_by("start").first():
        raise Conflict(
            f"One for the same amount and impact begins on {day_text(planned.start)} already."
            " Take that back first."
        )
    for former in same.filter(Q(end=None) | Q(end__gt=start)):
        _end(former, start, by)
    minimum = SignOffMinimum.objects.create(
        strength=strength, amount_from=amount_from, currency=currency, impact=impact, start=start
    )
    minimum.refresh_from_db()
    after = {
        "strength": strength,
        "amount_from": amount_from,
        "currency": currency,
        "impact": impact,
        "start": start,
    }
    record("sign_off_minimum.added", minimum, by=by, after=after)
    return minimum


@transaction.atomic
def end_minimum(minimum: SignOffMinimum, *, end: dt.date, by: User, today: dt.date) -> None:
    """Let it hold no more from a day on; one that has not begun by then is taken back."""
    require(permissions.can_change_policy, by)
    minimum = SignOffMinimum.objects.select_for_update().get(pk=minimum.pk)
    if end < today:
        raise Invalid(f"{day_text(end)} is past. Enter today or a later day.", field="end")
    if minimum.end is not None and minimum.end <= today:
        raise Conflict(f"This ended on {day_text(minimum.end)} already.")
    if end <= minimum.start:
        record("sign_off_minimum.taken_back", minimum, by=by, before={"start": minimum.start})
        minimum.delete()
        return
    _end(minimum, end, by)


def _end(minimum: SignOffMinimum, end: dt.date, by: User) -> None:
    before = {"end": minimum.end}
    minimum.end = end
    minimum.save(update_fields=["end"])
    record("sign_off_minimum.ended", minimum, by=by, before=before, after={"end": end})


def _check_start(start: dt.date, today: dt.date) -> None:
    if start < today:
        raise Invalid(
            f"{day_text(start)} is past. Policy begins today or later: what was decided before"
            " stays as it was.",
            field="start",
            code="past",
        )
