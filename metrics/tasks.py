import datetime as dt
import logging

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from accounts.services import readings
from metrics.selectors import families, runs
from metrics.selectors.figures import SLUGS
from metrics.services import (
    alerts,
    backtests,
    current,
    derived_catching_up,
    figures,
    health,
    health_overrides,
    lifts,
    packs,
    summaries,
)
from metrics.services.reporting import tell_of_revisions
from metrics.services.runs import (
    MOST_DAYS_BACK,
    AlreadyRunning,
    Outcome,
    catch_up,
    check_in_full,
)
from people.models import system_user

logger = logging.getLogger(__name__)


@shared_task(name="metrics.nightly")
def nightly() -> int:
    """Compute the nights the ledger misses; early, late, lost or double ticks do no harm.

    Days that late facts touch wait for the next night, so that a day is not revised each hour.
    """
    now = timezone.now()
    readings.make_reading_months(from_day=now.date(), ahead=3)
    due = [
        slug
        for slug in families.slugs_of(families.SEATS)
        if runs.missing_days(slug, now=now, most=MOST_DAYS_BACK)
    ]
    if not due:
        return 0
    current.refresh_due_facts(now=now)
    # Others may have been made for the lab; the one that everything hangs on comes first.
    count = sum(_night_of(slug, now=now) for slug in sorted(due, key=runs.SEATS_DEPLOYED.__ne__))
    derived_catching_up.catch_up_missing(now=now, by=system_user())
    summaries.keep_summaries()
    lifts.refresh_lifts(at=now)
    return count


def _night_of(slug: str, *, now: dt.datetime) -> int:
    made = []
    try:
        for outcome in catch_up(slug, by=system_user(), now=now):
            made.append(outcome)
            logger.info("Computed %s %s r%s", slug, outcome.run.day, outcome.run.revision)
        _check(made)
        tell_of_revisions([outcome.run for outcome in made if outcome.is_new])
    except AlreadyRunning:
        logger.info("Another process is computing %s; nothing to do", slug)
    return sum(outcome.is_new for outcome in made)


@shared_task(name="metrics.summaries")
def keep_summaries() -> int:
    """Count what the dashboard asks of the newest run, however it came to be."""
    return summaries.keep_summaries()


@shared_task(name="metrics.health")
def nightly_health() -> int:
    """End owners' words that have run out, and say the days whose run is published."""
    now = timezone.now()
    health_overrides.end_what_ran_out(at=now)
    try:
        return sum(outcome.is_new for outcome in health.catch_up(now=now, by=system_user()))
    except AlreadyRunning:
        logger.info("Another process is computing; nothing to do")
        return 0


@shared_task(name="metrics.figures")
def nightly_figures() -> int:
    """Compute the key figures for the nights that are missing, and what came late."""
    now = timezone.now()
    if not figures.is_night_missing(SLUGS, now=now):
        return 0
    try:
        made = list(figures.catch_up(SLUGS, by=system_user(), now=now))
    except AlreadyRunning:
        logger.info("Another process is computing; nothing to do")
        return 0
    return sum(outcome.is_new for outcome in made)


@shared_task(name="metrics.alerts")
def ask_alert_rules() -> int:
    """Ask the alert rules of the newest numbers; what was asked already changes nothing."""
    return alerts.evaluate(at=timezone.now())


@shared_task(name="metrics.packs")
def monthly_packs() -> int:
    """Make the board packs that are due; early, late, lost or double ticks do no harm."""
    return len(packs.make_due(by=system_user(), at=timezone.now()))


@shared_task(name=backtests.TASK)
def run_backtest(backtest_id: int) -> bool:
    """Work on a back-test; nothing where it is done, stopped or in other hands."""
    return backtests.run(backtest_id, clock=timezone.now)


@shared_task(name="metrics.sweep_backtests")
def sweep_backtests() -> int:
    """Ring again for back-tests that wait for a worker: a ring was lost, or a worker died."""
    return backtests.sweep()


def _check(made: list[Outcome]) -> None:
    """Judge everybody for runs that judged a part: of the newest day, or of all days."""
    parts = [outcome.run for outcome in made if outcome.is_new and not outcome.is_full]
    if settings.CHECK_RUNS == "newest":
        parts = parts[-1:]
    elif settings.CHECK_RUNS == "off":
        parts = []
    for run in parts:
        check_in_full(run, by=system_user())
