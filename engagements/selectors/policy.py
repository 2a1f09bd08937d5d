"""The policy of a day, as the Handbook page shows it."""

import datetime as dt
from typing import Any

from django.db.models import Q

from engagements.models import (
    Holiday,
    ReasonCode,
    RoutingRule,
    ServiceLevel,
)
from engagements.selectors.calendar import hours_on
from engagements.selectors.signoffs import minimums_on, policy_on

HOLIDAYS_SHOWN = 12


def policy_shown(day: dt.date) -> dict[str, Any]:
    """Return the rows of policy that hold on the day, by what they are about."""
    holds = Q(end=None) | Q(end__gt=day)
    return {
        "rules": RoutingRule.objects.filter(holds, start__lte=day).order_by("priority", "pk"),
        "minimums": minimums_on(day).order_by("amount_from", "pk"),
        "sign_off_policy": policy_on(day),
        "levels": ServiceLevel.objects.filter(holds, start__lte=day).order_by("clock", "hours"),
        "hours": hours_on(day),
        "holidays": Holiday.objects.filter(day__gte=day).order_by("day")[:HOLIDAYS_SHOWN],
        "reasons": ReasonCode.objects.filter(is_active=True).order_by("kind", "pk"),
    }
