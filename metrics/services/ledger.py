"""Writes what a run saw into the ledger: a row only where it differs from what stands there."""

from typing import Any

from django.db import connection

from metrics.models import GONE, MetricRun
from metrics.selectors.judging import TOUCHED
from metrics.services.staging import COLUMNS, LISTED

SEEN = ", ".join(f"seen.{column}" for column in COLUMNS)
BASE = ", ".join(f"base.{column}" for column in COLUMNS)
STANDING = ", ".join(f"standing.{column}" for column in COLUMNS)
CLOSED = ", ".join(f"closed.{column}" for column in COLUMNS)
OVER_THE_DAY = """definition_id = %(definition)s AND from_day <= %(day)s
    AND (to_day IS NULL OR to_day > %(day)s)"""
# What a row says of an account that is no more, where the columns may not be null.
IF_GONE = {
    "licensed": "0",
    "unlimited": "false",
    "data_state": "'no_instance'",
    "eligible": "false",
    "reason": f"'{GONE}'",
    "region": "''",
}
SEEN_OR_GONE = ", ".join(
    f"coalesce(seen.{column}, {IF_GONE[column]}) AS {column}" if column in IF_GONE
    else f"seen.{column}"
    for column in COLUMNS
    if column != "account_id"
)  # fmt: skip
# The next run of the layer, behind which a closed row goes on.
LATER = """(SELECT min(day) FROM metrics_metricrun
    WHERE definition_id = %(definition)s AND revision = %(layer)s AND day > %(day)s)"""
# One pass over what stands there, closed before anything takes its place.
WRITE = f"""
    WITH changed AS MATERIALIZED (
        SELECT account_id, {SEEN_OR_GONE}, {{former}} AS former, {{is_new}} AS is_new
        FROM seen FULL JOIN ({{standing}}) standing USING (account_id) {{base}}
        WHERE ROW({SEEN}) IS DISTINCT FROM ROW({STANDING})
          AND (seen.account_id IS NOT NULL OR standing.reason <> '{GONE}')
    ), closed AS (
        UPDATE metrics_metricrow SET to_day = %(day)s
        FROM changed WHERE changed.former = metrics_metricrow.id
        RETURNING metrics_metricrow.id
    ), done AS MATERIALIZED (
        SELECT count(*) AS count FROM closed
    ), put_back AS (
        INSERT INTO metrics_metricrow (definition_id, layer, from_day, to_day, {LISTED})
        SELECT %(definition)s, %(layer)s, {LATER}, closed.to_day, {CLOSED}
        FROM changed JOIN metrics_metricrow closed ON closed.id = changed.former
        WHERE (closed.to_day IS NULL OR closed.to_day > {LATER})
          AND {LATER} IS NOT NULL AND (SELECT count FROM done) >= 0
    )
    INSERT INTO metrics_metricrow (definition_id, layer, from_day, to_day, {LISTED})
    SELECT %(definition)s, %(layer)s, %(day)s, {LATER}, {LISTED}
    FROM changed WHERE is_new AND (SELECT count FROM done) >= 0
"""
FIRST_LAYER = {
    "former": "standing.id",
    "is_new": "true",
    "standing": f"""SELECT * FROM metrics_metricrow
        WHERE layer = %(layer)s AND {OVER_THE_DAY} {{only}}""",
    "base": "",
}
HIGHEST = f"""SELECT DISTINCT ON (account_id) * FROM metrics_metricrow
    WHERE layer {{below}} %(layer)s AND {OVER_THE_DAY} {{only}}
    ORDER BY account_id, layer DESC"""
# A row of the layer itself is closed; one of those below stays, and where it says the same
# nothing has to be said again.
REVISION = {
    "former": "CASE WHEN standing.layer = %(layer)s THEN standing.id END",
    "is_new": f"base.id IS NULL OR ROW({SEEN}) IS DISTINCT FROM ROW({BASE})",
    "standing": HIGHEST.replace("{below}", "<="),
    "base": f"LEFT JOIN ({HIGHEST.replace('{below}', '<')}) base USING (account_id)",
}
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

    `standing` is the row the run would see, `base` the highest one of the layers below. Closing a
    row that reached past a later run of the layer puts its rest back behind it. An account that
    was seen before and no longer exists gets a row that says so.
    """
    parts = FIRST_LAYER if run.revision == 1 else REVISION
    only = ONLY_TOUCHED if only_touched else ""
    filled = {name: part.format(only=only) for name, part in parts.items()}
    with connection.cursor() as cursor:
        cursor.execute(WRITE.format(**filled), _parameters(run))


def differing_accounts(run: MetricRun) -> list[int]:
    """Return the accounts for which the staged rows, of everybody, are not what the run saw."""
    with connection.cursor() as cursor:
        cursor.execute(DIFFERING, _parameters(run))
        return [account_id for (account_id,) in cursor.fetchall()]


def _parameters(run: MetricRun) -> dict[str, Any]:
    return {"definition": run.definition_id, "layer": run.revision, "day": run.day}
