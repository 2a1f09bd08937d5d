"""The list of projects: its views, and what its files say of each."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Sum

from accounts.models import Account
from accounts.selectors import accounts_visible_to
from people.models import User
from projects.models import OVER, Project, ProjectAccount, ProjectRequest, ProjectState
from projects.selectors.board import ACCOUNT, MOST_KEY, Filters, narrowed
from projects.selectors.lateness import late_on

S = ProjectState
# Several states that mean the same to who looks for them.
GROUPS: dict[str, tuple[str, frozenset[str]]] = {
    "planned": ("Ready or scheduled", frozenset({S.READY, S.SCHEDULED})),
    "work": ("In work", frozenset({S.IN_PROGRESS, S.DELIVERED})),
    "over": ("Over", OVER),
}
OPEN = ~Q(state__in=OVER)


class Asker(NamedTuple):
    """Who looks, and when."""

    user: User
    today: dt.date


@dataclass(frozen=True, slots=True)
class ListFilters(Filters):
    state: str = ""


def _mine(asker: Asker) -> Q:
    """Return what they own, lead or proposed."""
    user = asker.user
    leads = Project.leads.through.objects.filter(project=OuterRef("pk"), user=user)
    return OPEN & (Q(owner=user) | Q(proposed_by=user) | Q(Exists(leads)))


def _orphaned(_asker: Asker) -> Q:
    """Return what nobody is accountable for, or nobody who is still there would do."""
    leads = Project.leads.through.objects.filter(project=OuterRef("pk"))
    has_gone = Q(Exists(leads)) & ~Q(Exists(leads.filter(user__is_active=True)))
    return OPEN & (Q(owner=None) | Q(owner__is_active=False) | has_gone)


VIEWS: dict[str, Callable[[Asker], Q]] = {
    "": lambda _asker: OPEN,
    "mine": _mine,
    "unscored": lambda _asker: OPEN & Q(score=None),
    "blocked": lambda _asker: OPEN & ~Q(blocked_by=""),
    "late": lambda asker: late_on(asker.today),
    "orphaned": _orphaned,
    "held": lambda _asker: Q(state=S.ON_HOLD),
    "all": lambda _asker: Q(),
}


def in_view(projects: QuerySet[Project], view: str, asker: Asker) -> QuerySet[Project]:
    """Narrow the projects to one of VIEWS."""
    return projects.filter(VIEWS[view](asker))


def filtered(projects: QuerySet[Project], by: ListFilters, asker: Asker) -> QuerySet[Project]:
    if by.state:
        states = GROUPS[by.state][1] if by.state in GROUPS else {by.state}
        projects = projects.filter(state__in=states)
    return narrowed(projects, by, asker.user, on=asker.today)


def account_asked(text: str, user: User) -> Account | None:
    """Return the account of an address, such as ACC-12."""
    number = ACCOUNT.fullmatch(text)
    if number is None:
        return None
    visible = accounts_visible_to(user).select_related(None)
    return visible.filter(pk=min(int(number[1]), MOST_KEY)).first()


def with_lists(projects: QuerySet[Project]) -> QuerySet[Project]:
    """Add what a file says of a project beside its own columns."""
    accounts = ProjectAccount.objects.filter(project=OuterRef("pk")).order_by().values("project")
    leads = Project.leads.through.objects.filter(project=OuterRef("pk")).order_by()
    requests = ProjectRequest.objects.filter(project=OuterRef("pk")).order_by().values("project")

    def listed(rows: Any, path: str) -> Subquery:
        found = rows.annotate(listed=ArrayAgg(path, order_by=path))
        return Subquery(found.values("listed"))

    def summed(path: str) -> Subquery:
        return Subquery(accounts.annotate(sum=Sum(path)).values("sum"))

    return projects.annotate(
        account_names=listed(accounts, "account__name"),
        lead_names=listed(leads.values("project"), "user__name"),
        request_numbers=listed(requests, "request"),
        all_low=summed("seats_low"),
        all_likely=summed("seats_likely"),
        all_high=summed("seats_high"),
    )
