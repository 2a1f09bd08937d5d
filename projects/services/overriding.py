"""A place in the ranked list given by hand: with a reason, until a day, for everybody to see."""

import datetime as dt

from django.db import transaction

from accounts.selectors import today
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid
from config.lib.ui.formats import day_text
from config.lib.values import BadValue, parse_text
from events.services import record
from people.models import User, system_user
from projects import permissions
from projects.models import Project, RankOverride
from projects.services.consequences import sole_account

REASON_MAX = 500
LONGEST = dt.timedelta(days=90)


@transaction.atomic
def move_by_hand(
    project: Project,
    *,
    before: Project | None,
    reason: str,
    expires_on: dt.date,
    by: User,
    at: dt.datetime,
) -> RankOverride:
    """Put the project directly before another in the ranked list, or last, until a day.

    A move by hand that it had ends. Raises Invalid naming the field, Conflict for what is over.
    """
    require(permissions.can_order, by)
    on = today(at)
    reason = _reason(reason)
    if not on <= expires_on <= on + LONGEST:
        raise Invalid(
            f"{day_text(expires_on)}: choose a day from today to {day_text(on + LONGEST)}.",
            field="expires_on",
            code="out_of_range",
        )
    if before is not None and before.pk == project.pk:
        raise Invalid(f"{project.number} cannot stand before itself.", field="before")
    locked = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    for each in filter(None, (locked, before)):
        if each.is_over:
            state = each.get_state_display().lower()
            raise Conflict(f"{each.number} is {state} and has no place in the list.")
    for former in RankOverride.objects.select_for_update().filter(project=locked, ended_at=None):
        _end(former, by, at)
    override = RankOverride.objects.create(
        project=locked, before=before, reason=reason, by=by, at=at, expires_on=expires_on
    )
    override.refresh_from_db()
    record(
        "project.moved_by_hand",
        locked,
        by=by,
        after={"before": before.number if before else None, "expires_on": expires_on},
        account_id=sole_account(locked),
        reason=reason,
    )
    return override


@transaction.atomic
def end_by_hand(project: Project, *, by: User, at: dt.datetime) -> None:
    """Let the project stand where its score puts it again."""
    require(permissions.can_order, by)
    override = RankOverride.objects.select_for_update().filter(project=project, ended_at=None)
    found = override.first()
    if found is None:
        raise Conflict(f"{project.number} stands where its score puts it already.")
    _end(found, by, at)
    _record_end(found, by)


@transaction.atomic
def end_what_ran_out(*, at: dt.datetime) -> int:
    """End the moves by hand whose last day is past; return how many."""
    rows = RankOverride.objects.select_for_update(skip_locked=True, of=("self",))
    past = rows.filter(ended_at=None, expires_on__lt=today(at)).select_related("project")
    ended = list(past.order_by("pk"))
    keel = system_user()
    for override in ended:
        _end(override, keel, at)
        _record_end(override, keel)
    return len(ended)


def _end(override: RankOverride, by: User, at: dt.datetime) -> None:
    override.ended_at, override.ended_by = at, by
    override.save(update_fields=["ended_at", "ended_by"])


def _record_end(override: RankOverride, by: User) -> None:
    project = override.project
    record(
        "project.hand_move_ended",
        project,
        by=by,
        before={"expires_on": override.expires_on},
        account_id=sole_account(project),
    )


def _reason(text: str) -> str:
    if not text.strip():
        words = "Say why it goes before its score. Everybody reads it in the list."
        raise Invalid(words, field="reason", code="required")
    try:
        return parse_text(text.strip(), max_length=REASON_MAX, lines=True)
    except BadValue as bad:
        raise Invalid(bad.detail, field="reason", code=bad.code) from bad
