"""P5: importing readings beside COPY into the same table."""

from collections.abc import Iterator, Sequence

from bench.databases import Company
from bench.figures import Case, Figures, Finding

TIMES = 10
INSTANCES = 10_000
# Of a tenth of the instances: what does not grow is the same for these.
COPY, IMPORT, TENTH = "COPY", "import", "import of a tenth"
NIGHTLY = "import of one each"
# Buffers, whatever the number of readings.
MOST_MEMORY = 16


def cases(companies: Sequence[Company], times: int) -> Iterator[Case]:
    del times
    for company in companies:
        size = company.accounts
        each = max(1, size // INSTANCES)
        # The small one first: memory is the most that the process ever had.
        for name, function, some, times in (
            (TENTH, "by_import", 10 * each, TIMES),
            (COPY, "by_copy", each, TIMES),
            (IMPORT, "by_import", each, TIMES),
            (NIGHTLY, "by_import", 1, 1),
        ):
            every = 1 if name == COPY else 2
            yield Case(
                name, size, f"bench.actions.readings:{function}", (company, some, times), every
            )


def findings(figures: Figures, companies: Sequence[Company]) -> Iterator[Finding]:
    for company in companies:
        size = company.accounts
        copied = figures.quickest(COPY, size) / figures.more(COPY, size, "rows")
        for name, limit in ((IMPORT, 0.5), (NIGHTLY, None)):
            rows = figures.more(name, size, "rows")
            took = figures.quickest(name, size)
            yield Finding(
                "P5", f"speed of the {name} / of COPY", size, copied * rows / took, limit,
                at_least=True, unit="x",
                seen={"readings": rows, "a second": rows / took, "by COPY a second": 1 / copied},
            )  # fmt: skip
        more = figures.statements(IMPORT, size) - figures.statements(TENTH, size)
        statements = {"statements": figures.statements(IMPORT, size)}
        what = "more statements for ten times the readings"
        yield Finding("P5", what, size, more, 0, seen=statements)
        grown = figures.of(IMPORT, size)[0].more["memory"] / 2**20
        what = "more memory for ten times the readings"
        yield Finding("P5", what, size, grown, MOST_MEMORY, unit="MB")
