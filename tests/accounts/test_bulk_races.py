"""Two changes of many accounts at once, on committed rows."""

import threading

import pytest
from django.db import connection, transaction

from accounts.models import Account, Assignment, BulkEdit
from accounts.services.bulk_edits import Busy, PlanChanged, carry_out, edit_of, undo
from accounts.services.storing import take_turn
from events.models import Event
from tests.accounts.lists import NOW
from tests.factories import AccountFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
TODAY = NOW.date()


@pytest.fixture
def owner():
    return UserFactory(roles=["metric_owner"])


def at_once(*acts):
    """Run them side by side; return what each returned or raised."""
    barrier, results = threading.Barrier(len(acts)), [None] * len(acts)

    def work(place, act):
        barrier.wait(10)
        try:
            results[place] = act()
        except Exception as error:  # noqa: BLE001 -- the test looks at it
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=each) for each in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def setting(field, value, ids, by):
    return lambda: carry_out(edit_of(field, value, on=TODAY), ids, by=by, on=TODAY, at=NOW)


def test_the_same_accounts_in_another_order(owner):
    ids = [account.pk for account in AccountFactory.create_batch(40)]
    for attempt in range(5):
        results = at_once(
            setting("region", f"A{attempt}", ids, owner),
            setting("region", f"B{attempt}", ids[::-1], owner),
            setting("segment", f"S{attempt}", ids[10:], owner),
        )
        assert [type(result) for result in results] == [BulkEdit] * 3
        (region,) = Account.objects.values_list("region", flat=True).distinct()
        assert region in {f"A{attempt}", f"B{attempt}"}
    # Each change of each account counted once, and told once.
    versions = dict(Account.objects.values_list("pk", "version"))
    assert versions == {pk: 11 if place < 10 else 16 for place, pk in enumerate(ids)}
    assert Event.objects.filter(verb="account.updated").count() == 5 * (40 + 40 + 30)


def test_who_saw_an_older_state_is_told(owner):
    ids = [account.pk for account in AccountFactory.create_batch(5)]
    from accounts.services.bulk_edits import plan  # noqa: PLC0415

    def seen(value):
        edit = edit_of("region", value, on=TODAY)
        digest = plan(edit, ids, by=owner, on=TODAY).digest
        return lambda: carry_out(edit, ids, by=owner, on=TODAY, at=NOW, expected=digest)

    results = at_once(seen("LATAM"), seen("Nordics"))
    assert sorted(type(result).__name__ for result in results) == ["BulkEdit", "PlanChanged"]
    assert any(isinstance(result, PlanChanged) for result in results)


def test_two_new_tams_leave_one(owner):
    ids = [account.pk for account in AccountFactory.create_batch(10)]
    tams = [UserFactory(roles=["tam"]) for _ in range(2)]
    results = at_once(*(setting("tam", tam, ids, owner) for tam in tams))
    assert [type(result) for result in results] == [BulkEdit, BulkEdit]
    running = Assignment.objects.filter(role="TAM", primary=True, end=None)
    assert running.count() == 10
    assert running.values("user").distinct().count() == 1


def test_undone_once(owner):
    ids = [account.pk for account in AccountFactory.create_batch(3)]
    made = setting("region", "LATAM", ids, owner)()
    act = lambda: undo(made, by=owner, on=TODAY, at=NOW)  # noqa: E731
    results = at_once(act, act)
    assert sorted(type(result).__name__ for result in results) == ["BulkEdit", "Gone"]
    assert set(Account.objects.values_list("version", flat=True)) == {3}


def test_an_import_at_work_is_not_waited_for_long(owner):
    account = AccountFactory(region="EMEA")
    holds, go_on = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            take_turn("accounts")
            holds.set()
            go_on.wait(20)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert holds.wait(10)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        with pytest.raises(Busy, match="Try again"):
            setting("region", "LATAM", [account.pk], owner)()
    finally:
        go_on.set()
        thread.join(20)
        connection.close()
    assert Account.objects.get().region == "EMEA"
