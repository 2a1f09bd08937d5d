"""What was asked, what was answered, what is there: six counters for each stream.

Two of them must be 0. `lost`: it was acknowledged and is not there. `unexpected`: it is there and
nobody asked for it. What was answered by nothing (a reset, a timeout) may be there or not.
"""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

INVOKED, ACKNOWLEDGED = "invoke", "ok"
HEADER = ("stream", "attempts", "acked", "present", "lost", "unexpected", "duplicated", "recovered")


@dataclass(frozen=True, slots=True)
class Counters:
    stream: str
    attempts: int
    acknowledged: int
    present: int
    lost: int
    unexpected: int
    duplicated: int
    recovered: int

    @property
    def is_sound(self) -> bool:
        return not self.lost and not self.unexpected

    @property
    def cells(self) -> tuple[str, ...]:
        figures = (
            self.attempts, self.acknowledged, self.present, self.lost, self.unexpected,
            self.duplicated, self.recovered,
        )  # fmt: skip
        return (self.stream, *(f"{figure:,}" for figure in figures))


def counted(
    stream: str, attempts: Iterable[str], acknowledged: Iterable[str], present: Iterable[str]
) -> Counters:
    """Compare; `present` may name a thing several times."""
    there = Counter(present)
    asked, answered = set(attempts), set(acknowledged)
    return Counters(
        stream=stream,
        attempts=len(asked),
        acknowledged=len(answered),
        present=len(there),
        lost=len(answered - there.keys()),
        unexpected=len(there.keys() - asked),
        duplicated=sum(times - 1 for times in there.values()),
        recovered=len(there.keys() & asked - answered),
    )


class Journal:
    """A file of a client's own, on the disk before the next step; it outlives a kill."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def note(self, word: str, name: str) -> None:
        with self.path.open("a") as file:
            file.write(f"{word} {name}\n")
            file.flush()
            os.fsync(file.fileno())

    def named(self, word: str) -> list[str]:
        lines = (line.split(" ", 1) for line in self.path.read_text().splitlines())
        return [name for said, name in lines if said == word]

    def counted(self, stream: str, present: Iterable[str]) -> Counters:
        return counted(stream, self.named(INVOKED), self.named(ACKNOWLEDGED), present)


def table_of(found: Iterable[Counters]) -> str:
    lines = [HEADER, *(counters.cells for counters in found)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADER))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )
