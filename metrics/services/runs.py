"""Computes runs and writes them to the ledger."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import Func

from config.lib.authz import require
from config.lib.errors import DomainError, Invalid, Missing
from config.lib.values import echo
from config.lib.versions import take_cut
from events import services as events
from metrics import permissions, rules
from metrics.models import MetricDefinition, MetricRun, MetricTarget
from metrics.selectors import holding, inputs, judging, late, runs
from metrics.selectors.digests import FORMAT, digest_of
from metrics.services import continuing, derived, ledger, staging
from metrics.services.auditing import differences, raise_alarm
from metrics.services.holding import tell_owners
from people.models import User

LEDGER_LOCK = 4_153_003
MOST_DAYS_BACK = 35
MOST_WANTED = Decimal(10) ** 15


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
    # Whether every account was judged for it, and not only those that may have changed.
    is_full: bool = False


def recompute(
    slug: str,
    day: dt.date,
    *,
    by: User,
    now: dt.datetime,
    known_at: dt.datetime | None = None,
    computed_at: dt.datetime | None = None,
    full: bool = False,
) -> Outcome:
    """Compute one day of a number of accounts; write a revision only where what it used differs.

    It starts from an earlier run and judges what may have changed since; `full` judges everybody.
    A day that was over when it was computed keeps the version of the definition it had.
    `known_at` and `computed_at` stand for the present; giving them is for made-up history.
    Raises NotYet for a future day and AlreadyRunning beside another recompute.
    """
    require(permissions.can_recompute, by)
    cut = known_at or take_cut()
    at = inputs.moment(day, cut)
    if rules.start_of(day, at.day.zone) > now:
        raise NotYet(f"{day} has not begun in {at.day.zone.key}.")
    definition = runs.definition_for(slug, at.day)
    with transaction.atomic():
        _lock(definition)
        newest, revision = _newest(definition, day)
        # Another process may have come between the cut and the lock, and knew more.
        if newest and newest.known_at >= cut:
            return Outcome(newest, is_new=False)
        policy = runs.policy_of(definition)
        base = None if full else continuing.base_of(definition, at)
        staged = continuing.stage_from(base, at, policy, revision=revision) if base else None
        staged = staged or staging.stage(at, policy)
        digest = digest_of(at, policy, staged.inputs_sum)
        if newest and newest.digest == digest:
            found = differences(newest, staged) if full else []
            if not found:
                return Outcome(newest, is_new=False)
            raise_alarm(newest, found)
        run = _run_of(definition, at, staged, revision=revision, digest=digest)
        _publish(run, staged, base=base, by=by, computed_at=computed_at)
    return Outcome(run, is_new=True, is_full=staged.is_full)


def compute_trial(
    definition: MetricDefinition,
    day: dt.date,
    *,
    by: User,
    now: dt.datetime,
    known_at: dt.datetime | None = None,
) -> Outcome:
    """Compute a day under a definition that is only tried out; nobody is told, nothing is held.

    Unless `known_at` says otherwise it knows what the published run of the day knew, of the same
    number or of `seats-deployed`, so that the two differ by the rules alone. Without such a run
    it knows all there is. Raises NotYet and AlreadyRunning.
    """
    require(permissions.can_recompute, by)
    cut = known_at or _known_beside(definition, day) or take_cut()
    at = inputs.moment(day, cut)
    if rules.start_of(day, at.day.zone) > now:
        raise NotYet(f"{day} has not begun in {at.day.zone.key}.")
    with transaction.atomic():
        _lock(definition)
        policy = runs.policy_of(definition)
        base = continuing.base_of(definition, at, on_trial=True)
        newest, revision = _newest(definition, day, on_trial=True)
        staged = continuing.stage_from(base, at, policy, revision=revision) if base else None
        staged = staged or staging.stage(at, policy)
        digest = digest_of(at, policy, staged.inputs_sum)
        if newest and newest.digest == digest:
            return Outcome(newest, is_new=False)
        run = _run_of(definition, at, staged, revision=revision, digest=digest)
        ledger.write_rows(run, only_touched=not staged.is_full)
        run.status = MetricRun.Status.TRIAL
        run.save(force_insert=True)
    return Outcome(run, is_new=True, is_full=staged.is_full)


def _known_beside(definition: MetricDefinition, day: dt.date) -> dt.datetime | None:
    for slug in (definition.slug, runs.SEATS_DEPLOYED):
        run = runs.published_runs(slug).filter(day=day).first()
        if run is not None:
            return run.known_at
    return None


def check_in_full(run: MetricRun, *, by: User, computed_at: dt.datetime | None = None) -> MetricRun:
    """Judge everybody as the run should have; return it where both agree.

    Otherwise that is an alarm, and the full result a new revision, which is returned.
    """
    require(permissions.can_recompute, by)
    definition = run.definition
    with transaction.atomic():
        _lock(definition)
        newest, revision = _newest(definition, run.day)
        if newest != run:
            return run
        at, policy = inputs.moment(run.day, run.known_at), runs.policy_of(definition)
        staged = staging.stage(at, policy)
        found = differences(run, staged)
        if not found:
            return run
        digest = digest_of(at, policy, staged.inputs_sum)
        mended = _run_of(definition, at, staged, revision=revision, digest=digest)
        _publish(mended, staged, base=None, by=by, computed_at=computed_at)
        raise_alarm(run, found)
    return mended


def _newest(
    definition: MetricDefinition, day: dt.date, *, on_trial: bool = False
) -> tuple[MetricRun | None, int]:
    """Return the newest run of the day, and the revision that the next one has.

    Those from when the definition was tried out are others, and count all the same.
    """
    found = list(MetricRun.objects.filter(definition=definition, day=day).order_by("-revision"))
    newest = (run for run in found if (run.status == MetricRun.Status.TRIAL) is on_trial)
    return next(newest, None), found[0].revision + 1 if found else 1


def _run_of(
    definition: MetricDefinition,
    at: inputs.Moment,
    staged: staging.Staged,
    *,
    revision: int,
    digest: str,
) -> MetricRun:
    number = staged.number
    return MetricRun(
        definition=definition,
        day=at.day.day,
        revision=revision,
        known_at=at.known_at,
        digest=digest,
        numerator=number.numerator,
        denominator=number.denominator,
        unknown=number.unknown,
        covered=number.covered,
        oldest_reading=number.oldest_reading,
        excluded=dict(number.excluded),
        judged=staged.judged,
        inputs_sum=staged.inputs_sum.hex,
        inputs_format=FORMAT,
    )


def _publish(
    run: MetricRun,
    staged: staging.Staged,
    *,
    base: MetricRun | None,
    by: User,
    computed_at: dt.datetime | None,
) -> None:
    """Write the run, its rows and the numbers worked out from them; or hold it.

    `base` is the run it went on from, where it did.
    """
    ledger.write_rows(run, only_touched=not staged.is_full)
    run.held_for = holding.reasons_to_hold(run)
    # Last of all, so that what was computed by a moment was all but visible at it.
    run.computed_at = computed_at or Func(function="clock_timestamp")
    run.status = MetricRun.Status.HELD if run.held_for else MetricRun.Status.PUBLISHED
    run.published_at = None if run.held_for else run.computed_at
    run.save(force_insert=True)
    worked_out = derived.write(run, base=None if staged.is_full else base, is_full=staged.is_full)
    _record(run, worked_out, by=by, at=computed_at)
    if run.held_for and computed_at is None:
        tell_owners(run)


def _record(
    run: MetricRun, worked_out: Mapping[str, int], *, by: User, at: dt.datetime | None
) -> None:
    """Log the run; `worked_out` is the version of each number that was made from its rows."""
    after: dict[str, object] = {
        "metric": run.definition.slug,
        "day": run.day.isoformat(),
        "revision": run.revision,
        "numerator": run.numerator,
        "denominator": run.denominator,
    }
    if worked_out:
        after["worked_out"] = dict(worked_out)
    events.record_all([events.Draft(verb="metric.computed", obj=run, after=after, at=at)], by=by)


def catch_up(
    slug: str,
    *,
    by: User,
    now: dt.datetime,
    known_at: dt.datetime | None = None,
    computed_at: dt.datetime | None = None,
    full: bool = False,
) -> Iterator[Outcome]:
    """Compute the nights the ledger misses and those that late facts touch, oldest first."""
    days = set(runs.missing_days(slug, now=now, most=MOST_DAYS_BACK))
    days |= set(late.late_days(slug, now=now, most=MOST_DAYS_BACK, known_at=known_at))
    for day in sorted(days):
        yield recompute(
            slug, day, by=by, now=now, known_at=known_at, computed_at=computed_at, full=full
        )


def set_target(
    slug: str, value: Decimal, by_day: dt.date | None, *, by: User, at_most: bool = False
) -> MetricTarget:
    """Say what a number is wanted to be, in its unit; a share from 0 to 1.

    Raises Missing for an unknown number and Invalid for a value that it cannot have.
    """
    require(permissions.can_set_targets, by)
    definition = runs.definitions().filter(slug=slug).first()
    if definition is None:
        raise Missing(f"There is no number “{echo(slug)}” to set a target for.")
    is_share = definition.unit == MetricDefinition.Unit.SHARE
    if not 0 <= value < MOST_WANTED or (is_share and value > 1):
        limits = "0 to 1" if is_share else "0 up"
        raise Invalid(f"A target for {slug} is from {limits}, not {value}.", field="value")
    with transaction.atomic():
        before = runs.target_of(slug)
        target = MetricTarget.objects.create(
            slug=slug, value=value, by_day=by_day, at_most=at_most, set_by=by
        )
        events.record(
            "metric.target_set",
            target,
            by=by,
            before={"value": before.value, "by_day": before.by_day} if before else None,
            after={"metric": slug, "value": value, "by_day": by_day, "at_most": at_most},
        )
    return target


def _lock(definition: MetricDefinition) -> None:
    """Keep others out, and set how the transaction's statements are planned."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT pg_try_advisory_xact_lock(%s, %s), {judging.SETTINGS}",
            [LEDGER_LOCK % 2**31, definition.pk],
        )
        if not cursor.fetchone()[0]:
            raise AlreadyRunning("Another recompute is running. Wait for it, then try again.")
