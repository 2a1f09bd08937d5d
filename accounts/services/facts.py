"""How facts of one kind are found, merged, checked and written: the same for files and calls.

A subclass of Facts says what is particular to a kind. `plan` only reads; `store` carries out a plan
that was made under the lock of the kind, see `take_turn`, in the same transaction.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from django.db import models

from accounts.measure import facts_changed
from accounts.models import Account, Import
from accounts.services.changes import (
    EXISTS,
    MUST_BE_NEW,
    STALE,
    Change,
    Draft,
    Plan,
    Problem,
)
from accounts.services.items import Item
from accounts.services.storing import (
    batches,
    ids_by,
    insert_rows,
    new_ids,
    update_rows,
)
from accounts.services.ways import FILES, Way
from config.lib.authz import require
from config.lib.errors import Missing
from config.lib.values import echo
from events import services as events
from people.models import User

Key = tuple[Any, ...]
NAMED = 5


class Facts:
    """One kind of fact. Column names are those of api.md; a link's column holds an outer id."""

    kind: ClassVar[str]
    noun: ClassVar[str]
    model: ClassVar[type[Any]]
    # Ours -> the table's column, without links.
    columns: ClassVar[Mapping[str, str]]
    # Ours -> (the table's column, the path to what stands in a file).
    links: ClassVar[Mapping[str, tuple[str, str]]] = {}
    required: ClassVar[tuple[str, ...]]
    defaults: ClassVar[Mapping[str, Any]] = {}
    label_column: ClassVar[str] = "name"
    key_column: ClassVar[str] = "external_id"

    def __init__(
        self, *, source: str = "import", account_source: str = "", way: Way = FILES
    ) -> None:
        self.way = way
        self.source = source
        self.account_source = account_source or source
        self.problems: list[Problem] = []

    def key_of(self, values: Mapping[str, Any]) -> Key:
        return (values.get("external_id"),)

    def stored(self, drafts: Sequence[Draft]) -> models.QuerySet[Any]:
        """Return what is stored under any of the drafts' keys, and maybe more."""
        ids = [draft.values["external_id"] for draft in drafts]
        rows: models.QuerySet[Any] = self.model.objects.filter(
            source=self.source, external_id__in=ids
        )
        return rows

    def resolve(self, items: Sequence[Item]) -> None:
        """Find what the links name; a problem for what nobody knows."""
        self.resolve_accounts(items, "account_external_id")

    def check(self, item: Item) -> Iterable[tuple[str, str]]:
        """Yield (column, sentence) for each rule that the merged fact breaks."""
        del item
        return ()

    def check_together(self, items: Sequence[Item]) -> None:
        """Add problems that show only when all facts are seen together."""

    def extras(self) -> dict[str, Any]:
        """Return what every row has besides its columns and links."""
        return {"source": self.source}

    def complete(self, items: Sequence[Item]) -> None:
        """Settle the defaults of new facts that depend on what is stored elsewhere."""

    def logged(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the event tells of these columns."""
        return values

    def label_of(self, item: Item) -> str:
        return str(item.values[self.label_column] or item.values.get("external_id"))

    def account_of(self, item: Item) -> tuple[int | None, int | None]:
        """Return the account the fact belongs to, and the one it belonged to."""
        return item.links.get("account_external_id"), item.former_links.get("account_external_id")

    def affected(self, plan: Plan) -> set[int]:
        return plan.account_ids

    def order_of_updates(self, changes: list[Change]) -> list[list[Change]]:
        return [changes]

    def problem(self, item: Item | Draft, column: str, detail: str, code: str = "invalid") -> None:
        values = item.values if isinstance(item, Draft) else item.draft.values
        value = values.get(column)
        shown = "" if value is None else echo(value)
        self.problems.append(Problem(item.row, column, shown, detail, code))

    def plan(self, drafts: Sequence[Draft], *, lock: bool = False) -> Plan:
        """Return what would happen. `lock` keeps what would be changed from others until commit."""
        self.problems = []
        items = self._items(self._without_twins(drafts), lock=lock)
        self.resolve(items)
        self._stay_within(items)
        self._check_versions(items)
        self.complete(items)
        self._check_each(items)
        self.check_together(items)
        bad = {problem.row for problem in self.problems}
        plan = self._compare([item for item in items if item.row not in bad])
        plan.problems = sorted(self.problems, key=lambda problem: problem.row)
        return plan

    def resolve_accounts(self, items: Sequence[Item], column: str) -> None:
        asked = self.follow_links(items, column)
        wanted = {outer for item in asked if (outer := item.draft.values[column])}
        found = ids_by(Account, "external_id", wanted, source=self.account_source)
        for item in asked:
            item.links[column] = found.get(item.draft.values[column])
            if item.links[column] is None and item.draft.values[column] is not None:
                self.problem(
                    item,
                    column,
                    f"No account has the id “{echo(item.draft.values[column])}” in the source "
                    f"“{self.account_source}”. {self.way.words.accounts_first}",
                    "unknown_account",
                )

    def follow_links(self, items: Sequence[Item], column: str) -> list[Item]:
        """Take over the keys that were found already; return the items that still lack one."""
        asked = []
        for item in items:
            if item.draft.links and column in item.draft.links:
                item.links[column] = item.draft.links[column]
            elif column in item.draft.values:
                asked.append(item)
        return asked

    def _stay_within(self, items: Sequence[Item]) -> None:
        """Know nothing of what lies outside the accounts that the way is limited to."""
        within = self.way.accounts
        if within is None:
            return
        for item in items:
            if {*self.account_of(item)} - {None} - within:
                raise Missing(f"No such {self.noun.replace('_', ' ')}.")

    def _check_versions(self, items: Sequence[Item]) -> None:
        for item in items:
            expected = item.draft.version
            if expected is None or expected == item.version:
                continue
            if expected == MUST_BE_NEW:
                self.problem(item, self.key_column, "There is one already.", EXISTS)
            else:
                now = f"is in version {item.version} by now" if item.version else "is gone"
                self.problem(item, "version", f"It {now}. Read it again and retry.", STALE)

    def _without_twins(self, drafts: Sequence[Draft]) -> list[Draft]:
        by_key: dict[Key, list[Draft]] = defaultdict(list)
        for draft in drafts:
            by_key[self.key_of(draft.values)].append(draft)
        unique = []
        for twins in by_key.values():
            if len(twins) == 1:
                unique.append(twins[0])
                continue
            rows = ", ".join(str(draft.row) for draft in twins[:NAMED])
            more = " and more" if len(twins) > NAMED else ""
            noun = self.noun.replace("_", " ")
            for draft in twins:
                self.problem(
                    draft,
                    self.key_column,
                    f"{self.way.words.rows} {rows}{more} are the same {noun}. Keep one of them.",
                    "duplicate",
                )
        return unique

    def _items(self, drafts: Sequence[Draft], *, lock: bool) -> list[Item]:
        stored = self._stored(drafts, lock=lock) if drafts else {}
        keys = [self.key_of(draft.values) for draft in drafts]
        new = [draft for draft, key in zip(drafts, keys, strict=True) if key not in stored]
        numbers = iter(self.new_numbers(new, lock=lock))
        return [
            self._known(draft, *stored[key]) if key in stored else self._new(draft, next(numbers))
            for draft, key in zip(drafts, keys, strict=True)
        ]

    def new_numbers(self, drafts: Sequence[Draft], *, lock: bool) -> Iterable[int]:
        """Return the keys of facts to be made; without `lock` good for this plan only."""
        return new_ids(self.model, len(drafts)) if lock else range(-len(drafts), 0)

    def _stored(
        self, drafts: Sequence[Draft], *, lock: bool
    ) -> dict[Key, tuple[dict[str, Any], dict[str, Any]]]:
        rows = self.stored(drafts)
        if lock:
            locked = rows.select_for_update(no_key=True, of=("self",)).order_by("pk")
            if not list(locked.values_list("pk")):
                return {}
        paths = {**self.columns, **{name: path for name, (_, path) in self.links.items()}}
        columns = {
            "pk",
            "uuid",
            "version",
            *paths.values(),
            *(column for column, _ in self.links.values()),
        }
        stored = {}
        for row in rows.values(*columns):
            before = {name: row[path] for name, path in paths.items()}
            stored[self.key_of(before)] = (row, before)
        return stored

    def _new(self, draft: Draft, number: int) -> Item:
        empty = dict.fromkeys([*self.columns, *self.links])
        return Item(
            draft,
            number,
            uuid.uuid4(),
            is_new=True,
            values=empty | dict(self.defaults) | dict(draft.values),
            links=dict.fromkeys(self.links),
        )

    def _known(self, draft: Draft, row: Mapping[str, Any], before: dict[str, Any]) -> Item:
        former = {name: row[column] for name, (column, _) in self.links.items()}
        return Item(
            draft,
            row["pk"],
            row["uuid"],
            is_new=False,
            version=row["version"],
            before=before,
            former_links=former,
            values=before | dict(draft.values),
            links=dict(former),
        )

    def _check_each(self, items: Sequence[Item]) -> None:
        for item in items:
            missing = [
                name for name in self.required if item.is_new and name not in item.draft.values
            ]
            if missing:
                outer = item.values.get("external_id")
                for name, sentence in self.way.words.lacking(
                    missing, self.source, self.noun, outer
                ):
                    self.problem(item, name, sentence, "required")
                continue
            for column, sentence in self.check(item):
                self.problem(item, column, sentence, "rule")

    def _compare(self, items: Sequence[Item]) -> Plan:
        plan = Plan()
        for item in items:
            if item.is_new:
                plan.creates.append(self._change(item, list(item.values)))
            elif changed := item.changed:
                plan.updates.append(self._change(item, changed))
            else:
                plan.unchanged += 1
                if self.way.names_unchanged:
                    plan.same.append(self._change(item, ()))
        return plan

    def _change(self, item: Item, names: Sequence[str]) -> Change:
        account, former = self.account_of(item)
        version = item.version + bool(names)
        if item.is_new:
            names = [name for name in names if self._tells(name, item.values[name])]
        return Change(
            row=item.row,
            id=item.id,
            uuid=item.uuid,
            version=version,
            label=self.label_of(item),
            before=None if item.is_new else {name: item.before[name] for name in names},
            names=tuple(names),
            values=item.values,
            links=item.links,
            account_id=account,
            former_account_id=former if former != account else None,
        )

    def _tells(self, name: str, value: Any) -> bool:
        """Tell whether the value of a new fact is worth a word: not nothing, no usual no."""
        if value is False:
            return self.defaults.get(name) is not False
        return value not in (None, "", [])

    def store(self, plan: Plan, *, by: User, lineage: Import | None) -> None:
        """Write a plan that was made under the lock, in the same transaction."""
        require(self.way.may, by)
        extras = {**self.extras(), "last_import_id": lineage and lineage.pk}
        for changes in self.order_of_updates(plan.updates):
            names = {name for change in changes for name in change.names}
            for batch in batches(changes):
                update_rows(self.model, [self._altered(change, names, extras) for change in batch])
        for batch in batches(plan.creates):
            insert_rows(self.model, [self._whole(change, extras) for change in batch])
        changes = [*plan.updates, *plan.creates]
        events.record_many(self.events_of(changes, lineage), by=by)
        facts_changed(self.affected(plan))

    def _altered(
        self, change: Change, names: Iterable[str], extras: Mapping[str, Any]
    ) -> dict[str, Any]:
        columns = self.columns_of(change)
        wanted = {self._column(name) for name in names}
        kept = {name: value for name, value in columns.items() if name in wanted}
        return {"id": change.id, "last_import_id": extras["last_import_id"], **kept}

    def _whole(self, change: Change, extras: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "id": change.id,
            "uuid": change.uuid,
            "version": 1,
            **extras,
            **self.columns_of(change),
        }

    def columns_of(self, change: Change) -> dict[str, Any]:
        """Return what the table's columns shall hold."""
        plain = {column: change.values[name] for name, column in self.columns.items()}
        return plain | {column: change.links[name] for name, (column, _) in self.links.items()}

    def events_of(self, changes: Iterable[Change], lineage: Import | None) -> list[events.Draft]:
        """Return what is told of the changes; to the account that a fact leaves as well."""
        told = []
        for change in changes:
            told.append(self.event_of(change, lineage))
            if change.former_account_id:
                told.append(replace(told[-1], account_id=change.former_account_id))
        return told

    def event_of(self, change: Change, lineage: Import | None) -> events.Draft:
        columns = self.columns_of(change)
        return events.Draft(
            verb=f"{self.noun}.{'created' if change.before is None else 'updated'}",
            obj=self.bare(id=change.id, uuid=change.uuid, **self.extras(), **columns),
            before=None if change.before is None else self.logged(change.before),
            after=self.logged(change.after),
            account_id=change.account_id,
            reason=f"Imported from {lineage.filename}" if lineage else "",
        )

    def bare(self, **columns: Any) -> Any:
        """Return a model to be named in the log only; it is made ten times faster so."""
        obj: Any = object.__new__(self.model)
        vars(obj).update(columns)
        return obj

    def _column(self, name: str) -> str:
        return self.links[name][0] if name in self.links else self.columns[name]
