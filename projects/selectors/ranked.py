"""The ranked list of what could be done next, and how a policy would change it."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from projects.models import OVER, Project, ProjectState
from projects.rules import scoring as rules
from projects.rules.scoring import Policy
from projects.selectors.scoring import order_of

MOST_SHOWN = 100
# What is still to be begun: days of work under way are taken out of the free days already.
TO_COME = (ProjectState.PROPOSED, ProjectState.READY, ProjectState.SCHEDULED)


@dataclass(frozen=True, slots=True)
class Moved:
    """How a policy would move one project."""

    project: Project
    score_was: Decimal | None
    score: Decimal | None
    rank_was: int
    rank: int

    @property
    def places(self) -> int:
        """How many places it rises; less than 0 where it falls."""
        return self.rank_was - self.rank

    @property
    def steps(self) -> int:
        return abs(self.places)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a policy would do to the projects that are open on a day."""

    moved: list[Moved]
    # How many keep their place, among all there are.
    stay: int
    total: int

    @property
    def shown(self) -> list[Moved]:
        """Return those that move most, in their new order."""
        most = sorted(self.moved, key=lambda each: (-each.steps, each.rank))[:MOST_SHOWN]
        return sorted(most, key=lambda each: each.rank)

    @property
    def left_off(self) -> int:
        return max(0, len(self.moved) - MOST_SHOWN)

    @property
    def rise(self) -> list[Moved]:
        return [each for each in self.moved if each.places > 0]

    @property
    def fall(self) -> list[Moved]:
        return [each for each in self.moved if each.places < 0]


def preview(policy: Policy, *, on: dt.date) -> Preview:
    """Rank the open projects as they stand and under the policy. Nothing is written."""
    rows = Project.objects.exclude(state__in=OVER)
    found = {row.pk: row for row in rows.only("pk", "title", "score", "impact", "effort")}
    scores = {pk: rules.score_of(policy, row.impact, row.effort) for pk, row in found.items()}
    was = {pk: place for place, pk in enumerate(order_of(rows, on=on), 1)}
    becomes = order_of(rows, on=on, scores=scores)
    moved = [
        Moved(found[pk], found[pk].score, scores[pk], was[pk], place)
        for place, pk in enumerate(becomes, 1)
        if pk in found and was.get(pk, place) != place
    ]
    return Preview(moved, len(found) - len(moved), len(found))
