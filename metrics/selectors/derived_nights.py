"""The nights that contraction adds up, over another window than that of the definition."""

import datetime as dt
from typing import Any

from metrics.models import MetricRun
from metrics.rules.derived import CONTRACTION


def over(slug: str, base: MetricRun, window_days: int) -> dict[str, Any]:
    """Return `night` and `nights` as the parts of a run of contraction hold them.

    `base` is the run whose rows it is made from. Of the nights before, what was known of them when
    it was computed; its own is the one that was told of it.
    """
    told = MetricRun.objects.filter(definition__slug=slug, definition__rule=CONTRACTION).exclude(
        status=MetricRun.Status.TRIAL
    )
    own = told.filter(base=base).order_by("-definition__number").first()
    night = own.parts["night"] if own else {}
    before = (
        told.filter(
            day__lt=base.day,
            day__gt=base.day - dt.timedelta(days=window_days),
            known_at__lte=base.known_at,
        )
        .order_by("day", "-definition__number", "-revision")
        .distinct("day")
    )
    first = (base.day - dt.timedelta(days=window_days - 1)).isoformat()
    nights = [run.parts["night"] for run in before] + [night]
    return {
        "night": night,
        "nights": [each for each in nights if each and each["day"] >= first and _fell(each)],
    }


def _fell(night: dict[str, Any]) -> bool:
    return bool(int(night["seats"]) or int(night["churned_seats"]))
