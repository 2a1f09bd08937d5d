"""Reading scores: the policy of a day, and what was scored when, by whom and why."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Case, DecimalField, F, Q, QuerySet, Value, When

from people.models import User
from projects.models import OVER, Project, RankOverride, ScorePolicy, Scoring, VoteRound
from projects.rules import scoring as rules
from projects.rules.ranking import Override, Ranked, ranked
from projects.rules.scoring import Arithmetic, Policy
from projects.rules.voting import Ballot, Spread, spread_of

SCORE = DecimalField(max_digits=7, decimal_places=2)


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer of the history, with how its score came about under the policy of its day."""

    scoring: Scoring
    arithmetic: Arithmetic | None
    is_first: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """Who said so, and when."""

    by: User
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Poll:
    """A round of votes as one person may see it: the others' only once it is closed."""

    round: VoteRound
    voters: int
    own: Ballot | None
    # Nothing while the round is open.
    spread: Spread | None = None
    furthest: tuple[User, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.round.closed_at is None


def policy_row_on(day: dt.date) -> ScorePolicy:
    """Return the row that holds on the day; the first one there is for days before it."""
    rows = ScorePolicy.objects.order_by("-start")
    return rows.filter(start__lte=day).first() or ScorePolicy.objects.earliest("start")


def read(row: ScorePolicy) -> Policy:
    return rules.read_policy(
        number=row.number,
        start=row.start,
        points=row.points,
        factors=row.factors,
        days=row.days,
    )


def policy_on(day: dt.date) -> Policy:
    return read(policy_row_on(day))


def policies() -> list[ScorePolicy]:
    """Return all policies, the one that begins last first."""
    return list(ScorePolicy.objects.select_related("made_by").order_by("-start"))


def history_of(project: Project, *, most: int | None = None) -> list[Entry]:
    """Return what was scored, the newest first."""
    rows = list(
        Scoring.objects.filter(project=project)
        .select_related("by", "policy")
        .order_by("-at", "-pk")[: most + 1 if most else None]
    )
    known = {row.policy_id: read(row.policy) for row in rows}
    return [
        Entry(
            row,
            rules.arithmetic(known[row.policy_id], row.impact, row.effort),
            is_first=place == len(rows) - 1,
        )
        for place, row in enumerate(rows[:most])
    ]


def set_by(history: Sequence[Entry], name: str) -> Setting | None:
    """Return who gave impact or effort its value of today, from the whole history."""
    found: Setting | None = None
    value = getattr(history[0].scoring, name) if history else None
    if value in (None, ""):
        return None
    for entry in history:
        if getattr(entry.scoring, name) != value:
            break
        found = Setting(entry.scoring.by, entry.scoring.at)
    return found


def under(policy: Policy) -> Case:
    """Return each project's score under the policy, for a statement over many projects."""
    cells = [cell for row in rules.matrix(policy) for cell in row]
    whens = [When(impact=cell.impact, effort=cell.effort, then=Value(cell.score)) for cell in cells]
    return Case(*whens, default=Value(None, output_field=SCORE), output_field=SCORE)


def scored_otherwise(policy: Policy) -> QuerySet[Project]:
    """Return the open projects whose stored score is not that of the policy."""
    rows = Project.objects.exclude(state__in=OVER).annotate(due=under(policy))
    same = Q(score=F("due")) | Q(score=None, due=None)
    return rows.exclude(same).order_by("pk")


def overrides_on(day: dt.date) -> QuerySet[RankOverride]:
    """Return the moves by hand that hold on the day, the oldest first."""
    rows = RankOverride.objects.filter(ended_at=None, expires_on__gte=day)
    return rows.select_related("by").order_by("at", "pk")


def override_of(project: Project, *, on: dt.date) -> RankOverride | None:
    rows = overrides_on(on).filter(project=project)
    return rows.select_related("by", "before").first()


def order_of(
    projects: QuerySet[Project], *, on: dt.date, scores: dict[int, Decimal | None] | None = None
) -> list[int]:
    """Return the keys of the projects in the order of the ranked list.

    `scores` take the place of those stored, to ask how a policy would rank.
    """
    rows = projects.order_by().values_list("pk", "score", "lift", "lift_seats")
    cards = [
        Ranked(id=pk, score=scores.get(pk) if scores is not None else score, lift=lift, seats=seats)
        for pk, score, lift, seats in rows
    ]
    moves = overrides_on(on).values_list("project_id", "before_id")
    return ranked(cards, [Override(*each) for each in moves])


def poll_of(project: Project, *, to: User) -> Poll | None:
    """Return the newest round of votes on a project, as far as the person may see it."""
    newest = VoteRound.objects.filter(project=project).order_by("-opened_at", "-pk")
    found = newest.select_related("opened_by", "closed_by").first()
    return poll(found, to=to) if found else None


def poll(round_: VoteRound, *, to: User) -> Poll:
    own = round_.votes.filter(by=to).first()
    ballot = Ballot(own.by_id, own.impact, own.effort) if own else None
    if round_.closed_at is None:
        return Poll(round_, round_.votes.count(), ballot)
    votes = list(round_.votes.select_related("by").order_by("by__name", "pk"))
    found = spread_of([Ballot(each.by_id, each.impact, each.effort) for each in votes])
    far = found.furthest if found else frozenset()
    people = tuple(each.by for each in votes if each.by_id in far)
    return Poll(round_, len(votes), ballot, found, people)
