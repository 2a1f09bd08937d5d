"""The board: its columns with their cards in order, and what it is narrowed to."""

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import CharField, Count, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast

from accounts.models import Account
from config.lib.filters import search_condition
from engagements.models import RequestState, WorkAtRisk
from events.models import Event
from people.models import User
from projects.models import (
    OVER,
    Lane,
    Project,
    ProjectAccount,
    ProjectRequest,
    ProjectState,
    Review,
)
from projects.selectors.lateness import late_on

S = ProjectState
# So many cards of a column are shown at first, and more at a time.
SHOWN = 50
MOST_SHOWN = 500
MOST_CHOICES = 200
MOST_KEY = 2**63 - 1
ME, NOBODY = "me", "nobody"
NUMBER = re.compile(r"(?:PRJ-)?([1-9][0-9]{0,17})", re.IGNORECASE)
ACCOUNT = re.compile(r"ACC-([1-9][0-9]{0,17})", re.IGNORECASE)
MOVES = {"": Q(), "yes": Q(lift__gt=0), "no": Q(lift=None) | Q(lift__lte=0)}
NEW_FOR = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Filters:
    """What the board is narrowed to; empty means anything."""

    q: str = ""
    owner: str = ""
    lead: str = ""
    account: str = ""
    type: str = ""
    kind: str = ""
    flag: str = ""
    moves: str = ""


@dataclass(frozen=True, slots=True)
class Stand:
    """One column as it stands: its first cards in order, the card after them, and counts."""

    lane: Lane
    projects: list[Project] = field(default_factory=list)
    next: Project | None = None
    # Among those that fit the filters, and of all.
    fitting: int = 0
    count: int = 0

    @property
    def is_over(self) -> bool:
        return self.lane.limit is not None and self.count > self.lane.limit


def open_projects(projects: QuerySet[Project]) -> QuerySet[Project]:
    return projects.exclude(state__in=OVER)


def narrowed(
    projects: QuerySet[Project], by: Filters, user: User, *, on: dt.date
) -> QuerySet[Project]:
    wanted = [
        _search(by.q) if by.q else Q(),
        _person("owner", by.owner, user) if by.owner else Q(),
        _lead(by.lead, user) if by.lead else Q(),
        _of_account(by.account),
        Q(type=by.type) if by.type else Q(),
        Q(kind=by.kind) if by.kind else Q(),
        FLAGS[by.flag][1](on) if by.flag else Q(),
        MOVES[by.moves],
    ]
    return projects.filter(*wanted)


def _of_account(text: str) -> Q:
    number = ACCOUNT.fullmatch(text)
    if number is None:
        return Q()
    links = ProjectAccount.objects.filter(account=min(int(number[1]), MOST_KEY))
    return Q(pk__in=links.values("project"))


def _in_request_state(*states: str) -> Q:
    links = ProjectRequest.objects.filter(project=OuterRef("pk"), request__state__in=states)
    return Q(Exists(links))


def _at_risk(on: dt.date) -> Q:
    links = ProjectRequest.objects.filter(
        project=OuterRef("pk"),
        request__risks__state=WorkAtRisk.State.APPROVED,
        request__risks__expires_on__gte=on,
    )
    return Q(Exists(links))


FLAGS: dict[str, tuple[str, Callable[[dt.date], Q]]] = {
    "blocked": ("Blocked", lambda _on: ~Q(blocked_by="")),
    "late": ("Late", late_on),
    "waiting": (
        "Waiting for sign-off",
        lambda _on: _in_request_state(RequestState.AWAITING_SIGNOFF),
    ),
    "draft": ("SOW draft", lambda _on: _in_request_state(RequestState.SOW_DRAFTING)),
    "risk": ("Work at Risk", _at_risk),
    "new": ("New", lambda on: Q(state=S.PROPOSED, proposed_at__date__gt=on - NEW_FOR)),
    "unowned": ("No owner", lambda _on: Q(owner=None)),
    "unscored": ("Not scored", lambda _on: Q(score=None)),
}


def _search(text: str) -> Q:
    found = search_condition(text, ["title"])
    number = NUMBER.fullmatch(text.strip())
    return found | Q(pk=min(int(number[1]), MOST_KEY)) if number else found


def _person(name: str, value: str, user: User) -> Q:
    if value == ME:
        return Q(**{name: user})
    return Q(**{name: None}) if value == NOBODY else Q(**{f"{name}__uuid": value})


def _lead(value: str, user: User) -> Q:
    leads = Project.leads.through.objects.filter(project=OuterRef("pk"))
    if value == NOBODY:
        return ~Q(Exists(leads))
    chosen = {"user": user} if value == ME else {"user__uuid": value}
    return Q(Exists(leads.filter(**chosen)))


def stands(
    projects: QuerySet[Project],
    lanes: Sequence[Lane],
    *,
    fitting: Mapping[str, int],
    totals: Mapping[str, int],
    shown: Mapping[str, int] | None = None,
) -> dict[str, Stand]:
    """Return columns by state with their first cards: one statement, however many there are.

    `fitting` counts what fits the filters, `totals` all that who looks may know of.
    """
    most = {lane.state: (shown or {}).get(lane.state, SHOWN) for lane in lanes}
    tops = [
        projects.filter(state=state).order_by("rank").values("pk")[: count + 1]
        for state, count in most.items()
    ]
    picked = tops[0].union(*tops[1:], all=True) if len(tops) > 1 else tops[0]
    rows = Project.objects.filter(pk__in=picked).select_related("owner", "increment")
    cards: dict[str, list[Project]] = {state: [] for state in most}
    for each in rows.order_by("rank"):
        if each.state in cards:
            cards[each.state].append(each)
    return {
        lane.state: Stand(
            lane=lane,
            projects=cards[lane.state][: most[lane.state]],
            next=next(iter(cards[lane.state][most[lane.state] :]), None),
            fitting=fitting.get(lane.state, 0),
            count=totals.get(lane.state, 0),
        )
        for lane in lanes
    }


def counts(projects: QuerySet[Project]) -> dict[str, int]:
    """Return how many there are in each state."""
    rows = projects.order_by().values("state").annotate(count=Count("pk", distinct=True))
    return dict(rows.values_list("state", "count"))


@dataclass(frozen=True, slots=True)
class Choices:
    """Whom and what the board can be narrowed to: (value, label)."""

    owners: list[tuple[str, str]]
    leads: list[tuple[str, str]]
    accounts: list[tuple[str, str]]


def choices(projects: QuerySet[Project]) -> Choices:
    """Return the owners, leads and accounts of these projects, in one statement."""
    ids = projects.order_by()
    leads = Project.leads.through.objects.filter(project__in=ids.values("pk"))
    links = ProjectAccount.objects.filter(project__in=ids.values("pk"))

    def told(kind: str, rows: "QuerySet[User] | QuerySet[Account]", key: str) -> QuerySet[Any]:
        found = rows.order_by("name", "pk").values_list(
            Value(kind, CharField()), Cast(key, CharField()), "name"
        )
        return found[:MOST_CHOICES]

    owners = told("owner", User.objects.filter(pk__in=ids.values("owner")), "uuid")
    found = owners.union(
        told("lead", User.objects.filter(pk__in=leads.values("user")), "uuid"),
        told("account", Account.objects.filter(pk__in=links.values("account")), "pk"),
        all=True,
    )
    by_kind: dict[str, list[tuple[str, str]]] = {"owner": [], "lead": [], "account": []}
    for kind, key, name in found:
        value = f"ACC-{key}" if kind == "account" else key
        by_kind[kind].append((value, name))
    for names in by_kind.values():
        names.sort(key=lambda pair: pair[1].casefold())
    return Choices(by_kind["owner"], by_kind["lead"], by_kind["account"])


def last_hand(project: Project) -> tuple[str, str]:
    """Return who changed the project last, and what they did; "" where nobody is known."""
    events = Event.objects.filter(object_type="projects.project", object_id=project.uuid)
    last = events.order_by("-pk").values_list("actor_id", "verb").first()
    if last is None:
        return "", ""
    name = User.objects.filter(pk=last[0]).values_list("name", flat=True).first()
    return name or "", last[1]


def review_ahead() -> Review | None:
    """Return the review that is under way, else the planned one that comes first."""
    ahead = Review.objects.filter(state__in=[Review.State.OPEN, Review.State.PLANNED])
    return ahead.order_by("state", "meets_at", "pk").first()


def note_on(state: str) -> str:
    """Return why the column holds more than its limit, as it was said last; "" where it was not."""
    ids = Project.objects.filter(state=state).order_by("-moved_at").values("uuid")[:SHOWN]
    said = Event.objects.filter(
        object_type="projects.project",
        object_id__in=ids,
        after__state=state,
        after__has_key="limit_note",
    )
    after = said.order_by("-pk").values_list("after", flat=True).first()
    return str(after["limit_note"]) if after else ""
