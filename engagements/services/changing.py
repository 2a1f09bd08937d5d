"""Change control: what a change of a signed SOW takes, and what becomes of it."""

from events.workflow import Move


def drop_version(move: Move) -> None:
    """Throw away the draft of a change that will not be."""
    sow = move.obj.after
    if not sow.is_frozen and sow.discarded_at is None:
        sow.discarded_at = move.at
        sow.save(update_fields=["discarded_at"])
