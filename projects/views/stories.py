"""The events of projects as sentences, for their own page and for the account's timeline."""

import re
import uuid
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.urls import reverse

from accounts import stories
from accounts.stories import Place, Story, changes_text
from engagements.models import Confidence, Effort, Impact, MaintenanceOwner
from events.models import Event
from events.selectors import HIDDEN, Readable
from projects.models import (
    Project,
    ProjectCheck,
    ProjectState,
    ProjectType,
    SupportPlan,
    SupportSignOff,
)
from projects.selectors import history
from projects.views.sentences import SENTENCES
from projects.workflows import PROJECT

if TYPE_CHECKING:
    from projects.views.shell import Shell

NUMBER = re.compile("PRJ-[0-9]{1,18}")
MOST_MISSED = 10
EXCERPT = 80
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SIDES = dict(SupportSignOff.Side.choices)
NOUNS = ("project", "support_plan", "project_artefact", "project_check")
_MOVES = Q(verb__in=[f"project.{each.done}" for each in PROJECT.transitions])
# What the activity of a project can be narrowed to.
KINDS = {"all": Q(), "moves": _MOVES, "changes": ~_MOVES}
KIND_LABELS = {"all": "All", "moves": "Moves", "changes": "Changes"}
# What a sentence says already, or nobody asks for.
UNTOLD = frozenset(
    {
        "state", "version", "transition", "paused_from", "rank", "before", "request", "number",
        "code", "project", "digest", "summary", "side", "text", "artefact", "reset",
        "seats_with", "outcome",
    }
)  # fmt: skip
WORDS: dict[str, Mapping[Any, str]] = {
    "type": dict(ProjectType.choices),
    "kind": dict(Project.Kind.choices),
    "impact": dict(Impact.choices),
    "effort": dict(Effort.choices),
    "confidence": dict(Confidence.choices),
    "mode": dict(SupportPlan.Mode.choices),
    "maintained_by": dict(MaintenanceOwner.choices),
    "verdict": dict(ProjectCheck.Verdict.choices),
}


def stories_on(shell: "Shell", events: Collection[Event]) -> list[Story]:
    """Tell events of one project on its own pages, where it needs no name."""
    here = Place("it", "", "")
    told = []
    for event in events:
        story = stories.story_of(event, may_open=True, zone=shell.here.zone, place=here)
        told.append(story._replace(place=None))
    return told


def stories_since(shell: "Shell", count: int) -> list[Story]:
    """Tell the newest events of the project itself."""
    about_it = shell.events.filter(object_id=shell.project.uuid)
    return stories_on(shell, list(about_it[: min(count, MOST_MISSED)]))


def _tell(event: Event, values: Readable, zone: ZoneInfo, place: Place | None) -> Story:
    after = values.after or {}
    icon, sentence = SENTENCES.get(event.verb, ("circle-dot", ""))
    if not sentence:
        noun, _, action = event.verb.partition(".")
        sentence = f"{{who}}: {noun.replace('_', ' ')} {action.replace('_', ' ')}"
    title = sentence.format(
        who=str(event.actor),
        it=place.name if place else "a project",
        transition=_label(after.get("transition")),
        request=str(after.get("request") or "a request"),
        side=SIDES.get(str(after.get("side")), "one side"),
        artefact=str(after.get("artefact") or (values.before or {}).get("artefact") or "something"),
        days=after.get("days"),
    )
    told = Readable(before=_told(values.before), after=_told(after))
    text = changes_text(told, zone)
    quote = event.reason or str(after.get("summary") or "")
    return Story(
        icon,
        title[:1].upper() + title[1:],
        f"{text}." if text and text[-1] not in ".!?" else text,
        quote,
        event.at,
        place,
    )


# How the log calls a value, where its name says too little.
CALLED = {
    "limit_note": "why one more than the column holds:",
    "mode": "support:",
    "depends_on_server_version": "depends on the server version:",
    "policy": "rule",
    "decision": "decided:",
    "title": "title:",
}


def _told(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Leave out what is plumbing: stamps, and what people are known by."""
    return {
        CALLED.get(name, name): _word(name, value)
        for name, value in (values or {}).items()
        if name not in UNTOLD
        and not name.endswith(("_at", "_by", "_id"))
        and value not in (None, "", [], HIDDEN)
        and not UUID.search(str(value))
    }


def _word(name: str, value: Any) -> Any:
    """Write a choice in words, and the beginning of a long text."""
    if isinstance(value, str | int) and value in WORDS.get(name, {}):
        return WORDS[name][value]
    if name == "score" and isinstance(value, str) and "." in value:
        return value.rstrip("0").rstrip(".")
    if isinstance(value, str) and (len(value) > EXCERPT or "\n" in value):
        return f"{value[:EXCERPT].partition(chr(10))[0].rstrip()}…"
    return value


def _label(value: Any) -> str:
    found = next((each.label for each in PROJECT.transitions if each.id == value), "")
    return found or str(value)


def _places(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Place]:
    return {
        thing.uuid: Place(
            f"PRJ-{thing.project_id}",
            thing.title,
            reverse("projects:detail", args=[thing.project_id]),
        )
        for thing in history.things_of(ids)
    }


def _tell_account(event: Event, values: Readable, _zone: ZoneInfo, _place: Place | None) -> Story:
    """Tell the move of a project that several accounts gain by, on the timeline of one of them."""
    after = values.after or {}
    number, state = str(after.get("project") or ""), after.get("state")
    label = ProjectState(state).label if state in ProjectState.values else str(state)
    place = None
    if NUMBER.fullmatch(number):
        place = Place(number, str(after.get("title") or ""), f"/projects/{number}/")
    title = f"{event.actor} moved {number} to {label[:1].lower()}{label[1:]}"
    return Story("square-kanban", title, "", event.reason, event.at, place)


def _no_places(_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Place]:
    """Each of them names its project itself."""
    return {}


stories.register(NOUNS, _tell, _places)
stories.register(["account.project_moved"], _tell_account, _no_places)
