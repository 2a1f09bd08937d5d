"""The board as it stood on another day: its columns, to be read only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse

from accounts.here import Here, page
from config.lib.authz import require
from config.lib.then import Then
from projects import permissions
from projects.forms.board import BoardFilterForm
from projects.models import LANES, ProjectState
from projects.selectors import then as past
from projects.selectors.board import MOST_SHOWN, SHOWN, Stand
from projects.views.cards import Card, cards_of

S = ProjectState
ICONS = {
    S.PROPOSED: "circle-dashed",
    S.READY: "circle",
    S.SCHEDULED: "calendar",
    S.IN_PROGRESS: "contrast",
    S.DELIVERED: "rocket",
}
LENGTH = 5
COLUMNS = "columns"
LEFT_OUT = "Of another day the board comes whole. Left out of this address: {names}."
NOT_KEPT = "How far the paper of a project was agreed to is not kept by day, so no card says it."
LABELS = {name: str(field.label) for name, field in BoardFilterForm.base_fields.items()}


@dataclass(frozen=True)
class ColumnThen:
    stand: Stand
    cards: list[Card]
    then: Then

    @property
    def state(self) -> str:
        return self.stand.lane.state

    @property
    def label(self) -> str:
        return str(LANES[ProjectState(self.state)])

    @property
    def icon(self) -> str:
        return ICONS[ProjectState(self.state)]

    @property
    def hidden(self) -> int:
        return self.stand.count - len(self.cards)

    @property
    def more_url(self) -> str:
        shown = len(self.cards)
        if not self.hidden or shown >= MOST_SHOWN:
            return ""
        more = f"{self.state}-{min(shown + SHOWN, MOST_SHOWN)}"
        return f"?{urlencode({**self.then.parameters, 'more': more})}"


def board_then(request: HttpRequest, here: Here, then: Then) -> HttpResponse:
    require(permissions.can_see_projects, here.user)
    projects = past.open_then(here.user, then)
    totals = past.counts_then(projects)
    more = asked_for_more(request.GET.get("more", ""))
    found = past.stands_then(projects, tuple(LANES), totals=totals, shown=more)
    shown = [each for stand in found.values() for each in stand.projects]
    past.add_increments(shown, then)
    facts = past.facts_then(shown, then)
    cards = {card.project.pk: card for card in cards_of(shown, today=here.today, facts=facts)}
    columns = [
        ColumnThen(stand, [cards[each.pk] for each in stand.projects], then)
        for stand in found.values()
    ]
    kept_from = past.kept_from()
    context: dict[str, Any] = {
        "then": then.noted(*_left_out(request)),
        "columns": columns,
        "open_count": sum(totals.values()),
        "kept_from": kept_from,
        "is_kept": kept_from is not None and kept_from <= then.told_at,
        "not_kept": NOT_KEPT,
    }
    return page(request, "projects/board/then.html", context, here=here)


def asked_for_more(text: str) -> Mapping[str, int]:
    """Read which column shows how many cards: "ready-100"; anything else is nothing."""
    state, _, count = text.partition("-")
    if state not in LANES or not (count.isascii() and count.isdecimal() and len(count) <= LENGTH):
        return {}
    return {state: min(max(int(count), SHOWN), MOST_SHOWN)}


def _left_out(request: HttpRequest) -> list[str]:
    notes = []
    if request.GET.get("view", COLUMNS) not in {"", COLUMNS}:
        notes.append("Of another day only the columns can be shown. These are they.")
    given = [label for name, label in LABELS.items() if request.GET.get(name)]
    if given:
        notes.append(LEFT_OUT.format(names=", ".join(given)))
    return notes
