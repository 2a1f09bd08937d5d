"""Where the metrics app, which stands above, hangs in what it alone can work out.

Whoever changes the accounts, the seats or the state of projects calls `lift_changed`. The metrics
app registers the one Measure at start-up.
"""

import datetime as dt
from collections.abc import Collection
from typing import Protocol


class Measure(Protocol):
    def refresh(self, project_ids: Collection[int]) -> None:
        """Bring the expected lift of these projects up to date, in the open transaction."""

    def lifted_by(self) -> dt.date | None:
        """Return the day of the number that lifts are worked out from; None before there is one."""


_measures: list[Measure] = []


def register(measure: Measure) -> None:
    _measures[:] = [measure]


def lift_changed(project_ids: Collection[int]) -> None:
    for measure in _measures:
        measure.refresh(project_ids)


def lifted_by() -> dt.date | None:
    return next((measure.lifted_by() for measure in _measures), None)
