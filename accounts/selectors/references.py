"""What the references in a call lead to, of what the caller may know of."""

import uuid
from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import Q

from accounts.selectors.facts import accounts_visible_to, instances_visible_to
from config.lib.values import OuterId
from people.models import User

Reference = uuid.UUID | OuterId


class Named(NamedTuple):
    """An account that a reference leads to."""

    key: int
    id: uuid.UUID
    source: str
    external_id: str


class NamedInstance(NamedTuple):
    """An instance that a reference leads to, and the key of its account."""

    key: int
    account: int


def accounts_named(references: Iterable[Reference], *, user: User) -> dict[Reference, Named]:
    wanted = set(references)
    found: dict[Reference, Named] = {}
    if wanted:
        accounts = accounts_visible_to(user).filter(_called(wanted))
        for row in accounts.values_list("pk", "uuid", "source", "external_id"):
            named = Named(*row)
            found[named.id] = found[OuterId(named.source, named.external_id)] = named
    return found


def instances_named(
    references: Iterable[Reference], *, user: User
) -> dict[Reference, NamedInstance]:
    wanted = set(references)
    found: dict[Reference, NamedInstance] = {}
    if wanted:
        rows = instances_visible_to(user).filter(_called(wanted))
        for pk, public_id, source, external_id, account in rows.values_list(
            "pk", "uuid", "source", "external_id", "account_id"
        ):
            named = NamedInstance(pk, account)
            found[public_id] = found[OuterId(source, external_id)] = named
    return found


def emails_of(people: Iterable[uuid.UUID | str | None]) -> dict[uuid.UUID, str]:
    """Return the addresses of those who are named by id."""
    ids = {one for one in people if isinstance(one, uuid.UUID)}
    if not ids:
        return {}
    found = User.objects.filter(uuid__in=ids, is_system=False)
    return dict(found.values_list("uuid", "email"))


def _called(wanted: set[Reference]) -> Q:
    """All that is wanted, and maybe more: what another source knows by the same id."""
    outer = [one for one in wanted if isinstance(one, OuterId)]
    called = Q(uuid__in=[one for one in wanted if isinstance(one, uuid.UUID)])
    if outer:
        sources = {one.source for one in outer}
        called |= Q(source__in=sources, external_id__in={one.external_id for one in outer})
    return called
