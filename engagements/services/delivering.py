"""Deliverables ticked with evidence, artefacts with an owner, and what is handed over."""

from events.workflow import Move


def freeze_delivery(move: Move) -> None:
    """Keep what is handed over as the customer will see it, hashed."""
