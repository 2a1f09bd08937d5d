"""Who works on a request, beside its lead."""

from django.db import transaction

from config.lib.authz import require
from engagements import permissions
from engagements.models import ServiceRequest
from events.services import record
from people.models import User


@transaction.atomic
def join(request: ServiceRequest, *, by: User) -> None:
    """Put a DE engineer among those who work on the request."""
    require(permissions.is_engineer, by)
    ServiceRequest.objects.select_for_update(of=("self",), no_key=True).get(pk=request.pk)
    if request.engineers.filter(pk=by.pk).exists():
        return
    request.engineers.add(by)
    record(
        "request.engineer_joined",
        request,
        by=by,
        after={"engineer": by.pk},
        account_id=request.account_id,
    )
