"""What a silent vote says once it is closed: how far apart people are, and the middle."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from projects.rules.scoring import EFFORTS, IMPACTS


@dataclass(frozen=True, slots=True)
class Ballot:
    person: int
    impact: int
    effort: str


@dataclass(frozen=True, slots=True)
class Spread:
    """Counts by level, all levels; the median; whose vote is furthest from it."""

    impacts: Mapping[int, int]
    efforts: Mapping[str, int]
    impact: int
    effort: str
    # Nobody where all agree.
    furthest: frozenset[int]

    @property
    def is_unanimous(self) -> bool:
        return not self.furthest


def spread_of(ballots: Sequence[Ballot]) -> Spread | None:
    """Return the spread; nothing where nobody voted.

    Between two middle votes the careful one is taken: less impact, more effort.
    """
    if not ballots:
        return None
    levels = list(EFFORTS)
    middle = len(ballots) // 2
    impact = sorted(each.impact for each in ballots)[middle]
    effort = sorted(levels.index(each.effort) for each in ballots)[middle]
    apart = {
        each.person: abs(each.impact - impact) + abs(levels.index(each.effort) - effort)
        for each in ballots
    }
    most = max(apart.values())
    impacts = Counter(each.impact for each in ballots)
    efforts = Counter(each.effort for each in ballots)
    return Spread(
        impacts={level: impacts[level] for level in IMPACTS},
        efforts={each: efforts[each] for each in levels},
        impact=impact,
        effort=levels[effort],
        furthest=frozenset(person for person, far in apart.items() if most and far == most),
    )
