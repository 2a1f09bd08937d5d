"""Whether a run says what judging everybody says, and the alarm where it does not."""

import logging

from django.conf import settings
from django.urls import reverse

from config.lib.ui.formats import day_text
from metrics.models import MetricRun
from metrics.services import ledger
from metrics.services.holding import name_of, notify_owners
from metrics.services.staging import Staged

logger = logging.getLogger(__name__)

COUNTED = ("numerator", "denominator", "unknown", "covered", "oldest_reading", "excluded")
FEW = 20


def differences(run: MetricRun, staged: Staged) -> list[str]:
    """Say where the run is not what everybody, just staged, comes to; mostly nothing."""
    found = [
        f"{name} is {getattr(run, name)}, in full {getattr(staged.number, name)}"
        for name in COUNTED
        if getattr(run, name) != getattr(staged.number, name)
    ]
    if run.inputs_sum and run.inputs_sum != staged.inputs_sum.hex:
        found.append("the sum of what it used is another")
    accounts = ledger.differing_accounts(run)
    if accounts:
        named = ", ".join(f"ACC-{account_id}" for account_id in accounts[:FEW])
        found.append(f"{len(accounts)} accounts are judged otherwise: {named}")
    return found


def raise_alarm(run: MetricRun, found: list[str]) -> None:
    """Log it and promise every metric owner a mail, in the transaction that mends the run."""
    logger.error(
        "The run of %s, revision %s, differs from the full one: %s",
        run.day, run.revision, "; ".join(found),
    )  # fmt: skip
    day = day_text(run.day, None)
    lines = [
        f"The run of {day}, revision {run.revision}, was computed from the run before it.",
        "Judging every account came to something else:",
        "",
        *(f"- {sentence}" for sentence in found),
        "",
        f"Revision {run.revision + 1} has the full result and stands in its place.",
        "Nothing is left to do for this day; report it as a defect of Keel, with this mail.",
        settings.BASE_URL + reverse("metrics:run-detail", args=[run.uuid]),
    ]
    notify_owners(
        f"{name_of(run.definition)} of {day} was wrong", "\n".join(lines), key=f"audit:{run.uuid}"
    )
