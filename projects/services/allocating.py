"""Who is on what in an increment. Filled in by planning; moves call these."""

from events.workflow import Changes, Move
from projects.models import Allocation


def checked_capacity(move: Move) -> Changes:
    """Refuse what does not fit, or who is away, unless it is said why it is done all the same."""
    return {}


def promise_days(move: Move) -> None:
    """Make what was pencilled in for the project in the increment a promise."""
    rows = Allocation.objects.filter(project=move.obj)
    rows.exclude(increment=move.obj.increment).delete()
    rows.update(is_hard=True)


def release_days(move: Move) -> None:
    Allocation.objects.filter(project=move.obj).delete()


def soften_days(move: Move) -> None:
    Allocation.objects.filter(project=move.obj).update(is_hard=False)
