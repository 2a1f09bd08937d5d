"""What a list shows and how its address says so: filters, order, columns, and views kept of it.

All of a list's state is in its address, so a link shows anybody what its sender saw. A saved view
is such an address with a name; `saved=` in an address says which view it began as, and the view is
changed where the rest of the address is another one.
"""

import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

SAVED = "saved"
COLUMNS = "columns"
# No filter takes more; what is longer means nothing.
VALUE_MAX = 200
MOST_CHIPS = 4


@dataclass(frozen=True, slots=True)
class Column:
    """One column that a list can show; `sort` is what `?sort=` takes, "" where it cannot."""

    name: str
    label: str
    sort: str = ""
    numeric: bool = False
    css: str = ""
    # What files call the values it stands for.
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """What an address asks of a list, in one way of writing: two alike are equal."""

    query: str
    # Empty where they are the list's own.
    columns: tuple[str, ...] = ()

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """Everything but the view it began as."""
        pairs = [
            (name, value) for name, values in QueryDict(self.query).lists() for value in values
        ]
        return [*pairs, (COLUMNS, ",".join(self.columns))] if self.columns else pairs

    def address(self, saved: object = "") -> str:
        pairs = [(SAVED, str(saved))] if saved else []
        return "?" + urlencode([*pairs, *self.parameters])


@dataclass(frozen=True)
class ListPage:
    """A list whose views can be kept; `name` is one of people.models.SavedView.Page."""

    name: str
    label: str
    icon: str
    url_name: str
    # Names of the parameters that make a view, without those below.
    parameters: tuple[str, ...]
    columns: tuple[Column, ...]
    default_columns: tuple[str, ...]
    # Values that say nothing, such as the order that the list has anyway.
    defaults: tuple[tuple[str, str], ...] = ()

    @property
    def url(self) -> str:
        return reverse(self.url_name)

    def state_of(self, asked: QueryDict) -> State:
        """Read an address; what is no part of a view, or is there by default, is left out."""
        pairs = [
            (name, value)
            for name in self.parameters
            for value in asked.getlist(name)[-1:]
            if 0 < len(value) <= VALUE_MAX and (name, value) not in self.defaults
        ]
        return State(urlencode(pairs), self.columns_asked(asked.getlist(COLUMNS)))

    def columns_asked(self, texts: Collection[str]) -> tuple[str, ...]:
        """Return the names asked for that there are, once each; nothing where they are usual."""
        known = {column.name for column in self.columns}
        names = [name for text in texts for name in text.split(",") if name in known]
        found = tuple(dict.fromkeys(names))
        return () if found == self.default_columns else found

    def shown(self, names: Sequence[str]) -> list[Column]:
        by_name = {column.name: column for column in self.columns}
        return [by_name[name] for name in names or self.default_columns if name in by_name]


_pages: dict[str, ListPage] = {}


def register(page: ListPage) -> ListPage:
    """Let views of this list be kept; called where the list is defined."""
    _pages[page.name] = page
    return page


def page_named(name: str) -> ListPage | None:
    return _pages.get(name)


class Kept(Protocol):
    """What is asked of a saved view here; people.models.SavedView has it."""

    uuid: uuid.UUID
    page: str
    name: str
    query: str
    columns: list[str]
    is_team: bool


def state_of_view(view: Kept) -> State:
    return State(view.query, tuple(view.columns))


def url_of_view(view: Kept) -> str:
    page = page_named(view.page)
    return f"{page.url}{state_of_view(view).address(view.uuid)}" if page else ""


@dataclass(frozen=True, slots=True)
class Chip:
    label: str
    url: str
    current: bool
    is_team: bool = False


@dataclass(frozen=True)
class ViewBar:
    """The saved views of a list, as the row above it shows them."""

    page: ListPage
    state: State
    chips: list[Chip]
    # The view that the address began as, where this person has it.
    opened: Kept | None = None
    may_change: bool = False

    @property
    def is_changed(self) -> bool:
        return self.opened is not None and state_of_view(self.opened) != self.state

    @property
    def discard_url(self) -> str:
        return url_of_view(self.opened) if self.opened else "?"

    @property
    def save_as_url(self) -> str:
        return f"{reverse('views:create')}?{urlencode(self.hidden)}"

    @property
    def columns_url(self) -> str:
        opened = [(SAVED, str(self.opened.uuid))] if self.opened else []
        pairs = [("page", self.page.name), *opened, *self.state.parameters]
        return f"{reverse('views:columns')}?{urlencode(pairs)}"

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What a form has to send along so that this state can be kept."""
        return [("page", self.page.name), *self.state.parameters]


def view_bar(
    page: ListPage,
    asked: QueryDict,
    views: Sequence[Kept],
    *,
    may_change: Callable[[Kept], bool],
) -> ViewBar:
    """Return the saved views of this page; the opened one first among equals is always there."""
    mine = [view for view in views if view.page == page.name]
    wanted = asked.get(SAVED, "")
    opened = next((view for view in mine if str(view.uuid) == wanted), None)
    shown = mine[:MOST_CHIPS]
    if opened is not None and opened not in shown:
        shown = [*shown[:-1], opened]
    chips = [Chip(view.name, url_of_view(view), view is opened, view.is_team) for view in shown]
    state = page.state_of(asked)
    return ViewBar(page, state, chips, opened, opened is not None and may_change(opened))


@dataclass(frozen=True, slots=True)
class Choice:
    column: Column
    is_shown: bool


def arranged(page: ListPage, order: Sequence[str], shown: Collection[str]) -> list[Choice]:
    """Return every column, those named first and in that order."""
    names = list(dict.fromkeys([*order, *(column.name for column in page.columns)]))
    return [Choice(column, column.name in shown) for column in page.shown(names)]


def moved(order: Sequence[str], name: str, by: int) -> list[str]:
    """Return the names with one of them some places up (-1) or down (1)."""
    names = list(order)
    if name in names:
        place = names.index(name)
        names.insert(min(max(place + by, 0), len(names) - 1), names.pop(place))
    return names
