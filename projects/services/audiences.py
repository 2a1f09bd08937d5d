"""Whom something that happens to a project concerns."""

from collections.abc import Callable, Iterable

from accounts.selectors import assignments_on, today
from engagements.services.audiences import requester
from events.workflow import Move
from people.models import User
from projects import selectors

# Whom a move concerns.
Audience = Callable[[Move], Iterable[User | None]]
# Who looks after an account's use of the product.
KEEPERS = ("TAM", "CSM")


def by_proposer(move: Move) -> Iterable[User | None]:
    return [move.obj.proposed_by]


def by_owner(move: Move) -> Iterable[User | None]:
    return [move.obj.owner]


def by_workers(move: Move) -> Iterable[User | None]:
    """Return who answers for it and who does it."""
    return [move.obj.owner, *move.obj.leads.order_by("pk")]


def by_requesters(move: Move) -> Iterable[User | None]:
    """Return who filed its requests, or looks after their accounts now."""
    requests = selectors.requests_of(move.obj).select_related("account", "filed_by")
    return [person for request in requests for person in requester(request, at=move.at)]


def by_keepers(move: Move) -> Iterable[User | None]:
    """Return the TAM or CSM of each of its accounts."""
    assigned = assignments_on(today(move.at)).filter(
        account__project_links__project=move.obj, role__in=KEEPERS, primary=True
    )
    return [each.user for each in assigned.select_related("user")]
