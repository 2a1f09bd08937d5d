"""Writes and publishes the numbers that are worked out from a run with the run itself."""

from metrics.models import MetricRun
from metrics.rules import derived
from metrics.selectors import derived_sums, runs
from metrics.services import derived_runs


def write(run: MetricRun, *, base: MetricRun | None, is_full: bool) -> dict[str, int]:
    """Write the numbers that the saved run's rows come to, published or held as the run is.

    Call it in the transaction of the run, after its rows are written, with `seen` (and, where it
    is not full, `touched`) still there; `base` is the run it went on from. Who computed it, and
    when, stands in the run. Return the version of each number that was written.
    """
    if not has_derived(run):
        return {}
    numbers, before = derived_sums.read(run, base)
    if not numbers:
        return {}
    goes_on = all(each.earlier is not None for each in numbers if each.rule in derived.ROW_RULES)
    if is_full:
        rows = derived_sums.seen(run)
    elif base is not None and goes_on:
        rows = derived_sums.changed(numbers, run, base)
        for each in numbers:
            each.sums = derived_sums.sums_read(each.earlier or {})
    else:
        rows = derived_sums.all_of(run)
    derived_sums.work_out(run, numbers, rows, before)
    derived_runs.insert(run, numbers, published=derived_runs.PUBLISHED.format("base.published_at"))
    return derived_runs.versions_of(numbers)


def publish(run: MetricRun) -> None:
    """Let those of a held run be seen with it."""
    MetricRun.objects.filter(base=run, status=MetricRun.Status.HELD).update(
        status=run.status,
        published_at=run.published_at,
        published_by=run.published_by,
        publish_reason=run.publish_reason,
    )


def has_derived(run: MetricRun) -> bool:
    return run.definition.slug == runs.SEATS_DEPLOYED and run.status != MetricRun.Status.TRIAL
