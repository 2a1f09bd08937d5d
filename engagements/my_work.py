"""Rows of My work, and where apps above hang in theirs; each registers once, at start-up."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from accounts.here import Here
from engagements.selectors.work import Need

# Where nobody knows since when, it is first.
FIRST = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Act:
    """How one kind of thing to do reads; titles and notes may name what `_known` knows."""

    label: str
    tone: str
    icon: str
    title: str
    # Beside the number and the account.
    note: str = "since {ago}"
    # Name of the address, and what stands in it beside the request's number; empty: what it is
    # about has an address of its own.
    url: str = "requests:detail"
    args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """A row of My work."""

    title: str
    detail: str
    url: str
    label: str
    tone: str
    icon: str
    # Of what needs somebody: for how long.
    since: dt.datetime = FIRST


@dataclass(frozen=True, slots=True)
class Further:
    """A card of an app above."""

    id: str
    title: str
    url: str
    rows: Sequence[Item]
    nothing: str = ""


class Above(Protocol):
    """An app above that has something to do for people."""

    def settled(self, needs: Sequence[Need]) -> Collection[Need]:
        """Return what is not to be done here, for the app above does it."""

    def needs(self, here: Here, hats: Collection[str], *, whole: bool) -> Sequence[Item]:
        """Return rows of what needs the person; `whole`: in all that they are."""

    def cards(self, here: Here, hats: Collection[str]) -> Sequence[Further]:
        """Return cards that stand beside it."""


_above: list[Above] = []


def register(above: Above) -> None:
    _above.append(above)


def above() -> Sequence[Above]:
    return _above
