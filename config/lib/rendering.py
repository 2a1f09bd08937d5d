"""Lists as files: streamed whole, exact, and harmless in a spreadsheet. Workbooks: see workbooks.

UTF-8 without a byte order mark, commas, CRLF, a header line. Text that a spreadsheet
would run as a formula gets an apostrophe in front (config.lib.cells, which also takes
it off again for the importer); numbers stay numbers.
"""

import csv
import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header
from rest_framework.renderers import BaseRenderer, JSONRenderer

from config.lib.cells import neutralised
from config.lib.values import moment_text
from config.lib.workbooks import MEDIA_TYPE, workbook_chunks

CHUNK_ROWS = 2_000
LINES_A_WRITE = 200
# Nothing in a file may run, wherever it is opened.
HARMLESS = "default-src 'none'; sandbox"
_NOT_IN_FILENAMES = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069/\\:*?\"<>|;]+")


class CsvRenderer(BaseRenderer):
    """Names text/csv to content negotiation; the view streams the file itself."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(self, data: Any, *_args: Any, **_kwargs: Any) -> Any:
        return data


class StrictJSONRenderer(JSONRenderer):
    """JSON that keeps its one layout whatever parameters the Accept header carries."""

    def get_indent(self, *_args: Any) -> None:
        return None


def csv_response(
    filename: str, header: Sequence[str], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    """Stream rows of plain values; every `str` among them counts as text.

    Give a generator over `queryset.iterator(chunk_size=CHUNK_ROWS)`, so that the file
    may be larger than the memory.
    """
    return _stream(filename, csv_lines(header, (map(cell, row) for row in rows)))


def xlsx_response(
    filename: str, title: str, header: Sequence[str], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    """Stream the same rows as a workbook with one sheet."""
    chunks = workbook_chunks(title, header, rows)
    return _as_file(StreamingHttpResponse(chunks, content_type=MEDIA_TYPE), filename)


def csv_response_of_cells(
    filename: str, header: Sequence[str], rows: Iterable[Iterable[tuple[Any, bool]]]
) -> StreamingHttpResponse:
    """Stream rows of (value, is_text): numbers written as strings stay as they are."""
    lines = ((cell(value, is_text=is_text) for value, is_text in row) for row in rows)
    return _stream(filename, csv_lines(header, lines))


def csv_lines(header: Sequence[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield the file in pieces of a few hundred lines."""
    buffer: list[str] = []
    writer = csv.writer(_Lines(buffer))
    writer.writerow([cell(name) for name in header])
    for row in rows:
        writer.writerow(row)
        if len(buffer) >= LINES_A_WRITE:
            yield "".join(buffer)
            buffer.clear()
    yield "".join(buffer)


def file_response(
    pieces: Iterable[bytes], *, name: str, content_type: str, size: int
) -> StreamingHttpResponse:
    """Stream a file that somebody sent, under a safe name: to be saved, and never shown."""
    headers = {
        "Content-Disposition": content_disposition_header(as_attachment=True, filename=name),
        "Content-Length": str(size),
        "Content-Security-Policy": HARMLESS,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return StreamingHttpResponse(pieces, content_type=content_type, headers=headers)


def cell(value: Any, *, is_text: bool = True) -> str:
    """Write one value; `is_text=False` for strings that are numbers, dates or ids."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return neutralised(value) if is_text else value
        case Decimal():
            return f"{value:f}"
        case dt.datetime():
            return moment_text(value)
        case dt.date():
            return value.isoformat()
        case int() | float():
            return str(value)
    return neutralised(str(value))


def safe_filename(name: str) -> str:
    """Return a file name without what a header, a shell or a folder would stumble over."""
    return _NOT_IN_FILENAMES.sub("-", name).strip(" .-")[:100] or "export"


class _Lines:
    """A file for csv.writer that keeps the lines written."""

    def __init__(self, buffer: list[str]) -> None:
        self.write = buffer.append


def _stream(filename: str, lines: Iterator[str]) -> StreamingHttpResponse:
    content_type = "text/csv; charset=utf-8; header=present"
    return _as_file(StreamingHttpResponse(lines, content_type=content_type), filename)


def _as_file(response: StreamingHttpResponse, filename: str) -> StreamingHttpResponse:
    response["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=safe_filename(filename)
    )
    response["Cache-Control"] = "no-store"
    return response
