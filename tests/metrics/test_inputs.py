"""What is read as true on a day by what was known at a moment."""

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Company, Instance, SeatReading, Subscription, Tier
from metrics import rules
from metrics.selectors import inputs
from metrics.selectors.digests import InputsSum, digest_of
from tests.factories import (
    AccountFactory,
    AssignmentFactory,
    ExchangeRateFactory,
    InstanceFactory,
    SeatReadingFactory,
    SubscriptionFactory,
)
from tests.metrics.scene import customer, day, learn, moment, read

pytestmark = pytest.mark.django_db
NOW = "12-01"


def seen(on, known_at=NOW):
    at = inputs.moment(day(on), moment(known_at))
    return {account.id: account for account in inputs.accounts_at(at)}


def the(on, known_at=NOW):
    (account,) = seen(on, known_at).values()
    return account


class TestUndatedAttributes:
    """Known at the end of the day, or as first known where the account is younger."""

    @pytest.fixture
    def account(self):
        learn("03-01T08:00")
        account = AccountFactory(region="EMEA", status="prospect")
        learn("03-10T23:59")
        Account.objects.update(region="APAC", status="customer")
        learn("03-20T00:00")
        Account.objects.update(internal=True, archived=True)
        return account

    @pytest.mark.parametrize(
        ("on", "region", "status", "internal"),
        [
            ("02-01", "EMEA", "prospect", False),
            ("03-09", "EMEA", "prospect", False),
            ("03-10", "APAC", "customer", False),
            ("03-19", "APAC", "customer", False),
            ("03-20", "APAC", "customer", True),
            ("05-01", "APAC", "customer", True),
        ],
    )
    def test_are_as_known_at_the_end_of_the_day(self, account, on, region, status, internal):
        found = the(on)
        assert (found.region, found.status, found.internal) == (region, status, internal)
        assert found.archived is internal

    def test_are_never_younger_than_the_knowledge(self, account):
        assert the("05-01", "03-05").status == "prospect"
        assert the("05-01", "03-15").internal is False

    def test_an_account_not_known_yet_is_not_there(self, account):
        assert seen("03-05", "02-01") == {}

    def test_an_account_deleted_since_is_not_there(self, account):
        learn("04-01")
        account.delete()
        assert seen("03-25", "05-01") == {}
        assert the("03-25", "03-30").id


class TestDatedFacts:
    """By their own dates, in the version known at the moment."""

    def test_a_churn_date_counts_for_days_before_it_was_known(self):
        learn("03-01")
        AccountFactory()
        learn("03-20")
        Account.objects.update(status="churned", churned_on=day("03-10"))
        assert rules.standing(the("03-09"), day("03-09")) == "customer"
        assert rules.standing(the("03-10"), day("03-10")) == "churned"
        assert rules.standing(the("03-10", "03-19"), day("03-10")) == "customer"

    def test_a_corrected_subscription_changes_the_past_from_when_it_was_known(self):
        learn("03-01")
        SubscriptionFactory(seats=1000)
        learn("03-05")
        Subscription.objects.update(seats=100)
        assert the("02-01", "03-04").subscriptions[0].seats == 1000
        assert the("02-01", "03-05").subscriptions[0].seats == 100

    def test_only_paid_ones_that_began_by_the_day_are_read(self):
        learn("03-01")
        account = AccountFactory()
        SubscriptionFactory(account=account, seats=1, end=day("03-10"))
        SubscriptionFactory(account=account, seats=2, start=day("03-10"))
        SubscriptionFactory(account=account, seats=4, kind="trial")
        assert [s.seats for s in the("03-09").subscriptions] == [1]
        # The one that ended says since when it is a customer.
        assert [s.seats for s in the("03-10").subscriptions] == [1, 2]
        assert rules.licensed_on(the("03-10").subscriptions, day("03-10")) == (2, False)

    def test_the_primary_tam_of_the_day(self, person):
        learn("03-01")
        first, second = person("tam"), person("tam")
        account = AccountFactory()
        AssignmentFactory(account=account, user=first, end=day("03-10"))
        AssignmentFactory(account=account, user=second, start=day("03-10"))
        AssignmentFactory(account=account, user=first, start=day("03-10"), primary=False)
        AssignmentFactory(account=account, user=first, role="CSM", start=day("03-10"))
        assert the("03-09").tam_id == first.pk
        assert the("03-10").tam_id == second.pk

    def test_the_latest_rate_on_or_before_the_day(self):
        learn("03-01")
        ExchangeRateFactory(currency="EUR", on=day("01-01"), rate=Decimal("1.1"))
        ExchangeRateFactory(currency="EUR", on=day("02-01"), rate=Decimal("1.2"))
        learn("03-15")
        ExchangeRateFactory(currency="GBP", on=day("02-01"), rate=Decimal("1.3"))

        def rates(on, known_at):
            found = inputs.moment(day(on), moment(known_at)).day.rates
            return {name: str(rate)[:3] for name, rate in found.items()}

        assert rates("01-31", "03-02") == {"EUR": "1.1"}
        assert rates("02-01", "03-02") == {"EUR": "1.2"}
        assert rates("02-01", "03-15") == {"EUR": "1.2", "GBP": "1.3"}
        assert inputs.moment(dt.date(2025, 12, 31), moment(NOW)).day.rates == {}

    def test_the_tiers_in_force(self):
        learn("03-01")
        Tier.objects.create(name="Opal", arr_from=7, start=day("03-10"), end=day("03-20"))
        for on, expected in (("03-09", False), ("03-10", True), ("03-19", True), ("03-20", False)):
            tiers = inputs.moment(day(on), moment("03-02")).day.tiers
            assert (Decimal(7) in {arr_from for arr_from, _ in tiers}) is expected


class TestReadings:
    def found(self, on, known_at=NOW):
        return [(r.source, r.seats) for r in the(on, known_at).readings]

    def test_the_latest_of_an_instance_before_the_day_ends(self):
        learn("03-01")
        account = customer(10, at="03-05T23:59")
        read(account, 20, "03-06T00:00")
        assert self.found("03-05") == [("import", 10)]
        assert self.found("03-06") == [("import", 20)]
        assert self.found("03-04") == []

    def test_by_what_was_known(self):
        learn("03-01")
        account = customer(10, at="03-05T12:00")
        learn("03-09")
        late = read(account, 20, "03-05T13:00")
        learn("03-12")
        SeatReading.objects.filter(observed_at=late.observed_at).update(known_to=moment("03-12"))
        read(account, 25, "03-05T13:00")
        assert self.found("03-05", "03-08") == [("import", 10)]
        assert self.found("03-05", "03-09") == [("import", 20)]
        assert self.found("03-05", "03-12") == [("import", 25)]

    def test_all_of_one_moment(self):
        learn("03-01")
        account = customer(10, at="03-05T12:00")
        read(account, 11, "03-05T12:00", source="telemetry")
        read(account, 9, "03-04T12:00", source="api")
        assert self.found("03-05") == [("import", 10), ("telemetry", 11)]

    def test_the_day_ends_in_the_company_zone(self):
        Company.objects.all().delete()
        learn("02-01")
        Company.objects.create(time_zone="Asia/Kathmandu")
        customer(10, at="03-05T18:14")
        assert self.found("03-05") == [("import", 10)]
        assert self.found("03-04") == []


class TestInstances:
    """Counted once known of or read; where the account is younger, from the start."""

    def counted(self, on, known_at=NOW):
        return the(on, known_at).counted_instances

    def test_one_added_later_does_not_count_before(self):
        learn("03-01")
        account = customer()
        learn("03-10T12:00")
        second = InstanceFactory(account=account)
        first = account.instances.exclude(pk=second.pk).get()
        assert self.counted("03-09") == (first.pk,)
        assert self.counted("03-10") == (first.pk, second.pk)

    def test_it_does_where_it_was_read_then(self):
        learn("03-01")
        account = customer()
        learn("03-10")
        second = InstanceFactory(account=account)
        SeatReadingFactory(instance=second, observed_at=moment("03-05T12:00"))
        assert second.pk in self.counted("03-05")
        assert second.pk not in self.counted("03-04")

    def test_all_do_where_the_account_itself_was_learned_of_later(self):
        learn("03-10")
        customer()
        assert len(self.counted("01-01")) == 1

    def test_whether_it_counts_is_as_known_at_the_end_of_the_day(self):
        learn("03-01")
        customer(5)
        learn("03-10")
        Instance.objects.update(counted=False)
        assert len(self.counted("03-09")) == 1
        assert self.counted("03-10") == ()


class TestCompany:
    def test_settings_are_those_known_at_the_moment(self):
        Company.objects.all().delete()
        learn("03-01")
        Company.objects.create(time_zone="Asia/Kathmandu", reporting_currency="EUR")
        learn("03-10")
        Company.objects.update(time_zone="Europe/London")
        for known_at, zone in (
            ("02-01", "Asia/Kathmandu"),
            ("03-09", "Asia/Kathmandu"),
            ("03-10", "Europe/London"),
        ):
            at = inputs.moment(day("01-01"), moment(known_at))
            assert (at.day.zone, at.day.currency) == (ZoneInfo(zone), "EUR")


class TestReading:
    def test_only_those_asked_for(self):
        learn("03-01")
        first, _ = customer(1), customer(2)
        at = inputs.moment(day("03-05"), moment(NOW))
        (found,) = inputs.accounts_at(at, [first.pk])
        assert found == seen("03-05")[first.pk]

    def test_takes_the_same_statements_for_one_and_for_many(self):
        learn("03-01")
        counts = []
        for _ in range(2):
            customer(1)
            with CaptureQueriesContext(
                connection,
            ) as queries:
                seen("03-05")
            counts.append(len(queries))
            for _ in range(5):
                customer(2)
        assert counts[0] == counts[1] <= 8


class TestDigest:
    def digest(self, on="03-10", known_at="03-20"):
        at, policy = inputs.moment(day(on), moment(known_at)), rules.Policy()
        total = InputsSum()
        for account in inputs.accounts_at(at):
            total += InputsSum.of_account(account, at.day, policy)
        return digest_of(at, policy, total)

    @pytest.fixture(autouse=True)
    def account(self):
        learn("03-01")
        return customer(50)

    def test_is_the_same_for_the_same_inputs(self):
        before = self.digest()
        learn("03-15")
        Account.objects.update(name="Another name", segment="Another")
        Subscription.objects.update(product="Another product")
        assert self.digest() == self.digest(known_at="03-25") == before

    def test_differs_where_anything_used_does(self, account):
        digests = {self.digest(), self.digest("03-11")}
        learn("03-15")
        read(account, 51, "03-09T12:00")
        digests.add(self.digest())
        Subscription.objects.update(seats=101)
        digests.add(self.digest())
        ExchangeRateFactory(on=day("01-01"))
        digests.add(self.digest())
        customer()
        digests.add(self.digest())
        assert len(digests) == 6

    def test_differs_once_the_day_is_over(self):
        assert self.digest(known_at="03-10T20:00") != self.digest(known_at="03-11T00:00")
