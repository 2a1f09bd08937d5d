"""The board: all open projects by state, by impact and effort, in order, or under review."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.here import Here, page
from config.lib import lists
from config.lib.authz import require
from config.lib.lists import ListPage, State, ViewBar
from config.lib.ui.formats import moment_text
from people.permissions import can_change_view
from projects import permissions, selectors
from projects.forms.board import BoardFilterForm
from projects.models import LANES, Increment, Lane, Project, ProjectState, Review
from projects.rules.capacity import NO_DAYS, days_number
from projects.selectors import board as reading
from projects.selectors.board import MOST_SHOWN, SHOWN, Stand
from projects.selectors.capacity import sheets
from projects.views.addresses import page_url
from projects.views.board_then import ICONS, asked_for_more, board_then
from projects.views.cards import Card, Note, cards_of
from projects.views.matrix import matrix_context
from projects.views.ranked import ranked_context
from projects.views.review import review_context

S = ProjectState
COLUMNS, MATRIX, RANKED, REVIEW = "columns", "matrix", "ranked", "review"
VIEWS = {
    COLUMNS: ("Columns", "square-kanban"),
    MATRIX: ("Matrix", "grid-3x3"),
    RANKED: ("Ranked", "list-ordered"),
    REVIEW: ("Review", "clipboard-list"),
}
CONTEXTS = {MATRIX: matrix_context, RANKED: ranked_context, REVIEW: review_context}
# Ready-made views by what their address says.
CHIPS: dict[str, dict[str, str]] = {
    "All": {},
    "Mine": {"owner": "me"},
    "I lead": {"lead": "me"},
    "Blocked": {"flag": "blocked"},
    "Late": {"flag": "late"},
    "Waiting for sign-off": {"flag": "waiting"},
}
A_WEEK = 7
# Cards that a phone shows at first.
ON_A_PHONE = 25
BOARD = lists.register(
    ListPage(
        name="board",
        label="Board",
        icon="square-kanban",
        url_name="projects:board",
        parameters=("view", "q", "owner", "lead", "account", "type", "kind", "flag", "moves"),
        columns=(),
        default_columns=(),
    )
)


@dataclass(frozen=True)
class Column:
    """One column as the page shows it."""

    stand: Stand
    cards: list[Card]
    board: "Board"

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
    def count(self) -> str:
        """Return "3", or "3 of 4" where the column has a limit."""
        limit, count = self.stand.lane.limit, self.stand.count
        return f"{count} of {limit}" if limit is not None else str(count)

    @property
    def hidden(self) -> int:
        return self.stand.fitting - len(self.cards)

    @property
    def more_url(self) -> str:
        """Return the address with more cards of this column; "" where that is no more to read."""
        shown = len(self.cards)
        if not self.hidden or shown >= MOST_SHOWN:
            return ""
        return self.board.address(more=f"{self.state}-{min(shown + SHOWN, MOST_SHOWN)}")

    @cached_property
    def note(self) -> str:
        """Return why it holds more than it should, where somebody said so."""
        return reading.note_on(self.state) if self.stand.is_over else ""


@dataclass
class Board:
    """What an address asks of the board."""

    here: Here
    view: str
    # Whether the address names the view, so that a phone shows it too.
    is_chosen: bool
    form: BoardFilterForm
    state: State
    more: Mapping[str, int]
    problems: list[tuple[str, str]]
    notes: Mapping[int, Note] = field(default_factory=dict)

    @classmethod
    def of(
        cls, request: HttpRequest, asked: QueryDict | None = None, *, here: Here | None = None
    ) -> "Board":
        here = here or Here.of(request)
        require(permissions.can_see_projects, here.user)
        asked = request.GET if asked is None else asked
        form = BoardFilterForm(asked, choices=reading.choices(_open_to(here)))
        problems = form.problems()
        view = asked.get("view", "")
        is_chosen = view in VIEWS
        if view and not is_chosen:
            problems.append(("View", "There is no such view."))
        return cls(
            here, view if is_chosen else COLUMNS, is_chosen, form, BOARD.state_of(asked),
            asked_for_more(asked.get("more", "")), problems,
        )  # fmt: skip

    @cached_property
    def all(self) -> QuerySet[Project]:
        return _open_to(self.here)

    @cached_property
    def projects(self) -> QuerySet[Project]:
        here = self.here
        return reading.narrowed(self.all, self.form.filters(), here.user, on=here.today)

    @property
    def is_narrowed(self) -> bool:
        return self.form.filters() != reading.Filters()

    @property
    def query(self) -> str:
        """Return what forms send along, so that one comes back to the same board."""
        return urlencode(self.state.parameters)

    @property
    def url(self) -> str:
        return f"{reverse('projects:board')}{self.state.address()}".removesuffix("?")

    def address(self, **changed: str) -> str:
        pairs = [(name, value) for name, value in self.state.parameters if name not in changed]
        pairs += [(name, value) for name, value in changed.items() if value]
        return f"?{urlencode(pairs)}"

    @property
    def views(self) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "label": label,
                "icon": icon,
                "url": self.address(view=name),
                "current": name == self.view,
            }
            for name, (label, icon) in VIEWS.items()
        ]

    @cached_property
    def lanes(self) -> dict[str, Lane]:
        return {lane.state: lane for lane in Lane.objects.all()}

    @cached_property
    def totals(self) -> dict[str, int]:
        """Return how many open projects there are in each state, whatever fits the filters."""
        return reading.counts(self.all)

    @cached_property
    def may_order(self) -> bool:
        return permissions.can_order(self.here.user)

    def columns(self, lanes: tuple[str, ...] = tuple(LANES)) -> list[Column]:
        fitting = reading.counts(self.projects) if self.is_narrowed else self.totals
        found = reading.stands(
            self.projects,
            [self.lanes[state] for state in lanes],
            fitting=fitting,
            totals=self.totals,
            shown=self.more,
        )
        shown = [each for stand in found.values() for each in stand.projects]
        cards = {
            card.project.pk: replace(card, note=self.notes.get(card.project.pk))
            for card in cards_of(shown, today=self.here.today)
        }
        return [
            Column(stand, [cards[each.pk] for each in stand.projects], self)
            for stand in found.values()
        ]

    def bar(self, asked: QueryDict) -> ViewBar:
        user = self.here.user
        return lists.view_bar(
            BOARD,
            asked,
            user.visible_views,
            may_change=lambda view: can_change_view(user, view),  # type: ignore[arg-type]
        )


@require_safe
def board(request: HttpRequest) -> HttpResponse:
    here = Here.looking(request)
    if here.past is not None:
        return board_then(request, here, here.past)
    shown = Board.of(request, here=here)
    bar = shown.bar(request.GET)
    totals = shown.totals
    open_count = sum(totals.values())
    context: dict[str, Any] = {
        "board": shown,
        "filters": shown.form,
        "problems": shown.problems,
        "bar": bar,
        "views": _built_in(shown, opened=bar.opened is not None),
        "sub": _sub(open_count, here),
        "on_hold": totals.get(S.ON_HOLD, 0),
        "hold_url": _list_url("on_hold"),
        "done_url": _list_url("closed"),
        "new_url": page_url("projects:new"),
        "make": "Make project" if permissions.is_engineer(here.user) else "Propose a project",
        "may_limit": permissions.can_set_limits(here.user),
        **_of_view(request, shown),
    }
    return page(request, "projects/board/page.html", context, here=here, partial="view")


def _of_view(request: HttpRequest, shown: Board) -> dict[str, Any]:
    if shown.view == COLUMNS:
        columns = shown.columns()
        return {
            "columns": columns,
            "ranked": _by_score(columns),
            "capacity": _capacity(shown.totals, shown.lanes, shown.here),
        }
    context_of = CONTEXTS[shown.view]
    return context_of(request, shown.here, shown.projects)


def _by_score(columns: Collection[Column]) -> list[Card]:
    """Return the same cards for a phone: what scores highest first."""
    cards = [card for column in columns for card in column.cards]
    found = sorted(
        cards, key=lambda card: (-(card.project.score or 0), -(card.seats or 0), card.project.pk)
    )
    return found[:ON_A_PHONE]


def _open_to(here: Here) -> QuerySet[Project]:
    return reading.open_projects(selectors.projects_visible_to(here.user))


def _built_in(shown: Board, *, opened: bool) -> list[dict[str, Any]]:
    """Return the ready-made views: everything, mine, what waits or is late."""
    view = {"view": shown.view} if shown.is_chosen else {}
    asked = dict(shown.state.parameters)
    return [
        {
            "label": label,
            "url": f"?{urlencode(view | pairs)}",
            "current": not opened and asked == view | pairs,
        }
        for label, pairs in CHIPS.items()
    ]


def _sub(count: int, here: Here) -> str:
    projects = f"{count} open project{'' if count == 1 else 's'}."
    review = reading.review_ahead()
    if review is None:
        return f"{projects} No review is planned."
    if review.state == Review.State.OPEN:
        return f"{projects} A review is under way."
    meets = review.meets_at.astimezone(here.zone)
    days = (meets.date() - here.today).days
    when = f"{meets:%A %H:%M}" if 0 <= days < A_WEEK else moment_text(meets, here.now)
    return f"{projects} Next review {when}."


def _capacity(totals: Mapping[str, int], lanes: Mapping[str, Lane], here: Here) -> str:
    """Return "In progress: 3 of 4 · 18 of 24 engineer-days this fortnight"."""
    limit = lanes[S.IN_PROGRESS].limit
    at_work = totals.get(S.IN_PROGRESS, 0)
    parts = [f"In progress: {at_work} of {limit}"] if limit else []
    running = Increment.objects.filter(
        start__lte=here.today, end__gte=here.today, team__archived=False
    )
    found = sheets(running.select_related("team"))
    available = sum((sheet.load.available for sheet in found), NO_DAYS)
    if available:
        planned = sum((sheet.load.planned for sheet in found), NO_DAYS)
        weeks = (
            "this week" if all(_is_a_week(sheet.increment) for sheet in found) else "this fortnight"
        )
        parts.append(f"{days_number(planned)} of {days_number(available)} engineer-days {weeks}")
    return " · ".join(parts)


def _is_a_week(increment: Increment) -> bool:
    return (increment.end - increment.start).days < A_WEEK


def _list_url(state: str) -> str:
    url = page_url("projects:list")
    return f"{url}?{urlencode({'state': state})}" if url else ""
