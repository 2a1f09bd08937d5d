"""Every rule of the definition, with each boundary that domain.md names."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from metrics import rules
from metrics.rules import Account, Policy, Reading, Subscription

DAY = dt.date(2026, 6, 30)
UTC = ZoneInfo("UTC")
POLICY = Policy()
PAID = Subscription(
    kind="paid", seats=100, unlimited=False, arr=Decimal(60_000), tcv=None, currency="USD",
    start=dt.date(2026, 1, 1), end=dt.date(2027, 1, 1),
)  # fmt: skip


def day(on=DAY, zone=UTC, currency="USD", tiers=(), **rates):
    rates = {name: Decimal(rate) for name, rate in rates.items()}
    return rules.Day(day=on, zone=zone, currency=currency, rates=rates, tiers=tiers)


def read(seats, at="2026-06-30T12:00", instance=1, source="telemetry", zone=UTC):
    observed_at = dt.datetime.fromisoformat(at).replace(tzinfo=zone).astimezone(dt.UTC)
    return Reading(instance, observed_at, source, seats)


def account(*subscriptions, readings=(), instances=(1,), **values):
    return Account(
        id=1, subscriptions=subscriptions or (PAID,), readings=tuple(readings),
        counted_instances=instances, **values,
    )  # fmt: skip


def judged(*subscriptions, on=None, policy=POLICY, **values):
    return rules.judge(account(*subscriptions, **values), on or day(), policy)


class TestArr:
    def test_adds_up_exactly(self):
        amounts = (Decimal("16807.40"), Decimal("16810.73"), Decimal("16381.87"))
        parts = [replace(PAID, arr=amount) for amount in amounts]
        assert rules.arr_on(parts, day()) == Fraction(50_000)
        assert not judged(*parts).eligible

    @pytest.mark.parametrize(
        ("on", "covered"),
        [("2025-12-31", False), ("2026-01-01", True), ("2026-12-31", True), ("2027-01-01", False)],
    )
    def test_covers_from_its_start_to_the_day_before_its_end(self, on, covered):
        assert PAID.counts_on(dt.date.fromisoformat(on)) is covered

    def test_without_an_end_it_stays_open(self):
        assert replace(PAID, end=None).counts_on(dt.date(2099, 1, 1))

    def test_a_renewal_on_the_day_the_old_term_ends_counts_once(self):
        renewal = replace(PAID, start=PAID.end, end=dt.date(2028, 1, 1))
        for on in (PAID.end - dt.timedelta(days=1), PAID.end):
            assert rules.arr_on([PAID, renewal], day(on)) == 60_000
            assert rules.licensed_on([PAID, renewal], on) == (100, False)

    def test_a_total_is_spread_over_its_days_and_counted_for_a_year(self):
        two_years = replace(
            PAID, arr=None, tcv=Decimal(100_000), start=dt.date(2026, 1, 1), end=dt.date(2028, 1, 1)
        )
        assert rules.arr_on([two_years], day()) == Fraction(100_000, 730) * 365
        assert judged(two_years).reason == "arr_not_above"

    def test_a_total_over_a_leap_year_is_not_rounded(self):
        leap = replace(
            PAID, arr=None, tcv=Decimal("50136.99"), start=dt.date(2028, 1, 1),
            end=dt.date(2029, 1, 1),
        )  # fmt: skip
        arr = rules.arr_on([leap], day(dt.date(2028, 6, 1)))
        assert arr == Fraction("50136.99") / 366 * 365
        assert Fraction(50_000) < arr < Fraction("50000.01")
        assert judged(leap, on=day(dt.date(2028, 6, 1))).eligible

    def test_is_unknown_without_an_amount(self):
        nothing = replace(PAID, arr=None)
        for result in (judged(nothing), judged(PAID, nothing)):
            assert (result.arr, result.eligible, result.reason) == (None, False, "missing_amount")

    def test_a_total_without_an_end_is_no_amount(self):
        assert judged(replace(PAID, arr=None, tcv=Decimal(1), end=None)).reason == "missing_amount"

    def test_zero_is_an_amount(self):
        assert rules.arr_on([replace(PAID, arr=Decimal(0))], day()) == 0

    def test_is_converted_exactly_into_the_reporting_currency(self):
        euros = replace(PAID, currency="EUR", arr=Decimal("45454.55"))
        assert rules.arr_on([euros], day(EUR="1.1")) == Fraction("50000.005")
        assert judged(euros, on=day(EUR="1.1")).eligible

    def test_conversion_is_compared_before_it_is_rounded(self):
        euros = replace(PAID, currency="EUR", arr=Decimal("0.0001"))
        arr = rules.arr_on([replace(PAID, arr=Decimal(50_000)), euros], day(EUR="0.0000000001"))
        assert arr > 50_000

    @pytest.mark.parametrize("arr", [Decimal(1), Decimal(900_000)])
    def test_is_unknown_without_a_rate_whatever_the_amount(self, arr):
        result = judged(PAID, replace(PAID, currency="BRL", arr=arr), readings=[read(100)])
        assert (result.arr, result.eligible, result.passes) == (None, False, None)
        assert result.reason == "missing_rate"
        assert result.tier_id is None

    def test_a_rate_is_not_missed_by_what_does_not_count(self):
        others = [
            replace(PAID, currency="BRL", kind="trial"),
            replace(PAID, currency="BRL", end=DAY),
        ]
        assert rules.arr_on([PAID, *others], day()) == 60_000

    def test_the_reporting_currency_needs_no_rate(self):
        euros = replace(PAID, currency="EUR")
        assert rules.arr_on([euros], day(currency="EUR")) == 60_000

    def test_nothing_running_is_zero_and_known(self):
        assert judged(replace(PAID, end=DAY)).reason == "arr_not_above"


class TestEligible:
    @pytest.mark.parametrize(
        ("arr", "eligible"),
        [("49999.99", False), ("50000.00", False), ("50000.0001", True), ("50000.01", True)],
    )
    def test_strictly_above_the_line(self, arr, eligible):
        result = judged(replace(PAID, arr=Decimal(arr)))
        assert result.eligible is eligible
        assert eligible or result.reason == "arr_not_above"

    @pytest.mark.parametrize(
        ("values", "reason"),
        [
            ({"status": "prospect"}, "prospect"),
            ({"internal": True}, "internal"),
            ({"archived": True}, "archived"),
            ({"status": "churned", "churned_on": DAY}, "churned"),
        ],
    )
    def test_only_customers_are(self, values, reason):
        result = judged(readings=[read(100)], **values)
        assert (result.eligible, result.passes, result.reason) == (False, None, reason)

    @pytest.mark.parametrize(
        ("churned_on", "eligible"),
        [("2026-06-29", False), ("2026-06-30", False), ("2026-07-01", True)],
    )
    def test_until_the_day_it_churned_on(self, churned_on, eligible):
        result = judged(churned_on=dt.date.fromisoformat(churned_on), status="churned")
        assert result.eligible is eligible

    def test_a_churn_date_wins_over_a_running_contract(self):
        result = judged(churned_on=DAY, status="customer")
        assert (result.eligible, result.reason, result.arr) == (False, "churned", 60_000)

    def test_why_it_is_no_customer_goes_before_an_unknown_arr(self):
        assert judged(replace(PAID, arr=None), internal=True).reason == "internal"

    def test_the_line_is_policy(self):
        assert judged(policy=Policy(min_arr=Decimal(60_000))).reason == "arr_not_above"


class TestLicensed:
    def test_several_licences_add_up(self):
        assert rules.licensed_on([PAID, replace(PAID, seats=44)], DAY) == (144, False)

    @pytest.mark.parametrize("kind", ["trial", "poc"])
    def test_trials_bring_neither_arr_nor_seats(self, kind):
        result = judged(PAID, replace(PAID, kind=kind, seats=900, arr=Decimal(900_000)))
        assert (result.arr, result.licensed) == (60_000, 100)

    @pytest.mark.parametrize("seats", [0, None])
    def test_without_seats_it_is_unknown_and_stays_in_the_ratio(self, seats):
        result = judged(replace(PAID, seats=seats), readings=[read(10)])
        assert (result.eligible, result.passes) == (True, None)
        assert result.reason == "no_entitlement"
        assert result.in_ratio

    def test_an_unlimited_licence_leaves_the_ratio(self):
        result = judged(PAID, replace(PAID, unlimited=True, seats=None), readings=[read(100)])
        assert (result.eligible, result.passes, result.reason) == (True, None, "unlimited")
        assert not result.in_ratio

    def test_an_unlimited_trial_does_not(self):
        assert judged(PAID, replace(PAID, kind="trial", unlimited=True)).in_ratio

    def test_an_unlimited_licence_that_has_ended_does_not(self):
        assert judged(PAID, replace(PAID, unlimited=True, end=DAY)).in_ratio


class TestDeployed:
    def deployed(self, *readings, on=None, instances=(1,), policy=POLICY):
        return rules.deployed_on(
            account(readings=readings, instances=instances), on or day(), policy
        )

    def test_two_instances_add_up(self):
        found = self.deployed(
            read(30, at="2026-06-01T00:00"), read(60, instance=2), instances=(1, 2)
        )
        assert (found.seats, found.state) == (90, "complete")
        assert found.oldest == dt.datetime(2026, 6, 1, tzinfo=dt.UTC)

    def test_the_latest_of_an_instance_wins_by_its_time_in_any_order(self):
        readings = [read(90, at="2026-06-30T09:00"), read(10, at="2026-06-29T09:00")]
        assert self.deployed(*readings).seats == self.deployed(*reversed(readings)).seats == 90

    @pytest.mark.parametrize(
        ("at", "used"),
        [
            ("2026-06-30T23:59:59.999999", True),
            ("2026-07-01T00:00", False),
            ("2026-07-02T00:00", False),
        ],
    )
    def test_nothing_after_the_day_is_used(self, at, used):
        assert (self.deployed(read(5, at=at)).seats == 5) is used

    @pytest.mark.parametrize(
        ("zone", "at", "used"),
        [
            ("America/New_York", "2026-07-01T03:59", True),
            ("America/New_York", "2026-07-01T04:00", False),
            ("Asia/Kathmandu", "2026-06-30T18:14", True),
            ("Asia/Kathmandu", "2026-06-30T18:15", False),
        ],
    )
    def test_the_day_ends_in_the_company_zone(self, zone, at, used):
        found = self.deployed(read(5, at=at), on=day(zone=ZoneInfo(zone)))
        assert (found.seats == 5) is used

    @pytest.mark.parametrize(("age", "state"), [(0, "complete"), (60, "complete"), (61, "stale")])
    def test_is_stale_above_sixty_days(self, age, state):
        at = dt.datetime.combine(DAY - dt.timedelta(days=age), dt.time(0, 1)).isoformat()
        found = self.deployed(read(5, at=at))
        assert found.state == state
        assert (found.seats is None) is (state == "stale")

    @pytest.mark.parametrize(("at", "state"), [("23:59", "stale"), ("00:00", "complete")])
    def test_age_is_counted_by_the_local_date(self, at, state):
        zone = ZoneInfo("Pacific/Auckland")
        date = "2026-05-01" if at == "00:00" else "2026-04-30"
        assert (
            self.deployed(read(5, at=f"{date}T{at}", zone=zone), on=day(zone=zone)).state == state
        )

    def test_stale_days_are_policy(self):
        assert (
            self.deployed(read(5, at="2026-06-22T00:00"), policy=Policy(stale_days=7)).seats is None
        )

    def test_a_later_reading_makes_a_stale_one_irrelevant_and_not_the_other_way_round(self):
        old, new = read(50, at="2026-01-01T00:00"), read(60, at="2026-06-30T00:00")
        assert self.deployed(old, new).seats == 60
        assert self.deployed(old).seats is None

    def test_zero_seats_read_is_zero(self):
        found = self.deployed(read(0))
        assert (found.seats, found.state) == (0, "complete")
        assert judged(readings=[read(0)]).reason == "below"

    @pytest.mark.parametrize(
        ("first", "second", "winner"),
        [
            ("telemetry", "manual", "telemetry"),
            ("import", "api", "api"),
            ("manual", "air_gapped", "air_gapped"),
            ("manual", "someone_else", "manual"),
            ("zeta", "alpha", "alpha"),
        ],
    )
    def test_at_the_same_time_the_order_of_sources_decides(self, first, second, winner):
        readings = [read(1, source=first), read(2, source=second)]
        expected = 1 if winner == first else 2
        for order in (readings, readings[::-1]):
            assert self.deployed(*order).seats == expected

    def test_a_later_time_goes_before_the_order_of_sources(self):
        readings = [read(1, at="2026-06-30T10:00"), read(2, at="2026-06-30T10:01", source="manual")]
        assert self.deployed(*readings).seats == 2

    def test_readings_of_instances_that_do_not_count_are_left_out(self):
        assert self.deployed(read(30), read(60, instance=2)).seats == 30

    @pytest.mark.parametrize(
        ("readings", "instances", "reason"),
        [
            ([], (1,), "no_reading"),
            ([read(100, at="2026-01-01T00:00")], (1,), "stale"),
            ([read(100)], (), "no_instance"),
        ],
    )
    def test_without_a_usable_reading_it_is_unknown_and_stays_in(self, readings, instances, reason):
        result = judged(readings=readings, instances=instances)
        assert (result.deployed, result.eligible, result.passes) == (None, True, None)
        assert (result.reason, result.in_ratio) == (reason, True)

    @pytest.mark.parametrize(
        ("seats", "passes", "reason"),
        [(80, True, "passes"), (79, None, "partial"), (0, None, "partial")],
    )
    def test_where_some_instances_are_silent_the_others_must_suffice(self, seats, passes, reason):
        result = judged(readings=[read(seats)], instances=(1, 2))
        assert (result.passes, result.reason, result.data_state) == (passes, reason, "partial")
        assert result.deployed == seats


class TestPasses:
    @pytest.mark.parametrize(
        ("deployed", "licensed", "passes"),
        [
            (35, 44, False),  # 79.54...
            (36, 44, True),
            (80, 100, True),
            (79, 100, False),
            (4, 5, True),
            (1, 1, True),
            (0, 1, False),
            (799_999_999, 1_000_000_000, False),
            (800_000_000, 1_000_000_000, True),
        ],
    )
    def test_in_whole_numbers(self, deployed, licensed, passes):
        assert rules.reaches(deployed, licensed, POLICY) is passes
        result = judged(replace(PAID, seats=licensed), readings=[read(deployed)])
        assert (result.passes, result.reason) == (passes, "passes" if passes else "below")

    @pytest.mark.parametrize(("deployed", "reason"), [(100, "passes"), (101, "over_deployed")])
    def test_more_than_licensed_passes_and_is_flagged(self, deployed, reason):
        result = judged(readings=[read(deployed)])
        assert (result.passes, result.reason) == (True, reason)

    @pytest.mark.parametrize(
        ("deployed", "licensed", "to_go"),
        [(35, 44, 1), (36, 44, 0), (0, 1, 1), (90, 100, 0), (0, 0, 0)],
    )
    def test_seats_to_go_reach_the_line_exactly(self, deployed, licensed, to_go):
        assert rules.seats_to_go(deployed, licensed, POLICY) == to_go
        assert rules.reaches(deployed + to_go, licensed, POLICY)
        assert to_go == 0 or not rules.reaches(deployed + to_go - 1, licensed, POLICY)


class TestNumber:
    def number(self, *verdicts):
        tally = rules.Tally()
        for verdict in verdicts:
            tally.add(verdict)
        return tally.number()

    def test_counts_passing_of_eligible_and_how_sure_it_is(self):
        number = self.number(
            judged(readings=[read(90, at="2026-06-01T00:00")]),
            judged(readings=[read(100)]),
            judged(readings=[read(50)]),
            judged(),
            judged(readings=[read(5)], instances=(1, 2)),
            judged(replace(PAID, unlimited=True), readings=[read(5, at="2026-05-20T00:00")]),
            judged(status="prospect"),
            judged(status="prospect"),
            judged(replace(PAID, arr=Decimal(50_000))),
        )
        assert (number.numerator, number.denominator) == (2, 5)
        assert (number.unknown, number.covered) == (2, 4)
        assert number.oldest_reading == dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
        assert number.excluded == {"arr_not_above": 1, "prospect": 2, "unlimited": 1}

    def test_of_nobody_is_nothing(self):
        number = self.number(judged(internal=True))
        assert (number.numerator, number.denominator) == (0, 0)
        assert number.oldest_reading is None


class TestSegments:
    TIERS = ((Decimal(0), 1), (Decimal(50_000), 2), (Decimal(150_000), 3))

    @pytest.mark.parametrize(
        ("arr", "tier"), [("0", 1), ("49999.99", 1), ("50000", 2), ("149999.99", 2), ("150000", 3)]
    )
    def test_the_tier_is_the_highest_band_reached(self, arr, tier):
        assert judged(replace(PAID, arr=Decimal(arr)), on=day(tiers=self.TIERS)).tier_id == tier

    def test_no_tier_below_all_bands_or_without_arr(self):
        assert rules.tier_of(Fraction(10), day(tiers=self.TIERS[1:])) is None
        assert rules.tier_of(None, day(tiers=self.TIERS)) is None

    def test_the_renewal_is_the_first_end_of_what_runs(self):
        later = replace(PAID, end=dt.date(2028, 1, 1))
        ended, trial = replace(PAID, end=DAY), replace(PAID, kind="trial", end=dt.date(2026, 7, 1))
        assert rules.renewal_of([later, PAID, ended, trial], DAY) == PAID.end
        assert rules.renewal_of([replace(PAID, end=None)], DAY) is None


@pytest.mark.parametrize(
    ("zone", "on", "hours"),
    [
        ("Europe/London", "2026-03-29", 23),
        ("Europe/London", "2026-10-25", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Asia/Kathmandu", "2026-03-29", 24),
        ("America/Asuncion", "2020-10-04", 23),
    ],
)
def test_a_day_is_as_long_as_its_zone_makes_it(zone, on, hours):
    on, zone = dt.date.fromisoformat(on), ZoneInfo(zone)
    length = rules.start_of(on + dt.timedelta(days=1), zone) - rules.start_of(on, zone)
    assert length == dt.timedelta(hours=hours)


def test_a_date_that_a_zone_skipped_has_no_length():
    apia = ZoneInfo("Pacific/Apia")
    skipped = dt.date(2011, 12, 30)
    begin, end = (rules.start_of(skipped + dt.timedelta(days=i), apia) for i in (0, 1))
    assert end <= begin
