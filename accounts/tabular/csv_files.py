"""CSV read strictly, a line at a time, in an encoding that is named and not guessed."""

import codecs
import csv
import re
from typing import BinaryIO

from accounts.tabular.shapes import MOST_ROW_BYTES, Block, Cell, Layout, Record, UnusableFile
from config.lib.values import echo

ENCODINGS = (
    "utf-8", "utf-16", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1257",
    "iso-8859-1", "iso-8859-2", "iso-8859-15", "shift_jis", "euc_kr", "gb18030",
)  # fmt: skip
SPELLINGS = {
    "utf8": "utf-8", "utf-8-sig": "utf-8", "utf16": "utf-16", "latin1": "iso-8859-1",
    "latin-1": "iso-8859-1", "windows-1252": "cp1252", "shift-jis": "shift_jis",
    "euc-kr": "euc_kr",
}  # fmt: skip
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
BLOCK = 1 << 14
NARROW_BLOCK = 1 << 18
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class CsvRecords:
    """The rows, one by one. Where `plain` is set, rows that it matches whole come as blocks."""

    def __init__(self, file: BinaryIO, layout: Layout) -> None:
        if layout.delimiter not in DELIMITERS:
            raise UnusableFile(f"The delimiter is one of: {', '.join(DELIMITERS.values())}.")
        self.plain: re.Pattern[bytes] | None = None
        self._lines = _Lines(file, _encoding(file, layout.encoding))
        self._reader = csv.reader(self._lines, delimiter=layout.delimiter, strict=True)
        self._number = 0

    def __iter__(self) -> "CsvRecords":
        return self

    def __next__(self) -> Record | Block:
        if self.plain and (lines := self._lines.plain(self.plain)):
            block = Block(self._number + 1, lines, lines.count(b"\n"))
            self._number += block.rows
            self._lines.line += block.rows
            return block
        self._number += 1
        self._lines.row, self._lines.size = self._number, 0
        try:
            cells: list[Cell] = [*next(self._reader)]
        except csv.Error as error:
            raise UnusableFile(_reason(error, self._number)) from None
        return self._number, cells or [""]


def _reason(error: csv.Error, number: int) -> str:
    text = str(error)
    if "unexpected end of data" in text:
        return f"Row {number} opens a quote that is never closed."
    if "new-line character" in text:
        return (
            f"Row {number} has a carriage return alone as its line end. "
            "Save the file with Windows or Unix line ends."
        )
    if "expected after" in text:
        return f"Row {number} has text after a closing quote. Write a quote in a value twice."
    return f"Row {number} cannot be read as CSV. Check its quotes."


def _encoding(file: BinaryIO, named: str) -> str:
    """Return the codec to read with, and leave the file behind its byte order mark."""
    start = file.read(3)
    file.seek(0)
    name = named.strip().lower().replace("_", "-") if named else ""
    name = SPELLINGS.get(name, name)
    if name and name not in ENCODINGS:
        raise UnusableFile(
            f"“{echo(named)}” is none of the encodings known: {', '.join(ENCODINGS)}."
        )
    has_utf16_mark = start[:2] in UTF16_MARKS
    if has_utf16_mark and name in {"", "utf-16"}:
        return "utf-16"
    if has_utf16_mark:
        raise UnusableFile(f"The file is written in UTF-16, not in {name}.")
    if name == "utf-16":
        raise UnusableFile("The file lacks the byte order mark that UTF-16 needs here.")
    if start == codecs.BOM_UTF8 and name in {"", "utf-8"}:
        file.seek(3)
    return name or "utf-8"


class _Lines:
    """The file's lines as text, refusing what no row may have; `size` is that of the row so far."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self.encoding = encoding
        self.row = self.size = self.line = 0
        self._wide = _Wide(file) if encoding == "utf-16" else None
        self._narrow = _Narrow(file)

    def __iter__(self) -> "_Lines":
        return self

    def plain(self, pattern: re.Pattern[bytes]) -> bytes:
        """Take the lines that come next and match; such bytes mean the same in every encoding."""
        return b"" if self._wide else self._narrow.plain(pattern)

    def __next__(self) -> str:
        self.line += 1
        text = self._wide_line(self._wide) if self._wide else self._narrow_line()
        if not text:
            raise StopIteration
        self.size += len(text) if text.isascii() else len(text.encode(errors="replace"))
        if self.size > MOST_ROW_BYTES:
            raise UnusableFile(
                f"Row {self.row} is longer than {MOST_ROW_BYTES // 1000} kB. "
                "Look for a quote that is never closed, or for the wrong line ends."
            )
        if "\0" in text:
            raise UnusableFile(
                f"Line {self.line} holds a NUL character: this is no text file, or its encoding "
                "is another one. Name it, for instance utf-16."
            )
        return text

    def _narrow_line(self) -> str:
        line = self._narrow.line(MOST_ROW_BYTES + 2)
        try:
            return line.decode(self.encoding)
        except UnicodeDecodeError as error:
            if len(line) > MOST_ROW_BYTES and error.start > MOST_ROW_BYTES - 4:
                return line.decode(self.encoding, errors="replace")
            raise UnusableFile(
                f"Line {self.line}, byte {error.start + 1} is not {self.encoding.upper()}. "
                "Name the encoding of the file, for instance cp1252."
            ) from None

    def _wide_line(self, wide: "_Wide") -> str:
        try:
            return wide.line(MOST_ROW_BYTES + 2)
        except UnicodeDecodeError:
            raise UnusableFile(f"From about line {self.line} on the file is not UTF-16.") from None


class _Narrow:
    """Lines as bytes, or as many at once as match a pattern."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._bytes, self._at = b"", 0
        self._is_over = False

    def line(self, most: int) -> bytes:
        while True:
            stop = self._at + most
            end = self._bytes.find(b"\n", self._at, stop) + 1
            if not end and (self._is_over or len(self._bytes) >= stop):
                end = min(stop, len(self._bytes))
            if end or self._is_over:
                line, self._at = self._bytes[self._at : end], end
                return line
            self._more()

    def plain(self, pattern: re.Pattern[bytes]) -> bytes:
        if len(self._bytes) - self._at < MOST_ROW_BYTES and not self._is_over:
            self._more()
        found = pattern.match(self._bytes, self._at)
        if found is None:
            return b""
        # A possessive group that fails halfway leaves its end there before Python 3.11.5
        # (CPython's issue 106052): the line it stopped in is none of the match.
        end = self._bytes.rfind(b"\n", self._at, found.end()) + 1
        lines, self._at = self._bytes[self._at : end], max(end, self._at)
        return lines

    def _more(self) -> None:
        block = self._file.read(NARROW_BLOCK)
        self._is_over = not block
        self._bytes = self._bytes[self._at :] + block
        self._at = 0


class _Wide:
    """Lines of two bytes a character and more, which the file cannot find the ends of itself."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-16")().decode
        self._text, self._at = "", 0
        self._is_over = False

    def line(self, most: int) -> str:
        while True:
            stop = self._at + most
            end = self._text.find("\n", self._at, stop) + 1
            if not end and (self._is_over or len(self._text) >= stop):
                end = min(stop, len(self._text))
            if end or self._is_over:
                line, self._at = self._text[self._at : end], end
                return line
            block = self._file.read(BLOCK)
            self._is_over = not block
            self._text = self._text[self._at :] + self._decode(block, self._is_over)
            self._at = 0
