"""Rules of the router: dated policy, changed by administrators and never backwards."""

import datetime as dt
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts.models import Company
from accounts.selectors import today
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid, Missing
from engagements import permissions
from engagements.models import RoutingRule
from engagements.rules.packs import packs
from engagements.rules.router import Rule
from engagements.rules.rule_changes import TERMS, adoption
from engagements.selectors.routing import rule_of
from engagements.selectors.routing_changes import rules_from
from events import services as events
from people.models import User

DECIDED = "Requests were decided by the rule of that day already."


@transaction.atomic
def save_rule(
    rule: Rule, *, instead_of: RoutingRule | None = None, by: User, at: dt.datetime
) -> RoutingRule:
    """Add a rule from a day on, or a new version of one.

    The version before it ends on that day; where a later one is planned, this one ends there.
    """
    require(permissions.can_change_policy, by)
    _lock()
    if rule.start < today(at):
        words = "A rule begins today or later. What was decided before stays as it was."
        raise Invalid(words, field="start")
    versions = RoutingRule.objects.filter(slug=rule.slug)
    if instead_of is None and versions.exists():
        raise Invalid("There is a rule of that name already. Change that one.", field="name")
    if instead_of is not None:
        _insist_on_last(instead_of, rule.start)
    later = versions.filter(start__gt=rule.start).order_by("start").first()
    _refuse_same_priority(rule, later.start if later else None)
    running = _lasting(rule.start).filter(slug=rule.slug, start__lt=rule.start).first()
    if running:
        _end(running, rule.start, by=by, at=at)
    return _begin(replace(rule, end=later.start if later else None), by=by, at=at)


@transaction.atomic
def end_rule(row: RoutingRule, *, end: dt.date, by: User, at: dt.datetime) -> None:
    """End a rule; `end` is the first day it is no longer in force. A planned one is dropped."""
    require(permissions.can_change_policy, by)
    _lock()
    row = RoutingRule.objects.get(pk=row.pk)
    if end < today(at):
        raise Invalid("A rule ends today or later. What was decided stays as it was.", field="end")
    if row.end is not None and row.end <= end:
        raise Conflict(f"“{row.name}” has ended by then already.")
    _stop(row, end, by=by, at=at)


@transaction.atomic
def adopt_pack(slug: str, *, start: dt.date, by: User, at: dt.datetime) -> None:
    """Make a shipped pack the rules from a day on; what is the same already stays."""
    require(permissions.can_change_policy, by)
    pack = packs().get(slug)
    if pack is None:
        raise Missing("There is no such pack.")
    _lock()
    if start < today(at):
        raise Invalid("Rules begin today or later.", field="start")
    plan = adoption(pack, rules_from(start), start=start)
    rows = RoutingRule.objects.in_bulk([rule.row for rule in plan.end])
    for rule in plan.end:
        _stop(rows[rule.row], start, by=by, at=at)
    for rule in plan.begin:
        _begin(rule, pack=slug, by=by, at=at)


def _lock() -> None:
    """Let one change of policy at a time through."""
    Company.objects.select_for_update().get()


def _lasting(day: dt.date) -> Any:
    return RoutingRule.objects.filter(Q(end=None) | Q(end__gt=day))


def _insist_on_last(row: RoutingRule, start: dt.date) -> None:
    row.refresh_from_db()
    if row.end is not None and row.end <= start:
        raise Conflict(f"“{row.name}” was changed or ended meanwhile. Open it again from the list.")


def _refuse_same_priority(rule: Rule, end: dt.date | None) -> None:
    others = _lasting(rule.start).filter(priority=rule.priority).exclude(slug=rule.slug)
    other = (others if end is None else others.filter(start__lt=end)).first()
    if other:
        words = (
            f"“{other.name}” has priority {rule.priority}. Choose another: which is tried first?"
        )
        raise Invalid(words, field="priority")


def _begin(rule: Rule, *, pack: str = "", by: User, at: dt.datetime) -> RoutingRule:
    terms = {name: getattr(rule, name) for name in TERMS if name != "examples"}
    terms["conditions"] = dict(rule.conditions)
    terms |= {"examples": [each.as_json() for each in rule.examples], "end": rule.end}
    terms |= {"pack": pack, "set_by": by}
    row = RoutingRule.objects.filter(slug=rule.slug, start=rule.start).first()
    if row is None:
        row = RoutingRule.objects.create(**terms, start=rule.start)
        events.record("routing_rule.added", row, by=by, after=_told(row))
        return row
    if row.decisions.exists():
        raise Conflict(f"{DECIDED} Let “{rule.name}” begin tomorrow.")
    before = _told(row)
    for name, value in terms.items():
        setattr(row, name, value)
    row.version += 1
    row.updated_at = at
    row.save()
    events.record("routing_rule.changed", row, by=by, before=before, after=_told(row))
    return row


def _stop(row: RoutingRule, end: dt.date, *, by: User, at: dt.datetime) -> None:
    """End a rule on a day; one that would not have begun by then is dropped."""
    if row.start < end:
        _end(row, end, by=by, at=at)
        return
    if row.decisions.exists():
        raise Conflict(f"{DECIDED} Let “{row.name}” end tomorrow.")
    events.record("routing_rule.dropped", row, by=by, before=_told(row))
    row.delete()


def _end(row: RoutingRule, end: dt.date, *, by: User, at: dt.datetime) -> None:
    before = {"end": row.end}
    row.end, row.updated_at = end, at
    row.version += 1
    row.save(update_fields=["end", "version", "updated_at"])
    events.record("routing_rule.ended", row, by=by, before=before, after={"end": end})


def _told(row: RoutingRule) -> dict[str, Any]:
    rule = rule_of(row)
    terms = {name: getattr(rule, name) for name in TERMS if name != "examples"}
    return {**terms, "examples": row.examples, "start": row.start, "end": row.end}
