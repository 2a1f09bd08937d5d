import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, AccountVersion, Assignment, BulkEdit
from accounts.services import bulk_edits
from accounts.services.bulk_edits import PlanChanged, carry_out, edit_of, plan, undo
from config.lib.errors import Gone, Invalid
from events.models import Event
from people.models import Role
from tests.accounts.lists import NOW
from tests.factories import AccountFactory, AssignmentFactory

pytestmark = pytest.mark.django_db
TODAY = NOW.date()
YESTERDAY, TOMORROW = TODAY - dt.timedelta(days=1), TODAY + dt.timedelta(days=1)
SOON = NOW + dt.timedelta(minutes=5)


def set_(field, value, accounts, by, **more):
    edit = edit_of(field, value, on=TODAY)
    return carry_out(edit, [a.pk for a in accounts], by=by, on=TODAY, at=NOW, **more)


def take_back(edit, by, at=SOON):
    return undo(edit, by=by, on=TODAY, at=at)


def reasons(entries):
    return {entry["account"]: entry["reason"] for entry in entries}


def teams(account):
    rows = Assignment.objects.filter(account=account, role="TAM").order_by("start", "pk")
    return [(row.user, row.start, row.end) for row in rows]


@pytest.fixture
def three():
    return [AccountFactory(region=region) for region in ("EMEA", "APAC", "AMER")]


class TestColumns:
    def test_each_is_changed_once_and_told(self, three, metric_owner):
        made = set_("region", "APAC", three, metric_owner)

        assert set(Account.objects.values_list("region", flat=True)) == {"APAC"}
        changed = [entry["account"] for entry in made.changed]
        assert changed == [three[0].pk, three[2].pk]
        assert reasons(made.skipped) == {three[1].pk: "It is so already."}
        events = Event.objects.order_by("account_id")
        assert [(e.verb, e.account_id, e.before, e.after) for e in events] == [
            ("account.updated", three[0].pk, {"region": "EMEA"}, {"region": "APAC"}),
            ("account.updated", three[2].pk, {"region": "AMER"}, {"region": "APAC"}),
        ]
        assert {e.reason for e in events} == {"Changed in the list, together with 1 other"}
        assert [a.version for a in Account.objects.order_by("pk")] == [2, 1, 2]
        assert AccountVersion.objects.filter(fact=three[0]).count() >= 1

    @pytest.mark.parametrize(
        ("field", "value"), [("segment", "Enterprise"), ("strategic", True), ("archived", True)]
    )
    def test_fields(self, three, metric_owner, field, value):
        set_(field, value, three, metric_owner)
        assert set(Account.objects.values_list(field, flat=True)) == {value}

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", "Acme"),
            ("version", 7),
            ("region", "x" * 61),
            ("region", "a\x00b"),
            ("region", "a\nb"),
            ("strategic", "yes"),
            ("archived", 1),
        ],
    )
    def test_what_cannot_be_set(self, field, value):
        with pytest.raises(Invalid):
            edit_of(field, value, on=TODAY)

    def test_an_empty_word_takes_it_away(self, three, metric_owner):
        set_("region", "", three, metric_owner)
        assert set(Account.objects.values_list("region", flat=True)) == {""}

    def test_archiving_takes_it_out_of_the_number_at_once(self, metric_owner):
        from tests.factories import SubscriptionFactory  # noqa: PLC0415

        account = SubscriptionFactory().account
        bulk_edits.facts_changed([account.pk])
        assert Account.objects.get().facts.eligible
        set_("archived", True, [account], metric_owner)
        assert not Account.objects.get().facts.eligible

    def test_nothing_to_change_is_said(self, three, metric_owner):
        with pytest.raises(Invalid, match="nothing to change"):
            set_("archived", False, three, metric_owner)
        assert not BulkEdit.objects.exists()

    def test_few_statements_however_many(self, metric_owner):
        def statements(count):
            accounts = AccountFactory.create_batch(count)
            with CaptureQueriesContext(connection) as found:
                set_("segment", f"S{count}", accounts, metric_owner)
            return len(found)

        statements(2)  # reads the actor's roles
        assert statements(5) == statements(60) <= 20

    def test_the_plan_that_was_seen_is_the_one_carried_out(self, three, metric_owner):
        edit = edit_of("region", "LATAM", on=TODAY)
        seen = plan(edit, [a.pk for a in three], by=metric_owner, on=TODAY)
        set_("region", "EMEA", three[1:], metric_owner)
        with pytest.raises(PlanChanged):
            set_("region", "LATAM", three, metric_owner, expected=seen.digest)
        assert not Account.objects.filter(region="LATAM").exists()
        seen = plan(edit, [a.pk for a in three], by=metric_owner, on=TODAY)
        assert len(set_("region", "LATAM", three, metric_owner, expected=seen.digest).changed) == 3

    def test_at_most_so_many(self, metric_owner):
        with pytest.raises(Invalid, match="5,000"):
            plan(edit_of("region", "", on=TODAY), range(5_001), by=metric_owner, on=TODAY)

    def test_ids_that_are_not_there_are_no_matter(self, three, metric_owner):
        edit = edit_of("region", "LATAM", on=TODAY)
        ids = [three[0].pk, 999_999_999]
        made = carry_out(edit, ids, by=metric_owner, on=TODAY, at=NOW)
        assert [entry["account"] for entry in made.changed] == [three[0].pk]


class TestWhoMay:
    @pytest.mark.parametrize("field", ["tam", "segment", "region", "strategic", "archived"])
    @pytest.mark.parametrize("role", Role.values)
    def test_by_role(self, three, person, tam, role, field):
        user = person(role)
        AssignmentFactory(account=three[0], user=user, role="SA", primary=False)
        value = {"tam": tam, "segment": "S", "region": "R"}.get(field, True)
        try:
            made = set_(field, value, three, user)
        except PermissionDenied:
            changed = 0
        else:
            changed = len(made.changed)
        requester = role in {"tam", "csm", "cre", "ae", "sa"}
        own = 1 if requester and field in {"segment", "region", "strategic"} else 0
        assert changed == (3 if role in {"metric_owner", "administrator"} else own)

    def test_row_by_row_with_the_reason(self, three, tam):
        AssignmentFactory(account=three[0], user=tam)
        AssignmentFactory(account=three[1], user=tam, end=TODAY)
        made = set_("segment", "S", three, tam)
        assert [entry["account"] for entry in made.changed] == [three[0].pk]
        assert set(reasons(made.skipped).values()) == {"It is not one of your own accounts."}
        assert set(reasons(made.skipped)) == {three[1].pk, three[2].pk}

    def test_undo_asks_again(self, three, tam, csm):
        mine = AssignmentFactory(account=three[0], user=tam)
        made = set_("segment", "S", three[:1], tam)
        with pytest.raises(PermissionDenied):
            take_back(made, csm)
        Assignment.objects.filter(pk=mine.pk).update(end=TODAY)
        undone = take_back(made, tam)
        assert set(reasons(undone.not_undone).values()) == {"It is not one of your own accounts."}
        assert Account.objects.get(pk=three[0].pk).segment == "S"


class TestUndo:
    def test_puts_back_and_tells(self, three, metric_owner):
        made = set_("region", "LATAM", three, metric_owner)
        undone = take_back(made, metric_owner)
        regions = Account.objects.order_by("pk").values_list("region", "version")
        assert list(regions) == [("EMEA", 3), ("APAC", 3), ("AMER", 3)]
        assert (undone.undone_at, undone.not_undone) == (SOON, [])
        event = Event.objects.filter(account_id=three[1].pk).latest("id")
        assert (event.before, event.after) == ({"region": "LATAM"}, {"region": "APAC"})

    def test_leaves_what_was_changed_since(self, three, metric_owner):
        made = set_("region", "LATAM", three, metric_owner)
        set_("segment", "Public", three[1:2], metric_owner)
        undone = take_back(made, metric_owner)
        assert reasons(undone.not_undone) == {three[1].pk: "Somebody has changed it since."}
        regions = Account.objects.order_by("pk").values_list("region", flat=True)
        assert list(regions) == ["EMEA", "LATAM", "AMER"]

    def test_once_and_for_ten_minutes(self, three, metric_owner):
        made = set_("region", "LATAM", three, metric_owner)
        with pytest.raises(Gone, match="ten minutes"):
            take_back(made, metric_owner, at=NOW + dt.timedelta(minutes=10, seconds=1))
        take_back(made, metric_owner, at=NOW + dt.timedelta(minutes=10))
        with pytest.raises(Gone, match="already"):
            take_back(made, metric_owner)


class TestTam:
    @pytest.fixture
    def new(self, person):
        return person("tam", name="New TAM")

    def test_the_running_one_ends_and_the_new_one_starts_today(self, three, tam, new, metric_owner):
        old = AssignmentFactory(account=three[0], user=tam, start=YESTERDAY)
        made = set_("tam", new, three[:2], metric_owner)
        assert teams(three[0]) == [(tam, YESTERDAY, TODAY), (new, TODAY, None)]
        assert teams(three[1]) == [(new, TODAY, None)]
        assert len(made.changed) == 2
        told = list(Event.objects.filter(account_id=three[0].pk).order_by("id"))
        assert [event.verb for event in told] == ["assignment.updated", "assignment.created"]
        assert told[0].object_id == old.uuid
        assert told[1].after["user"] == str(new.uuid)
        assert "New TAM" not in str([event.after for event in told])
        assert Account.objects.get(pk=three[0].pk).facts.tam == new

    def test_who_started_today_is_replaced_in_place(self, three, tam, new, metric_owner):
        set_("tam", tam, three[:1], metric_owner)
        made = set_("tam", new, three[:1], metric_owner)
        assert teams(three[0]) == [(new, TODAY, None)]
        take_back(made, metric_owner)
        assert teams(three[0]) == [(tam, TODAY, None)]

    def test_what_is_skipped_and_why(self, person, tam, new, metric_owner):
        already, planned, further, free = AccountFactory.create_batch(4)
        AssignmentFactory(account=already, user=new, start=YESTERDAY)
        AssignmentFactory(account=planned, user=tam, start=YESTERDAY, end=TOMORROW)
        AssignmentFactory(account=planned, user=person("tam", name="Ines"), start=TOMORROW)
        AssignmentFactory(account=further, user=new, start=TODAY, primary=False)
        AssignmentFactory(account=free, user=tam, start=YESTERDAY, role="CSM")
        made = set_("tam", new, [already, planned, further, free], metric_owner)
        assert reasons(made.skipped) == {
            already.pk: "New TAM is its TAM already.",
            planned.pk: f"Ines takes over on {TOMORROW}. Change that assignment first.",
            further.pk: "New TAM is assigned from today already, as a further TAM.",
        }
        assert teams(free) == [(new, TODAY, None)]

    @pytest.mark.parametrize("role", ["leadership", "de_engineer", "administrator"])
    def test_nobody_without_a_requesters_role(self, person, role):
        with pytest.raises(Invalid, match="Somebody has none of the roles"):
            edit_of("tam", person(role, name="Somebody"), on=TODAY)

    def test_nobody_who_cannot_sign_in(self, person):
        for value in (person("tam", is_active=False), None, "x"):
            with pytest.raises(Invalid):
                edit_of("tam", value, on=TODAY)

    def test_undo_brings_the_former_team_back(self, three, tam, new, metric_owner):
        AssignmentFactory(account=three[0], user=tam, start=YESTERDAY, end=TOMORROW)
        made = set_("tam", new, three, metric_owner)
        undone = take_back(made, metric_owner)
        assert undone.not_undone == []
        assert [teams(each) for each in three] == [[(tam, YESTERDAY, TOMORROW)], [], []]
        assert Account.objects.get(pk=three[0].pk).facts.tam == tam
        assert Account.objects.get(pk=three[1].pk).facts.tam is None

    def test_undo_leaves_what_was_changed_since(self, three, tam, new, metric_owner):
        AssignmentFactory(account=three[0], user=tam, start=YESTERDAY)
        made = set_("tam", new, three[:2], metric_owner)
        set_("tam", tam, three[1:2], metric_owner)
        undone = take_back(made, metric_owner)
        assert list(reasons(undone.not_undone)) == [three[1].pk]
        assert teams(three[0]) == [(tam, YESTERDAY, None)]
        assert teams(three[1]) == [(tam, TODAY, None)]

    def test_undo_after_midnight(self, three, tam, new, metric_owner):
        AssignmentFactory(account=three[0], user=tam, start=YESTERDAY)
        made = set_("tam", new, three[:1], metric_owner)
        undone = undo(made, by=metric_owner, on=TOMORROW, at=SOON)
        assert undone.not_undone == []
        assert teams(three[0]) == [(tam, YESTERDAY, None)]

    def test_few_statements_however_many(self, tam, new, metric_owner):
        def statements(count):
            accounts = AccountFactory.create_batch(count)
            for account in accounts:
                AssignmentFactory(account=account, user=tam, start=YESTERDAY)
            with CaptureQueriesContext(connection) as found:
                made = set_("tam", new, accounts, metric_owner)
            with CaptureQueriesContext(connection) as back:
                take_back(made, metric_owner)
            return len(found), len(back)

        statements(2)
        assert statements(3) == statements(30)
