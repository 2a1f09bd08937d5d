"""Writing statements of work, and freezing what is sent."""

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.selectors import today
from config.lib import values
from config.lib.authz import require
from config.lib.errors import Conflict, StaleWrite
from config.lib.values import BadValue
from engagements import permissions, selectors
from engagements.models import RequestState, ServiceRequest, SowTemplate, SowVersion
from engagements.rules import diff, sow_reading
from engagements.rules import sow as rules
from engagements.services import changing
from engagements.services.links import lock_request
from engagements.services.sow_versions import (
    CHANGING,
    DRAFTING,
    add_version,
    digest_of,
    discard,
    lock,
    phase_of,
    revoke_others,
    tell,
    write,
)
from events.workflow import Case, Move
from people.models import User

NOTE_MAX = 500
EFFORT_MAX = Decimal(999)


class NotWritable(Conflict):
    """A version cannot be written now; the message says why and what to do."""

    code = "not_writable"


class Frozen(Conflict):
    """What was sent does not change."""

    code = "frozen"


@dataclass(frozen=True, kw_only=True)
class Saved:
    """A draft as it is stored, and what of it was not right, by path."""

    sow: SowVersion
    errors: dict[str, BadValue] = field(default_factory=dict)


@transaction.atomic
def start_draft(
    request: ServiceRequest,
    *,
    by: User,
    at: dt.datetime,
    template: SowTemplate | None = None,
    start: dt.date | None = None,
    data: Any = None,
) -> SowVersion:
    """Begin the first version: empty, with what a program sent as `data`, or from a template
    whose days count from `start`."""
    require(permissions.is_requester_of, by, request)
    request = lock_request(request)
    _refuse_unless_writing(request)
    if current := selectors.current_sow(request):
        raise NotWritable(
            f"Version {current.number} was sent already. Write a new version of it."
            if current.is_frozen
            else f"Version {current.number} is being written already."
        )
    content = first_content(request, template, start or today(at))
    note = f"From “{template}”" if template else ""
    sow = add_version(request, content, actor=by, note=note)
    return sow if data is None else save_draft(sow, data, by=by, at=at).sow


@transaction.atomic
def fill_from_template(
    sow: SowVersion,
    template: SowTemplate,
    *,
    by: User,
    at: dt.datetime,
    start: dt.date | None = None,
    version: int | None = None,
) -> SowVersion:
    """Put a template in the place of all that a draft holds."""
    content = first_content(sow.request, template, start or today(at))
    for row in content["deliverables"]:
        del row["key"]
    return save_draft(sow, content, by=by, at=at, version=version).sow


def first_content(
    request: ServiceRequest, template: SowTemplate | None, start: dt.date
) -> rules.Content:
    """Return what a first version starts with: the title and the owner, where they are known."""
    known = {"title": request.title}
    if request.contact:
        known["customer_owner"] = request.contact.name[: sow_reading.PERSON_MAX]
    if template is None:
        return rules.empty(**known)
    dated = sow_reading.dated(rules.complete(template.content), start=start)
    return dated | {name: value for name, value in known.items() if value}


@transaction.atomic
def save_draft(
    sow: SowVersion,
    data: Any,
    *,
    by: User,
    at: dt.datetime,
    version: int | None = None,
    as_text: bool = False,
    note: str | None = None,
) -> Saved:
    """Store what was written. From a form (`as_text`) what is not right is kept as it was typed.

    Raises ValidationError by path where a program sent what is not right, Frozen for a version
    that was sent, StaleWrite where somebody wrote in between.
    """
    _, sow = _writable(sow, by=by, version=version)
    used = max(sow.keys_used, rules.keys_used(sow.content))
    found = sow_reading.read(data, used=used, as_text=as_text)
    if found.errors and not as_text:
        raise ValidationError(
            {path: ValidationError(bad.detail, code=bad.code) for path, bad in found.errors.items()}
        )
    was, note = sow.digest, sow.note if note is None else _note(note)
    changed = diff.changed_parts(sow.content, found.content)
    columns: dict[str, Any] = {"typed": found.typed, "note": note}
    if sow.content != found.content:
        columns |= {"content": found.content, "digest": digest_of(sow, found.content)}
    if all(getattr(sow, name) == value for name, value in columns.items()):
        return Saved(sow=sow, errors=found.errors)
    write(sow, **columns, keys_used=found.keys_used, by=by)
    if sow.digest != was:
        tell(
            "saved", sow, actor=by, before={"digest": was},
            after={"digest": sow.digest, "changed": changed},
        )  # fmt: skip
        revoke_others(sow, actor=by, at=at)
        changing.keep_up(sow, actor=by, at=at)
    return Saved(sow=sow, errors=found.errors)


@transaction.atomic
def discard_draft(sow: SowVersion, *, by: User, at: dt.datetime) -> None:
    """Throw a first draft away, or a change that was not sent.

    Before work is planned, a draft that follows a version sent goes by the move of the request,
    which puts the request back to where it was.
    """
    request, sow = _writable(sow, by=by, version=None)
    if change := selectors.open_change(sow):
        changing.decide(change, "withdraw", by=by, at=at)
        return
    if phase_of(request) in DRAFTING and selectors.newest_frozen(request):
        raise NotWritable("Use “Keep the version sent”: it takes the request back to it.")
    discard(sow, actor=by, at=at)


@transaction.atomic
def estimate(sow: SowVersion, days: Decimal | None, *, by: User, at: dt.datetime) -> SowVersion:
    """Note how many days DE expects; not part of what the customer signs."""
    require(permissions.is_engineer, by)
    _, sow = lock(sow)
    if sow.discarded_at is not None:
        raise NotWritable(f"Version {sow.number} was thrown away.")
    if days is not None and not 0 <= days <= EFFORT_MAX:
        raise ValidationError({"effort_days": f"Write days from 0 to {EFFORT_MAX}."})
    was = sow.effort_days
    if days != was:
        write(sow, effort_days=days)
        tell("estimated", sow, actor=by, before={"effort_days": was}, after={"effort_days": days})
        changing.keep_up(sow, actor=by, at=at)
    return sow


def freeze_current(move: Move) -> None:
    """Freeze the current version: from now on it is what the customer was shown."""
    sow = selectors.current_sow(move.obj)
    assert sow is not None  # noqa: S101 the guards saw it
    sow.request = move.obj
    sow.digest = digest_of(sow, sow.content)
    sow.frozen_at, sow.frozen_by = move.at, move.by
    sow.save(update_fields=["digest", "frozen_at", "frozen_by"])
    tell("sent", sow, actor=move.by, after={"digest": sow.digest})
    revoke_others(sow, actor=move.by, at=move.at)


def begin_next(move: Move) -> None:
    """Copy the version sent into a new draft."""
    sent = selectors.current_sow(move.obj)
    if sent is not None and sent.is_frozen:
        add_version(move.obj, sent.content, actor=move.by, after=sent, note=move.reason)


def discard_current(move: Move) -> None:
    sow = selectors.current_sow(move.obj)
    if sow is not None and not sow.is_frozen:
        sow.request = move.obj
        discard(sow, actor=move.by, at=move.at)


def without_the_draft(case: Case) -> str:
    """Return where the request stands once its draft is thrown away."""
    sent = selectors.newest_frozen(case.obj)
    on = today(case.at)
    is_signed = sent is not None and selectors.sign_off_of(case.obj, sent, on=on) is not None
    return RequestState.SIGNED_OFF if is_signed else RequestState.AWAITING_SIGNOFF


def _writable(
    sow: SowVersion, *, by: User, version: int | None
) -> tuple[ServiceRequest, SowVersion]:
    """Lock a draft that this person may write now."""
    require(permissions.is_requester_of, by, sow.request)
    request, sow = lock(sow)
    if sow.is_frozen:
        raise Frozen(f"Version {sow.number} was sent and does not change. Write a new version.")
    if sow.discarded_at is not None:
        raise NotWritable(f"Version {sow.number} was thrown away.")
    _refuse_unless_writing(request)
    if version is not None and version != sow.version:
        raise StaleWrite(
            f"{sow.by.name} saved this version meanwhile.", etag=f'"{sow.uuid}.{sow.version}"'
        )
    return request, sow


def _refuse_unless_writing(request: ServiceRequest) -> None:
    if request.fast_path:
        raise NotWritable(f"{request.number} is on the fast path and needs no statement of work.")
    if phase_of(request) not in DRAFTING | CHANGING:
        raise NotWritable(
            f"A statement of work cannot be written now: {request.number} is "
            f"{request.get_state_display().lower()}."
        )


def _note(text: str) -> str:
    try:
        return values.parse_text(text, max_length=NOTE_MAX) if text.strip() else ""
    except BadValue as bad:
        raise ValidationError({"note": ValidationError(bad.detail, code=bad.code)}) from bad
