"""Imports beside each other, beside a recompute and beside a write over the API, for real."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.utils import timezone

from accounts.imports import running
from accounts.imports.running import PlanChanged
from accounts.imports.undoing import undo
from accounts.measure import facts_changed
from accounts.models import Account, AccountFacts, Subscription
from accounts.services.upserts import Wanted, write_facts
from events.models import Event
from metrics.services.runs import recompute
from people.models import system_user
from tests.accounts.imports import NOW, apply, counts, order
from tests.factories import (
    AccountFactory,
    ImportFactory,
    InstanceFactory,
    SeatReadingFactory,
    SubscriptionFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)
SLUG = "seats-deployed"
PATIENCE = 30


@pytest.fixture
def together():
    """Run something in a thread with a connection of its own; what it raises comes out."""
    pool = ThreadPoolExecutor(max_workers=4)

    def start(work, *arguments, **more):
        def run():
            try:
                return work(*arguments, **more)
            finally:
                connections.close_all()

        return pool.submit(run)

    yield start
    pool.shutdown()


@pytest.fixture
def halfway(monkeypatch):
    """Stop the first import that has written its facts, until it is let go."""
    reached, goes_on = threading.Event(), threading.Event()
    real = running.refresh_touched

    def wait(tell):
        if not reached.is_set():
            reached.set()
            assert goes_on.wait(PATIENCE)
        real(tell)

    monkeypatch.setattr("accounts.imports.running.refresh_touched", wait)
    yield reached, goes_on
    goes_on.set()


def wait_until_somebody_waits():
    """Return once a connection of this database waits for a lock."""
    pause = threading.Event()
    for _ in range(PATIENCE * 50):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
        pause.wait(0.02)
    raise AssertionError("nobody waits")


@pytest.fixture
def passing():
    account = AccountFactory(external_id="A", name="Acme")
    SubscriptionFactory(
        account=account, external_id="S", seats=100, arr=Decimal(60_000), end=None,
        start=dt.date(2020, 1, 1),
    )  # fmt: skip
    SeatReadingFactory(
        instance=InstanceFactory(account=account),
        seats=90,
        observed_at=timezone.now() - dt.timedelta(days=1),
    )
    facts_changed([account.pk])
    return account


def test_two_files_of_one_kind_come_one_after_the_other(together, halfway):
    reached, goes_on = halfway
    first = together(apply, "accounts", "external_id,name\nA,One\nB,One\n")
    assert reached.wait(PATIENCE)
    second = together(apply, "accounts", "external_id,name\nA,Two\nB,Two\n")
    wait_until_somebody_waits()
    goes_on.set()

    assert (counts(first.result()), counts(second.result())) == ((2, 0, 0, 0), (0, 2, 0, 0))
    assert set(Account.objects.values_list("name", flat=True)) == {"Two"}
    told = Event.objects.filter(verb="account.updated").values_list("before__name", flat=True)
    assert list(told) == ["One", "One"]


def test_a_plan_made_before_another_file_was_applied_is_refused(together, halfway):
    reached, goes_on = halfway
    AccountFactory(external_id="A", name="Old")
    content = "external_id,name\nA,Two\n"
    shown = running.preview_import(order("accounts", content), by=system_user(), now=NOW)
    first = together(apply, "accounts", "external_id,name\nA,One\n")
    assert reached.wait(PATIENCE)
    second = together(
        running.apply_import,
        order("accounts", content),
        by=system_user(),
        now=NOW,
        expected=shown.plan_hash,
    )
    wait_until_somebody_waits()
    goes_on.set()

    assert first.result().applied
    with pytest.raises(PlanChanged):
        second.result()
    assert Account.objects.get().name == "One"


def test_files_of_two_kinds_do_not_wait_for_each_other(together, halfway):
    reached, goes_on = halfway
    AccountFactory(external_id="A")
    first = together(apply, "accounts", "external_id,name\nB,Beta\n")
    assert reached.wait(PATIENCE)
    second = together(
        apply, "subscriptions", "external_id,account_external_id,start\nS,A,2026-01-01\n"
    )

    assert second.result(PATIENCE).applied
    assert not first.done()
    goes_on.set()
    assert first.result().applied


def test_a_preview_shows_the_effect_and_holds_nobody_up(together, passing):
    keep = ImportFactory(kind="subscriptions")
    with transaction.atomic():
        report = running.preview_import(
            order("subscriptions", "external_id,seats\nS,1000\n"),
            by=system_user(),
            now=timezone.now(),
            keep=keep,
        )
        # The preview is not committed yet, and others write what it touched.
        written = together(apply, "subscriptions", "external_id,seats\nS,101\n")
        assert counts(written.result(PATIENCE)) == (0, 1, 0, 0)

    assert [mover.becomes for mover in report.effect.movers] == ["does not pass"]
    assert Subscription.objects.get().seats == 101
    assert AccountFacts.objects.get().licensed == 101


def test_an_import_beside_a_recompute_is_in_the_number_whole(together, halfway, passing):
    reached, goes_on = halfway
    others = [AccountFactory(external_id=f"B{n}") for n in range(5)]
    rows = "".join(
        f"T{n},{account.external_id},2020-01-01,90000,10\n" for n, account in enumerate(others)
    )
    written = together(
        apply, "subscriptions", f"external_id,account_external_id,start,arr,seats\n{rows}"
    )
    assert reached.wait(PATIENCE)
    now = timezone.now()
    run = together(recompute, SLUG, now.date(), by=system_user(), now=now)
    wait_until_somebody_waits()
    goes_on.set()

    assert written.result().applied
    assert run.result().run.denominator == 6


def test_a_write_beside_an_import_comes_after_it(together, halfway):
    reached, goes_on = halfway
    AccountFactory(external_id="A", name="Old", source="import")
    imported = together(apply, "accounts", "external_id,name\nA,Imported\n")
    assert reached.wait(PATIENCE)
    written = together(write, "Written")
    wait_until_somebody_waits()
    goes_on.set()

    assert counts(imported.result()) == (0, 1, 0, 0)
    assert written.result()[0].outcome == "updated"
    assert Account.objects.get().name == "Written"
    told = Event.objects.filter(verb="account.updated").order_by("id")
    assert list(told.values_list("before__name", flat=True)) == ["Old", "Imported"]


def test_a_write_that_cannot_wait_leaves_nothing(together, halfway):
    reached, goes_on = halfway
    AccountFactory(external_id="A", name="Old", source="import")
    imported = together(apply, "accounts", "external_id,name\nA,Imported\n")
    assert reached.wait(PATIENCE)

    with pytest.raises(OperationalError), transaction.atomic():
        write_impatiently("Written")
    goes_on.set()

    imported.result()
    assert Account.objects.get().name == "Imported"


def test_an_undo_beside_an_import_leaves_what_that_changed(together, halfway):
    first = apply_at_once("accounts", "external_id,name\nA,One\nB,One\n")
    reached, goes_on = halfway
    second = together(apply, "accounts", "external_id,name\nA,Two\n")
    assert reached.wait(PATIENCE)
    undone = together(undo, first, by=system_user(), now=NOW)
    wait_until_somebody_waits()
    goes_on.set()

    assert counts(second.result()) == (0, 1, 0, 0)
    assert undone.result().skipped == [("One", "It was changed since.")]
    assert Account.objects.get().name == "Two"


def write(name):
    """Write as the API does."""
    wanted = Wanted(0, {"source": "import", "external_id": "A", "name": name})
    return write_facts("accounts", [wanted], by=system_user())


def write_impatiently(name):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '50ms'")
    write(name)


def apply_at_once(kind, content):
    """Apply without the stop halfway, which is for the next one."""
    made = running.refresh_touched
    running.refresh_touched = lambda tell: None
    try:
        return apply(kind, content).applied
    finally:
        running.refresh_touched = made
