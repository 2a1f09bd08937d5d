"""Who is told of what happens to a project."""

from events.workflow import Move


def tell(move: Move) -> None:
    """Tell those whom the move concerns, each of them once."""
