"""The life of an import: uploaded, mapped, checked, applied, perhaps undone.

Every function asks for permission, locks the import, moves it and records the event, in one
transaction; moves that make no sense are refused (moves.NotNow, moves.Busy). A small file is
worked on at once, a larger one by a worker: the import that is returned says by its status.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any, BinaryIO

from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts import permissions
from accounts.imports import files, moves, notices, saved, working
from accounts.imports.columns import KINDS
from accounts.imports.effects import Effect
from accounts.imports.mappings import read_mapping
from accounts.imports.mass import reasons_of_leaving
from accounts.imports.moves import Status
from accounts.imports.progress import Progress, progress_of
from accounts.imports.running import SOURCE, PlanChanged, safe_filename
from accounts.imports.saved import mapping_named
from accounts.imports.suggesting import (
    Fitting,
    Sheet,
    Suggestion,
    delimiter_of,
    is_ours,
    look_at,
)
from accounts.models import Import, ImportRow
from accounts.selectors.imports import left_lately, rows_of
from accounts.tabular import MOST_ROWS, Layout
from config.lib.authz import require
from config.lib.errors import Conflict, Invalid
from config.lib.values import echo
from people.models import User

__all__ = ["Fitting", "Progress", "Sheet", "Suggestion", "mapping_named", "progress_of"]

UNDO_WITHIN = dt.timedelta(hours=24)
# What one person imports within this time is one change, for the caps on mass changes.
IN_SMALL_STEPS = dt.timedelta(hours=24)
# More facts than these are put back by a worker.
MOST_AT_ONCE = 5_000


@transaction.atomic
def upload(  # noqa: PLR0913 -- all that can be said of a file
    *,
    kind: str,
    file: BinaryIO,
    filename: str,
    by: User,
    at: dt.datetime,
    source: str = "",
    account_source: str = "",
    mapping: str = "",
    date_format: str = "",
    encoding: str = "",
    like: Import | None = None,
) -> Import:
    """Keep the file. `mapping` names a saved or a shipped one; `like` is read as that one was.

    The import is UPLOADED where its columns are still to be said; else it is checked (CHECKED
    or, by a worker, CHECKING). Raises UnusableFile, UnusableMapping and Invalid.
    """
    require(permissions.can_import, by)
    if kind not in KINDS:
        raise Invalid(f"“{echo(kind)}” is none of: {', '.join(KINDS)}.", field="kind")
    size = files.size_of(file)
    given = _without_blanks(
        source=source, account_source=account_source, date_format=date_format, encoding=encoding
    )
    raw, is_known = _first_mapping(file, kind, given, mapping, like)
    import_ = Import.objects.create(
        kind=kind,
        source=raw.get("source", SOURCE if is_known else ""),
        filename=safe_filename(filename),
        sha256=files.digest_of(file),
        size=size,
        status=Status.UPLOADED,
        mapping=raw,
        by=by,
        created_at=at,
        moved_at=at,
    )
    if is_known:
        working.verify(import_, file, at=at)
    files.keep(file, import_)
    moves.tell("uploaded", import_, by=by, kind=kind, filename=import_.filename, size=size)
    if is_known:
        _check(import_, at=at)
    return import_


def sheet_of(import_: Import, layout: Layout | None = None) -> Sheet:
    """Return the head of the file, with ideas which of its columns are ours.

    `layout` reads it otherwise than the import's mapping says. Raises UnusableFile.
    """
    own = layout or working.mapping_of(import_).layout
    with files.opened(import_) as file:
        return _look(file, import_.kind, own)


@transaction.atomic
def choose_mapping(
    import_: Import, raw: Mapping[str, Any], *, by: User, at: dt.datetime, save_as: str = ""
) -> Import:
    """Read the file so, and check it anew. `raw` is all that a TOML mapping would say.

    Without "columns" the file uses our own names. Only the source may be left to the upload.
    """
    import_ = _own(import_, by)
    moves.require_step(import_, "checked")
    plain = saved.checked_raw({key: raw[key] for key in raw if key != "name"}, import_.kind)
    if save_as:
        name = saved.create_mapping(name=save_as, kind=import_.kind, raw=plain, by=by, at=at).name
    else:
        name = saved.name_of(plain, import_.kind)
    source = plain.get("source", "") or import_.source or SOURCE
    mapping = {**plain, "source": source, **({"name": name} if name else {})}
    # Other columns may make other rows bad.
    moves.write(import_, mapping=mapping, source=source, excluded=[])
    with files.opened(import_) as file:
        working.verify(import_, file, at=at)
    moves.tell("mapped", import_, by=by, mapping=mapping)
    _check(import_, at=at)
    return import_


@transaction.atomic
def renew_plan(import_: Import, *, outdated: str, by: User, at: dt.datetime) -> Import:
    """Make a fresh plan where this one did not hold, unless it has another already."""
    import_ = moves.locked(import_)
    if import_.plan_hash == outdated and import_.status in {Status.CHECKED, Status.WAITING}:
        if not permissions.can_approve_import(by, import_):
            require(permissions.can_import, by)
        _check(import_, at=at)
        moves.write(import_, failure=working.CHANGED)
    return import_


@transaction.atomic
def exclude(import_: Import, rows: Collection[int] | None, *, by: User, at: dt.datetime) -> Import:
    """Leave these rows out beside those left out before (None: every bad row), and check again."""
    import_ = _own(import_, by)
    _require_checked(import_)
    if rows is None:
        bad = rows_of(import_, ImportRow.Outcome.ERROR)
        rows = list(bad.values_list("row", flat=True))
    excluded = {*import_.excluded, *rows}
    if len(excluded) > MOST_ROWS:
        raise Invalid(f"At most {MOST_ROWS:,} rows can be left out.", field="rows")
    return _plan_anew(import_, sorted(excluded), by=by, at=at)


@transaction.atomic
def include_all(import_: Import, *, by: User, at: dt.datetime) -> Import:
    """Take up again what was left out, and check again."""
    import_ = _own(import_, by)
    _require_checked(import_)
    return _plan_anew(import_, [], by=by, at=at)


def request_apply(import_: Import, *, plan_hash: str, by: User, at: dt.datetime) -> Import:
    """Apply what was previewed: APPLIED, APPLYING (a worker does it) or WAITING (mass change).

    Raises PlanChanged where the facts changed since; it is CHECKED with a fresh plan then.
    """
    with transaction.atomic():
        require(permissions.can_import, by)
        import_ = moves.locked(import_)
        moves.require_step(import_, "applied")
        if import_.bad_rows:
            rows = "1 row is" if import_.bad_rows == 1 else f"{import_.bad_rows:,} rows are"
            raise Conflict(f"{rows} bad. Correct the file, or leave them out.", code="bad_rows")
        if plan_hash != import_.plan_hash:
            raise PlanChanged
        if import_.excluded and not (import_.creates or import_.updates or import_.unchanged):
            raise Conflict("Every row is left out. Take some up again.", code="no_rows")
        mass = import_.mass or _mass_of_a_day(import_, at=at)
        if mass and by.pk == import_.by_id:
            _wait_for_another(import_, mass, by=by, at=at)
            return import_
        second = by if mass else None
        changed = _write(import_, "applied", applied_by=by, approved_by=second, at=at)
    if changed:
        raise PlanChanged
    return import_


def approve(import_: Import, *, by: User, at: dt.datetime, plan_hash: str = "") -> Import:
    """Let a mass change of somebody else be applied. Raises PlanChanged as request_apply does.

    `plan_hash` is the plan that was looked at, where it could have become another one since.
    """
    with transaction.atomic():
        import_ = moves.locked(import_)
        require(permissions.can_approve_import, by, import_)
        moves.require_step(import_, "approved")
        if plan_hash not in {"", import_.plan_hash}:
            raise PlanChanged
        moves.tell("approved", import_, by=by, mass=import_.mass)
        changed = _write(import_, "approved", approved_by=by, at=at)
    if changed:
        raise PlanChanged
    return import_


@transaction.atomic
def undo(import_: Import, *, by: User, at: dt.datetime) -> Import:
    """Put back what it changed, but for what was changed since; `undone` says what."""
    require(permissions.can_import, by)
    import_ = moves.locked(import_)
    moves.require_step(import_, "undone")
    if import_.applied_at is None or at - import_.applied_at > UNDO_WITHIN:
        raise moves.NotNow(
            f"{import_.number} was applied more than 24 hours ago. "
            "Import a corrected file instead.",
            code="too_late",
        )
    moves.move(import_, "undone", Status.UNDOING, at=at, undone_by=by, attempts=0, failure="")
    if import_.creates + import_.updates <= MOST_AT_ONCE and working.can_write_now(import_.kind):
        working.put_back(import_, at=at)
    else:
        working.hand_over(import_)
    return import_


@transaction.atomic
def discard(import_: Import, *, by: User, at: dt.datetime) -> Import:
    """Give up an import that was not applied."""
    import_ = moves.locked(import_)
    if not permissions.can_approve_import(by, import_):
        require(permissions.can_import, by)
    moves.move(import_, "discarded", Status.DISCARDED, at=at, applied_by=None, approved_by=None)
    moves.tell("discarded", import_, by=by)
    return import_


def _own(import_: Import, by: User) -> Import:
    """Lock the import for whoever uploaded it.

    Were others to change what it does, its first person could wave it through as the second.
    """
    require(permissions.can_import, by)
    import_ = moves.locked(import_)
    if by.pk != import_.by_id and not by.is_system:
        raise PermissionDenied(
            f"Only {import_.by.name}, who uploaded it, can change what is imported. "
            "Upload the file yourself."
        )
    return import_


def _require_checked(import_: Import) -> None:
    moves.require_step(import_, "checked")
    if import_.status not in {Status.CHECKED, Status.WAITING}:
        raise moves.NotNow(f"{import_.number} is not checked yet, so no row can be left out.")


def _plan_anew(import_: Import, excluded: list[int], *, by: User, at: dt.datetime) -> Import:
    moves.write(import_, excluded=excluded)
    moves.tell("excluded", import_, by=by, count=len(excluded))
    _check(import_, at=at)
    return import_


def _check(import_: Import, *, at: dt.datetime) -> None:
    moves.move(
        import_,
        "checked",
        Status.CHECKING,
        at=at,
        attempts=0,
        failure="",
        applied_by=None,
        approved_by=None,
    )
    if files.is_small(import_):
        working.check(import_, at=at)
    else:
        working.hand_over(import_)


def _write(import_: Import, step: str, *, at: dt.datetime, **who: User | None) -> bool:
    """Apply it, or let a worker do so. Return whether the plan had changed."""
    moves.move(import_, step, Status.APPLYING, at=at, attempts=0, failure="", **who)
    if not (files.is_small(import_) and working.can_write_now(import_.kind)):
        working.hand_over(import_)
        return False
    return working.apply_or_recheck(import_, at=at)


def _mass_of_a_day(import_: Import, *, at: dt.datetime) -> list[str]:
    """Say why it is a mass change beside others of its person: nobody gets by in small steps."""
    if not import_.effect:
        return []
    effect = Effect.from_json(import_.effect)
    lately = left_lately(import_.by, since=at - IN_SMALL_STEPS)
    return reasons_of_leaving(effect.left, effect.before.denominator, lately=lately)


def _wait_for_another(import_: Import, mass: list[str], *, by: User, at: dt.datetime) -> None:
    moves.move(import_, "applied", Status.WAITING, at=at, applied_by=by, mass=mass, failure="")
    moves.tell("waiting", import_, by=by, mass=mass)
    notices.ask_for_approval(import_)


def _first_mapping(
    file: BinaryIO, kind: str, given: Mapping[str, str], name: str, like: Import | None
) -> tuple[dict[str, Any], bool]:
    """Return what is known of how to read the file, and whether that is all."""
    if like is not None and like.kind == kind:
        raw = files.without_layout(like.mapping, file)
        return {**raw, **given}, like.status != Status.UPLOADED
    if name:
        named = mapping_named(name, kind)
        return {**named.raw, **given, "name": named.name}, True
    sheet = _look(file, kind, read_mapping(given, kind, name="").layout)
    if not sheet.skip_until and is_ours(sheet.header, kind):
        return dict(given), True
    delimiter = delimiter_of(sheet.header)
    return {**given, **({"delimiter": delimiter} if delimiter else {})}, False


def _look(file: BinaryIO, kind: str, layout: Layout) -> Sheet:
    return look_at(file, kind, layout, saved.as_read(kind), saved.shipped_mappings(kind))


def _without_blanks(**texts: str) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text}
