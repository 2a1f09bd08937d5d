"""Requests with a past, told by moments as people write them: "2026-11-16 09:00", in UTC."""

import datetime as dt

from engagements.models import Stay
from tests import factories


def moment(text):
    return text and dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def lived(state, *, stays=(), **fields):
    """Make a request in the state; `stays` are (state, from, to), fields in `_at` moments."""
    values = {
        name: moment(value) if name.endswith("_at") else value for name, value in fields.items()
    }
    request = factories.ServiceRequestFactory(state=state, **values)
    for name, entered, left in stays:
        Stay.objects.create(
            request=request, state=name, entered_at=moment(entered), left_at=moment(left)
        )
    return request
