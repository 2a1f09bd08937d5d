"""Reading what people say about a request, and its files."""

from django.db.models import Q, QuerySet

from engagements import permissions
from engagements.models import Attachment, Comment, ServiceRequest
from people.models import User


def comments_of(request: ServiceRequest) -> QuerySet[Comment]:
    """Return all that was said, newest first; what was withdrawn keeps its place."""
    return (
        Comment.objects.filter(request=request)
        .select_related("by")
        .prefetch_related("mentions", "attachments")
        .order_by("-pk")
    )


def attachments_visible_to(user: User, request: ServiceRequest) -> QuerySet[Attachment]:
    """Return the files of a request that the person sees: evidence names the customer's people."""
    files = Attachment.objects.filter(request=request).select_related("by").order_by("pk")
    if permissions.sees_parties(user, request):
        return files
    return files.filter(sign_off=None)


def people_who_see(request: ServiceRequest) -> QuerySet[User]:
    """Return whom one can speak to about a request."""
    people = User.objects.filter(is_active=True, is_system=False, groups__isnull=False)
    if request.state == "draft":
        people = people.filter(pk=request.filed_by_id)
    return people.distinct().order_by("name", "pk")


def people_in(request: ServiceRequest) -> QuerySet[User]:
    """Return those who take part: the requester, who works on it, who said something."""
    spoke = Comment.objects.filter(request=request, deleted_at=None).values("by")
    return people_who_see(request).filter(
        Q(pk__in=[request.filed_by_id, request.lead_id])
        | Q(pk__in=request.engineers.values("pk"))
        | Q(pk__in=spoke)
    )
