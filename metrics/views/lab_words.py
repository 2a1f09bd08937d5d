"""The words of the definition lab: parameters, states, and two texts beside each other."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from metrics.models import Backtest, DefinitionProposal
from metrics.rules.parameters import Line
from metrics.rules.words import shown

S = DefinitionProposal.State
P = Backtest.Progress
STATES = {
    S.DRAFT: ("Draft", "line", "pencil"),
    S.PROPOSED: ("Proposed", "info", "hourglass"),
    S.APPROVED: ("Approved", "good", "check"),
    S.REJECTED: ("Rejected", "bad", "x"),
    S.WITHDRAWN: ("Withdrawn", "", "undo-2"),
}
PROGRESS = {
    P.WAITING: ("Waiting for a worker", "info", "hourglass"),
    P.RUNNING: ("Under way", "info", "refresh-cw"),
    P.DONE: ("Done", "good", "check"),
    P.FAILED: ("Failed", "bad", "triangle-alert"),
    P.STOPPED: ("Stopped", "warn", "circle-pause"),
}
SIDES = {
    "passes": "passes", "fails": "does not pass", "out": "not in the number", "counted": "counted",
}  # fmt: skip
KINDS = {
    "up": ("Pass now", "arrow-up"),
    "down": ("Pass no more", "arrow-down"),
    "left": ("Leave the number", "log-out"),
    "entered": ("Enter the number", "log-in"),
}
# The same of a number that is a sum over accounts.
SUM_KINDS = {
    "up": ("Add more", "arrow-up"),
    "down": ("Add less", "arrow-down"),
    "left": ("Leave the number", "log-out"),
    "entered": ("Enter the number", "log-in"),
}
EMPHASIS = re.compile(r"\*(\S(?:[^*]*\S)?)\*")
# Of an Event's verb: what happened, and its icon.
TOLD = {
    "drafted": ("Began the draft", "pencil"),
    "changed": ("Changed the draft", "pencil"),
    "proposed": ("Proposed it", "send"),
    "revised": ("Took it back to change it", "undo-2"),
    "approved": ("Approved it", "check"),
    "rejected": ("Rejected it", "x"),
    "withdrawn": ("Withdrew it", "undo-2"),
    "backtest_started": ("Began a back-test", "flask-conical"),
    "backtest_stopped": ("Stopped the back-test", "circle-pause"),
    "backtest_done": ("The back-test is done", "check"),
    "backtest_failed": ("The back-test failed", "triangle-alert"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A parameter before and after, in words."""

    label: str
    note: str
    before: str
    after: str
    is_changed: bool


def rows_of(lines: Iterable[Line], currency: str) -> list[Row]:
    return [
        Row(
            line.parameter.label,
            line.parameter.help,
            shown(line.parameter, line.before, currency),
            shown(line.parameter, line.after, currency),
            line.is_changed,
        )
        for line in lines
    ]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of a text: in both (""), only in the new one ("ins"), only in the old ("del")."""

    how: str
    words: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    pieces: Sequence[Piece]

    @property
    def is_changed(self) -> bool:
        return any(piece.how for piece in self.pieces)


def difference(old: str, new: str) -> list[Paragraph]:
    """Return the paragraphs and points of both texts, with the words that differ."""
    before, after = _paragraphs(old), _paragraphs(new)
    told: list[Paragraph] = []
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            told += [Paragraph([Piece("", words)]) for words in before[a:b]]
            continue
        gone, come = before[a:b], after[c:d]
        both = min(len(gone), len(come))
        told += [_words(*pair) for pair in zip(gone[:both], come[:both], strict=True)]
        told += [Paragraph([Piece("del", words)]) for words in gone[both:]]
        told += [Paragraph([Piece("ins", words)]) for words in come[both:]]
    return told


def _paragraphs(text: str) -> list[str]:
    """Join lines that an editor wrapped; a point of a list stands by itself, emphasis goes."""
    plain = EMPHASIS.sub(r"\1", text.strip().replace("**", "").replace("`", ""))
    blocks = re.split(r"\n\s*\n|\n(?=(?:\d+\.|[*-])\s)", plain)
    return [" ".join(block.split()) for block in blocks if block.strip()]


def _words(old: str, new: str) -> Paragraph:
    before, after = old.split(" "), new.split(" ")
    pieces: list[Piece] = []
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append(Piece("", " ".join(before[a:b])))
            continue
        if b > a:
            pieces.append(Piece("del", " ".join(before[a:b])))
        if d > c:
            pieces.append(Piece("ins", " ".join(after[c:d])))
    return Paragraph(pieces)
