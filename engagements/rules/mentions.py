"""Who a text names with an @. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

BEFORE = re.compile(r"(?<![\w.+-])@")


class Person(NamedTuple):
    key: int
    name: str
    email: str


def mentioned(text: str, people: Iterable[Person]) -> set[int]:
    """Return the keys of the people named by @Name or @address; all those of one name."""
    words: dict[str, set[int]] = defaultdict(set)
    for person in people:
        words[person.name.casefold()].add(person.key)
        words[person.email.casefold()].add(person.key)
    words.pop("", None)
    lengths = sorted({len(word) for word in words}, reverse=True)
    folded = text.casefold()
    found: set[int] = set()
    for sign in BEFORE.finditer(folded):
        found |= _named_at(folded, sign.end(), words, lengths)
    return found


def _named_at(text: str, at: int, words: dict[str, set[int]], lengths: list[int]) -> set[int]:
    for length in lengths:
        end = at + length
        if text[at:end] in words and not text[end : end + 1].isalnum():
            return words[text[at:end]]
    return set()
