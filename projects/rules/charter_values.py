"""How the parts of a charter are written: one reader for pages, the API and splits. Pure."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, NamedTuple

from config.lib.values import (
    NAME_MAX,
    SEATS_MAX,
    BadValue,
    check_date,
    parse_boolean,
    parse_choice,
    parse_integer,
    parse_text,
)

TEXT_MAX = 10_000
TEXTS = (
    "objectives",
    "outcomes",
    "in_scope",
    "out_of_scope",
    "if_not",
    "roll_out_where",
    "roll_out_told",
)
NEEDED = {
    "title": "Give it a title.",
    "kind": "Choose whether it is for customers or for ourselves.",
    "type": "Choose what kind of work it is.",
}


class Seats(NamedTuple):
    """Seats that would be unlocked; all three or none."""

    low: int | None
    likely: int | None
    high: int | None


def reader_of(choices: Mapping[str, Collection[str]]) -> Mapping[str, Callable[[Any], Any]]:
    """Return how each column is read; `choices` are the words of those that take a few only."""
    texts: dict[str, Callable[[Any], Any]] = dict.fromkeys(TEXTS, _lines)
    return {
        **texts,
        "title": lambda value: parse_text(value, max_length=NAME_MAX),
        **{name: partial(parse_choice, allowed=words) for name, words in choices.items()},
        "roll_out_on": _day,
        "builds_code": lambda value: None if value is None else parse_boolean(value),
        "inside_product": parse_boolean,
    }


def checked_seats(low: Any, likely: Any, high: Any) -> Seats:
    """Return the seats; raises BadValue unless all are there, in order, or none."""
    given = (low, likely, high)
    if given == (None, None, None):
        return Seats(None, None, None)
    if None in given:
        raise BadValue("incomplete", "Enter low, likely and high, or none of them.")
    seats = Seats(*(parse_integer(each, low=0, high=SEATS_MAX) for each in given))
    if not seats.low <= seats.likely <= seats.high:  # type: ignore[operator]
        raise BadValue(
            "not_in_order",
            f"{seats.low}, {seats.likely}, {seats.high}: low is at most likely, likely at most "
            "high.",
        )
    return seats


def _lines(value: Any) -> str:
    if value is None or (isinstance(value, str) and not value.strip()):
        return ""
    return parse_text(value, max_length=TEXT_MAX, lines=True)


def _day(value: Any) -> dt.date | None:
    if value is None:
        return None
    if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
        raise BadValue("not_a_date", "Write this as a day like 2026-03-31.")
    return check_date(value)
