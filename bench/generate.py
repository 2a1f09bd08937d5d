"""Makes the company: `python -m bench.generate --accounts 100000 --days 30`.

Everything is made inside PostgreSQL from numbers and a hash of them, so the same options give
the same company. Facts go through the triggers that keep versions; indexes are set aside while
tables are filled, and the readings of a month are written before the month is attached.
"""

import argparse
import datetime as dt
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bench import databases
from bench.databases import Company, Refused

SIZES = (10_000, 100_000)
DAYS = 30
NIGHTS = 8
FEWEST, MOST_DAYS = 100, 3650
FILLED = (
    "accounts_account", "accounts_subscription", "accounts_instance", "accounts_assignment",
    "events_event",
)  # fmt: skip
STEPS = ("people", "rates", "accounts", "subscriptions", "instances", "assignments", "events")
SESSION = """
    SET timezone = 'UTC'; SET synchronous_commit = off; SET jit = off;
    SET work_mem = '64MB'; SET maintenance_work_mem = '512MB';
    SET max_parallel_maintenance_workers = 0;
"""
# What serves no constraint can be made afterwards, in one go.
INDEXES = """
    SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
    FROM pg_index i
    WHERE i.indrelid::regclass::text = ANY(%s) AND NOT i.indisunique AND NOT i.indisexclusion
"""
Say = Callable[[str], None]


def company_of(accounts: int, days: int, *, nights: int = NIGHTS, until: str = "") -> Company:
    if accounts < FEWEST:
        raise Refused(f"A company has {FEWEST} accounts at least.")
    if not nights <= days <= MOST_DAYS or nights < 1:
        raise Refused(f"Days: from the {nights} nights up to {MOST_DAYS}.")
    yesterday = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
    return Company(
        accounts=accounts, days=days, nights=nights, until=until or yesterday.isoformat()
    )


def ensure(companies: Sequence[Company], *, say: Say = print, anew: bool = False) -> dict[int, str]:
    """Return by size where the companies are; those that are not there are made."""
    urls = {company.accounts: databases.url_of(company.accounts) for company in companies}
    missing = [
        company
        for company in companies
        if anew or databases.company_in(urls[company.accounts]) != company
    ]
    template = ""
    for company in missing:
        databases.make_empty(urls[company.accounts], template=template)
        # The next ones are copied from it while it is empty.
        template = urls[missing[0].accounts]
    for company in missing:
        fill(urls[company.accounts], company, say=say)
        databases.mark(urls[company.accounts], company)
    return urls


def fill(url: str, company: Company, *, say: Say = print) -> None:
    with databases.cursor_on(url) as cursor:
        cursor.execute(SESSION)
        _fill(cursor, company, say)
    with _step(f"nights and current facts, {company.accounts:,} accounts", say):
        _in_django(url, company)
    with _step("vacuum", say), databases.cursor_on(url) as cursor:
        cursor.execute("VACUUM (ANALYZE)")


def parameters(company: Company) -> dict[str, Any]:
    until = dt.date.fromisoformat(company.until)
    known = dt.datetime.combine(until, dt.time(6), dt.UTC) - dt.timedelta(days=company.days + 9)
    return {
        "accounts": company.accounts,
        "days": company.days,
        "until": until,
        "seed": company.seed,
        "tams": max(8, min(company.accounts // 40, 2000)),
        "known": known,
    }


def _fill(cursor: Any, company: Company, say: Say) -> None:
    statements = databases.parts_of("company")
    values = parameters(company)
    cursor.execute(statements["functions"], values)
    cursor.execute(statements["seats"])
    tables = [name for table in FILLED for name in (table, f"{table}_version")]
    cursor.execute("SELECT set_config('keel.knowledge_time', %s, false)", [str(values["known"])])
    with _without_indexes(cursor, tables, say):
        for name in STEPS:
            with _step(name, say):
                cursor.execute(statements[name], values)
    with _step("readings", say):
        cursor.execute("ANALYZE")
        for first, last in _months(values["until"], company.days):
            _fill_month(cursor, statements["month"], {**values, "first": first, "last": last})


def _fill_month(cursor: Any, statement: str, values: dict[str, Any]) -> None:
    """Write a month's readings into a table of its own and attach it: the indexes come then."""
    month = values["first"].replace(day=1)
    part = f"accounts_seatreading_y{month:%Y}m{month:%m}"
    following = (month + dt.timedelta(days=32)).replace(day=1)
    cursor.execute(
        f"CREATE TABLE {part} (LIKE accounts_seatreading INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
    )
    cursor.execute(statement.format(part=part), values)
    cursor.execute(
        f"ALTER TABLE accounts_seatreading ATTACH PARTITION {part} FOR VALUES FROM (%s) TO (%s)",
        [f"{month} 00:00+00", f"{following} 00:00+00"],
    )


def _months(until: dt.date, days: int) -> Iterator[tuple[dt.date, dt.date]]:
    first = until - dt.timedelta(days=days - 1)
    while first <= until:
        following = (first.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
        yield first, min(until, following - dt.timedelta(days=1))
        first = following


@contextmanager
def _without_indexes(cursor: Any, tables: Sequence[str], say: Say) -> Iterator[None]:
    cursor.execute(INDEXES, [list(tables)])
    indexes = cursor.fetchall()
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    yield
    with _step("indexes", say):
        for _, definition in indexes:
            cursor.execute(definition)


def _in_django(url: str, company: Company) -> None:
    """Compute the last nights and the current facts, as the application does it."""
    from bench.workers import Worker

    with Worker(url) as worker:
        worker.ask("bench.actions.history:tell_history", company)


@contextmanager
def _step(title: str, say: Say) -> Iterator[None]:
    started = time.monotonic()
    yield
    say(f"  {title:<44} {time.monotonic() - started:6.1f} s")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.generate", description=__doc__)
    parser.add_argument("--accounts", type=int, default=SIZES[0])
    parser.add_argument("--days", type=int, default=DAYS, help="days of readings")
    parser.add_argument("--nights", type=int, default=NIGHTS, help="nights computed, the last ones")
    parser.add_argument("--until", default="", help="the last day counted; default: yesterday")
    parser.add_argument("--anew", action="store_true", help="also where it is there already")
    asked = parser.parse_args(arguments)
    os.environ.setdefault("KEEL_MODE", "test")
    try:
        company = company_of(asked.accounts, asked.days, nights=asked.nights, until=asked.until)
        (url,) = ensure([company], anew=asked.anew).values()
        print(databases.name_of(url))
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
