"""Lines that go to the database as they stand mean what the parsers would make of them."""

import datetime as dt

import pytest

from accounts.imports import running
from accounts.imports.running import preview_import
from accounts.models import Company, ImportRow, SeatReading
from people.models import system_user
from tests.accounts.imports import apply, order
from tests.factories import AccountFactory, ImportFactory, InstanceFactory

pytestmark = pytest.mark.django_db
HEAD = "account_external_id,observed_at,seats,monthly_active,note\n"
IDS = ["A", "1E5", "12-Jan", "Jan-20", "9E-3", "1.5E3", "x" * 120, "x" * 121, "-A", "#N/A", "A ",
       "a.b/c:d", "1E5x"]  # fmt: skip
MOMENTS = [
    "2026-01-31T12:00:00Z", "2026-01-31 12:00Z", "2026-01-31T12:00:00.123456+05:30", "2026-01-31",
    "2024-02-29", "2026-02-29", "2025-02-28T23:59:59-13:00", "2026-04-31T00:00:00Z", "1990-01-01",
    "1991-01-01", "1989-12-31", "2099-12-31", "2026-13-01", "2026-01-31T24:00:00Z",
    "2026-01-31T12:00:60Z", "2026-01-31T12:00:00", "2026-03-29T02:30:00",
    "2026-01-31T12:00:00+15:00",
    "2026-01-31t12:00:00Z", "31/01/2026", "2026-03-29", "2027-06-01T00:00:00Z", "2027-06-01", "",
]  # fmt: skip
SEATS = ["0", "007", "2147483647", "2147483648", "999999999", "1.0", "-1", "", "80%", " 5", "1e3"]
NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)


def lines():
    yield from (
        f"{each},2026-01-0{1 + n % 9}T0{n % 10}:00:00Z,5,1,odd" for n, each in enumerate(IDS)
    )
    yield from (f"A,{each},{n},," for n, each in enumerate(MOMENTS))
    yield from (f"A,2026-02-{n + 1:02}T01:00:00Z,{each},{each}," for n, each in enumerate(SEATS))
    yield 'A,2026-03-01T01:00:00Z,5,1,"a\nb"'
    yield "A,2026-03-02T01:00:00Z,5,1,tab\there"
    yield "A,2026-03-03T01:00:00Z,5,1,back\\slash"
    yield "A,2026-03-04T01:00:00Z,5"
    yield "A,2026-03-05T01:00:00Z,5,1,ü"
    yield "A,2026-03-06T01:00:00Z,5,1,twin"
    yield "A,2026-03-06T01:00:00+00:00,6,1,twin"


def outcome(content):
    keep = ImportFactory(kind="seat-readings")
    report = preview_import(order("seat-readings", content), by=system_user(), now=NOW, keep=keep)
    rows = ImportRow.objects.filter(file=keep).order_by("row")
    kept = list(rows.values_list("row", "outcome", "label", "changes", "problems", "cells"))
    return (report.rows, report.creates, report.bad_rows, report.plan_hash, report.problems), kept


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_each_line_ends_as_it_would_cell_by_cell(monkeypatch, end):
    AccountFactory(external_id="A", source="import")
    for name in ("1E5", "a.b/c:d", "1E5x", "x" * 120):
        AccountFactory(external_id=name, source="import")
    content = HEAD.replace(",note", ",keel_problem") + "\n".join(lines()) + "\n"
    content = content.replace("\n", end) if end != "\n" else content
    plain = outcome(content)
    monkeypatch.setattr(running, "plain_of", lambda *_: None)

    assert outcome(content) == plain
    assert plain[0][1] > 15
    assert plain[0][2] > 15


def test_days_begin_on_the_clocks_of_the_company():
    Company.objects.update(time_zone="America/Sao_Paulo")
    InstanceFactory(account=AccountFactory(external_id="A", source="import"), external_id="I",
                    source="import")  # fmt: skip
    # The clocks began the second of these days at one.
    content = (
        "instance_external_id,observed_at,seats\nI,2018-01-01,1\nI,2018-11-04,2\nI,2018-11-05,3\n"
        "I,2018-11-06T00:00:00Z,4\n"
    )
    apply("seat-readings", content)

    moments = SeatReading.objects.order_by("observed_at").values_list("observed_at", "seats")
    assert [(f"{at:%m-%d %H}", seats) for at, seats in moments] == [
        ("01-01 02", 1), ("11-04 03", 2), ("11-05 02", 3), ("11-06 00", 4),
    ]  # fmt: skip
