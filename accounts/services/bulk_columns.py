"""Bulk edits of an account's own columns."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F

from accounts.models import Account
from accounts.services.bulk_plans import MOVED, UNDONE, Change, Entry, together
from accounts.services.storing import batches, update_rows
from config.lib.errors import Invalid
from config.lib.values import BadValue, parse_text
from events import services as events
from people.models import User

WORD_LENGTH = 60


def _word(value: Any) -> str:
    """Return a region or segment; an empty one takes it away."""
    if value in {None, ""}:
        return ""
    try:
        return parse_text(value, max_length=WORD_LENGTH)
    except BadValue as bad:
        raise Invalid(bad.detail, field="value", code=bad.code) from bad


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Invalid("Choose yes or no.", field="value")
    return value


COLUMNS: Mapping[str, Callable[[Any], Any]] = {
    "segment": _word,
    "region": _word,
    "strategic": _yes_or_no,
    "archived": _yes_or_no,
}


def said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) or "none"


@dataclass
class ColumnEdit:
    name: str
    value: Any
    turn: str = "accounts"

    @property
    def stored(self) -> Any:
        return self.value

    def find(self, accounts: Sequence[Account], *, lock: bool) -> None:
        """Everything is in the accounts themselves."""

    def outcome(self, account: Account) -> tuple[str, Any] | str:
        before = getattr(account, self.name)
        return "It is so already." if before == self.value else (said(before), before)

    def write(self, changes: Sequence[Change], *, by: User, at: dt.datetime) -> list[Entry]:
        Account.objects.filter(pk__in=[change.account.pk for change in changes]).update(
            **{self.name: self.value}, version=F("version") + 1, updated_at=at, last_import=None
        )
        reason = together(len(changes))
        events.record_all(
            [self._event(c.account, c.before, self.value, reason) for c in changes], by=by
        )
        return [Entry(c.account, c.before, c.account.version + 1) for c in changes]

    def why_moved(self, entry: Entry) -> str:
        return "" if entry.account.version == entry.version else MOVED

    def put_back(self, entries: Sequence[Entry], *, by: User, at: dt.datetime) -> None:
        del at
        for some in batches(entries):
            update_rows(Account, [{"id": e.account.pk, self.name: e.before} for e in some])
        events.record_all(
            [self._event(e.account, self.value, e.before, UNDONE) for e in entries], by=by
        )

    def _event(self, account: Account, before: Any, after: Any, reason: str) -> events.Draft:
        return events.Draft(
            verb="account.updated",
            obj=account,
            before={self.name: before},
            after={self.name: after},
            account_id=account.pk,
            reason=reason,
        )
