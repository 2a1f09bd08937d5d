"""The statement that judges all accounts at once, held against the rules."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import SeatReading, Subscription, Tier
from metrics.models import MetricRow
from metrics.selectors import digests, inputs, judging, rows, runs
from metrics.services import current, staging
from tests.factories import (
    ExchangeRateFactory,
    InstanceFactory,
    SeatReadingFactory,
    SubscriptionFactory,
)
from tests.metrics.scene import (
    assert_same_by_every_way,
    compute,
    customer,
    day,
    learn,
    moment,
    read,
    settle,
)

pytestmark = pytest.mark.django_db
THREE_YEARS = {"start": dt.date(2025, 1, 1), "end": dt.date(2025, 1, 1) + dt.timedelta(3 * 365)}


@pytest.fixture(autouse=True)
def _known_since_february():
    learn("02-01")


def seen(on="03-10"):
    run = compute(on).run
    assert_same_by_every_way(run)
    return list(MetricRow.objects.order_by("account_id"))


def with_contracts(*contracts):
    account = customer(80)
    Subscription.objects.filter(account=account).delete()
    for values in contracts:
        SubscriptionFactory(account=account, seats=10, **{"arr": None} | values)
    return account


class TestAmounts:
    def test_exactly_the_line_is_not_above_it(self):
        with_contracts(*({"arr": Decimal(a)} for a in ("16807.40", "16810.73", "16381.87")))
        (row,) = seen()
        assert (row.arr, row.reason) == (50_000, "arr_not_above")

    @pytest.mark.parametrize(
        ("more", "arr", "eligible"),
        [
            ("0", "50000", False),
            ("0.0001", "50000.000033", True),
            ("-0.0001", "49999.999966", False),
        ],
    )
    def test_three_thirds_are_a_whole(self, more, arr, eligible):
        amounts = [Decimal(50_000) + Decimal(more), Decimal(50_000), Decimal(50_000)]
        with_contracts(*({"tcv": tcv, **THREE_YEARS} for tcv in amounts))
        (row,) = seen()
        assert (row.arr, row.eligible) == (Decimal(arr), eligible)

    def test_sevenths_and_thirds_of_two_currencies(self):
        ExchangeRateFactory(currency="EUR", on=day("01-01"), rate=Decimal("0.3333333333"))
        start = dt.date(2026, 1, 1)
        with_contracts(
            {"tcv": Decimal("1000.01"), "start": start, "end": start + dt.timedelta(107)},
            {"tcv": Decimal("9000.07"), "start": start, "end": start + dt.timedelta(211),
             "currency": "EUR"},
        )  # fmt: skip
        seen()

    def test_a_band_is_reached_by_exactly_its_amount(self):
        for arr_from in (0, 150_000, 500_000):
            Tier.objects.create(name=f"From {arr_from}", arr_from=arr_from, start=day("01-01"))
        with_contracts(*({"tcv": Decimal(150_000), **THREE_YEARS} for _ in range(3)))
        with_contracts({"arr": Decimal("149999.9999")})
        with_contracts()
        assert [row.tier.name for row in seen()] == ["From 150000", "From 0", "From 0"]

    @pytest.mark.parametrize(("count", "by_rules"), [(8, False), (9, True)])
    def test_more_quotients_than_it_decides_go_to_the_rules(self, count, by_rules, monkeypatch):
        asked = []
        judge_safely = staging.judge_safely
        monkeypatch.setattr(
            staging, "judge_safely", lambda *args: asked.append(args) or judge_safely(*args)
        )
        with_contracts(*({"tcv": Decimal(30_000), **THREE_YEARS} for _ in range(count)))
        customer(80)
        compute("03-10")
        assert bool(asked) is by_rules
        assert MetricRow.objects.earliest("account_id").arr == 10_000 * count
        monkeypatch.undo()
        seen()

    def test_the_first_contract_with_a_problem_says_why(self):
        no_rate, no_amount = {"arr": 1, "currency": "GBP"}, {}
        with_contracts(no_rate, no_amount)
        with_contracts(no_amount, no_rate)
        with_contracts({"currency": "GBP"}, no_rate)
        assert [row.reason for row in seen()] == [
            "missing_rate", "missing_amount", "missing_amount",
        ]  # fmt: skip

    @given(
        contracts=st.lists(
            st.tuples(st.integers(0, 10**9), st.integers(1, 4000), st.sampled_from(["USD", "EUR"])),
            max_size=9,
        )
    )
    @settings(
        max_examples=60, deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )  # fmt: skip
    def test_of_any_contracts(self, contracts):
        ExchangeRateFactory._meta.model.objects.get_or_create(
            currency="EUR", on=day("01-01"), defaults={"rate": Decimal("1.0837219999")}
        )
        start = dt.date(2026, 3, 10)
        account = with_contracts(
            *(
                {"tcv": Decimal(ten_thousandths).scaleb(-4), "currency": currency,
                 "start": start, "end": start + dt.timedelta(days)}
                for ten_thousandths, days, currency in contracts
            )
        )  # fmt: skip
        at = inputs.moment(start, moment("03-11"))
        policy, scope = runs.policy_of(runs.definition_on(runs.SEATS_DEPLOYED, start)), [account.pk]
        (told,) = current.facts_on(scope, day=start, known_at=moment("03-11")).values()
        (by_rules,) = (
            current.as_facts(staging.judge_safely(one, at.day, policy), policy)
            for one in inputs.accounts_at(at, scope)
        )
        for name in ("arr", "reason", "eligible", "tier_id", "renewal_on", "licensed"):
            assert getattr(told, name) == getattr(by_rules, name)


class TestReadings:
    @pytest.mark.parametrize(
        ("sources", "winner"),
        [
            (["manual", "telemetry", "api"], "telemetry"),
            (["zeta", "manual"], "manual"),
            (["zeta", "alpha"], "alpha"),
            (["alpha", "alphabet"], "alphabet"),
            (["Äpfel", "Zebra"], "Zebra"),
        ],
    )
    def test_of_one_moment_the_policy_s_order_decides(self, sources, winner):
        account = customer(None)
        for source in sources:
            read(account, 80 if source == winner else 10, "03-09T12:00", source=source)
        (row,) = seen()
        assert row.deployed == 80

    @pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/New_York", "Pacific/Apia"])
    @pytest.mark.parametrize(("minute", "state"), [(0, "complete"), (-1, "stale")])
    def test_sixty_days_are_counted_in_the_company_s_zone(self, zone, minute, state):
        settle(zone)
        learn("01-02")
        account = customer(None)
        midnight = dt.datetime(2026, 1, 9, tzinfo=inputs.ZoneInfo(zone))
        observed_at = (midnight + dt.timedelta(minutes=minute)).astimezone(dt.UTC)
        SeatReadingFactory(instance=account.instances.get(), observed_at=observed_at)
        (row,) = seen()
        assert row.data_state == state

    @pytest.mark.parametrize(("seats", "reason"), [(79, "partial"), (80, "passes")])
    def test_some_instances_are_silent(self, seats, reason):
        account = customer(seats)
        InstanceFactory(account=account)
        InstanceFactory(account=account, counted=False)
        (row,) = seen()
        assert (row.data_state, row.reason, row.deployed) == ("partial", reason, seats)

    def test_one_that_was_withdrawn_is_not_used(self):
        account = customer(70)
        read(account, 80, "03-05T12:00")
        SeatReading.objects.filter(seats=80).update(known_to=moment("03-06"))
        (row,) = seen()
        assert row.deployed == 70


class TestTheSum:
    def test_does_not_depend_on_the_order(self):
        parts = [digests.InputsSum.of([n * 10**18, -n, 2**63, 7]) for n in range(1, 6)]
        forth, back = digests.InputsSum(), digests.InputsSum()
        for one, other in zip(parts, reversed(parts), strict=True):
            forth, back = forth + one, back + other
        assert forth == back
        assert forth - parts[0] - parts[1] == parts[2] + parts[3] + parts[4]
        assert digests.InputsSum.from_hex(forth.hex) == forth
        assert digests.InputsSum.of(forth.signed) == forth

    @pytest.mark.parametrize("region", ["", "a b", 'say "hi"', "a\\b", "(x,y)", "Zürich", "\tx\n"])
    def test_is_the_same_for_any_text(self, region):
        customer(80, region=region)
        seen()

    def test_of_what_is_not_used_stays_the_same(self):
        account = customer(80)
        read(account, 50, "03-09T12:00", source="telemetry")
        before = compute("03-10").run
        learn("03-12")
        read(account, 60, "03-09T12:00", source="manual")
        silent = InstanceFactory(account=account, counted=False)
        SeatReadingFactory(instance=silent, observed_at=moment("03-09T12:00"))
        again = compute("03-10", "03-13")
        assert (again.is_new, again.run) == (False, before)


class TestPoison:
    def test_where_the_statement_fails_the_rules_judge_everybody(self, monkeypatch, caplog):
        customer(80), customer(70)
        broken = judging.JUDGED.replace("trunc(arr, 6)", "trunc(arr / 0, 6)")
        with monkeypatch.context() as patched:
            patched.setattr(judging, "JUDGED", broken)
            run = compute("03-10").run
        assert "cannot be judged at once" in caplog.text
        assert (run.numerator, run.denominator) == (1, 2)
        assert_same_by_every_way(run)

    @pytest.mark.parametrize("how", ["absurd amounts", "a fault of the rules"])
    def test_a_poisonous_account_is_flagged_and_the_others_are_done(self, how, monkeypatch):
        poison, good, bad = with_contracts({"arr": 60_000}), customer(80), customer(70)
        read(poison, 9, "03-02T12:00")
        compute("03-09")
        learn("03-10T12:00")
        read(poison, 8, "03-10T11:00")
        if how == "absurd amounts":
            most = "9" * 11
            with connection.cursor() as cursor:
                cursor.execute(
                    f"UPDATE accounts_subscription SET arr = {most} WHERE account_id = %s",
                    [poison.pk],
                )
            ExchangeRateFactory(currency="EUR", on=day("03-01"), rate=Decimal("99999999"))
            Subscription.objects.filter(account=poison).update(currency="EUR")
        else:
            judge = staging.rules.judge

            def judge_or_fail(account, *args):
                return 1 / 0 if account.id == poison.pk else judge(account, *args)

            broken = judging.JUDGED.replace("trunc(arr, 6)", "trunc(arr / 0, 6)")
            monkeypatch.setattr(judging, "JUDGED", broken)
            monkeypatch.setattr(staging.rules, "judge", judge_or_fail)
        run = compute("03-10").run
        told = {row.account_id: row.reason for row in rows.rows_of(run)}
        assert told == {poison.pk: "error", good.pk: "passes", bad.pk: "below"}
        assert (run.numerator, run.denominator, run.unknown) == (1, 3, 1)
        assert run.status == "held"
        assert "failed" in [each["code"] for each in run.held_for]

    def test_dates_without_end_are_left_to_the_rules(self):
        account = with_contracts({"tcv": Decimal(1000), **THREE_YEARS})
        customer(80)
        with connection.cursor() as cursor:
            cursor.execute(
                """UPDATE accounts_subscription SET "end" = 'infinity'
                WHERE account_id = %s""",
                [account.pk],
            )
        run = compute("03-10").run
        assert (run.numerator, run.denominator) == (1, 1)
