"""What a change of a signed statement of work takes: domain.md calls it change control. Pure."""

import calendar
import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engagements.rules import sow

WORDING, LONGER, LARGER = "wording", "longer", "larger"
# From this much later on it is a larger change.
MONTHS = 2


def kind_of(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    days_before: Decimal | None = None,
    days_after: Decimal | None = None,
) -> str:
    """Return what the change takes. Where nobody estimated the effort, only dates count."""
    if days_before is not None and days_after is not None and days_after > days_before:
        return LARGER
    was, now = last_day(before), last_day(after)
    if was is None or now is None or now <= was:
        return WORDING
    return LARGER if now >= months_after(was, MONTHS) else LONGER


def last_day(content: Mapping[str, Any]) -> dt.date | None:
    """Return the day on which all is delivered: of the timeframe, or of a later deliverable."""
    frame = content.get("timeframe") or {}
    latest = max(frame.get("end") or "", sow.last_due(content) or "")
    return dt.date.fromisoformat(latest) if latest else None


def months_after(day: dt.date, months: int) -> dt.date:
    """Return the same day of a later month, or that month's last."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
