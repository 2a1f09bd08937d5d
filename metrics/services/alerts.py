"""Puts rules to the newest numbers: raises alerts, lets them stand, ends them.

Asking is a question of what the ledger says now, so that a tick lost, late or double changes
nothing: one alert of a rule is open at a time, and what it said already it does not say again.
"""

import datetime as dt
import logging

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from accounts.selectors import today
from events.services import record
from events.workflow import Given, perform, workflow_named
from metrics.models import Alert, AlertRule, MetricRun
from metrics.rules.alerting import Verdict
from metrics.selectors import alerts as selectors
from metrics.services import alert_notices
from people.models import system_user

S = Alert.State

logger = logging.getLogger(__name__)


def evaluate(*, at: dt.datetime, known_at: dt.datetime | None = None) -> int:
    """Ask every active rule of the newest run of its number; return how many alerts moved.

    `known_at` stands for the present; giving it is for made-up history.
    """
    rules = AlertRule.objects.filter(is_active=True).order_by("pk")
    return sum(_asked(rule, at=at, known_at=known_at) for rule in rules)


def _asked(rule: AlertRule, *, at: dt.datetime, known_at: dt.datetime | None) -> bool:
    """Ask one rule; where it breaks, the others are asked all the same."""
    try:
        return ask(rule, at=at, known_at=known_at)
    except Exception:
        logger.exception("The alert rule %s could not be asked", rule.uuid)
        return False


@transaction.atomic
def ask(rule: AlertRule, *, at: dt.datetime, known_at: dt.datetime | None = None) -> bool:
    """Ask one rule; return whether its alert was raised, raised again or ended.

    The rule is locked first, so that two who ask at once see what the other did.
    """
    rules = AlertRule.objects.select_for_update(no_key=True)
    stored = rules.filter(pk=rule.pk, is_active=True).first()
    if stored is None:
        return False
    asked = selectors.ask(stored, known_at=known_at)
    run, verdict = asked.run, asked.verdict
    if run is None:
        return False
    alert = selectors.on_rule(stored)
    if alert is None:
        return bool(verdict.holds) and _raise(stored, run, verdict, at=at)
    if verdict.holds is None:
        _follow(alert, run, f"{verdict.says}, so this stands as it was")
        return False
    _follow(alert, run, verdict.says)
    if not verdict.holds:
        return _move(alert, "end", at=at)
    until = alert.snoozed_until
    is_past = alert.state == S.SNOOZED and until is not None and until < today(at)
    return is_past and _move(alert, "raise_again", at=at)


def end_of(rule: AlertRule, reason: str, *, at: dt.datetime) -> None:
    """End the alert of a rule that is asked no more."""
    if alert := selectors.on_rule(rule):
        _move(alert, "end", at=at, reason=reason)


def _raise(rule: AlertRule, run: MetricRun, verdict: Verdict, *, at: dt.datetime) -> bool:
    alert = Alert.objects.create(
        rule=rule,
        raised_by=run,
        last_run=run,
        said=verdict.says,
        says=verdict.says,
        raised_at=at,
    )
    alert.refresh_from_db()
    after = {
        "metric": rule.slug,
        "rule": rule.uuid,
        "day": run.day,
        "revision": run.revision,
        "says": verdict.says,
    }
    record("alert.raised", alert, by=system_user(), after=after)
    alert_notices.tell_raised(alert, at=at)
    return True


def _follow(alert: Alert, run: MetricRun, says: str) -> None:
    """Keep what the rule says of the newest run, where that is news."""
    if alert.last_run_id == run.pk and alert.says == says:
        return
    before = {"says": alert.says, "day": alert.last_run.day, "revision": alert.last_run.revision}
    after = {"says": says, "day": run.day, "revision": run.revision}
    Alert.objects.filter(pk=alert.pk).update(
        last_run=run, says=says, version=F("version") + 1, updated_at=Now()
    )
    if alert.says != says:
        record("alert.followed", alert, by=system_user(), before=before, after=after)
    alert.refresh_from_db()


def _move(alert: Alert, name: str, *, at: dt.datetime, reason: str = "") -> bool:
    perform(
        workflow_named("alert"),
        alert,
        name,
        by=system_user(),
        at=at,
        given=Given(reason=reason),
    )
    return True
