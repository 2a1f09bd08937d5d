"""P1 to P4: what a night costs and writes."""

from collections.abc import Iterator, Sequence
from typing import Any

from bench.databases import Company
from bench.figures import Case, Figures, Finding, rounded

NIGHT, BARE = "night", "night by hand"


def cases(companies: Sequence[Company], times: int) -> Iterator[Case]:
    del times
    for company in companies:
        yield Case(BARE, company.accounts, "bench.actions.nights:by_hand", (company,))
        yield Case(NIGHT, company.accounts, "bench.actions.nights:nights", (company,))


def findings(figures: Figures, companies: Sequence[Company]) -> Iterator[Finding]:
    for company in companies:
        yield from _of_size(figures, company.accounts)
    counts = {figures.statements(f"{NIGHT} full", each.accounts) for each in companies}
    yield Finding("P1", "numbers of statements over the sizes", 0, len(counts), 1)


def _of_size(figures: Figures, size: int) -> Iterator[Finding]:
    def seen(*names: str) -> dict[str, Any]:
        return {name: rounded(figures.quickest(name, size)) for name in names}

    full, bare = f"{NIGHT} full", f"{BARE} all"
    rows = figures.more(full, size, "rows")
    assert rows == figures.more(bare, size, "rows"), "The night by hand writes other rows."
    times = figures.quickest(full, size) / figures.quickest(bare, size)
    yield Finding(
        "P1",
        "full night / the same rows by hand",
        size,
        times,
        1.2,
        unit="x",
        seen={**seen(full, bare), "rows written": rows},
    )
    yield Finding("P1", "statements of a night", size, figures.statements(full, size), 20)
    facts = f"{NIGHT} current facts"
    yield Finding(
        "P1", "current facts of everybody / a full night", size,
        figures.quickest(facts, size) / figures.quickest(full, size), unit="x", seen=seen(facts),
    )  # fmt: skip
    numbers = min(sample.more["numbers"] for sample in figures.of(full, size))
    yield Finding(
        "P1", "numbers worked out from the rows / a full night", size,
        numbers / figures.quickest(full, size), unit="x", seen={"numbers": rounded(numbers)},
    )  # fmt: skip
    for whose in ("everybody", "few"):
        health = f"{NIGHT} health of {whose}"
        yield Finding(
            "P1", f"health, new of {whose} / a full night", size,
            figures.quickest(health, size) / figures.quickest(full, size), unit="x",
            seen={**seen(health), "rows": figures.more(health, size, "rows"),
                  "WAL": figures.wal(health, size)},
        )  # fmt: skip
    some, everything = f"{NIGHT} one in a hundred", f"{NIGHT} everybody"
    # A night has a temporary table and a row of its own, whatever changed.
    base = figures.wal(f"{NIGHT} again", size)
    for name in (full, some, everything):
        rows = figures.more(name, size, "rows")
        wal = figures.wal(name, size)
        yield Finding(
            "P2",
            f"WAL for each changed account, {name}",
            size,
            (wal - base) / max(rows, 1),
            1024,
            unit="B",
            seen={"WAL": wal, "where nothing changed": base, "rows": rows},
        )
    times = figures.quickest(some, size) / figures.quickest(everything, size)
    yield Finding(
        "P2",
        "1% changed / everybody changed",
        size,
        times,
        0.1,
        unit="x",
        seen=seen(some, everything),
    )
    again = f"{NIGHT} again"
    yield Finding(
        "P2",
        "rows written where nothing changed",
        size,
        figures.more(again, size, "rows"),
        0,
        seen={**seen(again), "WAL": figures.wal(again, size)},
    )
    yield Finding(
        "P3",
        "differences of incremental and full",
        size,
        sum(sample.more["differences"] for sample in figures.of(some, size)),
        0,
        seen={"nights compared": len(figures.of(some, size))},
    )
    daily = f"{NIGHT} row for each"
    wal = figures.wal(full, size) / figures.wal(daily, size)
    yield Finding(
        "P4",
        "WAL of a night / of a row for each account",
        size,
        100 * wal,
        3,
        unit="%",
        seen={
            "night": figures.wal(full, size),
            "row for each": figures.wal(daily, size),
            "changed": figures.more(full, size, "rows"),
        },
    )
    disk = figures.more(full, size, "bytes") / figures.more(daily, size, "bytes")
    yield Finding(
        "P4",
        "disk of a night / of a row for each account",
        size,
        100 * disk,
        3,
        unit="%",
        seen={
            "night": figures.more(full, size, "bytes"),
            "row for each": figures.more(daily, size, "bytes"),
        },
    )
