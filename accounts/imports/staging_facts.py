"""The facts of a file: planned by the rules of their kind, some rows at a time, and written.

A plan is made from `staged_row` and goes to `staged_fact`, from where all of it is written
set-wise, or only what could move the number, to see what it would do.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Dict
from decimal import Decimal
from heapq import nsmallest
from typing import Any

from django.db import connection

from accounts import selectors
from accounts.imports import cells
from accounts.imports.columns import KINDS
from accounts.imports.mass import Mass
from accounts.imports.outcomes import Outcomes
from accounts.imports.staging import Planned, Staging, Tell, execute, one
from accounts.imports.whole_files import KindOfFile
from accounts.models import Account, ExchangeRate, Import
from accounts.services.changes import Change, Draft, Plan
from config.lib.copying import Copier, as_json
from events import services as events
from people.models import User

CHUNK = 2_000
WRITTEN_AT_ONCE = 20_000
SHOWN = 20
TABLES = """
DROP TABLE IF EXISTS pg_temp.staged_row, pg_temp.staged_fact;
CREATE TEMPORARY TABLE staged_row (
    row integer, key text COLLATE "C", tie text COLLATE "C", content text
) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_fact (
    place integer PRIMARY KEY, turn smallint, is_new boolean, moves boolean, id bigint,
    account_id bigint, former_account_id bigint, content json
) ON COMMIT DROP
"""
GOOD_ROWS = """
SELECT s.row, s.tie, s.content FROM staged_row s
WHERE NOT EXISTS (SELECT FROM staged_problem p WHERE p.row = s.row)
ORDER BY {order}
"""
TOUCHED = """
INSERT INTO staged_touched
SELECT account_id FROM staged_fact WHERE account_id IS NOT NULL AND (moves OR NOT %(trial)s)
UNION
SELECT former_account_id FROM staged_fact
WHERE former_account_id IS NOT NULL AND (moves OR NOT %(trial)s)
ON CONFLICT DO NOTHING
"""
TOUCHED_BY_RATES = """
INSERT INTO staged_touched
SELECT DISTINCT account_id FROM accounts_subscription
WHERE currency IN (SELECT content ->> 'currency' FROM staged_fact)
ON CONFLICT DO NOTHING
"""
LOADERS: Dict[Any, Callable[[Any], Any]] = {
    cells.day: dt.date.fromisoformat,
    cells.end: dt.date.fromisoformat,
    cells.money: Decimal,
    cells.rate: Decimal,
}


class FactsOfFile:
    """One kind of facts from one file, on their way from rows to the tables."""

    plain = None

    def __init__(
        self, file: KindOfFile, staging: Staging, *, today: dt.date, is_applied: bool
    ) -> None:
        self._file, self._staging, self._is_applied = file, staging, is_applied
        kind = file.facts.kind
        self._load = {
            name: load
            for name, column in KINDS[kind].columns.items()
            if (load := LOADERS.get(column.parse))
        }
        execute(TABLES)
        self._rows = Copier("staged_row", ("row", "key", "tie", "content"))
        self._changes = Copier(
            "staged_fact",
            ("place", "turn", "is_new", "moves", "id", "account_id", "former_account_id",
             "content"),
        )  # fmt: skip
        self._place = 0
        self._columns: Sequence[str] = ()
        self._digest = hashlib.sha256()
        self._mass = Mass(kind, today)

    def accept(self, row: int, values: dict[str, Any]) -> None:
        key = "\x1f".join(str(part) for part in self._file.facts.key_of(values))
        self._rows.add(row, key, self._file.tie_of(values), as_json(values))

    def plan(
        self, *, by: User, reason: Import, keep: Outcomes | None, tell: Tell, total: int
    ) -> Planned:
        """Plan what is good. Where it is applied, its events are recorded at once."""
        self._rows.flush()
        execute("ANALYZE staged_row")
        self._file.check_whole(is_applied=self._is_applied)
        self._staging.settle()
        planned, done = Planned(), 0
        for drafts in self._chunks():
            plan = self._file.facts.plan(drafts, lock=self._is_applied)
            self._note(plan, planned, keep)
            if self._is_applied:
                changes = [*plan.updates, *plan.creates]
                events.record_many(self._file.facts.events_of(changes, reason), by=by)
            done += len(drafts)
            tell("Checking", done, total)
        self._changes.flush()
        execute("ANALYZE staged_fact")
        planned.digest = self._digest.hexdigest()
        planned.mass = self._reasons()
        return planned

    def _reasons(self) -> list[str]:
        customers = Account.objects.filter(
            status=Account.Status.CUSTOMER, churned_on=None, internal=False, archived=False
        )
        known = ExchangeRate.objects.filter(on__lte=self._mass.today).order_by("currency", "on")
        rates = dict(known.values_list("currency", "rate"))
        rates[selectors.company().reporting_currency] = Decimal(1)
        return self._mass.reasons(customers=customers.count(), rates=rates)

    def write(self, *, by: User, lineage: Import | None, trial: bool, tell: Tell) -> None:
        """Write what was planned, or as a `trial` only what could move the number."""
        del by
        is_rates = self._file.facts.kind == "exchange-rates"
        execute(TOUCHED_BY_RATES if is_rates else TOUCHED, {"trial": trial})
        if not self._place:
            return
        table = connection.ops.quote_name(self._file.facts.model._meta.db_table)  # noqa: SLF001
        if trial:
            execute(_LOCK.format(table=table))
        turns = one("SELECT max(turn) FROM staged_fact")[0]
        steps: list[tuple[str, int]] = [(self._update(table), turn) for turn in range(turns + 1)]
        steps.append((self._insert(table, trial=trial), 0))
        done, total = 0, self._place * len(steps)
        for sql, turn in steps:
            for start in range(0, self._place, WRITTEN_AT_ONCE):
                bounds = {"start": start, "stop": start + WRITTEN_AT_ONCE, "turn": turn}
                execute(sql, {**bounds, "trial": trial, "lineage": lineage and lineage.pk})
                done = min(total, done + WRITTEN_AT_ONCE)
                if not trial:
                    tell("Writing", done, total)

    def _chunks(self) -> Iterator[list[Draft]]:
        """Yield drafts, some at a time; those with one tie stay together where they must."""
        together = self._file.keeps_together
        drafts: list[Draft] = []
        last = None
        with connection.chunked_cursor() as cursor:
            cursor.execute(GOOD_ROWS.format(order="s.tie, s.row" if together else "s.row"))
            while rows := cursor.fetchmany(CHUNK):
                for row, tie, content in rows:
                    if len(drafts) >= CHUNK and (not together or tie != last):
                        yield drafts
                        drafts = []
                    drafts.append(Draft(row, self._values(content)))
                    last = tie
        if drafts:
            yield drafts

    def _values(self, content: str) -> dict[str, Any]:
        values: dict[str, Any] = json.loads(content)
        for name, load in self._load.items():
            if values.get(name) is not None:
                values[name] = load(values[name])
        return values

    def _note(self, plan: Plan, planned: Planned, keep: Outcomes | None) -> None:
        for problem in plan.problems:
            self._staging.blame(problem)
        planned.unchanged += plan.unchanged
        planned.creates += len(plan.creates)
        planned.updates += len(plan.updates)
        planned.created = _first(planned.created, plan.creates)
        planned.updated = _first(planned.updated, plan.updates)
        for turn, updates in enumerate(self._file.facts.order_of_updates(plan.updates)):
            for change in updates:
                self._stage(change, turn, planned, keep)
        for change in plan.creates:
            self._stage(change, 0, planned, keep)

    def _stage(self, change: Change, turn: int, planned: Planned, keep: Outcomes | None) -> None:
        is_new = change.before is None
        moves = self._file.moves(change)
        planned.moves = planned.moves or moves
        self._place += 1
        row = self._file.facts.columns_of(change)
        self._columns = self._columns or list(row)
        # What is only planned has numbers that are good for one part of the file.
        number = change.id if self._is_applied or not is_new else -self._place
        if is_new:
            extras = self._file.facts.extras()
            row = {"id": number, "uuid": change.uuid, "version": 1, **extras, **row}
        self._changes.add(
            self._place,
            turn,
            is_new,
            moves,
            number,
            change.account_id,
            change.former_account_id,
            row,
        )
        told = change.values if is_new else change.after
        self._digest.update(as_json([change.row, change.before, told]).encode())
        self._mass.see(change)
        if keep:
            keep.add(change)

    def _insert(self, table: str, *, trial: bool) -> str:
        names = [*self._columns, "id", "uuid", "version", *self._file.facts.extras()]
        return _INSERT.format(
            table=table,
            names=", ".join(connection.ops.quote_name(name) for name in names),
            values=", ".join(f"n.{connection.ops.quote_name(name)}" for name in names),
            conflict="ON CONFLICT DO NOTHING" if trial else "",
        )

    def _update(self, table: str) -> str:
        names = [connection.ops.quote_name(name) for name in self._columns]
        settings = ", ".join(f"{name} = n.{name}" for name in names)
        return _UPDATE.format(table=table, settings=settings)


_LOCK = """
SELECT count(*) FROM (
    SELECT FROM {table} WHERE id IN (SELECT id FROM staged_fact WHERE NOT is_new AND moves)
    ORDER BY id FOR NO KEY UPDATE
) locked
"""
_PART = "f.place > %(start)s AND f.place <= %(stop)s AND (f.moves OR NOT %(trial)s)"
_INSERT = f"""
INSERT INTO {{table}} ({{names}}, last_import_id)
SELECT {{values}}, %(lineage)s
FROM staged_fact f, json_populate_record(NULL::{{table}}, f.content) n
WHERE f.is_new AND {_PART} ORDER BY f.place {{conflict}}
"""  # noqa: S608 -- put together from parts that stand here
_UPDATE = f"""
UPDATE {{table}} t
SET {{settings}}, last_import_id = %(lineage)s,
    version = t.version + 1, updated_at = statement_timestamp()
FROM staged_fact f, json_populate_record(NULL::{{table}}, f.content) n
WHERE t.id = f.id AND NOT f.is_new AND f.turn = %(turn)s AND {_PART}
"""  # noqa: S608 -- put together from parts that stand here


def _first(shown: list[Change], more: Sequence[Change]) -> list[Change]:
    return nsmallest(SHOWN, [*shown, *more], key=lambda change: change.row) if more else shown
