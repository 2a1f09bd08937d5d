"""Change control: what a change of a signed SOW takes, and what becomes of it."""

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.selectors import today
from config.lib import values
from config.lib.authz import require
from config.lib.errors import Conflict
from config.lib.values import BadValue
from engagements import permissions, selectors
from engagements.models import ChangeRequest, ServiceRequest, SowVersion
from engagements.rules import changes as rules
from engagements.services import telling
from engagements.services.links import lock_request
from engagements.services.moving import move as make_move
from engagements.services.sow_versions import (
    CHANGING,
    add_version,
    discard,
    phase_of,
    revoke_others,
)
from events.services import record
from events.workflow import NOTHING, Given, Move
from people.models import User, system_user

REASON_MAX = 2_000
State = ChangeRequest.State


class NoChange(Conflict):
    """A change cannot begin now; the message says why and what to do."""

    code = "no_change_now"


@transaction.atomic
def begin_change(
    request: ServiceRequest,
    *,
    by: User,
    at: dt.datetime,
    reason: str,
    asked_by_customer: bool = False,
) -> ChangeRequest:
    """Begin a new version of what was agreed to, from triage on.

    What it takes is worked out from its content, and again with every save.
    """
    require(permissions.is_requester_of, by, request)
    reason = _reason(reason)
    request = lock_request(request)
    if refusal := why_not(request):
        raise NoChange(refusal)
    current = selectors.current_sow(request)
    assert current is not None  # noqa: S101 refused above
    # What the customer has open now gives way to the new version.
    for replaced in request.changes.filter(state__in=selectors.OPEN_CHANGES):
        make_move(replaced, "replace", by=system_user(), at=at)
    change = ChangeRequest(
        request=request,
        kind=rules.WORDING,
        before=selectors.last_ground(current, on=today(at)),
        after=add_version(request, current.content, actor=by, after=current, note=reason),
        reason=reason,
        asked_by_customer=asked_by_customer,
        by=by,
        at=at,
    )
    change.kind = _kind_of(change)
    change.save()
    change.refresh_from_db()
    record(
        "change.proposed",
        change,
        by=by,
        after={
            "request": request.number,
            "kind": change.kind,
            "before": str(change.before),
            "after": str(change.after),
            "asked_by_customer": asked_by_customer,
        },
        account_id=request.account_id,
        reason=reason,
    )
    return change


def why_not(request: ServiceRequest) -> str:
    """Return why no change can begin now, "" where one can."""
    if phase_of(request) not in CHANGING:
        return (
            f"A change begins once a request is triaged. {request.number} is "
            f"{request.get_state_display().lower()}."
        )
    current = selectors.current_sow(request)
    if request.fast_path or current is None:
        return f"{request.number} has no statement of work that could change."
    if not current.is_frozen:
        return f"Version {current.number} is being written already. Go on with it."
    return ""


def keep_up(sow: SowVersion, *, actor: User, at: dt.datetime) -> None:
    """Work out anew what the change takes; an approval holds only for what was approved."""
    change = selectors.open_change(sow)
    if change is None:
        return
    change.after = sow
    kind, was = _kind_of(change), change.kind
    if sow.is_frozen and kind == rules.LARGER:
        raise NoChange(
            f"Version {sow.number} is with the customer, and more effort needs the approval of a "
            "DE lead first. Write a new version, and estimate that."
        )
    if change.state == State.APPROVED:
        reason = f"Version {sow.number} was changed after the approval."
        make_move(change, "reopen", by=system_user(), at=at, given=Given(reason=reason))
    if kind == was:
        return
    ChangeRequest.objects.filter(pk=change.pk).update(kind=kind, version=change.version + 1)
    change.refresh_from_db()
    record(
        "change.weighed",
        change,
        by=actor,
        before={"kind": was},
        after={"kind": kind},
        account_id=change.account_id,
    )
    if kind == rules.LARGER:
        telling.change_proposed(change, by=actor, at=at)


def agreed(sow: SowVersion, *, at: dt.datetime) -> None:
    """Mark the change that this version is as agreed to by the customer."""
    if change := selectors.open_change(sow):
        make_move(change, "agree", by=system_user(), at=at)


@transaction.atomic
def decide(
    change: ChangeRequest, name: str, *, by: User, at: dt.datetime, given: Given = NOTHING
) -> None:
    """Approve, refuse or withdraw a change. Its request is locked first, as by every writer."""
    lock_request(change.request)
    make_move(change, name, by=by, at=at, given=given)


def drop_version(move: Move) -> None:
    """Throw away the draft of a change that will not be; what was sent gives way again.

    A version sent cannot be taken out of the history, so what was agreed to before stands
    again as the next version: with its content, and with its sign-off.
    """
    change: ChangeRequest = move.obj
    request = lock_request(change.request)
    after = change.after
    after.request = request
    if not after.is_frozen:
        if after.discarded_at is None:
            discard(after, actor=move.by, at=move.at)
        return
    if selectors.current_sow(request) != after or selectors.agreements_to(request, after):
        return
    before = change.before
    restored = add_version(
        request,
        before.content,
        actor=move.by,
        after=before,
        note=f"As in {before}: the change in {after} will not be.",
        frozen_at=move.at,
    )
    revoke_others(restored, actor=move.by, at=move.at)


def _kind_of(change: ChangeRequest) -> str:
    return rules.kind_of(
        change.before.content,
        change.after.content,
        days_before=change.before.effort_days,
        days_after=change.after.effort_days,
    )


def _reason(text: str) -> str:
    try:
        return values.parse_text(text, max_length=REASON_MAX, lines=True)
    except BadValue as bad:
        words = "Say what changes, and why." if bad.code == "blank" else bad.detail
        raise ValidationError({"reason": ValidationError(words, code=bad.code)}) from bad
