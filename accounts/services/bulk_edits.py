"""One value given to many accounts at once: planned, written whole, and put back if need be.

`plan` only reads. `carry_out` plans again under the locks and writes what it finds then; who names
the `digest` of the plan they saw is refused where it is another one by now.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, transaction

from accounts import permissions, selectors
from accounts.measure import facts_changed
from accounts.models import Account, BulkEdit
from accounts.services.bulk_columns import COLUMNS, ColumnEdit
from accounts.services.bulk_plans import Change, Edit, Entry, Plan, Skip
from accounts.services.bulk_tams import TamEdit
from accounts.services.storing import take_turn
from config.lib.authz import require
from config.lib.errors import Conflict, Gone, Invalid, StaleWrite
from people.models import User

TAM = "tam"
MOST_ACCOUNTS = 5_000
UNDO_FOR = dt.timedelta(minutes=10)
NOT_OWN = "It is not one of your own accounts."
# PostgreSQL's words for a row that somebody else has, and for two who wait for each other.
BUSY = {"55P03", "40P01"}


class Busy(Conflict):
    """Somebody else writes the same accounts."""

    code = "busy"
    default_message = (
        "These accounts are being changed by somebody else or by an import just now."
        " Nothing was changed. Try again in a moment."
    )


class PlanChanged(StaleWrite):
    """What would be changed is no longer what was shown."""

    code = "plan_changed"
    default_message = "Something changed since this was worked out. Check it once more."


def edit_of(name: str, value: Any, *, on: dt.date) -> Edit:
    """Return the edit that gives accounts this value. Raises Invalid where none may have it."""
    if name == TAM:
        return TamEdit.to(value, on=on)
    if name in COLUMNS:
        return ColumnEdit(name, COLUMNS[name](value))
    raise Invalid("This cannot be changed for many accounts at once.", field="field")


def plan(edit: Edit, ids: Collection[int], *, by: User, on: dt.date, lock: bool = False) -> Plan:
    """Return what would happen to those of the accounts that the person may know of."""
    if len(ids) > MOST_ACCOUNTS:
        raise Invalid(f"At most {MOST_ACCOUNTS:,} accounts can be changed at once.", field="ids")
    accounts = _accounts(ids, by=by, lock=lock)
    edit.find(accounts, lock=lock)
    may = _permitted(edit.name, by=by, on=on)
    found = Plan()
    for account in accounts:
        outcome = edit.outcome(account) if may(account.pk) else NOT_OWN
        if isinstance(outcome, str):
            found.skipped.append(Skip(account, outcome))
        else:
            found.changes.append(Change(account, *outcome))
    return found


def carry_out(
    edit: Edit,
    ids: Collection[int],
    *,
    by: User,
    on: dt.date,
    at: dt.datetime,
    expected: str = "",
) -> BulkEdit:
    """Change what can be changed, and keep of the rest why not.

    Raises PlanChanged where the plan is not the `expected` one, Busy where somebody holds a row.
    """
    require(permissions.can_edit_in_bulk, by, edit.name, is_own=True)
    with _unless_busy(), transaction.atomic():
        take_turn(edit.turn)
        made = plan(edit, ids, by=by, on=on, lock=True)
        if expected and made.digest != expected:
            raise PlanChanged
        if not made.changes:
            raise Invalid("There is nothing to change.", field="ids")
        entries = edit.write(made.changes, by=by, at=at)
        facts_changed([entry.account.pk for entry in entries])
        return BulkEdit.objects.create(
            field=edit.name,
            value=edit.stored,
            changed=[
                {"account": e.account.pk, "before": e.before, "version": e.version} for e in entries
            ],
            skipped=[{"account": s.account.pk, "reason": s.reason} for s in made.skipped],
            by=by,
            at=at,
        )


def undo(made: BulkEdit, *, by: User, on: dt.date, at: dt.datetime) -> BulkEdit:
    """Put back what nobody changed since. Raises Gone after ten minutes or a second time."""
    require(permissions.can_undo_bulk_edit, by, made)
    edit = _edit_again(made, on=on)
    with _unless_busy(), transaction.atomic():
        take_turn(edit.turn)
        made = BulkEdit.objects.select_for_update().get(pk=made.pk)
        if made.undone_at is not None:
            raise Gone("This was undone already.")
        if not can_be_undone(made, at=at):
            raise Gone("A change of many accounts can be undone for ten minutes only.")
        good, made.not_undone = _undoable(edit, made, by=by, on=on)
        edit.put_back(good, by=by, at=at)
        facts_changed([entry.account.pk for entry in good])
        made.undone_at = at
        made.save(update_fields=["undone_at", "not_undone"])
        return made


def can_be_undone(edit: BulkEdit, *, at: dt.datetime) -> bool:
    return edit.undone_at is None and at - edit.at <= UNDO_FOR


def _undoable(
    edit: Edit, made: BulkEdit, *, by: User, on: dt.date
) -> tuple[list[Entry], list[dict[str, Any]]]:
    """Return what can be put back, and of the rest why not."""
    told = {entry["account"]: entry for entry in made.changed}
    accounts = _accounts(told, by=by, lock=True)
    edit.find(accounts, lock=True)
    may = _permitted(edit.name, by=by, on=on)
    good, bad = [], []
    for account in accounts:
        entry = Entry(account, told[account.pk]["before"], told[account.pk]["version"])
        why_not = edit.why_moved(entry) if may(account.pk) else NOT_OWN
        if why_not:
            bad.append({"account": account.pk, "reason": why_not})
        else:
            good.append(entry)
    return good, bad


def _accounts(ids: Collection[int], *, by: User, lock: bool) -> list[Account]:
    """Read them in the order of their keys; two who lock the same ones wait in line."""
    visible = selectors.accounts_visible_to(by).select_related(None).filter(pk__in=ids)
    if lock:
        visible = visible.select_for_update(no_key=True, of=("self",))
    return list(visible.order_by("pk"))


def _edit_again(made: BulkEdit, *, on: dt.date) -> Edit:
    if made.field == TAM:
        return TamEdit(User.objects.get(pk=str(made.value)), on)
    return ColumnEdit(made.field, made.value)


def _permitted(name: str, *, by: User, on: dt.date) -> Callable[[int], bool]:
    """Return whether the person may change the account of an id; reads their own ones once."""
    if permissions.can_edit_in_bulk(by, name, is_own=False):
        return lambda _: True
    own = set(selectors.own_account_ids(by, on=on))
    return lambda pk: permissions.can_edit_in_bulk(by, name, is_own=pk in own)


@contextmanager
def _unless_busy() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", "") in BUSY:
            raise Busy from error
        raise
