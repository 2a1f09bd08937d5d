"""Which requests somebody ticked in the list: some by number, or all that fit its filters."""

import re
from collections.abc import Iterable

from django.http import QueryDict

PICKED, ALL = "request", "all"
NUMBER = re.compile(r"REQ-([1-9][0-9]{0,17})")
MOST_PICKED = 500


def picked_ids(sent: QueryDict) -> list[int]:
    """Return the keys of those ticked one by one; none where all that fit were asked for."""
    return [] if sent.get(ALL) else ids_of(sent.getlist(PICKED))


def ids_of(numbers: Iterable[str]) -> list[int]:
    """Read `REQ-12`; what is no such number is left out."""
    found = (NUMBER.fullmatch(text) for text in numbers)
    return sorted({int(match[1]) for match in found if match})[:MOST_PICKED]
