"""Facts as programs send them: one, or thousands of them, all or nothing.

What is sent names accounts and people by their ids or by other systems' ids, in the API's names
of fields; here it becomes drafts of Facts.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.db import transaction

from accounts import permissions
from accounts.models import Account
from accounts.selectors.references import Named, Reference, accounts_named, emails_of
from accounts.services.changes import Change, Draft, Plan, Problem, Refused
from accounts.services.contracts import Instances, Subscriptions
from accounts.services.customers import Accounts
from accounts.services.facts import Facts
from accounts.services.rates import Rates
from accounts.services.storing import take_turn
from accounts.services.teams import Assignments, Contacts
from accounts.services.ways import CALLS, Way
from config.lib.authz import require
from config.lib.values import OuterId, echo
from people.models import User
from people.permissions import is_unlimited

KINDS: Mapping[str, type[Facts]] = {
    facts.kind: facts
    for facts in (Accounts, Subscriptions, Instances, Contacts, Assignments, Rates)
}
# The API's names of what other columns are called in files.
COLUMNS = {
    "account": "account_external_id",
    "parent": "parent_external_id",
    "user": "user_email",
}
FIELDS = {column: name for name, column in COLUMNS.items()}
REFERENCES = ("account", "parent")
CREATED, UPDATED, UNCHANGED = "created", "updated", "unchanged"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One fact as a program sends it; `row` is its place in the call."""

    row: int
    values: Mapping[str, Any]
    version: int | None = None


class Written(NamedTuple):
    """What became of it."""

    row: int
    id: uuid.UUID
    external_id: str | None
    version: int
    outcome: str


@transaction.atomic
def write_facts(kind: str, wanted: Sequence[Wanted], *, by: User) -> list[Written]:
    """Create or update facts by their identity; what is not sent stays as it is.

    Raises Refused where one cannot be taken, Missing where one lies outside the accounts that
    the caller is limited to; then nothing was written.
    """
    require(permissions.can_write_facts, by)
    if kind == Rates.kind:
        require(is_unlimited, by)
    take_turn(kind)
    way = _way_of(by)
    people = emails_of(one.values.get("user") for one in wanted)
    found = accounts_named(_references(wanted), user=by)
    problems: list[Problem] = []
    written: list[Written] = []
    for source, group in _by_source(kind, wanted, found).items():
        if written:
            # What the groups before have made can be named by now.
            found |= accounts_named(_references(group) - found.keys(), user=by)
        facts = KINDS[kind](source=source, account_source=source, way=way)
        drafts, unknown = _Translator(source, way, found, people).drafts(group)
        plan = facts.plan(drafts, lock=True)
        problems += [*unknown, *map(_as_sent, plan.problems)]
        if not problems:
            if not plan.is_empty:
                facts.store(plan, by=by, lineage=None)
            written += _outcomes(plan)
    if problems:
        raise Refused(sorted(problems, key=lambda problem: problem.row))
    return sorted(written)


def default_of(kind: str, name: str) -> Any:
    """Return what a new fact has where nothing is said of this field."""
    return KINDS[kind].defaults.get(COLUMNS.get(name, name))


def _way_of(by: User) -> Way:
    if by.limited_to is None:
        return CALLS
    keys = Account.objects.filter(uuid__in=by.limited_to).values_list("pk", flat=True)
    return replace(CALLS, accounts=frozenset(keys))


def _references(wanted: Sequence[Wanted]) -> set[Reference]:
    sent = {one.values.get(name) for one in wanted for name in REFERENCES}
    return {one for one in sent if one is not None}


def _by_source(
    kind: str, wanted: Sequence[Wanted], found: Mapping[Reference, Named]
) -> dict[str, list[Wanted]]:
    """Group by the system that knows the facts; assignments by the one that knows the account."""
    groups: dict[str, list[Wanted]] = defaultdict(list)
    for one in wanted:
        if kind == Assignments.kind:
            account = found.get(one.values["account"])
            groups[account.source if account else ""].append(one)
        else:
            groups[one.values.get("source", "")].append(one)
    return groups


@dataclass(frozen=True, slots=True)
class _Translator:
    """Makes drafts of what is sent about facts of one source."""

    source: str
    way: Way
    accounts: Mapping[Reference, Named]
    people: Mapping[uuid.UUID, str]

    def drafts(self, group: Sequence[Wanted]) -> tuple[list[Draft], list[Problem]]:
        drafts, problems = [], []
        for one in group:
            values: dict[str, Any] = {}
            links: dict[str, int | None] = {}
            unknown = [
                problem
                for name, value in one.values.items()
                if (problem := self._put(one.row, name, value, values, links))
            ]
            problems += unknown
            if not unknown:
                drafts.append(Draft(one.row, values, links, one.version))
        return drafts, problems

    def _put(
        self,
        row: int,
        name: str,
        value: Any,
        values: dict[str, Any],
        links: dict[str, int | None],
    ) -> Problem | None:
        column = COLUMNS.get(name, name)
        if name in REFERENCES and value in self.accounts:
            account = self.accounts[value]
            values[column], links[column] = account.external_id, account.key
        elif name in REFERENCES and value is not None:
            if not self._may_be_of_this_call(name, value):
                return unknown_account(row, name, value)
            values[column] = value.external_id
        elif name == "user" and isinstance(value, uuid.UUID):
            if value not in self.people:
                detail = f"Nobody here has {_called(value)}."
                return Problem(row, name, "", detail, "unknown_person")
            values[column] = self.people[value]
        elif name != "source":
            values[column] = value
        return None

    def _may_be_of_this_call(self, name: str, value: Reference) -> bool:
        """Tell whether it names a parent that the same call may make."""
        is_named_so = isinstance(value, OuterId) and value.source == self.source
        return name == "parent" and is_named_so and self.way.accounts is None


def unknown_account(row: int, name: str, reference: Reference) -> Problem:
    detail = f"No account has {_called(reference)}."
    return Problem(row, name, "", detail, "unknown_account")


def _called(value: Reference) -> str:
    if isinstance(value, OuterId):
        return f"the id “{echo(value.external_id)}” in the source “{value.source}”"
    return f"the id “{value}”"


def _as_sent(problem: Problem) -> Problem:
    return replace(problem, column=FIELDS.get(problem.column, problem.column))


def _outcomes(plan: Plan) -> Iterable[Written]:
    for outcome, changes in (
        (CREATED, plan.creates),
        (UPDATED, plan.updates),
        (UNCHANGED, plan.same),
    ):
        for change in changes:
            yield _written(change, outcome)


def _written(change: Change, outcome: str) -> Written:
    outer = change.values.get("external_id")
    return Written(change.row, change.uuid, outer, change.version, outcome)
