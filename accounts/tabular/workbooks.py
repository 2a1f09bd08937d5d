"""XLSX: values of the first sheet, after the archive has proved harmless.

Sizes are checked in the archive's directory before anything is expanded, and counted again
while expanding, since a directory can lie. No document type, hence no entity, is accepted.
"""

import datetime as dt
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, BinaryIO
from xml.parsers import expat

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from accounts.tabular.shapes import (
    MOST_COLUMNS,
    MOST_RECORDS,
    MOST_ROW_BYTES,
    Cell,
    Damaged,
    Record,
    UnusableFile,
)
from config.lib.values import echo

MOST_ENTRIES = 50
MOST_EXPANDED = 100_000_000
# Sheets that repeat themselves shrink to a fortieth; what was made to explode, to a thousandth.
MOST_RATIO = 100
CHUNK = 1 << 16
# Bytes between two elements; no cell is longer, but half a chunk may be on its way.
MOST_TEXT = 4 * CHUNK
OF_CELLS = frozenset({"c", "v", "f", "is", "t", "r", "rPr", "b", "i", "sz", "color", "rFont",
                      "family", "scheme", "charset", "u", "vertAlign", "phoneticPr"})  # fmt: skip
MOST_IN_ROW = 50_000
MOST_TEXTS = 1_000_000
MOST_OTHERS = 100_000
EXACT_DIGITS = 15
ENCRYPTED = 1
SYMBOLIC_LINK = 0o12
FORMULA = "This cell is a formula. Copy the column and paste it as values."
UNWORKED = "The spreadsheet could not work out this cell. Correct it there."
TOO_LONG = (
    "A spreadsheet keeps 15 digits of a number. Format the column as text and export it again."
)


def workbook_records(file: BinaryIO) -> Iterator[Record]:
    """Return the numbered rows of the only sheet. Raises UnusableFile."""
    _refuse_what_could_harm(file)
    file.seek(0)
    try:
        book = openpyxl.load_workbook(
            file, read_only=True, data_only=False, keep_links=False, keep_vba=False
        )
        sheet = _only_sheet(book)
        sheet.reset_dimensions()
        yield from _records(sheet)
    except UnusableFile:
        raise
    except (
        InvalidFileException,
        KeyError,
        ValueError,
        TypeError,
        IndexError,
        AttributeError,
        OverflowError,
        SyntaxError,
        zipfile.BadZipFile,
        EOFError,
        OSError,
        NotImplementedError,
    ):  # fmt: skip -- what openpyxl raises where a part is missing or no XML
        raise UnusableFile("The workbook is damaged. Open it and save it again as .xlsx.") from None


def _only_sheet(book: Any) -> Any:
    if len(book.worksheets) > 1:
        names = ", ".join(f"“{echo(sheet.title)}”" for sheet in book.worksheets)
        raise UnusableFile(f"The workbook has several sheets: {names}. Keep the one to import.")
    return book.worksheets[0]


def _records(sheet: Any) -> Iterator[Record]:
    last = None
    for number, cells in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS + 1), start=1):
        if number > MOST_RECORDS:
            raise UnusableFile(f"The sheet has more than {MOST_RECORDS:,} rows. Split it.")
        # Rows that are missing in the file come as one and the same row without cells.
        if cells is not last:
            last = cells
            yield number, [_cell(cell) for cell in cells]


def _cell(cell: Any) -> Cell:
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        return Damaged(str(value), FORMULA)
    if cell.data_type == "e":
        return Damaged(str(value), UNWORKED)
    match value:
        case bool() | str():
            return value
        case int() | float():
            return _number(value)
        case dt.datetime() if value.time() == dt.time():
            return value.date()
        case dt.datetime() | dt.date():
            return value
    return Damaged(str(value), "This is a time of day or a duration, which no column takes.")


def _number(value: float) -> Cell:
    """Return what the spreadsheet shows: it keeps 15 digits, and binary noise after them."""
    exact = Decimal(repr(value))
    if not exact.is_finite():
        return Damaged(str(value), "This is not a number.")
    if abs(exact) >= 10**EXACT_DIGITS:
        return Damaged(str(value), TOO_LONG)
    return exact if exact != exact.to_integral_value() else exact.quantize(Decimal(1))


def _refuse_what_could_harm(file: BinaryIO) -> None:
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            _check_directory(archive.infolist())
            for entry in archive.infolist():
                _check_part(archive, entry)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError):
        raise UnusableFile("The file begins like a workbook, but is damaged.") from None


def _check_directory(entries: list[zipfile.ZipInfo]) -> None:
    names = {entry.filename for entry in entries}
    if len(entries) > MOST_ENTRIES or len(names) < len(entries):
        raise UnusableFile(f"A workbook has at most {MOST_ENTRIES} parts, each of them once.")
    if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
        raise UnusableFile("This is an archive, but no .xlsx workbook. Send the file inside it.")
    if any("vbaproject" in name.lower() for name in names):
        raise UnusableFile("The workbook holds macros. Save it as .xlsx without them.")
    if sum(entry.file_size for entry in entries) > MOST_EXPANDED:
        raise UnusableFile(
            f"The workbook unpacks to more than {MOST_EXPANDED // 1_000_000} MB. Split it."
        )
    for entry in entries:
        _check_entry(entry)


def _check_entry(entry: zipfile.ZipInfo) -> None:
    is_link = (entry.external_attr >> 28) == SYMBOLIC_LINK
    if is_link or ".." in entry.filename.split("/") or entry.filename.startswith("/"):
        raise UnusableFile("The workbook holds a link to another place.")
    if entry.flag_bits & ENCRYPTED:
        raise UnusableFile("The workbook is protected. Save it without a password.")
    if entry.file_size > CHUNK and entry.file_size > MOST_RATIO * max(1, entry.compress_size):
        raise UnusableFile("The workbook unpacks to far more than it should. Save it again.")


def _check_part(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Expand the part once, piece by piece, to see that it is as large as it says and plain XML."""
    is_xml = entry.filename.endswith((".xml", ".rels", ".vml"))
    watch = _Watch()
    size = 0
    with archive.open(entry) as part:
        while chunk := part.read(CHUNK):
            size += len(chunk)
            if size > entry.file_size:
                raise UnusableFile("The workbook unpacks to more than it says. Save it again.")
            if is_xml:
                watch.feed(chunk, size)


class _Watch:
    """Sees to it that no part grows in memory to much more than its text.

    A reader holds a whole row, all texts, and everything else that is no cell, as objects.
    """

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = _refuse_document_type
        self._parser.StartElementHandler = self._start
        self._in_row = self._texts = self._others = self._at = 0

    def feed(self, chunk: bytes, size: int) -> None:
        try:
            self._parser.Parse(chunk, False)  # noqa: FBT003 -- the C signature takes no keyword
        except expat.ExpatError:
            raise UnusableFile("The workbook is damaged. Open it and save it again.") from None
        if size - self._at > MOST_TEXT:
            raise UnusableFile(f"A cell is longer than {MOST_ROW_BYTES // 1000} kB.")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        del attributes
        self._at = self._parser.CurrentByteIndex
        name = name.rpartition(":")[2]
        if name in OF_CELLS:
            self._in_row += 1
        elif name in {"row", "si"}:
            self._in_row = 0
            self._texts += name == "si"
        else:
            self._others += 1
        if self._in_row > MOST_IN_ROW or self._others > MOST_OTHERS:
            raise UnusableFile("The workbook holds far more than rows of values. Send it as CSV.")
        if self._texts > MOST_TEXTS:
            raise UnusableFile(
                f"The workbook has more than {MOST_TEXTS:,} different texts. Send it as CSV."
            )


def _refuse_document_type(*_: object) -> None:
    raise UnusableFile("The workbook defines XML entities, which no spreadsheet needs.")
