"""The people of accounts: contacts at the customer, and ours who are assigned."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Lower

from accounts.models import Assignment, Contact
from accounts.services.changes import Change, Draft
from accounts.services.contracts import ACCOUNT
from accounts.services.facts import Facts, Key
from accounts.services.items import Item
from accounts.services.ways import FILES, Way
from config.lib.values import LAST_DAY, echo
from people.models import User

OPEN_END = LAST_DAY + dt.timedelta(days=366)


class Contacts(Facts):
    kind = "contacts"
    noun = "contact"
    model = Contact
    columns = {name: name for name in ("external_id", "name", "email", "title", "roles")}
    links = ACCOUNT
    required = ("account_external_id", "name")
    defaults = {"email": "", "title": "", "roles": []}


class Assignments(Facts):
    kind = "assignments"
    noun = "assignment"
    model = Assignment
    columns = {name: name for name in ("role", "primary", "start", "end")}
    links = {
        **ACCOUNT,
        "user_email": ("user_id", "user__email"),
    }
    required = ("account_external_id", "user_email", "role", "start")
    defaults = {"primary": True}
    label_column = "role"
    key_column = "user_email"

    def __init__(
        self, *, source: str = "import", account_source: str = "", way: Way = FILES
    ) -> None:
        super().__init__(source=source, account_source=account_source, way=way)
        self._users: dict[str, tuple[int, Any]] = {}

    def key_of(self, values: Mapping[str, Any]) -> Key:
        return (
            values["account_external_id"],
            values["user_email"].lower(),
            values["role"],
            values["start"],
        )

    def stored(self, drafts: Sequence[Draft]) -> QuerySet[Assignment]:
        accounts = {draft.values["account_external_id"] for draft in drafts}
        return Assignment.objects.filter(
            account__source=self.account_source, account__external_id__in=accounts
        )

    def resolve(self, items: Sequence[Item]) -> None:
        super().resolve(items)
        wanted = {item.values["user_email"].lower() for item in items}
        people = User.objects.filter(is_system=False).annotate(lower=Lower("email"))
        for pk, uuid, lower in people.filter(lower__in=wanted).values_list("pk", "uuid", "lower"):
            self._users[lower] = (pk, uuid)
        for item in items:
            email = item.values["user_email"].lower()
            item.links["user_email"] = self._users.get(email, (None, None))[0]
            if email not in self._users:
                self.problem(
                    item,
                    "user_email",
                    f"Nobody here has the address “{echo(email)}”. {self.way.words.people_first}",
                    "unknown_user",
                )

    def check(self, item: Item) -> Iterable[tuple[str, str]]:
        start, end = item.values["start"], item.values["end"]
        if end is not None and end <= start:
            days = f"The assignment would end on {end}, not after its start on {start}. "
            yield "end", days + "The end is the first day it no longer holds."

    def check_together(self, items: Sequence[Item]) -> None:
        """Refuse two primaries of one role at a time, in the file or beside what is stored."""
        asked = {item.id: item for item in items}
        accounts = {item.links["account_external_id"] for item in items}
        teams: dict[tuple[int, str], list[tuple[dt.date, dt.date, int, str]]] = defaultdict(list)
        stored = Assignment.objects.filter(primary=True, account__in=accounts - {None})
        for pk, account, role, start, end, email in stored.values_list(
            "pk", "account_id", "role", "start", "end", "user__email"
        ):
            if pk not in asked:
                teams[account, role].append((start, end or OPEN_END, pk, email))
        for item in items:
            at = item.links["account_external_id"]
            if at and item.values["primary"]:
                teams[at, item.values["role"]].append(
                    (
                        item.values["start"],
                        item.values["end"] or OPEN_END,
                        item.id,
                        item.values["user_email"],
                    )
                )
        for team in teams.values():
            self._refuse_overlaps(team, asked)

    def _refuse_overlaps(
        self, team: list[tuple[dt.date, dt.date, int, str]], asked: Mapping[int, Item]
    ) -> None:
        """Blame each who overlaps once, however many others do."""
        team.sort()
        longest = None
        for place, each in enumerate(team):
            follows = team[place + 1] if place + 1 < len(team) else None
            if longest and each[0] < longest[1]:
                self._blame(asked.get(each[2]), longest)
            elif follows and follows[0] < each[1]:
                self._blame(asked.get(each[2]), follows)
            if longest is None or each[1] > longest[1]:
                longest = each

    def _blame(self, item: Item | None, other: tuple[dt.date, dt.date, int, str]) -> None:
        if item is None:
            return
        until = "" if other[1] == OPEN_END else f" to {other[1]}"
        self.problem(
            item,
            "primary",
            f"{echo(other[3])} is the primary {item.values['role']} from {other[0]}{until}. "
            "End that assignment, or make one of the two not primary.",
            "overlap",
        )

    def extras(self) -> dict[str, Any]:
        return {}

    def logged(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Name the person by id: the log keeps no address in the clear."""
        told = dict(values)
        if email := told.pop("user_email", None):
            told["user"] = self._users[email.lower()][1]
        return told

    def label_of(self, item: Item) -> str:
        return f"{item.values['role']} {item.values['user_email']}"

    def order_of_updates(self, changes: list[Change]) -> list[list[Change]]:
        """Shorten first: the database lets no two primaries overlap even for a moment."""
        longer = [change for change in changes if _grows(change)]
        shorter = [change for change in changes if not _grows(change)]
        return [batch for batch in (shorter, longer) if batch]


def _grows(change: Change) -> bool:
    before, after = change.before or {}, change.after
    if after.get("primary"):
        return True
    if "end" not in after or after.get("primary") is False:
        return False
    return (after["end"] or OPEN_END) > (before["end"] or OPEN_END)
