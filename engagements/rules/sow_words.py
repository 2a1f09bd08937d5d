"""A statement of work in words: for pages, mails and papers. Pure."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from config.lib.ui.formats import day_text, money_text
from engagements.rules import diff, sow
from engagements.rules.diff import Difference, Item, Row, Text

# What staff read, and what a customer reads.
HEADINGS = {
    "deliverables": ("What we will deliver", "What you will get"),
    "timeframe": ("When", "When"),
    "needs": ("What we need from the customer", "What we need from you"),
    "in_scope": ("Included", "Included"),
    "out_of_scope": ("Not included", "Not included"),
    "acceptance": ("How we will know it worked", "How we will know it worked"),
    "assumptions": ("What this rests on", "What this rests on"),
    "customer_owner": ("Owner at the customer", "Who owns it on your side"),
    "maintenance": ("Afterwards", "Afterwards"),
    "deemed_acceptance_days": ("Acceptance", "Acceptance"),
    "price": ("Price", "Price"),
}
MAINTAINED_BY = {
    "de": ("Deployment Engineering maintains it.", "We maintain it: Deployment Engineering."),
    "tam": ("The TAM maintains it.", "We maintain it: your Technical Account Manager."),
    "rd": ("R&D maintains it.", "We maintain it: R&D."),
    "vendor": ("A vendor maintains it.", "A vendor maintains it."),
    "customer": ("The customer maintains it.", "You maintain it."),
}
DEPENDS = {
    True: "It depends on the version of the server: check it before each upgrade.",
    False: "It does not depend on the version of the server.",
}
DATES = frozenset({"by_when", "timeframe.start", "timeframe.end"})


class Part(NamedTuple):
    """One part of the document under a heading: items, or texts that follow one another."""

    name: str
    heading: str
    items: tuple[Item, ...] = ()
    texts: tuple[Text, ...] = ()
    # Of the texts, which is Markdown.
    prose: Text | None = None

    @property
    def is_there(self) -> bool:
        return bool(
            self.items
            or any(text.segments for text in self.texts)
            or (self.prose and self.prose.segments)
        )


class Document(NamedTuple):
    """A statement of work as it is read, with its changes where it is compared."""

    title: Text
    heading: str
    rows: tuple[Row, ...]
    parts: tuple[Part, ...]
    changes: int


def document(
    content: Mapping[str, Any], before: Mapping[str, Any] | None = None, *, public: bool = False
) -> Document:
    """Return the content in words; `before` is the version whose differences are shown."""

    def show(path: str, value: Any) -> str:
        return shown(path, value, public=public)

    now, was = sow.complete(content), sow.complete(content if before is None else before)
    found = diff.difference(was, now, show=show)
    prices = diff.whole(price_of(was), price_of(now))
    return Document(
        title=found.single["title"],
        heading=heading("deliverables", public=public),
        rows=found.deliverables,
        parts=tuple(part for part in _parts(found, prices, public=public) if part.is_there),
        changes=found.changes,
    )


def _parts(found: Difference, price: Text, *, public: bool) -> list[Part]:
    def part(name: str, **values: Any) -> Part:
        return Part(name, heading(name, public=public), **values)

    single = found.single
    return [
        part("timeframe", texts=(single["timeframe.start"], single["timeframe.end"])),
        *(part(name, items=found.lists[name]) for name in sow.LISTS),
        part("customer_owner", texts=(single["customer_owner"],)),
        part(
            "maintenance",
            texts=(single["maintenance.owner"], single["maintenance.depends_on_server_version"]),
            prose=single["maintenance.text"],
        ),
        part("deemed_acceptance_days", texts=(single["deemed_acceptance_days"],)),
        part("price", texts=(price,)),
    ]


def heading(name: str, *, public: bool) -> str:
    return HEADINGS[name][public]


def shown(path: str, value: Any, *, public: bool = False) -> str:
    """Write a single value, or a deliverable's cell, for people."""
    if value is None or value == "":
        return ""
    if path in DATES:
        return _day(value)
    if path == "maintenance.owner":
        words = MAINTAINED_BY.get(value)
        return words[public] if words else str(value)
    if path == "maintenance.depends_on_server_version":
        return DEPENDS[bool(value)]
    if path == "deemed_acceptance_days":
        days = f"{value} business day" + ("" if value == 1 else "s")
        who = "we hear nothing from you" if public else "the customer does not answer"
        return f"If {who} within {days} after the delivery, it counts as accepted."
    return str(value)


def price_of(content: Mapping[str, Any]) -> str:
    """Return the price with its currency, "" where there is none."""
    amount = Decimal(str(content.get("amount") or 0))
    return money_text(amount, str(content.get("currency") or "USD")) if amount else ""


def changes_in_words(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return each change as a line of plain text, for mails and for those who listen."""
    found = document(after, before, public=True)
    lines = [f"Title: {_line(found.title)}"] if found.title.is_changed else []
    for place, row in enumerate(found.rows, 1):
        lines += _row_in_words(place, row)
    for part in found.parts:
        for item in part.items:
            if item.status != diff.SAME:
                lines.append(f"{part.heading}: {_line(item.text)}")
        texts = (*part.texts, *([part.prose] if part.prose else []))
        lines += [f"{part.heading}: {_line(text)}" for text in texts if text.is_changed]
    return lines


def _row_in_words(place: int, row: Row) -> list[str]:
    what = row.cells["what"]
    if row.status == diff.ADDED:
        details = filter(None, (row.cells["by_whom"].now, row.cells["by_when"].now))
        return [f"Added: {', '.join([what.now, *details])}"]
    if row.status == diff.REMOVED:
        return [f"Removed: {what.was}"]
    moved = [f"Moved to place {place}: {what.now}"] if row.status == diff.MOVED else []
    changed = [(name, cell) for name, cell in row.cells.items() if cell.is_changed]
    return moved + [
        f"{what.now or 'Deliverable'}, {sow.LABELS[name].lower()}: {_line(cell)}"
        for name, cell in changed
    ]


def _line(text: Text) -> str:
    if not text.was:
        return f"added “{text.now}”"
    if not text.now:
        return f"removed “{text.was}”"
    return f"“{text.was}” is now “{text.now}”"


def _day(value: Any) -> str:
    if isinstance(value, int):
        return f"day {value}"
    return day_text(dt.date.fromisoformat(value), None)
