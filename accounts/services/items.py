"""A draft of a fact beside what is stored of it."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from accounts.services.changes import Draft


@dataclass(slots=True)
class Item:
    """A draft beside what is stored; `values` and `links` are the two merged.

    A new fact has a number that is only good for finding it in this plan, until it is written.
    """

    draft: Draft
    id: int
    uuid: uuid.UUID
    is_new: bool
    version: int = 0
    before: dict[str, Any] = field(default_factory=dict)
    former_links: dict[str, int | None] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    links: dict[str, int | None] = field(default_factory=dict)

    @property
    def row(self) -> int:
        return self.draft.row

    def wants(self, column: str) -> bool:
        """Tell whether the draft speaks of the column or, being new, must settle it."""
        return self.is_new or column in self.draft.values

    @property
    def changed(self) -> list[str]:
        return [name for name in self.draft.values if self._differs(name)]

    def _differs(self, name: str) -> bool:
        if name in self.links:
            return self.links[name] != self.former_links[name]
        return bool(self.values[name] != self.before[name])
