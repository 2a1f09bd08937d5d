"""What a report is put together from, the same for a page and for paper."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.safestring import SafeString

from config.lib.ui.charts import reports

Tone = Literal["", "info", "good", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A text of a table, and where it leads."""

    text: str
    url: str = ""


Row = list[Cell | str]


@dataclass(frozen=True, slots=True)
class Column:
    label: str
    is_number: bool = False


@dataclass(frozen=True)
class Text:
    words: str
    tone: Tone = ""
    kind: str = "text"

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "words": self.words, "tone": self.tone}


@dataclass(frozen=True)
class Facts:
    """Names and values; each with what else there is to say."""

    rows: Sequence[tuple[str, str, str]]
    kind: str = "facts"

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "rows": [list(row) for row in self.rows]}


@dataclass(frozen=True)
class Table:
    """`caption` says what it is of; the first column names the row."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    # Long reference tables are folded on a page, and small on paper.
    is_small: bool = False
    kind: str = "table"

    @property
    def lines(self) -> Iterator[list[tuple[Column, Cell]]]:
        for row in self.rows:
            yield list(zip(self.columns, row, strict=True))

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "caption": self.caption,
            "columns": [{"label": each.label, "number": each.is_number} for each in self.columns],
            "rows": [[cell.text for cell in row] for row in self.rows],
            "note": self.note,
            "small": self.is_small,
        }


@dataclass(frozen=True)
class Chart:
    """A picture, what it shows in full sentences, and the same as a table."""

    name: str
    alt: str
    table: Table
    falls: Sequence[reports.Fall] = ()
    key: Sequence[tuple[str, bool, str]] = ()
    marks: Sequence[reports.Mark] = ()
    target: int | None = None
    target_text: str = ""
    kind: str = "chart"

    @property
    def svg(self) -> SafeString:
        if self.falls:
            return reports.fall(self.falls, label=self.alt, name=self.name, key=self.key)
        return reports.months(
            self.marks,
            label=self.alt,
            name=self.name,
            target=self.target,
            target_text=self.target_text,
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "alt": self.alt,
            "svg": str(self.svg),
            "table": self.table.as_json(),
        }


Block = Text | Facts | Table | Chart


@dataclass(frozen=True)
class Section:
    key: str
    heading: str
    blocks: Sequence[Block]

    def as_json(self) -> dict[str, Any]:
        return {
            "heading": self.heading,
            "blocks": [block.as_json() for block in self.blocks],
        }


@dataclass(frozen=True)
class Document:
    """A report; `summary` is what stands at its head, and in its mail."""

    title: str
    intro: str
    summary: Sequence[str]
    sections: Sequence[Section]
    is_so_far: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "intro": self.intro,
            "summary": list(self.summary),
            "sections": [section.as_json() for section in self.sections],
        }


def table(
    caption: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell | str]],
    *,
    note: str = "",
    is_small: bool = False,
) -> Table:
    """Make a table; a column whose label begins with # holds numbers."""
    return Table(
        caption=caption,
        columns=[Column(label.removeprefix("#"), label.startswith("#")) for label in columns],
        rows=[[each if isinstance(each, Cell) else Cell(each) for each in row] for row in rows],
        note=note,
        is_small=is_small,
    )
