"""Computes runs and writes them to the ledger."""

import datetime as dt
import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import connection, transaction
from django.db.models import Func

from config.lib.authz import require
from config.lib.errors import DomainError
from config.lib.versions import take_cut
from events import services as events
from metrics import permissions, rules
from metrics.models import GONE, MetricDefinition, MetricRun, MetricTarget
from metrics.selectors import holding, inputs, late, runs
from metrics.services.holding import tell_owners
from people.models import User

logger = logging.getLogger(__name__)

LEDGER_LOCK = 4_153_003
MOST_DAYS_BACK = 35
CHUNK = 1_000_000
# What the column holds; single amounts and rates have their own bounds.
MOST_ARR = 10**18

COLUMNS = (
    "account_id", "arr", "licensed", "unlimited", "deployed", "data_state", "eligible", "passes",
    "reason", "region", "tier_id", "tam_id",
)  # fmt: skip
LISTED = ", ".join(COLUMNS)


class AlreadyRunning(DomainError):
    """Another process computes this metric at the moment."""

    code = "already_running"


class NotYet(DomainError):
    """The day has not begun."""

    code = "future_day"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A day's newest run, and whether this call made it."""

    run: MetricRun
    is_new: bool


def recompute(
    slug: str,
    day: dt.date,
    *,
    by: User,
    now: dt.datetime,
    known_at: dt.datetime | None = None,
    computed_at: dt.datetime | None = None,
) -> Outcome:
    """Compute one day; write a revision only where what it used differs from the newest one.

    `known_at` and `computed_at` stand for the present; giving them is for made-up history.
    Raises NotYet for a future day and AlreadyRunning beside another recompute.
    """
    require(permissions.can_recompute, by)
    cut = known_at or take_cut()
    at = inputs.moment(day, cut)
    if rules.start_of(day, at.day.zone) > now:
        raise NotYet(f"{day} has not begun in {at.day.zone.key}.")
    definition = runs.definition_on(slug, day)
    with transaction.atomic():
        _lock(definition)
        newest = (
            MetricRun.objects.filter(definition=definition, day=day).order_by("-revision").first()
        )
        # Another process may have come between the cut and the lock, and knew more.
        if newest and newest.known_at >= cut:
            return Outcome(newest, is_new=False)
        number, digest = _stage(at, runs.policy_of(definition))
        if newest and newest.digest == digest:
            return Outcome(newest, is_new=False)
        run = MetricRun(
            definition=definition,
            day=day,
            revision=newest.revision + 1 if newest else 1,
            known_at=cut,
            digest=digest,
            numerator=number.numerator,
            denominator=number.denominator,
            unknown=number.unknown,
            covered=number.covered,
            oldest_reading=number.oldest_reading,
            excluded=dict(number.excluded),
        )
        _write_rows(run)
        run.held_for = holding.reasons_to_hold(run)
        # Last of all, so that what was computed by a moment was all but visible at it.
        run.computed_at = computed_at or Func(function="clock_timestamp")
        run.status = MetricRun.Status.HELD if run.held_for else MetricRun.Status.PUBLISHED
        run.published_at = None if run.held_for else run.computed_at
        run.save(force_insert=True)
        _record(run, by=by, at=computed_at)
        if run.held_for and computed_at is None:
            tell_owners(run)
    return Outcome(run, is_new=True)


def _record(run: MetricRun, *, by: User, at: dt.datetime | None) -> None:
    after = {
        "metric": run.definition.slug,
        "day": run.day.isoformat(),
        "revision": run.revision,
        "numerator": run.numerator,
        "denominator": run.denominator,
    }
    events.record_all([events.Draft(verb="metric.computed", obj=run, after=after, at=at)], by=by)


def catch_up(
    slug: str,
    *,
    by: User,
    now: dt.datetime,
    known_at: dt.datetime | None = None,
    computed_at: dt.datetime | None = None,
) -> Iterator[Outcome]:
    """Compute the nights the ledger misses and those that late facts touch, oldest first."""
    days = set(runs.missing_days(slug, now=now, most=MOST_DAYS_BACK))
    days |= set(late.late_days(slug, now=now, most=MOST_DAYS_BACK, known_at=known_at))
    for day in sorted(days):
        yield recompute(slug, day, by=by, now=now, known_at=known_at, computed_at=computed_at)


def set_target(slug: str, value: Decimal, by_day: dt.date | None, *, by: User) -> MetricTarget:
    require(permissions.can_set_targets, by)
    with transaction.atomic():
        before = runs.target_of(slug)
        target = MetricTarget.objects.create(slug=slug, value=value, by_day=by_day, set_by=by)
        events.record(
            "metric.target_set",
            target,
            by=by,
            before={"value": before.value, "by_day": before.by_day} if before else None,
            after={"metric": slug, "value": value, "by_day": by_day},
        )
    return target


def _lock(definition: MetricDefinition) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(%s, %s)", [LEDGER_LOCK % 2**31, definition.pk]
        )
        if not cursor.fetchone()[0]:
            raise AlreadyRunning("Another recompute is running. Wait for it, then try again.")


def _stage(at: inputs.Moment, policy: rules.Policy) -> tuple[rules.Number, str]:
    """Judge every account into a temporary table; return the number and the inputs' digest."""
    tally = rules.Tally()
    digest = inputs.Digest(at, policy)

    def lines() -> Iterator[str]:
        for account in inputs.accounts_at(at):
            digest.add(account)
            verdict = judge_safely(account, at.day, policy)
            tally.add(verdict)
            yield _copy_line(verdict)

    with connection.cursor() as cursor:
        cursor.execute(
            "DROP TABLE IF EXISTS pg_temp.seen;"
            f"CREATE TEMPORARY TABLE seen ON COMMIT DROP AS"
            f" SELECT {LISTED} FROM metrics_metricrow WITH NO DATA"
        )
        buffer = io.StringIO()
        for line in lines():
            buffer.write(line)
            if buffer.tell() > CHUNK:
                _copy(cursor, buffer)
                buffer = io.StringIO()
        _copy(cursor, buffer)
        cursor.execute("ANALYZE seen")
    return tally.number(), digest.hexdigest()


def judge_safely(account: rules.Account, day: rules.Day, policy: rules.Policy) -> rules.Verdict:
    """Judge an account; one that cannot be judged stands as unknown and stops nobody else."""
    try:
        return _kept(rules.judge(account, day, policy))
    except Exception:
        logger.exception("Account %s could not be judged for %s", account.id, day.day)
        return rules.Verdict(
            account_id=account.id,
            arr=None,
            licensed=0,
            unlimited=False,
            deployed=None,
            data_state="no_reading",
            eligible=True,
            passes=None,
            reason="error",
            oldest_reading=None,
            region=account.region,
            tier_id=None,
            tam_id=account.tam_id,
            renewal_on=None,
        )


def _kept(verdict: rules.Verdict) -> rules.Verdict:
    """Refuse what no column holds: amounts and rates are bounded, their product less so."""
    if verdict.arr is not None and verdict.arr >= MOST_ARR:
        raise OverflowError(f"an ARR of {float(verdict.arr):g} cannot be kept")
    return verdict


def _copy(cursor: Any, buffer: io.StringIO) -> None:
    buffer.seek(0)
    cursor.cursor.copy_expert(f"COPY seen ({LISTED}) FROM STDIN", buffer)


def _copy_line(verdict: rules.Verdict) -> str:
    arr = None if verdict.arr is None else decimal_of(verdict.arr)
    values = (
        verdict.account_id, arr, verdict.licensed, verdict.unlimited, verdict.deployed,
        verdict.data_state, verdict.eligible, verdict.passes, verdict.reason,
        _escaped(verdict.region), verdict.tier_id, verdict.tam_id,
    )  # fmt: skip
    return "\t".join("\\N" if value is None else str(value) for value in values) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def decimal_of(exact: Fraction) -> Decimal:
    """Return the fraction cut to six places, for display; comparisons use the fraction itself."""
    scaled = int(exact * 1_000_000)
    return Decimal(scaled).scaleb(-6)


def _write_rows(run: MetricRun) -> None:
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
    seen = ", ".join(f"seen.{column}" for column in COLUMNS)
    base = ", ".join(f"base.{column}" for column in COLUMNS)
    covering = ", ".join(f"covering.{column}" for column in COLUMNS)
    over_the_day = """definition_id = %(definition)s AND from_day <= %(day)s
        AND (to_day IS NULL OR to_day > %(day)s)"""
    parameters: dict[str, Any] = {
        "definition": run.definition_id,
        "layer": run.revision,
        "day": run.day,
        "later": later,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO seen ({LISTED})
            SELECT DISTINCT account_id, NULL::numeric, 0, false, NULL::bigint, 'no_instance', false,
                   NULL::boolean, '{GONE}', '', NULL::bigint, NULL::bigint
            FROM metrics_metricrow LEFT JOIN seen USING (account_id)
            WHERE layer <= %(layer)s AND {over_the_day} AND seen.account_id IS NULL;

            DROP TABLE IF EXISTS pg_temp.closing;
            CREATE TEMPORARY TABLE closing ON COMMIT DROP AS
            SELECT covering.id, covering.to_day, {covering} FROM metrics_metricrow covering
            LEFT JOIN seen USING (account_id)
            WHERE covering.layer = %(layer)s AND {over_the_day}
              AND ROW({seen}) IS DISTINCT FROM ROW({covering});

            UPDATE metrics_metricrow SET to_day = %(day)s
            FROM closing WHERE closing.id = metrics_metricrow.id;

            INSERT INTO metrics_metricrow (definition_id, layer, from_day, to_day, {LISTED})
            SELECT %(definition)s, %(layer)s, %(later)s, to_day, {LISTED} FROM closing
            WHERE %(later)s::date IS NOT NULL AND (to_day IS NULL OR to_day > %(later)s);

            INSERT INTO metrics_metricrow (definition_id, layer, from_day, to_day, {LISTED})
            SELECT %(definition)s, %(layer)s, %(day)s, %(later)s, {seen}
            FROM seen
            LEFT JOIN (SELECT * FROM metrics_metricrow
                       WHERE layer = %(layer)s AND {over_the_day}) covering USING (account_id)
            LEFT JOIN (SELECT DISTINCT ON (account_id) * FROM metrics_metricrow
                       WHERE layer < %(layer)s AND {over_the_day}
                       ORDER BY account_id, layer DESC) base USING (account_id)
            WHERE covering.id IS NULL
              AND (base.id IS NULL OR ROW({seen}) IS DISTINCT FROM ROW({base}));
            """,
            parameters,
        )
