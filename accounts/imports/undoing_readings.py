"""Readings of an import withdrawn, and those it corrected told again, set-wise.

A reading is never changed: what the import told ends now, and what stood before it begins anew.
"""

# ruff: noqa: S608 -- put together from parts that stand here

from collections.abc import Iterator

from django.db import connection

from accounts.imports.staging import execute, one
from accounts.models import Account, Import, Instance
from events import services as events
from people.models import User

A_FETCH = 2_000
KEY = "instance_id, observed_at, source"
IS_SAME = (
    "{0}.instance_id = {1}.instance_id AND {0}.observed_at = {1}.observed_at"
    " AND {0}.source = {1}.source"
)
FIND = f"""
DROP TABLE IF EXISTS pg_temp.undone_reading;
CREATE TEMPORARY TABLE undone_reading ON COMMIT DROP AS
SELECT own.*, former.known_from AS former_known_from, i.account_id
FROM (
    SELECT {KEY}, min(known_from) AS first_known_from, bool_or(known_to IS NULL) AS is_open
    FROM accounts_seatreading WHERE last_import_id = %(import)s GROUP BY {KEY}
) own
LEFT JOIN accounts_seatreading former
    ON {IS_SAME.format("former", "own")}
    AND former.known_from < own.first_known_from AND former.known_to = own.first_known_from
LEFT JOIN accounts_instance i ON i.id = own.instance_id;
ANALYZE undone_reading
"""
# The bounds let the planner leave out the months that no reading falls into.
SPAN = """
SELECT keel_knowledge_time(), min(observed_at), max(observed_at)
FROM undone_reading WHERE is_open
"""
ENDED = "greatest(%(known_at)s, r.known_from + interval '1 microsecond')"
CLOSE = f"""
UPDATE accounts_seatreading r SET known_to = {ENDED}
FROM undone_reading u
WHERE u.is_open AND {IS_SAME.format("r", "u")} AND r.known_to IS NULL
    AND r.observed_at >= %(first)s AND r.observed_at <= %(last)s
"""
TELL_AGAIN = f"""
INSERT INTO accounts_seatreading
    ({KEY}, known_from, seats, monthly_active, note, entered_by_id, last_import_id)
SELECT u.instance_id, u.observed_at, u.source, ended.known_to,
    f.seats, f.monthly_active, f.note, f.entered_by_id, f.last_import_id
FROM undone_reading u
JOIN accounts_seatreading f
    ON {IS_SAME.format("f", "u")} AND f.known_from = u.former_known_from
JOIN LATERAL (
    SELECT max(r.known_to) AS known_to FROM accounts_seatreading r
    WHERE {IS_SAME.format("r", "u")}
) ended ON true
WHERE u.is_open AND u.former_known_from IS NOT NULL
    AND f.observed_at >= %(first)s AND f.observed_at <= %(last)s
"""
BY_ACCOUNT = """
SELECT a.id, a.uuid, a.name, count(*), count(u.former_known_from)
FROM undone_reading u JOIN accounts_account a ON a.id = u.account_id
WHERE u.is_open GROUP BY a.id ORDER BY a.id
"""
EMPTY_DEFAULTS = """
DROP TABLE IF EXISTS pg_temp.undone_default;
SELECT count(*) FROM (
    SELECT FROM accounts_account
    WHERE id IN (SELECT account_id FROM accounts_instance WHERE last_import_id = %(import)s)
    ORDER BY id FOR NO KEY UPDATE
) locked;
CREATE TEMPORARY TABLE undone_default ON COMMIT DROP AS
SELECT i.id, i.uuid, i.name, i.account_id FROM accounts_instance i
WHERE i.is_default AND i.last_import_id = %(import)s AND NOT EXISTS (
    SELECT FROM accounts_seatreading r WHERE r.instance_id = i.id AND r.known_to IS NULL
);
DELETE FROM accounts_instance i USING undone_default u WHERE i.id = u.id
"""
GONE_DEFAULTS = "SELECT id, uuid, name, account_id FROM undone_default ORDER BY id"
TOUCHED = """
INSERT INTO staged_touched
SELECT DISTINCT u.account_id FROM undone_reading u JOIN accounts_account a ON a.id = u.account_id
WHERE u.is_open
"""
SKIPPED = """
SELECT coalesce(a.name, '') || ' ' || to_char(
    u.observed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC'
FROM undone_reading u LEFT JOIN accounts_account a ON a.id = u.account_id
WHERE NOT u.is_open ORDER BY 1
"""


class UndoneReadings:
    """The readings of one import that are withdrawn; see `put_back`."""

    def __init__(self, import_: Import, reason: str) -> None:
        self._import, self._reason = import_, reason

    def put_back(self, *, by: User) -> int:
        execute(FIND, {"import": self._import.pk})
        known_at, first, last = one(SPAN)
        if first is not None:
            values = {"known_at": known_at, "first": first, "last": last}
            execute(CLOSE, values)
            execute(TELL_AGAIN, values)
        execute(TOUCHED)
        self._record(by)
        self._drop_defaults(by)
        return int(one("SELECT count(*) FROM undone_reading WHERE is_open")[0])

    def skipped(self) -> Iterator[tuple[str, str]]:
        with connection.chunked_cursor() as cursor:
            cursor.execute(SKIPPED)
            for (label,) in cursor:
                yield label, "It was corrected or withdrawn since."

    def _record(self, by: User) -> None:
        with connection.chunked_cursor() as cursor:
            cursor.execute(BY_ACCOUNT)
            while rows := cursor.fetchmany(A_FETCH):
                events.record_many(
                    [
                        events.Draft(
                            verb="readings.withdrawn",
                            obj=Account(id=pk, uuid=uuid, name=name),
                            after={"readings": count, "told_again": told_again},
                            account_id=pk,
                            reason=self._reason,
                        )
                        for pk, uuid, name, count, told_again in rows
                    ],
                    by=by,
                )

    def _drop_defaults(self, by: User) -> None:
        """Let the default instances go that were made for these readings and are empty now."""
        execute(EMPTY_DEFAULTS, {"import": self._import.pk})
        with connection.chunked_cursor() as cursor:
            cursor.execute(GONE_DEFAULTS)
            while rows := cursor.fetchmany(A_FETCH):
                events.record_many(
                    [
                        events.Draft(
                            verb="instance.withdrawn",
                            obj=Instance(id=pk, uuid=uuid, name=name),
                            before={"name": name, "is_default": True},
                            account_id=account,
                            reason=self._reason,
                        )
                        for pk, uuid, name, account in rows
                    ],
                    by=by,
                )
