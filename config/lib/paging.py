"""Lists of pages in keyset pages, told by the address: HTML's side of `keyset`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from config.lib.keyset import Key, Page, page_of
from config.lib.values import BadValue

PAGE_SIZE = 50
CURSOR = "cursor"
LOST = "The list has changed since. This is its first page."


@dataclass(frozen=True)
class Paged:
    """One page of a list, with the addresses of its neighbours and whether its place was lost."""

    rows: list[Any]
    previous: str
    next: str
    lost: bool

    @property
    def notes(self) -> list[str]:
        return [LOST] if self.lost else []


def paged(
    request: HttpRequest,
    queryset: "QuerySet[Any, Any]",
    ordering: Sequence[Key],
    *,
    bound_to: object = "",
) -> Paged:
    """Return the page the address asks for; the first where its cursor fits no more.

    `bound_to` is what pages must have in common beside the address, such as a run.
    """
    query = request.GET.copy()
    cursor = query.pop(CURSOR, [""])[-1]
    binding = f"{request.path}|{sorted(query.items())}|{bound_to}"
    lost = False
    try:
        found: Page[Any] = page_of(queryset, ordering, cursor or None, PAGE_SIZE, binding=binding)
    except BadValue:
        lost = True
        found = page_of(queryset, ordering, None, PAGE_SIZE, binding=binding)

    def link(to: str | None) -> str:
        if to is None:
            return ""
        neighbour = query.copy()
        neighbour[CURSOR] = to
        return f"?{neighbour.urlencode()}"

    return Paged(found.rows, link(found.previous), link(found.next), lost)
