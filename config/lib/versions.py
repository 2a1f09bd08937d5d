"""Two times: every version of a fact keeps from when to when it was known.

A fact table `x` has a twin `x_version` with the same columns, `known_from` and `known_to`
(null: still known). Triggers fill it a statement at a time, so no path round the services
(bulk calls, COPY, SQL by hand) can change a fact without keeping what was known before.

All that one transaction writes carries one knowledge time: `keel_knowledge_time()` takes a
shared lock on first use and remembers the clock. `take_cut()` reads the clock under the
exclusive lock: whatever is known from before the cut is committed, whatever comes later is
known from after it. So a day recomputed with `known_at = cut` sees what the run saw.
"""

import datetime as dt
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection, migrations, models, transaction
from django.db.models.fields import NOT_PROVIDED

from config.lib.errors import DomainError

LOCK = 4_153_001
LOCK_NOT_AVAILABLE = "55P03"
IN_LINE = "250ms"
PAUSE = 0.5


class StillWriting(DomainError):
    """Facts are being written by a long transaction; no moment can be fixed yet."""

    code = "still_writing"


class KnowledgeTime(models.Func):
    """The moment from which what this transaction writes counts as known."""

    function = "keel_knowledge_time"
    arity = 0
    output_field = models.DateTimeField()


def take_cut(*, patience: float = 60.0) -> dt.datetime:
    """Return a moment such that every fact known from before it is visible from now on.

    Waits in line for a moment, so that a stream of short writes lets it through; behind it
    others wait no longer than that, so that a long import does not hold up everybody.
    Raises StillWriting after `patience` seconds.
    """
    give_up = time.monotonic() + patience
    while True:
        try:
            with transaction.atomic(durable=True), connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [IN_LINE])
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
                cursor.execute("SELECT clock_timestamp()")
                cut: dt.datetime = cursor.fetchone()[0]
                return cut
        except OperationalError as error:
            if getattr(error.__cause__, "pgcode", "") != LOCK_NOT_AVAILABLE:
                raise
        if time.monotonic() > give_up:
            raise StillWriting("An import is still being written. Try again when it is done.")
        time.sleep(PAUSE)


def pretend_known_at(at: dt.datetime) -> None:
    """Let the rest of this transaction count as known from `at`: demo history and tests."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('keel.knowledge_time', %s, true)", [at.isoformat()])


@contextmanager
def known_as_of(at: dt.datetime) -> Iterator[None]:
    """Let what is written in here count as known from `at`, and what follows as before.

    Does nothing outside a transaction: there each service has its own, known by the clock.
    """
    if not connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT was.known, set_config('keel.knowledge_time', %s, true) FROM (SELECT coalesce("
            "current_setting('keel.knowledge_time', true), '') AS known OFFSET 0) was",
            [at.isoformat()],
        )
        before = cursor.fetchone()[0]
    yield
    # Not after an error: the transaction is lost then, or its savepoint sets it back.
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('keel.knowledge_time', %s, true)", [before])


def version_of(
    model: type[models.Model], only: Collection[str] | None = None
) -> type[models.Model]:
    """Return the model of `model`'s version table, to be assigned as `<Model>Version`.

    It keeps every column, or those of `only`; see keep_versions and keep_changes.
    """
    meta = model._meta  # noqa: SLF001 -- Django's documented model _meta API
    name = f"{model.__name__}Version"
    table = f"{meta.db_table}_version"
    options = {
        "app_label": meta.app_label,
        "db_table": table,
        "constraints": [
            models.UniqueConstraint(fields=["fact", "known_from"], name=f"{table}_one_at_a_time"),
            models.UniqueConstraint(
                fields=["fact"], condition=models.Q(known_to=None), name=f"{table}_one_open"
            ),
            models.CheckConstraint(
                condition=models.Q(known_to=None) | models.Q(known_to__gt=models.F("known_from")),
                name=f"{table}_ends_after_it_starts",
            ),
        ],
    }
    columns: dict[str, Any] = {
        field.name: _plain_copy(field, model)
        for field in meta.concrete_fields
        if not field.primary_key and (only is None or field.name in only)
    }
    return type(
        name,
        (models.Model,),
        {
            "__module__": model.__module__,
            "__qualname__": name,
            "__doc__": f"What was known of a {meta.verbose_name}, from when to when.",
            "__str__": lambda self: f"{name} {self.fact_id} from {self.known_from}",
            "APPEND_ONLY": True,
            "FILLED_BY_TRIGGERS": True,
            "Meta": type("Meta", (), options),
            "fact": models.ForeignKey(
                model,
                models.DO_NOTHING,
                db_constraint=False,
                db_index=False,
                related_name="versions",
            ),
            **columns,
            "known_from": models.DateTimeField(),
            "known_to": models.DateTimeField(null=True),
        },
    )


def _plain_copy(
    field: "models.Field[Any, Any]", model: type[models.Model]
) -> "models.Field[Any, Any]":
    """Copy a column without what made it unique, filled in or related."""
    if isinstance(field, models.ForeignKey):
        # The text "self" where a model points at itself.
        target: Any = field.remote_field.model
        return models.ForeignKey(
            model if target == "self" else target,
            models.DO_NOTHING,
            db_constraint=False,
            db_index=False,
            null=field.null,
            related_name="+",
        )
    copy = field.clone()
    # Django has no public way to unset these on a copy.
    vars(copy).update(_unique=False, db_default=NOT_PROVIDED, db_index=False)
    return copy


FUNCTIONS = migrations.RunSQL(
    f"""
    CREATE FUNCTION keel_knowledge_time() RETURNS timestamptz LANGUAGE plpgsql AS $$
    DECLARE known text := current_setting('keel.knowledge_time', true);
    BEGIN
        IF known IS NULL OR known = '' THEN
            PERFORM pg_advisory_xact_lock_shared({LOCK});
            known := clock_timestamp()::text;
            PERFORM set_config('keel.knowledge_time', known, true);
        END IF;
        RETURN known::timestamptz;
    END $$;

    CREATE FUNCTION keel_keep_versions() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
        known timestamptz := keel_knowledge_time();
        twin text := quote_ident(TG_TABLE_NAME || '_version');
        latest timestamptz;
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            -- Two transactions may meet on a row in the other order than they took their time.
            EXECUTE format('SELECT max(v.known_from) FROM %s v JOIN old_rows o
                ON v.fact_id = o.id WHERE v.known_to IS NULL', twin) INTO latest;
            IF latest > known THEN
                known := greatest(clock_timestamp(), latest + interval '1 microsecond');
                PERFORM set_config('keel.knowledge_time', known::text, true);
            END IF;
            -- The moment is new to the planner's statistics. Compared plainly it would seem rare,
            -- and all that this transaction wrote so far would be compared with each old row.
            EXECUTE format('DELETE FROM %s v USING old_rows o WHERE v.fact_id = o.id
                AND v.known_to IS NULL AND v.known_from + interval ''0'' = $1', twin)
                USING known;
            EXECUTE format('UPDATE %s v SET known_to = $1 FROM old_rows o
                WHERE v.fact_id = o.id AND v.known_to IS NULL', twin) USING known;
        END IF;
        IF TG_OP <> 'DELETE' THEN
            EXECUTE format('INSERT INTO %1$s (fact_id, %2$s, known_from)
                SELECT id, %2$s, $1 FROM new_rows', twin, TG_ARGV[0]) USING known;
        END IF;
        RETURN NULL;
    END $$;
    """,  # noqa: S608 -- a number of ours
    """
    DROP FUNCTION keel_keep_versions();
    DROP FUNCTION keel_knowledge_time();
    """,
)


def keep_versions(table: str, columns: list[str]) -> migrations.RunSQL:
    """Return the operation that makes `table` keep the versions of these columns."""
    listed = ", ".join(f'"{column}"' for column in columns)
    call = f"EXECUTE FUNCTION keel_keep_versions('{listed}')"
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER keep_versions_insert AFTER INSERT ON {table}
            REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT {call};
        CREATE TRIGGER keep_versions_update AFTER UPDATE ON {table}
            REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT {call};
        CREATE TRIGGER keep_versions_delete AFTER DELETE ON {table}
            REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT {call};
        """,
        f"""
        DROP TRIGGER keep_versions_insert ON {table};
        DROP TRIGGER keep_versions_update ON {table};
        DROP TRIGGER keep_versions_delete ON {table};
        """,
    )


CHANGES = migrations.RunSQL(
    """
    CREATE FUNCTION keel_keep_changes() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
        twin text := quote_ident(TG_TABLE_NAME || '_version');
        ids bigint[];
        known timestamptz;
        latest timestamptz;
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            EXECUTE format('SELECT array_agg(n.id) FROM new_rows n JOIN old_rows o USING (id)
                WHERE ROW(%s) IS DISTINCT FROM ROW(%s)', TG_ARGV[1], TG_ARGV[2]) INTO ids;
        ELSIF TG_OP = 'DELETE' THEN
            SELECT array_agg(id) INTO ids FROM old_rows;
        ELSE
            SELECT array_agg(id) INTO ids FROM new_rows;
        END IF;
        IF ids IS NULL THEN
            RETURN NULL;
        END IF;
        known := keel_knowledge_time();
        IF TG_OP <> 'INSERT' THEN
            -- As in keel_keep_versions.
            EXECUTE format('SELECT max(known_from) FROM %s
                WHERE fact_id = ANY($1) AND known_to IS NULL', twin) INTO latest USING ids;
            IF latest > known THEN
                known := greatest(clock_timestamp(), latest + interval '1 microsecond');
                PERFORM set_config('keel.knowledge_time', known::text, true);
            END IF;
            EXECUTE format('DELETE FROM %s WHERE fact_id = ANY($1) AND known_to IS NULL
                AND known_from + interval ''0'' = $2', twin) USING ids, known;
            EXECUTE format('UPDATE %s SET known_to = $2
                WHERE fact_id = ANY($1) AND known_to IS NULL', twin) USING ids, known;
        END IF;
        IF TG_OP <> 'DELETE' THEN
            EXECUTE format('INSERT INTO %1$s (fact_id, %2$s, known_from)
                SELECT id, %2$s, $2 FROM new_rows WHERE id = ANY($1)', twin, TG_ARGV[0])
                USING ids, known;
        END IF;
        RETURN NULL;
    END $$;
    """,
    "DROP FUNCTION keel_keep_changes();",
)


def keep_changes(table: str, columns: list[str]) -> migrations.RunSQL:
    """Return the operation that makes `table` keep versions of these columns, of its rows too.

    A row written without a change of them makes none. What is there is known from now on.
    """
    listed = ", ".join(f'"{column}"' for column in columns)
    sides = ", ".join(
        "'" + ", ".join(f'{side}."{column}"' for column in columns) + "'" for side in "no"
    )
    call = f"EXECUTE FUNCTION keel_keep_changes('{listed}', {sides})"
    return migrations.RunSQL(
        f"""
        INSERT INTO {table}_version (fact_id, {listed}, known_from)
            SELECT id, {listed}, keel_knowledge_time() FROM {table};
        CREATE TRIGGER keep_versions_insert AFTER INSERT ON {table}
            REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT {call};
        CREATE TRIGGER keep_versions_update AFTER UPDATE ON {table}
            REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT {call};
        CREATE TRIGGER keep_versions_delete AFTER DELETE ON {table}
            REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT {call};
        """,  # noqa: S608 -- names of ours
        f"""
        DROP TRIGGER keep_versions_insert ON {table};
        DROP TRIGGER keep_versions_update ON {table};
        DROP TRIGGER keep_versions_delete ON {table};
        """,
    )
