"""Computes what a proposed definition would have come to, day by day.

The row of the back-test is the truth. A worker counts its attempt before each day, computes the
day in a transaction of its own and notes that it is done; a worker that is killed leaves the days
before as they are, and the next one goes on from there.
"""

import contextlib
import datetime as dt
import logging
from collections.abc import Callable, Iterator

from django.db import Error, connection, transaction

from accounts.selectors import today
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid
from config.lib.ui.formats import day_text
from events import outbox
from events import services as events
from metrics import permissions
from metrics.models import Backtest, DefinitionProposal, MetricDefinition, MetricRun
from metrics.selectors import lab, runs
from metrics.services import derived_trials
from metrics.services import runs as computing
from metrics.services.proposals import WORKFLOW, locked
from people.models import User, system_user

TASK = "metrics.run_backtest"
# Of the advisory locks that say which back-test a worker is busy with.
AT_WORK_LOCK = 4_153_041
MOST_ATTEMPTS = 3
# After so long a worker rings for the next one, so that it does not hold up others for an hour.
SHIFT = dt.timedelta(minutes=8)
Progress = Backtest.Progress
Clock = Callable[[], dt.datetime]

logger = logging.getLogger(__name__)


@transaction.atomic
def start_backtest(
    proposal: DefinitionProposal,
    first_day: dt.date | None = None,
    last_day: dt.date | None = None,
    *,
    by: User,
    at: dt.datetime,
) -> Backtest:
    """Ask for a back-test over these days of the ledger, or all of it.

    One that failed or was stopped goes on where it stood. Raises Conflict where there is nothing
    to test or one is under way, and Invalid for days that the ledger does not have.
    """
    require(permissions.can_propose_definitions, by)
    stored = locked(proposal)
    _require_testable(stored)
    first, last = _range(stored, first_day, last_day, at=at)
    digest = lab.digest_of(stored)
    same = stored.backtests.filter(digest=digest).select_related("trial")
    test = same.filter(first_day=first, last_day=last).order_by("-pk").first()
    if test is not None and test.progress == Progress.DONE:
        raise Conflict("These rules are back-tested over these days already.", code="done")
    if test is None:
        known = same.order_by("-pk").first()
        test = Backtest.objects.create(
            proposal=stored,
            trial=known.trial if known else _trial_of(stored),
            digest=digest,
            first_day=first,
            last_day=last,
            asked_by=by,
            asked_at=at,
        )
    else:
        test.progress, test.attempts, test.error = Progress.WAITING, 0, ""
        test.finished_at, test.asked_by, test.asked_at = None, by, at
        test.save()
    DefinitionProposal.objects.filter(pk=stored.pk).update(trial=test.trial_id)
    _record("backtest_started", test, by=by, first_day=first, last_day=last)
    transaction.on_commit(lambda: outbox.ring(TASK, test.pk))
    return test


@transaction.atomic
def stop_backtest(proposal: DefinitionProposal, *, by: User, at: dt.datetime) -> Backtest:
    """Let it stand where it is; the day under way is still finished."""
    require(permissions.can_propose_definitions, by)
    stored = locked(proposal)
    tests = Backtest.objects.select_for_update(of=("self",), no_key=True)
    test = tests.filter(proposal=stored, progress__in=lab.AT_WORK).first()
    if test is None:
        raise Conflict("No back-test is under way.", code="not_running")
    test.progress, test.finished_at = Progress.STOPPED, at
    test.save(update_fields=["progress", "finished_at"])
    _record("backtest_stopped", test, by=by, done_to=test.done_to)
    return test


def run(backtest_id: int, *, clock: Clock) -> bool:
    """Work on it as the only worker, for one shift. Return whether there was anything to do."""
    with _alone(backtest_id) as is_ours:
        if not is_ours:
            return False
        end_of_shift = clock() + SHIFT
        worked = False
        while (test := _begun(backtest_id, at=clock())) is not None:
            worked = True
            if not _a_day_done(test, clock):
                break
            if clock() >= end_of_shift:
                outbox.ring(TASK, backtest_id)
                break
        return worked


def sweep() -> int:
    """Ring for every back-test that waits for a worker and has none. Return how many."""
    waiting = list(Backtest.objects.filter(progress__in=lab.AT_WORK).values_list("pk", flat=True))
    if not waiting:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND classid = %s AND objsubid = 2"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [AT_WORK_LOCK],
        )
        busy = {row[0] for row in cursor.fetchall()}
    forgotten = [pk for pk in waiting if pk not in busy]
    for pk in forgotten:
        outbox.ring(TASK, pk)
    return len(forgotten)


def _require_testable(proposal: DefinitionProposal) -> None:
    if proposal.state not in lab.UNDER_WAY:
        word = proposal.get_state_display().lower()
        raise Conflict(f"{proposal.number} is {word}. There is nothing to test.", code="decided")
    if not lab.can_be_tested(proposal.base):
        raise Conflict(
            "No back-test exists for this number: only numbers of accounts can be computed for past"
            " days under other rules.",
            code="no_backtest",
        )
    if not lab.has_other_rules(proposal):
        raise Conflict(
            "Its rules are those of the version it starts from: every day comes out the same.",
            code="same_rules",
        )
    if proposal.backtests.filter(progress__in=lab.AT_WORK).exists():
        raise Conflict("A back-test is under way. Stop it first.", code="under_way")


def _range(
    proposal: DefinitionProposal,
    first_day: dt.date | None,
    last_day: dt.date | None,
    *,
    at: dt.datetime,
) -> tuple[dt.date, dt.date]:
    ledger = lab.ledger_of(proposal.base.slug, at=at)
    if ledger is None:
        raise Conflict("The ledger has no finished day yet. Come back tomorrow.", code="no_days")
    first, last = first_day or ledger.first, last_day or ledger.last
    for name, day in (("first_day", first), ("last_day", last)):
        if not ledger.first <= day <= ledger.last:
            bounds = f"{day_text(ledger.first, None)} to {day_text(ledger.last, None)}"
            raise Invalid(f"The ledger has the days from {bounds}.", field=name, code="no_such_day")
    if last < first:
        raise Invalid("The last day is before the first.", field="last_day", code="ends_early")
    if not lab.ledger_days(proposal.base.slug, before=today(at), first=first, last=last):
        raise Invalid("The ledger has none of these days.", field="first_day", code="no_such_day")
    return first, last


def _trial_of(proposal: DefinitionProposal) -> MetricDefinition:
    return MetricDefinition.objects.create(
        slug=proposal.slug,
        number=None,
        rule=proposal.base.rule,
        title=proposal.title,
        unit=proposal.base.unit,
        text=proposal.text,
        policy=proposal.policy,
        owner=proposal.owner,
        valid_from=proposal.effective_on,
    )


@transaction.atomic
def _begun(backtest_id: int, *, at: dt.datetime) -> Backtest | None:
    """Count the attempt at its next day; None where it is not to be worked on any more."""
    rows = Backtest.objects.select_for_update(of=("self",), no_key=True)
    test = rows.select_related("trial", "proposal__base").filter(pk=backtest_id).first()
    if test is None or test.progress not in lab.AT_WORK:
        return None
    if test.attempts >= MOST_ATTEMPTS:
        _fail(test, "Its worker was lost", at=at)
        return None
    test.attempts += 1
    test.progress, test.heartbeat_at = Progress.RUNNING, at
    test.save(update_fields=["attempts", "progress", "heartbeat_at"])
    return test


def _a_day_done(test: Backtest, clock: Clock) -> bool:
    """Compute its next day, or end it. Return whether to go on."""
    published = _next_run(test)
    if published is None:
        _finish(test, at=clock())
        return False
    day = published.day
    try:
        _compute(test, published, now=clock())
    except computing.AlreadyRunning:
        # Nothing is wrong with the day: the sweeper rings again.
        Backtest.objects.filter(pk=test.pk).update(attempts=test.attempts - 1)
        return False
    except Exception as error:
        logger.exception("The back-test %s failed on %s", test.pk, day)
        if test.attempts >= MOST_ATTEMPTS:
            why = f"{day_text(day, None)} could not be computed ({type(error).__name__})"
            with transaction.atomic():
                _fail(test, why, at=clock())
        return False
    Backtest.objects.filter(pk=test.pk).update(done_to=day, attempts=0, heartbeat_at=clock())
    return True


def _next_run(test: Backtest) -> MetricRun | None:
    """Return the published run of the next day to compute; the trial is to know what it knew."""
    after = test.done_to or test.first_day - dt.timedelta(days=1)
    found = runs.published_runs(test.proposal.base.slug)
    found = found.filter(day__gt=after, day__lte=test.last_day)
    return found.order_by("day", "-definition__number", "-revision").first()


def _compute(test: Backtest, published: MetricRun, *, now: dt.datetime) -> None:
    if published.base is not None:
        derived_trials.compute_trial(test.trial, published.base, by=system_user())
    elif not _is_known(test, published):
        computing.compute_trial(
            test.trial, published.day, by=system_user(), now=now, known_at=published.known_at
        )


def _is_known(test: Backtest, published: MetricRun) -> bool:
    known = MetricRun.objects.filter(definition=test.trial_id, day=published.day)
    return known.filter(known_at=published.known_at).exists()


@transaction.atomic
def _finish(test: Backtest, *, at: dt.datetime) -> None:
    done = Backtest.objects.filter(pk=test.pk, progress=Progress.RUNNING).update(
        progress=Progress.DONE, attempts=0, finished_at=at, heartbeat_at=at
    )
    if done:
        _record("backtest_done", test, by=system_user(), last_day=test.last_day)


def _fail(test: Backtest, why: str, *, at: dt.datetime) -> None:
    error = (
        f"{why}, three times. Let it go on: it begins after the last day that is done. If it"
        " fails again, tell an administrator; the days before are kept."
    )
    failed = Backtest.objects.filter(pk=test.pk, progress__in=lab.AT_WORK).update(
        progress=Progress.FAILED, error=error, finished_at=at
    )
    if failed:
        _record("backtest_failed", test, by=system_user(), error=why)


def _record(verb: str, test: Backtest, *, by: User, **after: object) -> None:
    events.record(f"{WORKFLOW}.{verb}", test.proposal, by=by, after=after)


@contextlib.contextmanager
def _alone(backtest_id: int) -> Iterator[bool]:
    """Hold the lock that says that we are at it; it ends with the connection at the latest."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [AT_WORK_LOCK, backtest_id])
        is_ours = bool(cursor.fetchone()[0])
    try:
        yield is_ours
    finally:
        if is_ours:
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [AT_WORK_LOCK, backtest_id])
            except Error:
                # A connection that broke has let go by itself; one left over must not keep it.
                connection.close()
