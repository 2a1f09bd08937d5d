"""Reading statements of work."""

from engagements.models import ServiceRequest, SowVersion


def current_sow(request: ServiceRequest) -> SowVersion | None:
    """Return the newest version that was not discarded, frozen or not."""
    return request.sows.filter(discarded_at=None).order_by("-number").first()


def newest_frozen(request: ServiceRequest) -> SowVersion | None:
    return request.sows.filter(frozen_at__isnull=False).order_by("-number").first()
