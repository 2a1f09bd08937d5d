"""Where new statements of work may start from: administrators' policy."""

from django.core.exceptions import ValidationError
from django.db import transaction

from config.lib.authz import require
from config.lib.errors import Invalid, StaleWrite
from engagements import permissions
from engagements.models import SowTemplate
from engagements.rules import sow as rules
from engagements.rules import sow_reading
from events.services import record
from people.models import User


@transaction.atomic
def save_template(
    template: SowTemplate | None,
    *,
    name: str,
    type_: str,
    content: rules.Content,
    by: User,
    version: int | None = None,
) -> SowTemplate:
    """Add a template, or change one. Its dates are days after the start."""
    require(permissions.can_change_policy, by)
    used = rules.keys_used(content)
    found = sow_reading.read(content, used=used, in_days=True)
    if found.errors:
        raise ValidationError({path: bad.detail for path, bad in found.errors.items()})
    stored = _locked(template, version) if template else SowTemplate()
    if SowTemplate.objects.filter(name__iexact=name).exclude(pk=stored.pk).exists():
        raise Invalid(f"There is a template called “{name}” already.", field="name")
    before = {"name": stored.name, "type": stored.type}
    stored.name, stored.type, stored.content = name, type_, found.content
    stored.version += template is not None
    stored.save()
    stored.refresh_from_db()
    after = {"name": name, "type": type_}
    record("sow_template.saved", stored, by=by, before=before if template else None, after=after)
    return stored


@transaction.atomic
def switch_template(template: SowTemplate, *, is_active: bool, by: User) -> SowTemplate:
    """Offer it from now on, or no more; what began from it is not touched."""
    require(permissions.can_change_policy, by)
    stored = _locked(template, None)
    if stored.is_active != is_active:
        stored.is_active = is_active
        stored.version += 1
        stored.save(update_fields=["is_active", "version"])
        record("sow_template.switched", stored, by=by, after={"is_active": is_active})
    return stored


def _locked(template: SowTemplate, version: int | None) -> SowTemplate:
    stored = SowTemplate.objects.select_for_update().get(pk=template.pk)
    if version is not None and version != stored.version:
        raise StaleWrite("Someone changed this template meanwhile. Yours is not saved yet.")
    return stored
