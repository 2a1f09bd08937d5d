"""The form of a project's move: what it asks for, without what only matters in a tight spot."""

from django.forms.boundfield import BoundField

from events.move_forms import MoveForm

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
        ]
