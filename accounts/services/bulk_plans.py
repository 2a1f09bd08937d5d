"""What a bulk edit would do, account by account."""

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from accounts.models import Account
from people.models import User


@dataclass(frozen=True, slots=True)
class Change:
    """What will happen to one account; `before` is what it takes to put it back."""

    account: Account
    was: str
    before: Any


@dataclass(frozen=True, slots=True)
class Skip:
    account: Account
    reason: str


@dataclass(slots=True)
class Plan:
    changes: list[Change] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """Two plans are alike where they start from the same versions and change the same."""
        told = [(c.account.pk, c.account.version, c.before) for c in self.changes]
        return hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """An account that was changed, to be put back."""

    account: Account
    before: Any
    version: int


class Edit(Protocol):
    """One kind of bulk edit, told what to give to the accounts."""

    name: str
    # The kind of facts it writes: one writer at a time.
    turn: str

    @property
    def stored(self) -> Any:
        """Return the value as JSON."""

    def find(self, accounts: Sequence[Account], *, lock: bool) -> None:
        """Read whatever else is needed of these accounts."""

    def outcome(self, account: Account) -> tuple[str, Any] | str:
        """Return what it was and what to remember; or why it cannot be changed."""

    def write(self, changes: Sequence[Change], *, by: User, at: dt.datetime) -> list[Entry]:
        """Write all of them, and return what is needed to put each back."""

    def why_moved(self, entry: Entry) -> str:
        """Return why what `write` left there is there no more; or nothing."""

    def put_back(self, entries: Sequence[Entry], *, by: User, at: dt.datetime) -> None:
        """Write what was before."""


def together(count: int) -> str:
    """Return the reason that the log gives to one change of many."""
    others = count - 1
    if not others:
        return "Changed in the list"
    return f"Changed in the list, together with {others:,} other{'' if others == 1 else 's'}"


UNDONE = "A change in the list was undone"
MOVED = "Somebody has changed it since."
