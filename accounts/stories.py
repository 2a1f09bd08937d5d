"""The event log of an account as a story: a title, what changed, who did it."""

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from functools import reduce
from operator import or_
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Q

from config.lib.ui.formats import day_text, number_text
from events.models import Event
from events.selectors import Readable, readable

PEOPLE = Q(verb__startswith="contact.") | Q(verb__startswith="assignment.")
SHOWN_LABELS = {"all": "All", "work": "Work", "data": "Data", "people": "People"}

NOUNS = {
    "account": ("Account", "building-2"),
    "subscription": ("Subscription", "file-text"),
    "instance": ("Instance", "server"),
    "contact": ("Customer contact", "contact-round"),
    "assignment": ("Team assignment", "users-round"),
    "reading": ("Seat count", "chart-line"),
    "import": ("Import", "file-input"),
    "health": ("Health", "heart-pulse"),
}
ACTIONS = {
    "created": "added",
    "updated": "changed",
    "deleted": "removed",
    "entered": "entered by hand",
    "restored": "put back",
    "overridden": "set by hand",
    "override_ended": "follows the score again",
}
LABELS = {
    "arr": "ARR",
    "tcv": "TCV",
    "churned_on": "churned on",
    "observed_at": "counted at",
    "project_mandatory": "project mandatory",
    "user": "person",
    "user_email": "person",
}
# Of the account all here speaks; an assignment is told by who and what.
UNLABELLED = frozenset({"account", "assignment"})
AMOUNTS = frozenset({"arr", "tcv", "arr_from"})
# What comes first where a story tells of several; the others follow by name.
ORDER = [
    "name",
    "title",
    "email",
    "product",
    "kind",
    "user",
    "user_email",
    "role",
    "status",
    "seats",
    "arr",
    "tcv",
    "currency",
    "start",
    "end",
]
# Plumbing, told elsewhere on the account's pages.
LEFT_OUT = frozenset(
    {
        "source",
        "external_id",
        "account_external_id",
        "last_import",
        "version",
        "account",
        "is_default",
        # The log knows people by id; who is assigned today stands on the People tab.
        "user",
    }
)


class Place(NamedTuple):
    """What an event of an app above is about, as pages name it and link to it."""

    name: str
    title: str
    url: str
    # Which of it, such as a version: "v3".
    part: str = ""
    # The customer's person who had a part in it; only for those who may see them.
    party: str = ""


class Story(NamedTuple):
    icon: str
    title: str
    text: str
    quote: str
    at: dt.datetime
    place: Place | None = None


# Tells one event. The place is known where the page asked for it.
Teller = Callable[[Event, Readable, ZoneInfo, Place | None], Story]
Finder = Callable[[Collection[uuid.UUID]], Mapping[uuid.UUID, Place]]

_tellers: dict[str, Teller] = {}
_finders: dict[str, Finder] = {}
_untold: set[str] = set()


def register(
    nouns: Iterable[str], teller: Teller, finder: Finder, *, untold: Iterable[str] = ()
) -> None:
    """Let an app above tell the events whose verbs begin with its nouns, or are these.

    `untold` are verbs of which other events tell better.
    """
    for noun in nouns:
        _tellers[noun], _finders[noun] = teller, finder
    _untold.update(untold)


def shown() -> dict[str, Q]:
    """Return what a timeline can be narrowed to, by the words of SHOWN_LABELS."""
    work = reduce(or_, map(_told_as, _tellers), Q(pk__in=[]))
    kinds = {"all": Q(), "work": work, "data": ~(work | PEOPLE), "people": PEOPLE}
    return {name: kind & ~Q(verb__in=_untold) for name, kind in kinds.items()}


def _told_as(name: str) -> Q:
    """Match the events of a noun, or of one verb."""
    return Q(verb=name) if "." in name else Q(verb__startswith=f"{name}.")


def stories_of(events: Collection[Event], *, may_open: bool, zone: ZoneInfo) -> list[Story]:
    """Tell events, with where those of the apps above lead: a statement for each such app."""
    wanted: dict[Finder, set[uuid.UUID]] = {}
    for event in events:
        if finder := _finders.get(event.verb) or _finders.get(event.verb.partition(".")[0]):
            wanted.setdefault(finder, set()).add(event.object_id)
    places: dict[uuid.UUID, Place] = {}
    for finder, ids in wanted.items():
        places |= finder(ids)
    return [
        story_of(event, may_open=may_open, zone=zone, place=places.get(event.object_id))
        for event in events
    ]


def story_of(event: Event, *, may_open: bool, zone: ZoneInfo, place: Place | None = None) -> Story:
    """Tell one event; personal values only where `may_open`."""
    if place is not None and not may_open:
        place = place._replace(party="")
    noun, _, action = event.verb.partition(".")
    name, icon = NOUNS.get(noun, (noun.replace("_", " ").capitalize(), "circle-dot"))
    values = readable(event, may_open=may_open)
    if teller := _tellers.get(event.verb) or _tellers.get(noun):
        return teller(event, values, zone, place)
    if event.verb == "reading.entered":
        return _entered(event, values, icon, zone)
    if event.verb == "readings.imported":
        return _imported(event, values, zone)
    if event.verb == "readings.withdrawn":
        return _withdrawn(event, values)
    title = f"{name} {ACTIONS.get(action, action.replace('_', ' '))}"
    if event.object_label and noun not in UNLABELLED:
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


def _imported(event: Event, values: Readable, zone: ZoneInfo) -> Story:
    after = values.after or {}
    count, corrected = after.get("readings") or 0, after.get("corrected") or 0
    parts = [
        f"The latest was counted {_shown(after.get('latest_observed_at'), zone)}",
        f"{number_text(corrected)} corrected what was known" if corrected else "",
    ]
    return Story(
        "chart-line",
        f"{_counts(count)} imported",
        _joined("; ".join(part for part in parts if part), _by(event)),
        event.reason,
        event.at,
    )


def _withdrawn(event: Event, values: Readable) -> Story:
    after = values.after or {}
    again = after.get("told_again") or 0
    text = f"What was known before counts again for {number_text(again)}" if again else ""
    title = f"{_counts(after.get('readings') or 0)} withdrawn"
    return Story("chart-line", title, _joined(text, _by(event)), event.reason, event.at)


def _counts(count: int) -> str:
    return f"{number_text(count)} seat {'count' if count == 1 else 'counts'}"


def _by(event: Event) -> str:
    return f"By {event.actor}."


def changes_text(values: Readable, zone: ZoneInfo) -> str:
    """Say what changed, in a line."""
    return _changes(values, zone)


def _joined(changes: str, by: str) -> str:
    return f"{changes}. {by}" if changes else by


def _changes(values: Readable, zone: ZoneInfo) -> str:
    before, after = values.before or {}, values.after or {}
    told = [
        _change(name, before, after, zone)
        for name in sorted({**before, **after}, key=_place)
        if name not in LEFT_OUT and before.get(name) != after.get(name)
    ]
    text = "; ".join(told)
    return text[:1].upper() + text[1:]


def _place(name: str) -> tuple[int, str]:
    """The log keeps no order of its own."""
    return (ORDER.index(name) if name in ORDER else len(ORDER), name)


def _change(name: str, before: Mapping[str, Any], after: Mapping[str, Any], zone: ZoneInfo) -> str:
    label = LABELS.get(name, name.removesuffix("_id").replace("_", " "))

    def shown(value: Any) -> str:
        return _amount(value) if name in AMOUNTS and value is not None else _shown(value, zone)

    if name not in before:
        return f"{label} {shown(after[name])}"
    if name not in after:
        return f"{label} was {shown(before[name])}"
    return f"{label} {shown(before[name])} → {shown(after[name])}"


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
    """Days and moments are text in the log."""
    with suppress(ValueError):
        if len(text) == len("2026-03-31"):
            return day_text(dt.date.fromisoformat(text))
        if "T" in text:
            moment = dt.datetime.fromisoformat(text).astimezone(zone)
            return f"{day_text(moment.date())} {moment:%H:%M} {moment.tzname()}"
    return text


def _amount(value: Any) -> str:
    """Write an amount without zeros that say nothing: "412000.0000" reads "412,000"."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    whole = amount.to_integral_value()
    return number_text(int(whole) if amount == whole else amount.normalize())
