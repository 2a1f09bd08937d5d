"""Facts of an import put back to the version before it, set-wise.

`undone_fact` has a row for each fact that the import changed: as the import left it, as it was
before and as it is now. What must stay as it is has a `reason` there.
"""

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.db import connection, models

from accounts.imports.staging import execute, one
from accounts.imports.whole_files import FACTS
from accounts.models import Account, Import, SeatReading
from events import services as events
from people.models import User

A_FETCH = 2_000
FIND = """
DROP TABLE IF EXISTS pg_temp.undone_fact;
SELECT count(*) FROM (
    SELECT FROM {table} t
    WHERE t.id IN (SELECT fact_id FROM {twin} WHERE last_import_id = %(import)s)
    ORDER BY t.id FOR UPDATE
) locked;
CREATE TEMPORARY TABLE undone_fact ON COMMIT DROP AS
WITH own AS (
    SELECT DISTINCT ON (fact_id) * FROM {twin} WHERE last_import_id = %(import)s
    ORDER BY fact_id, known_from
)
SELECT own.fact_id AS id, own.uuid, before.fact_id IS NULL AS is_made, false AS is_archived,
    row_to_json(before) AS before, row_to_json(t) AS now,
    CASE WHEN t.id IS NULL THEN 'It was deleted since.'
        WHEN ({now}) IS DISTINCT FROM ({own}) THEN 'It was changed since.' END AS reason,
    {label} AS label
FROM own
LEFT JOIN {table} t ON t.id = own.fact_id
LEFT JOIN LATERAL (
    SELECT * FROM {twin} v
    WHERE v.fact_id = own.fact_id AND v.known_from < own.known_from
    ORDER BY v.known_from DESC LIMIT 1
) before ON true;
CREATE INDEX ON undone_fact (id);
ANALYZE undone_fact
"""
HELD = """
UPDATE undone_fact u SET reason = %(reason)s
WHERE u.is_made AND u.reason IS NULL AND EXISTS (
    SELECT FROM {table} o WHERE o.{column} = u.id {known}
)
"""
# A number that was computed must stay what it is, and it names the accounts it has seen. They are
# archived, and with them, until nothing more comes, those above them.
SEEN = """
UPDATE undone_fact u SET is_archived = true
WHERE u.is_made AND u.reason IS NULL AND NOT u.is_archived AND (
    EXISTS (SELECT FROM {table} o WHERE o.{column} = u.id)
    OR EXISTS (
        SELECT FROM accounts_account c JOIN undone_fact x ON x.id = c.id
        WHERE c.parent_id = u.id AND x.is_archived AND x.reason IS NULL
    )
)
"""
ARCHIVE = """
UPDATE accounts_account t
SET archived = true, version = t.version + 1, updated_at = statement_timestamp()
FROM undone_fact u WHERE t.id = u.id AND u.is_archived AND u.reason IS NULL AND NOT t.archived
"""
ARCHIVED = """
UPDATE undone_fact SET reason = %(reason)s WHERE is_archived AND reason IS NULL
"""
WHY_ARCHIVED = (
    "It is archived, not removed: a computed number has seen it. "
    "A file with archived = no brings it back."
)
# Until nothing more comes: an account that stays keeps the one above it.
HELD_BY_CHILDREN = """
UPDATE undone_fact u SET reason = 'Other accounts belong to it by now.'
WHERE u.is_made AND u.reason IS NULL AND EXISTS (
    SELECT FROM accounts_account c
    WHERE c.parent_id = u.id AND NOT EXISTS (
        SELECT FROM undone_fact o WHERE o.id = c.id AND o.is_made AND o.reason IS NULL
    )
)
"""
PLACE_IS_GONE = """
UPDATE undone_fact u SET reason = 'The account it belonged to is gone.'
WHERE NOT u.is_made AND u.reason IS NULL AND u.before ->> '{column}' IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM accounts_account a WHERE a.id = (u.before ->> '{column}')::bigint
    )
"""
# What would be above an account that is put back, where it is that account itself.
RING = """
UPDATE undone_fact u SET reason = 'The parents would form a ring.'
WHERE NOT u.is_made AND u.reason IS NULL AND u.id IN (
    WITH RECURSIVE above AS (
        SELECT f.id AS start, (f.before ->> 'parent_id')::bigint AS parent, 1 AS steps
        FROM undone_fact f
        WHERE NOT f.is_made AND f.reason IS NULL AND f.before ->> 'parent_id' IS NOT NULL
            AND f.before ->> 'parent_id' IS DISTINCT FROM f.now ->> 'parent_id'
        UNION ALL
        SELECT s.start,
            CASE WHEN f.id IS NULL THEN a.parent_id ELSE (f.before ->> 'parent_id')::bigint END,
            steps + 1
        FROM above s
        JOIN accounts_account a ON a.id = s.parent
        LEFT JOIN undone_fact f ON f.id = a.id AND NOT f.is_made AND f.reason IS NULL
        WHERE s.parent <> s.start AND steps < 50
    ) SELECT start FROM above WHERE parent = start
)
"""
# Who would be primary beside somebody who is, by then. Until nothing more comes.
OVERLAPS = """
UPDATE undone_fact u SET reason = 'Somebody else is primary in that time by now.'
FROM (
    SELECT f.id AS fact, b.account_id, b.role, b.start, b."end"
    FROM undone_fact f, json_populate_record(NULL::accounts_assignment, f.before) b
    WHERE NOT f.is_made AND f.reason IS NULL AND b."primary"
) w
WHERE u.id = w.fact AND EXISTS (
    SELECT FROM accounts_assignment o
    LEFT JOIN undone_fact x ON x.id = o.id AND x.reason IS NULL
    LEFT JOIN LATERAL json_populate_record(NULL::accounts_assignment, x.before) p
        ON NOT x.is_made
    WHERE o.account_id = w.account_id AND o.role = w.role AND o.id <> w.fact
        AND x.is_made IS NOT TRUE AND coalesce(p."primary", o."primary")
        AND daterange(w.start, w."end") && CASE WHEN p.id IS NULL
            THEN daterange(o.start, o."end") ELSE daterange(p.start, p."end") END
)
"""
TOUCHED = """
INSERT INTO staged_touched
SELECT a.id FROM accounts_account a WHERE a.id IN (
    SELECT (now ->> 'account_id')::bigint FROM undone_fact WHERE reason IS NULL
    UNION SELECT (before ->> 'account_id')::bigint FROM undone_fact WHERE reason IS NULL
)
"""
TOUCHED_ACCOUNTS = """
INSERT INTO staged_touched
SELECT id FROM undone_fact WHERE reason IS NULL AND (is_archived OR NOT is_made)
"""
TOUCHED_BY_RATES = """
INSERT INTO staged_touched
SELECT DISTINCT account_id FROM accounts_subscription
WHERE currency IN (SELECT now ->> 'currency' FROM undone_fact WHERE reason IS NULL)
ON CONFLICT DO NOTHING
"""
DELETE = """
DELETE FROM {table} t USING undone_fact u
WHERE t.{column} = u.id AND u.is_made AND NOT u.is_archived AND u.reason IS NULL
"""
RESTORE = """
UPDATE {table} t SET {settings},
    last_import_id = (SELECT id FROM accounts_import i WHERE i.id = b.last_import_id),
    version = t.version + 1, updated_at = statement_timestamp()
FROM undone_fact u, json_populate_record(NULL::{table}, u.before) b
WHERE t.id = u.id AND NOT u.is_made AND u.reason IS NULL AND {turn}
"""
# The database lets no two primaries overlap even for a moment.
SHORTER = (
    '(NOT b."primary" OR (t."primary"'
    " AND coalesce(b.\"end\", 'infinity') <= coalesce(t.\"end\", 'infinity')))"
)
TELL = """
SELECT id, uuid, now::text, before::text, is_made AND NOT is_archived, is_archived
FROM undone_fact
WHERE reason IS NULL ORDER BY id
"""
LABELS = {
    "accounts": "own.name",
    "instances": "own.name",
    "assignments": "own.role || ' of ' || coalesce("
    "(SELECT a.name FROM accounts_account a WHERE a.id = own.account_id), '')",
    "exchange-rates": "own.currency || ' ' || own.\"on\"",
}


class UndoneFacts:
    """Facts of one kind that are put back; see `put_back`."""

    def __init__(self, import_: Import, reason: str) -> None:
        self._import, self._reason = import_, reason
        self._facts = FACTS[import_.kind][1]()
        self._model = self._facts.model
        self._is_accounts = import_.kind == "accounts"
        self._table = _quoted(_table(self._model))
        self._columns = {
            **self._facts.columns,
            **{name: column for name, (column, _) in self._facts.links.items()},
        }

    def put_back(self, *, by: User) -> int:
        self._find()
        self._hold()
        if self._is_accounts:
            # Who was put under an account that goes is not there any more by then.
            self._restore()
            _repeat(HELD_BY_CHILDREN)
            self._record(by)
            self._delete()
            execute(ARCHIVE)
        else:
            self._record(by)
            self._delete()
            self._restore()
        self._touch()
        count = int(one("SELECT count(*) FROM undone_fact WHERE reason IS NULL")[0])
        execute(ARCHIVED, {"reason": WHY_ARCHIVED})
        return count

    def skipped(self) -> Iterator[tuple[str, str]]:
        with connection.chunked_cursor() as cursor:
            cursor.execute(
                "SELECT label, reason FROM undone_fact WHERE reason IS NOT NULL ORDER BY id"
            )
            yield from cursor

    def _find(self) -> None:
        columns = [_quoted(column) for column in self._columns.values()]
        execute(
            FIND.format(
                table=self._table,
                twin=_quoted(_table(self._model) + "_version"),
                now=", ".join(f"t.{column}" for column in columns),
                own=", ".join(f"own.{column}" for column in columns),
                label=LABELS.get(self._import.kind, "own.external_id"),
            ),
            {"import": self._import.pk},
        )

    def _hold(self) -> None:
        """Let stay what others hang on, and what has no place to go back to."""
        for other, column in _held_by(self._model):
            if getattr(other, "APPEND_ONLY", False) and other is not SeatReading:
                continue
            known = "AND o.known_to IS NULL" if other is SeatReading else ""
            execute(
                HELD.format(table=_quoted(_table(other)), column=_quoted(column), known=known),
                {"reason": f"It has {other._meta.verbose_name_plural} by now."},  # noqa: SLF001
            )
        for other, column in _held_by(self._model) if self._is_accounts else ():
            if getattr(other, "APPEND_ONLY", False):
                _repeat(SEEN.format(table=_quoted(_table(other)), column=_quoted(column)))
        if "account_id" in self._columns.values():
            execute(PLACE_IS_GONE.format(column="account_id"))
        if self._is_accounts:
            execute(PLACE_IS_GONE.format(column="parent_id"))
            execute(RING)
        if self._import.kind == "assignments":
            _repeat(OVERLAPS)

    def _touch(self) -> None:
        special = {"accounts": TOUCHED_ACCOUNTS, "exchange-rates": TOUCHED_BY_RATES}
        execute(special.get(self._import.kind, TOUCHED))

    def _restore(self) -> None:
        names = [_quoted(column) for column in self._columns.values()]
        settings = ", ".join(f"{name} = b.{name}" for name in names)
        is_team = self._import.kind == "assignments"
        for turn in (SHORTER, f"NOT {SHORTER}") if is_team else ("true",):
            execute(RESTORE.format(table=self._table, settings=settings, turn=turn))

    def _delete(self) -> None:
        if self._is_accounts:
            execute(DELETE.format(table="accounts_account_facts", column="account_id"))
        execute(DELETE.format(table=self._table, column="id"))

    def _record(self, by: User) -> None:
        with connection.chunked_cursor() as cursor:
            cursor.execute(TELL)
            while rows := cursor.fetchmany(A_FETCH):
                self._record_some(rows, by)

    def _record_some(self, rows: Sequence[tuple[Any, ...]], by: User) -> None:
        found = []
        for id_, uuid, now, before, is_made, is_archived in rows:
            # One that is archived stays as it is but for that.
            back = now if is_archived else before or "null"
            changed = {"archived": True} if is_archived else {}
            told: Any = {**(_loaded(back) or {}), **changed} or None
            found.append((id_, uuid, _loaded(now), told, is_made))
        words = _Words([each for _, _, now, before, _ in found for each in (now, before) if each])
        drafts = []
        for id_, uuid, now, before, is_made in found:
            names = [
                name
                for name, column in self._columns.items()
                if is_made or now[column] != before[column]
            ]
            obj = self._facts.bare(**{**now, "id": id_, "uuid": uuid})
            drafts.append(
                events.Draft(
                    verb=f"{self._facts.noun}.{'withdrawn' if is_made else 'restored'}",
                    obj=obj,
                    before=words.told(now, names, self._columns),
                    after=None if is_made else words.told(before, names, self._columns),
                    account_id=id_ if self._is_accounts else now.get("account_id"),
                    reason=self._reason,
                )
            )
        events.record_many(drafts, by=by)


class _Words:
    """What the log calls the accounts and people that some rows name by their keys."""

    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        accounts = {
            key
            for row in rows
            for column in ("account_id", "parent_id")
            if (key := row.get(column))
        }
        people = {key for row in rows if (key := row.get("user_id"))}
        self._accounts = dict(
            Account.objects.filter(pk__in=accounts).values_list("pk", "external_id")
        )
        self._people = dict(User.objects.filter(pk__in=people).values_list("pk", "uuid"))

    def told(
        self, row: dict[str, Any], names: Sequence[str], columns: dict[str, str]
    ) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for name in names:
            value = row[columns[name]]
            if columns[name] in {"account_id", "parent_id"}:
                told[name] = self._accounts.get(value)
            elif columns[name] == "user_id":
                told["user"] = self._people.get(value)
            else:
                told[name] = value
        return told


def _loaded(content: str) -> Any:
    return json.loads(content, parse_float=Decimal)


def _held_by(model: type[models.Model]) -> Iterator[tuple[type[models.Model], str]]:
    """Yield what would be left hanging without a row of the model, and by which column."""
    for relation in model._meta.get_fields(include_hidden=True):  # noqa: SLF001
        if not isinstance(relation, models.ManyToOneRel):
            continue
        other, field = relation.related_model, relation.field
        if other is model or getattr(other, "FILLED_BY_TRIGGERS", False):
            continue
        if other is SeatReading or relation.on_delete is models.PROTECT:
            yield other, field.column


def _repeat(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        while cursor.rowcount:
            cursor.execute(sql)


def _table(model: type[models.Model]) -> str:
    return model._meta.db_table  # noqa: SLF001 -- Django's documented _meta API


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
