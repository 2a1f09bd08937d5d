"""Who could reach the line with a few more seats, and who is about to fall under it."""

import datetime as dt
from collections.abc import Collection
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import F, OuterRef, Q, Subquery

from metrics import rules
from metrics.models import MetricRow, MetricRun
from metrics.rules import lift
from metrics.selectors import bands, inputs, rows, runs

# It falls who would be under the line if the trend went on so many times as long.
TREND_DAYS, TREND_TIMES = lift.TREND_DAYS, lift.TREND_TIMES
FALLING = Q(fell__gt=0, above__lt=F("fell") * TREND_TIMES)


def run_before(run: MetricRun, *, known_at: dt.datetime | None = None) -> MetricRun | None:
    """Return the run that the trend is measured against."""
    day = run.day - dt.timedelta(days=TREND_DAYS)
    return runs.run_on(run.definition.slug, day, known_at=known_at)


def to_go(run: MetricRun, before: MetricRun | None) -> Any:
    """Return the accounts below the line with `to_go`, `renews_on`, `deployed_before`."""
    return _measured(run, before).filter(bands.BANDS["below"])


def about_to_fall(run: MetricRun, before: MetricRun | None) -> Any:
    """Return the accounts above the line by few seats or on a falling trend, with `above`."""
    measured = _measured(run, before).annotate(fell=F("deployed_before") - F("deployed"))
    passing: Any = rows.IN_RATIO & Q(passes=True)
    return measured.filter(passing, bands.BANDS["falling"] | FALLING)


def _measured(run: MetricRun, before: MetricRun | None) -> Any:
    found = bands.measured(run).select_related("account", "tier", "tam")
    return found.annotate(
        renews_on=bands.renews_on(run),
        deployed_before=_deployed_in(before),
    )


def _deployed_in(run: MetricRun | None) -> Subquery:
    layers = MetricRow.objects.none()
    if run is not None:
        layers = MetricRow.objects.filter(
            Q(to_day=None) | Q(to_day__gt=run.day),
            definition=run.definition_id,
            layer__lte=run.revision,
            account=OuterRef("account_id"),
            from_day__lte=run.day,
        )
    return Subquery(layers.order_by("-layer").values("deployed")[:1])


LAST_READINGS = """
    SELECT account_id, max(observed_at)
    FROM ({instances}) AS latest (account_id, instance_id, counted, observed_at, source, seats)
    WHERE counted GROUP BY account_id
"""


def last_readings(
    run: MetricRun, account_ids: Collection[int], zone: ZoneInfo
) -> dict[int, dt.datetime | None]:
    """Return when each account was last counted, stale or not, as the run knew it."""
    instances = inputs.INSTANCES.format(
        only="AND i.account_id = ANY(%(only)s)", **inputs.owned("i", {})
    )
    parameters: dict[str, Any] = {
        "day_end": rules.start_of(run.day + dt.timedelta(days=1), zone),
        "known_at": run.known_at,
        "only": list(account_ids),
    }
    with connection.cursor() as cursor:
        cursor.execute(LAST_READINGS.format(instances=instances), parameters)
        return dict(cursor.fetchall())
