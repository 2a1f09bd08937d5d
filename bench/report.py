"""Findings as people read them: in a terminal, and as a table.

`python -m bench.report results/2026-11-22-0845.json` prints the table for README.md.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.figures import Finding


def as_text(findings: Sequence[Finding], surroundings: dict[str, Any]) -> str:
    lines = [f"{name}: {value}" for name, value in surroundings.items()]
    for finding in findings:
        size = f"{finding.size:,}" if finding.size else ""
        lines.append(
            f"{finding.goal:<4} {finding.what:<52} {size:>9} {value_of(finding):>12}"
            f" {limit_of(finding):>10} {verdict_of(finding):<7} {seen_of(finding)}"
        )
    return "\n".join(lines)


def as_table(findings: Sequence[Finding]) -> str:
    """Return a line for each thing measured and a column for each size; what missed is bold."""
    sizes = sorted({finding.size for finding in findings if finding.size})
    lines: dict[tuple[str, str], dict[int, Finding]] = {}
    for finding in findings:
        what = finding.what.partition(":")[0] if finding.goal == "P7" else finding.what
        lines.setdefault((finding.goal, what), {})[finding.size or sizes[-1]] = finding
    columns = " | ".join(f"{size:,}" for size in sizes)
    table = [f"| | | goal | {columns} |", f"|---|---|---:|{'---:|' * len(sizes)}"]
    for (goal, what), found in lines.items():
        cells = " | ".join(_cell(found.get(size)) for size in sizes)
        limit = limit_of(next(iter(found.values())))
        table.append(f"| {goal} | {what} | {limit} | {cells} |")
    return "\n".join(table)


def _cell(finding: Finding | None) -> str:
    if finding is None:
        return ""
    return f"**{value_of(finding)}**" if finding.is_met is False else value_of(finding)


def value_of(finding: Finding) -> str:
    value = finding.value
    number = f"{value:,.0f}" if value == int(value) or value >= 1000 else f"{value:.2f}"
    return f"{number} {finding.unit}".strip()


def limit_of(finding: Finding) -> str:
    if finding.limit is None:
        return ""
    sign = "≥" if finding.at_least else "≤"
    return f"{sign} {finding.limit:,g}"


def verdict_of(finding: Finding) -> str:
    return {True: "met", False: "MISSED", None: ""}[finding.is_met]


def seen_of(finding: Finding) -> str:
    return ", ".join(f"{name} {_number(value)}" for name, value in finding.seen.items())


def _number(value: Any) -> str:
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)


if __name__ == "__main__":
    told = json.loads(Path(sys.argv[1]).read_text())
    print(as_table([Finding.from_json(each) for each in told["findings"]]))
