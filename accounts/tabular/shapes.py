"""What a file of rows is made of, and how much of it is read at most."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from config.lib.errors import Invalid

MOST_BYTES = 100_000_000
MOST_ROW_BYTES = 64_000
MOST_COLUMNS = 200
MOST_ROWS = 200_000
# Empty ones among them.
MOST_RECORDS = 1_000_000
MOST_PREAMBLE_ROWS = 1_000


class UnusableFile(Invalid):
    """No row of the file can be read for what it is."""

    code = "unusable_file"


@dataclass(frozen=True, slots=True)
class Damaged:
    """A cell that must not be taken for what it shows, and why."""

    text: str
    detail: str


# A CSV has text only; a spreadsheet knows what its cells are.
Cell = str | Decimal | bool | dt.date | dt.datetime | Damaged


class Row(NamedTuple):
    """A row; `problem` says what is wrong with its shape, and then its cells stand anywhere."""

    number: int
    cells: list[Cell]
    problem: str = ""


class Block(NamedTuple):
    """Rows that follow each other, as they stand in the file: `rows` lines that end in LF."""

    number: int
    lines: bytes
    rows: int


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is written. `skip_until` is the first cell, or the whole line, of the header."""

    encoding: str = ""
    delimiter: str = ","
    skip_until: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Read the rows once, in order. `preamble`: names and values that stood above the header.

    `in_blocks` gives rows whose lines match as they stand in the file; a CSV has it.
    """

    header: list[str]
    rows: Iterator[Row]
    preamble: dict[str, str] = field(default_factory=dict)
    in_blocks: Callable[[re.Pattern[bytes]], Iterator[Row | Block]] | None = None


Record = tuple[int, list[Cell]]
