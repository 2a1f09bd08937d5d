"""What one run says as a whole: counts, segments, who is near the line, who is late."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from accounts.models import Account, Subscription
from metrics.selectors import bands, dashboard, flips, late_readings
from metrics.services.runs import set_target
from people.models import system_user
from tests.factories import (
    AccountFactory,
    AssignmentFactory,
    InstanceFactory,
    SeatReadingFactory,
    SubscriptionFactory,
    TierFactory,
    UserFactory,
)
from tests.metrics.scene import SLUG, compute, customer, day, learn, moment, read

pytestmark = pytest.mark.django_db
UTC = ZoneInfo("UTC")


def computed(*args, **kwargs):
    return compute(*args, **kwargs).run


@pytest.fixture
def stage():
    """Return what was learned on the first of March: one account of every kind."""
    learn("03-01")
    made = {
        "passing": customer(90),
        "over": customer(120),
        "falling": customer(82),
        "near": customer(75),
        "further": customer(74),
        "silent": customer(),
        "prospect": customer(90, status=Account.Status.PROSPECT),
        "internal": customer(90, internal=True),
        "churned": customer(90, status="churned", churned_on=day("02-01")),
        "unlimited": customer(90),
        "small": customer(90),
    }
    Subscription.objects.filter(account=made["unlimited"]).update(unlimited=True)
    Subscription.objects.filter(account=made["small"]).update(arr=Decimal(50_000))
    return made


def members(run, band):
    return set(bands.measured(run).filter(bands.BANDS[band]).values_list("account_id", flat=True))


@pytest.mark.parametrize(
    ("band", "names"),
    [
        ("counted", "passing over falling near further silent"),
        ("passing", "passing over falling"),
        ("falling", "falling"),
        ("below", "near further"),
        ("near", "near"),
        ("unknown", "silent"),
        ("excluded", "prospect internal churned unlimited small"),
        ("conflict", "churned"),
    ],
)
def test_each_band_counts_those_it_lists(stage, band, names):
    run = computed("03-10")

    expected = {stage[name].pk for name in names.split()}
    assert members(run, band) == expected
    assert dashboard.total(dashboard.cells_of(run), band) == len(expected)


def test_cells_agree_with_the_run(stage):
    run = computed("03-10")
    cells = dashboard.cells_of(run)

    assert dashboard.total(cells, "passing") == run.numerator
    assert dashboard.total(cells, "counted") == run.denominator
    assert dashboard.total(cells, "unknown") == run.unknown
    assert sum(cell.covered for cell in cells if cell.in_ratio) == run.covered
    assert dashboard.reasons(cells, "excluded") == run.excluded


def test_a_revision_is_read_apart_from_the_one_before(stage):
    first = computed("03-10")
    dashboard.cells_of(first)
    learn("03-12")
    read(stage["further"], 80, "03-10T12:00")
    second = computed("03-10", known_at="03-13")

    assert dashboard.total(dashboard.cells_of(first), "passing") == 3
    assert dashboard.total(dashboard.cells_of(second), "passing") == 4


def test_what_was_read_of_a_run_is_kept(stage, django_assert_num_queries):
    run = computed("03-10")
    dashboard.cells_of(run)
    dashboard.nearest(run)

    with django_assert_num_queries(0):
        dashboard.cells_of(run)
        dashboard.nearest(run)


def test_shares_are_exact_and_null_without_accounts():
    learn("03-01")
    empty = computed("03-09")
    learn("03-10T02:00")
    customer(80)
    customer(79)
    customer()
    run = computed("03-10")

    assert dashboard.shares_of(empty) == dashboard.Shares(None, None, None)
    assert dashboard.shares_of(run) == dashboard.Shares(
        value=Fraction(1, 3), high=Fraction(2, 3), coverage=Fraction(2, 3)
    )


@pytest.mark.parametrize(
    ("share", "denominator", "needed"),
    [("0.75", 64, 48), ("0.75", 94, 71), ("0.8", 5, 4), ("1", 7, 7), ("0.01", 1, 1), ("0.5", 0, 0)],
)
def test_what_a_target_needs_is_rounded_up(share, denominator, needed):
    assert dashboard.needed_for(Decimal(share), denominator) == needed


class TestNearest:
    def test_both_sides_by_distance_then_name(self):
        learn("03-01")
        customer(78, name="Beta")
        customer(78, name="Alpha")
        customer(79, name="Zeta")
        customer(81, name="Above")
        customer(80, name="Line")
        customer(86, name="Safe")
        run = computed("03-10")

        near = dashboard.nearest(run)

        names = dict(Account.objects.values_list("pk", "name"))
        assert [(names[n.account_id], n.passes, n.distance, n.so_far) for n in near] == [
            ("Zeta", False, 1, 1),
            ("Alpha", False, 2, 3),
            ("Beta", False, 2, 5),
            ("Line", True, 0, 0),
            ("Above", True, 1, 1),
        ]

    def test_agrees_with_the_plain_lists(self, stage):
        run = computed("03-10")
        near = dashboard.nearest(run)

        assert [(n.account_id, n.distance) for n in near if not n.passes] == list(
            flips.to_go(run, None)
            .order_by("to_go", "account__name")
            .values_list("account_id", "to_go")
        )
        assert [(n.account_id, n.distance) for n in near if n.passes] == list(
            flips.about_to_fall(run, None)
            .order_by("above", "account__name")
            .values_list("account_id", "above")
        )

    def test_one_further_down_tells_what_all_up_to_it_need(self):
        learn("03-01")
        further = dashboard.REACHED + 4
        for missing in range(1, further + 1):
            customer(80 - missing)
        run = computed("03-10")

        near = dashboard.nearest(run, upto=further)

        assert [n.rank for n in near] == [*range(1, dashboard.REACHED + 1), further]
        assert near[-1].so_far == sum(range(1, further + 1))

    def test_accounts_come_with_the_renewal_of_the_day_as_it_was_known(self):
        learn("03-01")
        account = customer(79)
        Subscription.objects.update(end=day("06-30"))
        SubscriptionFactory(account=account, start=dt.date(2025, 1, 1), end=day("05-31"))
        SubscriptionFactory(account=account, kind="trial", end=day("03-31"))
        SubscriptionFactory(account=account, start=dt.date(2025, 1, 1), end=day("03-10"))
        run = computed("03-10")
        learn("03-12")
        Subscription.objects.filter(end=day("05-31")).update(end=day("04-30"))

        (found,) = dashboard.accounts_of(run, [account.pk]).values()

        assert found.renewal_on == day("05-31")
        assert dashboard.accounts_of(computed("03-12"), [account.pk])[account.pk].renewal_on == day(
            "04-30"
        )


class TestLate:
    def late(self, run):
        ids = late_readings.ids_of(run, UTC)
        assert late_readings.count_of(run, UTC) == len(ids)
        return set(ids)

    @pytest.mark.parametrize(
        ("read_on", "is_late"),
        [("03-13", False), ("03-12", True), ("01-19", True), ("01-18", False)],
    )
    def test_over_seven_days_and_not_yet_stale(self, read_on, is_late):
        learn("01-01")
        account = customer(90, at=f"{read_on}T12:00")
        run = computed("03-20")

        assert self.late(run) == ({account.pk} if is_late else set())

    def test_the_latest_reading_of_each_instance_decides(self):
        learn("01-01")
        fresh = customer(90, at="03-01T12:00")
        read(fresh, 90, "03-19T12:00")
        half = customer(90, at="03-19T12:00")
        SeatReadingFactory(
            instance=InstanceFactory(account=half), observed_at=moment("03-01T12:00"), seats=1
        )
        run = computed("03-20")

        assert self.late(run) == {half.pk}

    def test_only_accounts_in_the_ratio(self):
        learn("01-01")
        customer(90, internal=True)
        run = computed("03-20")

        assert self.late(run) == set()

    def test_what_comes_in_afterwards_changes_nothing(self):
        learn("01-01")
        account = customer(90)
        run = computed("03-20")
        learn("03-22")
        read(account, 90, "03-20T09:00")

        assert self.late(run) == {account.pk}

    def test_days_are_those_of_the_company(self):
        learn("01-01")
        customer(90, at="03-12T23:30")
        run = computed("03-20")

        assert late_readings.count_of(run, UTC) == 1
        assert late_readings.count_of(run, ZoneInfo("Europe/Paris")) == 0


class TestSegments:
    def of(self, run, by):
        cells = dashboard.cells_by_tam(run) if by == "tam" else dashboard.cells_of(run)
        labels = dashboard.labels_of(cells)
        return [
            (segment.label, segment.numerator, segment.denominator)
            for segment in dashboard.segments(cells, by, labels)
        ]

    def test_regions_by_name_and_those_without_last(self):
        learn("03-01")
        for region, seats in (("EMEA", 90), ("EMEA", 10), ("AMER", 90), ("", 90)):
            customer(seats, region=region)

        run = computed("03-10")

        assert self.of(run, "region") == [("AMER", 1, 1), ("EMEA", 1, 2), ("", 1, 1)]

    def test_tiers_from_the_largest(self):
        learn("03-01")
        TierFactory(name="Small", arr_from=Decimal(1))
        TierFactory(name="Large", arr_from=Decimal(100_000))
        customer(90)
        customer(90)
        Subscription.objects.filter(account=customer(10)).update(arr=Decimal(100_000))
        run = computed("03-10")

        assert self.of(run, "tier") == [("Large", 0, 1), ("Small", 2, 2)]

    def test_tams_by_name(self):
        learn("03-01")
        for name in ("Lin Zhao", "Amara Obi"):
            AssignmentFactory(account=customer(90), user=UserFactory(name=name))
        customer(10)
        run = computed("03-10")

        assert self.of(run, "tam") == [("Amara Obi", 1, 1), ("Lin Zhao", 1, 1), ("", 0, 1)]

    @pytest.mark.parametrize("by", ["tier", "region", "tam"])
    def test_each_sums_to_the_number(self, stage, by):
        run = computed("03-10")

        found = self.of(run, by)
        assert sum(passing for _, passing, _ in found) == run.numerator
        assert sum(accounts for _, _, accounts in found) == run.denominator


def test_a_target_stands_from_when_it_was_set():
    set_target(SLUG, Decimal("0.75"), None, by=system_user())
    before = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)

    assert dashboard.target_at(SLUG, None).value == Decimal("0.75")
    assert dashboard.target_at(SLUG, before) is None


def test_a_churned_account_without_a_running_contract_is_no_conflict():
    learn("03-01")
    account = AccountFactory(status="churned", churned_on=day("02-01"))
    SubscriptionFactory(account=account, end=day("02-01"))
    run = computed("03-10")

    assert dashboard.total(dashboard.cells_of(run), "conflict") == 0
    assert dashboard.reasons(dashboard.cells_of(run), "excluded") == {"churned": 1}
