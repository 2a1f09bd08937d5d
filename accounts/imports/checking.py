"""From the rows of a file to values of ours, with a problem for every cell that will not do."""

import datetime as dt
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from accounts.imports.cells import Reading, text_of
from accounts.imports.columns import ADDED, KINDS, Column, Empty
from accounts.imports.mappings import Mapping, UnusableMapping
from accounts.services.changes import Problem
from accounts.tabular import Block, Cell, Damaged, Row, Table, UnusableFile
from config.lib.values import BadValue, echo

MOST_REMEMBERED, LONGEST_REMEMBERED = 4_000, 60
READINGS = "seat-readings"
SKIP = object()
# Name, place, constant and what makes a value of the cell.
SlotParser = tuple[str, int | None, Cell, Callable[[Cell], Any]]


@dataclass(frozen=True, slots=True)
class Slot:
    """One of our columns and where its cell stands: at a place in the row, or the same for all."""

    name: str
    column: Column
    theirs: str
    place: int | None
    constant: Cell = ""


class Found(NamedTuple):
    """A row and what it says; `values` is None where it is bad or left out on purpose."""

    row: Row
    values: dict[str, Any] | None
    problems: Sequence[Problem] = ()
    is_excluded: bool = False


@dataclass(slots=True)
class Checker:
    """Turns rows into values, and counts the `rows` and those `excluded`.

    Most files say the same things over and over, so what a cell meant is remembered.
    """

    kind: str
    slots: list[Slot]
    ignored: list[str]
    reading: Reading
    words: dict[str, dict[str, str]]
    rows: int = 0
    excluded: int = 0

    @property
    def theirs(self) -> dict[str, str]:
        """Return our column names and what the file calls them."""
        return {slot.name: slot.theirs for slot in self.slots}

    def read(
        self,
        table: Table,
        *,
        excluded: Collection[int] = (),
        plain: re.Pattern[bytes] | None = None,
    ) -> Iterator[Found | Block]:
        """Yield what each row says; of lines that are `plain`, blocks as they stand."""
        parsers = self._parsers()
        for row in table.in_blocks(plain) if plain and table.in_blocks else table.rows:
            if isinstance(row, Block):
                self.rows += row.rows
                yield row
                continue
            self.rows += 1
            if row.number in excluded:
                self.excluded += 1
                yield Found(row, None, is_excluded=True)
                continue
            values, problems = self._values(row, parsers)
            yield Found(row, None if problems else values, problems)

    def parse(self, name: str, cell: Cell) -> Any:
        """Return the value of a cell of one of our columns, or the BadValue that it is."""
        (slot,) = [slot for slot in self.slots if slot.name == name]
        return _value(slot, cell, self.words.get(name, {}), self.reading)

    def _parsers(self) -> list[SlotParser]:
        return [(slot.name, slot.place, slot.constant, self._parser(slot)) for slot in self.slots]

    def _values(self, row: Row, parsers: list[SlotParser]) -> tuple[dict[str, Any], list[Problem]]:
        values: dict[str, Any] = {}
        if row.problem:
            return values, [Problem(row.number, "", "", row.problem, "ragged_row")]
        problems = []
        for name, place, constant, parse in parsers:
            cell = constant if place is None else row.cells[place]
            found = parse(cell)
            if isinstance(found, BadValue):
                problems.append(Problem(row.number, name, _shown(cell), found.detail, found.code))
            elif found is not SKIP:
                values[name] = found
        if self.kind == READINGS and not problems and not _names_a_place(values):
            column = "account_external_id"
            problems.append(Problem(row.number, column, "", "Name the account.", "required"))
        return values, problems

    def _parser(self, slot: Slot) -> Callable[[Cell], Any]:
        words = self.words.get(slot.name, {})
        remembered: dict[Cell, Any] = {}

        def parse(cell: Cell) -> Any:
            # 1, True and a decimal 1 are equal, but not written alike.
            key = cell if isinstance(cell, str) else (type(cell), cell)
            try:
                return remembered[key]  # type: ignore[index]
            except KeyError:
                found = _value(slot, cell, words, self.reading)
                is_short = not isinstance(cell, str) or len(cell) < LONGEST_REMEMBERED
                if is_short and len(remembered) < MOST_REMEMBERED:
                    remembered[key] = found  # type: ignore[index]
                return found

        return parse


def _value(slot: Slot, cell: Cell, words: dict[str, str], reading: Reading) -> Any:
    """Return what the cell means, SKIP where it says nothing, or the BadValue that it is."""
    try:
        if words and not isinstance(cell, Damaged):
            cell = words.get(text_of(cell), cell)
        if isinstance(cell, str) and not cell.strip():
            return _empty(slot)
        return slot.column.parse(cell, reading)
    except BadValue as error:
        # Without its traceback, which would keep all that was around it.
        return BadValue(error.code, error.detail)


def _empty(slot: Slot) -> Any:
    match slot.column.empty:
        case Empty.CLEARS:
            return slot.column.cleared
        case Empty.KEEPS:
            return SKIP
    return BadValue("blank", f"A value is missing. Every row needs “{slot.name}”.")


def _names_a_place(values: dict[str, Any]) -> bool:
    return bool(values.get("account_external_id") or values.get("instance_external_id"))


def _shown(cell: Cell) -> str:
    return echo(cell.text if isinstance(cell, Damaged) else cell)


def checker_for(table: Table, mapping: Mapping, reading: Reading, kind: str) -> Checker:
    """Find our columns in the file's header. Raises UnusableFile where one is missing."""
    columns = KINDS[kind].columns
    names = dict(mapping.columns) or {
        name: name
        for name in columns
        if name in table.header and name not in mapping.constants and name not in mapping.preamble
    }
    slots = [
        Slot(name, columns[name], theirs, _place(table.header, theirs, name))
        for name, theirs in names.items()
    ]
    slots += [Slot(name, columns[name], "", None, cell) for name, cell in mapping.constants.items()]
    slots += [
        Slot(name, columns[name], theirs, None, _from_preamble(table, theirs))
        for name, theirs in mapping.preamble.items()
    ]
    used = {table.header[slot.place] for slot in slots if slot.place is not None}
    ignored = [name or "(no name)" for name in table.header if name not in {*used, *ADDED}]
    if ignored and not mapping.is_given:
        raise UnusableFile(
            f"Unknown columns: {', '.join(echo(name) for name in ignored)}. "
            f"A file of {kind} has: {', '.join(columns)}. "
            "Name a mapping to read another system's file; the mapping “generic” ignores the rest."
        )
    _check_needed(kind, {slot.name for slot in slots})
    words = {column: dict(theirs) for column, theirs in mapping.values.items()}
    if unread := sorted(words.keys() - {slot.name for slot in slots}):
        raise UnusableMapping(f"[values.{unread[0]}] translates a column that is not read.")
    return Checker(kind, slots, ignored, reading, words)


def _check_needed(kind: str, given: set[str]) -> None:
    missing = [name for name in KINDS[kind].needed if name not in given]
    if kind == READINGS and not given & {"account_external_id", "instance_external_id"}:
        missing.append("account_external_id")
    if missing:
        raise UnusableFile(
            f"The file lacks {', '.join(f'“{name}”' for name in missing)}, "
            f"without which no row of {kind} can be understood."
        )


def _place(header: list[str], theirs: str, name: str) -> int:
    """Return where the column stands; its name may be written in another case."""
    if theirs in header:
        return header.index(theirs)
    alike = [place for place, each in enumerate(header) if each.lower() == theirs.lower()]
    if len(alike) == 1:
        return alike[0]
    raise UnusableFile(
        f"The file has no column “{echo(theirs)}”, which the mapping reads as {name}. "
        f"It has: {', '.join(echo(each) for each in header[:30])}."
    )


def _from_preamble(table: Table, theirs: str) -> str:
    if theirs not in table.preamble:
        raise UnusableFile(f"Above the header of the file there is no “{echo(theirs)}”.")
    return table.preamble[theirs]


def reading_of(mapping: Mapping, *, now: dt.datetime, zone: Any) -> Reading:
    return Reading(
        now=now,
        zone=zone,
        date_format=mapping.date_format,
        decimal=mapping.decimal,
        end_is_last_day=mapping.end_is_last_day,
        salesforce_ids=mapping.salesforce_ids,
    )
