"""How another system's file is to be read, as a TOML text. Format: docs/imports.md.

A mapping is pure data: which of their columns is which of ours, what is the same for all
rows, which of their words mean which of ours, and how days, amounts and text are written.
No Django here.
"""

import datetime as dt
import itertools
import re
import tomllib
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from accounts.imports.columns import KINDS
from accounts.tabular import DELIMITERS, Cell, Layout, UnusableFile
from config.lib.values import BadValue, echo, parse_source

SHIPPED = Path(__file__).parent.parent / "mappings"
MOST_BYTES = 64_000
TEXT_KEYS = ("source", "account_source", "date_format", "encoding", "delimiter", "decimal",
             "skip_until", "time_zone")  # fmt: skip
FLAG_KEYS = ("end_is_last_day", "salesforce_ids")
TABLE_KEYS = ("columns", "constants", "preamble", "values")
DIRECTIVES = frozenset("YymdBbjHIpMSfz%")
NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


class UnusableMapping(UnusableFile):
    """The mapping cannot be read, or does not fit the kind of file."""

    code = "unusable_mapping"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """`columns` is ours = theirs, or empty where the file uses our names."""

    name: str = ""
    kind: str = ""
    source: str = ""
    account_source: str = ""
    date_format: str = ""
    encoding: str = ""
    delimiter: str = ","
    decimal: str = "."
    skip_until: str = ""
    time_zone: str = ""
    end_is_last_day: bool = False
    salesforce_ids: bool = False
    columns: Dict[str, str] = field(default_factory=dict)
    constants: Dict[str, Cell] = field(default_factory=dict)
    preamble: Dict[str, str] = field(default_factory=dict)
    values: Dict[str, Dict[str, str]] = field(default_factory=dict)
    # As read, to be kept with the import.
    raw: Dict[str, Any] = field(default_factory=dict)

    @property
    def is_given(self) -> bool:
        return bool(self.name)

    @property
    def layout(self) -> Layout:
        return Layout(encoding=self.encoding, delimiter=self.delimiter, skip_until=self.skip_until)


def shipped_names() -> list[str]:
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def load_mapping(name_or_path: str, kind: str) -> Mapping:
    """Return the shipped mapping of that name, or the one in that file."""
    if name_or_path.endswith(".toml"):
        path = Path(name_or_path)
    elif NAME.fullmatch(name_or_path):
        path = SHIPPED / f"{name_or_path}.toml"
    else:
        path = None
    if path is None or not path.is_file():
        raise UnusableMapping(
            f"There is no mapping “{echo(name_or_path)}”. Shipped are: "
            f"{', '.join(shipped_names())}; a file of your own ends in .toml."
        )
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise UnusableMapping(f"The mapping is larger than {MOST_BYTES // 1000} kB.")
    try:
        return parse_mapping(content.decode(), kind, name=path.stem)
    except UnicodeDecodeError:
        raise UnusableMapping("The mapping is not UTF-8.") from None


def parse_mapping(text: str, kind: str, *, name: str) -> Mapping:
    """Read and check a mapping for files of this kind. Raises UnusableMapping."""
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise UnusableMapping(f"The mapping is no TOML: {echo(error)}") from None
    return read_mapping(raw, kind, name=name)


def read_mapping(raw: Dict[str, Any], kind: str, *, name: str) -> Mapping:
    """Check what a TOML text says, or JSON of the same shape. Raises UnusableMapping."""
    _refuse_unknown(raw, ("kind", *TEXT_KEYS, *FLAG_KEYS, *TABLE_KEYS), "")
    if raw.get("kind", kind) != kind:
        raise UnusableMapping(f"The mapping is for {echo(raw['kind'])}, not for {kind}.")
    ours = tuple(KINDS[kind].columns)
    for table in TABLE_KEYS:
        if not isinstance(raw.get(table, {}), dict):
            raise UnusableMapping(f"“{table}” is a table: write it as [{table}].")
        _refuse_unknown(raw.get(table, {}), ours, f" in [{table}]")
    texts = {key: _text(raw, key) for key in TEXT_KEYS if key in raw}
    flags = {key: _flag(raw, key) for key in FLAG_KEYS if key in raw}
    given: dict[str, Any] = {**texts, **flags}
    mapping = Mapping(
        name=name,
        kind=kind,
        **given,
        columns=_texts(raw, "columns"),
        preamble=_texts(raw, "preamble"),
        constants={key: _constant(key, value) for key, value in raw.get("constants", {}).items()},
        values=_values(raw.get("values", {})),
        raw=_plain(raw),
    )
    check_mapping(mapping)
    return mapping


def check_mapping(mapping: Mapping) -> None:
    """Raise UnusableMapping where its parts contradict each other or cannot be used."""
    for first, second in itertools.combinations(("columns", "constants", "preamble"), 2):
        if both := getattr(mapping, first).keys() & getattr(mapping, second).keys():
            raise UnusableMapping(
                f"“{sorted(both)[0]}” stands in [{first}] and in [{second}]. Keep one."
            )
    if mapping.delimiter not in DELIMITERS:
        raise UnusableMapping(f"“delimiter” is one of: {', '.join(DELIMITERS.values())}.")
    if mapping.decimal not in {".", ","}:
        raise UnusableMapping("“decimal” is “.” or “,”.")
    if mapping.preamble and not mapping.skip_until:
        raise UnusableMapping("[preamble] needs “skip_until”, which says where the header is.")
    _check_time_zone(mapping.time_zone)
    _check_source(mapping.source)
    _check_source(mapping.account_source)
    _check_date_format(mapping.date_format)


def _check_time_zone(name: str) -> None:
    if not name:
        return
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UnusableMapping(f"“{echo(name)}” is no time zone like Europe/Berlin.") from None


def _check_source(source: str) -> None:
    if not source:
        return
    try:
        parse_source(source)
    except BadValue as error:
        raise UnusableMapping(f"“{echo(source)}” is no source. {error.detail}") from None
    if source in {"keel", "manual"}:
        raise UnusableMapping(f"The source “{source}” is kept for what is made in Keel itself.")


def _check_date_format(text: str) -> None:
    """Accept a strptime format that fixes a day completely, in digits or English month names."""
    if not text:
        return
    directives = re.findall("%(.?)", text)
    if unknown := [f"%{letter}" for letter in directives if letter not in DIRECTIVES]:
        raise UnusableMapping(f"The date format knows no {echo(unknown[0])}.")
    has_year = directives.count("Y") + directives.count("y") == 1
    has_day = directives.count("j") == 1 or (
        directives.count("d") == 1 and sum(directives.count(letter) for letter in "mBb") == 1
    )
    if not (has_year and has_day) or len(directives) - directives.count("%") != len(
        set(directives) - {"%"}
    ):
        raise UnusableMapping(
            f"The date format “{echo(text)}” must name year, month and day once each, "
            "as in %d/%m/%Y."
        )


def _refuse_unknown(table: Dict[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in known:
            raise UnusableMapping(
                f"The mapping has an unknown key “{echo(key)}”{where}. Known: {', '.join(known)}."
            )


def _text(raw: Dict[str, Any], key: str) -> str:
    if not isinstance(raw[key], str):
        raise UnusableMapping(f"“{key}” is a text: write it in quotes.")
    return str(raw[key])


def _flag(raw: Dict[str, Any], key: str) -> bool:
    if not isinstance(raw[key], bool):
        raise UnusableMapping(f"“{key}” is true or false, without quotes.")
    return bool(raw[key])


def _texts(raw: Dict[str, Any], table: str) -> Dict[str, str]:
    entries = raw.get(table, {})
    for key, value in entries.items():
        if not isinstance(value, str) or not value.strip():
            raise UnusableMapping(f"“{key}” in [{table}] names a column of the file, in quotes.")
    return {key: value.strip() for key, value in entries.items()}


def _constant(key: str, value: Any) -> Cell:
    match value:
        case bool() | str() | dt.date():
            return value
        case int() | float():
            return Decimal(str(value))
    raise UnusableMapping(f"“{key}” in [constants] is a text, a number, true, false or a day.")


def _values(raw: Dict[str, Any]) -> Dict[str, Dict[str, str]]:
    for column, words in raw.items():
        if not isinstance(words, dict) or not all(isinstance(ours, str) for ours in words.values()):
            raise UnusableMapping(f'[values.{column}] holds lines of "theirs" = "ours".')
    return {
        column: {theirs.strip(): ours for theirs, ours in words.items()}
        for column, words in raw.items()
    }


def _plain(value: Any) -> Any:
    """Return what JSON can keep of a TOML document."""
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case bool() | int() | str():
            return value
    return str(value)
