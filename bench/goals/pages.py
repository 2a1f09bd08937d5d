"""P10: lists as pages."""

from collections.abc import Iterator, Sequence
from itertools import product

from bench.databases import Company
from bench.figures import Case, Figures, Finding, ms

PAGES = {
    "accounts": "/accounts/",
    "accounts, filtered and sorted": "/accounts/?region=EMEA&status=customer&sort=-arr",
    "accounts of a number": "/metric/accounts/",
    "flip list": "/metric/flips/",
    "timeline": "/accounts/ACC-1/timeline/",
    "subscriptions of an account": "/accounts/ACC-101/subscriptions/",
    "imports": "/imports/",
}


def cases(companies: Sequence[Company], times: int) -> Iterator[Case]:
    for name, company in product(PAGES, companies):
        arguments = ("page of the owner", PAGES[name], times)
        yield Case(f"page {name}", company.accounts, "bench.actions.reads:reads", arguments)


def findings(figures: Figures, companies: Sequence[Company]) -> Iterator[Finding]:
    size = companies[-1].accounts
    for name in PAGES:
        took = ms(figures.seconds(f"page {name}", size))
        count = figures.statements(f"page {name}", size)
        yield Finding("P10", f"statements, {name}", size, count, 8, seen={"": took})
        size_kb = figures.more(f"page {name}", size, "bytes") / 1024
        yield Finding("P10", f"size, {name}", size, size_kb, 60, unit="KB")
