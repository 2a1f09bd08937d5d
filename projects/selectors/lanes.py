"""Columns of the board and their limits."""

from projects.models import Lane, Project


def is_full(state: str) -> bool:
    """Say whether one more card in the column has to be explained."""
    lane = Lane.objects.filter(pk=state).first()
    if lane is None or lane.limit is None:
        return False
    return Project.objects.filter(state=state).count() >= lane.limit
