"""Every version of every fact keeps from when to when it was known, whatever wrote it."""

import datetime as dt
import io
import threading
import time

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from accounts.models import Account, AccountVersion, ExchangeRate, SeatReading
from accounts.models.base import Fact
from config.lib.versions import StillWriting, pretend_known_at, take_cut
from tests.factories import (
    AccountFactory,
    AssignmentFactory,
    ContactFactory,
    ExchangeRateFactory,
    InstanceFactory,
    SeatReadingFactory,
    SubscriptionFactory,
    TierFactory,
)

FACTS = [model for model in apps.get_models() if issubclass(model, Fact)]
MADE_BY = {
    "Account": AccountFactory, "Subscription": SubscriptionFactory, "Instance": InstanceFactory,
    "Contact": ContactFactory, "Assignment": AssignmentFactory, "Tier": TierFactory,
    "ExchangeRate": ExchangeRateFactory,
}  # fmt: skip


def moment(minute):
    return dt.datetime(2026, 1, 1, 0, minute, tzinfo=dt.UTC)


def known(account_or_id):
    """Return (name, known from, known to) of each version, oldest first."""
    pk = getattr(account_or_id, "pk", account_or_id)
    rows = AccountVersion.objects.filter(fact_id=pk).order_by("known_from")
    return list(rows.values_list("name", "known_from", "known_to"))


def twin(model):
    return apps.get_model(model._meta.app_label, f"{model.__name__}Version")


class TestEveryFact:
    @pytest.mark.parametrize("model", FACTS, ids=lambda model: model.__name__)
    def test_has_a_version_table_with_the_same_columns(self, db, model):
        with connection.cursor() as cursor:
            columns = {}
            for table in (model._meta.db_table, twin(model)._meta.db_table):
                cursor.execute(
                    """SELECT column_name, udt_name, character_maximum_length, numeric_precision
                       FROM information_schema.columns WHERE table_name = %s""",
                    [table],
                )
                columns[table] = set(cursor.fetchall())
        fact, version = columns.values()
        beside = {(name, *kind) for name, *kind in version - fact}
        assert {name for name, *_ in fact - version} == set()
        assert {name for name, *_ in beside} == {"fact_id", "known_from", "known_to"}

    @pytest.mark.parametrize("model", FACTS, ids=lambda model: model.__name__)
    def test_keeps_every_column(self, db, model):
        """A column left out of the trigger would be null in the version."""
        fact = model.objects.first() or MADE_BY[model.__name__]()
        fact.refresh_from_db()
        version = twin(model).objects.filter(fact_id=fact.pk).latest("known_from")
        for field in model._meta.concrete_fields:
            if not field.primary_key:
                assert getattr(version, field.attname) == getattr(fact, field.attname), field.name

    @pytest.mark.parametrize("model", FACTS, ids=lambda model: model.__name__)
    def test_is_watched_by_triggers_that_name_all_its_columns(self, db, model):
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT tgname, tgargs FROM pg_trigger
                   WHERE tgrelid = %s::regclass AND tgname LIKE 'keep_versions%%'""",
                [model._meta.db_table],
            )
            found = {name: bytes(args).rstrip(b"\0").decode() for name, args in cursor.fetchall()}
        assert set(found) == {f"keep_versions_{verb}" for verb in ("insert", "update", "delete")}
        columns = {f'"{f.column}"' for f in model._meta.concrete_fields if not f.primary_key}
        for listed in found.values():
            assert set(listed.split(", ")) == columns


class TestWhatIsKept:
    @pytest.fixture
    def account(self, db):
        pretend_known_at(moment(0))
        return AccountFactory(name="First")

    def test_a_new_fact_is_known_from_then_on(self, account):
        assert known(account) == [("First", moment(0), None)]

    def test_an_update_closes_one_version_and_opens_another(self, account):
        pretend_known_at(moment(5))
        account.name = "Second"
        account.save(update_fields=["name"])
        assert known(account) == [("First", moment(0), moment(5)), ("Second", moment(5), None)]

    def test_a_bulk_update_does_too(self, account):
        other = AccountFactory(name="Other")
        pretend_known_at(moment(5))
        assert Account.objects.update(name="All") == 2
        for one, name in ((account, "First"), (other, "Other")):
            assert known(one) == [(name, moment(0), moment(5)), ("All", moment(5), None)]

    def test_a_delete_closes_it(self, account):
        pk = account.pk
        pretend_known_at(moment(5))
        account.delete()
        assert known(pk) == [("First", moment(0), moment(5))]

    def test_bulk_create_keeps_each(self, account):
        pretend_known_at(moment(5))
        made = Account.objects.bulk_create(
            [Account(source="t", external_id=str(i), name=str(i)) for i in range(3)]
        )
        for i, one in enumerate(made):
            assert known(one) == [(str(i), moment(5), None)]

    def test_insert_on_conflict_keeps_the_new_and_the_changed(self, account):
        pretend_known_at(moment(5))
        Account.objects.bulk_create(
            [
                Account(source=account.source, external_id=account.external_id, name="Changed"),
                Account(source=account.source, external_id="new", name="New"),
            ],
            update_conflicts=True,
            unique_fields=["source", "external_id"],
            update_fields=["name"],
        )
        assert known(account) == [("First", moment(0), moment(5)), ("Changed", moment(5), None)]
        assert known(Account.objects.get(external_id="new")) == [("New", moment(5), None)]

    def test_copy_keeps_each(self, db):
        pretend_known_at(moment(7))
        lines = "".join(f"EUR\t2026-01-{day:02}\t1.{day}\t1\n" for day in range(1, 4))
        with connection.cursor() as cursor:
            cursor.cursor.copy_expert(
                'COPY accounts_exchangerate (currency, "on", rate, version) FROM STDIN',
                io.StringIO(lines),
            )
        for rate in ExchangeRate.objects.all():
            (version,) = rate.versions.all()
            assert (version.rate, version.known_from) == (rate.rate, moment(7))

    def test_sql_by_hand_keeps_it(self, account):
        pretend_known_at(moment(5))
        with connection.cursor() as cursor:
            cursor.execute("UPDATE accounts_account SET name = 'By hand'")
        assert known(account)[-1] == ("By hand", moment(5), None)

    def test_several_changes_of_one_transaction_are_one_version(self, account):
        pretend_known_at(moment(5))
        for name in ("Second", "Third", "Fourth"):
            Account.objects.filter(pk=account.pk).update(name=name)
        assert known(account) == [("First", moment(0), moment(5)), ("Fourth", moment(5), None)]

    def test_made_and_deleted_in_one_transaction_was_never_known(self, account):
        pretend_known_at(moment(5))
        fleeting = AccountFactory()
        pk = fleeting.pk
        fleeting.delete()
        assert known(pk) == []

    def test_a_change_that_touches_no_row_leaves_no_version(self, account):
        pretend_known_at(moment(5))
        Account.objects.filter(pk=0).update(name="Nobody")
        assert AccountVersion.objects.count() == 1

    def test_what_is_rolled_back_was_never_known(self, account):
        with transaction.atomic():
            pretend_known_at(moment(5))
            Account.objects.update(name="Undone")
            transaction.set_rollback(True)
        assert known(account) == [("First", moment(0), None)]

    def test_knowledge_never_goes_back(self, account):
        """A transaction that took its time before the version it changes takes a later one."""
        pretend_known_at(moment(5))
        Account.objects.update(name="Second")
        pretend_known_at(moment(3))
        Account.objects.update(name="Third")
        first, second, third = known(account)
        assert first[1:] == (moment(0), moment(5))
        assert second[2] == third[1] > moment(5)
        assert third[2] is None


class TestReadings:
    def test_carry_the_transaction_s_knowledge_time_in_their_row(self, db):
        instance = InstanceFactory()
        pretend_known_at(moment(9))
        reading = SeatReadingFactory(instance=instance)
        assert SeatReading.objects.get().known_from == reading.known_from == moment(9)

    def test_one_reading_is_known_at_a_time(self, db):
        pretend_known_at(moment(1))
        reading = SeatReadingFactory()
        pretend_known_at(moment(2))
        with pytest.raises(DatabaseError, match="duplicate key"), transaction.atomic():
            SeatReadingFactory(instance=reading.instance, seats=1)
        SeatReading.objects.update(known_to=moment(2))
        SeatReadingFactory(instance=reading.instance, seats=1)
        assert SeatReading.objects.filter(known_to=None).get().seats == 1

    def test_can_be_closed_and_not_be_changed(self, db):
        SeatReadingFactory()
        for change in ({"seats": 1}, {"observed_at": moment(1)}, {"known_from": moment(1)}):
            with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
                SeatReading.objects.update(**change)
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            SeatReading.objects.all().delete()


class TestTheApplication:
    @pytest.mark.parametrize("model", FACTS, ids=lambda model: model.__name__)
    @pytest.mark.parametrize(
        "change",
        ["UPDATE {0} SET known_to = now()", "DELETE FROM {0}", "INSERT INTO {0} DEFAULT VALUES",
         "TRUNCATE {0}"],
    )  # fmt: skip
    def test_cannot_write_what_was_known(self, db, model, change):
        table = twin(model)._meta.db_table
        with (
            pytest.raises(DatabaseError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(change.format(table))


def in_thread(work):
    """Run `work` on a connection of its own; return the thread and what it returned or raised."""
    result = {}

    def target():
        try:
            result["value"] = work()
        except Exception as error:  # noqa: BLE001 -- handed to the test
            result["error"] = error
        finally:
            connection.close()

    thread = threading.Thread(target=target)
    thread.start()
    return thread, result


@pytest.mark.django_db(transaction=True)
class TestTransactions:
    def test_one_knowledge_time_each(self):
        with transaction.atomic():
            first, second = AccountFactory(), AccountFactory()
            time.sleep(0.01)
            Account.objects.filter(pk=first.pk).update(name="Later")
            SubscriptionFactory(account=second)
            reading = SeatReadingFactory(instance=InstanceFactory(account=first))
        moments = {version.known_from for version in AccountVersion.objects.all()}
        for model in FACTS:
            if model.__name__ in ("Subscription", "Instance"):
                moments |= {version.known_from for version in twin(model).objects.all()}
        assert moments == {SeatReading.objects.get(pk=reading.pk).known_from}

    def test_later_transactions_know_later(self):
        first, second = AccountFactory(), AccountFactory()
        assert known(first)[0][1] < known(second)[0][1]

    def test_a_savepoint_undone_does_not_leave_its_time_behind(self):
        with transaction.atomic():
            with transaction.atomic():
                AccountFactory()
                transaction.set_rollback(True)
            cut = _now()
            account = AccountFactory()
        assert known(account)[0][1] > cut

    def test_that_meet_on_a_row_out_of_order_keep_its_ranges_whole(self):
        """The one that took its time first writes last."""
        account, other = AccountFactory(name="A"), AccountFactory()
        took_time, wrote = threading.Event(), threading.Event()

        def early():
            with transaction.atomic():
                Account.objects.filter(pk=other.pk).update(name="early")
                took_time.set()
                assert wrote.wait(5)
                Account.objects.filter(pk=account.pk).update(name="C")

        thread, result = in_thread(early)
        assert took_time.wait(5)
        Account.objects.filter(pk=account.pk).update(name="B")
        wrote.set()
        thread.join(10)
        assert result == {"value": None}
        names = [name for name, *_ in known(account)]
        ranges = [(known_from, known_to) for _, known_from, known_to in known(account)]
        assert names == ["A", "B", "C"]
        assert ranges[0][1] == ranges[1][0] < ranges[1][1] == ranges[2][0]
        assert ranges[2][1] is None


def _now():
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
class TestCut:
    def test_waits_for_who_writes_and_comes_after_them(self):
        writing, done = threading.Event(), threading.Event()

        def write():
            with transaction.atomic():
                account = AccountFactory()
                writing.set()
                assert done.wait(5)
                return account.pk

        thread, result = in_thread(write)
        assert writing.wait(5)
        cutter, cut = in_thread(take_cut)
        time.sleep(0.3)
        assert cutter.is_alive()
        done.set()
        thread.join(10)
        cutter.join(10)
        ((_, known_from, _),) = known(result["value"])
        assert known_from < cut["value"]

    def test_lets_nobody_wait_while_it_waits(self):
        writing, done = threading.Event(), threading.Event()

        def write():
            with transaction.atomic():
                AccountFactory()
                writing.set()
                done.wait(5)

        thread, _ = in_thread(write)
        assert writing.wait(5)
        cutter, cut = in_thread(take_cut)
        time.sleep(0.05)
        began = time.monotonic()
        account = AccountFactory()
        assert time.monotonic() - began < 1
        done.set()
        thread.join(10)
        cutter.join(10)
        assert known(account)[0][1] < cut["value"]

    def test_is_before_whatever_is_written_later(self):
        cut = take_cut()
        assert known(AccountFactory())[0][1] > cut

    def test_gives_up_when_a_transaction_does_not_end(self):
        writing, done = threading.Event(), threading.Event()

        def write():
            with transaction.atomic():
                AccountFactory()
                writing.set()
                done.wait(5)

        thread, _ = in_thread(write)
        assert writing.wait(5)
        with pytest.raises(StillWriting):
            take_cut(patience=0.3)
        done.set()
        thread.join(10)

    def test_many_writers_and_cuts_never_learn_of_the_past(self):
        """What is visible right after a cut is all that will ever be known from before it."""
        stop = threading.Event()

        def write():
            while not stop.is_set():
                with transaction.atomic():
                    AccountFactory()
                    AccountFactory()

        writers = [in_thread(write)[0] for _ in range(3)]
        seen = []
        for _ in range(8):
            cut = take_cut()
            seen.append((cut, AccountVersion.objects.filter(known_from__lte=cut).count()))
            time.sleep(0.02)
        stop.set()
        for writer in writers:
            writer.join(10)
        assert seen[-1][1] > 0
        for cut, count in seen:
            assert AccountVersion.objects.filter(known_from__lte=cut).count() == count
