"""All that stays after the work, and what nobody looks after any more."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Exists, OuterRef, Q, QuerySet

from engagements.models import MaintenanceOwner
from engagements.selectors import requests_visible_to
from people.models import User
from projects import permissions
from projects.models import OVER, KeptArtefact, Project
from projects.selectors.projects import projects_visible_to

# Views of the register.
IN_USE, ORPHANS, DUE, RETIRED, ALL = "in-use", "orphans", "due", "retired", "all"
VIEWS = {
    IN_USE: "In use",
    ORPHANS: "Orphans",
    DUE: "Due for review",
    RETIRED: "Retired",
    ALL: "All",
}
NOBODY = "nobody"
IS_IN_USE = Q(retired_on=None)
# Nobody owns it, or who knew it has left.
IS_ORPHAN = IS_IN_USE & (Q(maintained_by="") | Q(keeper__is_active=False))


@dataclass(frozen=True, slots=True)
class Filters:
    q: str = ""
    maintained_by: str = ""
    depends: bool = False
    mine: bool = False


@dataclass(frozen=True, slots=True)
class OrphanProject:
    """A project whose people have left."""

    project: Project
    # Whether its owner, and all its leads, have.
    owner_left: bool
    leads_left: bool

    @property
    def why(self) -> str:
        owner = str(self.project.owner)
        if self.owner_left and self.leads_left:
            return f"{owner}, its owner, and its leads have left"
        return f"{owner}, its owner, has left" if self.owner_left else "Its only leads have left"


@dataclass(frozen=True)
class Orphans:
    """What nobody looks after: the day a person leaves, all that hung on them is here."""

    user: User

    @cached_property
    def artefacts(self) -> list[KeptArtefact]:
        return list(in_view(artefacts_visible_to(self.user), ORPHANS).order_by("name", "pk"))

    @cached_property
    def projects(self) -> list[OrphanProject]:
        return orphaned_projects(self.user)

    @property
    def count(self) -> int:
        return len(self.artefacts) + len(self.projects)


def artefacts_visible_to(user: User) -> QuerySet[KeptArtefact]:
    """Return the artefacts of the requests and projects the person may know of."""
    rows = KeptArtefact.objects.select_related("keeper", "request", "project")
    if not permissions.can_see_projects(user):
        return rows.none()
    if user.limited_to is None:
        return rows
    of_requests = requests_visible_to(user).order_by().values("pk")
    of_projects = projects_visible_to(user).order_by().values("pk")
    return rows.filter(Q(request__in=of_requests) | Q(project__in=of_projects))


def in_view(
    rows: QuerySet[KeptArtefact], view: str, *, on: dt.date | None = None
) -> QuerySet[KeptArtefact]:
    if view == ORPHANS:
        return rows.filter(IS_ORPHAN)
    if view == DUE:
        return rows.filter(IS_IN_USE, review_on__lte=on)
    if view == RETIRED:
        return rows.exclude(IS_IN_USE)
    return rows.filter(IS_IN_USE) if view == IN_USE else rows


def narrowed(
    rows: QuerySet[KeptArtefact], filters: Filters, *, user: User
) -> QuerySet[KeptArtefact]:
    for word in filters.q.split():
        rows = rows.filter(
            Q(name__icontains=word)
            | Q(request__title__icontains=word)
            | Q(project__title__icontains=word)
        )
    if filters.maintained_by == NOBODY:
        rows = rows.filter(maintained_by="")
    elif filters.maintained_by in MaintenanceOwner.values:
        rows = rows.filter(maintained_by=filters.maintained_by)
    if filters.depends:
        rows = rows.filter(depends_on_server_version=True)
    return rows.filter(keeper=user) if filters.mine else rows


def orphans(user: User) -> Orphans:
    return Orphans(user)


def orphaned_projects(user: User) -> list[OrphanProject]:
    """Return the open projects whose owner, or all of whose leads, have left."""
    leads = Project.leads.through.objects.filter(project=OuterRef("pk"))
    rows = (
        projects_visible_to(user)
        .exclude(state__in=OVER)
        .annotate(
            has_leads=Exists(leads),
            has_active_leads=Exists(leads.filter(user__is_active=True)),
        )
        .filter(
            Q(owner__is_active=False) | Q(has_leads=True, has_active_leads=False),
        )
    )
    return [
        OrphanProject(
            project=each,
            owner_left=each.owner is not None and not each.owner.is_active,
            leads_left=each.has_leads and not each.has_active_leads,
        )
        for each in rows.order_by("pk")
    ]
