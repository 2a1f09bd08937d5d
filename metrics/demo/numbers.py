"""What leadership of the demo company wants of the numbers beside its share of seats deployed."""

import datetime as dt
from decimal import ROUND_FLOOR, Decimal

from metrics.demo.people import email_of
from metrics.demo.story import ZONE
from metrics.models import MetricTarget
from metrics.selectors import runs
from metrics.services.runs import set_target
from people.models import User

LEADER = "Helena Marsh"
# How far each is to come from where it stands, and on which step its target lies.
LESS = {
    "arr-at-risk": (Decimal("0.75"), Decimal(100_000)),
    "early-warning": (Decimal("0.7"), Decimal(1)),
}
ADOPTION = Decimal("0.05")


def tell(*, now: dt.datetime) -> int:
    """Let leadership set three targets, once; return how many are new."""
    leader = User.objects.get(email=email_of(LEADER))
    today = now.astimezone(ZONE).date()
    quarter_end = _end_of_next_quarter(today)
    made = 0
    for slug in (*LESS, "adoption"):
        run = runs.run_on(slug)
        if run is None or run.value is None or MetricTarget.objects.filter(slug=slug).exists():
            continue
        is_less = slug in LESS
        value = _down(run.value, *LESS[slug]) if is_less else _up(run.value)
        set_target(slug, value, quarter_end, by=leader, at_most=is_less)
        made += 1
    return made


def _down(value: Decimal, share: Decimal, step: Decimal) -> Decimal:
    """Return a round target below where the number stands."""
    return (value * share / step).to_integral_value(ROUND_FLOOR) * step


def _up(value: Decimal) -> Decimal:
    """Return the share two steps of five points up, as far as shares go."""
    steps = (value / ADOPTION).to_integral_value(ROUND_FLOOR)
    return min((steps + 2) * ADOPTION, Decimal(1))


def _end_of_next_quarter(today: dt.date) -> dt.date:
    first = today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
    return (first + dt.timedelta(days=190)).replace(day=1) - dt.timedelta(days=1)
