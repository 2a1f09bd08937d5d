"""What intake asks, and how each answer is written: by programs typed, in forms as texts. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from config.lib.values import (
    BadValue,
    parse_boolean,
    parse_boolean_text,
    parse_choice,
    parse_date,
    parse_seats,
    parse_seats_text,
    parse_text,
)
from engagements.rules.links import parse_links, parse_links_text

TITLE_MAX = 200
TEXT_MAX = 4_000
# As much as is kept of an answer that is not valid.
TYPED_MAX = 50_000
FACTS = (
    "standard_environment",
    "inside_product",
    "licence_matter",
    "critical",
    "over_one_day",
    "escalated",
)
SEATS = ("seats_low", "seats_likely", "seats_high")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer. `nothing` is what stands for none."""

    name: str
    label: str
    parse: Callable[[Any], Any]
    # Of what a form sends: trimmed, and not empty.
    parse_words: Callable[[str], Any]
    nothing: Any = None


def _text(name: str, label: str, most: int, *, lines: bool) -> Answer:
    parse = partial(parse_text, max_length=most, lines=lines)
    return Answer(name=name, label=label, parse=parse, parse_words=parse, nothing="")


def _fact(name: str, label: str) -> Answer:
    return Answer(name=name, label=label, parse=parse_boolean, parse_words=parse_boolean_text)


def _seats(name: str, label: str) -> Answer:
    return Answer(name=name, label=label, parse=parse_seats, parse_words=parse_seats_text)


def type_of(words: tuple[str, ...]) -> Answer:
    """Return the question for the kind of ask, which takes one of these words."""
    parse = partial(parse_choice, allowed=words)
    label = "What is the customer asking for?"
    return Answer(name="type", label=label, parse=parse, parse_words=parse, nothing="")


ANSWERS: Mapping[str, Answer] = {
    answer.name: answer
    for answer in (
        _fact("standard_environment", "Is the environment a standard one?"),
        _fact("inside_product", "Does it change the product itself?"),
        _fact("licence_matter", "Is it about licences or the renewal?"),
        _fact("critical", "Is it critical for the customer right now?"),
        _fact("over_one_day", "Is it more than one day of work?"),
        _fact("escalated", "Is it escalated to Deployment Engineering?"),
        _text("escalation_reason", "Why is it escalated?", TEXT_MAX, lines=True),
        _text("product_approval", "Who in Product Engineering agreed?", TEXT_MAX, lines=True),
        _text("title", "Short title", TITLE_MAX, lines=False),
        _text("problem", "Why do they need it?", TEXT_MAX, lines=True),
        _text("outcome", "What do they want to have in the end?", TEXT_MAX, lines=True),
        _text("if_not", "What happens if we do not do it?", TEXT_MAX, lines=True),
        Answer(
            name="needed_by",
            label="Needed by",
            parse=parse_date,
            parse_words=parse_date,
        ),
        _text("time_reason", "Is there a date that matters, and why?", TEXT_MAX, lines=True),
        Answer(
            name="links",
            label="Tickets and threads",
            parse=parse_links,
            parse_words=parse_links_text,
            nothing=[],
        ),
        _seats("seats_low", "Low"),
        _seats("seats_likely", "Likely"),
        _seats("seats_high", "High"),
    )
}


def words_of(value: Any) -> str:
    """Return an answer as a form shows it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "\n".join(link["url"] for link in value)
    return str(value)


def kept(words: str) -> str:
    """Return what was typed in characters that can be stored."""
    return words.replace("\x00", "\N{REPLACEMENT CHARACTER}")[:TYPED_MAX]


def out_of_order(seats: Mapping[str, int | None]) -> tuple[str, BadValue] | None:
    """Return the estimate that is lower than one before it, with what is wrong."""
    given = [(name, number) for name in SEATS if (number := seats[name]) is not None]
    for (name, before), (later, number) in pairwise(given):
        if number < before:
            one, other = ANSWERS[later].label, ANSWERS[name].label.lower()
            return later, BadValue(
                "out_of_order", f"{one}: {number} is less than the {other} estimate of {before}."
            )
    return None
