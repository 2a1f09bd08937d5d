"""What a review talks about: one item a project, with its strongest reason, in an order.

Running work comes first, for what is decided about it says how much room there is; what could
fill that room comes last.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

PROPOSED, READY, SCHEDULED, IN_PROGRESS, DELIVERED = BOARD = (
    "proposed", "ready", "scheduled", "in_progress", "delivered",
)  # fmt: skip
# Days after which waiting for an agreement is the review's business.
PATIENCE = 7
# Candidates are compared in threes; as many still fit into thirty minutes.
MOST_CANDIDATES = 6
# Reasons by strength, which is the order of the agenda too.
BLOCKED, LATE, WAITING, NEW, NO_OWNER, TO_CLOSE, CHANGED, CANDIDATE = REASONS = (
    "blocked", "late", "waiting", "new", "no_owner", "to_close", "changed", "candidate",
)  # fmt: skip
BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What the agenda has to know of a project."""

    id: int
    state: str
    score: Decimal | None = None
    # The estimate; null: none.
    days: Decimal | None = None
    has_owner: bool = True
    is_new: bool = False
    # What changed since the last review: "scope", "score", "seats", "dates".
    changed: tuple[str, ...] = ()
    blocked_by: str = ""
    blocked_days: int = 0
    late_days: int = 0
    # What is late, as a beginning: "The roll-out is".
    late_what: str = ""
    # For how long an agreement is missing; null: none is waited for.
    waiting_days: int | None = None
    waiting_for: str = "sign-off"
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    id: int
    why: str
    words: str


def agenda(cards: Iterable[Card], ranking: Sequence[int], free_days: Decimal | None) -> list[Line]:
    """Return what to talk about, in order.

    `ranking` are the ids of the ranked list, `free_days` what can still be given away in the next
    increments; null where nobody planned any.
    """
    cards = [card for card in cards if card.state in BOARD]
    known = {card.id: reason for card in cards if (reason := _strongest(card))}
    places = {each: place for place, each in enumerate(ranking)}
    lines = sorted(
        ((card, *known[card.id]) for card in cards if card.id in known),
        key=lambda line: (
            REASONS.index(line[1]),
            -_urgency(line[0], line[1]),
            places.get(line[0].id, len(places)),
            line[0].id,
        ),
    )
    found = [Line(card.id, why, words) for card, why, words in lines]
    others = {card.id: card for card in cards if card.id not in known and card.state == READY}
    return found + _candidates([others[each] for each in ranking if each in others], free_days)


def threes(ids: Sequence[int]) -> list[list[int]]:
    """Put candidates side by side: in threes, the last of them fewer; one alone is compared to
    nobody."""
    groups = [list(ids[start : start + 3]) for start in range(0, len(ids), 3)]
    return [group for group in groups if len(group) > 1]


def _candidates(ranked: Sequence[Card], free_days: Decimal | None) -> list[Line]:
    """Take from the top what fits into the days that are left by what was taken before."""
    left = free_days
    found: list[Line] = []
    for card in ranked:
        if len(found) == MOST_CANDIDATES:
            break
        if left is None:
            found.append(Line(card.id, CANDIDATE, f"Number {len(found) + 1} of what is ready"))
        elif card.days is not None and card.days <= left:
            words = f"Fits: {days_text(card.days)} of {days_text(left)} free"
            found.append(Line(card.id, CANDIDATE, words))
            left -= card.days
    return found


def _strongest(card: Card) -> tuple[str, str] | None:
    for why, says in _SAYS:
        if words := says(card):
            return why, words
    return None


def _urgency(card: Card, why: str) -> int:
    match why:
        case "blocked":
            return card.blocked_days
        case "late":
            return card.late_days
        case "waiting":
            return card.waiting_days or 0
    return 0


def _blocked(card: Card) -> str:
    if not card.blocked_by:
        return ""
    return f"Blocked for {count_text(card.blocked_days)}" if card.blocked_days else "Blocked"


def _late(card: Card) -> str:
    if not card.late_days:
        return ""
    late = f"{count_text(card.late_days)} late"
    return f"{card.late_what} {late}" if card.late_what else late


def _waiting(card: Card) -> str:
    if card.waiting_days is None or card.waiting_days <= PATIENCE:
        return ""
    return f"Waiting for {card.waiting_for} for {count_text(card.waiting_days)}"


def _new(card: Card) -> str:
    return "New" if card.is_new and card.state in (PROPOSED, READY) else ""


def _no_owner(card: Card) -> str:
    return "" if card.has_owner else "No owner"


def _to_close(card: Card) -> str:
    return "Ready to close" if card.state == DELIVERED and card.is_done else ""


def _changed(card: Card) -> str:
    return f"Changed: {', '.join(card.changed)}" if card.changed else ""


_SAYS: tuple[tuple[str, Callable[[Card], str]], ...] = (
    (BLOCKED, _blocked),
    (LATE, _late),
    (WAITING, _waiting),
    (NEW, _new),
    (NO_OWNER, _no_owner),
    (TO_CLOSE, _to_close),
    (CHANGED, _changed),
)


def count_text(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


def days_text(days: Decimal) -> str:
    """ "1 day", "4.5 days", "10 days"."""
    shown = f"{days.normalize():f}"
    return "1 day" if shown == "1" else f"{shown} days"
