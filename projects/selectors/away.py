"""What somebody who is away works on: what is at stake, and what the cover takes over."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from accounts.models import Account
from accounts.selectors import assignments_on
from engagements.models import OPEN_STATES, ServiceRequest
from people.models import User
from projects.models import OVER, Allocation, Project

MOST = 50


@dataclass(frozen=True)
class Stake:
    projects: Sequence[Project]
    requests: Sequence[ServiceRequest]
    accounts: Sequence[Account]
    # Days they are planned for while they are away, or beside it in the same increment.
    planned: Sequence[Allocation]

    @property
    def is_empty(self) -> bool:
        return not (self.projects or self.requests or self.accounts or self.planned)


def at_stake(person: User, start: dt.date, end: dt.date) -> Stake:
    """Return what the person owns, leads or is planned for in these days."""
    projects = Project.objects.filter(Q(owner=person) | Q(leads=person)).exclude(state__in=OVER)
    requests = ServiceRequest.objects.filter(lead=person, state__in=OPEN_STATES)
    own = list(projects.distinct().order_by("pk")[:MOST])
    # Those of the projects are in them.
    requests = requests.exclude(projects__in=own)
    accounts = Account.objects.filter(
        pk__in=assignments_on(start).filter(user=person).values("account")
    )
    planned = Allocation.objects.filter(
        person=person, increment__start__lte=end, increment__end__gte=start
    ).select_related("increment__team", "project")
    return Stake(
        projects=own,
        requests=list(requests.select_related("account").order_by("pk")[:MOST]),
        accounts=list(accounts.order_by("name", "pk")[:MOST]),
        planned=list(planned.order_by("increment__start", "project_id")),
    )
