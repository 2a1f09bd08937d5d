"""What a customer reads of a delivery, and what is new in a statement of work."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

from config.lib.ui.formats import UNKNOWN, day_text
from engagements.models import MaintenanceOwner, SignOffLink
from engagements.rules.sow_words import changes_in_words
from engagements.selectors import links as reading

OWNERS = dict(MaintenanceOwner.choices)
# As the customer reads it.
PUBLIC_OWNERS = {**OWNERS, MaintenanceOwner.CUSTOMER: "you"}


class Changes(NamedTuple):
    """What is new since the version this contact was sent, or that was agreed to."""

    number: int
    note: str
    lines: list[str]


def what_changed(link: SignOffLink) -> Changes | None:
    before = reading.version_before(link)
    if before is None or link.sow is None:
        return None
    lines = changes_in_words(before.content, link.sow.content)
    return Changes(before.number, link.sow.note, lines)


def delivery_parts(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the report with its days and owners in words."""
    return {
        **content,
        "deliverables": [
            {**row, "done_on": _shown_day(row.get("done_on"))}
            for row in content.get("deliverables") or []
        ],
        "artefacts": [
            {**row, "owner": PUBLIC_OWNERS.get(row.get("maintained_by"), UNKNOWN)}
            for row in content.get("artefacts") or []
        ],
        "rolled_out_on": _shown_day(content.get("rolled_out_on")),
        "deemed_on": _shown_day(content.get("deemed_on")),
    }


def _shown_day(text: object) -> str:
    """Write an ISO day as people do; what is none stays as it is."""
    try:
        return day_text(dt.date.fromisoformat(str(text)))
    except ValueError:
        return str(text or "")
