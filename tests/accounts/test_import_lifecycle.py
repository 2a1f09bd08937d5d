"""The life of an import, step by step: who may take which, and what it leaves behind."""

import datetime as dt
import io

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from accounts.imports import files, lifecycle, moves, purging, working
from accounts.imports.mappings import UnusableMapping
from accounts.imports.running import PlanChanged
from accounts.measure import facts_changed
from accounts.models import Account, Import, ImportChunk, ImportRow
from accounts.selectors.imports import applied_before, causes_of, import_of, rows_of
from accounts.tabular import UnusableFile
from config.lib.errors import Conflict, Invalid, Missing
from events.models import Event, OutboxMessage
from people.models import system_user
from tests import factories

Status = Import.Status
TWO = "external_id,name\nA-1,Alder\nA-2,Birch\n"
ONE_BAD = "external_id,name,status\nA-1,Alder,\nA-2,Birch,gone\nA-3,Cedar,lost\n"


@pytest.fixture
def life(metric_owner):
    return Life(metric_owner)


class Life:
    """The lifecycle as its metric owner takes it; the clock moves a minute a step."""

    def __init__(self, owner):
        self.owner, self.at = owner, timezone.now() - dt.timedelta(hours=1)

    def now(self):
        self.at += dt.timedelta(minutes=1)
        return self.at

    def upload(self, content=TWO, kind="accounts", *, by=None, **how):
        file = io.BytesIO(content.encode() if isinstance(content, str) else content)
        how = {"filename": "facts.csv", **how}
        return lifecycle.upload(kind=kind, file=file, by=by or self.owner, at=self.now(), **how)

    def apply(self, import_, *, by=None, plan_hash=None):
        plan = import_.plan_hash if plan_hash is None else plan_hash
        return lifecycle.request_apply(import_, plan_hash=plan, by=by or self.owner, at=self.now())

    def choose(self, import_, raw, *, by=None, **how):
        return lifecycle.choose_mapping(import_, raw, by=by or self.owner, at=self.now(), **how)

    def __getattr__(self, name):
        step = getattr(lifecycle, name)

        def take(import_, *args, by=None):
            return step(import_, *args, by=by or self.owner, at=self.now())

        return take


def verbs(import_):
    told = Event.objects.filter(object_id=import_.uuid).order_by("id")
    return [event.verb.removeprefix("import.") for event in told]


def large(count=50):
    """Return a file that no request reads where SMALL is as in TestWorker."""
    rows = "".join(f"L-{number},Customer of some length {number}\n" for number in range(count))
    return "external_id,name\n" + rows


class TestUpload:
    def test_a_file_with_our_columns_is_checked_at_once(self, life):
        import_ = life.upload(filename="C:\\data\\facts\n.csv", source="crm")

        assert (import_.status, import_.creates, import_.rows) == (Status.CHECKED, 2, 2)
        assert (import_.source, import_.filename, import_.size) == ("crm", "facts_.csv", len(TWO))
        assert import_.plan_hash
        assert verbs(import_) == ["uploaded", "checked"]
        assert not Account.objects.exists()

    def test_the_file_is_kept_in_pieces_and_comes_back_as_it_was(self, life, monkeypatch):
        monkeypatch.setattr(files, "PIECE", 7)
        import_ = life.upload()

        assert ImportChunk.objects.filter(file=import_).count() == -(-len(TWO) // 7)
        with files.opened(import_) as file:
            assert file.read().decode() == TWO

    def test_a_file_with_other_columns_needs_a_mapping(self, life):
        import_ = life.upload("Account ID,Account Name\nA-1,Alder\n")

        assert import_.status == Status.UPLOADED
        assert verbs(import_) == ["uploaded"]

    def test_a_shipped_mapping_that_is_named_is_used(self, life):
        content = (
            "ID,NAME,TYPE,PARENTID,BILLINGCOUNTRY,INDUSTRY\n001A0000006fk2R,Alder,Customer,,,\n"
        )
        import_ = life.upload(content, mapping="salesforce-accounts")

        assert (import_.status, import_.source) == (Status.CHECKED, "salesforce")
        assert import_.mapping["name"] == "salesforce-accounts"

    @pytest.mark.parametrize(
        ("content", "how", "error"),
        [
            (b"", {}, UnusableFile),
            (b"external_id,name\n", {}, UnusableFile),
            (b"PK\x03\x04 not a zip", {}, UnusableFile),
            (TWO, {"kind": "cats"}, Invalid),
            (TWO, {"mapping": "nowhere"}, UnusableMapping),
            (TWO, {"mapping": "salesforce-accounts"}, UnusableFile),
            (TWO, {"source": "keel"}, UnusableMapping),
            (TWO, {"encoding": "rot13"}, UnusableFile),
        ],
    )
    def test_what_cannot_be_used_is_refused_at_once_and_leaves_nothing(
        self, content, how, error, life
    ):
        with pytest.raises(error):
            life.upload(content, **how)

        assert not Import.objects.exists()
        assert not ImportChunk.objects.exists()

    def test_what_is_too_large_is_refused_unread(self, life, monkeypatch):
        monkeypatch.setattr(files, "MOST_BYTES", 10)

        with pytest.raises(files.TooLarge) as caught:
            life.upload()
        assert caught.value.status == 413

    @pytest.mark.parametrize("role", ["administrator", "de_lead", "tam"])
    def test_only_metric_owners_may(self, role, life, person):
        with pytest.raises(PermissionDenied):
            life.upload(by=person(role))

    def test_the_same_file_again_is_told_and_changes_nothing(self, life):
        first = life.apply(life.upload())
        again = life.upload()

        assert applied_before(again) == first.applied_at
        assert applied_before(first) is None
        assert (again.creates, again.updates, again.unchanged) == (0, 0, 2)
        assert life.apply(again).status == Status.APPLIED
        assert Account.objects.count() == 2

    def test_a_mended_file_is_read_as_the_one_before(self, life):
        first = life.choose(
            life.upload("ID,Who\nA-1,\n"), {"columns": {"external_id": "ID", "name": "Who"}}
        )
        mended = life.upload("ID,Who\nA-1,Alder\n", like=first)

        assert (first.bad_rows, mended.bad_rows, mended.status) == (1, 0, Status.CHECKED)


class TestMapping:
    RAW = {"columns": {"external_id": "Account ID", "name": "Account Name"}, "source": "crm"}
    CONTENT = "Account ID,Account Name,Owner\nA-1,Alder,Ada\n"

    def test_a_mapping_chosen_is_kept_and_the_file_checked(self, life):
        import_ = life.choose(life.upload(self.CONTENT), self.RAW, save_as="Our CRM")

        assert (import_.status, import_.creates, import_.source) == (Status.CHECKED, 1, "crm")
        assert lifecycle.mapping_named("Our CRM", "accounts").columns == self.RAW["columns"]
        assert verbs(import_) == ["uploaded", "mapped", "checked"]
        assert life.upload(self.CONTENT, mapping="Our CRM").status == Status.CHECKED

    def test_another_mapping_makes_another_plan(self, life):
        import_ = life.choose(life.upload(self.CONTENT), self.RAW)
        before = import_.plan_hash
        import_ = life.choose(import_, {"columns": {"external_id": "Account ID", "name": "Owner"}})

        assert import_.plan_hash != before
        assert rows_of(import_, "create").get().label == "Ada"

    @pytest.mark.parametrize(
        "raw",
        [
            {},
            {"columns": {"external_id": "Account ID", "name": "Nothing like it"}},
            {"columns": {"name": "Account Name"}},
            {"columns": ["external_id"]},
            {"columns": {"external_id": 5}},
            {"constants": {"name": None}},
            {"delimiter": "x"},
            {"rows": 5},
            {"source": "manual"},
        ],
    )
    def test_one_that_does_not_fit_is_refused_and_the_import_stays(self, raw, life):
        import_ = life.upload(self.CONTENT)
        with pytest.raises(UnusableFile):
            life.choose(import_, raw)

        import_.refresh_from_db()
        assert (import_.status, import_.version) == (Status.UPLOADED, 1)

    def test_only_whoever_uploaded_it_may_choose(self, life, person):
        other = person("metric_owner")
        with pytest.raises(PermissionDenied, match="Metric owner, who uploaded it"):
            life.choose(life.upload(self.CONTENT), self.RAW, by=other)


class TestRows:
    def test_bad_rows_are_told_by_their_cause(self, life):
        import_ = life.upload(ONE_BAD)

        assert import_.bad_rows == 2
        (cause,) = causes_of(import_)
        assert (cause.column, cause.code, cause.count, cause.row) == (
            "status", "not_a_choice", 2, 3,
        )  # fmt: skip
        assert "gone" in cause.example

    def test_with_a_bad_row_nothing_is_applied(self, life):
        with pytest.raises(Conflict, match="2 rows are bad"):
            life.apply(life.upload(ONE_BAD))

    def test_bad_rows_can_be_left_out_and_taken_up_again(self, life):
        import_ = life.upload(ONE_BAD)
        plan = import_.plan_hash
        import_ = life.exclude(import_, None)

        assert (import_.excluded, import_.bad_rows, import_.creates) == ([3, 4], 0, 1)
        assert import_.plan_hash != plan
        assert rows_of(import_, ImportRow.Outcome.EXCLUDED).count() == 2
        import_ = life.include_all(import_)
        assert (import_.excluded, import_.bad_rows) == ([], 2)

        import_ = life.apply(life.exclude(life.exclude(import_, [3]), [4]))
        assert import_.status == Status.APPLIED
        assert [each.name for each in Account.objects.all()] == ["Alder"]
        assert "excluded" in verbs(import_)

    def test_another_metric_owner_cannot_change_what_is_imported(self, life, person):
        with pytest.raises(PermissionDenied):
            life.exclude(life.upload(ONE_BAD), None, by=person("metric_owner"))


class TestApply:
    def test_what_was_shown_is_applied_and_remembered(self, life):
        import_ = life.apply(life.upload())

        assert (import_.status, import_.applied_by) == (Status.APPLIED, life.owner)
        assert import_.applied_at == life.at
        assert set(Account.objects.values_list("last_import", flat=True)) == {import_.pk}
        assert verbs(import_) == ["uploaded", "checked", "applied"]

    def test_another_metric_owner_may_apply_it(self, life, person):
        other = person("metric_owner")
        assert life.apply(life.upload(), by=other).applied_by == other

    def test_a_plan_that_is_not_the_one_shown_is_refused(self, life):
        with pytest.raises(PlanChanged, match="Data changed since the preview"):
            life.apply(life.upload(), plan_hash="another")

    def test_facts_that_changed_since_make_a_fresh_plan(self, life):
        import_ = life.upload(source="import")
        life.apply(life.upload("external_id,name\nA-1,Something else\n"))
        with pytest.raises(PlanChanged):
            life.apply(import_)

        import_.refresh_from_db()
        assert (import_.status, import_.creates, import_.updates) == (Status.CHECKED, 1, 1)
        assert "Data changed since the preview" in import_.failure
        assert import_.applied_by is None
        assert life.apply(import_).status == Status.APPLIED
        assert sorted(Account.objects.values_list("name", flat=True)) == ["Alder", "Birch"]

    def test_a_second_press_is_refused(self, life):
        import_ = life.upload()
        life.apply(import_)
        with pytest.raises(moves.NotNow, match="is applied"):
            life.apply(import_)
        assert Account.objects.count() == 2


class TestMassChange:
    @pytest.fixture
    def mass(self, life, monkeypatch):
        """A checked import that somebody else has to look at."""
        import_ = life.upload()
        Import.objects.filter(pk=import_.pk).update(mass=["60 accounts would be archived."])
        import_.refresh_from_db()
        return import_

    def test_it_waits_and_those_who_may_approve_are_told(self, mass, life, person):
        person("metric_owner", email="second@keel.example")
        person("administrator", email="admin@keel.example")
        person("tam")
        waiting = life.apply(mass)

        assert (waiting.status, waiting.applied_by) == (Status.WAITING, life.owner)
        assert not Account.objects.exists()
        assert OutboxMessage.objects.count() == 2
        assert verbs(mass)[-1] == "waiting"

    def test_another_person_approves_and_it_is_applied(self, mass, life, person):
        admin = person("administrator")
        import_ = life.approve(life.apply(mass), by=admin)

        assert (import_.status, import_.approved_by) == (Status.APPLIED, admin)
        assert import_.applied_by == life.owner
        assert Account.objects.count() == 2
        assert verbs(mass)[-3:] == ["waiting", "approved", "applied"]

    def test_nobody_approves_their_own(self, mass, life):
        with pytest.raises(PermissionDenied, match="Another metric owner"):
            life.approve(life.apply(mass))

    def test_a_second_metric_owner_who_applies_it_has_looked_at_it(self, mass, life, person):
        other = person("metric_owner")
        import_ = life.apply(mass, by=other)

        assert (import_.status, import_.approved_by) == (Status.APPLIED, other)

    @pytest.fixture
    def members(self):
        for number in range(20):
            account = factories.AccountFactory(external_id=f"A{number}")
            factories.SubscriptionFactory(
                account=account, arr=60_000, start=dt.date(2020, 1, 1), end=None
            )
        facts_changed(Account.objects.values_list("pk", flat=True))

    def test_nobody_gets_by_in_small_steps(self, life, members):
        first = life.upload("external_id,archived\nA0,yes\nA1,yes\n")
        second = life.upload("external_id,archived\nA2,yes\n")

        assert life.apply(first).status == Status.APPLIED
        waiting = life.apply(second)

        assert waiting.status == Status.WAITING
        assert "and 2 left by what the same person imported within 24 hours" in waiting.mass[0]

    def test_steps_of_another_day_or_undone_or_approved_are_no_part_of_it(
        self, life, members, person
    ):
        other = person("metric_owner")
        life.undo(life.apply(life.upload("external_id,archived\nA0,yes\nA1,yes\n")))
        life.apply(life.upload("external_id,archived\nA2,yes\nA3,yes\n"), by=other)
        old = life.apply(life.upload("external_id,archived\nA4,yes\n"))
        Import.objects.filter(pk=old.pk).update(applied_at=life.at - dt.timedelta(days=2))

        last = life.upload("external_id,archived\nA5,yes\n")

        assert life.apply(last).status == Status.APPLIED

    def test_only_what_waits_is_approved(self, mass, life, person):
        with pytest.raises(moves.NotNow, match="is checked, but not applied"):
            life.approve(mass, by=person("administrator"))

    def test_an_administrator_may_turn_it_down(self, mass, life, person):
        admin = person("administrator")
        assert life.discard(life.apply(mass), by=admin).status == Status.DISCARDED


class TestUndo:
    def test_what_was_created_is_taken_back(self, life, person):
        import_ = life.undo(life.apply(life.upload()), by=person("metric_owner"))

        assert import_.status == Status.UNDONE
        assert import_.undone == {"count": 2, "skipped": [], "more": 0}
        assert verbs(import_)[-1] == "undone"

    def test_after_a_day_it_stays(self, life):
        import_ = life.apply(life.upload())
        life.at += dt.timedelta(hours=24)
        with pytest.raises(moves.NotNow, match="more than 24 hours ago"):
            life.undo(import_)

    def test_only_what_is_applied_can_be(self, life):
        with pytest.raises(moves.NotNow):
            life.undo(life.upload())

    def test_once_only(self, life):
        import_ = life.undo(life.apply(life.upload()))
        with pytest.raises(moves.NotNow, match="is undone"):
            life.undo(import_)


STEPS = {
    "choose_mapping": lambda life, it: life.choose(it, {}),
    "exclude": lambda life, it: life.exclude(it, None),
    "include_all": lambda life, it: life.include_all(it),
    "request_apply": lambda life, it: life.apply(it),
    "undo": lambda life, it: life.undo(it),
    "discard": lambda life, it: life.discard(it),
}
ALLOWED = {
    Status.UPLOADED: {"choose_mapping", "discard"},
    Status.CHECKED: {"choose_mapping", "exclude", "include_all", "request_apply", "discard"},
    Status.WAITING: {"choose_mapping", "exclude", "include_all", "discard"},
    Status.APPLIED: {"undo"},
    Status.FAILED: {"choose_mapping", "discard"},
}


@pytest.mark.parametrize("status", Status.values)
@pytest.mark.parametrize("step", STEPS)
def test_every_step_is_taken_only_where_it_begins(step, status, life):
    import_ = life.upload()
    Import.objects.filter(pk=import_.pk).update(status=status, applied_at=life.at)
    import_.refresh_from_db()
    before = Event.objects.count()

    if step in ALLOWED.get(Status(status), ()):
        STEPS[step](life, import_)
    else:
        with pytest.raises(moves.NotNow) as caught:
            STEPS[step](life, import_)
        assert caught.value.status == 409
        assert Event.objects.count() == before


class TestWorker:
    @pytest.fixture(autouse=True)
    def _little_is_much(self, monkeypatch):
        monkeypatch.setattr(files, "SMALL", 500)
        monkeypatch.setattr(files, "SMALL_WORKBOOK", 100)

    @pytest.fixture
    def rings(self, monkeypatch):
        found = []
        monkeypatch.setattr("events.outbox.ring", lambda *what: found.append(what))
        return found

    def test_a_large_file_is_checked_and_applied_by_a_worker(
        self, life, rings, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks(execute=True):
            import_ = life.upload(large())
        assert import_.status == Status.CHECKING
        assert rings == [("accounts.run_import", import_.pk)]

        assert working.run(import_.pk, now=life.now())
        import_.refresh_from_db()
        assert (import_.status, import_.creates) == (Status.CHECKED, 50)
        with django_capture_on_commit_callbacks(execute=True):
            assert life.apply(import_).status == Status.APPLYING
        assert len(rings) == 2
        assert not Account.objects.exists()

        assert working.run(import_.pk, now=life.now())
        import_.refresh_from_db()
        assert import_.status == Status.APPLIED
        assert Account.objects.count() == 50
        assert not working.run(import_.pk, now=life.now())

    def test_a_large_file_without_the_columns_is_refused_at_once(self, life):
        content = large().replace("external_id", "id", 1)
        with pytest.raises(UnusableFile):
            life.upload(content, mapping="salesforce-accounts")
        assert life.upload(content).status == Status.UPLOADED

    def test_a_file_that_cannot_be_read_to_its_end_fails_with_a_reason(self, life):
        import_ = life.upload(large().encode() + b'X-1,"never closed\n')
        working.run(import_.pk, now=life.now())

        import_.refresh_from_db()
        assert import_.status == Status.FAILED
        assert "never closed" in import_.failure
        assert verbs(import_)[-1] == "failed"

    def test_facts_that_changed_make_a_fresh_plan_there_too(self, life):
        import_ = waiting_for(life, Status.CHECKING)
        working.run(import_.pk, now=life.now())
        import_.refresh_from_db()
        life.apply(life.upload("external_id,name\nA-1,Something else\n"))
        Import.objects.filter(pk=import_.pk).update(status=Status.APPLYING, applied_by=life.owner)
        working.run(import_.pk, now=life.now())

        import_.refresh_from_db()
        assert (import_.status, import_.updates) == (Status.CHECKED, 1)
        assert "Data changed since the preview" in import_.failure

    def test_attempts_are_counted_and_given_up(self, life, monkeypatch):
        import_ = waiting_for(life, Status.CHECKING)

        def die(*_, **__):
            raise MemoryError

        monkeypatch.setattr(working, "check", die)
        for _ in range(working.MOST_ATTEMPTS):
            with pytest.raises(MemoryError):
                working.run(import_.pk, now=life.now())
        assert not working.run(import_.pk, now=life.now())

        import_.refresh_from_db()
        assert (import_.status, import_.attempts) == (Status.FAILED, 3)
        assert "given up after three attempts" in import_.failure

    def test_an_undo_that_is_given_up_leaves_it_applied(self, life):
        import_ = life.apply(life.upload())
        Import.objects.filter(pk=import_.pk).update(
            status=Status.UNDOING, undone_by=life.owner, attempts=3
        )
        working.run(import_.pk, now=life.now())

        import_.refresh_from_db()
        assert (import_.status, import_.undone_by) == (Status.APPLIED, None)
        assert "Nothing was put back" in import_.failure
        assert life.undo(import_).status == Status.UNDONE

    def test_a_large_undo_is_left_to_a_worker(self, life, monkeypatch):
        monkeypatch.setattr(lifecycle, "MOST_AT_ONCE", 1)
        import_ = life.undo(life.apply(life.upload()))

        assert import_.status == Status.UNDOING
        assert working.run(import_.pk, now=life.now())
        import_.refresh_from_db()
        assert import_.status == Status.UNDONE

    def test_the_sweeper_rings_for_what_nobody_works_on(self, life, rings):
        import_ = waiting_for(life, Status.CHECKING)
        waiting_for(life, Status.CHECKED)

        assert working.sweep() == 1
        assert rings == [("accounts.run_import", import_.pk)]

    def test_it_leaves_alone_what_somebody_works_on(self, life, rings):
        import_ = waiting_for(life, Status.CHECKING)
        with working.alone(import_.pk) as is_ours:
            assert is_ours
            assert working.sweep() == 0
        assert working.sweep() == 1


def waiting_for(life, status):
    import_ = life.upload()
    Import.objects.filter(pk=import_.pk).update(status=status)
    import_.refresh_from_db()
    return import_


class TestPurge:
    def test_a_week_after_the_end_file_and_rows_go_and_the_import_stays(self, life):
        import_ = life.apply(life.upload())
        life.at += dt.timedelta(days=6)
        assert purging.purge(now=life.at) == 0
        life.at += dt.timedelta(days=2)

        assert purging.purge(now=life.at) == 1
        assert not ImportChunk.objects.exists()
        assert not ImportRow.objects.exists()
        assert import_of(import_.number) == import_
        assert purging.purge(now=life.at) == 0

    def test_what_nobody_went_on_with_is_given_up(self, life):
        import_ = life.upload("ID,Who\n1,x\n")
        at_work = waiting_for(life, Status.CHECKING)
        life.at += dt.timedelta(days=8)
        purging.purge(now=life.at)

        import_.refresh_from_db()
        at_work.refresh_from_db()
        assert (import_.status, at_work.status) == (Status.DISCARDED, Status.CHECKING)
        assert verbs(import_)[-1] == "discarded"
        assert ImportChunk.objects.filter(file=import_).count() == 0
        assert ImportChunk.objects.filter(file=at_work).count() == 1

    def test_what_was_discarded_goes_at_once(self, life):
        life.discard(life.upload())
        purging.purge(now=life.at)

        assert not ImportChunk.objects.exists()

    def test_without_its_file_it_can_still_be_undone(self, life):
        import_ = life.apply(life.upload())
        ImportChunk.objects.all().delete()
        ImportRow.objects.all().delete()

        assert life.undo(import_).status == Status.UNDONE


def test_numbers_that_are_none_name_no_import(life):
    import_ = life.upload()

    assert import_of(str(import_.pk)) == import_of(import_.number) == import_
    for number in ("IMP-0", "IMP-", "IMP-x", "IMP-٣", f"IMP-{import_.pk + 1}", "9" * 30):
        with pytest.raises(Missing):
            import_of(number)


def test_the_system_may_do_all_of_it_alone(life):
    import_ = life.upload(by=system_user())
    assert life.apply(import_, by=system_user()).status == Status.APPLIED


def test_an_account_of_the_import_names_it(life):
    factories.AccountFactory()
    import_ = life.apply(life.upload())
    assert Account.objects.filter(last_import=import_).count() == 2
