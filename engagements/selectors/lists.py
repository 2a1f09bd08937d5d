"""The list of requests: its views, filters, and what can be chosen in them."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet

from accounts.selectors import own_account_ids
from config.lib.filters import search_condition
from engagements.models import OPEN_STATES, RequestState, ServiceRequest
from engagements.selectors.work import hats_of, needs_of
from people.models import User

S = RequestState
MOST_CHOICES = 200
MOST_KEY = 2**63 - 1
# Three characters make the trigram that the index knows.
SHORTEST_PART = 3
NUMBER = re.compile(r"(?:REQ-)?([1-9][0-9]{0,17})", re.IGNORECASE)
ACCOUNT = re.compile(r"ACC-([1-9][0-9]{0,17})", re.IGNORECASE)
ME, NOBODY = "me", "nobody"
# Several states that mean the same to who looks for them.
GROUPS: dict[str, tuple[str, frozenset[str]]] = {
    "before": (
        "Before work",
        frozenset({S.SUBMITTED, S.NEEDS_INFO, S.SOW_DRAFTING, S.AWAITING_SIGNOFF, S.SIGNED_OFF}),
    ),
    "work": ("In work", frozenset({S.TRIAGED, S.SCHEDULED, S.IN_PROGRESS})),
    "waiting": (
        "Waiting",
        frozenset({S.NEEDS_INFO, S.AWAITING_SIGNOFF, S.ON_HOLD, S.DELIVERED}),
    ),
    "over": ("Over", frozenset(S) - OPEN_STATES),
}


class Asker(NamedTuple):
    """Who looks, and when."""

    user: User
    now: dt.datetime
    today: dt.date


def _mine(asker: Asker) -> Q:
    """Return what they filed, lead or work on, and what is of their accounts."""
    user = asker.user
    return (
        Q(filed_by=user)
        | Q(lead=user)
        | Q(
            pk__in=ServiceRequest.engineers.through.objects.filter(user=user).values(
                "servicerequest"
            )
        )
        | Q(account__in=own_account_ids(user, on=asker.today))
    ) & Q(state__in=OPEN_STATES)


def _needs_me(asker: Asker) -> Q:
    needs = needs_of(asker.user, at=asker.now, hats=hats_of(asker.user))
    return Q(pk__in={need.request_id for need in needs})


VIEWS: dict[str, Callable[[Asker], Q]] = {
    "": lambda _asker: Q(state__in=OPEN_STATES),
    "mine": _mine,
    "me": _needs_me,
    "unowned": lambda _asker: Q(state=S.SUBMITTED),
    "signoff": lambda _asker: Q(state=S.AWAITING_SIGNOFF),
    "ready": lambda _asker: Q(state__in=[S.SIGNED_OFF, S.TRIAGED]),
    "work": lambda _asker: Q(state__in=[S.SCHEDULED, S.IN_PROGRESS]),
    "all": lambda _asker: Q(),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to; empty means anything."""

    q: str = ""
    state: str = ""
    owner: str = ""
    type: str = ""
    account: str = ""
    filed_by: str = ""
    lead: str = ""
    impact: str = ""


def in_view(
    requests: QuerySet[ServiceRequest], view: str, asker: Asker
) -> QuerySet[ServiceRequest]:
    """Narrow the requests to one of VIEWS."""
    return requests.filter(VIEWS[view](asker))


def filtered(
    requests: QuerySet[ServiceRequest], by: Filters, user: User
) -> QuerySet[ServiceRequest]:
    if by.q:
        requests = requests.filter(_search(by.q))
    if by.state:
        states = GROUPS[by.state][1] if by.state in GROUPS else {by.state}
        requests = requests.filter(state__in=states)
    for name in ("owner", "type", "impact"):
        if value := getattr(by, name):
            requests = requests.filter(**{name: value})
    if number := ACCOUNT.fullmatch(by.account):
        requests = requests.filter(account=min(int(number[1]), MOST_KEY))
    for name in ("filed_by", "lead"):
        if value := getattr(by, name):
            requests = requests.filter(_person(name, value, user))
    return requests


def _person(name: str, value: str, user: User) -> Q:
    if value == ME:
        return Q(**{name: user})
    return Q(**{name: None}) if value == NOBODY else Q(**{f"{name}__uuid": value})


def _search(text: str) -> Q:
    found = search_condition(text, ["title"])
    number = NUMBER.fullmatch(text.strip())
    return found | Q(pk=min(int(number[1]), MOST_KEY)) if number else found


def requests_like(
    requests: QuerySet[ServiceRequest], text: str, *, most: int
) -> list[ServiceRequest]:
    """Return what somebody who types this most likely means: by number first, then by title."""
    text = " ".join(text.split())
    if not text:
        return []
    found: list[ServiceRequest] = []
    if number := NUMBER.fullmatch(text):
        found += requests.filter(pk=min(int(number[1]), MOST_KEY))
    if len(text) >= SHORTEST_PART:
        found += requests.filter(search_condition(text, ["title"])).order_by("-pk")[:most]
    return list(dict.fromkeys(found))[:most]


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer, as (value, label)."""

    filers: list[tuple[str, str]] = field(default_factory=list)
    leads: list[tuple[str, str]] = field(default_factory=list)


CHOICES = """
    (SELECT 'filers', u.uuid::text, u.name FROM people_user u
     WHERE EXISTS (SELECT FROM engagements_request r WHERE r.filed_by_id = u.id)
     ORDER BY u.name LIMIT %(most)s)
    UNION ALL
    (SELECT 'leads', u.uuid::text, u.name FROM people_user u
     WHERE EXISTS (SELECT FROM engagements_request r WHERE r.lead_id = u.id)
     ORDER BY u.name LIMIT %(most)s)
    ORDER BY 1, 3
"""


def choices() -> Choices:
    found = Choices()
    with connection.cursor() as cursor:
        cursor.execute(CHOICES, {"most": MOST_CHOICES})
        for kind, value, label in cursor.fetchall():
            getattr(found, kind).append((value, label))
    return found
