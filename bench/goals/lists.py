"""P6 and P7: lists of the API beside stock ones, and what must not grow with the company."""

from collections.abc import Iterator, Sequence
from itertools import product

from bench.databases import Company
from bench.figures import Case, Figures, Finding, ms

WAYS = {
    "ours": "/api/v1/accounts/?{}",
    "stock DRF": "/api/stock/accounts/?{}",
    "plain Django": "/api/plain/accounts/?{}",
}
LISTS = {
    "by name": ("region=EMEA&status=customer", ["name", "name", "name"]),
    "by ARR": ("eligible=true&arr__gte=60000", ["arr", "arr_now", "facts__arr"]),
}
READS = {
    "first page": ("api", "/api/v1/accounts/?ordering=name"),
    "page by ARR": ("api", "/api/v1/accounts/?ordering=-arr"),
    "page deep inside": ("deep", ""),
    "filtered count": (
        "api",
        "/api/v1/accounts/?region=EMEA&status=customer&count=true&page_size=1",
    ),
    "HTML list": ("page", "/accounts/"),
    "HTML list, filtered": ("page", "/accounts/?region=EMEA&status=customer"),
    "HTML list, below the line": ("page", "/accounts/?standing=below&sort=-arr"),
    "HTML list, a tier": ("page", "/accounts/?tier=Ruby"),
    "HTML list, by share": ("page", "/accounts/?sort=-share"),
    "HTML list, by seats to go": ("page", "/accounts/?standing=below&sort=to_go"),
    "HTML list, searched": ("page", "/accounts/?q=alder+bank+a1"),
    "dashboard": ("page", "/metric/"),
    "dashboard, first of the process": ("forgotten", "/metric/"),
    "account page": ("page", "/accounts/ACC-101/"),
    "timeline": ("page", "/accounts/ACC-1/timeline/"),
    "flip list": ("page", "/metric/flips/"),
}
# The design asks these to be flat.
JUDGED = {
    "first page", "page deep inside", "filtered count", "HTML list", "dashboard", "account page",
    "timeline",
}  # fmt: skip
MOST_GROWTH = 2


# Lists whose every statement has its index; the others sort by what changes every night.
PLANNED = {
    "first page": READS["first page"],
    "page by ARR": READS["page by ARR"],
    "page by region": ("api", "/api/v1/accounts/?region=EMEA&ordering=name"),
    "page by renewal": ("api", "/api/v1/accounts/?ordering=renewal_on"),
    "changed since": ("api", "/api/v1/accounts/?ordering=-updated_at"),
    "HTML list": READS["HTML list"],
    "HTML list by ARR": ("page", "/accounts/?sort=-arr"),
    "account page": READS["account page"],
    "timeline": READS["timeline"],
}


def path_of(way: str, name: str) -> str:
    filters, orders = LISTS[name]
    query = f"{filters}&ordering={dict(zip(WAYS, orders, strict=True))[way]}"
    if way == "plain Django":
        query = query.replace("arr__gte", "facts__arr__gte").replace("eligible", "facts__eligible")
    return WAYS[way].format(query)


def cases(companies: Sequence[Company], times: int) -> Iterator[Case]:
    for company, name, way in product(companies, LISTS, WAYS):
        arguments = ("api", path_of(way, name), times)
        yield Case(f"{way}, {name}", company.accounts, "bench.actions.reads:reads", arguments)
    size = companies[0].accounts
    for name, asked in PLANNED.items():
        yield Case(f"plan of {name}", size, "bench.actions.plans:scans", (*asked, size), every=100)
    for name, company in product(READS, companies):
        method, path = READS[name]
        yield Case(name, company.accounts, "bench.actions.reads:reads", (method, path, times))


def findings(figures: Figures, companies: Sequence[Company]) -> Iterator[Finding]:
    for company, name in product(companies, LISTS):
        size = company.accounts
        ours, stock, plain = (figures.quickest(f"{way}, {name}", size) for way in WAYS)
        seen = {"ours": ms(ours), "stock": ms(stock), "plain": ms(plain)}
        counted = {way: figures.statements(f"{way}, {name}", size) for way in WAYS}
        yield Finding("P6", f"statements, {name}", size, counted["ours"], 4, seen=counted)
        yield Finding("P6", f"stock DRF / ours, {name}", size, stock / ours, 1.5, at_least=True,
                      unit="x", seen=seen)  # fmt: skip
        yield Finding(
            "P6", f"ours / plain Django, {name}", size, ours / plain, 1.5, unit="x", seen=seen
        )
    least, most = companies[0].accounts, companies[-1].accounts
    for name in READS:
        times = {each.accounts: figures.seconds(name, each.accounts) for each in companies}
        seen = {f"{size:,}": ms(seconds) for size, seconds in times.items()}
        grown = times[most] / times[least]
        limit = MOST_GROWTH if name in JUDGED else None
        what = f"{name}: {most:,} / {least:,}"
        yield Finding("P7", what, most, grown, limit, unit="x", seen=seen)
    for name in PLANNED:
        found = figures.more(f"plan of {name}", least, "found")
        what = f"big tables read or sorted whole: {name}"
        yield Finding("P7", what, least, len(found), 0, seen=dict.fromkeys(found, ""))
