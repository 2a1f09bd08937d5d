"""Looks at whether a project did what it promised, 30, 60 and 90 days after it was closed."""

import datetime as dt

from django.db import transaction

from accounts.selectors import today
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid
from config.lib.ui.formats import day_text, number_text
from config.lib.values import SEATS_MAX, BadValue, parse_text
from events.services import record
from people.models import User
from projects import permissions
from projects.models import ProjectCheck
from projects.selectors.outcomes import outcome_of, seats_now
from projects.services.consequences import sole_account

NOTE_MAX = 4_000


@transaction.atomic
def record_check(
    check: ProjectCheck,
    *,
    seats_found: int | None,
    note: str = "",
    by: User,
    at: dt.datetime,
) -> ProjectCheck:
    """Note how many seats there are now; the verdict follows from that, and from nothing else."""
    project = check.project
    require(permissions.works_on, by, project)
    check = ProjectCheck.objects.select_for_update(of=("self",)).get(pk=check.pk)
    if check.done_at is not None:
        raise Conflict(f"The look after {check.days} days is recorded already.", code="done")
    if check.due_on > today(at):
        raise Conflict(
            f"The look after {check.days} days is due on {day_text(check.due_on)}.", code="not_due"
        )
    if seats_found is not None and not 0 <= seats_found <= SEATS_MAX:
        raise Invalid("Enter a whole number of seats.", field="seats_found", code="out_of_range")
    _check_note(seats_found, seats_now(project), note)
    check.seats_found = seats_found
    check.note = _text(note) if note.strip() else ""
    check.verdict = outcome_of(check).verdict
    check.done_by, check.done_at = by, at
    check.save(update_fields=["seats_found", "note", "verdict", "done_by", "done_at"])
    record(
        "project_check.recorded",
        check,
        by=by,
        after={
            "days": check.days,
            "seats_promised": check.seats_promised,
            "seats_before": check.seats_before,
            "seats_found": check.seats_found,
            "verdict": check.verdict,
        },
        account_id=sole_account(project),
    )
    return check


def _check_note(found: int | None, known: int | None, note: str) -> None:
    """What the accounts do not say has to be said."""
    if note.strip():
        return
    if found is None:
        words = "Without a number, say what you found."
        raise Invalid(words, field="note", code="required")
    if known is not None and found != known:
        words = f"Its accounts have {number_text(known)} seats deployed. Say why you count others."
        raise Invalid(words, field="note", code="required")


def _text(note: str) -> str:
    try:
        return parse_text(note, max_length=NOTE_MAX, lines=True)
    except BadValue as bad:
        raise Invalid(bad.detail, field="note", code=bad.code) from bad
