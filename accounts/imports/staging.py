"""The rows of a file in temporary tables, so that none of them has to stay in memory.

Good rows go where their kind wants them; what is wrong with the others is in `staged_problem`,
and the cells as they stand in `staged_cells`, where the outcome of each row is kept.
"""

import datetime as dt
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Protocol

from django.db import connection

from accounts.imports.checking import Checker
from accounts.models import Import
from accounts.services.changes import Change, Problem
from accounts.services.reading_batches import Correction
from accounts.tabular import Block, Cell, Damaged, Table
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
    row integer, is_excluded boolean, cells text, line text
) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_touched (account_id bigint PRIMARY KEY) ON COMMIT DROP
"""
COPY_LINES = "COPY staged_cells (row, is_excluded, line) FROM STDIN"
PROBLEMS = """
SELECT row, "column", value, detail, code FROM staged_problem ORDER BY row, place
"""
KEEP_BAD = """
INSERT INTO accounts_importrow (file_id, row, outcome, label, changes, problems, cells)
SELECT %(file)s, p.row, 'error', '', '[]', p.problems,
    coalesce(c.cells::jsonb, to_jsonb(string_to_array(c.line, %(delimiter)s)))
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


class PlainLines(Protocol):
    """Takes lines that match its pattern to the database as they stand."""

    @property
    def pattern(self) -> re.Pattern[bytes]: ...

    def accept(self, block: Block) -> None: ...


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
        plain: PlainLines | None = None,
        tell: Tell,
    ) -> None:
        """Hand each good row to `accept`, which copies it away. Raises UnusableFile."""
        pattern = plain.pattern if plain else None
        told = 0
        for found in checker.read(table, excluded=excluded, plain=pattern):
            if checker.rows - told >= BLOCK:
                told = checker.rows
                tell("Reading", told, 0)
            if isinstance(found, Block):
                assert plain is not None  # noqa: S101 -- there are no blocks otherwise
                plain.accept(found)
                if self.keeps_cells:
                    self._keep_lines(found)
                continue
            number, cells, _ = found.row
            if found.values is not None:
                accept(number, found.values)
            for problem in found.problems:
                self.blame(problem)
            if self.keeps_cells:
                self._cells.add(number, found.is_excluded, [cell_text(cell) for cell in cells])
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

    def keep_bad(self, file: Import, delimiter: str) -> None:
        """Keep the outcome of the rows that are bad or left out."""
        execute("ANALYZE staged_cells")
        execute(KEEP_BAD, {"file": file.pk, "delimiter": delimiter})

    def _keep_lines(self, block: Block) -> None:
        with connection.cursor() as cursor:
            cursor.copy_expert(COPY_LINES, BytesIO(numbered(block, b"\tf\t", is_one=True)))


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


def numbered(block: Block, before: bytes, *, is_one: bool = False) -> bytes:
    """Return plain lines for COPY, each after its number and `before`; or each as one value."""
    lines = block.lines.replace(b"\r\n", b"\n") if b"\r" in block.lines else block.lines
    if is_one:
        lines = lines.replace(b"\t", b"\\t")
    split = lines.split(b"\n")
    split.pop()
    return b"".join(
        b"%d%b%b\n" % (number, before, line) for number, line in enumerate(split, block.number)
    )


def execute(sql: str, parameters: Any = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def one(sql: str, parameters: Any = None) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        row: tuple[Any, ...] = cursor.fetchone()
        return row


def fetched(sql: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
