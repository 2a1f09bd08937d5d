"""Review mode: the agenda, and one project of it at a time; on the board and on its own page."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple

from django.http import HttpRequest, QueryDict
from django.urls import reverse

from accounts.here import Here
from config.lib.ui.formats import ago_text, day_text, days_between_text
from events.workflow import Case
from projects import permissions
from projects.forms.deciding import DecideForm
from projects.models import Project, Review, ReviewItem
from projects.rules.agenda import CANDIDATE, days_text, threes
from projects.selectors import reviews as selectors
from projects.services.deciding import MOVES, blocks_of, stop_costs
from projects.views.review_words import About, abouts

D, W = ReviewItem.Decision, ReviewItem.Why
PLACE, DECIDE, CHANGE = "at", "decide", "change"
BOARD = "board"
TONES = {
    W.NEW: ("info", "sparkles"),
    W.CHANGED: ("info", "pencil"),
    W.BLOCKED: ("bad", "ban"),
    W.LATE: ("bad", "clock"),
    W.WAITING: ("warn", "hourglass"),
    W.NO_OWNER: ("warn", "user-x"),
    W.TO_CLOSE: ("good", "circle-check"),
    W.CANDIDATE: ("info", "list-ordered"),
    W.BY_HAND: ("", "hand"),
}
ICONS = {
    D.SCHEDULE: "calendar-plus",
    D.KEEP: "circle",
    D.SPLIT: "split",
    D.DECLINE: "x",
}
KEEPS = {"proposed": "Keep in triage", "ready": "Keep ready", "scheduled": "Keep scheduled",
         "in_progress": "Keep going", "delivered": "Keep going"}  # fmt: skip


class Choice(NamedTuple):
    """One of the four decisions, with the key that takes it."""

    key: int
    value: str
    label: str
    icon: str
    # Why it is not possible now.
    blocks: list[str]
    is_chosen: bool


@dataclass(frozen=True)
class Row:
    """An item in the list at the left."""

    item: ReviewItem
    place: int
    url: str
    is_current: bool

    @property
    def is_decided(self) -> bool:
        return bool(self.item.decision)

    @property
    def words(self) -> str:
        return self.item.words or self.item.get_why_display()


@dataclass(frozen=True)
class Panel:
    """The item that is talked about."""

    mode: "Mode"
    item: ReviewItem

    @cached_property
    def about(self) -> About:
        return abouts(self.mode.here, [self.item.project])[0]

    @property
    def project(self) -> Project:
        return self.item.project

    @property
    def tone(self) -> str:
        return TONES[W(self.item.why)][0]

    @property
    def icon(self) -> str:
        return TONES[W(self.item.why)][1]

    @property
    def details(self) -> list[str]:
        """Say more of why it is on the agenda."""
        match self.item.why:
            case W.BLOCKED:
                return [self.project.blocked_by] if self.project.blocked_by else []
            case W.WAITING:
                return self.about.waits
            case W.LATE if self.project.increment:
                end = self.project.increment.end
                return [f"{self.project.increment.name} ended on {self._day(end)}."]
            case W.NEW:
                by = self.project.proposed_by.name
                return [f"{by} proposed it on {self.about.day(self.project.proposed_at)}."]
        return []

    @cached_property
    def choices(self) -> list[Choice]:
        here = self.mode.here
        return [
            Choice(
                key,
                decision,
                self._label(decision),
                ICONS[decision],
                blocks_of(self.project, decision, by=here.user, at=here.now),
                self.item.decision == decision,
            )
            for key, decision in enumerate(D, start=1)
        ]

    @property
    def blocked(self) -> list[Choice]:
        return [each for each in self.choices if each.blocks]

    @property
    def decided(self) -> str:
        """ "Decided 3 minutes ago by Noor Haddad"."""
        item = self.item
        if not item.decision or item.decided_at is None:
            return ""
        return f"Decided {ago_text(item.decided_at, self.mode.here.now)} by {item.decided_by}"

    @property
    def can_be_taken_back(self) -> bool:
        return bool(self.item.decision)

    @property
    def asks_why(self) -> bool:
        """Whether a change has to be explained: a move was made already."""
        return self.item.decision in MOVES

    @property
    def urls(self) -> dict[str, str]:
        args = [self.item.review_id, self.item.uuid]
        names = ("decide", "note", "remove")
        return {name: reverse(f"projects:review-{name}", args=args) for name in names}

    @property
    def moves(self) -> list[tuple[str, str]]:
        """Return what else can be done with it, beside the four decisions."""
        if self.project.state == "delivered":
            return [("Close it", reverse("projects:move", args=[self.project.pk, "close"]))]
        if self.project.state in ("scheduled", "in_progress"):
            return [("Put it on hold", reverse("projects:move", args=[self.project.pk, "hold"]))]
        return []

    def form(
        self, decision: str, data: QueryDict | None = None, *, initial: Any = None
    ) -> DecideForm:
        here = self.mode.here
        case = Case(obj=self.project, by=here.user, at=here.now, as_text=True)
        if decision != D.SCHEDULE:
            return DecideForm(case, decision, data, asks_why=self.asks_why, initial=initial)
        increments = _increments(self.about)
        suggested = _fitting(increments, self.project)
        return DecideForm(
            case,
            decision,
            data,
            increments=[(key, label) for key, label, _ in increments],
            stoppable=_stoppable(self.project, here),
            asks_why=self.asks_why,
            initial={"increment": suggested, **(initial or {})},
        )

    def _label(self, decision: ReviewItem.Decision) -> str:
        if decision == D.KEEP:
            return KEEPS.get(self.project.state, "Keep")
        if decision == D.SCHEDULE and self.project.state == "scheduled":
            return "Reschedule"
        return str(decision.label)

    def _day(self, day: dt.date) -> str:
        return day_text(day, self.mode.here.today)


@dataclass
class Mode:
    """A review under way as somebody sees it."""

    here: Here
    review: Review
    items: Sequence[ReviewItem]
    place: int
    # Where it is shown: "board" or "" for its own page.
    back: str = ""
    # The decision whose fields are asked for, with what was typed; null: none is chosen.
    form: DecideForm | None = None
    is_changing: bool = False
    # Why what was wished for was not done.
    problems: Sequence[str] = ()
    problem_title: str = ""
    typed_note: str | None = None
    typed: dict[str, str] = field(default_factory=dict)

    @property
    def may_run(self) -> bool:
        return permissions.can_run_reviews(self.here.user)

    @property
    def base(self) -> str:
        if self.back == BOARD:
            return f"{reverse('projects:board')}?view=review&"
        return f"{reverse('projects:review', args=[self.review.pk])}?"

    def url_of(self, place: int) -> str:
        return f"{self.base}{PLACE}={place}"

    @cached_property
    def rows(self) -> list[Row]:
        return [
            Row(item, place, self.url_of(place), place == self.place)
            for place, item in enumerate(self.items, start=1)
        ]

    @cached_property
    def panel(self) -> Panel | None:
        if not 1 <= self.place <= len(self.items):
            return None
        return Panel(self, self.items[self.place - 1])

    @property
    def decided_count(self) -> int:
        return sum(1 for item in self.items if item.decision)

    @property
    def left(self) -> int:
        return len(self.items) - self.decided_count

    @property
    def previous_url(self) -> str:
        return self.url_of(self.place - 1) if self.place > 1 else ""

    @property
    def next_url(self) -> str:
        return self.url_of(self.place + 1) if self.place < len(self.items) else ""

    @property
    def note(self) -> str:
        if self.typed_note is not None:
            return self.typed_note
        return self.panel.item.note if self.panel else ""

    @property
    def shows_choices(self) -> bool:
        """Whether the four decisions are offered: it is undecided, or is being changed."""
        panel = self.panel
        return panel is not None and (not panel.item.decision or self.is_changing)

    @cached_property
    def compared(self) -> list[tuple[str, str]]:
        """Return the candidates in threes, as links that put them side by side."""
        ids = [
            item.project_id for item in self.items if item.why == CANDIDATE and not item.decision
        ]
        return compare_links(self.review, ids)


def compare_links(review: Review, ids: Sequence[int]) -> list[tuple[str, str]]:
    url = reverse("projects:review-compare", args=[review.pk])
    return [
        (
            ", ".join(f"PRJ-{each}" for each in group),
            f"{url}?{'&'.join(f'p=PRJ-{each}' for each in group)}",
        )
        for group in threes(ids)
    ]


def mode_of(request: HttpRequest, here: Here, review: Review, *, back: str = "") -> Mode:
    """Return the review as the address asks: the item named, or the first undecided one."""
    items = list(selectors.items_of(review))
    mode = Mode(here, review, items, _place(request, items), back)
    mode.is_changing = CHANGE in request.GET
    decision = request.GET.get(DECIDE, "")
    if mode.may_run and mode.panel and decision in MOVES and mode.shows_choices:
        initial = {"increment": request.GET.get("increment", ""), "note": mode.note}
        mode.form = mode.panel.form(
            decision, initial={name: value for name, value in initial.items() if value}
        )
    return mode


def review_context(request: HttpRequest, here: Here, projects: Any) -> dict[str, Any]:
    """Return what the board shows as its review: the one under way, or when the next is.

    The agenda is one for everybody: filters of the board do not narrow it.
    """
    review = selectors.review_under_way()
    context: dict[str, Any] = {
        "review": review,
        "may_run": permissions.can_run_reviews(here.user),
        "back": BOARD,
    }
    if review is not None:
        return context | {"mode": mode_of(request, here, review, back=BOARD)}
    coming = selectors.next_review()
    return context | {
        "next_review": coming,
        "last_review": selectors.last_held(),
        "suggested": selectors.suggested_next(at=here.now),
        "lines": preview(here, coming) if coming else [],
    }


class Preview(NamedTuple):
    project: Project
    words: str
    why: str


def preview(here: Here, review: Review | None) -> list[Preview]:
    """Return what would stand on the agenda now, put on by hand included."""
    lines = selectors.agenda_preview(review, at=here.now)
    by_hand = list(review.items.order_by("position")) if review is not None else []
    known = {line.id for line in lines}
    ids = [*known, *(item.project_id for item in by_hand)]
    projects = Project.objects.in_bulk(ids)
    found = [Preview(projects[line.id], line.words, line.why) for line in lines]
    return found + [
        Preview(projects[item.project_id], item.words, item.why)
        for item in by_hand
        if item.project_id not in known
    ]


def _place(request: HttpRequest, items: Sequence[ReviewItem]) -> int:
    asked = request.GET.get(PLACE, "")
    if asked.isascii() and asked.isdecimal() and len(asked) <= 6 and 1 <= int(asked) <= len(items):  # noqa: PLR2004
        return int(asked)
    undecided = (place for place, item in enumerate(items, start=1) if not item.decision)
    return next(undecided, 1 if items else 0)


def _stoppable(project: Project, here: Here) -> list[tuple[str, str]]:
    """Return running work that could be put on hold, each with what that would cost."""
    running = list(selectors.running_projects(but=project))
    costs = stop_costs(running, on=here.today) if running else {}
    return [(each.number, _stop_label(each, costs[each.pk])) for each in running]


def _stop_label(project: Project, cost: Decimal) -> str:
    state = project.get_state_display().lower()
    lost = f"about {days_text(cost)} lost" if cost else "no days lost"
    return f"{project.number} {project.title} ({state}, {lost})"


def _increments(about: About) -> list[tuple[str, str, Decimal | None]]:
    """Return the increments to choose from, and the free days of those that come next."""
    free = {sheet.increment.pk: sheet.free for sheet in about.shared.room.sheets}
    today = about.here.today
    found = []
    for each in selectors.increments_ahead(today):
        label = f"{each.team}: {each.name}, {days_between_text(each.start, each.end, today)}"
        days = free.get(each.pk)
        if days is not None:
            label += f", {days_text(days)} free"
        found.append((str(each.uuid), label, days))
    return found


def _fitting(increments: Sequence[tuple[str, str, Decimal | None]], project: Project) -> str:
    """Suggest the first increment that has room for it."""
    need = project.days or Decimal(0)
    return next((key for key, _, days in increments if days is not None and days >= need), "")
