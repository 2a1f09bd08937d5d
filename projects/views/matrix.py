"""The board by impact and effort: each cell with its score, each project with its lift."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from accounts.here import Here
from config.lib.ui.formats import lift_text
from projects import permissions
from projects.models import Project
from projects.rules import scoring as rules
from projects.selectors.scoring import policy_on
from projects.views.cards import HIGH_SCORE, MIDDLE_SCORE

# Half the side of the square a bubble is drawn in, and the smallest bubble.
RADIUS, SMALLEST = 9.0, 2.0
MOST_IN_A_CELL = 50


@dataclass(frozen=True)
class Placed:
    """A project in its cell, with a bubble as large as its lift."""

    project: Project
    # Of the largest lift shown.
    share: float

    @property
    def url(self) -> str:
        return reverse("projects:detail", args=[self.project.pk])

    @property
    def score_url(self) -> str:
        return reverse("projects:score", args=[self.project.pk])

    @property
    def lift(self) -> str:
        lift = self.project.lift
        return lift_text(lift) if lift is not None else ""

    @property
    def radius(self) -> str:
        """The area, not the radius, says how large the lift is."""
        return f"{max(SMALLEST, RADIUS * math.sqrt(self.share)):.1f}"


@dataclass
class Place:
    """One cell."""

    impact: int
    effort: str
    value: Decimal
    placed: list[Placed] = field(default_factory=list)
    left_off: int = 0

    @property
    def score(self) -> str:
        return rules.plain(self.value)

    @property
    def tone(self) -> str:
        if self.value < MIDDLE_SCORE:
            return "low"
        return "mid" if self.value < HIGH_SCORE else "high"

    @property
    def count(self) -> int:
        return len(self.placed) + self.left_off

    @property
    def word(self) -> str:
        return f"{rules.EFFORTS[self.effort]} effort"

    @property
    def label(self) -> str:
        return f"{rules.IMPACTS[self.impact]} impact, {self.word.lower()}, score {self.score}"


@dataclass(frozen=True)
class Level:
    """A row or a column in words, and what that means."""

    word: str
    means: str
    places: Sequence[Place] = ()


def matrix_context(request: HttpRequest, here: Here, projects: QuerySet[Project]) -> dict[str, Any]:
    """Return what projects/board/matrix.html shows of the board's projects."""
    policy = policy_on(here.today)
    found = list(projects)
    most = max((each.lift for each in found if each.lift is not None), default=Decimal(0))
    by_cell: dict[tuple[int | None, str], list[Placed]] = defaultdict(list)
    for each in sorted(found, key=_by_lift):
        is_placed = each.impact and each.effort
        key = (each.impact, each.effort) if is_placed else (None, "")
        by_cell[key].append(Placed(each, _share(each.lift, most)))
    rows = [
        Level(
            rules.IMPACTS[row[0].impact],
            rules.IMPACT_MEANS[row[0].impact],
            [_place(cell, by_cell[cell.impact, cell.effort]) for cell in row],
        )
        for row in rules.matrix(policy)
    ]
    columns = [
        Level(word, rules.days_words(policy, effort)) for effort, word in rules.EFFORTS.items()
    ]
    unplaced = by_cell[None, ""]
    return {
        "rows": rows,
        "columns": columns,
        "unplaced": unplaced[:MOST_IN_A_CELL],
        "unplaced_left_off": max(0, len(unplaced) - MOST_IN_A_CELL),
        "example": rules.example(policy),
        "policy": policy,
        "may_move": permissions.can_score(here.user),
        "has_lift": most > 0,
        "next": request.get_full_path(),
    }


def _place(cell: rules.Cell, placed: list[Placed]) -> Place:
    left_off = max(0, len(placed) - MOST_IN_A_CELL)
    return Place(cell.impact, cell.effort, cell.score, placed[:MOST_IN_A_CELL], left_off)


def _by_lift(project: Project) -> tuple[bool, Decimal, int]:
    return (project.lift is None, -(project.lift or Decimal(0)), project.pk)


def _share(lift: Decimal | None, most: Decimal) -> float:
    return float(max(lift, Decimal(0)) / most) if lift is not None and most > 0 else 0.0
