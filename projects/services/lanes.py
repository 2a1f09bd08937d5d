"""The order of cards in a column. Who changes it holds the column's lock."""

from collections.abc import Iterable

from django.db.models import Case, Q, Value, When

from projects.models import Lane, Project
from projects.rules import ranks


def lock_lanes(states: Iterable[str]) -> None:
    """Lock columns, in one order for everybody: the transaction holds them until its end."""
    rows = Lane.objects.select_for_update(no_key=True).filter(pk__in=set(states))
    list(rows.order_by("pk").values_list("pk"))


def key_by_score(state: str, project: Project) -> str:
    """Return a rank in the column: before the first card whose score is lower."""
    others = Project.objects.filter(state=state).exclude(pk=project.pk)
    lower = others.filter(score=None)
    if project.score is None:
        return key_before(state, None, project)
    lower = others.filter(Q(score__lt=project.score) | Q(score=None))
    return key_before(state, lower.order_by("rank").first(), project)


def key_before(state: str, before: Project | None, project: Project) -> str:
    """Return a rank directly before the card, or at the end of the column."""
    others = Project.objects.filter(state=state).exclude(pk=project.pk)
    after = before.rank if before is not None else None
    if after is not None:
        others = others.filter(rank__lt=after)
    previous = others.order_by("-rank").values_list("rank", flat=True).first()
    key = ranks.between(previous, after)
    if len(key) <= ranks.LONG:
        return key
    spread(state)
    if before is not None:
        before.refresh_from_db(fields=["rank"])
    return key_before(state, before, project)


def spread(state: str) -> None:
    """Give the cards of a column short keys, in the same order, in one statement each way."""
    ids = list(Project.objects.filter(state=state).order_by("rank").values_list("pk", flat=True))
    # A key of its own kind first: no row may meet the key of another on the way.
    for mark in ("~", ""):
        keys = [
            When(pk=pk, then=Value(mark + key))
            for pk, key in zip(ids, ranks.spread(len(ids)), strict=True)
        ]
        Project.objects.filter(pk__in=ids).update(rank=Case(*keys))
