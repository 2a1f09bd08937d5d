"""JSON and YAML documents as tables: what a product says of one licence, or a list of such.

`{"licensee": {"Company": "Alder"}}` has one row, whose column is “licensee.Company”. Lists of
plain values become one cell, with semicolons between; lists of anything else are left out.
"""

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, BinaryIO

import yaml

from accounts.tabular.shapes import Cell, Record, UnusableFile

MOST_JSON_BYTES = 10_000_000
# Read by a slower parser, and never long.
MOST_YAML_BYTES = 500_000
LONGEST_NUMBER = 40
START_BYTES = 2_000
JSON_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*[\[{]")
UNSAFE = re.compile("[\x00\ud800-\udfff]")
# A first line “name: value” that nothing divides into columns.
YAML_START = re.compile(rb"(?:\xef\xbb\xbf)?(?:---\s|[A-Za-z_]\w*:(?: [^,;|\t\r\n]*)?\r?\n)")


def is_document(file: BinaryIO) -> bool:
    start = file.read(START_BYTES)
    file.seek(0)
    return bool(JSON_START.match(start) or YAML_START.match(start))


def document_records(file: BinaryIO) -> Iterator[Record]:
    """Yield the header, then a row for each record. Raises UnusableFile."""
    is_json = bool(JSON_START.match(file.read(START_BYTES)))
    file.seek(0)
    text = _text(file, MOST_JSON_BYTES if is_json else MOST_YAML_BYTES)
    try:
        found = _json(text) if is_json else _yaml(text)
        records = found if isinstance(found, list) else [found]
        if not all(isinstance(record, Mapping) for record in records):
            raise UnusableFile("The document holds no record: names, each with its value.")
        rows = [dict(_cells(record)) for record in records]
        _check_characters(rows)
    except RecursionError:
        raise UnusableFile("The document is nested too deep.") from None
    header = list(dict.fromkeys(name for row in rows for name in row))
    yield 1, list[Cell](header)
    for number, row in enumerate(rows, start=2):
        yield number, [row.get(name, "") for name in header]


def _text(file: BinaryIO, most: int) -> str:
    content = file.read(most + 1)
    if len(content) > most:
        raise UnusableFile(f"A document is at most {most / 1_000_000:g} MB. Send it as CSV.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableFile(f"Byte {error.start + 1} of the document is not UTF-8.") from None


def _json(text: str) -> Any:
    try:
        return json.loads(
            text,
            object_pairs_hook=_once,
            parse_int=_number,
            parse_float=_number,
            parse_constant=str,
        )
    except json.JSONDecodeError as error:
        raise UnusableFile(
            f"This is no JSON: line {error.lineno}, column {error.colno} cannot be read."
        ) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnusableFile("The document says a name twice in one record. Keep one.")
    return found


def _number(digits: str) -> Cell:
    return (
        Decimal(digits) if len(digits) <= LONGEST_NUMBER and "e" not in digits.lower() else digits
    )


class _Composer(yaml.SafeLoader):
    """Takes no aliases, by which a few lines can stand for gigabytes."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise UnusableFile("The document has YAML aliases, which are not read.")
        return super().compose_node(parent, index)

    def close(self) -> None:
        self.dispose()


def _yaml(text: str) -> Any:
    try:
        with contextlib.closing(_Composer(text)) as loader:
            return _plain(loader.get_single_node())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "a character of it"
        raise UnusableFile(f"This is no YAML: {where} cannot be read.") from None


def _plain(node: yaml.Node | None) -> Any:
    """Return the values as the texts they are written as."""
    match node:
        case yaml.MappingNode():
            return _once([(str(key.value), _plain(value)) for key, value in node.value])
        case yaml.SequenceNode():
            return [_plain(item) for item in node.value]
        case yaml.ScalarNode():
            return "" if node.tag.endswith(":null") else str(node.value)
    return None


def _cells(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Cell]]:
    for name, value in record.items():
        match value:
            case dict():
                yield from _cells(value, f"{prefix}{name}.")
            case list():
                if not any(isinstance(item, dict | list) for item in value):
                    yield prefix + name, "; ".join(_word(item) for item in value)
            case None:
                yield prefix + name, ""
            case _:
                yield prefix + name, value


def _check_characters(rows: list[dict[str, Cell]]) -> None:
    texts = (text for row in rows for pair in row.items() for text in pair if isinstance(text, str))
    if any(UNSAFE.search(text) for text in texts):
        raise UnusableFile("The document holds a NUL or half a character (a lone surrogate).")


def _word(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
    return str(value)
