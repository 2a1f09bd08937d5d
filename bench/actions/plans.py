"""Which tables a list reads whole or sorts, however large they are. Runs in a worker."""

from collections.abc import Iterator
from typing import Any

from bench.actions.measuring import CountingCursor, execute, undone
from bench.actions.reads import asked
from bench.figures import Sample
from bench.plans.names import BIG

# What belongs to one account, or the people to choose from, is sorted quickly.
FEW = 60
# In a small table all this is quicker than an index: what is still done has no index to do without.
DISCOURAGED = ("seqscan", "sort", "hashjoin", "mergejoin", "bitmapscan")


def scans(method: str, path: str, accounts: int) -> Sample:
    """Ask for a list; tell what of its statements no index serves."""
    asked(method, path)
    CountingCursor.sent = []
    asked(method, path)
    sent, CountingCursor.sent = CountingCursor.sent, None
    found = {
        step
        for statement in sent
        if statement.lstrip().upper().startswith((b"SELECT", b"WITH"))
        for step in _without_index(statement.decode(), max(FEW, accounts // 20))
    }
    return Sample(0.0, more={"found": sorted(found)})


def _without_index(statement: str, few: int) -> Iterator[str]:
    with undone():
        for name in DISCOURAGED:
            execute(f"SET LOCAL enable_{name} = off")
        (((plan,),),) = execute(f"EXPLAIN (FORMAT JSON) {statement}".replace("%", "%%"), ())
    yield from _steps(plan["Plan"], few)


def _steps(node: dict[str, Any], few: int) -> Iterator[str]:
    below = node.get("Plans", [])
    if node["Node Type"] == "Seq Scan" and node["Relation Name"] in BIG:
        yield f"reads all of {node['Relation Name']}"
    # Parts put together are limited each for itself.
    is_large = node["Plan Rows"] > few and all(each["Node Type"] != "Append" for each in below)
    if is_large and "Sort" in node["Node Type"] and (tables := set(_tables(node)) & BIG):
        yield f"sorts {', '.join(sorted(tables))}"
    for each in below:
        yield from _steps(each, few)


def _tables(node: dict[str, Any]) -> Iterator[str]:
    if name := node.get("Relation Name"):
        yield name
    for each in node.get("Plans", []):
        yield from _tables(each)
