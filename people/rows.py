"""People as rows of APIs show them, and as bodies name them."""

import uuid

from config.lib import fields
from config.lib.errors import Invalid
from config.lib.rows import RowSerializer
from config.lib.values import echo
from people import selectors
from people.models import User


class PersonRow(RowSerializer):
    """One of us."""

    id = fields.UuidField(source="uuid")
    name = fields.NameField()
    email = fields.EmailField()


class WriterRow(RowSerializer):
    """Who wrote, added or ticked it."""

    id = fields.UuidField(source="uuid")
    name = fields.NameField()


def colleague_called(named: uuid.UUID | str, *, field: str) -> User:
    """Return the person with this id or address. Raises Invalid at the field."""
    rows = selectors.colleagues()
    is_id = isinstance(named, uuid.UUID)
    found = rows.filter(uuid=named) if is_id else rows.filter(email__iexact=named)
    person = found.first()
    if person is None:
        raise Invalid(f"Nobody here is called “{echo(named)}”.", field=field, code="unknown")
    return person
