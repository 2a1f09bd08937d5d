"""Alerts of the demo company, out of what its ledger says: open, snoozed and over."""

import datetime as dt
from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from fractions import Fraction
from typing import Any

from django.db import transaction

from events.models import Notice, OutboxMessage
from events.workflow import Given, perform
from metrics.demo.clock import told
from metrics.demo.people import email_of
from metrics.demo.story import ZONE
from metrics.models import Alert, AlertRule
from metrics.selectors import numbers, runs
from metrics.selectors.runs import SEATS_DEPLOYED
from metrics.services import alert_rules, alerts
from metrics.workflows import ALERT
from people.models import Role, User

OWNER, LEADER = "Tariq Nasser", "Helena Marsh"
ALL_OF = [str(Role.LEADERSHIP), str(Role.METRIC_OWNER)]
A_DAY = dt.timedelta(days=1)
HISTORY_DAYS, STEP_DAYS = 40, 4
SNOOZED_DAYS = 21
TENTH, FIVE = Decimal("0.001"), Decimal("0.05")


def tell(*, now: dt.datetime) -> None:
    """Make their rules and let the nights since ask them; once."""
    if AlertRule.objects.filter(made_by__isnull=False).exists():
        alerts.evaluate(at=now)
        return
    with transaction.atomic():
        last = OutboxMessage.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        goal = _make_rules(now)
        for at in _nights(now):
            with told(at):
                alerts.evaluate(at=at, known_at=at)
        alerts.evaluate(at=now)
        _snooze(goal, now)
        # Nobody is to be written to about what never happened.
        OutboxMessage.objects.filter(pk__gt=last).delete()
        Notice.objects.filter(kind__startswith="alert").update(mailed_at=now)


def _make_rules(now: dt.datetime) -> AlertRule | None:
    """Return the rule of the goal, which the number misses still."""
    begun = next(_nights(now))
    value = _value_now()
    if value is None:
        return None
    _make(
        OWNER, begun, slug=SEATS_DEPLOYED, kind="below", value=_line_reached(value, now),
        note="The line of last year. If it breaks again, call the TAMs of the flip list.",
    )  # fmt: skip
    _make(
        OWNER, begun, slug="increments-on-time", kind="below", value=Decimal("0.8"),
        note="Talk it over in the review: what was planned too tightly, and what came between.",
        tells=[*ALL_OF, str(Role.DE_LEAD)],
    )  # fmt: skip
    return _make(
        LEADER, begun, slug=SEATS_DEPLOYED, kind="below",
        value=(value / FIVE).to_integral_value(ROUND_FLOOR) * FIVE + FIVE,
        note="Where the number has to be before the board meets.",
    )  # fmt: skip


def _value_now() -> Decimal | None:
    value = numbers.value_of(runs.run_on(SEATS_DEPLOYED))
    return None if value is None else _cut(value)


def _line_reached(value: Decimal, now: dt.datetime) -> Decimal:
    """Return a line that the number was under some time, and is not today."""
    series = runs.series(SEATS_DEPLOYED, start=now.date() - HISTORY_DAYS * A_DAY)
    known = [_cut(found) for run in series if (found := numbers.value_of(run)) is not None]
    lowest = min(known, default=value)
    middle = ((lowest + value) / 2).quantize(TENTH, ROUND_CEILING)
    return min(middle, value)


def _cut(value: Fraction) -> Decimal:
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return exact.quantize(TENTH, ROUND_FLOOR)


def _make(name: str, at: dt.datetime, **values: Any) -> AlertRule:
    by = User.objects.get(email=email_of(name))
    with told(at):
        return alert_rules.make_rule({"tells": ALL_OF, **values}, by=by, at=at, known_at=at)


def _snooze(rule: AlertRule | None, now: dt.datetime) -> None:
    alert = Alert.objects.filter(rule=rule, state=Alert.State.OPEN).first() if rule else None
    if alert is None:
        return
    at = max(alert.raised_at, now - 2 * A_DAY)
    given = Given(
        reason="The work that closes the gap is scheduled: see the what-if of the next increment."
        " We look again when it is delivered.",
        values={"until": (now.astimezone(ZONE).date() + SNOOZED_DAYS * A_DAY).isoformat()},
    )
    with told(at):
        by = User.objects.get(email=email_of(LEADER))
        perform(ALERT, alert, "snooze", by=by, at=at, given=given)


def _nights(now: dt.datetime) -> Iterator[dt.datetime]:
    today = now.astimezone(ZONE).date()
    for back in range(HISTORY_DAYS, -1, -STEP_DAYS):
        at = dt.datetime.combine(today - back * A_DAY, dt.time(3, 17), ZONE).astimezone(dt.UTC)
        if at < now:
            yield at
