"""Which column of a foreign file may be which of ours, and how that was found out.

Ideas only: a person confirms them. Nothing here is used to read a file by itself.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from accounts.imports.columns import ADDED, KINDS
from accounts.imports.mappings import Mapping as Reading
from accounts.imports.synonyms import SYNONYMS
from accounts.tabular import DELIMITERS, Damaged, Layout, Row, Table, UnusableFile, read_table
from accounts.tabular.shapes import Cell

ROWS_SHOWN = 5
LONGEST_CELL = 200
# So many rows are read to find columns of few words, which a mapping may translate.
ROWS_READ = 2_000
MOST_WORDS = 20
PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
How = Literal["saved", "shipped", "same", "alike"]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`theirs` is their column; `how` says where the idea comes from."""

    theirs: str
    how: How


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """A mapping all of whose columns the file has. `name` is what `upload` and pages call it."""

    name: str
    how: Literal["saved", "shipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The head of a file: `rows` are its first five, as text; `suggestions` by our column.

    `preamble` are the names and values above the header, where `skip_until` finds one; `words`
    are those that stand in a column of theirs, where its first rows hold few.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    suggestions: Mapping[str, Suggestion] = field(default_factory=dict)
    mappings: Sequence[Fitting] = ()
    preamble: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    delimiter: str = ","
    skip_until: str = ""


def look_at(
    file: BinaryIO, kind: str, own: Layout, saved: Iterable[Reading], shipped: Iterable[Reading]
) -> Sheet:
    """Return the head of the file as `own` says, or as the best mapping that fits does.

    Raises UnusableFile where no row can be read.
    """
    looks = _Looks(file, own)
    fitting: list[tuple[Fitting, Reading]] = []
    for how, mappings in (("saved", saved), ("shipped", shipped)):
        fits = [each for each in mappings if each.columns and looks.fits(each)]
        fits.sort(key=lambda each: -len(each.columns) - len(each.preamble))
        fitting += [(Fitting(name=each.name, how=how), each) for each in fits]  # type: ignore[arg-type]
    layout = looks.own
    if fitting and layout.delimiter == "," and not layout.skip_until:
        # Nobody has said yet how the file is written, and this mapping reads it.
        layout = looks.layout_of(fitting[0][1])
    head = looks.head(layout)
    return Sheet(
        header=head.header,
        rows=head.rows,
        suggestions=_suggested(head.header, kind, fitting),
        mappings=[fit for fit, _ in fitting],
        preamble=head.preamble,
        words=head.words,
        delimiter=layout.delimiter,
        skip_until=layout.skip_until,
    )


def is_ours(header: Sequence[str], kind: str) -> bool:
    """Whether the header names nothing but our own columns, and all that are needed."""
    columns = set(header).difference(ADDED)
    return columns <= KINDS[kind].columns.keys() and set(KINDS[kind].needed) <= columns


def delimiter_of(header: Sequence[str]) -> str:
    """Return what splits a header that commas do not split; "" where they do, or nothing does."""
    if len(header) != 1:
        return ""
    counts = {sign: header[0].count(sign) for sign in DELIMITERS if sign != ","}
    best = max(counts, key=lambda sign: counts[sign])
    return best if counts[best] else ""


@dataclass(frozen=True, slots=True)
class _Head:
    header: list[str]
    rows: list[list[str]]
    preamble: Mapping[str, str]
    words: Mapping[str, Sequence[str]]


class _Looks:
    """The heads of one file, in the ways that mappings would read it; each is read once."""

    def __init__(self, file: BinaryIO, own: Layout) -> None:
        self._file, self._heads = file, dict[Layout, _Head | UnusableFile]()
        self.own = own

    def layout_of(self, mapping: Reading) -> Layout:
        """Return how the mapping reads this file; what was said of the file itself wins."""
        return Layout(
            encoding=self.own.encoding or mapping.layout.encoding,
            delimiter=mapping.layout.delimiter,
            skip_until=mapping.layout.skip_until,
        )

    def head(self, layout: Layout) -> _Head:
        if layout not in self._heads:
            try:
                self._heads[layout] = _head(read_table(self._file, layout))
            except UnusableFile as error:
                self._heads[layout] = error
        found = self._heads[layout]
        if isinstance(found, UnusableFile):
            raise found
        return found

    def fits(self, mapping: Reading) -> bool:
        try:
            head = self.head(self.layout_of(mapping))
        except UnusableFile:
            return False
        header = {name.lower() for name in head.header}
        wanted = {theirs.lower() for theirs in mapping.columns.values()}
        return wanted <= header and set(mapping.preamble.values()) <= set(head.preamble)


def _head(table: Table) -> _Head:
    first: list[list[str]] = []
    words: dict[int, dict[str, None]] = {place: {} for place in range(len(table.header))}
    for row in _sound(itertools.islice(table.rows, ROWS_READ)):
        if row.problem:
            continue
        cells = [_shown(cell) for cell in row.cells]
        if len(first) < ROWS_SHOWN:
            first.append(cells)
        for place in list(words):
            words[place][cells[place].strip()] = None
            if len(words[place]) > MOST_WORDS:
                del words[place]
    by_name = {table.header[place]: list(found) for place, found in words.items()}
    return _Head(table.header, first, table.preamble, by_name)


def _sound(rows: Iterator[Row]) -> Iterator[Row]:
    """Yield rows until one cannot be read; only where that is among the first, it is told here."""
    count = 0
    try:
        for row in rows:
            count += 1
            yield row
    except UnusableFile:
        if count < ROWS_SHOWN:
            raise


def _shown(cell: Cell) -> str:
    match cell:
        case Damaged():
            text = cell.text
        case bool():
            text = "true" if cell else "false"
        case str():
            text = cell
        case _:
            text = str(cell)
    return text[:LONGEST_CELL]


def _suggested(
    header: Sequence[str], kind: str, fitting: Sequence[tuple[Fitting, Reading]]
) -> dict[str, Suggestion]:
    found: dict[str, Suggestion] = {}
    for ours, theirs, how in _ideas(header, kind, fitting):
        if ours not in found and theirs not in {each.theirs for each in found.values()}:
            found[ours] = Suggestion(theirs, how)
    return {ours: found[ours] for ours in KINDS[kind].columns if ours in found}


def _ideas(
    header: Sequence[str], kind: str, fitting: Sequence[tuple[Fitting, Reading]]
) -> Iterator[tuple[str, str, How]]:
    """Yield ours, theirs and how, the best ideas first."""
    by_lower = {name.lower(): name for name in header}
    for how in ("saved", "shipped"):
        best = next((mapping for fit, mapping in fitting if fit.how == how), None)
        for ours, theirs in (best.columns if best else {}).items():
            if theirs.lower() in by_lower:
                yield ours, by_lower[theirs.lower()], how
    columns = KINDS[kind].columns
    yield from ((ours, by_lower[ours], "same") for ours in columns if ours in by_lower)
    by_words = {_words(name): name for name in reversed(header)}
    for ours in columns:
        for alike in (_words(ours), *SYNONYMS.get(kind, {}).get(ours, ())):
            if alike in by_words:
                yield ours, by_words[alike], "alike"


def _words(name: str) -> str:
    """Return the words of a column's name: "AccountNumber", "ACCOUNT_NUMBER": "account number"."""
    bare = re.sub(r"__[crRC]$", "", name.strip())
    return " ".join(part.lower() for part in PARTS.findall(bare))
