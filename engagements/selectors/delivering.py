"""Reading what is delivered: deliverables with their evidence, and what was missed."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from accounts.selectors.facts import today
from config.lib.ui.formats import day_text
from config.lib.values import BadValue, parse_date
from engagements.models import (
    ServiceRequest,
    SignOff,
    SowVersion,
    Tick,
)
from engagements.rules import sow as sow_rules
from engagements.selectors.sows import current_sow, newest_frozen

REJECTED = "The customer rejected a delivery."


@dataclass(frozen=True)
class Deliverable:
    """What the SOW promises, and what shows that it is done."""

    key: str
    what: str
    detail: str
    by_whom: str
    by_when: dt.date | None
    tick: Tick | None


def deliverables_of(request: ServiceRequest) -> list[Deliverable]:
    """Return what the SOW promises, in its order."""
    sow = promised_sow(request)
    if sow is None:
        return []
    ticks = {tick.key: tick for tick in request.ticks.select_related("by", "attachment")}
    return [
        Deliverable(
            key=row["key"],
            what=row["what"],
            detail=row.get("detail") or "",
            by_whom=row.get("by_whom") or "",
            by_when=_day(row.get("by_when")),
            tick=ticks.get(row["key"]),
        )
        for row in sow.content.get("deliverables", [])
    ]


def promised_sow(request: ServiceRequest) -> SowVersion | None:
    """Return the version that says what is to be delivered: the newest that was sent.

    Where the current one says again what an earlier one said, that one; where none was sent,
    the draft: work at risk is work on it.
    """
    current = current_sow(request)
    if current is None or current.is_frozen:
        return current
    sent = request.sows.filter(frozen_at__isnull=False)
    same = sent.filter(digest=current.digest).order_by("-number").first()
    return same or newest_frozen(request) or current


def open_deliverables(request: ServiceRequest) -> list[str]:
    """Return what the SOW promises and is not ticked yet."""
    return [each.what for each in deliverables_of(request) if each.tick is None]


def agreed_sow(request: ServiceRequest) -> SowVersion | None:
    """Return the newest version that the customer agreed to."""
    agreed = request.sign_offs.filter(purpose=SignOff.Purpose.SOW, state=SignOff.State.AGREED)
    return request.sows.filter(pk__in=agreed.values("sow")).order_by("-number").first()


def what_was_missed(request: ServiceRequest) -> str:
    """Return which dates were missed, and whether the scope was; "" where nothing was.

    The dates are those the customer agreed to last; days are the company's.
    """
    return " ".join(_missed(request))


def _missed(request: ServiceRequest) -> Iterator[str]:
    sow = agreed_sow(request) or newest_frozen(request)
    if sow is not None and request.delivered_at is not None:
        yield from _late(request, sow, today(request.delivered_at))
    rejected = request.sign_offs.filter(
        purpose=SignOff.Purpose.DELIVERY, state=SignOff.State.REJECTED
    )
    if rejected.exists():
        yield REJECTED


def _late(request: ServiceRequest, sow: SowVersion, delivered_on: dt.date) -> Iterator[str]:
    done = dict(request.ticks.values_list("key", "done_on"))
    for row in sow.content.get("deliverables", []):
        due, done_on = _day(row.get("by_when")), done.get(row["key"])
        if due and done_on and done_on > due:
            yield f"“{row['what']}” was due on {day_text(due)} and done on {day_text(done_on)}."
    due = _day(sow_rules.last_due(sow.content))
    if due and delivered_on > due:
        yield f"It was due on {day_text(due)} and delivered on {day_text(delivered_on)}."


def _day(value: Any) -> dt.date | None:
    try:
        return parse_date(value)
    except BadValue:
        return None
