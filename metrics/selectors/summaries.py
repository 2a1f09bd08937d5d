"""What was counted over the rows of a run and kept with it. See services.summaries."""

from functools import lru_cache
from typing import Any

from config.lib.reading import read_once
from metrics.models import MetricRun, RunSummary


def told_of(run: MetricRun, name: str) -> Any:
    """Return what was kept under the name; None where nothing was, as with runs of old."""
    return _of(run.pk).get(name) if run.pk else None


class _NothingYetError(LookupError):
    pass


@read_once
def _of(run_id: int) -> dict[str, Any]:
    try:
        return _kept(run_id)
    except _NothingYetError:
        return {}


@lru_cache(maxsize=64)
def _kept(run_id: int) -> dict[str, Any]:
    """Read all of a run at once; not remembered while there is nothing, for it may come."""
    found = dict(RunSummary.objects.filter(run_id=run_id).values_list("name", "told"))
    if not found:
        raise _NothingYetError
    return found
