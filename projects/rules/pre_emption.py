"""What it costs to stop work for other work."""

from decimal import ROUND_HALF_UP, Decimal

HALF = Decimal("0.5")


def suggested_cost(days: Decimal | None, working: int, left: int) -> Decimal:
    """Return the days that are lost, in halves: the part of the work that the rest of the
    increment was for.

    `days` is what the work takes; null: as long as its increment. `working` are the working days
    of the increment, `left` those still to come. Nothing is lost before it begins or after it.
    """
    if working <= 0 or left <= 0 or left > working:
        return Decimal(0)
    whole = Decimal(working) if days is None else days
    halves = (whole * left / working / HALF).quantize(Decimal(1), ROUND_HALF_UP)
    return halves * HALF
