"""Alert rules: made, changed, switched off and on."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from config.lib.authz import require
from config.lib.errors import StaleWrite
from config.lib.etags import etag_of
from config.lib.values import BadValue, echo, parse_text
from events.services import record
from metrics import permissions
from metrics.models import AlertRule, MetricDefinition
from metrics.rules.alerting import COVERAGE_FELL, LEVELS
from metrics.selectors import alerts as selectors
from metrics.services import alerts
from people.models import Role, User

MOST_DAYS = 366
NOTE_MAX = 200
# Beyond it no number is.
MOST = Decimal(10) ** 15
CHANGEABLE = ("kind", "value", "days", "note", "tells", "is_active")
OFF = "The rule was switched off."


@transaction.atomic
def make_rule(
    values: Mapping[str, Any], *, by: User, at: dt.datetime, known_at: dt.datetime | None = None
) -> AlertRule:
    """Make a rule of `slug`, `kind`, `value`, `days`, `note` and `tells`, and ask it at once.

    `known_at` stands for the present; giving it is for made-up history.
    """
    require(permissions.can_keep_alert_rules, by)
    rule = AlertRule(made_by=by, **values)
    check(rule)
    rule.save()
    rule.refresh_from_db()
    record("alert_rule.made", rule, by=by, after=_told(rule))
    alerts.ask(rule, at=at, known_at=known_at)
    return rule


@transaction.atomic
def change_rule(
    rule: AlertRule, changes: Mapping[str, Any], *, version: int | None, by: User, at: dt.datetime
) -> AlertRule:
    """Change a rule, or switch it off (`is_active`), which ends its alert; then ask it anew."""
    require(permissions.can_keep_alert_rules, by)
    stored = AlertRule.objects.select_for_update(no_key=True).get(pk=rule.pk)
    if version is not None and version != stored.version:
        raise StaleWrite(etag=etag_of(stored.uuid, stored.version))
    before = _told(stored)
    for name in CHANGEABLE:
        if name in changes:
            setattr(stored, name, changes[name])
    check(stored)
    after = _told(stored)
    changed = [name for name in after if after[name] != before[name]]
    if not changed:
        return stored
    columns = {name: getattr(stored, name) for name in CHANGEABLE}
    AlertRule.objects.filter(pk=stored.pk).update(
        **columns, version=F("version") + 1, updated_at=Now()
    )
    stored.refresh_from_db()
    record(
        _verb(stored, changed),
        stored,
        by=by,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )
    if stored.is_active:
        alerts.ask(stored, at=at)
    else:
        alerts.end_of(stored, OFF, at=at)
    return stored


def _verb(rule: AlertRule, changed: list[str]) -> str:
    if "is_active" not in changed:
        return "alert_rule.changed"
    return f"alert_rule.switched_{'on' if rule.is_active else 'off'}"


def check(rule: AlertRule) -> None:
    """Raises ValidationError naming each field that is wrong, of a rule that is not saved yet."""
    definition = selectors.definition_of(rule.slug)
    if definition is None:
        raise ValidationError({"metric": f"There is no number “{echo(rule.slug)}”."})
    if rule.kind in LEVELS:
        rule.days = None
    rule.tells = [role for role in Role.values if role in set(rule.tells)]
    rule.note = rule.note.strip()
    errors = {
        "kind": _wrong_kind(rule, definition),
        "value": _wrong_value(rule, definition),
        "days": _wrong_days(rule),
        "tells": "" if rule.tells else "Choose at least one role to tell.",
        "note": _wrong_note(rule),
    }
    if found := {name: words for name, words in errors.items() if words}:
        raise ValidationError(found)


def _wrong_kind(rule: AlertRule, definition: MetricDefinition) -> str:
    if rule.kind == COVERAGE_FELL and not selectors.has_coverage(definition):
        return (
            f"{definition.title} has no coverage: it is not made from what is known of each account"
            " on the day. Choose another condition."
        )
    return ""


def _wrong_days(rule: AlertRule) -> str:
    if rule.kind in LEVELS:
        return ""
    if rule.days is None:
        return "Say in how many days."
    return "" if 1 <= rule.days <= MOST_DAYS else f"From 1 to {MOST_DAYS} days."


def _wrong_note(rule: AlertRule) -> str:
    try:
        parse_text(rule.note or "None.", max_length=NOTE_MAX)
    except BadValue as bad:
        return bad.detail
    return ""


def _wrong_value(rule: AlertRule, definition: MetricDefinition) -> str:
    is_share = rule.kind == COVERAGE_FELL or definition.unit == MetricDefinition.Unit.SHARE
    if rule.value < 0:
        return "This may not be negative."
    if is_share and rule.value > 1:
        return "A share is at most 1, which is 100%."
    if rule.value >= MOST:
        return "This is more than any number is."
    if rule.kind not in LEVELS and not rule.value:
        return "A change of nothing would always hold. Say how much."
    return ""


def _told(rule: AlertRule) -> dict[str, Any]:
    return {"metric": rule.slug, **{name: getattr(rule, name) for name in CHANGEABLE}}
