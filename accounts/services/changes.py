"""What somebody wants facts to be, what that would change, and what stands against it."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from config.lib.errors import Invalid

# Codes of problems that are none of the input: somebody else was there before.
STALE = "stale"
EXISTS = "exists"
MUST_BE_NEW = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """One fact as somebody wants it, in our column names.

    `row` is the row of the file or the index in a call. Columns that are not in `values` stay as
    they are, or get their default where the fact is new. `links` are keys found already for what
    stands in a column of outer ids.
    """

    row: int
    values: Mapping[str, Any]
    links: Mapping[str, int | None] | None = None
    # The version that must be stored, or MUST_BE_NEW; None: whichever.
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row cannot be taken. `value` is what was found, `detail` says what to do."""

    row: int
    column: str
    value: str
    detail: str
    code: str = "invalid"


@dataclass(frozen=True, slots=True)
class Change:
    """One fact that would be made (`before` is None) or changed, with only what differs."""

    row: int
    id: int
    uuid: uuid.UUID
    # As it will be.
    version: int
    label: str
    before: Mapping[str, Any] | None
    # The columns that differ, or are worth telling of a new fact.
    names: Sequence[str]
    # The whole fact as it will be; `links` are the keys of what its outer ids name.
    values: Mapping[str, Any]
    links: Mapping[str, int | None]
    account_id: int | None
    # The account it belonged to before, where that changes too.
    former_account_id: int | None = None

    @property
    def after(self) -> dict[str, Any]:
        return {name: self.values[name] for name in self.names}


@dataclass(slots=True)
class Plan:
    """What would happen to the facts; it can be carried out where there is no problem."""

    creates: list[Change] = field(default_factory=list)
    updates: list[Change] = field(default_factory=list)
    unchanged: int = 0
    # The unchanged, where the way wants them named.
    same: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not self.creates and not self.updates

    @property
    def account_ids(self) -> set[int]:
        changes = [*self.creates, *self.updates]
        ids = {change.account_id for change in changes}
        return {each for each in ids | {change.former_account_id for change in changes} if each}


class Refused(Invalid):
    """Some rows cannot be taken, so none was. `problems` says which and why."""

    code = "bad_rows"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"{len(problems)} problems; nothing was written.")
        self.problems = problems
