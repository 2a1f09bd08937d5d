"""The order of the ranked list: by score, then as people moved it, each with a reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """What a project's rank comes from."""

    id: int
    score: Decimal | None = None
    lift: Decimal | None = None
    seats: int | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """A project that was put directly before another, or last."""

    id: int
    before: int | None


def ranked(cards: Iterable[Ranked], overrides: Sequence[Override] = ()) -> list[int]:
    """Return the ids in order: by score, lift, seats and id, then moved by hand, oldest first.

    A move whose project, or the one it was put before, is not in the list does nothing.
    """
    order = [card.id for card in sorted(cards, key=_key)]
    for move in overrides:
        places = {each: place for place, each in enumerate(order)}
        if move.id not in places or move.id == move.before:
            continue
        if move.before is None:
            order.append(order.pop(places[move.id]))
        elif move.before in places:
            order.remove(move.id)
            order.insert(order.index(move.before), move.id)
    return order


def _key(card: Ranked) -> tuple[object, ...]:
    return (*_falling(card.score), *_falling(card.lift), *_falling(card.seats), card.id)


def _falling(value: Decimal | int | None) -> tuple[bool, Decimal | int]:
    """Sort the highest first, and what is not known last."""
    return (value is None, -value if value is not None else 0)
