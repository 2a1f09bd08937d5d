"""What the tests of imports share: a file in a string, imported as the metric owner would."""

import datetime as dt
import io

from accounts.imports.mappings import Mapping, parse_mapping
from accounts.imports.running import Order, apply_import, preview_import
from people.models import system_user

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def order(kind, content, *, mapping="", **how):
    found = parse_mapping(mapping, kind, name="test") if mapping else Mapping()
    file = io.BytesIO(content.encode() if isinstance(content, str) else content)
    return Order(kind=kind, file=file, filename="facts.csv", mapping=found, **how)


def apply(kind, content, *, by=None, **how):
    return apply_import(order(kind, content, **how), by=by or system_user(), now=NOW)


def preview(kind, content, *, by=None, **how):
    return preview_import(order(kind, content, **how), by=by or system_user(), now=NOW)


def counts(report):
    return report.creates, report.updates, report.unchanged, report.bad_rows


def bad(report):
    """Return (row, column) of each problem, and all their sentences in one."""
    problems = [(problem.row, problem.column) for problem in report.problems]
    return problems, " ".join(problem.detail for problem in report.problems)
