"""From the rows of a file to drafts of facts, with a problem for every cell that will not do."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from accounts.imports.cells import Reading, text_of
from accounts.imports.columns import KINDS, Column, Empty
from accounts.imports.mappings import Mapping, UnusableMapping
from accounts.services.changes import Draft, Problem
from accounts.services.reading_batches import ReadingDraft
from accounts.tabular import Cell, Damaged, Row, Table, UnusableFile
from config.lib.values import BadValue, echo

MOST_REMEMBERED = 50_000
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


@dataclass(slots=True)
class Checker:
    """Turns rows into drafts; what it cannot take is in `problems`, and it counts `rows`.

    Most files say the same things over and over, so what a cell meant is remembered.
    """

    kind: str
    slots: list[Slot]
    ignored: list[str]
    reading: Reading
    words: dict[str, dict[str, str]]
    problems: list[Problem] = field(default_factory=list)
    rows: int = 0

    @property
    def theirs(self) -> dict[str, str]:
        """Return our column names and what the file calls them."""
        return {slot.name: slot.theirs for slot in self.slots}

    def drafts(self, table: Table) -> Iterator[Draft]:
        parsers = self._parsers()
        for row in table.rows:
            values = self._values(row, parsers)
            if values is not None:
                yield Draft(row.number, values)

    def readings(self, table: Table) -> Iterator[ReadingDraft]:
        parsers = self._parsers()
        for row in table.rows:
            values = self._values(row, parsers)
            if values is None:
                continue
            account = values.get("account_external_id") or ""
            instance = values.get("instance_external_id") or ""
            if not account and not instance:
                self._report(row.number, "account_external_id", "", "Name the account.", "required")
                continue
            yield ReadingDraft(
                row.number,
                account,
                instance,
                values["observed_at"],
                values["seats"],
                values.get("monthly_active"),
            )

    def _parsers(self) -> list[SlotParser]:
        return [(slot.name, slot.place, slot.constant, self._parser(slot)) for slot in self.slots]

    def _values(self, row: Row, parsers: list[SlotParser]) -> dict[str, Any] | None:
        """Return the row's values, or None where one of its cells is bad."""
        self.rows += 1
        if row.problem:
            self._report(row.number, "", "", row.problem, "ragged_row")
            return None
        values: dict[str, Any] = {}
        is_good = True
        for name, place, constant, parse in parsers:
            cell = constant if place is None else row.cells[place]
            found = parse(cell)
            if isinstance(found, BadValue):
                self._report(row.number, name, _shown(cell), found.detail, found.code)
                is_good = False
            elif found is not SKIP:
                values[name] = found
        return values if is_good else None

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
                if len(remembered) < MOST_REMEMBERED:
                    remembered[key] = found  # type: ignore[index]
                return found

        return parse

    def _report(self, row: int, column: str, value: str, detail: str, code: str) -> None:
        self.problems.append(Problem(row, column, value, detail, code))


def _value(slot: Slot, cell: Cell, words: dict[str, str], reading: Reading) -> Any:
    """Return what the cell means, SKIP where it says nothing, or the BadValue that it is."""
    try:
        if words and not isinstance(cell, Damaged):
            cell = words.get(text_of(cell), cell)
        if isinstance(cell, str) and not cell.strip():
            return _empty(slot)
        return slot.column.parse(cell, reading)
    except BadValue as error:
        return error


def _empty(slot: Slot) -> Any:
    match slot.column.empty:
        case Empty.CLEARS:
            return slot.column.cleared
        case Empty.KEEPS:
            return SKIP
    return BadValue("blank", f"A value is missing. Every row needs “{slot.name}”.")


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
    ignored = [name or "(no name)" for name in table.header if name not in used]
    if ignored and not mapping.is_given:
        raise UnusableFile(
            f"Unknown columns: {', '.join(echo(name) for name in ignored)}. "
            f"A file of {kind} has: {', '.join(columns)}. "
            "Name a mapping to read another system's file; --mapping generic ignores the rest."
        )
    _check_needed(kind, {slot.name for slot in slots})
    words = {column: dict(theirs) for column, theirs in mapping.values.items()}
    if unread := sorted(words.keys() - {slot.name for slot in slots}):
        raise UnusableMapping(f"[values.{unread[0]}] translates a column that is not read.")
    return Checker(kind, slots, ignored, reading, words)


def _check_needed(kind: str, given: set[str]) -> None:
    missing = [name for name in KINDS[kind].needed if name not in given]
    if kind == "seat-readings" and not given & {"account_external_id", "instance_external_id"}:
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
