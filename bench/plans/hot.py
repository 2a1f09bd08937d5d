"""The hottest reads and the plans of their statements. Runs in a worker."""

import re
from collections.abc import Iterator
from typing import Any

from bench.actions.measuring import CountingCursor, execute, undone
from bench.actions.reads import asked, deep_path
from bench.plans.names import BIG, HOT

# Like an installation that nobody has tuned, and the same on every machine.
SETTINGS = """
SET LOCAL work_mem = '4MB'; SET LOCAL random_page_cost = 4; SET LOCAL seq_page_cost = 1;
SET LOCAL effective_cache_size = '4GB'; SET LOCAL jit = off;
SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL enable_seqscan = on
"""
LITERAL = re.compile(r"'(?:[^']|'')*'(?:::[a-z ]+(?:\(\d+\))?(?:\[\])?)?|\b\d+\b")
SPACE = re.compile(r"\s+")


def plans_of(name: str) -> str:
    """Return every statement of the read that looks into a big table, with its plan."""
    return "\n\n".join(_told(statement) for statement in _sent(name))


def scans_of(name: str) -> list[str]:
    """Return the big tables that the read goes through from end to end."""
    return sorted(
        {
            table
            for statement in _sent(name)
            for table in _scanned(_explained(statement, "FORMAT JSON")[0][0][0]["Plan"])
        }
    )


def _sent(name: str) -> list[str]:
    method, path = HOT[name]
    path = path or deep_path()
    asked(method, path)
    CountingCursor.sent = []
    asked(method, path)
    sent, CountingCursor.sent = CountingCursor.sent, None
    statements = [statement.decode() for statement in sent]
    return [
        statement
        for statement in statements
        if statement.lstrip().upper().startswith(("SELECT", "WITH"))
        and any(table in statement for table in BIG)
    ]


def _told(statement: str) -> str:
    asked_for = LITERAL.sub("?", SPACE.sub(" ", statement).strip())
    lines = [LITERAL.sub("?", line) for (line,) in _explained(statement, "COSTS OFF")]
    return "\n".join([asked_for, "", *(f"    {line}" for line in lines)])


def _explained(statement: str, how: str) -> list[tuple[Any, ...]]:
    with undone():
        execute(SETTINGS)
        return execute(f"EXPLAIN ({how}) {statement}".replace("%", "%%"), ())


def _scanned(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] == "Seq Scan" and node["Relation Name"] in BIG:
        yield node["Relation Name"]
    for each in node.get("Plans", []):
        yield from _scanned(each)
