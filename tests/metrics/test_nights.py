"""Which days a night computes: missed ones, and those that late facts touch."""

import datetime as dt
import random
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from accounts.models import Account, Company, ExchangeRate, SeatReading, Subscription
from config.lib.versions import pretend_known_at
from metrics import rules
from metrics.selectors import runs
from metrics.selectors.late import late_days
from metrics.services.runs import (
    MOST_DAYS_BACK,
    catch_up,
)
from people.models import system_user
from tests.factories import (
    AccountFactory,
    AssignmentFactory,
    ExchangeRateFactory,
    InstanceFactory,
    SeatReadingFactory,
    SubscriptionFactory,
)
from tests.metrics.scene import (
    SLUG,
    compute,
    customer,
    day,
    learn,
    moment,
    read,
    seats_runs,
    settle,
)


@pytest.mark.django_db
class TestCatchingUp:
    def nights(self, now, **more):
        return [o.run.day for o in catch_up(SLUG, by=system_user(), now=moment(now), **more)]

    def test_begins_with_yesterday(self):
        assert self.nights("03-10T00:07") == [day("03-09")]
        assert self.nights("03-10T01:07") == []

    def test_takes_missed_nights_oldest_first(self):
        self.nights("03-10T00:07", known_at=moment("03-10T00:07"))
        missed = self.nights("03-14T00:07", known_at=moment("03-14T00:07"))
        assert missed == [day(f"03-{d}") for d in (10, 11, 12, 13)]

    def test_fills_holes(self):
        for on in ("03-01", "03-04"):
            compute(on)
        assert self.nights("03-05T12:00", known_at=moment("03-05T12:00")) == [
            day("03-02"),
            day("03-03"),
        ]

    def test_goes_back_35_days_and_no_further(self):
        compute("01-01")
        nights = self.nights("06-10T00:07")
        assert len(nights) == MOST_DAYS_BACK == 35
        assert (nights[0], nights[-1]) == (day("05-06"), day("06-09"))

    def test_never_goes_before_the_first_day(self):
        compute("06-05")
        assert self.nights("06-08T00:07", known_at=moment("06-08T00:07")) == [
            day("06-06"),
            day("06-07"),
        ]

    def test_takes_a_day_again_that_was_computed_before_it_was_over(self):
        compute("03-09", "03-09T12:00")
        assert self.nights("03-10T00:07", known_at=moment("03-10T00:07")) == [day("03-09")]
        assert seats_runs().filter(day=day("03-09")).count() == 2

    def test_the_night_is_the_company_s(self):
        settle("America/Los_Angeles")
        compute("03-01", "03-02T09:00")
        before, after = "03-03T07:59", "03-03T08:00"
        assert self.nights(before, known_at=moment(before)) == []
        assert self.nights(after, known_at=moment(after)) == [day("03-02")]

    def test_another_company_zone_reopens_the_days_that_end_later_there_once(self):
        learn("02-01")
        customer(80, at="02-20T12:00")
        for on in ("03-01", "03-02", "03-03"):
            compute(on, f"03-{int(on[-2:]) + 1:02}T00:07")
        Company.objects.update(time_zone="America/New_York")
        now = _clock() + dt.timedelta(seconds=1)
        reopened = [
            o.run.day
            for o in catch_up(SLUG, by=system_user(), now=moment("03-04T12:00"), known_at=now)
        ]
        assert reopened == [day("03-01"), day("03-02"), day("03-03")]
        assert self.nights("03-04T12:00", known_at=now) == []
        assert seats_runs().filter(day=day("03-02")).count() == 2


@pytest.mark.django_db
class TestLateFacts:
    """Each kind of late fact reopens the days it bears on, and what is in time none."""

    @pytest.fixture
    def account(self):
        learn("02-01")
        account = customer(80, at="03-01T12:00", currency="EUR")
        ExchangeRateFactory(currency="GBP", on=day("01-01"))
        for d in range(1, 11):
            compute(f"03-{d:02}", f"03-{d + 1:02}T00:07")
        return account

    def late(self, now="03-11T12:00", known_at="03-11T12:00"):
        found = late_days(SLUG, now=moment(now), most=35, known_at=moment(known_at))
        return [f"{on:%m-%d}" for on in found]

    def days(self, first, last):
        return [f"03-{d:02}" for d in range(first, last + 1)]

    def test_nothing_learned_reopens_nothing(self, account):
        assert self.late() == []

    @pytest.mark.parametrize(
        ("at", "first"), [("02-25T12:00", None), ("03-05T12:00", 5), ("03-10T23:59", 10)]
    )
    def test_a_reading_from_the_day_it_was_made(self, account, at, first):
        """One older than the reading that was used bears on no day."""
        learn("03-11T08:00")
        read(account, 90, at)
        assert self.late() == (self.days(first, 10) if first else [])

    def test_a_reading_until_the_next_one(self, account):
        learn("03-11T08:00")
        read(account, 90, "03-04T12:00")
        read(account, 80, "03-07T12:00")
        compute("03-07", "03-11T09:00")
        assert self.late() == ["03-04", "03-05", "03-06", "03-08", "03-09", "03-10"]

    def test_a_corrected_reading(self, account):
        learn("03-11T08:00")
        SeatReading.objects.update(known_to=moment("03-11T08:00"))
        read(account, 90, "03-01T12:00")
        assert self.late() == self.days(1, 10)

    def test_a_reading_of_today_is_in_time(self, account):
        learn("03-11T08:00")
        read(account, 90, "03-11T07:00")
        assert self.late() == []

    def test_a_contract_on_the_days_it_covers(self, account):
        learn("03-11T08:00")
        SubscriptionFactory(account=account, start=day("03-04"), end=day("03-07"))
        assert self.late() == self.days(4, 6)

    def test_a_renewal_entered_in_time_reopens_nothing(self, account):
        learn("03-11T08:00")
        SubscriptionFactory(account=account, start=day("03-20"))
        Subscription.objects.filter(end=None, start__lt=day("03-20")).update(end=day("03-20"))
        assert self.late() == []

    def test_another_name_or_a_trial_reopens_nothing(self, account):
        learn("03-11T08:00")
        Account.objects.update(name="Other", region="Other", internal=True)
        Subscription.objects.update(product="Other")
        SubscriptionFactory(account=account, start=day("03-04"), kind="trial")
        InstanceFactory(account=account)
        AccountFactory()
        assert self.late() == []

    @pytest.mark.parametrize(
        "change", [{"seats": 5}, {"arr": 5}, {"currency": "EUR"}, {"kind": "poc"}]
    )
    def test_a_corrected_contract(self, account, change):
        learn("03-11T08:00")
        Subscription.objects.update(**change)
        assert self.late() == self.days(1, 10)

    def test_a_churn_from_its_day(self, account):
        learn("03-11T08:00")
        Account.objects.update(churned_on=day("03-08"))
        assert self.late() == self.days(8, 10)

    def test_a_rate_until_the_next_one(self, account):
        learn("03-11T08:00")
        ExchangeRateFactory(currency="EUR", on=day("03-03"))
        ExchangeRateFactory(currency="EUR", on=day("03-06"))
        assert self.late() == self.days(3, 10)
        compute("03-06", "03-11T09:00")
        learn("03-11T10:00")
        ExchangeRate.objects.filter(on=day("03-03")).update(rate=2)
        assert "03-06" not in self.late()

    def test_a_tam_on_the_days_of_the_assignment(self, account, tam):
        learn("03-11T08:00")
        AssignmentFactory(account=account, user=tam, start=day("03-09"))
        AssignmentFactory(account=account, user=tam, role="CSM", start=day("03-01"))
        assert self.late() == self.days(9, 10)

    def test_an_instance_of_an_account_younger_than_the_day(self, account):
        """There every instance counts from the start, so one more makes the account partial."""
        learn("03-11T08:00")
        young = customer(80)
        compute("03-10", "03-11T09:00")
        learn("03-11T10:00")
        InstanceFactory(account=young)
        assert "03-10" in self.late()

    def test_what_was_taken_in_reopens_nothing_again(self, account):
        learn("03-11T08:00")
        read(account, 70, "03-05T12:00")
        done = catch_up(
            SLUG, by=system_user(), now=moment("03-11T12:00"), known_at=moment("03-11T12:00")
        )
        assert [(f"{o.run.day:%m-%d}", o.run.revision) for o in done] == [
            (on, 2) for on in self.days(5, 10)
        ]
        assert self.late() == []

    def test_days_before_the_window_stay_closed(self, account):
        learn("03-11T08:00")
        read(account, 70, "03-02T12:00")
        found = late_days(SLUG, now=moment("03-11T12:00"), most=3, known_at=moment("03-11T12:00"))
        assert found == [day("03-08"), day("03-09"), day("03-10")]


ZONES = [
    ("America/St_Johns", 2026),
    ("Europe/Berlin", 2026),
    ("Asia/Kathmandu", 2026),
    ("Australia/Lord_Howe", 2026),
    ("Pacific/Apia", 2011),
    ("Africa/Casablanca", 2026),
]
YEAR = 24 * 365


class TestTicks:
    """Hourly ticks in UTC: one in twenty is lost, one in twenty comes twice, three nights none."""

    @pytest.mark.parametrize(("zone", "year"), ZONES)
    def test_of_a_year_find_each_day_once_and_in_order(self, zone, year):
        known: dict[dt.date, dt.datetime] = {}
        found = []
        start = dt.datetime(year, 1, 1, 0, 7, tzinfo=dt.UTC)
        for now in _ticks(start, hours=YEAR, seed=zone):
            days = rules.missing_days(
                known, now=now, zone=ZoneInfo(zone), most=35, term=rules.Term(dt.date(2000, 1, 1))
            )
            for on in days:
                # It was over when it was computed, and never before.
                assert rules.start_of(on + dt.timedelta(days=1), ZoneInfo(zone)) <= now
                known[on] = now
                found.append(on)
        assert len(found) >= 365
        assert found == [found[0] + dt.timedelta(days=i) for i in range(len(found))]

    @pytest.mark.django_db
    @pytest.mark.parametrize(("zone", "year"), ZONES)
    def test_at_the_turn_of_a_year_leave_one_published_run_a_day(self, zone, year):
        """A ledger of a company without accounts, computed as the nightly task does it."""
        settle(zone)
        start = dt.datetime(year, 12, 25, 0, 7, tzinfo=dt.UTC)
        made = []
        for now in _ticks(start, hours=24 * 12, seed=zone):
            if not runs.missing_days(SLUG, now=now, most=MOST_DAYS_BACK):
                continue
            for outcome in catch_up(SLUG, by=system_user(), now=now, known_at=now):
                assert outcome.is_new
                made.append(outcome.run)
        days = [run.day for run in made]
        assert len(days) >= 12
        assert days == [days[0] + dt.timedelta(days=i) for i in range(len(days))]
        assert {(run.status, run.revision) for run in made} == {("published", 1)}
        assert seats_runs().count() == len(made)

    @pytest.mark.django_db
    @pytest.mark.parametrize(
        ("zone", "first"),
        [
            ("Australia/Lord_Howe", "2026-03-31"),
            ("Australia/Lord_Howe", "2026-09-30"),
            ("Pacific/Apia", "2011-12-27"),
            ("Asia/Kathmandu", "2026-03-27"),
            ("Europe/Dublin", "2026-03-26"),
            ("America/New_York", "2026-10-29"),
        ],
    )
    def test_make_one_final_run_a_day(self, zone, first):
        settle(zone)
        start = dt.datetime.fromisoformat(f"{first}T00:07+00:00")
        pretend_known_at(start - dt.timedelta(days=30))
        instance = customer().instances.get()
        for i in range(0, 24 * 8 * 4, 5):
            at = start + dt.timedelta(minutes=15 * i)
            SeatReadingFactory(instance=instance, observed_at=at, seats=i)
        for now in _ticks(start, hours=24 * 8):
            list(catch_up(SLUG, by=system_user(), now=now, known_at=now))
        made = seats_runs().order_by("day")
        assert [run.revision for run in made] == [1] * len(made)
        days = [run.day for run in made]
        assert days == [days[0] + dt.timedelta(days=i) for i in range(len(days))]
        assert len(days) >= 8
        for run in made:
            end = rules.start_of(run.day + dt.timedelta(days=1), ZoneInfo(zone))
            assert run.known_at >= end
            assert run.oldest_reading is None or run.oldest_reading < end


def _ticks(now, *, hours, seed=""):
    chance = random.Random(seed)  # noqa: S311
    for tick in range(hours):
        is_out = hours // 2 < tick < hours // 2 + 72
        draw = chance.random()
        for _ in range(0 if is_out or draw < 0.05 else 2 if draw > 0.95 else 1):
            yield now + dt.timedelta(hours=tick)


def _clock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]
