"""Accounts of a run that are counted by late readings: over a week old, and still used."""

import datetime as dt
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection

from metrics import rules
from metrics.models import MetricRun
from metrics.selectors import inputs, runs, summaries

LATE_DAYS = 7

LATE = """
    WITH seen AS (
        SELECT DISTINCT ON (account_id) account_id, eligible AND NOT unlimited AS in_ratio
        FROM metrics_metricrow
        WHERE definition_id = %(definition)s AND layer <= %(layer)s
          AND from_day <= %(day)s AND (to_day IS NULL OR to_day > %(day)s)
        ORDER BY account_id, layer DESC
    )
    SELECT {what}
    FROM ({instances}) AS latest (account_id, instance_id, counted, observed_at, source, seats)
    WHERE counted AND observed_at >= %(usable_from)s AND observed_at < %(fresh_from)s
"""
ONLY_IN_RATIO = "AND i.account_id IN (SELECT account_id FROM seen WHERE in_ratio)"


class LateSource(NamedTuple):
    """A source of seat counts from which some have not arrived."""

    source: str
    accounts: int
    last: dt.datetime


class Late(NamedTuple):
    """How many accounts in the ratio are counted by late readings, and whose these are."""

    accounts: int
    by_source: tuple[LateSource, ...]


def count_of(run: MetricRun, zone: ZoneInfo) -> int:
    """Return how many accounts in the ratio are counted by a reading over a week old."""
    return _late_of(run, zone).accounts


def by_source_of(run: MetricRun, zone: ZoneInfo) -> tuple[LateSource, ...]:
    """Return where the late counts of accounts in the ratio come from, most accounts first."""
    return _late_of(run, zone).by_source


@lru_cache(maxsize=64)
def _late_of(run: MetricRun, zone: ZoneInfo) -> Late:
    count = summaries.told_of(run, count_name(zone))
    told = summaries.told_of(run, sources_name(zone))
    if count is None or told is None:
        return find_late(run, zone)
    sources = (
        LateSource(source, accounts, dt.datetime.fromisoformat(last))
        for source, accounts, last in told
    )
    return Late(int(count), tuple(sources))


def count_name(zone: ZoneInfo) -> str:
    return f"late {zone.key}"


def sources_name(zone: ZoneInfo) -> str:
    return f"late by source {zone.key}"


def find_late(run: MetricRun, zone: ZoneInfo) -> Late:
    what = "GROUPING(source), source, count(DISTINCT account_id), max(observed_at)"
    sets = " GROUP BY GROUPING SETS ((), (source)) ORDER BY 1 DESC, 3 DESC, 2"
    (_, _, count, _), *sources = _late(run, zone, what, sets)
    return Late(int(count), tuple(LateSource(*line) for _, *line in sources))


def ids_of(run: MetricRun, zone: ZoneInfo) -> list[int]:
    return [account_id for (account_id,) in _late(run, zone, "DISTINCT account_id")]


def _late(run: MetricRun, zone: ZoneInfo, what: str, end: str = "") -> list[tuple[Any, ...]]:
    policy = runs.policy_of(run.definition)
    parameters: dict[str, Any] = {
        "definition": run.definition_id,
        "layer": run.revision,
        "day": run.day,
        "day_end": rules.start_of(run.day + dt.timedelta(days=1), zone),
        "known_at": run.known_at,
        "usable_from": rules.start_of(run.day - dt.timedelta(days=policy.stale_days), zone),
        "fresh_from": rules.start_of(run.day - dt.timedelta(days=LATE_DAYS), zone),
    }
    instances = inputs.INSTANCES.format(only=ONLY_IN_RATIO, **inputs.owned("i", {}))
    with connection.cursor() as cursor:
        cursor.execute(LATE.format(what=what, instances=instances) + end, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
