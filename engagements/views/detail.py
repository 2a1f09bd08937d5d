"""One request: what was asked, who decided what about it, what happened."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from config.lib.keyset import Key
from config.lib.paging import paged
from config.lib.reading import one_reading
from engagements.models import RequestState, ServiceRequest
from engagements.rules.router import YES_OR_NO, facts_asked
from engagements.rules.routing_words import FACTS
from engagements.views.shell import Shell, request_page, request_shell
from engagements.views.stories import KIND_LABELS, KINDS, stories_on
from engagements.views.talk import conversation
from engagements.words import StateTag, state_tag

TAB = "Request"


class Fact(NamedTuple):
    label: str
    value: str


@dataclass(frozen=True)
class Related:
    """Another request that this one goes on with, waits for, or is continued by."""

    request: ServiceRequest
    how: str

    @property
    def state(self) -> StateTag:
        return state_tag(self.request)


@require_safe
@one_reading()
def detail(request: HttpRequest, number: int) -> HttpResponse:
    shell = request_shell(request, number)
    # All of them are shown, and the newest is asked for by every guard.
    _ = shell.versions.all
    context: dict[str, Any] = {
        "facts": _facts(shell.request),
        "questions": shell.request.questions.select_related(
            "asked_by", "asked_of", "answered_by"
        ).order_by("pk"),
        "related": _related(shell),
        **conversation(request, shell),
    }
    return request_page(
        request, shell, "requests/detail.html", TAB, context, partial="conversation"
    )


@require_safe
@one_reading()
def activity(request: HttpRequest, number: int) -> HttpResponse:
    shell = request_shell(request, number)
    kind = request.GET.get("show", "all")
    if kind not in KINDS:
        kind = "all"
    found = paged(request, shell.events.filter(KINDS[kind]), [Key("id", descending=True)])
    context = {
        "shown": [
            {"label": label, "url": f"?show={name}", "current": name == kind}
            for name, label in KIND_LABELS.items()
        ],
        "is_narrowed": kind != "all",
        "stories": stories_on(shell, found.rows),
        "paged": found,
    }
    return request_page(
        request, shell, "requests/activity.html", "Activity", context, partial="activity"
    )


def _facts(asked: ServiceRequest) -> list[Fact]:
    """Return the facts that matter for its type, and those that were told all the same."""
    wanted = facts_asked(asked.type)
    answers = {True: "Yes", False: "No", None: "Not answered"}
    found = [
        Fact(FACTS[name].partition(",")[0], answers[getattr(asked, name)])
        for name in YES_OR_NO
        if name in wanted or getattr(asked, name) is not None
    ]
    scores = ("impact", "effort", "confidence")
    return found + [
        Fact(name.capitalize(), getattr(asked, f"get_{name}_display")())
        for name in scores
        if getattr(asked, name)
    ]


def _related(shell: Shell) -> list[Related]:
    asked = shell.request
    found = []
    if asked.successor_of:
        found.append(Related(asked.successor_of, "It goes on with"))
    others = _seen(shell, Q(successor_of=asked) | Q(preempted_by=asked))
    found += [Related(each, "Continued by") for each in others if each.successor_of_id == asked.pk]
    if asked.preempted_by:
        found.append(Related(asked.preempted_by, "What came first"))
    held = [each for each in others if each.preempted_by_id == asked.pk]
    found += [Related(each, "Put on hold for it") for each in held]
    return found


def _seen(shell: Shell, which: Q) -> list[ServiceRequest]:
    """Leave out drafts that are somebody else's."""
    return [
        each
        for each in ServiceRequest.objects.filter(which).order_by("pk")
        if each.state != RequestState.DRAFT or each.filed_by_id == shell.here.user.pk
    ]
