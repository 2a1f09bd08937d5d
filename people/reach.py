"""Which accounts a token can be limited to: the accounts app, which stands above, says.

It registers the one Directory at start-up. See accounts/reach.py.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from people.models import User


class Named(NamedTuple):
    """An account as people call it: its number and name."""

    id: uuid.UUID
    number: str
    name: str


class Directory(Protocol):
    def find(self, words: Sequence[str], *, user: User) -> list[Named]:
        """Return the accounts with these numbers, ids or names. Raises Invalid for others."""

    def named(self, ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, Named]: ...


_directories: list[Directory] = []


def register(directory: Directory) -> None:
    _directories[:] = [directory]


def find(words: Sequence[str], *, user: User) -> list[Named]:
    (directory,) = _directories
    return directory.find(words, user=user)


def named(ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, Named]:
    (directory,) = _directories
    return directory.named(ids)
