from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from events.models import Event
from events.services import record
from tests.factories import UserFactory

ROLE = settings.APP_DB_ROLE


@pytest.fixture
def app_role(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regrole(quote_ident(%s)) IS NOT NULL", [ROLE])
        if not cursor.fetchone()[0]:
            pytest.skip(f"There is no database role {ROLE} here.")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events_event SET verb = 'x'",
        "DELETE FROM events_event",
        "TRUNCATE events_event",
        "UPDATE django_migrations SET app = 'x'",
        "DELETE FROM django_migrations",
        "TRUNCATE people_user CASCADE",
        "DROP TRIGGER events_event_append_only ON events_event",
        "ALTER TABLE people_user ADD COLUMN extra int",
        "CREATE TABLE extra (id int)",
    ],
)
def test_the_application_cannot(app_role, statement):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {connection.ops.quote_name(ROLE)}")
        with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
            cursor.execute(statement)
        transaction.set_rollback(True)


def test_the_application_can_write_what_it_must(app_role):
    user = UserFactory()
    record("user.renamed", user, by=user)
    user.delete()

    assert Event.objects.count() == 1


@pytest.mark.as_owner
def test_only_the_named_columns_of_an_append_only_table_can_be_updated(app_role, monkeypatch):
    monkeypatch.setattr(Event, "UPDATABLE_COLUMNS", ("reason",), raising=False)
    call_command("grant_app_role", stdout=StringIO())

    assert _may("UPDATE", "reason")
    assert not _may("UPDATE", "verb")

    monkeypatch.undo()
    call_command("grant_app_role", stdout=StringIO())
    assert not _may("UPDATE", "reason")


@pytest.mark.as_owner
def test_without_the_role_it_says_so(db, settings):
    settings.APP_DB_ROLE = "nobody_of_this_name"
    out = StringIO()

    call_command("grant_app_role", stdout=out)

    assert "There is no database role nobody_of_this_name" in out.getvalue()
    with pytest.raises(CommandError, match="There is no database role"):
        call_command("grant_app_role", "--require")


def test_the_role_cannot_give_itself_rights(app_role):
    with pytest.raises(CommandError, match="as the owner"):
        call_command("grant_app_role")


def _may(right, column):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_column_privilege(%s, 'events_event', %s, %s)", [ROLE, column, right]
        )
        return cursor.fetchone()[0]
