"""Projects as cards: the same words on the board, in lists and on the pages of what they serve."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from django.db.models import prefetch_related_objects
from django.utils.timezone import localtime

from config.lib.ui.formats import NEARLY_NOTHING, lift_text
from engagements.models import Effort, Impact, ServiceRequest
from people.models import User
from projects.models import LANES, Project, ProjectState
from projects.rules.capacity import days_words
from projects.selectors import lateness
from projects.selectors.board import NEW_FOR
from projects.selectors.cards import Facts, Paper, facts_of
from projects.views.addresses import project_url

LONG = 40
# From these scores on a card stands out, or at least not back.
HIGH_SCORE, MIDDLE_SCORE = Decimal(70), Decimal(45)
EFFORTS = {Effort.LOW: 1, Effort.MEDIUM: 2, Effort.HIGH: 3, Effort.VERY_HIGH: 4}
OUT = frozenset({"waiting", "unconfirmed", "weak", "superseded"})
DRAFTS = frozenset({"draft", "none"})


class Flag(NamedTuple):
    """What one should know of a card first."""

    label: str
    tone: str = ""
    icon: str = ""


class Again(NamedTuple):
    """A wish that came too late, and can be repeated as it was meant."""

    lane: str
    before: str


class Note(NamedTuple):
    """What stands on a card that was not moved."""

    words: str
    again: Again | None = None


class Level(NamedTuple):
    """Impact or effort: so many of four pips, and the word for it."""

    pips: int
    word: str


@dataclass(frozen=True)
class Card:
    project: Project
    facts: Facts
    today: dt.date
    note: Note | None = None

    @property
    def number(self) -> str:
        return self.project.number

    @property
    def title(self) -> str:
        return self.project.title

    @property
    def url(self) -> str:
        return project_url("projects:detail", self.project.pk)

    @property
    def score_url(self) -> str:
        return project_url("projects:score", self.project.pk)

    @property
    def lane(self) -> str:
        """Return what the column is called where it stands."""
        state = ProjectState(self.project.state)
        return str(LANES.get(state, state.label))

    @property
    def owner(self) -> User | None:
        return self.project.owner

    @property
    def accounts(self) -> str:
        """ "Kestrel Logistics", "6 accounts", or nothing."""
        names = [name for name, _, _ in self.facts.accounts]
        return names[0] if len(names) == 1 else f"{len(names)} accounts" if names else ""

    @property
    def seats(self) -> int | None:
        """Return the seats it would unlock; nothing where nobody said."""
        told = [seats for _, _, seats in self.facts.accounts if seats is not None]
        return sum(told) if told else None

    @property
    def impact(self) -> Level | None:
        value = self.project.impact
        return Level(5 - value, str(Impact(value).label)) if value else None

    @property
    def effort(self) -> Level | None:
        value = self.project.effort
        return Level(EFFORTS[Effort(value)], str(Effort(value).label)) if value else None

    @property
    def worth(self) -> str:
        """Say by what it is expected to move the number: "+3.8 points"; "" where nobody knows."""
        lift = self.project.lift
        if not lift:
            return ""
        told = lift_text(lift)
        return f"{told if told == NEARLY_NOTHING else f'+{told}'} points"

    @property
    def days(self) -> str:
        """Say what it takes: "5 days"; "" without an estimate."""
        return days_words(self.project.days) if self.project.days else ""

    @property
    def score(self) -> str:
        """Return the score without needless zeros: "72", "37.5"; "" without one."""
        value = self.project.score
        return f"{value.normalize():f}" if value is not None else ""

    @property
    def score_tone(self) -> str:
        value = self.project.score
        if value is None or value < MIDDLE_SCORE:
            return "low"
        return "mid" if value < HIGH_SCORE else ""

    @property
    def part(self) -> str:
        """Return "Part 2 of 3" for what was split, else nothing."""
        count = self.facts.parts
        return f"Part {self.project.part} of {count}" if count > 1 else ""

    @property
    def is_by_hand(self) -> bool:
        return self.facts.is_by_hand

    @property
    def days_late(self) -> int:
        """Return by how many days its last day is past; 0 where it is not."""
        return lateness.days_late(self.project, self.today)

    @cached_property
    def flag(self) -> Flag | None:
        """Return the one thing to know first."""
        return next((flag for flag in self._flags() if flag is not None), None)

    @property
    def sign_off(self) -> Flag | None:
        """Return how far what it serves is agreed to; nothing where nobody was asked yet."""
        found = next(filter(None, _paper_flags(self.facts.papers, self.today)), None)
        is_internal = self.project.kind == Project.Kind.INTERNAL
        return found or (Flag("Internal", "", "building") if is_internal else None)

    def _flags(self) -> "tuple[Flag | None, ...]":
        project = self.project
        is_open = not project.is_over
        return (
            Flag(str(project.get_state_display()), "line") if not is_open else None,
            Flag("On hold", "warn", "pause") if project.state == ProjectState.ON_HOLD else None,
            _blocked(project),
            _late(self.days_late),
            *_paper_flags(self.facts.papers, self.today),
            self._new(),
            Flag("Internal", "", "building") if project.kind == Project.Kind.INTERNAL else None,
        )

    def _new(self) -> Flag | None:
        project = self.project
        age = self.today - localtime(project.proposed_at).date()
        is_new = project.state == ProjectState.PROPOSED and age < NEW_FOR
        return Flag("New", "info", "sparkles") if is_new else None


def cards_of(
    projects: Collection[Project], *, today: dt.date, facts: Mapping[int, Facts] | None = None
) -> list[Card]:
    """Return their cards in the same order, in as many statements for one as for many."""
    found = list(projects)
    prefetch_related_objects(found, "owner", "increment")
    facts = facts_of(found, on=today) if facts is None else facts
    return [Card(each, facts.get(each.pk, Facts()), today) for each in found]


def _blocked(project: Project) -> Flag | None:
    if not project.blocked_by:
        return None
    words = project.blocked_by.strip().splitlines()[0]
    short = words if len(words) <= LONG else f"{words[: LONG - 1].rstrip()}…"
    return Flag(f"Blocked: {short}", "bad", "ban")


def _late(days: int) -> Flag | None:
    return Flag(f"{_days(days)} late", "bad", "clock") if days else None


def _paper_flags(papers: tuple[Paper, ...], today: dt.date) -> "tuple[Flag | None, ...]":
    """Return what is owed first: the worst paper of all its requests tells."""
    kinds = {paper.agreement.kind for paper in papers}
    waiting = [paper.request for paper in papers if paper.agreement.kind in OUT]
    return (
        _waiting(waiting, today) if waiting else None,
        Flag("Work at Risk", "bad", "triangle-alert") if "at_risk" in kinds else None,
        Flag("SOW draft", "line", "file-text") if kinds & DRAFTS else None,
        Flag("Signed", "good", "circle-check") if "signed" in kinds else None,
    )


def _waiting(requests: list[ServiceRequest], today: dt.date) -> Flag:
    moved = (localtime(each.moved_at).date() for each in requests if each.moved_at)
    since = min(moved, default=today)
    days = (today - since).days
    for_days = f" {_days(days)}" if days > 0 else ""
    return Flag(f"Waiting for sign-off{for_days}", "warn", "hourglass")


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"
