import logging

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from accounts.services import readings
from metrics.selectors import runs
from metrics.selectors.figures import SLUGS
from metrics.services import current, figures, lifts
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
    if not runs.missing_days(runs.SEATS_DEPLOYED, now=now, most=MOST_DAYS_BACK):
        return 0
    current.refresh_due_facts(now=now)
    count, made = 0, []
    try:
        for outcome in catch_up(runs.SEATS_DEPLOYED, by=system_user(), now=now):
            count += outcome.is_new
            made.append(outcome)
            logger.info("Computed %s revision %s", outcome.run.day, outcome.run.revision)
        _check(made)
        tell_of_revisions([outcome.run for outcome in made if outcome.is_new])
        lifts.refresh_lifts(at=now)
    except AlreadyRunning:
        logger.info("Another process is computing; nothing to do")
    return count


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


def _check(made: list[Outcome]) -> None:
    """Judge everybody for runs that judged a part: of the newest day, or of all days."""
    parts = [outcome.run for outcome in made if outcome.is_new and not outcome.is_full]
    if settings.CHECK_RUNS == "newest":
        parts = parts[-1:]
    elif settings.CHECK_RUNS == "off":
        parts = []
    for run in parts:
        check_in_full(run, by=system_user())
