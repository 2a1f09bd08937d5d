"""Rows on their way into tables by COPY, a block at a time, so that few are in memory."""

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from io import StringIO
from typing import Any

from django.db import connection

BLOCK_BYTES = 1 << 20
SPECIAL = re.compile(r"[\\\t\n\r\0]")
ESCAPES = {ord("\\"): r"\\", ord("\t"): r"\t", ord("\n"): r"\n", ord("\r"): r"\r", 0: ""}


class Copier:
    """Lines for one table; send what is left with `flush`."""

    def __init__(self, table: str, columns: Sequence[str]) -> None:
        names = ", ".join(connection.ops.quote_name(name) for name in columns)
        self._sql = f"COPY {connection.ops.quote_name(table)} ({names}) FROM STDIN"
        self._lines: list[str] = []
        self._size = 0

    def add(self, *values: Any) -> None:
        self.add_line("\t".join([as_cell(value) for value in values]))

    def add_line(self, line: str) -> None:
        """Add what is written as COPY reads it already."""
        self._lines.append(line)
        self._size += len(line)
        if self._size > BLOCK_BYTES:
            self.flush()

    def flush(self) -> None:
        if not self._lines:
            return
        self._lines.append("")
        with connection.cursor() as cursor:
            cursor.copy_expert(self._sql, StringIO("\n".join(self._lines)), BLOCK_BYTES)
        self._lines.clear()
        self._size = 0


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    copier = Copier(table, columns)
    for row in rows:
        copier.add(*row)
    copier.flush()


def as_cell(value: Any) -> str:
    """Return a value as COPY reads it; what is no scalar is written as JSON."""
    if written := WRITTEN.get(type(value)):
        return written(value)
    if isinstance(value, str):
        return _text(str(value))
    if isinstance(value, (Mapping, list, tuple)):
        return _text(as_json(value))
    return str(value)


def _text(value: str) -> str:
    if SPECIAL.search(value):
        value = value.translate(ESCAPES)
    # What is half of a surrogate pair has no place in UTF-8.
    return value if value.isascii() else value.encode(errors="replace").decode()


as_json: Callable[[Any], str] = json.JSONEncoder(
    ensure_ascii=False, default=str, separators=(",", ":")
).encode
WRITTEN: Mapping[type, Callable[[Any], str]] = {
    type(None): lambda value: r"\N",
    str: _text,
    bool: lambda value: "t" if value else "f",
    int: str,
    dict: lambda value: _text(as_json(value)),
    list: lambda value: _text(as_json(value)),
    Decimal: lambda value: format(value, "f"),
    dt.datetime: dt.datetime.isoformat,
}
