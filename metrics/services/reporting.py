"""What the metric owners are told of a night."""

from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from config.lib.ui.formats import day_text
from metrics.models import MetricRun
from metrics.selectors.answers import fraction_text
from metrics.services.holding import name_of, notify_owners


@transaction.atomic
def tell_of_revisions(runs: Sequence[MetricRun]) -> None:
    """Promise a mail about the days whose published number is another one now."""
    lines = [line for run in runs if (line := _revised(run))]
    if not lines:
        return
    body = [
        "Facts that came late, or were corrected, have changed these numbers:",
        "",
        *lines,
        "",
        "Which accounts did it is on the dashboard of each day, behind its revision:",
        settings.BASE_URL + reverse("metrics:run-list"),
    ]
    title = "a day" if len(lines) == 1 else f"{len(lines)} days"
    key = f"revised:{runs[-1].uuid}"
    name = name_of(runs[-1].definition)
    notify_owners(f"{name} of {title} was revised", "\n".join(body), key=key)


def _revised(run: MetricRun) -> str:
    """Say what a day's number was and is; nothing where it is the first or the same."""
    if run.status == MetricRun.Status.HELD:
        return ""
    before = (
        MetricRun.objects.filter(
            definition=run.definition, day=run.day, revision__lt=run.revision, status="published"
        )
        .order_by("-revision")
        .first()
    )
    if before is None or fraction_text(before) == fraction_text(run):
        return ""
    return f"- {day_text(run.day)}: {fraction_text(before)} → {fraction_text(run)}"
