"""Reading statements of work."""

from django.db.models import QuerySet

from config.lib.reading import is_known, read_once
from engagements.models import (
    ChangeRequest,
    ServiceRequest,
    SignOff,
    SignOffLink,
    SowTemplate,
    SowVersion,
)

OPEN_CHANGES = (ChangeRequest.State.PROPOSED, ChangeRequest.State.APPROVED)


@read_once
def current_sow(request: ServiceRequest) -> SowVersion | None:
    """Return the newest version that was not discarded, frozen or not."""
    return request.sows.filter(discarded_at=None).order_by("-number").first()


@read_once
def newest_frozen(request: ServiceRequest) -> SowVersion | None:
    return request.sows.filter(frozen_at__isnull=False).order_by("-number").first()


@read_once
def versions_of(request: ServiceRequest) -> list[SowVersion]:
    """Return the versions that were not discarded, newest first."""
    rows = request.sows.filter(discarded_at=None).select_related("by", "frozen_by")
    versions = list(rows.order_by("-number"))
    is_known(next(iter(versions), None), current_sow, request)
    return versions


def agreed_digests(request: ServiceRequest) -> frozenset[str]:
    """Return the digests of what the customer agreed to."""
    agreed = request.sign_offs.filter(purpose=SignOff.Purpose.SOW, state=SignOff.State.AGREED)
    return frozenset(agreed.values_list("digest", flat=True))


def rejected_digests(request: ServiceRequest) -> frozenset[str]:
    """Return the digests of what the customer wants changed, or objected to."""
    states = (SignOff.State.REJECTED, SignOff.State.OBJECTED)
    found = request.sign_offs.filter(purpose=SignOff.Purpose.SOW, state__in=states)
    return frozenset(found.values_list("digest", flat=True))


def open_link_versions(request: ServiceRequest) -> frozenset[int]:
    """Return the keys of the versions that a customer has an open link to."""
    links = SignOffLink.objects.filter(
        request=request, purpose=SignOffLink.Purpose.SOW, used_at=None, revoked_at=None
    )
    return frozenset(links.values_list("sow_id", flat=True))


def changes_of(request: ServiceRequest) -> QuerySet[ChangeRequest]:
    changes = request.changes.select_related("before", "after", "by", "decided_by", "request")
    return changes.order_by("-pk")


@read_once
def open_change(sow: SowVersion | None) -> ChangeRequest | None:
    """Return the change that this version would be, where it is still open."""
    if sow is None:
        return None
    changes = ChangeRequest.objects.filter(after=sow, state__in=OPEN_CHANGES)
    return changes.select_related("before", "after", "by", "request").first()


@read_once
def change_of(sow: SowVersion | None) -> ChangeRequest | None:
    """Return the change that this version is, open or not."""
    if sow is None:
        return None
    return ChangeRequest.objects.filter(after=sow).select_related("before", "by").first()


def templates(*, type_: str = "") -> list[SowTemplate]:
    """Return what a new SOW may start from; those of the type of request first."""
    found = SowTemplate.objects.filter(is_active=True).order_by("name")
    return sorted(found, key=lambda each: each.type != type_ or not type_)
