"""P11: a card is moved among 10,000 as among 10, and writes one row."""

from collections.abc import Iterator, Sequence

from bench.databases import Company
from bench.figures import Case, Figures, Finding, ms

CARDS = (10, 1_000, 10_000)
KINDS = {"in a column": "in_a_column", "to another column": "to_another"}
MOST_STATEMENTS = 8
MOST_GROWTH = 2


def cases(companies: Sequence[Company], times: int) -> Iterator[Case]:
    # The board has nothing to do with how many accounts there are.
    size = companies[0].accounts
    for cards in CARDS:
        for kind, function in KINDS.items():
            name = f"moved, {cards} {kind}"
            yield Case(name, size, f"bench.actions.boards:{function}", (cards, times))
        yield Case(f"shown, {cards}", size, "bench.actions.boards:shown", (cards, times))


def findings(figures: Figures, companies: Sequence[Company]) -> Iterator[Finding]:
    size = companies[0].accounts
    for kind in KINDS:
        names = {cards: f"moved, {cards} {kind}" for cards in CARDS}
        quickest = {cards: figures.quickest(name, size) for cards, name in names.items()}
        seen = {f"{cards:,} cards": ms(seconds) for cards, seconds in quickest.items()}
        for cards in CARDS[1:]:
            grown = quickest[cards] / quickest[CARDS[0]]
            what = f"move {kind}, {cards:,} cards / {CARDS[0]}"
            yield Finding("P11", what, size, grown, MOST_GROWTH, unit="x", seen=seen)
        counts = {figures.statements(name, size) for name in names.values()}
        limit = MOST_STATEMENTS if kind == "in a column" else None
        yield Finding("P11", f"statements of a move {kind}", size, max(counts), limit)
        yield Finding("P11", f"numbers of statements {kind}", size, len(counts), 1)
        rows = max(
            sample.more["rows"] for name in names.values() for sample in figures.of(name, size)
        )
        yield Finding("P11", f"projects written by a move {kind}", size, rows, 1)
    shown = {cards: figures.quickest(f"shown, {cards}", size) for cards in CARDS}
    grown = shown[CARDS[-1]] / shown[CARDS[1]]
    seen = {f"{cards:,} cards": ms(seconds) for cards, seconds in shown.items()}
    what = f"board shown, {CARDS[-1]:,} cards / {CARDS[1]:,}"
    yield Finding("P11", what, size, grown, MOST_GROWTH, unit="x", seen=seen)
    counts = {figures.statements(f"shown, {cards}", size) for cards in CARDS}
    yield Finding("P11", "statements of the board", size, max(counts), MOST_STATEMENTS)
