"""Counts what the dashboard asks of a run before anybody does, outside the night's transaction.

Without them everything works, only slower: the first view of a run counts its rows in each
process.
"""

from dataclasses import astuple
from typing import Any
from zoneinfo import ZoneInfo

from metrics.models import MetricRun, RunSummary
from metrics.selectors import dashboard, late_readings, runs


def keep_summaries() -> int:
    """Count the newest published run, where nobody has yet. Return how many counts were kept."""
    run = runs.run_on(runs.SEATS_DEPLOYED)
    if run is None or RunSummary.objects.filter(run=run).exists():
        return 0
    counted = summaries_of(run)
    RunSummary.objects.bulk_create(
        [RunSummary(run=run, name=name, told=told) for name, told in counted.items()],
        ignore_conflicts=True,
    )
    return len(counted)


def summaries_of(run: MetricRun) -> dict[str, Any]:
    """Return all of it by name, in types that JSON has."""
    zone = ZoneInfo(runs.company().time_zone)
    cells = {
        dashboard.cells_name(by): [astuple(cell) for cell in cells]
        for by, cells in dashboard.count_cells(run).items()
    }
    late = late_readings.find_late(run, zone)
    upto = dashboard.upto_of(run)
    near = {
        dashboard.nearest_name(each): [astuple(row) for row in dashboard.find_nearest(run, each)]
        for each in {0, upto}
    }
    return {
        **cells,
        **near,
        late_readings.count_name(zone): late.accounts,
        late_readings.sources_name(zone): [
            [source, accounts, last.isoformat()] for source, accounts, last in late.by_source
        ],
    }
