"""What the dashboard and the page of changes say of a change."""

import datetime as dt
from typing import Any

from config.lib.ui.formats import day_text
from config.lib.values import moment_text
from metrics.models import MetricRun
from metrics.selectors.waterfall import waterfall_of
from metrics.views.period import Period


def change_context(
    run: MetricRun, before: MetricRun | None, period: Period, *, is_whole: bool = False
) -> dict[str, Any]:
    """Return what templates/metrics/changes.html needs; `change` is None without an old day."""
    change = None
    if before is not None:
        change = waterfall_of(before, run, currency=period.currency, is_whole=is_whole)
    return {
        "change": change,
        "change_title": _title(before, run) if before else "What changed",
        "new_day": "Today" if run.day == period.today else day_text(run.day),
        "changes_url": period.changes_url("metrics:changes"),
        "change_groups": [
            (group, period.changes_url("metrics:changes", group=group.key))
            for group in (change.groups if change else ())
        ],
        "changes_csv_url": period.changes_url("metrics:changes-csv"),
        "explained_url": period.url("metrics:definition") + "#changes",
        "corrected_url": _corrected_url(run, period),
    }


def _corrected_url(run: MetricRun, period: Period) -> str:
    """Return where a revision is compared with the one before it; nothing for a first one."""
    if run.revision == 1 or run.published_at is None:
        return ""
    just_before = moment_text(run.published_at - dt.timedelta(microseconds=1))
    day = run.day.isoformat()
    return period.url("metrics:changes", as_of=day, vs=day, vs_known_at=just_before)


def _title(before: MetricRun, run: MetricRun) -> str:
    if before.day == run.day:
        return f"What was corrected since revision {before.revision}"
    return f"What changed since {day_text(before.day, run.day)}"
