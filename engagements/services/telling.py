"""Who is told of what happens to a request, and in which words.

Titles and bodies name the account and what our people wrote, which everybody with a role may
read. They never hold a customer's name, address or words: those stay on the request's pages.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.urls import reverse

from accounts.selectors import today
from config.lib.ui.formats import day_text
from engagements.models import ChangeRequest, ServiceRequest, SignOff, SignOffLink, WorkAtRisk
from engagements.services.audiences import leads, request_of, requester, requesters_of, team
from engagements.services.told import TOLD
from events.models import Notice
from events.services import notify
from events.workflow import Move
from people.models import Role, User
from people.selectors import people_with_role

# Keys of people who were told already, by what took the request along.
_told_above: ContextVar[frozenset[int]] = ContextVar("told_above", default=frozenset())


@contextmanager
def already_told(people: frozenset[int]) -> Iterator[None]:
    """Leave these people out of what is told of moves meanwhile."""
    token = _told_above.set(people)
    try:
        yield
    finally:
        _told_above.reset(token)


def tell(move: Move) -> None:
    """Tell those whom the move concerns, each of them once."""
    request = request_of(move.obj)
    words = words_of(move)
    told = set(_told_above.get())
    for row in TOLD[type(move.obj)].get(move.transition.id, ()):
        if not row.when(move):
            continue
        found = [person for audience in row.to for person in audience(move)]
        people = {person.pk: person for person in found if person and person.pk not in told}
        told |= people.keys()
        _notify(
            request,
            people.values(),
            row.kind,
            row.title.format_map(words),
            body=row.body(move) if row.body else _reason(move),
            by=move.by,
            at=move.at,
        )


def words_of(move: Move) -> dict[str, str]:
    """Return what titles may name."""
    request = request_of(move.obj)
    on = today(move.at)
    days = {
        "start": request.start,
        "end": request.end,
        "expires": getattr(move.obj, "expires_on", None),
    }
    return {
        "number": request.number,
        "account": _account(request),
        "owner": request.get_owner_display(),
        **{name: day_text(day, on) if day else "" for name, day in days.items()},
    }


def needs_a_person(request: ServiceRequest, *, at: dt.datetime) -> None:
    """Tell the DE leads that the router could not decide."""
    title = f"Route {request.number}, {_account(request)}: no rule decides it"
    _notify(request, leads(), "asked_of_you", title, at=at)


def needs_the_fast_path(request: ServiceRequest, *, at: dt.datetime) -> None:
    """Tell the DE leads of what a rule gives to them at once."""
    title = f"Put {request.number}, {_account(request)}, on the fast path"
    _notify(request, leads(), "asked_of_you", title, at=at)


def sign_off_recorded(sign_off: SignOff, *, by: User, at: dt.datetime) -> None:
    """Tell those who can confirm what one person heard."""
    request = sign_off.request
    people = [*requesters_of(request, at=at), *leads()]
    title = f"Confirm the verbal sign-off of {request.number}, {_account(request)}"
    _notify(request, people, "asked_of_you", title, by=by, at=at)


def change_proposed(change: ChangeRequest, *, by: User, at: dt.datetime) -> None:
    """Tell the DE leads of a change that one of them has to approve."""
    request = change.request
    title = f"Decide on a change of {request.number}, {_account(request)}"
    _notify(request, leads(), "asked_of_you", title, body=change.reason, by=by, at=at)


def customer_asked(request: ServiceRequest, *, at: dt.datetime) -> None:
    title = f"{_account(request)} asks something about {request.number}"
    people = [*requester(request, at=at), *team(request)]
    _notify(request, people, "sign_off", title, body="The question is on its page.", at=at)


def new_link_asked_for(request: ServiceRequest, *, at: dt.datetime) -> None:
    title = f"{_account(request)} asks for a new link to {request.number}"
    _notify(request, requester(request, at=at), "asked_of_you", title, at=at)


def link_expires(link: SignOffLink, *, at: dt.datetime) -> None:
    request = link.request
    day = day_text(today(link.expires_at), today(at))
    title = f"The link for {request.number}, {_account(request)}, expires on {day}"
    _notify(request, requester(request, at=at), "due", title, at=at)


def link_expired(link: SignOffLink, *, at: dt.datetime) -> None:
    request = link.request
    title = f"The link for {request.number}, {_account(request)}, has expired without an answer"
    _notify(request, requester(request, at=at), "asked_of_you", title, at=at)


def risk_asked(risk: WorkAtRisk, *, by: User, at: dt.datetime) -> None:
    request = risk.request
    title = f"Decide on Work at Risk of {request.number}, {_account(request)}"
    body = f"{risk.reason}\n\nAt stake: {risk.exposure_days} days. {risk.exposure}"
    leaders = people_with_role(Role.LEADERSHIP)
    _notify(request, leaders, "risk", title, body=body, by=by, at=at)


def risk_ends_soon(risk: WorkAtRisk, *, at: dt.datetime) -> bool:
    """Tell of the last day, once; return whether it had not been told."""
    request = risk.request
    day = day_text(risk.expires_on, today(at))
    title = f"Work at Risk of {request.number}, {_account(request)}, ends on {day}"
    if Notice.objects.filter(kind="risk", path=path_of(request), title=title).exists():
        return False
    people = [risk.asked_by, *requester(request, at=at), *team(request)]
    body = "Get the customer's sign-off by then, or ask leadership again."
    return bool(_notify(request, people, "risk", title, body=body, at=at))


def move_asked(
    thing: Any, label: str, people: Iterable[User], *, note: str, by: User, at: dt.datetime
) -> None:
    request = request_of(thing)
    title = f"{by.name} asks you for “{label}”: {request.number}, {_account(request)}"
    _notify(request, people, "move_asked", title, body=note, by=by, at=at)


def move_refused(
    thing: Any, label: str, people: Iterable[User], *, answer: str, by: User, at: dt.datetime
) -> None:
    request = request_of(thing)
    title = f"{by.name} said no to “{label}”: {request.number}, {_account(request)}"
    _notify(request, people, "move_asked", title, body=answer, by=by, at=at)


def path_of(request: ServiceRequest) -> str:
    return reverse("requests:detail", args=[request.pk])


def _account(request: ServiceRequest) -> str:
    return request.account.name if request.account else "no account"


def _reason(move: Move) -> str:
    """Return why; what Keel gives as a reason may be the words of a customer."""
    return "" if move.by.is_system else move.reason


def _notify(
    request: ServiceRequest,
    people: Iterable[User | None],
    kind: str,
    title: str,
    *,
    body: str = "",
    by: User | None = None,
    at: dt.datetime,
) -> list[Notice]:
    return notify(
        [person for person in people if person],
        kind,
        title=title,
        body=body,
        path=path_of(request),
        account_id=request.account_id,
        by=by,
        at=at,
    )
