"""What the pages of imports read beside the imports themselves. Nothing here writes."""

from collections.abc import Sequence

from django.db.models import QuerySet

from accounts.models import Import
from people.models import Role, User
from people.selectors import people

APPLIED = Import.Status.APPLIED
# Who may look after a mass change; accounts.permissions.can_approve_import.
APPROVERS = (Role.METRIC_OWNER, Role.ADMINISTRATOR)


def latest_by_source() -> Sequence[Import]:
    """Return the import applied last of each kind and source, the newest first."""
    latest = (
        Import.objects.filter(status=APPLIED, applied_at__isnull=False)
        .order_by("kind", "source", "-applied_at")
        .distinct("kind", "source")
    )
    return sorted(latest, key=lambda each: each.applied_at, reverse=True)  # type: ignore[arg-type, return-value]


def applied_before(import_: Import) -> Import | None:
    """Return the last import that applied this very file, and was not undone."""
    return (
        Import.objects.filter(
            kind=import_.kind, source=import_.source, sha256=import_.sha256, status=APPLIED
        )
        .exclude(pk=import_.pk)
        .order_by("-applied_at")
        .first()
    )


def sources() -> list[str]:
    """Return the sources that imports came from, to be offered again."""
    return list(Import.objects.order_by("source").values_list("source", flat=True).distinct())


def approvers_of(import_: Import) -> QuerySet[User]:
    """Return who may approve it: other metric owners and administrators."""
    others = people().filter(is_active=True, groups__name__in=APPROVERS)
    return others.exclude(pk=import_.by_id).distinct()
