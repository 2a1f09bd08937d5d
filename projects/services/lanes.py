"""The order of cards in a column. Who changes it holds the column's lock."""

from collections.abc import Iterable

from django.db import connection
from django.db.models import Q

from projects.models import Lane, Project
from projects.rules import ranks

SPREAD = """
    UPDATE projects_project AS card SET rank = %s || given.rank
    FROM unnest(%s::bigint[], %s::text[]) AS given (id, rank) WHERE card.id = given.id
"""


def lock_lanes(states: Iterable[str]) -> None:
    """Lock columns, in one order for everybody: the transaction holds them until its end."""
    rows = Lane.objects.select_for_update(no_key=True).filter(pk__in=set(states))
    list(rows.order_by("pk").values_list("pk"))


def key_by_score(state: str, project: Project) -> str:
    """Return a rank in the column: before the first card whose score is lower."""
    if project.score is None:
        return key_before(state, None, project)
    others = Project.objects.filter(state=state)
    if project.state == state:
        others = others.exclude(pk=project.pk)
    # The index of ranks carries the score: no card is read for this.
    lower = others.filter(Q(score__lt=project.score) | Q(score=None))
    after = lower.order_by("rank").values_list("rank", flat=True).first()
    key = _key_at(state, after, project)
    return key or key_by_score(state, project)


def key_before(state: str, before: Project | None, project: Project) -> str:
    """Return a rank directly before the card, or at the end of the column."""
    key = _key_at(state, before.rank if before is not None else None, project)
    if key:
        return key
    if before is not None:
        before.refresh_from_db(fields=["rank"])
    return key_before(state, before, project)


def _key_at(state: str, after: str | None, project: Project) -> str:
    """Return a rank before this one; "" where keys grew so long that the column was spread."""
    others = Project.objects.filter(state=state).exclude(pk=project.pk)
    if after is not None:
        others = others.filter(rank__lt=after)
    previous = others.order_by("-rank").values_list("rank", flat=True).first()
    key = ranks.between(previous, after)
    if len(key) <= ranks.LONG:
        return key
    spread(state)
    return ""


def spread(state: str) -> None:
    """Give the cards of a column short keys, in the same order: three statements for any number."""
    ids = list(Project.objects.filter(state=state).order_by("rank").values_list("pk", flat=True))
    keys = ranks.spread(len(ids))
    with connection.cursor() as cursor:
        # A key of its own kind first: no row may meet the key of another on the way.
        for mark in ("~", ""):
            cursor.execute(SPREAD, [mark, ids, keys])
