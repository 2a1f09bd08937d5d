"""The seat readings of a file: copied, placed, compared and written set-wise."""

import datetime as dt
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from django.db import connection

from accounts.imports.checking import Checker
from accounts.imports.outcomes import Outcomes
from accounts.imports.plain_readings import DAY_LENGTH, Plain
from accounts.imports.staging import Planned, Staging, Tell, execute, fetched, numbered, one
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
    count_readings,
)
from accounts.tabular import Block
from config.lib.copying import BLOCK_BYTES, Copier, copy_rows
from config.lib.values import BadValue, echo
from events import services as events
from people.models import User

A_FETCH = 2_000
# Of the database, for one import: hashes of all the rows of a file.
WORK_MEMORY = "64MB"
# As the file says them: lines as they stand, beside rows that were parsed.
SAID = """
DROP TABLE IF EXISTS pg_temp.staged_said, pg_temp.staged_name, pg_temp.staged_day,
    pg_temp.staged_told;
CREATE TEMPORARY TABLE staged_said (
    row integer, account text NOT NULL DEFAULT '', instance text NOT NULL DEFAULT '',
    moment text, seats integer, monthly_active integer {others}
) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_day (moment text, at timestamptz) ON COMMIT DROP
"""
OURS = {
    "account_external_id": "account",
    "instance_external_id": "instance",
    "observed_at": "moment",
    "seats": "seats",
    "monthly_active": "monthly_active",
}
ROW = ("row", *OURS.values())
# A day begins when the clocks of a place say so.
DAYS = f"SELECT DISTINCT moment FROM staged_said WHERE length(moment) = {DAY_LENGTH}"  # noqa: S608
NAMES = """
CREATE TEMPORARY TABLE staged_name ON COMMIT DROP AS
SELECT row_number() OVER () AS place, account, instance FROM (
    SELECT DISTINCT account, instance FROM staged_said
) named;
"""
# When, as a moment. Few files name days alone.
MOMENTS = "(SELECT *, moment::timestamptz AS at FROM staged_said) s"
MOMENTS_AND_DAYS = f"""
(SELECT s.*, CASE length(s.moment) WHEN {DAY_LENGTH} THEN d.at ELSE s.moment::timestamptz END AS at
    FROM staged_said s LEFT JOIN staged_day d ON d.moment = s.moment) s
"""  # noqa: S608 -- a number of ours
# What cannot have been observed, or at no such time, is odd.
SPAN = """
SELECT min(at), max(at), coalesce(bool_or(at IS NULL OR at > %(until)s), false) FROM {said}
"""
ODD = "SELECT row, moment FROM {said} WHERE at IS NULL OR at > %(until)s ORDER BY row"
PLACED = "staged_place p ON p.account = s.account AND p.instance = s.instance"
ASTRAY = f"""
SELECT s.row, p.account, p.instance, p.astray FROM staged_said s JOIN {PLACED}
WHERE p.astray IS NOT NULL ORDER BY s.row
"""  # noqa: S608 -- put together from parts that stand here
# The bounds let the planner leave out the months that no reading falls into.
COMPARE = f"""
ANALYZE staged_said;
CREATE TEMPORARY TABLE staged_change ON COMMIT DROP AS
SELECT s.row AS line, p.account_id, p.instance_id, s.at AS observed_at, s.seats,
    CASE WHEN %(has_monthly_active)s THEN s.monthly_active ELSE r.monthly_active END
        AS monthly_active,
    r.seats AS old_seats, r.monthly_active AS old_active, r.known_from AS old_known_from
FROM {{said}} JOIN {PLACED}
LEFT JOIN accounts_seatreading r
    ON r.instance_id = p.instance_id AND r.observed_at = s.at
    AND r.source = %(source)s AND r.known_to IS NULL
    AND r.observed_at >= %(first)s AND r.observed_at <= %(last)s
WHERE p.astray IS NULL {{only}};
ANALYZE staged_change
"""  # noqa: S608 -- put together from parts that stand here
TWINS = f"""
WITH twins AS (
    SELECT coalesce(instance_id, -account_id) AS whose, observed_at,
        array_to_string((array_agg(line ORDER BY line))[1:{SHOWN}], ', ') AS lines
    FROM staged_change c
    WHERE (coalesce(instance_id, -account_id), observed_at) IN (
        SELECT coalesce(instance_id, -account_id), observed_at
        FROM staged_change GROUP BY 1, 2 HAVING count(*) > 1
    )
    GROUP BY 1, 2
)
SELECT line, observed_at, lines FROM staged_change c
JOIN twins USING (observed_at) WHERE whose = coalesce(instance_id, -account_id)
"""  # noqa: S608 -- a number of ours
HAS_TWINS = """
SELECT EXISTS (
    SELECT FROM staged_change
    GROUP BY coalesce(instance_id, -account_id), observed_at HAVING count(*) > 1
)
"""
DROP_BAD = "DELETE FROM staged_change c USING staged_problem p WHERE p.row = c.line"
NEW_INSTANCES = f"SELECT count(*) FROM ({staged_sql.DEFAULTS_WANTED}) wanted"  # noqa: S608
DIGEST = f"""
SELECT encode(sha256(coalesce(string_agg(
    int4send(line) || int8send(account_id) || int8send(coalesce(instance_id, -1))
        || timestamptz_send(observed_at) || int4send(seats)
        || int4send(coalesce(monthly_active, -1)) || int4send(coalesce(old_seats, -1))
        || int4send(coalesce(old_active, -1)),
    '' ORDER BY line
), '')), 'hex')
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
TOLD = f"""
CREATE TEMPORARY TABLE staged_told ON COMMIT DROP AS
SELECT account_id, count(*) AS readings, count(*) FILTER (WHERE old_seats IS NOT NULL) AS corrected,
    max(observed_at) AS latest
FROM staged_change WHERE old_seats IS NULL OR {staged_sql.DIFFERS} GROUP BY account_id;
INSERT INTO staged_touched SELECT account_id FROM staged_told ON CONFLICT DO NOTHING
"""  # noqa: S608 -- put together from parts that stand here
EVENTS = """
SELECT a.id AS account_id, a.uuid AS object_id, a.name AS label, jsonb_build_object(
    'readings', t.readings, 'corrected', t.corrected, 'latest_observed_at',
    to_char(t.latest AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')
        || CASE WHEN t.latest <> date_trunc('second', t.latest)
            THEN to_char(t.latest, '.US') ELSE '' END || '+00:00',
    'source', %(source)s::text
) AS after
FROM staged_told t JOIN accounts_account a ON a.id = t.account_id
"""


class ReadingsOfFile:
    """The readings of one file, on their way from rows to the table."""

    def __init__(
        self,
        staging: Staging,
        checker: Checker,
        *,
        plain: Plain | None,
        source: str,
        account_source: str,
    ) -> None:
        self._staging, self._checker = staging, checker
        self._batch = ReadingBatch(
            drafts=(),
            source=source,
            account_source=account_source,
            has_monthly_active="monthly_active" in checker.theirs,
        )
        self.plain = plain and _Lines(plain)
        others = self.plain.others if self.plain else []
        execute(staged_sql.TABLES)
        execute(SAID.format(others="".join(f", {name} text" for name in others)))
        self._said = Copier("staged_said", ROW)
        self._has_days = False
        self._last: dt.datetime | None = None
        self._last_text = ""

    def accept(self, row: int, values: dict[str, Any]) -> None:
        if values["observed_at"] is not self._last:
            # Mostly the same as in the row before.
            self._last = values["observed_at"]
            self._last_text = self._last.isoformat()
        account, instance, _, *numbers = map(values.get, OURS)
        self._said.add(row, account or "", instance or "", self._last_text, *numbers)

    def plan(
        self, *, by: User, reason: Import, keep: Outcomes | None, tell: Tell, total: int
    ) -> Planned:
        del by, reason
        self._said.flush()
        tell("Checking", 0, total)
        execute(f"SET LOCAL work_mem = '{WORK_MEMORY}'")
        self._place()
        plan = self._compared()
        new_instances = one(NEW_INSTANCES)[0]
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
        execute(TOLD)
        if not trial:
            events.record_selected(
                EVENTS,
                {"source": self._batch.source},
                verb="readings.imported",
                model=Account,
                by=by,
                reason=f"Imported from {lineage.filename}" if lineage else "",
            )

    def _place(self) -> None:
        """Find when and where each reading was made, and blame those without a place."""
        moments = [moment for (moment,) in fetched(DAYS)] if self.plain else []
        self._has_days = bool(moments)
        parsed = [(moment, self._checker.parse("observed_at", moment)) for moment in moments]
        copy_rows(
            "staged_day",
            ("moment", "at"),
            [(moment, at) for moment, at in parsed if isinstance(at, dt.datetime)],
        )
        sources = {"source": self._batch.source, "account_source": self._batch.account_source}
        execute(NAMES + staged_sql.PLACES_OF_FILE, sources)
        if one("SELECT EXISTS (SELECT FROM staged_place WHERE astray IS NOT NULL)")[0]:
            for rows in _batches(ASTRAY):
                for row in rows:
                    self._staging.blame(astray_problem(self._batch, *row))

    def _compared(self) -> ReadingPlan:
        until = {"until": self._checker.reading.latest}
        said = MOMENTS_AND_DAYS if self._has_days else MOMENTS
        first, last, has_odd = one(SPAN.format(said=said), until)
        if has_odd:
            for rows in _batches(ODD.format(said=said), until):
                for row, moment in rows:
                    self._staging.blame(self._odd(row, moment))
        only = "AND s.at <= %(until)s" if has_odd else ""
        execute(
            COMPARE.format(said=said, only=only),
            {
                **until,
                "source": self._batch.source,
                "first": first,
                "last": last,
                "has_monthly_active": self._batch.has_monthly_active,
            },
        )
        if one(HAS_TWINS)[0]:
            for rows in _batches(TWINS):
                for row in rows:
                    self._staging.blame(_twin(*row))
        self._staging.settle()
        execute(DROP_BAD)
        plan = ReadingPlan()
        with connection.cursor() as cursor:
            count_readings(cursor, self._batch, plan)
        return plan

    def _odd(self, row: int, moment: str) -> Problem:
        found = self._checker.parse("observed_at", moment)
        assert isinstance(found, BadValue), moment  # noqa: S101 -- one rule for both
        return Problem(row, "observed_at", echo(moment), found.detail, found.code)


def _twin(row: int, observed_at: dt.datetime, lines: str) -> Problem:
    return Problem(
        row,
        "observed_at",
        observed_at.isoformat(),
        f"Rows {lines} are readings of one instance at one time. Keep one of them.",
        "duplicate",
    )


class _Lines:
    """Copies lines as they stand; what no column of ours reads goes beside."""

    def __init__(self, plain: Plain) -> None:
        self.pattern = plain.pattern
        self.others = [f"other_{place}" for place, name in enumerate(plain.columns) if not name]
        named = [
            OURS[name] if name else f"other_{place}" for place, name in enumerate(plain.columns)
        ]
        self._before = plain.delimiter.encode()
        texts = [name for name in named if name in {"account", "instance"}]
        self._sql = (
            f"COPY staged_said (row, {', '.join(named)}) FROM STDIN (FORMAT csv, NULL '',"
            f" DELIMITER '{plain.delimiter}', FORCE_NOT_NULL ({', '.join(texts)}))"
        )

    def accept(self, block: Block) -> None:
        with connection.cursor() as cursor:
            cursor.copy_expert(self._sql, BytesIO(numbered(block, self._before)), BLOCK_BYTES)


def _batches(sql: str, parameters: Any = None) -> Iterator[list[tuple[Any, ...]]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, parameters)
        while rows := cursor.fetchmany(A_FETCH):
            yield rows
