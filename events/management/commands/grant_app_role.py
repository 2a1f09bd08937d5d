from argparse import ArgumentParser
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, models, transaction
from django.db.backends.utils import CursorWrapper

LOCK = 4_153_002
READ_ONLY_TABLES = ["django_migrations"]


class Command(BaseCommand):
    help = (
        "Give the application's database role its rights on every table there is now. "
        "Run as the owner of the tables, after each migrate."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--require", action="store_true", help="fail when the role does not exist"
        )

    def handle(self, *, require: bool, **options: Any) -> None:
        role = settings.APP_DB_ROLE
        with transaction.atomic(), connection.cursor() as cursor:
            if not _role_exists(cursor, role):
                sentence = f"There is no database role {role}; no rights were given."
                if require:
                    raise CommandError(sentence)
                self.stdout.write(sentence)
                return
            _grant(cursor, role)
        self.stdout.write(f"{role} has its rights.")


def _role_exists(cursor: CursorWrapper, role: str) -> bool:
    cursor.execute(
        "SELECT current_user = %s, to_regrole(quote_ident(%s)) IS NOT NULL", [role, role]
    )
    is_itself, exists = cursor.fetchone()
    if is_itself:
        raise CommandError(f"Connect as the owner of the tables: {role} cannot give itself rights.")
    return bool(exists)


def _grant(cursor: CursorWrapper, role: str) -> None:
    """Take every right away and give those wanted, in one transaction nobody sees half of."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    cursor.execute("SELECT quote_ident(current_schema())")
    schema = cursor.fetchone()[0]
    quoted = connection.ops.quote_name(role)
    for statement in (
        f"GRANT USAGE ON SCHEMA {schema} TO {quoted}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {quoted}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {quoted}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {quoted}",
        f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {quoted}",
    ):
        cursor.execute(statement)
    for table in READ_ONLY_TABLES:
        cursor.execute(f"REVOKE INSERT, UPDATE, DELETE ON {table} FROM {quoted}")
    for model in _append_only_models():
        _make_append_only(cursor, model, quoted)


def _append_only_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if getattr(model, "APPEND_ONLY", False)]


def _make_append_only(cursor: CursorWrapper, model: type[models.Model], role: str) -> None:
    """`APPEND_ONLY = True` on a model; `UPDATABLE_COLUMNS` names what may still be written.

    `FILLED_BY_TRIGGERS = True` beside it: the role may only read, triggers add the rows.
    """
    rights = "UPDATE, DELETE"
    if getattr(model, "FILLED_BY_TRIGGERS", False):
        rights = f"INSERT, {rights}"
    columns = ", ".join(
        connection.ops.quote_name(name) for name in getattr(model, "UPDATABLE_COLUMNS", ())
    )
    for table in _with_partitions(cursor, model._meta.db_table):  # noqa: SLF001
        cursor.execute(f"REVOKE {rights} ON {table} FROM {role}")
        if columns:
            cursor.execute(f"GRANT UPDATE ({columns}) ON {table} TO {role}")


def _with_partitions(cursor: CursorWrapper, table: str) -> list[str]:
    cursor.execute(
        """
        WITH RECURSIVE part AS (
            SELECT %s::regclass AS id
            UNION ALL SELECT inhrelid::regclass FROM pg_inherits JOIN part ON inhparent = part.id
        ) SELECT id::text FROM part
        """,
        [connection.ops.quote_name(table)],
    )
    return [row[0] for row in cursor.fetchall()]
