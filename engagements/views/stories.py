"""The events of requests as sentences, for their own page and for the account's timeline."""

import re
import uuid
from collections.abc import Collection, Mapping
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.urls import reverse

from accounts import stories
from accounts.stories import Place, Story, changes_text
from engagements.models import Confidence, Effort, Impact, Owner, RequestType, SignOff, SignOffLink
from engagements.selectors import history
from engagements.views.sentences import SENTENCES
from engagements.workflows import REQUEST
from events.models import Event
from events.selectors import HIDDEN, Readable

if TYPE_CHECKING:
    from engagements.views.shell import Shell

MOST_MISSED = 10
VERSION = re.compile(r"v\d")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NOUNS = ("request", "sow", "sign_off", "link", "work_at_risk", "change", "delivery")
TALK = ("request.comment", "request.file", "request.asked", "request.answered")
AGREEMENT = ("sow", "sign_off", "link", "work_at_risk", "change")
_TALK = reduce(or_, (Q(verb__startswith=verb) for verb in TALK))
_AGREEMENT = reduce(or_, (Q(verb__startswith=f"{noun}.") for noun in AGREEMENT))
# What the activity of a request can be narrowed to.
KINDS = {
    "all": Q(),
    "steps": Q(verb__startswith="request.") & ~_TALK,
    "agreement": _AGREEMENT,
    "talk": _TALK,
}
KIND_LABELS = {"all": "All", "steps": "Steps", "agreement": "Agreement", "talk": "Conversation"}
# Without a version of the SOW they are about what was delivered.
OF_A_DELIVERY = {model._meta.label_lower for model in (SignOff, SignOffLink)}  # noqa: SLF001
# What a sentence says already, or nobody asks for.
UNTOLD = frozenset(
    {
        "state", "version", "transition", "owner", "paused_from", "waits_for", "comment",
        "mentions", "question", "answer", "summary", "code", "answers", "file", "sow", "digest",
        "request", "number", "purpose", "rule", "kind", "rating", "before", "after",
        "asked_by_customer", "party_name", "party_email", "clock", "key",
    }
)  # fmt: skip
QUOTED = ("question", "answer", "summary", "objection", "note")


def stories_on(shell: "Shell", events: Collection[Event]) -> list[Story]:
    """Tell events of one request on its own pages, where it needs no name."""
    places = _places({event.object_id for event in events})
    here = Place("it", "", "")
    told = []
    for event in events:
        place = places.get(event.object_id, here)._replace(name="it")
        story = stories.story_of(
            event, may_open=shell.sees_parties, zone=shell.here.zone, place=place
        )
        told.append(story._replace(place=None))
    return told


def stories_since(shell: "Shell", count: int) -> list[Story]:
    """Tell the newest events of the request itself."""
    events = history.events_of_request(shell.request)
    about_it = events.filter(object_id=shell.request.uuid)
    return stories_on(shell, list(about_it[: min(count, MOST_MISSED)]))


def _tell(event: Event, values: Readable, zone: ZoneInfo, place: Place | None) -> Story:
    after = values.after or {}
    icon, sentence = SENTENCES.get(event.verb, ("circle-dot", ""))
    name = place.name if place else "a request"
    if not sentence:
        noun, _, action = event.verb.partition(".")
        sentence = f"{{who}}: {noun.replace('_', ' ')} {action.replace('_', ' ')}"
    title = sentence.format(
        who=str(event.actor),
        it=name,
        owner=_owner(after.get("owner")),
        transition=_label(after.get("transition")),
        version=place.part if place and place.part else "the statement of work",
        party=(place.party if place else "") or "The customer",
    )
    told = Readable(before=_told(values.before), after=_told(after))
    return Story(
        icon,
        title if VERSION.match(title) else title[:1].upper() + title[1:],
        _details(changes_text(told, zone)),
        event.reason or _quote(after),
        event.at,
        place,
    )


def _told(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Leave out what is plumbing: stamps, and what people are known by."""
    return {
        name: _word(name, value)
        for name, value in (values or {}).items()
        if name not in UNTOLD
        and name not in QUOTED
        and not name.endswith(("_at", "_by", "_id"))
        and value not in (None, "", [], HIDDEN)
        and not UUID.search(str(value))
    }


def _word(name: str, value: Any) -> Any:
    if name == "type" and value in RequestType.values:
        return RequestType(value).label.lower()
    if name == "impact" and value in Impact.values:
        return Impact(value).label
    if name == "way" and value in SignOff.Way.values:
        return SignOff.Way(value).label.lower()
    if name == "effort" and value in Effort.values:
        return Effort(value).label
    if name == "confidence" and value in Confidence.values:
        return Confidence(value).label
    return value


def _details(text: str) -> str:
    return f"{text}." if text and text[-1] not in ".!?" else text


def _owner(value: Any) -> str:
    return Owner(value).label if value in Owner.values else "another team"


def _label(value: Any) -> str:
    found = next((each.label for each in REQUEST.transitions if each.id == value), "")
    return found or str(value)


def _quote(after: Mapping[str, Any]) -> str:
    quotes = (after.get(name) for name in QUOTED)
    return next((text for text in quotes if isinstance(text, str) and text), "")


def _part(thing: history.Thing) -> str:
    if thing.version:
        return f"v{thing.version}"
    return "the delivery" if thing.label in OF_A_DELIVERY else ""


def _places(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Place]:
    return {
        thing.uuid: Place(
            f"REQ-{thing.request_id}",
            thing.title or "Untitled request",
            reverse("requests:detail", args=[thing.request_id]),
            _part(thing),
            thing.party,
        )
        for thing in history.things_of(ids)
    }


stories.register(NOUNS, _tell, _places, untold=history.PLUMBING)
