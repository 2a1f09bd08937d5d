"""What follows from a review's moves, in their transaction."""

from events.workflow import Move


def make_agenda(move: Move) -> None:
    """Put on the agenda what has to be looked at."""


def send_minutes(move: Move) -> None:
    """Send what was decided to those who were there."""
