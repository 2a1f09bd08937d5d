"""Work that could be done: projects and requests, the seats they would unlock, and their days."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.models import Account
from engagements.models import RequestState, ServiceRequest
from engagements.selectors import requests_visible_to
from metrics.rules.lift import Seats
from metrics.rules.planning import Work
from people.models import User
from projects.models import OVER, Project, ProjectAccount, ProjectRequest, ProjectState
from projects.selectors import projects_visible_to
from projects.selectors.projects import AT_WORK
from projects.selectors.scoring import policy_on

# What was delivered has its seats in the number already, or will never have them.
TO_COME = sorted(set(ProjectState) - {*OVER, ProjectState.DELIVERED})
REQUESTS_TO_COME = sorted(AT_WORK - {RequestState.DRAFT})


@dataclass(frozen=True)
class Choice:
    """A project or a request, as one chooses it."""

    thing: Project | ServiceRequest
    days: Decimal | None
    # Whether the days are only the most that its effort allows.
    is_by_effort: bool
    seats: Mapping[int, Seats]
    accounts: tuple[Account, ...] = field(default=())

    @property
    def number(self) -> str:
        return self.thing.number

    @property
    def title(self) -> str:
        return str(self.thing)

    @property
    def is_project(self) -> bool:
        return isinstance(self.thing, Project)

    @property
    def likely(self) -> int:
        return sum(seats.likely for seats in self.seats.values())

    @property
    def work(self) -> Work:
        return Work(self.number, self.days, self.seats)


def projects_to_come(user: User) -> QuerySet[Project]:
    """Return the open projects that say what seats they unlock, the most lift first."""
    told = ProjectAccount.objects.filter(project=OuterRef("pk"), seats_likely__isnull=False)
    found = projects_visible_to(user).filter(Exists(told), state__in=TO_COME)
    return found.order_by(F("lift").desc(nulls_last=True), "-pk")


def requests_to_come(user: User) -> QuerySet[ServiceRequest]:
    """Return the open requests that say what seats they unlock and that no project serves."""
    serving = ProjectRequest.objects.filter(request=OuterRef("pk")).exclude(
        project__state=ProjectState.DECLINED
    )
    found = requests_visible_to(user).filter(
        ~Exists(serving),
        state__in=REQUESTS_TO_COME,
        seats_likely__isnull=False,
        account__isnull=False,
    )
    return found.order_by("-seats_likely", "-pk")


def like(
    projects: QuerySet[Project], requests: QuerySet[ServiceRequest], text: str
) -> tuple[QuerySet[Project], QuerySet[ServiceRequest]]:
    """Keep what has the text in its title, or an account with it in its name."""
    at_account = ProjectAccount.objects.filter(
        project=OuterRef("pk"), account__name__icontains=text
    )
    return (
        projects.filter(Q(title__icontains=text) | Exists(at_account)),
        requests.filter(Q(title__icontains=text) | Q(account__name__icontains=text)),
    )


def choices_of(
    projects: Collection[Project], requests: Iterable[ServiceRequest], *, on: dt.date
) -> list[Choice]:
    """Return these as one chooses them; two statements for any number of them."""
    most_days = policy_on(on).days
    links: dict[int, list[ProjectAccount]] = defaultdict(list)
    told = ProjectAccount.objects.filter(project__in=projects, seats_likely__isnull=False)
    for link in told.select_related("account").order_by("account__name", "account_id"):
        links[link.project_id].append(link)
    found = []
    for project in projects:
        days = project.days or _days(project.effort, most_days)
        seats = {each.account_id: _seats(each) for each in links[project.pk]}
        accounts = tuple(each.account for each in links[project.pk])
        found.append(Choice(project, days, project.days is None, seats, accounts))
    for request in requests:
        days = _days(request.effort, most_days)
        account = request.account
        seats = {account.pk: _seats(request)} if account else {}
        accounts = (account,) if account else ()
        found.append(Choice(request, days, is_by_effort=True, seats=seats, accounts=accounts))
    return found


def called(
    rows: QuerySet[Project] | QuerySet[ServiceRequest], keys: Collection[int | uuid.UUID]
) -> QuerySet[Project] | QuerySet[ServiceRequest]:
    """Return those with these numbers or public ids."""
    return rows.filter(
        Q(pk__in=[key for key in keys if isinstance(key, int)])
        | Q(uuid__in=[key for key in keys if isinstance(key, uuid.UUID)])
    )


def _days(effort: str, most_days: Mapping[str, int | None]) -> Decimal | None:
    days = most_days.get(effort)
    return None if days is None else Decimal(days)


def _seats(row: ProjectAccount | ServiceRequest) -> Seats:
    likely = row.seats_likely or 0
    low = likely if row.seats_low is None else row.seats_low
    high = likely if row.seats_high is None else row.seats_high
    return Seats(low, likely, high)
