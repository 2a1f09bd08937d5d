"""The words in which people say why a request was declined, cancelled or held."""

from django.db import transaction
from django.utils.text import slugify

from config.lib.authz import require
from config.lib.errors import Conflict, Invalid
from engagements import permissions
from engagements.models import ReasonCode
from events import services as events
from people.models import User

# Keel itself holds requests for these.
OWN = frozenset({(ReasonCode.Kind.HOLD, "objected"), (ReasonCode.Kind.HOLD, "risk_ended")})
CODE_MAX = 40


def is_own(reason: ReasonCode) -> bool:
    return (reason.kind, reason.code) in OWN


@transaction.atomic
def add_reason(kind: str, label: str, *, by: User) -> ReasonCode:
    """Add a reason; its code is made from the label and stays when the label changes."""
    require(permissions.can_change_policy, by)
    same_kind = ReasonCode.objects.select_for_update().filter(kind=kind)
    _require_new_label(kind, label)
    stem = slugify(label).replace("-", "_")[:CODE_MAX] or "reason"
    taken, code, number = set(same_kind.values_list("code", flat=True)), stem, 2
    while code in taken:
        code, number = f"{stem[: CODE_MAX - 4]}_{number}", number + 1
    reason = ReasonCode.objects.create(kind=kind, code=code, label=label)
    reason.refresh_from_db()
    after = {"kind": kind, "code": code, "label": label}
    events.record("reason.added", reason, by=by, after=after)
    return reason


@transaction.atomic
def rename_reason(reason: ReasonCode, label: str, *, by: User) -> ReasonCode:
    """Change its words, everywhere and also of what is past."""
    require(permissions.can_change_policy, by)
    reason = ReasonCode.objects.select_for_update().get(pk=reason.pk)
    if label == reason.label:
        return reason
    _require_new_label(reason.kind, label, but=reason)
    before, reason.label = reason.label, label
    reason.save(update_fields=["label"])
    events.record("reason.renamed", reason, by=by, before={"label": before}, after={"label": label})
    return reason


@transaction.atomic
def switch_reason(reason: ReasonCode, *, is_active: bool, by: User) -> ReasonCode:
    """Offer it from now on, or offer it no more; what it was given for keeps it."""
    require(permissions.can_change_policy, by)
    reason = ReasonCode.objects.select_for_update().get(pk=reason.pk)
    if reason.is_active == is_active:
        return reason
    if not is_active:
        _require_not_needed(reason)
    reason.is_active = is_active
    reason.save(update_fields=["is_active"])
    events.record(
        "reason.switched",
        reason,
        by=by,
        before={"is_active": not is_active},
        after={"is_active": is_active},
    )
    return reason


def _require_new_label(kind: str, label: str, *, but: ReasonCode | None = None) -> None:
    same = ReasonCode.objects.filter(kind=kind, label__iexact=label)
    if but is not None:
        same = same.exclude(pk=but.pk)
    if same.exists():
        raise Invalid(f"“{label}” is there already.", field="label", code="not_unique")


def _require_not_needed(reason: ReasonCode) -> None:
    if is_own(reason):
        raise Conflict(f"Keel itself uses “{reason.label}”, so it cannot be switched off.")
    others = ReasonCode.objects.filter(kind=reason.kind, is_active=True).exclude(pk=reason.pk)
    if not others.exists():
        kind = reason.get_kind_display().lower()
        raise Conflict(f"“{reason.label}” is the last reason to {kind}. Add another one first.")
