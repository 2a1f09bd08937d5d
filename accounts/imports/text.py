"""An import told in plain text, for the command line."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from accounts.imports.checking import READINGS
from accounts.imports.running import Report
from accounts.services.changes import Change, Problem
from config.lib.values import echo, money_text


def told(report: Report, problems: Iterable[Problem]) -> Iterator[str]:
    """Yield the lines: counts, what would change, and every bad row."""
    yield f"{report.filename}: {report.rows:,} rows of {report.kind}, source {report.source}"
    if report.applied_before:
        yield f"This very file was already applied on {report.applied_before:%Y-%m-%d %H:%M} UTC."
    if report.ignored:
        names = ", ".join(echo(name) for name in report.ignored)
        yield f"Ignored columns: {names}"
    yield ""
    for name, count in (
        ("create", report.creates),
        ("update", report.updates),
        ("unchanged", report.unchanged),
        ("error", report.bad_rows),
    ):
        yield f"  {name:<10}{count:>9,}"
    yield from _changes(report)
    if problems:
        yield ""
        yield "Bad rows:"
        yield from (_bad(problem, report.theirs) for problem in problems)


def _changes(report: Report) -> Iterator[str]:
    if report.new_instances:
        whose = "account gets its" if report.new_instances == 1 else "accounts get their"
        yield f"  {report.new_instances:,} {whose} default instance."
    if report.kind == READINGS:
        corrected = [
            f"row {each.row}: {each.label}: {_readable(each.before)} → {_readable(each.after)}"
            for each in report.corrections
        ]
        yield from _listed("Correct", corrected, report.updates)
        return
    created = [f"row {each.row}: {_new(each)}" for each in report.created]
    updated = [f"row {each.row}: {_difference(each)}" for each in report.updated]
    yield from _listed("Create", created, report.creates)
    yield from _listed("Update", updated, report.updates)


def _readable(reading: tuple[int, int | None]) -> str:
    seats, active = reading
    return f"{seats} seats" if active is None else f"{seats} seats ({active} active in the month)"


def _listed(title: str, lines: list[str], count: int) -> Iterator[str]:
    if not count:
        return
    yield ""
    yield f"{title}:"
    yield from (f"  {line}" for line in lines)
    if count > len(lines):
        yield f"  and {count - len(lines):,} more"


def _new(change: Change) -> str:
    told = ", ".join(
        f"{name} {_shown(value)}" for name, value in change.after.items() if value != change.label
    )
    return f"{echo(change.label)} ({told})"


def _difference(change: Change) -> str:
    before = change.before or {}
    told = ", ".join(
        f"{name} {_shown(before.get(name))} → {_shown(value)}"
        for name, value in change.after.items()
    )
    return f"{echo(change.label)}: {told}"


def _shown(value: Any) -> str:
    match value:
        case None | "" | []:
            return "(none)"
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return money_text(value)
        case dt.date():
            return value.isoformat()
        case list():
            return echo("; ".join(value))
    return echo(value)


def _bad(problem: Problem, theirs: Mapping[str, str]) -> str:
    name = theirs.get(problem.column, "")
    column = f", {problem.column}" if problem.column else ""
    if name and name != problem.column:
        column += f" ({echo(name)})"
    value = f" [{problem.value}]" if problem.value and problem.value not in problem.detail else ""
    return f"  row {problem.row}{column}: {problem.detail}{value}"
