"""The seat readings of a file: copied, placed, compared and written set-wise."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from typing import Any

from django.db import connection

from accounts.imports.outcomes import Outcomes
from accounts.imports.staging import Planned, Staging, Tell, execute, one
from accounts.models import Account, Import
from accounts.services import staged_sql
from accounts.services.changes import Problem
from accounts.services.instances_by_default import (
    insert_default_instances,
    make_default_instances,
)
from accounts.services.reading_batches import (
    SHOWN,
    ReadingBatch,
    ReadingPlan,
    astray_problem,
    compare_readings,
    imported_event,
)
from config.lib.copying import Copier
from events import services as events
from people.models import User

A_FETCH = 2_000
MOST_REMEMBERED = 20_000
NOTHING = r"\N"
NAMES = """
DROP TABLE IF EXISTS pg_temp.staged_name;
CREATE TEMPORARY TABLE staged_name (place bigint, account text, instance text) ON COMMIT DROP
"""
TWINS = f"""
WITH placed AS (
    SELECT s.line, s.observed_at, coalesce(p.instance_id, -p.account_id) AS whose
    FROM staged_reading s JOIN staged_place p USING (place) WHERE p.astray IS NULL
), twins AS (
    SELECT whose, observed_at,
        array_to_string((array_agg(line ORDER BY line))[1:{SHOWN}], ', ') AS lines
    FROM placed GROUP BY whose, observed_at HAVING count(*) > 1
)
SELECT line, observed_at, lines FROM placed JOIN twins USING (whose, observed_at)
"""  # noqa: S608 -- a number of ours
DROP_BAD = "DELETE FROM staged_reading s USING staged_problem p WHERE p.row = s.line"
DIGEST = f"""
SELECT encode(sha256(convert_to(coalesce(string_agg(concat_ws(
    ',', line, account_id, instance_id, extract(epoch FROM observed_at), seats,
    coalesce(monthly_active, -1), coalesce(old_seats, -1), coalesce(old_active, -1)
), ';' ORDER BY line), ''), 'UTF8')), 'hex')
FROM staged_change WHERE old_seats IS NULL OR {staged_sql.DIFFERS}
"""  # noqa: S608 -- put together from parts that stand here
KEEP = f"""
INSERT INTO accounts_importrow (file_id, row, outcome, label, account_id, changes, problems)
SELECT %(file)s, c.line, CASE WHEN old_seats IS NULL THEN 'create' ELSE 'update' END,
    left(a.name, 170) || ' ' || to_char(observed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')
        || ' UTC',
    c.account_id,
    CASE WHEN seats IS DISTINCT FROM old_seats
        THEN jsonb_build_array(jsonb_build_array('seats', old_seats::text, seats::text))
        ELSE '[]' END
    || CASE WHEN monthly_active IS DISTINCT FROM old_active THEN jsonb_build_array(
            jsonb_build_array(
                'monthly_active',
                CASE WHEN old_seats IS NOT NULL THEN coalesce(old_active::text, '') END,
                coalesce(monthly_active::text, '')
            )
        ) ELSE '[]' END,
    '[]'
FROM staged_change c JOIN accounts_account a ON a.id = c.account_id
WHERE old_seats IS NULL OR {staged_sql.DIFFERS}
"""  # noqa: S608 -- put together from parts that stand here
# Of one file only the newest reading of each instance can be the one that counts.
ONLY_NEWEST = """
DELETE FROM staged_change c USING (
    SELECT coalesce(instance_id, -account_id) AS whose, max(observed_at) AS newest
    FROM staged_change GROUP BY 1
) l
WHERE coalesce(c.instance_id, -c.account_id) = l.whose AND c.observed_at < l.newest
"""
TOUCHED = f"""
INSERT INTO staged_touched
SELECT DISTINCT account_id FROM staged_change WHERE old_seats IS NULL OR {staged_sql.DIFFERS}
ON CONFLICT DO NOTHING
"""  # noqa: S608 -- put together from parts that stand here


class ReadingsOfFile:
    """The readings of one file, on their way from rows to the table."""

    def __init__(
        self, staging: Staging, *, source: str, account_source: str, has_monthly_active: bool
    ) -> None:
        self._staging = staging
        self._batch = ReadingBatch(
            drafts=(),
            source=source,
            account_source=account_source,
            has_monthly_active=has_monthly_active,
        )
        execute(staged_sql.TABLES)
        execute(NAMES)
        columns = ("line", "place", "observed_at", "seats", "monthly_active")
        self._readings = Copier("staged_reading", columns)
        self._names = Copier("staged_name", ("place", "account", "instance"))
        self._places: dict[tuple[str, str], int] = {}
        self._last: dt.datetime | None = None
        self._last_text = ""

    def accept(self, row: int, values: dict[str, Any]) -> None:
        names = (values.get("account_external_id") or "", values.get("instance_external_id") or "")
        place = self._places.get(names)
        if place is None:
            place = self._place(names)
        if values["observed_at"] is not self._last:
            # Mostly the same as in the row before.
            self._last = values["observed_at"]
            self._last_text = self._last.isoformat()
        active = values.get("monthly_active")
        self._readings.add_line(
            f"{row}\t{place}\t{self._last_text}\t{values['seats']}"
            f"\t{NOTHING if active is None else active}"
        )

    def plan(
        self, *, by: User, reason: Import, keep: Outcomes | None, tell: Tell, total: int
    ) -> Planned:
        del by, reason
        self._readings.flush()
        self._names.flush()
        tell("Checking", 0, total)
        sources = {"source": self._batch.source, "account_source": self._batch.account_source}
        execute(staged_sql.PLACES_OF_FILE, sources)
        for problem in self._problems():
            self._staging.blame(problem)
        self._staging.settle()
        execute(DROP_BAD)
        *span, new_instances, _ = one(staged_sql.SURVEY)
        plan = ReadingPlan()
        with connection.cursor() as cursor:
            compare_readings(cursor, self._batch, plan, span)
        if keep:
            execute(KEEP, {"file": keep.file.pk})
        tell("Checking", total, total)
        return Planned(
            creates=plan.creates,
            updates=plan.updates,
            unchanged=plan.unchanged,
            corrections=plan.corrections,
            new_instances=new_instances,
            moves=not plan.is_empty,
            digest=str(one(DIGEST)[0]),
        )

    def write(self, *, by: User, lineage: Import | None, trial: bool, tell: Tell) -> None:
        """Write what was planned, or as a `trial` only what could move the number."""
        if trial:
            execute(ONLY_NEWEST)
        else:
            tell("Writing", 0, 0)
        for accounts in _batches(staged_sql.DEFAULTS_WANTED):
            ids = [account for (account,) in accounts]
            if trial:
                insert_default_instances(ids)
            else:
                make_default_instances(ids, actor=by, lineage=lineage)
        values = {
            "source": self._batch.source,
            "known_from": one(staged_sql.MAKE_MONTHS)[0],
            "import": lineage and lineage.pk,
        }
        execute(staged_sql.CLOSE, values)
        execute(staged_sql.INSERT, values)
        execute(TOUCHED)
        if not trial:
            self._record(by, lineage)

    def _record(self, by: User, lineage: Import | None) -> None:
        for told in _batches(staged_sql.BY_ACCOUNT):
            events.record_many(
                [
                    imported_event(
                        Account(id=pk, uuid=uuid, name=name),
                        *counted,
                        batch=self._batch,
                        lineage=lineage,
                    )
                    for pk, uuid, name, *counted in told
                ],
                by=by,
            )

    def _place(self, names: tuple[str, str]) -> int:
        """Return a number for a pair of names, the same whenever they come."""
        digest = hashlib.blake2b("\x1f".join(names).encode(), digest_size=8).digest()
        place = int.from_bytes(digest, signed=True)
        self._names.add(place, *names)
        if len(self._places) >= MOST_REMEMBERED:
            self._places.clear()
        self._places[names] = place
        return place

    def _problems(self) -> Iterator[Problem]:
        for rows in _batches(staged_sql.ASTRAY):
            yield from (astray_problem(self._batch, *row) for row in rows)
        for rows in _batches(TWINS):
            yield from (_twin(*row) for row in rows)


def _twin(row: int, observed_at: dt.datetime, lines: str) -> Problem:
    return Problem(
        row,
        "observed_at",
        observed_at.isoformat(),
        f"Rows {lines} are readings of one instance at one time. Keep one of them.",
        "duplicate",
    )


def _batches(sql: str) -> Iterator[list[tuple[Any, ...]]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql)
        while rows := cursor.fetchmany(A_FETCH):
            yield rows
