"""The database and the broker: those given in the environment, else servers of our own."""

import os
from dataclasses import asdict, dataclass
from types import TracebackType

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812 a class

from stack import processes
from stack.console import Failed, step
from stack.postgres import Postgres
from stack.processes import Process
from stack.state import State
from stack.valkey import Valkey

APP_ROLE = "keel_app"


@dataclass(frozen=True)
class Urls:
    """Where the servers are; the owner migrates, the application's role does everything else."""

    owner: str
    app: str
    broker: str

    def as_facts(self) -> dict[str, str]:
        return asdict(self)


class Servers:
    """Started on entering, stopped on leaving; `processes` are those that are ours to watch."""

    def __init__(self, state: State, *, for_tests: bool = False) -> None:
        self.state = state
        self.for_tests = for_tests
        self.processes: list[Process] = []
        self.postgres: Postgres | None = None

    def __enter__(self) -> Urls:
        try:
            owner, app = self._database()
            return Urls(owner, app, self._broker())
        except BaseException:
            self._stop()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        with processes.signals_ignored():
            processes.stop(self.processes)
            if self.for_tests and self.postgres:
                self.postgres.remove()

    def _database(self) -> tuple[str, str]:
        if app := os.environ.get("DATABASE_URL"):
            owner = os.environ.get("OWNER_DATABASE_URL") or app
            with step("PostgreSQL of DATABASE_URL"):
                make_app_role(owner, for_tests=self.for_tests)
            return owner, app
        with step("PostgreSQL", self.state.log("postgres")):
            self.postgres = Postgres(self.state, for_tests=self.for_tests)
            self.processes.append(self.postgres.start())
        secrets = self.state.secrets()
        return (
            self.postgres.url("keel_owner", secrets["KEEL_OWNER_PASSWORD"]),
            self.postgres.url(APP_ROLE, secrets["KEEL_APP_PASSWORD"]),
        )

    def _broker(self) -> str:
        if broker := os.environ.get("BROKER_URL"):
            return broker
        with step("Valkey", self.state.log("valkey")):
            valkey = Valkey(self.state, for_tests=self.for_tests)
            self.processes.append(valkey.start())
        return valkey.url


def database_is_given() -> bool:
    return bool(os.environ.get("DATABASE_URL"))


def make_app_role(owner_url: str, *, for_tests: bool) -> None:
    """In a given database: the role that `grant_app_role` gives its rights, and tests become."""
    role = os.environ.get("APP_DB_ROLE") or APP_ROLE
    try:
        connection = psycopg2.connect(owner_url, connect_timeout=10)
    except psycopg2.OperationalError as error:
        raise Failed(f"it does not answer. {str(error).strip()}") from error
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            _make_role(cursor, role)
            if for_tests:
                _let_become(cursor, role)
    except psycopg2.errors.InsufficientPrivilege as error:
        raise Failed(
            f"its role may neither make nor become {role}. Let a superuser run: "
            f"CREATE ROLE {role}; GRANT {role} TO ...;"
        ) from error
    finally:
        connection.close()


def _make_role(cursor: Cursor, role: str) -> None:
    cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname = %s", [role])
    if cursor.fetchone() == (0,):
        cursor.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))


def _let_become(cursor: Cursor, role: str) -> None:
    try:
        cursor.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
    except psycopg2.errors.InsufficientPrivilege:
        cursor.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))
