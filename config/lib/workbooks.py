"""Lists as XLSX: written row by row, and nothing in them is ever a formula.

openpyxl writes the sheet to a file as the rows come, so the memory stays flat however long the
list is. Text is stored as text, whatever it begins with.
"""

import datetime as dt
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, BinaryIO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from config.lib.values import moment_text

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# What a spreadsheet program holds.
MOST_ROWS = 1_048_576
MOST_CHARACTERS = 32_767
EXACT_DIGITS = 15
CHUNK_BYTES = 1 << 16
CUT = "Cut here: a spreadsheet holds no more rows. The CSV file has all of them."
# XML has no place for them.
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def workbook_chunks(
    title: str,
    header: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    most_rows: int = MOST_ROWS,
) -> Iterator[bytes]:
    """Yield the file in pieces; what does not fit a sheet is left out, and a last row says so."""
    with tempfile.TemporaryFile() as file:
        _write(file, title, header, rows, most_rows)
        file.seek(0)
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _write(
    file: BinaryIO,
    title: str,
    header: Sequence[str],
    rows: Iterable[Sequence[Any]],
    most_rows: int,
) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    sheet.append([_text(sheet, name) for name in header])
    left = iter(rows)
    for row in islice(left, most_rows - 2):
        sheet.append([_cell(sheet, value) for value in row])
    # The last row is one more of the list, or says that there are more.
    last = list(islice(left, 2))
    if len(last) > 1:
        sheet.append([_text(sheet, CUT)])
    elif last:
        sheet.append([_cell(sheet, value) for value in last[0]])
    book.save(file)


def _cell(sheet: Any, value: Any) -> Any:
    match value:
        case None | bool() | dt.date() if not isinstance(value, dt.datetime):
            return value
        case int() | Decimal() | float() if _fits(value):
            return value
        case dt.datetime():
            # A spreadsheet knows no time zones.
            return _text(sheet, moment_text(value))
        case Decimal():
            return _text(sheet, f"{value:f}")
    return _text(sheet, str(value))


def _fits(value: float | Decimal) -> bool:
    """Tell whether a spreadsheet shows the number as it is: it keeps 15 digits."""
    digits = Decimal(str(value)).normalize().as_tuple().digits
    return len(digits) <= EXACT_DIGITS


def _text(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(
        sheet, value=_NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)[:MOST_CHARACTERS]
    )
    # openpyxl would take text that begins with = for a formula.
    cell.data_type = "s"
    return cell
