"""Projects beside what they are for: a request, an account and its way to the line."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts.models import Account
from config.lib.filters import search_condition
from engagements.models import ServiceRequest
from people.models import User
from projects.models import OVER, Project
from projects.selectors.projects import NUMBER, projects_visible_to

SHORTEST_PART = 3


@dataclass(frozen=True, slots=True)
class Path:
    """What open projects are expected to unlock at an account, beside what it needs."""

    projects: int
    seats: int
    # To reach the line; 0: it is there.
    to_go: int

    @property
    def missing(self) -> int:
        return max(0, self.to_go - self.seats)


def projects_of_request(request: ServiceRequest, user: User) -> QuerySet[Project]:
    """Return its projects, the open ones first."""
    rows = projects_visible_to(user).filter(requests=request)
    return rows.annotate(has_ended=Q(state__in=OVER)).order_by("has_ended", "part", "pk")


def projects_of_account(account: Account, user: User) -> QuerySet[Project]:
    """Return its open projects, what helps most first."""
    rows = projects_visible_to(user).filter(accounts=account).exclude(state__in=OVER)
    return rows.select_related("increment").order_by("-lift", "-score", "pk")


def path_of(account: Account, user: User) -> Path | None:
    """Return how far its open projects take it; null where nobody knows how far it has to go."""
    facts = getattr(account, "facts", None)
    if facts is None or facts.seats_to_go is None:
        return None
    open_ones = projects_visible_to(user).exclude(state__in=OVER).order_by()
    links = account.project_links.filter(project__in=open_ones.values("pk"))
    seats = [link.seats_likely for link in links if link.seats_likely is not None]
    return Path(projects=len(seats), seats=sum(seats), to_go=facts.seats_to_go)


def projects_like(projects: QuerySet[Project], text: str, *, most: int) -> list[Project]:
    """Return what somebody who types this most likely means: by number first, then by title."""
    text = " ".join(text.split())
    found: list[Project] = []
    if number := NUMBER.fullmatch(text.upper()):
        found += projects.filter(pk=int(number[1]))
    if len(text) >= SHORTEST_PART:
        found += projects.filter(search_condition(text, ["title"])).order_by("-pk")[:most]
    return list(dict.fromkeys(found))[:most]
