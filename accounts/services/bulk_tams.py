"""Bulk edits of the primary TAM: the running assignment ends today, a new one starts."""

import dataclasses
import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import F, Q

from accounts.models import Account, Assignment
from accounts.services.bulk_plans import MOVED, UNDONE, Change, Entry, together
from accounts.services.storing import batches, update_rows
from config.lib.errors import Invalid
from events import services as events
from people.models import REQUESTERS, User

TAM = Assignment.Role.TAM
# What ended so long ago may still be put back: a change of yesterday, undone after midnight.
ENDED_LATELY = dt.timedelta(days=1)


@dataclasses.dataclass
class TamEdit:
    user: User
    on: dt.date
    name: str = "tam"
    turn: str = "assignments"
    # The TAM assignments of each account that run on the day or later.
    teams: dict[int, list[Assignment]] = dataclasses.field(default_factory=dict)

    @classmethod
    def to(cls, user: Any, *, on: dt.date) -> "TamEdit":
        """Raise Invalid where this person cannot be anybody's TAM."""
        if not isinstance(user, User) or user.is_system or not user.is_active:
            raise Invalid("Choose a person who can sign in.", field="value")
        if user.roles.isdisjoint(REQUESTERS):
            raise Invalid(
                f"{user.name} has none of the roles TAM, CSM, CRE, account executive and solution"
                " architect. An administrator can give one under Settings, People.",
                field="value",
            )
        return cls(user, on)

    @property
    def stored(self) -> Any:
        return self.user.pk

    def find(self, accounts: Sequence[Account], *, lock: bool) -> None:
        since = self.on - ENDED_LATELY
        rows = Assignment.objects.filter(
            Q(end=None) | Q(end__gte=since), account__in=accounts, role=TAM
        )
        if lock:
            list(rows.order_by("pk").select_for_update(no_key=True, of=("self",)).values_list("pk"))
        self.teams = defaultdict(list)
        for row in rows.select_related("user").order_by("start", "pk"):
            self.teams[row.account_id].append(row)

    def outcome(self, account: Account) -> tuple[str, Any] | str:
        team = self.teams[account.pk]
        running, planned = self._running(account), self._planned(account)
        if running and running.user_id == self.user.pk:
            return f"{self.user.name} is its TAM already."
        if planned:
            when = f"{planned.user.name} takes over on {planned.start}"
            return f"{when}. Change that assignment first."
        if any(row.user_id == self.user.pk and row.start == self.on for row in team):
            return f"{self.user.name} is assigned from today already, as a further TAM."
        if running is None:
            return "nobody", {}
        kind = "given" if running.start == self.on else "ended"
        value = running.user_id if kind == "given" else running.end and running.end.isoformat()
        return running.user.name, {kind: [running.pk, value, running.version + 1]}

    def write(self, changes: Sequence[Change], *, by: User, at: dt.datetime) -> list[Entry]:
        """End first: the database lets no two primaries overlap even for a moment."""
        stamp: dict[str, Any] = {
            "version": F("version") + 1,
            "updated_at": at,
            "last_import": None,
        }
        given = [c for c in changes if "given" in c.before]
        ended = [c for c in changes if "ended" in c.before]
        ids = [c.before["given"][0] for c in given]
        Assignment.objects.filter(pk__in=ids).update(user=self.user, **stamp)
        ids = [c.before["ended"][0] for c in ended]
        Assignment.objects.filter(pk__in=ids).update(end=self.on, **stamp)
        made = Assignment.objects.bulk_create(
            [
                Assignment(
                    uuid=uuid.uuid4(), account=c.account, user=self.user, role=TAM, start=self.on
                )
                for c in changes
                if "given" not in c.before
            ],
            batch_size=2000,
        )
        drafts = [
            *(_given(self._before(c), self.user) for c in given),
            *(
                _updated(self._before(c), {"end": self._before(c).end}, {"end": self.on})
                for c in ended
            ),
            *(_created(row) for row in made),
        ]
        reason = together(len(changes))
        events.record_all([dataclasses.replace(d, reason=reason) for d in drafts], by=by)
        new = {row.account_id: row.pk for row in made}
        return [
            Entry(c.account, {**c.before, "made": new.get(c.account.pk)}, c.account.version)
            for c in changes
        ]

    def why_moved(self, entry: Entry) -> str:
        """Look at the rows that were written: each must be there with the version it got."""
        rows = {row.pk: row.version for row in self.teams[entry.account.pk]}
        before = entry.before
        written = [(pk, version) for pk, _, version in _touched(before)]
        if before["made"]:
            written.append((before["made"], 1))
        return "" if all(rows.get(pk) == version for pk, version in written) else MOVED

    def put_back(self, entries: Sequence[Entry], *, by: User, at: dt.datetime) -> None:
        del at
        rows = {row.pk: row for team in self.teams.values() for row in team}
        people = User.objects.in_bulk(
            [e.before["given"][1] for e in entries if "given" in e.before]
        )
        made = [rows[e.before["made"]] for e in entries if e.before["made"]]
        given = [e.before["given"][:2] for e in entries if "given" in e.before]
        ended = [e.before["ended"][:2] for e in entries if "ended" in e.before]
        drafts = [
            *(_deleted(row) for row in made),
            *(_given(rows[pk], people[user]) for pk, user in given),
            *(_updated(rows[pk], {"end": rows[pk].end}, {"end": end}) for pk, end in ended),
        ]
        events.record_all([dataclasses.replace(d, reason=UNDONE) for d in drafts], by=by)
        Assignment.objects.filter(pk__in=[row.pk for row in made]).delete()
        for some in batches(given):
            update_rows(Assignment, [{"id": pk, "user_id": user} for pk, user in some])
        for some in batches(ended):
            update_rows(Assignment, [{"id": pk, "end": end} for pk, end in some])

    def _running(self, account: Account) -> Assignment | None:
        return next(
            (
                row
                for row in self.teams[account.pk]
                if row.primary and row.start <= self.on and (row.end is None or row.end > self.on)
            ),
            None,
        )

    def _planned(self, account: Account) -> Assignment | None:
        return next(
            (row for row in self.teams[account.pk] if row.primary and row.start > self.on), None
        )

    def _before(self, change: Change) -> Assignment:
        running = self._running(change.account)
        assert running is not None  # noqa: S101 -- `outcome` found it
        return running


def _touched(before: dict[str, Any]) -> list[tuple[int, Any, int]]:
    return [tuple(before[kind]) for kind in ("given", "ended") if kind in before]


def _draft(verb: str, row: Assignment, **values: Any) -> events.Draft:
    return events.Draft(verb=f"assignment.{verb}", obj=row, account_id=row.account_id, **values)


def _created(row: Assignment) -> events.Draft:
    return _draft("created", row, after={"user": row.user, "role": row.role, "start": row.start})


def _deleted(row: Assignment) -> events.Draft:
    return _draft("deleted", row, before={"user": row.user, "role": row.role, "start": row.start})


def _given(row: Assignment, user: User) -> events.Draft:
    return _draft("updated", row, before={"user": row.user}, after={"user": user})


def _updated(row: Assignment, before: dict[str, Any], after: dict[str, Any]) -> events.Draft:
    return _draft("updated", row, before=before, after=after)
