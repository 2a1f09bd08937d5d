"""An import told in plain text, for the command line."""

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from accounts.imports.running import Report
from accounts.services.changes import Change, Problem
from accounts.services.reading_batches import ReadingPlan
from config.lib.values import echo, money_text

SHOWN = 20


def told(report: Report) -> Iterator[str]:
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
    yield from _readings(report.plan) if isinstance(report.plan, ReadingPlan) else _facts(report)
    if report.problems:
        yield ""
        yield "Bad rows:"
        yield from (_bad(problem, report.theirs) for problem in report.problems)


def _facts(report: Report) -> Iterator[str]:
    plan = report.plan
    if isinstance(plan, ReadingPlan):
        return
    created = [f"row {each.row}: {_new(each)}" for each in plan.creates[:SHOWN]]
    updated = [f"row {each.row}: {_difference(each)}" for each in plan.updates[:SHOWN]]
    yield from _listed("Create", created, len(plan.creates))
    yield from _listed("Update", updated, len(plan.updates))


def _readings(plan: ReadingPlan) -> Iterator[str]:
    if plan.new_instances:
        whose = "account gets its" if plan.new_instances == 1 else "accounts get their"
        yield f"  {plan.new_instances:,} {whose} default instance."
    lines = [
        f"row {each.row}: {each.label}: {_readable(each.before)} → {_readable(each.after)}"
        for each in plan.corrections
    ]
    yield from _listed("Correct", lines, plan.updates)


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
