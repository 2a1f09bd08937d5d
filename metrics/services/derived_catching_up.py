"""Gives runs from before a number there was what they would have come to."""

import datetime as dt

from django.db import connection, transaction
from django.db.models import Count, Q

from config.lib.authz import require
from events import services as events
from metrics import permissions
from metrics.models import MetricRun
from metrics.rules import derived
from metrics.selectors import derived_sums, judging, runs
from metrics.services import derived_runs
from metrics.services.derived import has_derived
from people.models import User

# As many days as facts are looked at again.
MOST_DAYS_BACK = 35


@transaction.atomic
def catch_up(run: MetricRun, *, by: User) -> None:
    """Write those that a run has not, from the ledger; nothing where it has them all."""
    require(permissions.can_recompute, by)
    if not has_derived(run):
        return
    numbers, before = derived_sums.read(run, None)
    if not numbers:
        return
    with connection.cursor() as cursor:
        cursor.execute(judging.PLAN)
    derived_sums.work_out(run, numbers, derived_sums.all_of(run), before)
    derived_runs.insert(
        run,
        numbers,
        computed_at=derived_runs.NOW,
        published=derived_runs.PUBLISHED.format(derived_runs.NOW),
    )
    after = {
        "metric": run.definition.slug,
        "day": run.day.isoformat(),
        "revision": run.revision,
        "worked_out": derived_runs.versions_of(numbers),
    }
    events.record("metric.caught_up", run, by=by, after=after)


def catch_up_missing(*, now: dt.datetime, by: User) -> int:
    """Write what the runs of the last days have not yet, oldest first; return of how many runs."""
    definitions = set(
        runs.definitions().filter(rule__in=derived.RULES).values_list("slug", flat=True)
    )
    wanting = (
        MetricRun.objects.filter(
            definition__slug=runs.SEATS_DEPLOYED,
            status__in=[MetricRun.Status.PUBLISHED, MetricRun.Status.HELD],
            day__gte=now.date() - dt.timedelta(days=MOST_DAYS_BACK),
        )
        .annotate(written=Count("derived", filter=~Q(derived__status=MetricRun.Status.TRIAL)))
        .filter(written__lt=len(definitions))
        .select_related("definition")
        .order_by("day", "revision")
    )
    found = list(wanting)
    for run in found:
        catch_up(run, by=by)
    return len(found)
