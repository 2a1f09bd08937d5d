"""The event log of an account as a story: a title, what changed, who did it."""

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Q

from config.lib.ui.formats import day_text, number_text
from events.models import Event
from events.selectors import Readable, readable

PEOPLE = Q(verb__startswith="contact.") | Q(verb__startswith="assignment.")
SHOWN = {"all": Q(), "data": ~PEOPLE, "people": PEOPLE}
SHOWN_LABELS = {"all": "All", "data": "Data", "people": "People"}

NOUNS = {
    "account": ("Account", "building-2"),
    "subscription": ("Subscription", "file-text"),
    "instance": ("Instance", "server"),
    "contact": ("Customer contact", "contact-round"),
    "assignment": ("Team assignment", "users-round"),
    "reading": ("Seat count", "chart-line"),
    "import": ("Import", "file-input"),
}
ACTIONS = {
    "created": "added",
    "updated": "changed",
    "deleted": "removed",
    "entered": "entered by hand",
}
LABELS = {
    "arr": "ARR",
    "tcv": "TCV",
    "churned_on": "churned on",
    "observed_at": "counted at",
    "project_mandatory": "project mandatory",
    "user": "person",
}
# Plumbing, told elsewhere on the account's pages.
LEFT_OUT = frozenset({"source", "external_id", "last_import", "version", "account"})


class Story(NamedTuple):
    icon: str
    title: str
    text: str
    quote: str
    at: dt.datetime


def story_of(event: Event, *, may_open: bool, zone: ZoneInfo) -> Story:
    """Tell one event; personal values only where `may_open`."""
    noun, _, action = event.verb.partition(".")
    name, icon = NOUNS.get(noun, (noun.replace("_", " ").capitalize(), "circle-dot"))
    values = readable(event, may_open=may_open)
    if event.verb == "reading.entered":
        return _entered(event, values, icon, zone)
    title = f"{name} {ACTIONS.get(action, action.replace('_', ' '))}"
    if event.object_label and noun != "account":
        title = f"{title}: {event.object_label}"
    text = _joined(_changes(values, zone), _by(event))
    return Story(icon, title, text, event.reason, event.at)


def _entered(event: Event, values: Readable, icon: str, zone: ZoneInfo) -> Story:
    after, before = values.after or {}, values.before or {}
    seats = after.get("seats")
    title = f"{_shown(seats, zone)} {'seat' if seats == 1 else 'seats'} entered by hand"
    if after.get("instance"):
        title = f"{title} for {after['instance']}"
    corrected = before.get("seats")
    parts = [
        f"Counted {_shown(after.get('observed_at'), zone)}",
        "" if corrected is None else f"in place of {_shown(corrected, zone)}",
    ]
    text = _joined(", ".join(part for part in parts if part), _by(event))
    return Story(icon, title, text, str(after.get("note") or ""), event.at)


def _by(event: Event) -> str:
    return f"By {event.actor}."


def _joined(changes: str, by: str) -> str:
    return f"{changes}. {by}" if changes else by


def _changes(values: Readable, zone: ZoneInfo) -> str:
    before, after = values.before or {}, values.after or {}
    told = [
        _change(name, before, after, zone)
        for name in {**before, **after}
        if name not in LEFT_OUT and before.get(name) != after.get(name)
    ]
    return "; ".join(told)


def _change(name: str, before: Mapping[str, Any], after: Mapping[str, Any], zone: ZoneInfo) -> str:
    label = LABELS.get(name, name.removesuffix("_id").replace("_", " "))
    if name not in before:
        return f"{label} {_shown(after[name], zone)}"
    if name not in after:
        return f"{label} was {_shown(before[name], zone)}"
    return f"{label} {_shown(before[name], zone)} → {_shown(after[name], zone)}"


def _shown(value: Any, zone: ZoneInfo) -> str:
    match value:
        case None | "":
            return "none"
        case bool():
            return "yes" if value else "no"
        case int():
            return number_text(value)
        case list():
            return ", ".join(str(item) for item in value) or "none"
        case str():
            return _shown_text(value, zone)
    return str(value)


def _shown_text(text: str, zone: ZoneInfo) -> str:
    """Days, moments and amounts are text in the log."""
    with suppress(ValueError):
        if len(text) == len("2026-03-31"):
            return day_text(dt.date.fromisoformat(text))
        if "T" in text:
            moment = dt.datetime.fromisoformat(text).astimezone(zone)
            return f"{day_text(moment.date())} {moment:%H:%M} {moment.tzname()}"
    with suppress(InvalidOperation):
        number = Decimal(text)
        if number.is_finite() and "." in text:
            return number_text(number.quantize(Decimal("0.01")) if number % 1 else int(number))
    return text
