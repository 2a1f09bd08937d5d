"""The ways on which facts arrive: who may send them, what they may touch, how problems read."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from accounts import permissions
from config.lib.values import echo
from people.models import User


@dataclass(frozen=True, slots=True)
class Words:
    """What problems say to whoever sent a file."""

    rows: str = "Rows"
    accounts_first: str = "Import the accounts first, or name their source."
    people_first: str = "Make the person first: in the settings, or by manage.py user create."
    nothing: str = "an empty cell"
    remove: str = "Remove the row."
    together: str = "Neither this file nor"

    def lacking(
        self, names: Sequence[str], source: str, noun: str, outer: str | None
    ) -> Iterator[tuple[str, str]]:
        """Yield (column, sentence) for what a new fact needs and is not told."""
        listed = " and ".join(f"“{name}”" for name in names)
        whose = f" “{echo(outer)}”" if outer else ""
        sentence = f"The source “{source}” has no {noun}{whose} yet, and a new one needs {listed}. "
        yield names[0], sentence + "Add the column, or name the right source."


class WordsOfCalls(Words):
    """What problems say to the writer of a program."""

    def lacking(
        self, names: Sequence[str], source: str, noun: str, outer: str | None
    ) -> Iterator[tuple[str, str]]:
        del source, outer
        for name in names:
            yield name, f"There is no such {noun.replace('_', ' ')} yet, and a new one needs this."


@dataclass(frozen=True, slots=True)
class Way:
    """`accounts` are the keys of all that may be touched on it; None: any."""

    may: Callable[[User], bool]
    words: Words
    accounts: frozenset[int] | None = None
    names_unchanged: bool = False


FILES = Way(permissions.can_import, Words())
CALLS = Way(
    permissions.can_write_facts,
    WordsOfCalls(
        rows="Items",
        accounts_first="Create the account first, or correct its source.",
        people_first="Ask an administrator to add the person first.",
        nothing="null",
        remove="Leave it out.",
        together="Neither this call nor",
    ),
    names_unchanged=True,
)
