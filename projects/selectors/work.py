"""What needs one person of the projects, and which of them are theirs."""

import datetime as dt
from collections.abc import Collection, Iterator
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.selectors import own_account_ids
from engagements.selectors.work import Hat
from events.models import MoveRequest
from events.workflow import workflow_named
from people.models import User
from projects import permissions
from projects.models import OVER, Project, ProjectRequest, ProjectState, VoteRound
from projects.selectors import lateness
from projects.selectors.outcomes import checks_due
from projects.selectors.projects import projects_visible_to
from projects.selectors.support import waiting_for_approval, waiting_for_signature

S = ProjectState
WORKERS = frozenset({Hat.ENGINEER, Hat.LEAD})
# From then on what is ready, or on hold, has waited long.
LONG = dt.timedelta(days=14)
# Nobody works through more.
MOST = 100


class Need(NamedTuple):
    """One thing to do. `thing` is what it is about, where that is not the project itself."""

    act: str
    project: Project
    since: dt.datetime
    thing: object = None


def needs_of(
    user: User, *, at: dt.datetime, on: dt.date, hats: Collection[str], with_sides: bool
) -> list[Need]:
    """Return what needs the person in these parts; `with_sides`: as leadership of a side too."""
    found = list(_of_states(user, at=at, on=on, hats=hats))
    found += _asked(user, hats=hats)
    if WORKERS & set(hats):
        found += _votes(user)
        found += _checks(user, on=on, hats=hats)
    if with_sides:
        found += [Need("sign", each, _moved(each)) for each in waiting_for_signature(user)]
        found += [Need("approve", each, _moved(each)) for each in waiting_for_approval(user)]
    return found[:MOST]


def own_projects(user: User) -> QuerySet[Project]:
    """Return the open projects the person owns or leads, the nearest increment first."""
    rows = projects_visible_to(user).exclude(state__in=OVER).filter(_is_worker(user))
    return _nearest_first(rows)


def projects_of_accounts(user: User, *, on: dt.date) -> QuerySet[Project]:
    """Return the open projects for the accounts somebody looks after, or that they proposed."""
    own = Project.accounts.through.objects.filter(
        project=OuterRef("pk"), account__in=own_account_ids(user, on=on)
    )
    rows = projects_visible_to(user).exclude(state__in=OVER)
    return _nearest_first(rows.filter(Q(Exists(own)) | Q(proposed_by=user)))


def _nearest_first(projects: QuerySet[Project]) -> QuerySet[Project]:
    """Put what has the nearest increment first, and what is on hold last."""
    rows = projects.select_related("increment").annotate(is_held=Q(state=S.ON_HOLD))
    return rows.order_by("is_held", "increment__start", "-score", "pk")


def settled_by_projects(request_ids: Collection[int]) -> set[int]:
    """Return those of these requests whose schedule and start are moves of a project."""
    if not request_ids:
        return set()
    links = ProjectRequest.objects.filter(request__in=request_ids)
    return set(links.exclude(project__state__in=OVER).values_list("request_id", flat=True))


def _is_worker(user: User) -> Q:
    leads = Project.leads.through.objects.filter(project=OuterRef("pk"), user=user)
    return Q(owner=user) | Q(Exists(leads))


def _of_states(
    user: User, *, at: dt.datetime, on: dt.date, hats: Collection[str]
) -> Iterator[Need]:
    """Yield what follows from state and days, one act a project, in one statement."""
    if not WORKERS & set(hats):
        return
    rows = Project.objects.exclude(state__in=OVER).select_related("increment")
    rows = rows.annotate(
        is_mine=Exists(Project.objects.filter(_is_worker(user), pk=OuterRef("pk")))
    )
    if Hat.LEAD not in hats:
        rows = rows.filter(is_mine=True)
    unscored = Q(state=S.PROPOSED) & (Q(impact=None) | Q(effort=""))
    late = lateness.undelivered_on(on)
    waits = Q(state__in=(S.READY, S.ON_HOLD), moved_at__lt=at - LONG)
    mine = Q(is_mine=True) & (
        Q(state=S.SCHEDULED, increment__start__lte=on)
        | Q(state=S.IN_PROGRESS, increment__end=on)
        | Q(state=S.DELIVERED)
    )
    # Of others' work a lead looks at what stands in the way of it.
    wanted = rows.filter(~Q(blocked_by="") | unscored | late | waits | mine)
    for project in wanted.order_by("moved_at", "pk")[:MOST]:
        if act := _act_of(project, at=at, on=on, is_lead=Hat.LEAD in hats):
            yield Need(act, project, project.blocked_at or _moved(project))


def _act_of(project: Project, *, at: dt.datetime, on: dt.date, is_lead: bool) -> str:
    if project.blocked_by:
        return "unblock"
    if project.state in lateness.AT_WORK and lateness.days_late(project, on):
        return "late"
    return _own_act(project, on=on) or (_leads_act(project, at=at) if is_lead else "")


def _own_act(project: Project, *, on: dt.date) -> str:
    if not project.is_mine:  # type: ignore[attr-defined]
        return ""
    if project.state == S.DELIVERED and not project.rolled_out_on:
        return "roll_out" if not project.roll_out_on or project.roll_out_on <= on else ""
    return {S.SCHEDULED: "start", S.IN_PROGRESS: "deliver", S.DELIVERED: "close"}.get(
        ProjectState(project.state), ""
    )


def _leads_act(project: Project, *, at: dt.datetime) -> str:
    if project.state == S.PROPOSED:
        return "score"
    if _moved(project) >= at - LONG:
        return ""
    return {S.ON_HOLD: "held", S.READY: "waits"}.get(ProjectState(project.state), "")


def _moved(project: Project) -> dt.datetime:
    return project.moved_at or project.proposed_at


def _asked(user: User, *, hats: Collection[str]) -> list[Need]:
    """Return the moves that others ask this person for."""
    if not WORKERS & set(hats):
        return []
    of_leads: list[str] = []
    of_workers: list[str] = []
    for transition in workflow_named("project").transitions:
        if transition.asks is not None:
            is_leads = transition.who is permissions.is_lead
            (of_leads if is_leads else of_workers).append(transition.id)
    open_ones = Project.objects.exclude(state__in=OVER)
    mine = Q(object_id__in=open_ones.filter(_is_worker(user)).values("uuid"))
    wanted = Q(transition__in=of_workers) & mine
    if Hat.LEAD in hats:
        nobodys = open_ones.filter(owner=None, leads=None).values("uuid")
        wanted |= Q(transition__in=of_leads)
        wanted |= Q(transition__in=of_workers, object_id__in=nobodys)
    asked = MoveRequest.objects.filter(wanted, workflow="project", settled_at=None).exclude(by=user)
    rows = list(asked.select_related("by").order_by("at")[:MOST])
    projects = {
        each.uuid: each
        for each in projects_visible_to(user).filter(uuid__in=[row.object_id for row in rows])
    }
    return [
        Need("asked", projects[row.object_id], row.at, row)
        for row in rows
        if row.object_id in projects
    ]


def _votes(user: User) -> list[Need]:
    """Return the open votes in which the person has not voted."""
    rows = VoteRound.objects.filter(closed_at=None).exclude(votes__by=user)
    rows = rows.exclude(project__state__in=OVER).select_related("project")
    return [Need("vote", each.project, each.opened_at) for each in rows.order_by("pk")[:MOST]]


def _checks(user: User, *, on: dt.date, hats: Collection[str]) -> list[Need]:
    """Return overdue looks at outcomes: one's own; a lead's are also those of who left."""
    due = checks_due(on)
    theirs = Q(project__owner=user)
    if Hat.LEAD in hats:
        theirs |= Q(project__owner=None) | Q(project__owner__is_active=False)
    found: dict[int, Need] = {}
    for check in due.filter(theirs)[:MOST]:
        since = dt.datetime.combine(check.due_on, dt.time(), dt.UTC)
        found.setdefault(check.project_id, Need("check", check.project, since, check))
    return list(found.values())
