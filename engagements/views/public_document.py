"""What a customer reads: every part of what was hashed, and what is new in it."""

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from config.lib.ui.formats import UNKNOWN, day_text, money_text
from engagements.models import Delivery, MaintenanceOwner, SignOffLink, SowVersion
from engagements.rules import diff
from engagements.selectors import links as reading
from engagements.selectors.links import Document

AFTERWARDS = {
    "de": "Our Deployment Engineering team looks after it afterwards.",
    "tam": "Your TAM looks after it afterwards.",
    "rd": "Our R&D looks after it afterwards.",
    "vendor": "A vendor looks after it afterwards.",
    "customer": "You look after it afterwards.",
}
DEPENDS: dict[object, str] = {
    True: "It depends on the version of your server.",
    False: "It does not depend on the version of your server.",
}
# In the order of the document.
LABELS = {
    "title": "Title",
    "deliverables": "What you will get",
    "what": "Deliverable",
    "detail": "Detail",
    "by_whom": "By whom",
    "by_when": "By when",
    "timeframe.start": "First day",
    "timeframe.end": "Last day",
    "needs": "What we need from you",
    "in_scope": "Included",
    "out_of_scope": "Not included",
    "acceptance": "How we know it is done",
    "assumptions": "What we assume",
    "customer_owner": "Who owns it with you",
    "maintenance.owner": "Afterwards",
    "maintenance.depends_on_server_version": "Server version",
    "maintenance.text": "Afterwards, in words",
    "deemed_acceptance_days": "If we hear nothing",
    "amount": "Amount",
    "currency": "Currency",
}
LISTS = ("needs", "in_scope", "out_of_scope", "acceptance", "assumptions")


class Change(NamedTuple):
    """One part that is new since the version the customer knows."""

    label: str
    segments: tuple[diff.Segment, ...]


class Changes(NamedTuple):
    number: int
    note: str
    rows: list[Change]


def document_parts(thing: SowVersion | Delivery | None, document: Document) -> Mapping[str, Any]:
    content = document.content
    if isinstance(thing, Delivery):
        return _delivery_parts(content)
    maintenance = content.get("maintenance") or {}
    timeframe = content.get("timeframe") or {}
    return {
        "title": content.get("title", ""),
        "deliverables": [
            {**row, "by_when": shown_day(row.get("by_when"))}
            for row in content.get("deliverables") or []
        ],
        "start": shown_day(timeframe.get("start")),
        "end": shown_day(timeframe.get("end")),
        "lists": [(LABELS[name], content.get(name) or []) for name in LISTS if content.get(name)],
        "customer_owner": content.get("customer_owner", ""),
        "afterwards": AFTERWARDS.get(maintenance.get("owner", ""), ""),
        "depends": DEPENDS.get(maintenance.get("depends_on_server_version"), ""),
        "maintenance": maintenance.get("text", ""),
        "deemed_days": content.get("deemed_acceptance_days"),
        "amount": _amount(content),
    }


def what_changed(link: SignOffLink) -> Changes | None:
    """Return what is new since the version this contact was sent, or that was agreed to."""
    before = reading.version_before(link)
    if before is None or link.sow is None:
        return None
    found = diff.difference(before.content, link.sow.content, show=_show)
    return Changes(before.number, link.sow.note, list(_changes(found)))


def shown_day(text: object) -> str:
    """Write an ISO day as people do; what is none stays as it is."""
    try:
        return day_text(dt.date.fromisoformat(str(text)))
    except ValueError:
        return str(text or "")


def _delivery_parts(content: Mapping[str, Any]) -> Mapping[str, Any]:
    owners = dict(MaintenanceOwner.choices)
    return {
        **content,
        "deliverables": [
            {**row, "done_on": shown_day(row.get("done_on"))}
            for row in content.get("deliverables") or []
        ],
        "artefacts": [
            {**row, "owner": owners.get(row.get("maintained_by"), UNKNOWN)}
            for row in content.get("artefacts") or []
        ],
        "rolled_out_on": shown_day(content.get("rolled_out_on")),
        "deemed_on": shown_day(content.get("deemed_on")),
    }


def _amount(content: Mapping[str, Any]) -> str:
    try:
        amount = Decimal(str(content.get("amount") or 0))
    except InvalidOperation:
        return str(content.get("amount"))
    return money_text(amount, content.get("currency") or "USD") if amount else ""


def _changes(found: diff.Difference) -> Iterator[Change]:
    for row in found.deliverables:
        yield from _row_changes(row)
    for name in LISTS:
        for item in found.lists.get(name, ()):
            if item.status != diff.SAME:
                yield Change(LABELS[name], item.text.segments)
    for path, text in found.single.items():
        if text.is_changed:
            yield Change(LABELS.get(path, path), text.segments)


def _row_changes(row: diff.Row) -> Iterator[Change]:
    what = row.cells["what"]
    if row.status in (diff.ADDED, diff.REMOVED):
        label = "New deliverable" if row.status == diff.ADDED else "No longer delivered"
        yield Change(label, what.segments)
        return
    for name, cell in row.cells.items():
        if cell.is_changed:
            label = LABELS[name] if name == "what" else f"{LABELS[name]}, {what.now}"
            yield Change(label, cell.segments)


def _show(path: str, value: Any) -> str:
    if path in {"by_when", "timeframe.start", "timeframe.end"}:
        return shown_day(value)
    if path == "maintenance.owner":
        return AFTERWARDS.get(value or "", "")
    if path == "maintenance.depends_on_server_version":
        return DEPENDS.get(value, "")
    return diff.plain(path, value)
