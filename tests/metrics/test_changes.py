"""The explanation of a change through the real ledger: facts in, causes out."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings

from accounts.models import Account, Instance, Subscription
from accounts.services.readings import make_months
from metrics.models import MetricDefinition, MetricRow, MetricRun
from metrics.rules.explaining import Cause
from metrics.selectors import changes, explaining, inputs, rows, runs
from metrics.selectors.waterfall import CAUSES, waterfall_of
from tests.factories import (
    AccountFactory,
    ExchangeRateFactory,
    InstanceFactory,
    SeatReadingFactory,
    SubscriptionFactory,
)
from tests.metrics import test_ledger_properties as histories
from tests.metrics.scene import SLUG, compute, customer, day, learn, moment, read, settle

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _known_from_march():
    learn("03-01")


def computed(on, **kwargs):
    return compute(on, **kwargs).run


def why(before="03-10", after="03-20"):
    """Compute the new day, and return {name: (cause, words)} of who moved since the old one.

    Some of the new runs would be held for how much changed; what they say is explained alike.
    """
    change = waterfall_of(runs.run_on(SLUG, day(before)), computed(after), currency="USD")
    total = sum(each.value for each in change.explained.contributions)
    assert total == change.explained.delta
    assert change.groups[-1].step.end == change.explained.after.share
    return {line.account.name: (str(line.contribution.cause), line.why) for line in change.lines}


def contract(account, **values):
    """The account's one contract says something else from 15 March on."""
    learn("03-15")
    Subscription.objects.filter(account=account).update(**values)


def attributes(account, **values):
    learn("03-15")
    Account.objects.filter(pk=account.pk).update(**values)


@pytest.fixture
def steady():
    """Two accounts that stay where they are: the number has somebody in it on both days."""
    customer(90, name="High", at="03-09T12:00")
    customer(10, name="Low", at="03-09T12:00")


@pytest.mark.usefixtures("steady")
class TestCauses:
    def test_seats_gained(self):
        account = customer(78, name="A")
        computed("03-10")
        learn("03-15")
        read(account, 83, "03-15T12:00")
        assert why() == {"A": ("seats_gained", "78% → 83%, 5 more seats")}

    def test_seats_lost(self):
        account = customer(81, name="A")
        computed("03-10")
        learn("03-15")
        read(account, 79, "03-15T12:00")
        assert why() == {"A": ("seats_lost", "81% → 79%, 2 seats fewer")}

    def test_licences_grew(self):
        account = customer(80, name="A")
        computed("03-10")
        contract(account, seats=101)
        assert why() == {"A": ("licences_grew", "80% → 79%, bought 1 seat")}

    def test_licences_shrank(self):
        account = customer(70, name="A")
        computed("03-10")
        contract(account, seats=80)
        assert why() == {"A": ("licences_shrank", "70% → 87%, gave up 20 seats")}

    def test_licences_gone(self):
        account = customer(90, name="A")
        computed("03-10")
        contract(account, seats=0)
        assert why() == {"A": ("licences_shrank", "90% → no licensed seats, gave up 100 seats")}

    def test_stale(self):
        customer(85, name="A", at="01-12T12:00")
        computed("03-10")
        assert why() == {"A": ("reading_stale", "no reading since 12 Jan, was 85% deployed")}

    def test_stale_in_part(self):
        account = customer(45, name="A", at="03-09T12:00")
        other = InstanceFactory(account=account)
        SeatReadingFactory(instance=other, observed_at=moment("01-12T12:00"), seats=40)
        computed("03-10")
        words = "no reading of an instance since 12 Jan, was 85% deployed"
        assert why() == {"A": ("reading_stale", words)}

    def test_an_instance_that_no_longer_counts(self):
        account = customer(45, name="A")
        other = InstanceFactory(account=account)
        SeatReadingFactory(instance=other, observed_at=moment("03-02T12:00"), seats=40)
        computed("03-10")
        learn("03-15")
        Instance.objects.filter(pk=other.pk).update(counted=False)
        words = "an instance no longer counts, was 85% deployed"
        assert why() == {"A": ("reading_stale", words)}

    def test_no_counted_instance(self):
        account = customer(85, name="A")
        computed("03-10")
        learn("03-15")
        account.instances.update(counted=False)
        assert why() == {"A": ("reading_stale", "no counted instance, was 85% deployed")}

    def test_returned(self):
        account = customer(85, name="A", at="01-05T12:00")
        computed("03-10")
        learn("03-15")
        read(account, 86, "03-15T12:00")
        assert why() == {"A": ("reading_returned", "read again, 86% deployed")}

    def test_returned_with_more_seats(self):
        account = customer(50, name="A", at="01-05T12:00")
        computed("03-10")
        learn("03-15")
        read(account, 90, "03-15T12:00")
        assert why() == {"A": ("seats_gained", "unknown → 90%")}

    def test_read_for_the_first_time(self):
        account = customer(None, name="A")
        computed("03-10")
        learn("03-15")
        read(account, 85, "03-15T12:00")
        assert why() == {"A": ("reading_returned", "first reading, 85% deployed")}

    def test_new_customer(self):
        account = customer(75, name="A", status="prospect")
        customer_later("B")
        computed("03-10")
        attributes(account, status="customer")
        assert why() == {
            "A": ("new_customer", "new customer, 75% deployed"),
            "B": ("arr_up", "$0 → $60K, seats unknown"),
        }

    def test_not_on_record_before(self):
        computed("03-10")
        learn("03-15")
        customer(75, name="A", at="03-15T12:00")
        assert why() == {"A": ("new_customer", "new customer, 75% deployed")}

    def test_churned(self):
        account = customer(52, name="A")
        computed("03-10")
        attributes(account, status="churned", churned_on=day("03-14"))
        assert why() == {"A": ("churned", "churned 14 Mar, was 52% deployed")}

    def test_a_customer_again(self):
        account = customer(85, name="A", status="churned", churned_on=day("03-05"))
        computed("03-10")
        attributes(account, status="customer", churned_on=None)
        assert why() == {"A": ("new_customer", "customer again, 85% deployed")}

    def test_a_prospect_again(self):
        account = customer(85, name="A")
        computed("03-10")
        attributes(account, status="prospect")
        assert why() == {"A": ("churned", "a prospect again, was 85% deployed")}

    @pytest.mark.parametrize(
        ("mark", "put_aside", "taken_back"),
        [
            ("archived", "archived", "no longer archived"),
            ("internal", "marked internal", "no longer internal"),
        ],
    )
    def test_archived_and_restored(self, mark, put_aside, taken_back):
        account = customer(85, name="A")
        other = customer(85, name="B", **{mark: True})
        computed("03-10")
        attributes(account, **{mark: True})
        attributes(other, **{mark: False})
        assert why() == {
            "A": ("archived", f"{put_aside}, was 85% deployed"),
            "B": ("restored", f"{taken_back}, 85% deployed"),
        }

    def test_no_longer_on_record(self):
        account = AccountFactory(name="A")
        SubscriptionFactory(account=account)
        before = computed("03-10")
        learn("03-15")
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM accounts_subscription WHERE account_id = %s", [account.pk])
            cursor.execute("DELETE FROM accounts_account WHERE id = %s", [account.pk])
        after = computed("03-20")
        (found,) = explaining.explanation(before, after).contributions
        assert (found.cause, found.after) == (Cause.ARCHIVED, None)
        (told,) = changes.as_json(before, after)["contributions"]
        assert (told["account"], told["name"], told["after"]) == (None, None, None)

    def test_arr_up_and_down(self):
        account = customer(88, name="A")
        other = customer(41, name="B")
        Subscription.objects.filter(account=account).update(arr=46_000)
        computed("03-10")
        contract(account, arr=58_000)
        contract(other, arr=Decimal("50000"))
        assert why() == {
            "A": ("arr_up", "$46K → $58K, 88% deployed"),
            # In full, for short they would read as if it stood on the line.
            "B": ("arr_down", "$60,000 → $50,000, was 41% deployed"),
        }

    def test_an_amount_that_is_missing(self):
        account = customer(85, name="A")
        computed("03-10")
        contract(account, arr=None)
        assert why() == {"A": ("arr_down", "a contract without an amount, was 85% deployed")}

    def test_rate_changed(self):
        ExchangeRateFactory(currency="EUR", on=day("03-01"), rate=Decimal("1.00"))
        account = customer(85, name="A")
        Subscription.objects.filter(account=account).update(arr=49_000, currency="EUR")
        computed("03-10")
        learn("03-15")
        ExchangeRateFactory(currency="EUR", on=day("03-15"), rate=Decimal("1.10"))
        assert why() == {"A": ("rate_changed", "$49K → $54K by the exchange rate, 85% deployed")}

    def test_contracts_that_would_have_done_it_at_the_old_rate(self):
        ExchangeRateFactory(currency="EUR", on=day("03-01"), rate=Decimal("1.00"))
        account = customer(85, name="A")
        Subscription.objects.filter(account=account).update(arr=49_000, currency="EUR")
        computed("03-10")
        contract(account, arr=51_000)
        ExchangeRateFactory(currency="EUR", on=day("03-15"), rate=Decimal("1.10"))
        assert why() == {"A": ("arr_up", "$49K → $56K, 85% deployed")}

    def test_a_rate_that_is_missing(self):
        account = customer(85, name="A")
        computed("03-10")
        contract(account, currency="BRL")
        assert why() == {"A": ("rate_changed", "no exchange rate, was 85% deployed")}

    def test_became_unlimited_and_limited(self):
        account, other = customer(85, name="A"), customer(70, name="B")
        Subscription.objects.filter(account=other).update(unlimited=True)
        computed("03-10")
        contract(account, unlimited=True)
        contract(other, unlimited=False)
        assert why() == {
            "A": ("became_unlimited", "licence became unlimited, was 85% deployed"),
            "B": ("became_limited", "licence no longer unlimited, 70% deployed"),
        }

    def test_could_not_be_computed(self):
        account = customer(85, name="A")
        computed("03-10")
        contract(account, arr=Decimal(999_999_999_999), currency="EUR")
        ExchangeRateFactory(currency="EUR", on=day("03-15"), rate=Decimal(999_999_999))
        assert why() == {"A": ("reading_stale", "could not be computed, was 85% deployed")}


def customer_later(name):
    """A customer whose contract begins on 15 March."""
    account = AccountFactory(name=name)
    SubscriptionFactory(account=account, start=day("03-15"))
    InstanceFactory(account=account)


def test_every_cause_has_words():
    assert set(CAUSES) == set(Cause)


class TestRevisions:
    @pytest.fixture
    def corrected(self, steady):
        account = customer(70, name="A")
        first = computed("03-10")
        learn("03-12")
        read(account, 85, "03-09T12:00")
        return first, computed("03-10", known_at="03-13T00:00")

    def test_all_is_corrected(self, corrected):
        change = waterfall_of(*corrected, currency="USD")
        ((group,), (line,)) = change.groups, change.lines
        assert (group.title, line.contribution.cause) == ("Corrected", Cause.CORRECTED)
        assert line.why == "70% → 85%, 15 more seats"
        assert (change.earned, change.unearned, change.delta) == ("0.0", "+33.3", "+33.3")

    def test_the_newest_published_ones_are_compared(self, corrected):
        first, second = corrected
        assert changes.runs_of(SLUG, day("03-10"), day("03-12")) == (second, second)
        then = moment("03-12T00:00")
        assert changes.runs_of(SLUG, day("03-10"), day("03-12"), known_at=then) == (first, first)
        both = changes.runs_of(SLUG, day("03-10"), day("03-10"), first_known_at=then)
        assert both == (first, second)
        assert changes.runs_of(SLUG, day("03-09"), day("03-10"))[0] is None


class TestDefinitions:
    def test_another_one_restates_the_old_day(self, steady):
        customer(75, name="Lifted")
        risen = customer(50, name="Risen")
        before = computed("03-10")
        old = MetricDefinition.objects.get(slug="seats-deployed")
        MetricDefinition.objects.create(
            slug=SLUG, number=2, title=old.title, unit=old.unit, text=old.text,
            valid_from=day("03-15"), policy={**old.policy, "share_percent": 70},
        )  # fmt: skip
        learn("03-15")
        read(risen, 72, "03-15T12:00")
        after = computed("03-20")
        held = (MetricRun.objects.count(), MetricRow.objects.count())

        change = waterfall_of(before, after, currency="USD")

        assert [(g.title, g.count) for g in change.groups] == [
            ("Definition changed from 1 to 2", 1),
            ("Crossed 70%", 1),
        ]
        assert [line.why for line in change.lines] == [
            "passes under definition 2, 75% deployed",
            "50% → 72%, 22 more seats",
        ]
        assert change.explained.delta == Fraction(1, 2)
        assert change.explained.earned == Fraction(1, 4)
        assert (MetricRun.objects.count(), MetricRow.objects.count()) == held
        assert changes.as_json(before, after)["restated"] == {
            "numerator": 2,
            "denominator": 4,
            "value": "0.500000",
        }


class TestCost:
    def rows_read(self, monkeypatch):
        """Count the rows of facts that are read; none may come by way of all accounts."""
        count = []
        read_rows = inputs._rows

        def counted(sql, parameters):
            found = read_rows(sql, parameters)
            count.append(len(found))
            return found

        monkeypatch.setattr(inputs, "_rows", counted)
        monkeypatch.setattr(connection, "chunked_cursor", lambda: pytest.fail("reads them all"))
        return count

    @pytest.mark.parametrize(("staying", "moving"), [(2, 1), (60, 1), (60, 30)])
    def test_is_that_of_those_who_moved(self, staying, moving, monkeypatch):
        for _ in range(staying):
            customer(90, at="03-09T12:00")
        movers = [customer(70, at="03-09T12:00") for _ in range(moving)]
        before = computed("03-10")
        learn("03-15")
        for account in movers:
            read(account, 85, "03-15T12:00")
        after = computed("03-20")
        count = self.rows_read(monkeypatch)

        with CaptureQueriesContext(connection) as queries:
            found = explaining.explanation(before, after)

        assert len(found.contributions) == moving
        assert found.stayed == staying
        assert len([q for q in queries if not q["sql"].endswith("SAVEPOINT")]) <= 20
        # An account, a contract, a reading for either day; beside it what holds for all.
        assert sum(count) <= 6 * moving + 20

    def test_is_paid_once(self, steady, django_assert_num_queries):
        before, after = computed("03-10"), computed("03-11")
        explaining.explanation(before, after)
        with django_assert_num_queries(0):
            explaining.explanation(before, after)


def truth_of(run):
    """Return {account: whether it passes} of the accounts in the ratio, row by row."""
    return {
        row.account_id: row.passes is True
        for row in rows.rows_of(run)
        if row.eligible and not row.unlimited
    }


@given(
    customers=histories.worlds,
    euros=histories.euro_rates,
    opals=histories.tiers,
    order=histories.computations,
)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_contributions_sum_exactly_on_random_histories(customers, euros, opals, order):
    with transaction.atomic():
        settle(histories.ZONE.key)
        make_months([dt.date(2026, month, 1) for month in (1, 2, 3)])
        histories.Telling().tell(customers, euros, opals)
        found = [histories.compute(on, histories.cut_after(step)).run for on, step in order]
        for before in found:
            for after in found:
                assert_explains(before, after)
        transaction.set_rollback(True)


def assert_explains(before, after):
    explained = explaining.explanation(before, after)
    old, new = truth_of(before), truth_of(after)
    if not old or not new:
        assert explained.delta is None
        return
    share = Fraction(sum(new.values()), len(new)) - Fraction(sum(old.values()), len(old))
    assert explained.delta == share == sum(each.value for each in explained.contributions)
    assert explained.earned + explained.unearned == share
    ids = {each.account_id for each in explained.contributions}
    assert ids == {i for i in old.keys() | new.keys() if old.get(i) != new.get(i)}
    assert len(ids) == len(explained.contributions)
    assert explained.stayed == len(old.items() & new.items())
    if before.day == after.day:
        assert {each.cause for each in explained.contributions} <= {Cause.CORRECTED}
