"""Undoing an import: what it changed goes back, what was changed since stays and is told."""

import datetime as dt
import itertools
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from accounts.imports.undoing import undo
from accounts.models import (
    Account,
    AccountFacts,
    Assignment,
    Contact,
    ExchangeRate,
    Instance,
    SeatReading,
    Subscription,
)
from accounts.stories import story_of
from config.lib.versions import pretend_known_at
from events.models import Event
from metrics.models import MetricRow
from metrics.selectors import rows
from metrics.services.runs import recompute
from people.models import Role, system_user
from tests.accounts.imports import NOW, apply, counts
from tests.factories import (
    AccountFactory,
    AssignmentFactory,
    ContactFactory,
    InstanceFactory,
    SubscriptionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
READINGS = "account_external_id,observed_at,seats\n"
TEAM = "account_external_id,user_email,role,primary,start,end\n"


STEPS = itertools.count()


@pytest.fixture(autouse=True)
def _one_step_after_the_other(db):
    """Let what one test does in one transaction count as known one step after the other."""
    known_later()


def known_later():
    pretend_known_at(dt.datetime(2026, 2, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=next(STEPS)))


def brought(kind, content, **how):
    known_later()
    report = apply(kind, content, **how)
    assert report.applied, report.problems
    known_later()
    return report.applied


def put_back(import_):
    known_later()
    undone = undo(import_, by=system_user(), now=NOW)
    known_later()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return undone


def test_accounts_go_back_to_what_they_were():
    old = AccountFactory(external_id="A", name="Acme", region="EMEA")
    made = brought("accounts", "external_id,name,region\nA,Acme Corp,APAC\nB,Beta,\n")
    undone = put_back(made)

    account = Account.objects.get()
    assert (undone.count, undone.skipped) == (2, [])
    assert (account.pk, account.name, account.region) == (old.pk, "Acme", "EMEA")
    assert (account.version, account.last_import) == (3, None)
    restored = Event.objects.get(verb="account.restored")
    assert restored.before == {"name": "Acme Corp", "region": "APAC"}
    assert restored.after == {"name": "Acme", "region": "EMEA"}
    assert restored.reason == f"Undo of IMP-{made.pk}: facts.csv"
    assert Event.objects.get(verb="account.withdrawn").before["name"] == "Beta"
    assert set(AccountFacts.objects.values_list("account", flat=True)) <= {old.pk}


def test_what_was_changed_or_deleted_since_stays():
    accounts = [AccountFactory(external_id=name, name=name) for name in "ABC"]
    made = brought("accounts", "external_id,name\nA,A2\nB,B2\nC,C2\n")
    Account.objects.filter(pk=accounts[0].pk).update(name="A3")
    Account.objects.filter(pk=accounts[2].pk).delete()

    undone = put_back(made)

    assert undone.count == 1
    assert undone.skipped == [
        ("A2", "It was changed since."),
        ("C2", "It was deleted since."),
    ]
    assert sorted(Account.objects.values_list("name", flat=True)) == ["A3", "B"]


def test_what_others_hang_on_by_now_stays_and_so_does_what_is_above_it():
    made = brought(
        "accounts",
        "external_id,name,parent_external_id\nP,Parent,\nC,Child,P\nX,Lone,\nY,Other,X\n",
    )
    SubscriptionFactory(account=Account.objects.get(external_id="C"))

    undone = put_back(made)

    assert undone.count == 2
    assert sorted(undone.skipped) == [
        ("Child", "It has subscriptions by now."),
        ("Parent", "Other accounts belong to it by now."),
    ]
    assert sorted(Account.objects.values_list("external_id", flat=True)) == ["C", "P"]


@pytest.mark.as_owner
def test_accounts_that_a_number_has_seen_are_archived_with_those_above_them():
    made = brought(
        "accounts", "external_id,name,parent_external_id\nA,Above,\nB,Below,A\nC,Unseen,\n"
    )
    below = Account.objects.get(name="Below")
    run = recompute("seats-deployed", NOW.date(), by=system_user(), now=NOW).run
    MetricRow.objects.exclude(account=below).delete()

    undone = put_back(made)

    assert undone.count == 3
    assert {label for label, _ in undone.skipped} == {"Above", "Below"}
    assert all("archived, not removed" in reason for _, reason in undone.skipped)
    kept = Account.objects.order_by("name")
    assert [(each.name, each.archived) for each in kept] == [("Above", True), ("Below", True)]
    assert AccountFacts.objects.get(account=below).reason == "archived"
    told = Event.objects.get(verb="account.restored", object_id=below.uuid)
    assert (told.before, told.after) == ({"archived": False}, {"archived": True})
    assert rows.rows_of(run).get().account == below

    again = brought("accounts", "external_id,name,archived\nB,Below,no\n")
    assert (again.creates, again.updates) == (0, 1)


def test_the_same_file_again_after_an_undo():
    content = "external_id,name\nA,Acme\n"
    put_back(brought("accounts", content))

    report = apply("accounts", content)

    assert counts(report) == (1, 0, 0, 0)
    assert report.applied is not None


def test_an_older_import_can_be_undone_once_the_newer_is():
    AccountFactory(external_id="A", name="One")
    second = brought("accounts", "external_id,name\nA,Two\n")
    third = brought("accounts", "external_id,name\nA,Three\n")

    assert put_back(second).skipped == [("Two", "It was changed since.")]
    assert put_back(third).count == 1
    account = Account.objects.get()
    assert (account.name, account.last_import) == ("Two", second)
    assert put_back(second).count == 1
    assert Account.objects.get().name == "One"


def test_an_undone_import_has_nothing_left_to_undo():
    AccountFactory(external_id="A", name="One")
    made = brought("accounts", "external_id,name\nA,Two\nB,Beta\n")
    put_back(made)

    assert put_back(made).count == 0
    assert Account.objects.get().name == "One"


def test_subscriptions_move_back_to_their_account():
    one, two = AccountFactory(external_id="A"), AccountFactory(external_id="B")
    kept = SubscriptionFactory(external_id="S", account=one, seats=5, arr=Decimal("60000.5000"))
    made = brought(
        "subscriptions",
        "external_id,account_external_id,seats,arr,start\nS,B,7,1,2026-01-01\nT,B,1,1,2026-01-01\n",
    )

    assert put_back(made).count == 2
    kept.refresh_from_db()
    assert (kept.account, kept.seats, kept.arr) == (one, 5, Decimal("60000.5000"))
    assert Subscription.objects.get() == kept
    event = Event.objects.get(verb="subscription.restored")
    assert (event.before["account_external_id"], event.after["account_external_id"]) == ("B", "A")
    assert event.after["arr"] == "60000.5000"
    assert event.account_id == two.pk


def test_a_place_that_is_gone_keeps_the_fact_where_it_is():
    one, _two = AccountFactory(external_id="A", name="Acme"), AccountFactory(external_id="B")
    SubscriptionFactory(external_id="S", account=one)
    made = brought("subscriptions", "external_id,account_external_id\nS,B\n")
    AccountFacts.objects.filter(account=one).delete()
    one.delete()

    undone = put_back(made)

    assert undone.skipped == [("S", "The account it belonged to is gone.")]


def test_an_instance_with_readings_stays():
    account = AccountFactory(external_id="A")
    made = brought("instances", "external_id,account_external_id\nI,A\nJ,A\n")
    head = "instance_external_id,observed_at,seats\n"
    brought("seat-readings", f"{head}I,2026-01-01,5\n")

    undone = put_back(made)

    assert (undone.count, undone.skipped) == (1, [("I", "It has seat readings by now.")])
    assert Instance.objects.get().account == account


def test_contacts_stay_sealed_in_the_log():
    contact = ContactFactory(account__external_id="A", external_id="C", name="Ada")
    made = brought("contacts", "external_id,name,title\nC,Grace,Admiral\n")

    assert put_back(made).count == 1
    contact.refresh_from_db()
    assert contact.name == "Ada"
    event = Event.objects.get(verb="contact.restored")
    assert "Grace" not in str(event.before)
    assert event.object_label == ""
    assert Contact.objects.count() == 1


def test_assignments_change_back_without_two_primaries():
    account = AccountFactory(external_id="A")
    old = AssignmentFactory(
        account=account, user__email="old@keel.example", start=dt.date(2026, 1, 1)
    )
    UserFactory(email="new@keel.example")
    made = brought(
        "assignments",
        f"{TEAM}A,old@keel.example,TAM,yes,2026-01-01,2026-03-01\n"
        "A,new@keel.example,TAM,yes,2026-03-01,\n",
    )

    assert put_back(made).count == 2
    assert [(each.user, each.end) for each in Assignment.objects.all()] == [(old.user, None)]
    assert "keel.example" not in str(list(Event.objects.values_list("before", "after")))


def test_a_primary_beside_somebody_new_stays_ended():
    account = AccountFactory(external_id="A", name="Acme")
    old = AssignmentFactory(
        account=account, user__email="old@keel.example", start=dt.date(2026, 1, 1)
    )
    made = brought("assignments", f"{TEAM}A,old@keel.example,TAM,yes,2026-01-01,2026-03-01\n")
    AssignmentFactory(account=account, start=dt.date(2026, 4, 1))

    undone = put_back(made)

    old.refresh_from_db()
    assert undone.skipped == [("TAM of Acme", "Somebody else is primary in that time by now.")]
    assert old.end == dt.date(2026, 3, 1)


def test_parents_never_form_a_ring():
    one = AccountFactory(external_id="A", name="Acme")
    two = AccountFactory(external_id="B", parent=one)
    Account.objects.filter(pk=one.pk).update(parent=None)
    known_later()
    Account.objects.filter(pk=two.pk).update(parent=None)
    Account.objects.filter(pk=one.pk).update(parent=two)
    made = brought("accounts", "external_id,parent_external_id\nA,\n")
    Account.objects.filter(pk=two.pk).update(parent=one)

    assert put_back(made).skipped == [("Acme", "The parents would form a ring.")]


def test_rates():
    head = "currency,on,rate\n"
    brought("exchange-rates", f"{head}EUR,2026-01-01,1.1\n")
    made = brought("exchange-rates", f"{head}EUR,2026-01-01,1.2\nGBP,2026-01-01,1.3\n")

    assert put_back(made).count == 2
    assert ExchangeRate.objects.get().rate == Decimal("1.1")


def test_readings_are_withdrawn_and_the_former_told_again():
    account = AccountFactory(external_id="A", name="Acme")
    first = brought("seat-readings", f"{READINGS}A,2026-01-01,50\nA,2026-01-02,60\n")
    second = brought("seat-readings", f"{READINGS}A,2026-01-02,65\nA,2026-01-03,70\n")

    assert put_back(second).count == 2

    open_ = SeatReading.objects.filter(known_to=None).order_by("observed_at")
    assert [(reading.seats, reading.last_import) for reading in open_] == [(50, first), (60, first)]
    event = Event.objects.get(verb="readings.withdrawn")
    assert (event.after, event.account_id) == ({"readings": 2, "told_again": 1}, account.pk)
    story = story_of(event, may_open=True, zone=dt.UTC)
    assert story.title == "2 seat counts withdrawn"
    assert story.text.startswith("What was known before counts again for 1. By ")
    assert Instance.objects.exists()

    assert put_back(first).count == 2
    assert not SeatReading.objects.filter(known_to=None).exists()
    assert not Instance.objects.exists()
    assert Event.objects.filter(verb="instance.withdrawn").exists()

    assert counts(apply("seat-readings", f"{READINGS}A,2026-01-01,50\n")) == (1, 0, 0, 0)


def test_readings_corrected_since_stay():
    AccountFactory(external_id="A", name="Acme")
    first = brought("seat-readings", f"{READINGS}A,2026-01-01,50\nA,2026-01-02,60\n")
    brought("seat-readings", f"{READINGS}A,2026-01-02,65\n")

    undone = put_back(first)

    assert undone.count == 1
    assert undone.skipped == [("Acme 2026-01-02 00:00 UTC", "It was corrected or withdrawn since.")]
    assert SeatReading.objects.get(known_to=None).seats == 65


def test_readings_of_named_instances_leave_them():
    account = AccountFactory(external_id="A")
    InstanceFactory(account=account, external_id="I", source="import")
    made = brought("seat-readings", "instance_external_id,observed_at,seats\nI,2026-01-01,5\n")

    assert put_back(made).count == 1
    assert Instance.objects.exists()


@pytest.mark.parametrize("role", [role for role in Role if role != Role.METRIC_OWNER])
def test_only_metric_owners_undo(role, person):
    made = brought("accounts", "external_id,name\nA,Acme\n")

    with pytest.raises(PermissionDenied):
        undo(made, by=person(role), now=NOW)
