"""P13: plans to reach a target; beside them, the lift of projects."""

from collections.abc import Iterator, Sequence

from bench.databases import Company
from bench.figures import Case, Figures, Finding, rounded

DENSE, SPARSE = "dense", "sparse"
FEW, MANY = 20, 500
PAGE = "page beside plans"
PLANS = {
    f"{count} candidates, {kind}": (count, kind)
    for count in (FEW, MANY)
    for kind in (DENSE, SPARSE)
}


def cases(companies: Sequence[Company], times: int) -> Iterator[Case]:
    for company in companies:
        size = company.accounts
        yield Case(PAGE, size, "bench.actions.reads:reads", ("page", "/metric/", times))
        for name, (count, kind) in PLANS.items():
            yield Case(f"plan {name}", size, "bench.actions.planning:plans", (count, kind, times))
        yield Case("lifts", size, "bench.actions.planning:lifts")


def findings(figures: Figures, companies: Sequence[Company]) -> Iterator[Finding]:
    size = companies[-1].accounts
    page = figures.quickest(PAGE, size)
    for name in PLANS:
        took = figures.quickest(f"plan {name}", size)
        seen = {
            "plan": rounded(took),
            "page": rounded(page),
            **{
                what: figures.more(f"plan {name}", size, what)
                for what in ("days", "least days", "crossing", "exact")
            },
        }
        yield Finding(
            "P13", f"plan / a page view, {name}", size, took / page, 1, unit="x", seen=seen
        )
    for company in companies:
        yield from _lifts(figures, company.accounts)
    counts = {figures.statements("lifts some", each.accounts) for each in companies}
    yield Finding("P13", "numbers of statements of lifts over the sizes", 0, len(counts), 1)


def _lifts(figures: Figures, size: int) -> Iterator[Finding]:
    def seen(*names: str) -> dict[str, str]:
        return {name: rounded(figures.quickest(f"lifts {name}", size)) for name in names}

    yield Finding(
        "P13", "statements for the lifts of 500 projects", size,
        figures.statements("lifts some", size), 6, seen=seen("some", "again", "one"),
    )  # fmt: skip
    yield Finding(
        "P13", "lifts written where nothing changed", size,
        figures.more("lifts again", size, "written"), 0,
    )  # fmt: skip
    yield Finding(
        "P13", "lift of one project over all accounts / reading their rows by hand", size,
        figures.quickest("lifts all", size) / figures.quickest("lifts by hand", size), unit="x",
        seen=seen("all", "by hand"),
    )  # fmt: skip
