"""An owner's word on how an account fares, beside its score: why, and until when."""

import datetime as dt

from django.db import transaction

from accounts.models import Account
from accounts.selectors import today
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid
from config.lib.ui.formats import day_text
from config.lib.values import BadValue, echo, parse_text
from events.services import record
from metrics import permissions
from metrics.models import HealthOverride
from metrics.selectors import health
from people.models import User, system_user

REASON_MAX = 500
LONGEST = dt.timedelta(days=180)


@transaction.atomic
def override_health(
    account: Account, *, band: str, reason: str, until: dt.date, by: User, at: dt.datetime
) -> HealthOverride:
    """Let a band stand beside the score until a day. One that stood before ends.

    Raises Invalid naming the field.
    """
    on = today(at)
    is_owner = health.is_owner(by, account, on=on)
    require(permissions.can_override_health, by, is_owner=is_owner)
    names = health.band_names(on)
    if band not in names:
        words = f"“{echo(band)}” is no band. Choose one of: {', '.join(names)}."
        raise Invalid(words, field="band", code="invalid_choice")
    reason = _reason(reason)
    if not on <= until <= on + LONGEST:
        raise Invalid(
            f"{day_text(until)}: choose a day from today to {day_text(on + LONGEST, on)}.",
            field="until",
            code="out_of_range",
        )
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    for former in _open(account):
        _end(former, by, at)
    override = HealthOverride.objects.create(
        account=account, band=band, reason=reason, until=until, by=by, at=at
    )
    override.refresh_from_db()
    after = {"band": band, "until": until}
    record("health.overridden", override, by=by, after=after, account_id=account.pk, reason=reason)
    return override


@transaction.atomic
def end_override(account: Account, *, by: User, at: dt.datetime) -> None:
    """Let the score speak alone again. Raises Conflict where it does."""
    is_owner = health.is_owner(by, account, on=today(at))
    require(permissions.can_override_health, by, is_owner=is_owner)
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    found = _open(account)
    if not found:
        raise Conflict(f"Nobody's word stands beside the score of {account.name}.")
    for override in found:
        _end(override, by, at)
        _record_end(override, by)


@transaction.atomic
def end_what_ran_out(*, at: dt.datetime) -> int:
    """End the words whose last day is past; return how many."""
    rows = HealthOverride.objects.select_for_update(skip_locked=True)
    ended = list(rows.filter(ended_at=None, until__lt=today(at)).order_by("pk"))
    keel = system_user()
    for override in ended:
        _end(override, keel, at)
        _record_end(override, keel)
    return len(ended)


def _open(account: Account) -> list[HealthOverride]:
    rows = HealthOverride.objects.select_for_update()
    return list(rows.filter(account=account, ended_at=None))


def _end(override: HealthOverride, by: User, at: dt.datetime) -> None:
    override.ended_at, override.ended_by = at, by
    override.save(update_fields=["ended_at", "ended_by"])


def _record_end(override: HealthOverride, by: User) -> None:
    before = {"band": override.band, "until": override.until}
    record("health.override_ended", override, by=by, before=before, account_id=override.account_id)


def _reason(text: str) -> str:
    if not text.strip():
        words = "Say why the score does not tell it. Everybody reads it beside the score."
        raise Invalid(words, field="reason", code="required")
    try:
        return parse_text(text, max_length=REASON_MAX, lines=True)
    except BadValue as bad:
        raise Invalid(bad.detail, field="reason", code=bad.code) from bad
