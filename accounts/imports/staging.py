"""The rows of a file in temporary tables, so that none of them has to stay in memory.

Good rows go where their kind wants them; what is wrong with the others is in `staged_problem`,
and the cells as they stand in `staged_cells`, where the outcome of each row is kept.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from accounts.imports.checking import Checker
from accounts.models import Import
from accounts.services.changes import Change, Problem
from accounts.services.reading_batches import Correction
from accounts.tabular import Cell, Damaged, Table
from config.lib.copying import Copier

# Phase, done, total (0: unknown).
Tell = Callable[[str, int, int], None]
BLOCK = 5_000
PROBLEMS_A_FETCH = 2_000
TABLES = """
DROP TABLE IF EXISTS pg_temp.staged_problem, pg_temp.staged_cells, pg_temp.staged_touched;
CREATE TEMPORARY TABLE staged_problem (
    place bigint GENERATED ALWAYS AS IDENTITY,
    row integer, "column" text, value text, detail text, code text
) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_cells (
    row integer, is_excluded boolean, cells text
) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_touched (account_id bigint PRIMARY KEY) ON COMMIT DROP
"""
PROBLEMS = """
SELECT row, "column", value, detail, code FROM staged_problem ORDER BY row, place
"""
KEEP_BAD = """
INSERT INTO accounts_importrow (file_id, row, outcome, label, changes, problems, cells)
SELECT %(file)s, p.row, 'error', '', '[]', p.problems, c.cells::jsonb
FROM (
    SELECT row,
        jsonb_agg(jsonb_build_array("column", value, detail, code) ORDER BY place) AS problems
    FROM staged_problem GROUP BY row
) p
LEFT JOIN staged_cells c ON c.row = p.row;
INSERT INTO accounts_importrow (file_id, row, outcome, label, changes, problems, cells)
SELECT %(file)s, row, 'excluded', '', '[]', '[]', cells::jsonb
FROM staged_cells WHERE is_excluded
"""


@dataclass(slots=True)
class Planned:
    """What would happen to the facts; of the changes only the first few, to be shown."""

    creates: int = 0
    updates: int = 0
    unchanged: int = 0
    created: list[Change] = field(default_factory=list)
    updated: list[Change] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    new_instances: int = 0
    # Whether any of it can move the number.
    moves: bool = False
    digest: str = ""
    mass: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not self.creates and not self.updates


class Staging:
    """What the file says, beside what is wrong with it. Use it inside one transaction."""

    def __init__(self, *, keeps_cells: bool) -> None:
        self.keeps_cells = keeps_cells
        execute(TABLES)
        self._problems = Copier("staged_problem", ("row", "column", "value", "detail", "code"))
        self._cells = Copier("staged_cells", ("row", "is_excluded", "cells"))

    def read(
        self,
        checker: Checker,
        table: Table,
        *,
        excluded: Collection[int],
        accept: Callable[[int, dict[str, Any]], None],
        tell: Tell,
    ) -> None:
        """Hand each good row to `accept`, which copies it away. Raises UnusableFile."""
        for found in checker.read(table, excluded=excluded):
            number, cells, _ = found.row
            if found.values is not None:
                accept(number, found.values)
            for problem in found.problems:
                self.blame(problem)
            if self.keeps_cells:
                self._cells.add(number, found.is_excluded, [cell_text(cell) for cell in cells])
            if checker.rows % BLOCK == 0:
                tell("Reading", checker.rows, 0)
        self._cells.flush()
        self.settle()

    def blame(self, problem: Problem) -> None:
        self._problems.add(problem.row, problem.column, problem.value, problem.detail, problem.code)

    def settle(self) -> None:
        """Let statements see every problem found so far."""
        self._problems.flush()
        execute("ANALYZE staged_problem")

    def count_bad(self) -> int:
        self._problems.flush()
        return int(one("SELECT count(DISTINCT row) FROM staged_problem")[0])

    def problems(self) -> Iterator[Problem]:
        """Yield the problems by row; few are in memory at a time."""
        self._problems.flush()
        with connection.chunked_cursor() as cursor:
            cursor.execute(PROBLEMS)
            while rows := cursor.fetchmany(PROBLEMS_A_FETCH):
                yield from (Problem(*row) for row in rows)

    def keep_bad(self, file: Import) -> None:
        """Keep the outcome of the rows that are bad or left out."""
        execute("ANALYZE staged_cells")
        execute(KEEP_BAD, {"file": file.pk})


def cell_text(cell: Cell) -> str:
    """Return a cell as a CSV file would hold it."""
    match cell:
        case str():
            return cell.replace("\0", "")
        case Damaged():
            return cell.text.replace("\0", "")
        case bool():
            return "true" if cell else "false"
        case dt.date():
            return cell.isoformat()
    return f"{cell:f}"


def execute(sql: str, parameters: Any = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def one(sql: str, parameters: Any = None) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        row: tuple[Any, ...] = cursor.fetchone()
        return row
