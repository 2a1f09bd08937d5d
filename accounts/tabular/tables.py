"""From a file to its table: the header found, the rows counted and squared off."""

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import BinaryIO, cast

from accounts.tabular.csv_files import CsvRecords
from accounts.tabular.documents import document_records, is_document
from accounts.tabular.shapes import (
    MOST_BYTES,
    MOST_COLUMNS,
    MOST_PREAMBLE_ROWS,
    MOST_RECORDS,
    MOST_ROWS,
    Block,
    Cell,
    Layout,
    Record,
    Row,
    Table,
    UnusableFile,
)
from config.lib.values import echo

ZIP_START = b"PK\x03\x04"
OLD_EXCEL_START = b"\xd0\xcf\x11\xe0"


def read_table(file: BinaryIO, layout: Layout | None = None) -> Table:
    """Read the header and be ready to read the rows. Raises UnusableFile, also later on.

    `file` must be seekable and stay open until the rows are read.
    """
    layout = layout or Layout()
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if not size:
        raise UnusableFile("The file is empty.")
    if size > MOST_BYTES:
        raise UnusableFile(f"The file is larger than {MOST_BYTES // 1_000_000} MB. Split it.")
    start = file.read(4)
    file.seek(0)
    if start == OLD_EXCEL_START:
        raise UnusableFile(
            "This is an old or protected Excel file. Save it as .xlsx without a password."
        )
    if start == ZIP_START:
        from accounts.tabular.workbooks import workbook_records  # noqa: PLC0415 -- slow to load

        return _table(workbook_records(file), layout)
    if not layout.skip_until and is_document(file):
        return _table(document_records(file), layout)
    return _table(CsvRecords(file, layout), layout)


def _table(records: Iterator[Record] | CsvRecords, layout: Layout) -> Table:
    is_csv = isinstance(records, CsvRecords)
    preamble: dict[str, str] = {}
    number, cells = _header(cast("Iterator[Record]", records), layout, preamble)
    header = [str(cell).strip() for cell in cells]
    if not is_csv:
        while header and not header[-1]:
            header.pop()
    _check_header(header)
    rows = _rows(records, len(header), is_csv=is_csv)
    first = next(rows, None)
    if first is None:
        raise UnusableFile(f"The file has a header in row {number} and no rows under it.")
    chained = _chain(first, rows)
    # No block comes unless somebody asks for them.
    one_by_one = cast("Iterator[Row]", chained)
    if not isinstance(records, CsvRecords):
        return Table(header, one_by_one, preamble)

    def in_blocks(plain: re.Pattern[bytes]) -> Iterator[Row | Block]:
        records.plain = plain
        return chained

    return Table(header, one_by_one, preamble, in_blocks)


def _chain(first: Row | Block, rows: Iterator[Row | Block]) -> Iterator[Row | Block]:
    yield first
    yield from rows


def _header(
    records: Iterator[Record], layout: Layout, preamble: dict[str, str]
) -> tuple[int, list[Cell]]:
    wanted = layout.skip_until
    for number, cells in records:
        texts = [str(cell).strip() for cell in cells]
        if not wanted:
            if any(texts):
                return number, cells
        elif wanted in {texts[0], layout.delimiter.join(texts).rstrip(layout.delimiter)}:
            return number, cells
        elif len(texts) > 1 and texts[0]:
            preamble.setdefault(texts[0], texts[1])
        if number > MOST_PREAMBLE_ROWS:
            break
    if wanted:
        raise UnusableFile(f"No row begins with “{echo(wanted)}”, where the header should be.")
    raise UnusableFile("The file has no header: its first row must name the columns.")


def _check_header(header: list[str]) -> None:
    if len(header) > MOST_COLUMNS:
        raise UnusableFile(f"The file has {len(header)} columns; at most {MOST_COLUMNS} are read.")
    twice = [name for name, count in Counter(header).items() if count > 1 and name]
    if twice:
        names = ", ".join(f"“{echo(name)}”" for name in twice)
        raise UnusableFile(f"The header names a column twice: {names}. Rename one of the two.")


def _rows(records: Iterable[Record | Block], width: int, *, is_csv: bool) -> Iterator[Row | Block]:
    count = 0
    for record in records:
        if isinstance(record, Block):
            count += record.rows
            _check_count(count)
            yield record
            continue
        number, cells = record
        # The second look is for a spreadsheet's 0 and false, which are values.
        if not any(cells) and all(cell == "" for cell in cells):
            if number > MOST_RECORDS:
                raise UnusableFile(
                    f"The file has more than {MOST_RECORDS:,} rows, most of them empty."
                )
            continue
        count += 1
        _check_count(count)
        fitted = cells if is_csv else _fitted(cells, width)
        if len(fitted) == width:
            yield Row(number, fitted)
        else:
            yield Row(
                number,
                cells,
                f"The row has {len(cells)} cells where the header has {width}. "
                "Look for a missing quote or a delimiter inside a value.",
            )


def _check_count(count: int) -> None:
    if count > MOST_ROWS:
        raise UnusableFile(f"The file has more than {MOST_ROWS:,} rows. Split it.")


def _fitted(cells: list[Cell], width: int) -> list[Cell]:
    """Give a spreadsheet's row, which ends where its last value stands, the header's width."""
    while len(cells) > width and cells[-1] == "":
        cells.pop()
    return cells + [""] * (width - len(cells))
