"""P14: from nothing but what is installed to the first page."""

from collections.abc import Iterator, Sequence

from bench.databases import Company
from bench.figures import Case, Figures, Finding

NAME = "start"
MOST_SECONDS = 30


def cases(companies: Sequence[Company], times: int) -> Iterator[Case]:
    del times
    # An empty installation is the same, whatever companies there are beside it.
    yield Case(NAME, companies[0].accounts, "bench.actions.start:first_page", every=100)


def findings(figures: Figures, companies: Sequence[Company]) -> Iterator[Finding]:
    took = figures.quickest(NAME, companies[0].accounts)
    yield Finding("P14", "first page of a new installation", 0, took, MOST_SECONDS, unit="s")
