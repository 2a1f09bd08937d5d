"""What the menu of a card offers: the columns it can go to, its place, and further moves."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple
from urllib.parse import urlencode

from django.urls import reverse

from events.workflow import Option
from projects import services
from projects.models import LANES, Project, ProjectState
from projects.services.ordering import END
from projects.views.board import Board
from projects.views.board_then import ICONS
from projects.views.refusals import asks_more, lane_name, needs_of

# Ways out of the columns, which the project's page leads to.
OUT = ("hold", "resume", "close", "decline")


class Item(NamedTuple):
    """One line of the menu: a button, a link, or why it is neither."""

    label: str
    icon: str
    lane: str = ""
    place: str = ""
    url: str = ""
    # Why not; then it is only read.
    words: str = ""
    keys: str = ""
    is_here: bool = False
    asks_more: bool = False


@dataclass(frozen=True)
class Menu:
    board: Board
    project: Project

    @property
    def url(self) -> str:
        pairs = {"project": self.project.number, "on": self.board.query}
        return f"{reverse('projects:board-move')}?{urlencode(pairs)}"

    @cached_property
    def options(self) -> list[Option]:
        return services.options(self.project, self.board.here.user, at=self.board.here.now)

    @property
    def lanes(self) -> list[Item]:
        return [self._lane(state) for state in LANES]

    @property
    def order(self) -> list[Item]:
        """Return where it can go in its column, for those who may order it."""
        if self.project.state not in LANES or not self.board.may_order:
            return []
        here, rank = Project.objects.filter(state=self.project.state), self.project.rank
        above = here.filter(rank__lt=rank).order_by("-rank").first()
        first = here.order_by("rank").first()
        below = list(here.filter(rank__gt=rank).order_by("rank")[:2])
        items = []
        lane = self.project.state
        if above is not None and first is not None:
            items.append(Item("Top of column", "arrow-up-to-line", lane, first.number))
            items.append(Item("Up one", "arrow-up", lane, above.number, keys="Alt ↑"))
        if below:
            place = below[1].number if len(below) > 1 else END
            items.append(Item("Down one", "arrow-down", lane, place, keys="Alt ↓"))
            items.append(Item("Bottom of column", "arrow-down-to-line", lane, END))
        return items

    @property
    def others(self) -> list[Item]:
        """Return moves that lead out of the columns, or back into them."""
        found = []
        for option in self.options:
            way = option.transition
            if way.id not in OUT or not option.may:
                continue
            url = reverse("projects:move", args=[self.project.pk, way.id])
            words = _why_not(option.blocks) if option.blocks else ""
            found.append(Item(f"{way.label}…", "circle-arrow-right", url=url, words=words))
        return found

    def _lane(self, state: str) -> Item:
        label, icon = str(LANES[ProjectState(state)]), ICONS[ProjectState(state)]
        if state == self.project.state:
            return Item(label, icon, is_here=True)
        option = self._option(state)
        if option is None:
            return Item(label, icon, words=self._no_way(state))
        way = option.transition
        if not option.may:
            return Item(label, icon, words=option.refusal)
        if option.blocks:
            return Item(label, icon, words=_why_not(option.blocks))
        return Item(label, icon, lane=state, asks_more=asks_more(way))

    def _option(self, state: str) -> Option | None:
        for option in self.options:
            if state in option.transition.leads_to - {self.project.state}:
                return option
        return None

    def _no_way(self, state: str) -> str:
        order = [str(each) for each in LANES]
        is_ahead = self.project.state in order and (
            order.index(state) > order.index(self.project.state)
        )
        if is_ahead:
            return f"After {lane_name(order[order.index(state) - 1])}."
        return "No move leads back there."


def _why_not(blocks: Iterable[tuple[str, str]]) -> str:
    found = list(blocks)
    needs = needs_of(found)
    return f"Needs {needs}." if needs else " ".join(words for _, words in found)
