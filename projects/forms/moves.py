"""The form of a project's move: what it asks for, without what only matters in a tight spot."""

from collections.abc import Mapping, Sequence

from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField

from events.move_forms import MoveForm
from projects.services.allocating import NO_ROOM

# Asked for only where the answer is needed: the column is full, the increment has no room.
IN_NEED = frozenset({"limit_note", "despite"})


class ProjectMoveForm(MoveForm):
    # Names of IN_NEED that are needed.
    needed: frozenset[str] = frozenset()

    @property
    def shown(self) -> list[BoundField]:
        return [
            field
            for field in self
            if field.name not in IN_NEED
            or field.name in self.needed
            or field.errors
            or field.value()
            or (field.name == "despite" and lacks_room(self.errors.as_data()))
        ]


def lacks_room(errors: Mapping[str, Sequence[ValidationError]]) -> bool:
    """Say whether the increment was refused for people who are away or have too few days."""
    return any(each.code == NO_ROOM for each in errors.get("increment", ()))
