"""Reading requests."""

from django.db.models import Q, QuerySet

from accounts.selectors.facts import within_limit
from engagements import permissions
from engagements.models import RoutingDecision, ServiceRequest
from people.models import User


def requests_visible_to(user: User) -> QuerySet[ServiceRequest]:
    """Return the requests the person may know of: all but the drafts of others."""
    rows = ServiceRequest.objects.select_related("account", "filed_by", "lead").order_by("-pk")
    if not permissions.can_see_requests(user):
        return rows.none()
    if not user.is_system:
        rows = rows.filter(~Q(state="draft") | Q(filed_by=user))
    return within_limit(rows, user, "account__uuid")


def newest_decision(request: ServiceRequest) -> RoutingDecision | None:
    return request.decisions.order_by("-id").first()
