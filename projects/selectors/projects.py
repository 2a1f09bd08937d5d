"""Reading projects."""

import re
from typing import Any

from django.db.models import QuerySet

from config.lib.values import BadValue, parse_uuid
from engagements.models import OPEN_STATES, RequestState, ServiceRequest
from people.models import User
from projects import permissions
from projects.models import OVER, Project, ProjectState
from projects.rules.charter import Charter

NUMBER = re.compile(r"PRJ-([0-9]{1,18})")
AT_WORK = OPEN_STATES - {RequestState.DELIVERED, RequestState.ACCEPTED}


def projects_visible_to(user: User) -> QuerySet[Project]:
    """Return the projects the person may know of.

    A token that is limited to some accounts knows of those that are for these accounts only.
    """
    rows = Project.objects.select_related("owner").order_by("-pk")
    if not permissions.can_see_projects(user):
        return rows.none()
    if user.limited_to is None:
        return rows
    within = rows.filter(accounts__uuid__in=user.limited_to)
    others = Project.accounts.through.objects.exclude(account__uuid__in=user.limited_to)
    elsewhere = Project.requests.through.objects.exclude(request__account__uuid__in=user.limited_to)
    return (
        within.exclude(pk__in=others.values("project"))
        .exclude(pk__in=elsewhere.values("project"))
        .distinct()
    )


def project_called(value: Any, *, by: User) -> Project | None:
    """Return the project with this number (PRJ-12) or public id that the person may know of."""
    if not isinstance(value, str):
        return None
    visible = projects_visible_to(by)
    if number := NUMBER.fullmatch(value.strip().upper()):
        return visible.filter(pk=int(number[1])).first()
    try:
        return visible.filter(uuid=parse_uuid(value)).first()
    except BadValue:
        return None


def requests_of(project: Project) -> QuerySet[ServiceRequest]:
    rows = ServiceRequest.objects.filter(projects=project)
    return rows.select_related("account", "lead").order_by("pk")


def open_requests_of(project: Project) -> QuerySet[ServiceRequest]:
    """Return the requests whose work is still to be done."""
    return requests_of(project).filter(state__in=AT_WORK)


def is_shared(request: ServiceRequest, *, but: Project) -> bool:
    """Say whether another project that is not over serves the request too."""
    others = Project.objects.filter(requests=request).exclude(pk=but.pk)
    return others.exclude(state__in=OVER).exclude(state=ProjectState.DELIVERED).exists()


def charter_of(project: Project) -> Charter:
    return Charter(
        objectives=project.objectives,
        outcomes=project.outcomes,
        in_scope=project.in_scope,
        out_of_scope=project.out_of_scope,
        has_impact=project.impact is not None,
        has_effort=bool(project.effort),
        stakeholders=frozenset(project.stakeholders.values_list("kind", flat=True)),
        has_owner=project.owner_id is not None,
        leads=project.leads.count(),
        roll_out_where=project.roll_out_where,
        roll_out_told=project.roll_out_told,
        roll_out_on=project.roll_out_on,
        builds_code=project.builds_code,
        is_external=project.kind == Project.Kind.EXTERNAL,
        accounts=project.account_links.count(),
    )
