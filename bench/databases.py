"""A database of its own for each size, on the server that DATABASE_URL names."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql

ROOT = Path(__file__).resolve().parent.parent
SQL = Path(__file__).with_name("sql")
# What a changed generator writes is another company.
EDITION = 1


class Refused(Exception):
    """A sentence for who started the bench."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """All that the made-up company depends on; kept as the comment on its database."""

    accounts: int
    days: int
    until: str
    nights: int
    seed: int = 1
    edition: int = EDITION

    def as_comment(self) -> str:
        return f"keel bench {json.dumps(asdict(self))}"

    @classmethod
    def from_comment(cls, comment: str | None) -> Self | None:
        if not (comment or "").startswith("keel bench "):
            return None
        found = json.loads((comment or "").removeprefix("keel bench "))
        return cls(**found) if found.get("edition") == EDITION else None


def server_url() -> str:
    if not (url := os.environ.get("DATABASE_URL")):
        raise Refused("DATABASE_URL names no server. `make bench` brings its own.")
    return url


def url_of(accounts: int) -> str:
    """Return where the company of this size lies: beside the database of DATABASE_URL."""
    parts = urlsplit(server_url())
    return urlunsplit(parts._replace(path=f"{parts.path}_bench_{accounts}"))


def name_of(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


@contextmanager
def cursor_on(url: str) -> Iterator[Any]:
    """Open a connection that commits each statement; closed on leaving."""
    with closing(psycopg2.connect(url, connect_timeout=10)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor


def company_in(url: str) -> Company | None:
    """Return what was generated there; None where there is no database, or an empty one.

    Raises Refused where it holds anything else.
    """
    with cursor_on(server_url()) as cursor:
        cursor.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
            [name_of(url)],
        )
        found = cursor.fetchone()
    if found is None:
        return None
    company = Company.from_comment(found[0])
    if company is None and _holds_anything(url):
        raise Refused(
            f"The database {name_of(url)} holds data that the bench has not made; it goes into "
            "one of its own. Drop it, or name another in DATABASE_URL."
        )
    return company


def _holds_anything(url: str) -> bool:
    with cursor_on(url) as cursor:
        cursor.execute("SELECT to_regclass('accounts_account') IS NOT NULL")
        if cursor.fetchone() == (False,):
            return False
        cursor.execute("SELECT EXISTS (SELECT FROM accounts_account)")
        return bool(cursor.fetchone() == (True,))


def make_empty(url: str, *, template: str = "") -> None:
    """Make the database anew with its tables, copied from a migrated one where there is one."""
    company_in(url)
    name = sql.Identifier(name_of(url))
    with cursor_on(server_url()) as cursor:
        cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(name))
        if template:
            copied = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            cursor.execute(copied.format(name, sql.Identifier(name_of(template))))
            return
        cursor.execute(sql.SQL("CREATE DATABASE {}").format(name))
    for command in ("migrate", "createcachetable"):
        subprocess.run(
            [sys.executable, "manage.py", command, "--verbosity=0"],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"},
            check=True,
        )


def mark(url: str, company: Company) -> None:
    with cursor_on(url) as cursor:
        comment = sql.SQL("COMMENT ON DATABASE {} IS {}")
        cursor.execute(
            comment.format(sql.Identifier(name_of(url)), sql.Literal(company.as_comment()))
        )


def parts_of(name: str) -> dict[str, str]:
    """Return the statements of sql/<name>.sql by the names that stand above them as -- @name."""
    parts: dict[str, str] = {}
    for part in (SQL / f"{name}.sql").read_text().split("-- @")[1:]:
        title, _, body = part.partition("\n")
        parts[title.strip()] = body.strip()
    return parts
