"""The narrow row of what is true of an account now."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import measure
from accounts.models import Account, AccountFacts, Assignment, Company, Subscription, Tier
from metrics.services.current import refresh_current_facts
from tests.factories import (
    AccountFactory,
    AssignmentFactory,
    SeatReadingFactory,
    SubscriptionFactory,
)
from tests.metrics.scene import customer, day, learn, moment, read

pytestmark = pytest.mark.django_db
NOW = moment("03-10T12:00")


@pytest.fixture(autouse=True)
def _known_since_february():
    learn("02-01")


def refresh(at=NOW, only=None):
    return refresh_current_facts(now=at, only=only)


def test_says_what_the_definition_sees_today(tam):
    account = customer(70)
    AssignmentFactory(account=account, user=tam)
    Subscription.objects.update(end=day("12-31"))
    assert refresh() == 1
    facts = AccountFacts.objects.get()
    assert (facts.arr, facts.licensed, facts.deployed) == (60_000, 100, 70)
    assert (facts.share, facts.seats_to_go) == (Decimal("0.7"), 10)
    assert (facts.eligible, facts.passes, facts.reason) == (True, False, "below")
    assert (facts.tam, facts.renewal_on, facts.data_state) == (tam, day("12-31"), "complete")
    assert facts.tier == Tier.objects.get(name="Ruby")


def test_writes_only_what_differs():
    first, second = customer(70), customer(80)
    assert refresh() == 2
    assert refresh() == 0
    read(first, 75, "03-09T12:00")
    assert refresh() == 1
    assert AccountFacts.objects.get(account=second).deployed == 80


def test_of_the_accounts_asked_for():
    first, second = customer(70), customer(80)
    assert refresh(only=[second.pk]) == 1
    assert not AccountFacts.objects.filter(account=first).exists()


def test_moves_with_the_calendar():
    account = customer(70, at="03-01T12:00")
    Subscription.objects.update(end=day("03-15"))
    refresh()
    refresh(moment("03-14T23:59"))
    assert AccountFacts.objects.get().eligible
    refresh(moment("03-15T00:00"))
    assert AccountFacts.objects.get().reason == "arr_not_above"
    SubscriptionFactory(account=account, start=day("03-15"))
    refresh(moment("05-01T00:00"))
    assert AccountFacts.objects.get().data_state == "stale"


@pytest.mark.parametrize(
    ("deployed", "licensed", "share"),
    [(799_999_999, 1_000_000_000, "0.799999"), (2, 3, "0.666666"), (1, 3, "0.333333")],
)
def test_a_share_is_cut_and_never_reads_as_more(deployed, licensed, share):
    customer(deployed, licensed=licensed)
    refresh()
    assert AccountFacts.objects.get().share == Decimal(share)


def test_a_share_beyond_all_measure_is_kept():
    customer(2_147_483_647, licensed=1)
    refresh()
    facts = AccountFacts.objects.get()
    assert (facts.share, facts.reason) == (2_147_483_647, "over_deployed")


@pytest.mark.parametrize("values", [{"seats": None, "unlimited": True}, {"seats": 0}])
def test_there_is_no_share_without_a_number_of_seats(values):
    customer(70)
    Subscription.objects.update(**values)
    refresh()
    facts = AccountFacts.objects.get()
    assert (facts.share, facts.seats_to_go, facts.passes) == (None, None, None)


def test_an_unknown_arr_is_null():
    customer(70)
    Subscription.objects.update(arr=None)
    refresh()
    assert (AccountFacts.objects.get().arr, AccountFacts.objects.get().reason) == (
        None,
        "missing_amount",
    )


def test_what_the_same_transaction_wrote_is_in():
    account = customer(70)
    with transaction.atomic():
        an_hour_ago = timezone.now() - dt.timedelta(hours=1)
        SeatReadingFactory(instance=account.instances.get(), observed_at=an_hour_ago, seats=90)
        measure.facts_changed([account.pk])
    assert AccountFacts.objects.get().deployed == 90


def test_facts_of_another_day_by_what_was_known_then():
    account = customer(70, at="02-15T12:00")
    learn("03-05")
    read(account, 90, "02-20T12:00")
    Account.objects.update(churned_on=day("03-01"))

    def then(on, known_at=None):
        facts = measure.facts_on([account.pk], day=day(on), known_at=known_at)[account.pk]
        return facts.deployed, facts.eligible

    assert then("02-25", moment("03-04")) == (70, True)
    assert then("02-25") == (90, True)
    assert then("03-01", moment("03-04")) == (70, True)
    assert then("03-01") == (90, False)
    assert not AccountFacts.objects.exists()


def test_facts_on_leaves_out_who_was_not_known():
    account = AccountFactory()
    assert measure.facts_on([account.pk], day=day("03-01"), known_at=moment("01-01")) == {}


def test_takes_the_same_statements_for_one_and_for_many():
    counts = []
    for number in (1, 30):
        for _ in range(number):
            customer(70)
        with CaptureQueriesContext(connection) as queries:
            refresh()
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(("zone", "eligible"), [("Pacific/Auckland", False), ("UTC", True)])
def test_today_is_the_company_s(zone, eligible):
    customer(70)
    Subscription.objects.update(end=day("03-11"))
    Company.objects.update(time_zone=zone)
    refresh(moment("03-10T12:00"))
    assert AccountFacts.objects.get().eligible is eligible


def test_an_assignment_that_ended_names_nobody(tam):
    account = customer(70)
    AssignmentFactory(account=account, user=tam)
    refresh()
    Assignment.objects.update(end=day("03-10"))
    refresh()
    assert AccountFacts.objects.get().tam is None
