"""Importing seat readings: made, corrected, left alone, refused, and never twice at once."""

import datetime as dt
import threading

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from accounts.imports.mappings import load_mapping
from accounts.imports.running import Order, apply_import
from accounts.models import Account, Company, Import, Instance, SeatReading
from events.models import Event
from people.models import system_user
from tests.accounts.imports import NOW, apply, bad, counts, order, preview
from tests.factories import AccountFactory, InstanceFactory, SeatReadingFactory

pytestmark = pytest.mark.django_db
HEAD = "account_external_id,observed_at,seats\n"


def known(**filters):
    readings = SeatReading.objects.filter(known_to=None, **filters).order_by("observed_at")
    return [(reading.observed_at.date().isoformat(), reading.seats) for reading in readings]


def test_readings_go_to_a_default_instance_made_on_demand():
    account = AccountFactory(external_id="A")

    report = apply("seat-readings", f"{HEAD}A,2026-01-31,50\nA,2026-02-01,60\n", source="import")

    instance = Instance.objects.get()
    assert counts(report) == (2, 0, 0, 0)
    assert report.new_instances == 1
    assert (instance.account, instance.source, instance.name) == (account, "keel", "Default")
    assert instance.is_default
    assert instance.counted
    assert known(instance=instance) == [("2026-01-31", 50), ("2026-02-01", 60)]
    assert {reading.last_import for reading in SeatReading.objects.all()} == {report.applied}
    event = Event.objects.get(verb="readings.imported")
    assert (event.account_id, event.after["readings"]) == (account.pk, 2)
    assert event.after["latest_observed_at"].startswith("2026-02-01")
    assert Event.objects.filter(verb="instance.created").count() == 1


def test_e12_the_same_readings_again_change_nothing():
    AccountFactory(external_id="A")
    content = f"{HEAD}A,2026-01-31,50\n"
    apply("seat-readings", content)
    before = Event.objects.count(), Import.objects.count()

    report = apply("seat-readings", content)

    assert counts(report) == (0, 0, 1, 0)
    assert (Event.objects.count(), Import.objects.count()) == before


def test_another_value_is_a_correction_that_keeps_the_first():
    AccountFactory(external_id="A", name="Acme")
    apply("seat-readings", f"{HEAD}A,2026-01-31,50\nA,2026-02-01,60\n")

    report = apply("seat-readings", f"{HEAD}A,2026-01-31,55\nA,2026-02-01,60\n")

    assert counts(report) == (0, 1, 1, 0)
    (correction,) = report.corrections
    assert (correction.row, correction.label, correction.before, correction.after) == (
        2, "Acme 2026-01-31 00:00 UTC", (50, None), (55, None),
    )  # fmt: skip
    assert known() == [("2026-01-31", 55), ("2026-02-01", 60)]
    first, second = SeatReading.objects.filter(observed_at="2026-01-31T00:00Z").order_by(
        "known_from"
    )
    assert (first.seats, second.seats) == (50, 55)
    assert first.known_to == second.known_from
    assert first.known_to > first.known_from


def test_corrections_of_corrections_in_one_transaction():
    AccountFactory(external_id="A")
    for seats in (50, 51, 50):
        apply("seat-readings", f"{HEAD}A,2026-01-31,{seats}\n")

    assert known() == [("2026-01-31", 50)]
    assert SeatReading.objects.count() == 3


def test_monthly_active_stays_where_the_file_does_not_carry_it():
    AccountFactory(external_id="A")
    apply(
        "seat-readings",
        "account_external_id,observed_at,seats,monthly_active\nA,2026-01-31,50,40\n",
    )

    assert counts(apply("seat-readings", f"{HEAD}A,2026-01-31,50\n")) == (0, 0, 1, 0)
    apply("seat-readings", f"{HEAD}A,2026-01-31,51\n")
    assert SeatReading.objects.get(known_to=None).monthly_active == 40
    apply(
        "seat-readings", "account_external_id,observed_at,seats,monthly_active\nA,2026-01-31,51,\n"
    )
    assert SeatReading.objects.get(known_to=None).monthly_active is None


def test_two_sources_do_not_correct_each_other():
    AccountFactory(external_id="A", source="crm")

    for source, seats in (("telemetry", 1), ("survey", 2)):
        report = apply(
            "seat-readings", f"{HEAD}A,2026-01-31,{seats}\n", source=source, account_source="crm"
        )
        assert counts(report) == (1, 0, 0, 0)

    assert Instance.objects.count() == 1


def test_instances_are_found_at_their_account():
    account = AccountFactory(external_id="A")
    own = InstanceFactory(account=account, source="inventory", external_id="srv")
    elsewhere = InstanceFactory(source="telemetry", external_id="far")
    InstanceFactory(account=account, source="one", external_id="twin")
    InstanceFactory(account=account, source="two", external_id="twin")
    head = "account_external_id,instance_external_id,observed_at,seats\n"

    report = apply(
        "seat-readings",
        f"{head}A,srv,2026-01-01,1\nA,far,2026-01-01,1\nA,twin,2026-01-01,1\nA,none,2026-01-01,1\n"
        "nobody,srv,2026-01-01,1\n,,2026-01-01,1\n",
        source="telemetry",
        account_source="import",
    )
    problems, sentences = bad(report)
    column = "instance_external_id"
    assert problems == [
        (3, column), (4, column), (5, column),
        (6, "account_external_id"), (7, "account_external_id"),
    ]  # fmt: skip
    assert "“far” belongs to another account" in sentences
    assert "Several instances are called “twin”" in sentences
    assert "No instance has the id “none”" in sentences
    assert "No account has the id “nobody” in the source “import”" in sentences
    report = apply(
        "seat-readings",
        f"{head}A,srv,2026-01-01,1\n,far,2026-01-01,2\n",
        source="telemetry",
        account_source="import",
    )
    assert counts(report) == (2, 0, 0, 0)
    assert known(instance=own) == [("2026-01-01", 1)]
    assert known(instance=elsewhere) == [("2026-01-01", 2)]


def test_e04_readings_of_one_time_are_all_bad_also_without_an_instance_yet():
    AccountFactory(external_id="A")

    report = apply(
        "seat-readings", f"{HEAD}A,2026-01-01,1\nA,2026-01-02,1\nA,2026-01-01T00:00:00Z,1\n"
    )

    problems, sentences = bad(report)
    assert problems == [(2, "observed_at"), (4, "observed_at")]
    assert "Rows 2, 4 are readings of one instance at one time" in sentences
    assert not Instance.objects.exists()


def test_e07_e08_bad_readings():
    AccountFactory(external_id="A")

    report = apply(
        "seat-readings",
        f"{HEAD}A,2026-01-01,-1\nA,2026-01-02,83%\nA,2026-03-05,1\nA,01/02/2026,1\nA,,\n"
        "A,2026-01-03,2147483648\nA,2026-01-04\n",
    )

    assert bad(report)[0] == [
        (2, "seats"), (3, "seats"), (4, "observed_at"), (5, "observed_at"), (6, "observed_at"),
        (6, "seats"), (7, "seats"), (8, ""),
    ]  # fmt: skip
    assert report.bad_rows == 7
    assert not SeatReading.objects.exists()


def test_days_are_those_of_the_company():
    Company.objects.update(time_zone="America/New_York")
    AccountFactory(external_id="A")

    apply("seat-readings", f"{HEAD}A,2026-01-31,50\n")

    assert SeatReading.objects.get().observed_at == dt.datetime(2026, 1, 31, 5, tzinfo=dt.UTC)


def test_a_preview_leaves_no_instance_and_no_month():
    AccountFactory(external_id="A")

    report = preview("seat-readings", f"{HEAD}A,1995-01-31,50\n")

    assert counts(report) == (1, 0, 0, 0)
    assert not Instance.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('accounts_seatreading_y1995m01')")
        assert cursor.fetchone() == (None,)


def test_the_gitlab_export_with_its_preamble():
    AccountFactory(source="gitlab", external_id="Example Corp.")
    made = order(
        "seat-readings",
        'License Key,"abc\n"\nCompany,Example Corp.\nGenerated At,2023-09-05 06:56:23\n"",""\n'
        "Date,Billable User Count\n2023-07-11 12:00:05,21\n2023-08-16 12:00:02,22\n",
    )
    mapping = load_mapping("gitlab-licence-usage", "seat-readings")

    report = apply_import(
        Order(kind=made.kind, file=made.file, filename="usage.csv", mapping=mapping),
        by=system_user(),
        now=NOW,
    )

    assert counts(report) == (2, 0, 0, 0)
    assert known() == [("2023-07-11", 21), ("2023-08-16", 22)]


def test_e13_a_failure_in_the_middle_leaves_nothing(monkeypatch):
    AccountFactory(external_id="A")

    def fail(account_ids):
        assert SeatReading.objects.count() == 500
        raise RuntimeError("the machine stumbles")

    monkeypatch.setattr("accounts.imports.effects.facts_changed", fail)
    day = dt.date(2024, 1, 1)
    rows = "".join(f"A,{day + dt.timedelta(days=n)},{n}\n" for n in range(500))
    with pytest.raises(RuntimeError):
        apply("seat-readings", HEAD + rows)

    assert not SeatReading.objects.exists()
    assert not Instance.objects.exists()
    assert not Import.objects.exists()
    assert not Event.objects.filter(verb="readings.imported").exists()


def test_statements_do_not_depend_on_rows():
    AccountFactory(external_id="A")

    def statements(count, year):
        day = dt.date(year, 1, 1)
        rows = "".join(f"A,{day + dt.timedelta(days=n)},{n}\n" for n in range(count))
        with CaptureQueriesContext(connection) as queries:
            apply("seat-readings", HEAD + rows)
        return len(queries)

    apply("seat-readings", f"{HEAD}A,2020-01-01,1\n")

    assert statements(300, 2022) == statements(3, 2023)


@pytest.mark.django_db(transaction=True)
def test_e12_two_imports_at_once_make_each_reading_once():
    system_user()
    AccountFactory(external_id="A")
    day = dt.date(2025, 1, 1)
    content = HEAD + "".join(f"A,{day + dt.timedelta(days=n)},{n}\n" for n in range(200))
    start = threading.Barrier(2)
    reports = []

    def run():
        start.wait()
        try:
            reports.append(apply("seat-readings", content))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(counts(report) for report in reports) == [(0, 0, 200, 0), (200, 0, 0, 0)]
    assert SeatReading.objects.count() == 200
    assert Import.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_e12_two_imports_of_accounts_at_once_never_mix():
    system_user()
    start = threading.Barrier(2)
    reports = []

    def run(word):
        start.wait()
        rows = "".join(f"A{n},{word} {n}\n" for n in range(200))
        try:
            reports.append(apply("accounts", f"external_id,name\n{rows}"))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(word,)) for word in ("One", "Two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(counts(report) for report in reports) == [(0, 200, 0, 0), (200, 0, 0, 0)]
    assert len({name.split()[0] for name in Account.objects.values_list("name", flat=True)}) == 1


def test_a_reading_factory_makes_its_month():
    assert SeatReadingFactory(observed_at=dt.datetime(1999, 1, 1, tzinfo=dt.UTC)).pk
