"""The events of requests as sentences, for their own page and for the account's timeline."""

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
from engagements.models import Effort, Impact, Owner
from engagements.selectors import history
from engagements.workflows import REQUEST
from events.models import Event
from events.selectors import ERASED, HIDDEN, Readable, readable

if TYPE_CHECKING:
    from engagements.views.shell import Shell

MOST_MISSED = 10
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
# By verb: an icon and a sentence. {who} did it, {it} is the request, {version} what was agreed on.
SENTENCES = {
    "request.drafted": ("pencil", "{who} began {it}"),
    "request.submitted": ("inbox", "{who} filed {it}"),
    "request.taken": ("arrow-down-to-line", "{who} took {it} into Deployment Engineering"),
    "request.left_to_a_lead": ("user-round", "{who} left {it} to a DE lead"),
    "request.routed_out": ("arrow-up-right", "{who} routed {it} to {owner}"),
    "request.appealed": ("scale", "{who} appealed the decision"),
    "request.appeal_granted": ("scale", "{who} granted the appeal"),
    "request.appeal_refused": ("scale", "{who} refused the appeal"),
    "request.put_on_fast_path": ("zap", "{who} put {it} on the fast path"),
    "request.asked": ("circle-question-mark", "{who} asked for information"),
    "request.answered": ("message-square", "{who} answered the question"),
    "request.sent_for_signoff": ("send", "{who} sent the statement of work for sign-off"),
    "request.revised": ("file-pen-line", "{who} began a new version"),
    "request.draft_discarded": ("undo-2", "{who} kept the version that was sent"),
    "request.sent_change": ("send", "{who} sent a change for sign-off"),
    "request.signed_off": ("signature", "{it} is signed off"),
    "request.sign_off_lost": ("triangle-alert", "The sign-off is lost"),
    "request.triaged": ("list-ordered", "{who} triaged {it}"),
    "request.triaged_at_risk": ("triangle-alert", "{who} triaged {it} at risk"),
    "request.scheduled": ("calendar", "{who} scheduled {it}"),
    "request.unscheduled": ("calendar-x", "{who} took {it} off the schedule"),
    "request.started": ("play", "{who} started work"),
    "request.delivered": ("package-check", "{who} delivered {it}"),
    "request.delivery_accepted": ("thumbs-up", "The delivery is accepted"),
    "request.delivery_rejected": ("thumbs-down", "The customer rejected the delivery"),
    "request.closed": ("circle-check", "{who} closed {it}"),
    "request.declined": ("circle-slash", "{who} declined {it}"),
    "request.cancelled": ("circle-x", "{who} cancelled {it}"),
    "request.held": ("pause", "{who} put {it} on hold"),
    "request.resumed": ("play", "{who} resumed {it}"),
    "request.reopened": ("git-branch", "{who} reopened {it} as a successor"),
    "request.move_asked": ("hand", "{who} asked for “{transition}”"),
    "request.move_refused": ("hand", "{who} refused “{transition}”"),
    "request.commented": ("message-square", "{who} commented"),
    "request.comment_edited": ("message-square", "{who} edited a comment"),
    "request.comment_withdrawn": ("message-square", "{who} withdrew a comment"),
    "request.file_added": ("paperclip", "{who} added a file"),
    "request.deliverable_ticked": ("square-check", "{who} ticked a deliverable"),
    "request.deliverable_unticked": ("square", "{who} opened a deliverable again"),
    "request.artefact_added": ("package", "{who} added an artefact"),
    "request.artefact_changed": ("package", "{who} changed an artefact"),
    "request.artefact_removed": ("package", "{who} removed an artefact"),
    "request.rolled_out": ("rocket", "{who} noted the roll-out"),
    "request.retrospective_written": ("history", "{who} wrote the retrospective"),
    "request.outcome_checked": ("search-check", "{who} checked the outcome"),
    "sign_off.recorded": ("signature", "{who} recorded what the customer said to {version}"),
    "sign_off.confirmed": ("signature", "{who} confirmed the sign-off of {version}"),
    "sign_off.agreed": ("signature", "{party} signed {version}"),
    "sign_off.rejected": ("git-compare", "{party} asked for changes to {version}"),
    "sign_off.objected": ("triangle-alert", "{party} objected to the sign-off of {version}"),
    "sign_off.withdrawn": ("undo-2", "{who} withdrew the sign-off of {version}"),
    "work_at_risk.asked": ("triangle-alert", "{who} asked for Work at Risk"),
    "work_at_risk.approved": ("shield-check", "{who} approved Work at Risk"),
    "work_at_risk.refused": ("shield-x", "{who} refused Work at Risk"),
    "work_at_risk.withdrawn": ("undo-2", "{who} withdrew Work at Risk"),
    "work_at_risk.ended": ("circle-stop", "Work at Risk ended"),
    "sow.drafted": ("file-plus", "{who} began {version}"),
    "sow.saved": ("pencil", "{who} changed {version}"),
    "sow.sent": ("lock", "{version} is frozen and hashed"),
    "sow.discarded": ("trash-2", "{who} threw {version} away"),
    "sow.estimated": ("timer", "{who} estimated the work of {version}"),
    "change.weighed": ("scale", "The change takes something else now"),
    "change.reopened": ("git-compare", "The change has to be approved again"),
    "change.replaced": ("git-compare", "A newer version takes the place of the change"),
    "change.proposed": ("git-compare", "{who} proposed a change"),
    "change.approved": ("git-compare", "{who} approved the change"),
    "change.refused": ("git-compare", "{who} refused the change"),
    "change.withdrawn": ("undo-2", "{who} withdrew the change"),
    "change.agreed": ("git-compare", "The customer agreed to the change"),
}
# What a sentence says already, or nobody asks for.
UNTOLD = frozenset(
    {
        "state", "version", "transition", "owner", "paused_from", "waits_for", "comment",
        "mentions", "question", "answer", "summary", "code", "answers", "file", "sow", "digest",
        "request",
    }
)  # fmt: skip
QUOTED = ("question", "answer", "summary", "objection", "note")


def stories_on(shell: "Shell", events: Collection[Event]) -> list[Story]:
    """Tell events of one request on its own pages, where it needs no name."""
    places = _places({event.object_id for event in events})
    here = Place("it", "", "")
    return [
        _tell(
            event,
            readable(event, may_open=shell.sees_parties),
            shell.here.zone,
            places.get(event.object_id, here)._replace(name="it"),
        )._replace(place=None)
        for event in events
    ]


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
        party=_party(after),
    )
    told = Readable(before=_told(values.before), after=_told(after))
    return Story(
        icon,
        title[:1].upper() + title[1:],
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
        and value not in (None, "", [])
    }


def _word(name: str, value: Any) -> Any:
    if name == "impact" and value in Impact.values:
        return Impact(value).label
    if name == "effort" and value in Effort.values:
        return Effort(value).label
    return value


def _details(text: str) -> str:
    return f"{text}." if text and text[-1] not in ".!?" else text


def _owner(value: Any) -> str:
    return Owner(value).label if value in Owner.values else "another team"


def _label(value: Any) -> str:
    found = next((each.label for each in REQUEST.transitions if each.id == value), "")
    return found or str(value)


def _party(after: Mapping[str, Any]) -> str:
    name = after.get("party_name")
    return str(name) if name and name not in (HIDDEN, ERASED) else "The customer"


def _quote(after: Mapping[str, Any]) -> str:
    quotes = (after.get(name) for name in QUOTED)
    return next((text for text in quotes if isinstance(text, str) and text), "")


def _places(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Place]:
    return {
        thing.uuid: Place(
            f"REQ-{thing.request_id}",
            thing.title or "Untitled request",
            reverse("requests:detail", args=[thing.request_id]),
            f"v{thing.version}" if thing.version else "",
        )
        for thing in history.things_of(ids)
    }


stories.register(NOUNS, _tell, _places)
