"""What shows of each kind only in the whole file, checked set-wise over its staged rows."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import connection

from accounts.imports.staging import execute, one
from accounts.services.changes import Change, Draft
from accounts.services.contracts import Instances, Subscriptions
from accounts.services.customers import MOST_ANCESTORS, Accounts
from accounts.services.facts import NAMED, Facts
from accounts.services.rates import Rates
from accounts.services.teams import Assignments, Contacts

MOST_IN_TEAM = 1_000
# Columns of facts that are there already, by which the number can move; a new account has no
# contract yet and a new instance no reading.
MOVING = {
    "accounts": {"status", "churned_on", "internal", "archived"},
    "subscriptions": {
        "account_external_id", "kind", "seats", "unlimited", "arr", "tcv", "currency", "start",
        "end",
    },
    "instances": {"account_external_id", "counted"},
    "exchange-rates": {"rate"},
}  # fmt: skip
MOVE_WHEN_NEW = {"subscriptions", "exchange-rates"}

TWINS = """
INSERT INTO staged_problem (row, "column", value, detail, code)
SELECT s.row, %(column)s,
    CASE WHEN length(s.shown) > 80 THEN left(s.shown, 79) || '…' ELSE s.shown END,
    'Rows ' || t.rows || CASE WHEN t.times > %(named)s THEN ' and more' ELSE '' END
        || ' are the same ' || %(noun)s || '. Keep one of them.',
    'duplicate'
FROM (SELECT row, key, content::json ->> %(column)s AS shown FROM staged_row) s
JOIN (
    SELECT key, count(*) AS times,
        array_to_string((array_agg(row ORDER BY row))[1:%(named)s], ', ') AS rows
    FROM staged_row GROUP BY key HAVING count(*) > 1
) t USING (key)
ORDER BY s.row
"""
DROP_TWINS = """
DELETE FROM staged_row s USING staged_problem p WHERE p.row = s.row AND p.code = 'duplicate'
"""
LOCK = """
SELECT count(*) FROM (
    SELECT FROM {table} t
    WHERE t.source = %(source)s AND t.external_id IN (SELECT key FROM staged_row)
    ORDER BY t.id FOR NO KEY UPDATE
) locked
"""
TEAMS = """
INSERT INTO staged_problem (row, "column", value, detail, code)
SELECT row, 'role', content::json ->> 'role',
    'The file has more than ' || %(most)s || ' assignments of this role on one account. '
        || 'Split it.',
    'too_many'
FROM staged_row JOIN (
    SELECT tie FROM staged_row GROUP BY tie HAVING count(*) > %(most)s
) large USING (tie)
"""
NUMBERS = """
DROP TABLE IF EXISTS pg_temp.staged_account;
CREATE TEMPORARY TABLE staged_account ON COMMIT DROP AS
SELECT s.row, s.key, coalesce(a.id,
    CASE WHEN %(lasting)s THEN nextval(pg_get_serial_sequence('accounts_account', 'id'))
    ELSE -s.row END) AS id
FROM staged_row s
LEFT JOIN accounts_account a ON a.source = %(source)s AND a.external_id = s.key;
CREATE INDEX ON staged_account (key);
CREATE INDEX ON staged_account (row);
ANALYZE staged_account
"""
PARENTS = """
DROP TABLE IF EXISTS pg_temp.staged_parent, pg_temp.staged_depth;
CREATE TEMPORARY TABLE staged_parent ON COMMIT DROP AS
SELECT a.id, s.row, s.tie, coalesce(f.id, k.id) AS parent_id
FROM staged_row s
JOIN staged_account a USING (row)
LEFT JOIN staged_account f ON %(one_source)s AND f.key = s.tie
LEFT JOIN accounts_account k ON k.source = %(account_source)s AND k.external_id = s.tie
UNION ALL
SELECT k.id, NULL, NULL, k.parent_id FROM accounts_account k
WHERE NOT EXISTS (SELECT FROM staged_account a WHERE a.id = k.id);
ANALYZE staged_parent;
CREATE TEMPORARY TABLE staged_depth ON COMMIT DROP AS
WITH RECURSIVE down AS (
    SELECT id, 0 AS depth FROM staged_parent WHERE parent_id IS NULL
    UNION ALL
    SELECT c.id, depth + 1 FROM down d JOIN staged_parent c ON c.parent_id = d.id
    WHERE depth <= %(most)s
) SELECT id, depth FROM down;
ANALYZE staged_depth
"""
# Whoever asks for a parent is blamed for the ring or the long chain that he is part of. From the
# top down, which goes no deeper than it must, rings and what stands too deep are not reached.
BAD_PARENTS = """
INSERT INTO staged_problem (row, "column", value, detail, code)
WITH RECURSIVE up AS (
    SELECT id FROM staged_depth WHERE depth > %(most)s
    UNION
    SELECT p.parent_id FROM up u JOIN staged_parent p USING (id) WHERE p.parent_id IS NOT NULL
)
SELECT p.row, 'parent_external_id', p.tie,
    CASE WHEN d.id IS NOT NULL THEN 'An account has at most ' || %(most)s || ' parents above it.'
        WHEN EXISTS (SELECT FROM up)
        THEN 'An account has at most ' || %(most)s || ' parents above it, and never itself.'
        ELSE 'The parents form a ring. Correct one of them.' END,
    'bad_parent'
FROM staged_parent p
LEFT JOIN staged_depth d USING (id)
WHERE p.tie IS NOT NULL AND (d.id IS NULL OR p.id IN (SELECT id FROM up))
ORDER BY p.row
"""


class KindOfFile:
    """A kind of facts as a whole file tells it, beside `facts`, which see a part at a time."""

    keeps_together = False

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    def tie_of(self, values: Mapping[str, Any]) -> str | None:
        """Return what binds the row to others."""
        del values
        return None

    def check_whole(self, *, is_applied: bool) -> None:
        facts = self.facts
        noun = facts.noun.replace("_", " ")
        execute(TWINS, {"column": facts.key_column, "noun": noun, "named": NAMED})
        execute(DROP_TWINS)
        if is_applied and facts.key_column == "external_id":
            # In one order for everybody, so that two never wait for each other.
            table = connection.ops.quote_name(facts.model._meta.db_table)  # noqa: SLF001
            execute(LOCK.format(table=table), {"source": facts.source})

    def moves(self, change: Change) -> bool:
        """Tell whether it could move the number."""
        if change.before is None:
            return self.facts.kind in MOVE_WHEN_NEW
        return not MOVING.get(self.facts.kind, set()).isdisjoint(change.names)


class AccountsOfFile(KindOfFile):
    def tie_of(self, values: Mapping[str, Any]) -> str | None:
        return values.get("parent_external_id")

    def check_whole(self, *, is_applied: bool) -> None:
        super().check_whole(is_applied=is_applied)
        has_parents = one("SELECT EXISTS (SELECT FROM staged_row WHERE tie IS NOT NULL)")[0]
        if not has_parents:
            return
        sources = {
            "source": self.facts.source,
            "account_source": self.facts.account_source,
            "one_source": self.facts.source == self.facts.account_source,
        }
        execute(NUMBERS, {**sources, "lasting": is_applied})
        execute(PARENTS, {**sources, "most": MOST_ANCESTORS})
        execute(BAD_PARENTS, {"most": MOST_ANCESTORS})
        self.facts = PartOfAccounts(
            source=self.facts.source, account_source=self.facts.account_source
        )


class PartOfAccounts(Accounts):
    """Accounts whose parents may stand elsewhere in the file."""

    def new_numbers(self, drafts: Sequence[Draft], *, lock: bool) -> Iterable[int]:
        del lock
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT row, id FROM staged_account WHERE row = ANY(%s)",
                [[draft.row for draft in drafts]],
            )
            numbers: dict[int, int] = dict(cursor.fetchall())
        return [numbers[draft.row] for draft in drafts]

    def elsewhere(self, wanted: Collection[str]) -> Mapping[str, int]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT key, id FROM staged_account WHERE key = ANY(%s)", [list(wanted)])
            return dict(cursor.fetchall())

    def check_together(self, items: Sequence[Any]) -> None:
        """Leave that to the check of the whole file."""


class AssignmentsOfFile(KindOfFile):
    keeps_together = True

    def tie_of(self, values: Mapping[str, Any]) -> str:
        return f"{values['account_external_id']}\x1f{values['role']}"

    def check_whole(self, *, is_applied: bool) -> None:
        super().check_whole(is_applied=is_applied)
        execute(TEAMS, {"most": MOST_IN_TEAM})


FACTS: Mapping[str, tuple[type[KindOfFile], type[Facts]]] = {
    "accounts": (AccountsOfFile, Accounts),
    "subscriptions": (KindOfFile, Subscriptions),
    "instances": (KindOfFile, Instances),
    "contacts": (KindOfFile, Contacts),
    "assignments": (AssignmentsOfFile, Assignments),
    "exchange-rates": (KindOfFile, Rates),
}


def kind_of_file(kind: str, source: str, account_source: str) -> KindOfFile:
    of_file, facts = FACTS[kind]
    return of_file(facts(source=source, account_source=account_source))
