"""Computes a run from an earlier one, judging only the accounts that may have changed."""

import datetime as dt
import logging
from collections import Counter
from typing import Any

from django.db import DataError, connection, transaction

from metrics import rules
from metrics.models import GONE, MetricDefinition, MetricRun
from metrics.selectors import digests, inputs, judging, touched
from metrics.selectors.digests import FORMAT, InputsSum
from metrics.services.staging import Counts, Staged, stage

logger = logging.getLogger(__name__)

# From further back than that, or with more than every third account touched, it is as quick to
# judge all of them.
MOST_DAYS = 35
MOST_TOUCHED = 3
# Fewer readings than that are looked through however few accounts there are.
FEW_READINGS = 1000
SEVERAL = 3
FEW_CANDIDATES = 500

# A few accounts are looked up, however large the tables are that might be scanned instead.
BY_INDEX = "SET LOCAL random_page_cost = 1.1;"
BEFORE = f"""
    SELECT count(*) FILTER (WHERE oldest = %(oldest_before)s), {digests.SUMMED}
    FROM (SELECT oldest, {digests.HASH_PARTS} FROM ({{judged}}) judged {digests.HASHED}) known
"""
OLDEST = """
    SELECT min(oldest) FILTER (WHERE eligible AND NOT unlimited), bool_or(undecided)
    FROM ({judged}) judged
"""
# What the earlier run said of the accounts.
ROWS_BEFORE = f"""
    SELECT eligible AND NOT unlimited, passes, reason, count(*), count(deployed)
    FROM (SELECT DISTINCT ON (account_id) * FROM metrics_metricrow
          WHERE definition_id = %(definition)s AND layer <= %(layer)s AND from_day <= %(day)s
            AND (to_day IS NULL OR to_day > %(day)s)
            AND account_id IN (SELECT account_id FROM {judging.TOUCHED})
          ORDER BY account_id, layer DESC) seen_before
    WHERE reason <> '{GONE}' GROUP BY 1, 2, 3
"""
# The first accounts with an instance whose latest reading lies in a stretch of time.
CANDIDATES = "candidates"
FIND_CANDIDATES = f"""
    DROP TABLE IF EXISTS pg_temp.{CANDIDATES};
    CREATE TEMPORARY TABLE {CANDIDATES} ON COMMIT DROP AS
    SELECT i.account_id, min(r.observed_at) AS observed_at FROM accounts_seatreading r
    JOIN accounts_instance_version i ON i.fact_id = r.instance_id AND {inputs.KNOWN.format("i")}
    WHERE r.observed_at >= %(since)s AND r.observed_at < %(until)s
      AND {inputs.KNOWN.format("r")}
      AND NOT EXISTS (
          SELECT FROM accounts_seatreading newer
          WHERE newer.instance_id = r.instance_id AND newer.observed_at > r.observed_at
            AND newer.observed_at >= %(since)s AND newer.observed_at < %(day_end)s
            AND {inputs.KNOWN.format("newer")})
    GROUP BY i.account_id ORDER BY 2 LIMIT {FEW_CANDIDATES};
    ANALYZE {CANDIDATES};
    SELECT count(*), max(observed_at) FROM {CANDIDATES};
"""
COUNT_READINGS = """
    SELECT count(*) FROM (
        SELECT FROM accounts_seatreading
        WHERE observed_at >= %(since)s AND observed_at < %(until)s LIMIT %(most)s) read
"""


class CannotContinue(Exception):
    """Judge everybody."""


def base_of(
    definition: MetricDefinition, at: inputs.Moment, *, on_trial: bool = False
) -> MetricRun | None:
    """Return the newest run that a run at the moment may start from.

    One on trial starts from one on trial, and any other from any other.
    """
    found = MetricRun.objects.filter(
        definition=definition,
        day__lte=at.day.day,
        day__gte=at.day.day - dt.timedelta(days=MOST_DAYS),
        known_at__lte=at.known_at,
        inputs_format=FORMAT,
    ).exclude(inputs_sum="")
    trial = MetricRun.Status.TRIAL
    found = found.filter(status=trial) if on_trial else found.exclude(status=trial)
    return found.order_by("-day", "-revision").first()


def stage_from(
    base: MetricRun, at: inputs.Moment, policy: rules.Policy, *, revision: int
) -> Staged | None:
    """Judge what changed since `base` into `seen`; None where everybody has to be judged."""
    before = inputs.moment(base.day, base.known_at)
    if not touched.same_terms(before, at):
        return None
    try:
        with transaction.atomic():
            return _stage_from(base, before, at, policy, revision)
    except CannotContinue:
        return None
    except DataError:
        logger.exception("The run of %s cannot go on from %s", at.day.day, base.day)
        return None


def _stage_from(
    base: MetricRun, before: inputs.Moment, at: inputs.Moment, policy: rules.Policy, revision: int
) -> Staged:
    with connection.cursor() as cursor:
        cursor.execute(BY_INDEX)
    counts_of_base = _counts_of(base)
    layers = touched.Layers(base.definition_id, base.revision, revision)
    count = touched.touch(before, at, policy, layers)
    if count * MOST_TOUCHED > counts_of_base.accounts:
        raise CannotContinue
    oldest_ones, taken_out = _known_before(before, policy, base.oldest_reading)
    counts_before = _counts_of_touched(base)
    staged = stage(at, policy, judging.THE_TOUCHED)
    oldest = staged.oldest
    if base.oldest_reading and not oldest_ones:
        oldest = min(filter(None, (base.oldest_reading, staged.oldest)))
    elif base.oldest_reading and (staged.oldest is None or staged.oldest > base.oldest_reading):
        most = max(FEW_READINGS, SEVERAL * counts_of_base.accounts)
        oldest = _next_oldest(base, at, policy, most=0 if policy.roll_up else most)
    return Staged(
        counts_of_base - counts_before + staged.counts,
        oldest,
        InputsSum.from_hex(base.inputs_sum) - taken_out + staged.inputs_sum,
        judged=count,
        is_full=False,
    )


def _counts_of(run: MetricRun) -> Counts:
    return Counts(
        run.numerator or 0, run.denominator or 0, run.unknown, run.covered, Counter(run.excluded)
    )


def _known_before(
    before: inputs.Moment, policy: rules.Policy, oldest: dt.datetime | None
) -> tuple[int, InputsSum]:
    """Return how many of the touched accounts had the oldest reading, and their hashes' sum."""
    sql, parameters = judging.judged(before, policy, judging.THE_TOUCHED)
    ((count, *parts),) = _rows(BEFORE.format(judged=sql), {**parameters, "oldest_before": oldest})
    return count, InputsSum.of(parts)


def _counts_of_touched(base: MetricRun) -> Counts:
    counts = Counts()
    parameters = {"definition": base.definition_id, "layer": base.revision, "day": base.day}
    for in_ratio, passes, reason, count, covered in _rows(ROWS_BEFORE, parameters):
        counts.add(in_ratio=in_ratio, passes=passes, reason=reason, times=count)
        counts.covered += covered if in_ratio else 0
    return counts


def _next_oldest(
    base: MetricRun, at: inputs.Moment, policy: rules.Policy, *, most: int
) -> dt.datetime | None:
    """Return the oldest reading used, where the one before is used no more.

    Looks onwards from that one in ever longer stretches, at a few accounts at a time. Once a
    stretch holds several readings for each account, it is quicker to ask every account. So it is
    where a few accounts are not whole families.
    """
    since = max(filter(None, (base.oldest_reading, at.usable_from(policy))))
    stretch = dt.timedelta(minutes=15)
    while since < at.day.end:
        until = min(since + stretch, at.day.end)
        window = {**at.parameters, "since": since, "until": until, "most": most}
        ((readings,),) = _rows(COUNT_READINGS, window)
        if readings >= most:
            break
        ((count, last),) = _rows(FIND_CANDIDATES, window)
        if count == FEW_CANDIDATES:
            until = last
        found = _oldest_of(at, policy, judging.in_table(CANDIDATES)) if count else None
        if found is not None and found <= until:
            return found
        if until == since:
            break
        since, stretch = until, 4 * stretch
    else:
        return None
    return _oldest_of(at, policy, judging.EVERYBODY)


def _oldest_of(at: inputs.Moment, policy: rules.Policy, scope: judging.Scope) -> dt.datetime | None:
    sql, parameters = judging.judged(at, policy, scope)
    ((oldest, undecided),) = _rows(OLDEST.format(judged=sql), parameters)
    if undecided:
        raise CannotContinue
    return oldest  # type: ignore[no-any-return]


def _rows(sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found
