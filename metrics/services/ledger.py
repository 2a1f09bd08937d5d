"""Writes what a run saw into the ledger: a row only where it differs from what stands there."""

from typing import Any

from django.db import connection

from metrics.models import GONE, MetricRun
from metrics.selectors.judging import TOUCHED
from metrics.services.staging import COLUMNS, LISTED

SEEN = ", ".join(f"seen.{column}" for column in COLUMNS)
BASE = ", ".join(f"base.{column}" for column in COLUMNS)
COVERING = ", ".join(f"covering.{column}" for column in COLUMNS)
OVER_THE_DAY = """definition_id = %(definition)s AND from_day <= %(day)s
    AND (to_day IS NULL OR to_day > %(day)s)"""
WRITE = f"""
    INSERT INTO seen ({LISTED})
    SELECT DISTINCT account_id, NULL::numeric, 0, false, NULL::bigint, 'no_instance', false,
           NULL::boolean, '{GONE}', '', NULL::bigint, NULL::bigint
    FROM metrics_metricrow LEFT JOIN seen USING (account_id)
    WHERE layer <= %(layer)s AND {OVER_THE_DAY} AND seen.account_id IS NULL {{only}};

    CREATE TEMPORARY TABLE closing ON COMMIT DROP AS
    SELECT covering.id, covering.to_day, {COVERING} FROM metrics_metricrow covering
    LEFT JOIN seen USING (account_id)
    WHERE covering.layer = %(layer)s AND {OVER_THE_DAY} {{only}}
      AND ROW({SEEN}) IS DISTINCT FROM ROW({COVERING});

    UPDATE metrics_metricrow SET to_day = %(day)s
    FROM closing WHERE closing.id = metrics_metricrow.id;

    INSERT INTO metrics_metricrow (definition_id, layer, from_day, to_day, {LISTED})
    SELECT %(definition)s, %(layer)s, %(later)s, to_day, {LISTED} FROM closing
    WHERE %(later)s::date IS NOT NULL AND (to_day IS NULL OR to_day > %(later)s);

    INSERT INTO metrics_metricrow (definition_id, layer, from_day, to_day, {LISTED})
    SELECT %(definition)s, %(layer)s, %(day)s, %(later)s, {SEEN}
    FROM seen
    LEFT JOIN (SELECT * FROM metrics_metricrow
               WHERE layer = %(layer)s AND {OVER_THE_DAY} {{only}}) covering USING (account_id)
    LEFT JOIN (SELECT DISTINCT ON (account_id) * FROM metrics_metricrow
               WHERE layer < %(layer)s AND {OVER_THE_DAY} {{only}}
               ORDER BY account_id, layer DESC) base USING (account_id)
    WHERE covering.id IS NULL
      AND (base.id IS NULL OR ROW({SEEN}) IS DISTINCT FROM ROW({BASE}));
"""
DIFFERING = f"""
    SELECT account_id FROM seen FULL JOIN (
        SELECT DISTINCT ON (account_id) * FROM metrics_metricrow
        WHERE layer <= %(layer)s AND {OVER_THE_DAY} ORDER BY account_id, layer DESC
    ) base USING (account_id)
    WHERE (base.id IS NULL OR seen.account_id IS NULL OR ROW({SEEN}) IS DISTINCT FROM ROW({BASE}))
      AND NOT (seen.account_id IS NULL AND base.reason = '{GONE}')
    ORDER BY account_id
"""
ONLY_TOUCHED = f"AND account_id IN (SELECT account_id FROM {TOUCHED})"


def write_rows(run: MetricRun, *, only_touched: bool = False) -> None:
    """Write where the staged rows differ from what the run would see already.

    `covering` is this layer's row over the day; `base` the highest row of the layers below.
    Closing a row that reached past a later run of the layer puts its rest back behind it.
    An account that was seen before and no longer exists gets a row that says so.
    """
    later = (
        MetricRun.objects.filter(definition=run.definition, revision=run.revision, day__gt=run.day)
        .order_by("day")
        .values_list("day", flat=True)
        .first()
    )
    with connection.cursor() as cursor:
        cursor.execute(
            WRITE.format(only=ONLY_TOUCHED if only_touched else ""),
            {**_parameters(run), "later": later},
        )


def differing_accounts(run: MetricRun) -> list[int]:
    """Return the accounts for which the staged rows, of everybody, are not what the run saw."""
    with connection.cursor() as cursor:
        cursor.execute(DIFFERING, _parameters(run))
        return [account_id for (account_id,) in cursor.fetchall()]


def _parameters(run: MetricRun) -> dict[str, Any]:
    return {"definition": run.definition_id, "layer": run.revision, "day": run.day}
