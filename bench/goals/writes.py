"""P8, P9 and P12: what the API writes, one at a time and many at once."""

from collections.abc import Iterator, Sequence
from itertools import product

from bench.databases import Company
from bench.figures import Case, Figures, Finding, rounded

MANY, MOST = 1000, 5000
FEWEST_A_SECOND = 1736
KINDS = ("accounts made", "accounts changed", "subscriptions made", "readings")


def cases(companies: Sequence[Company], times: int) -> Iterator[Case]:
    for company, way in product(companies, ("ours", "stock")):
        size = company.accounts
        many = min(MANY, size)
        yield Case(f"one, {way}", size, "bench.actions.writes:create_one", (way,))
        yield Case(f"many, {way}", size, "bench.actions.writes:create_many", (way, many))
    for company in companies:
        size = company.accounts
        arguments = (min(MANY, size) // 2,)
        yield Case(
            "half as many, ours", size, "bench.actions.writes:create_many", ("ours", *arguments)
        )
        yield Case("bad", size, "bench.actions.writes:create_bad", arguments, every=5)
        for kind in KINDS:
            # No more than there are to change.
            sent = (kind, company, min(MOST, size), times)
            yield Case(kind, size, "bench.actions.writes:sustained", sent, every=2)


def findings(figures: Figures, companies: Sequence[Company]) -> Iterator[Finding]:
    for company in companies:
        size = company.accounts
        one, stock_one = figures.seconds("one, ours", size), figures.seconds("one, stock", size)
        yield Finding(
            "P8",
            "statements to create one with its event",
            size,
            figures.statements("one, ours", size),
            8,
            seen={
                "ours": rounded(one),
                "stock": rounded(stock_one),
                "statements of stock": figures.statements("one, stock", size),
            },
        )
        many, stock = figures.quickest("many, ours", size), figures.quickest("many, stock", size)
        count = figures.statements("many, ours", size)
        records = figures.more("many, ours", size, "records")
        yield Finding(
            "P9",
            f"statements to create {records:,}",
            size,
            count,
            20,
            seen={
                "half as many": figures.statements("half as many, ours", size),
                "stock": figures.statements("many, stock", size),
            },
        )
        yield Finding(
            "P9",
            f"stock DRF / ours, {records:,} created",
            size,
            stock / many,
            5,
            at_least=True,
            unit="x",
            seen={"ours": rounded(many), "stock": rounded(stock)},
        )
        bad = figures.of("bad", size)[-1].more
        yield Finding(
            "P9",
            "bad items that were not told",
            size,
            bad["wrong"] - bad["told"],
            0,
            seen={"sent": bad["wrong"], "status": bad["status"], "written": str(bad["written"])},
        )
        for kind in KINDS:
            sent = figures.more(kind, size, "records")
            speed = sent / figures.quickest(kind, size)
            yield Finding(
                "P12",
                f"{kind}, calls of {min(MOST, size):,}",
                size,
                speed,
                FEWEST_A_SECOND,
                at_least=True,
                unit="/s",
            )
