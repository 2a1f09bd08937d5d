import datetime as dt
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.lib.errors import DomainError
from metrics.management.arguments import a_day, a_metric
from metrics.selectors import families, runs
from metrics.selectors.answers import fraction_text
from metrics.services import derived_catching_up
from metrics.services import figures as request_figures
from metrics.services.current import refresh_current_facts
from metrics.services.lifts import refresh_lifts
from metrics.services.runs import Outcome, catch_up, recompute
from people.models import User, system_user

MOST_DAYS = 3_660


class Command(BaseCommand):
    help = (
        "Compute what is missing, oldest night first, then today so far; or the named days. "
        "A day whose facts are the same as before keeps its run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--metric", metavar="SLUG", help="only this one, not all")
        parser.add_argument("--as-of", type=a_day, metavar="DATE", help="only this day")
        parser.add_argument(
            "--from", dest="first", type=a_day, metavar="DATE", help="from this day on"
        )
        parser.add_argument(
            "--to", dest="last", type=a_day, metavar="DATE", help="up to and with this day"
        )

        parser.add_argument(
            "--full",
            action="store_true",
            help="judge every account, not only those that may have changed since the run before, "
            "and check what was computed from it",
        )

    def handle(
        self,
        *,
        metric: str | None,
        as_of: dt.date | None,
        first: dt.date | None,
        last: dt.date | None,
        full: bool,
        **_: Any,
    ) -> None:
        slugs = [a_metric(metric)] if metric else _in_order()
        days = _days(as_of, first, last)
        now = timezone.now()
        refresh_current_facts(now=now)
        for slug in slugs:
            try:
                for outcome in _outcomes(slug, days, now, full=full):
                    self._say(outcome)
            except DomainError as refusal:
                raise CommandError(str(refusal)) from refusal
        refresh_lifts(at=now)

    def _say(self, outcome: Outcome) -> None:
        run = outcome.run
        change = "" if outcome.is_new else "unchanged, "
        number = f"{run.definition.slug}  {run.day}  {fraction_text(run)}"
        self.stdout.write(f"{number}  {change}revision {run.revision}")


def _days(
    as_of: dt.date | None, first: dt.date | None, last: dt.date | None
) -> list[dt.date] | None:
    """Return the days asked for, or None where none are named."""
    if as_of is not None:
        if first is not None or last is not None:
            raise CommandError("Give --as-of, or --from and --to.")
        first = last = as_of
    if first is None and last is None:
        return None
    if first is None or last is None:
        raise CommandError("Give both --from and --to.")
    count = (last - first).days + 1
    if count < 1:
        raise CommandError("--from lies after --to.")
    if count > MOST_DAYS:
        raise CommandError(f"That is {count:,} days; at most {MOST_DAYS:,} go at once.")
    return [first + dt.timedelta(days=i) for i in range(count)]


def _outcomes(
    slug: str, days: list[dt.date] | None, now: dt.datetime, *, full: bool
) -> Iterator[Outcome]:
    today = now.astimezone(ZoneInfo(runs.company().time_zone)).date()
    by = system_user()
    if days is not None and days[-1] > today:
        raise CommandError(f"{days[-1]} has not begun yet; today is {today}.")
    family = families.family_of(slug)
    if family is families.FIGURES:
        if days is None:
            yield from request_figures.catch_up([slug], by=by, now=now)
        yield from request_figures.recompute([slug], days or [today], by=by, now=now)
    elif family is families.DERIVED:
        # It comes with the run whose rows it is worked out from.
        found = _of_accounts(runs.SEATS_DEPLOYED, days, today, now, full=full)
        yield from (outcome for outcome in found if outcome.run.definition.slug == slug)
    else:
        yield from _of_accounts(slug, days, today, now, full=full)


def _of_accounts(
    slug: str, days: list[dt.date] | None, today: dt.date, now: dt.datetime, *, full: bool
) -> Iterator[Outcome]:
    by = system_user()
    if days is None:
        for outcome in catch_up(slug, by=by, now=now, full=full):
            yield from _with_derived(outcome, by=by)
        if slug == runs.SEATS_DEPLOYED:
            derived_catching_up.catch_up_missing(now=now, by=by)
    for day in days or [today]:
        yield from _with_derived(recompute(slug, day, by=by, now=now, full=full), by=by)


def _with_derived(outcome: Outcome, *, by: User) -> Iterator[Outcome]:
    yield outcome
    derived_catching_up.catch_up(outcome.run, by=by)
    for run in outcome.run.derived.select_related("definition").order_by("definition__slug"):
        yield Outcome(run, is_new=outcome.is_new)


def _in_order() -> list[str]:
    """Return the numbers to compute: `seats-deployed` first, and what comes with it left out."""
    seats = sorted(families.slugs_of(families.SEATS), key=runs.SEATS_DEPLOYED.__ne__)
    return [*seats, *families.slugs_of(families.FIGURES)]
