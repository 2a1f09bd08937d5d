"""Numbers worked out from the rows of a run: written with it, going on from it, as from scratch."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account, Subscription
from config.lib.versions import pretend_known_at
from metrics.models import MetricDefinition, MetricRun
from metrics.rules import derived
from metrics.rules.derived import Policy, Row, Sums
from metrics.selectors import derived_sql, derived_sums, families, numbers, rows, runs
from metrics.selectors.derived_changes import explanation
from metrics.selectors.movements import movement_of
from metrics.services import derived as services
from metrics.services.derived_catching_up import catch_up
from metrics.services.holding import publish_run
from metrics.services.runs import recompute
from people.models import system_user
from tests.factories import AccountFactory, SubscriptionFactory
from tests.metrics.scene import LATER, SLUG, compute, customer, day, learn, moment, read

pytestmark = pytest.mark.django_db


def of(slug, run):
    return run.derived.get(definition__slug=slug)


def value(slug, run):
    return of(slug, run).value


def oracle(run, rule, policy=None):
    """Add up what the rule in Python says of every row the run saw."""
    found = {}
    for each in rows.rows_of(run):
        row = Row(**{name: getattr(each, name) for name in derived_sql.COLUMNS})
        adds = derived.ROW_RULES[rule](row, run.day, policy or Policy())
        sums = Sums.of(adds)
        if sums != Sums():
            found[adds.key] = found.get(adds.key, Sums()).plus(sums)
    return found


def assert_as_from_scratch(run):
    for number in run.derived.select_related("definition"):
        rule = number.definition.rule
        if rule == derived.CONTRACTION:
            continue
        assert derived_sums.sums_read(number.parts["sums"]) == oracle(run, rule), rule


class TestFamilies:
    def test_are_told_by_the_rule(self):
        assert set(families.slugs_of(families.DERIVED)) == set(derived.RULES)
        assert families.slugs_of(families.SEATS) == [SLUG]
        MetricDefinition.objects.create(
            slug="after-half-a-year", number=1, rule=SLUG, title="x", unit="share", text="x",
            policy=runs.definition_on(SLUG, day("03-10")).policy, valid_from=day("01-01"),
        )  # fmt: skip
        assert families.family_of("after-half-a-year") is families.SEATS
        assert families.family_of("request-sla-attainment") is families.FIGURES


class TestARun:
    def test_brings_every_number_with_it(self):
        learn("02-01")
        customer(40, licensed=100)
        run = compute("03-10").run
        found = {each.definition.slug: each for each in run.derived.all()}
        assert set(found) == set(derived.RULES)
        run.refresh_from_db()
        assert {each.published_at for each in found.values()} == {run.published_at}
        assert found["net-seats-deployed"].value == 40
        assert found["arr-at-risk"].value == 60_000
        assert found["early-warning"].value == 1
        assert found["at-risk"].value == 0
        assert found["adoption"].value is None
        assert found["contraction"].value == 0

    @pytest.mark.parametrize("count", [1, 20])
    def test_takes_three_statements_more_whatever_the_size(self, count, monkeypatch):
        learn("02-01")
        for _ in range(count):
            customer(40)
        compute("03-09")
        made = []
        plain = services.write

        def counted(*args, **kwargs):
            with CaptureQueriesContext(connection) as queries:
                plain(*args, **kwargs)
            made.append(len(queries))

        monkeypatch.setattr(services, "write", counted)
        compute("03-10")
        assert made == [3]

    def test_says_nothing_more_where_nothing_is_eligible(self):
        compute("03-10")
        run = compute("03-11").run
        assert value("arr-at-risk", run) == 0
        assert value("adoption", run) is None

    def test_is_made_again_with_a_revision(self):
        learn("02-01")
        account = customer(40)
        compute("03-10")
        learn("03-11T08:00")
        read(account, 60, "03-10T12:00")
        run = compute("03-10", known_at="03-11T09:00").run
        assert (run.revision, of("net-seats-deployed", run).revision) == (2, 2)
        assert runs.run_on("net-seats-deployed", day("03-10")).value == 60
        then = runs.run_on("net-seats-deployed", day("03-10"), known_at=moment("03-11T08:30"))
        assert then.value == 40

    def test_is_caught_up_from_the_ledger_where_it_has_none(self, monkeypatch):
        learn("02-01")
        customer(40)
        with monkeypatch.context() as patch:
            patch.setattr(services, "write", lambda *_, **__: None)
            run = compute("03-10").run
        for _ in range(2):
            catch_up(run, by=system_user())
            assert run.derived.count() == len(derived.RULES)
        assert_as_from_scratch(run)
        assert value("net-seats-deployed", run) == 40
        # It was not to be seen before it was made.
        assert of("net-seats-deployed", run).published_at > run.published_at

    def test_is_held_and_published_with_its_run(self, metric_owner):
        learn("02-01")
        account = customer(800, licensed=1000)
        compute("03-10")
        learn("03-11T08:00")
        read(account, 20, "03-11T08:00")
        run = compute("03-11").run
        assert run.status == MetricRun.Status.HELD
        assert runs.run_on("net-seats-deployed").value == 800
        publish_run(run, reason="It is so.", by=metric_owner, at=LATER)
        assert runs.run_on("net-seats-deployed").value == 20
        assert of("net-seats-deployed", run).published_at == LATER


class TestDatesThatCome:
    """Nothing is learned of the account; a date passes."""

    def test_the_90th_day_after_the_purchase(self):
        learn("02-01")
        account = customer(40)
        Subscription.objects.filter(account=account).update(start=day("01-01"))
        customer(90)
        told = [value("early-warning", compute(on).run) for on in ("03-30", "03-31", "04-01")]
        assert told == [0, 0, 1]

    def test_half_a_year_before_a_renewal(self):
        learn("02-01")
        account = customer(40)
        Subscription.objects.filter(account=account).update(end=day("09-07"))
        run = compute("03-10").run
        assert (value("at-risk", run), value("at-risk", compute("03-11").run)) == (0, 1)

    def test_half_a_year_before_a_renewal_that_counts_at_a_parent(self):
        MetricDefinition.objects.create(
            slug=SLUG, number=2, rule=SLUG, title="x", unit="share", text="x",
            policy=runs.definition_on(SLUG, day("03-10")).policy | {"roll_up": True},
            valid_from=day("02-01"),
        )  # fmt: skip
        learn("02-01")
        top = customer(40)
        child = customer(40, parent=AccountFactory(parent=top))
        Subscription.objects.filter(account=child).update(end=day("09-07"))
        first, second = compute("03-10").run, compute("03-11").run
        assert second.judged == 0
        assert (value("at-risk", first), value("at-risk", second)) == (0, 1)
        assert_as_from_scratch(second)

    def test_a_new_quarter(self):
        learn("02-01")
        account = customer(40, at="03-30T12:00")
        Subscription.objects.filter(account=account).update(end=dt.date(2027, 2, 1))
        first, second = compute("03-31").run, compute("04-01").run
        assert second.judged == 0
        assert (value("renewal-exposure", first), value("renewal-exposure", second)) == (0, 60_000)
        part = of("renewal-exposure", second).parts["by"]["quarter"][-1]
        assert part == {
            "key": "2027-Q1", "numerator": 1, "denominator": 1, "value": "60000", "high": "60000",
        }  # fmt: skip


class TestContraction:
    def test_adds_up_the_nights_and_lets_them_go(self):
        learn("02-01")
        account = customer(40, licensed=100)
        compute("03-10")
        learn("03-11T08:00")
        Subscription.objects.filter(account=account).update(seats=70, arr=Decimal(55_000))
        compute("03-11")
        learn("03-12T08:00")
        Subscription.objects.filter(account=account).update(seats=60)
        run = compute("03-12").run
        assert value("contraction", run) == 40
        assert of("contraction", run).parts["arr"] == "5000"
        assert value("contraction", compute("04-09").run) == 40
        assert value("contraction", compute("04-10").run) == 10
        assert value("contraction", compute("04-11").run) == 0

    def test_counts_who_falls_out_of_the_ratio_by_it_and_tells_churn_apart(self):
        learn("02-01")
        shrinking, leaving = customer(40), customer(40)
        compute("03-10")
        learn("03-11T08:00")
        Subscription.objects.filter(account=shrinking).update(seats=50, arr=Decimal(30_000))
        Account.objects.filter(pk=leaving.pk).update(churned_on=day("03-11"))
        run = compute("03-11").run
        assert value("contraction", run) == 50
        assert of("contraction", run).parts["churned"] == {"seats": 100, "arr": "60000"}

    def test_seats_bought_back_take_nothing_off(self):
        learn("02-01")
        account = customer(40)
        for on, seats in (("03-10", 100), ("03-11", 80), ("03-12", 100)):
            learn(f"{on}T08:00")
            Subscription.objects.filter(account=account).update(seats=seats)
            run = compute(on).run
        assert value("contraction", run) == 20

    def test_a_revision_of_the_day_tells_the_same_night_once(self):
        learn("02-01")
        account = customer(40)
        compute("03-10")
        learn("03-11T08:00")
        Subscription.objects.filter(account=account).update(seats=80)
        compute("03-11")
        learn("03-12T08:00")
        read(account, 50, "03-11T12:00")
        run = compute("03-11", known_at="03-12T09:00").run
        assert (run.revision, value("contraction", run)) == (2, 20)


FIRST = dt.date(2026, 2, 20)
steps = st.lists(
    st.tuples(
        st.sampled_from([1, 1, 2, 9, 31]),  # nights further
        st.lists(
            st.tuples(
                st.integers(0, 3),  # whose
                st.sampled_from(["seats", "active", "licences", "arr", "end", "churn", "none"]),
                st.integers(0, 120),
            ),
            max_size=3,
        ),
        st.booleans(),  # whether the night is corrected afterwards
    ),
    min_size=2,
    max_size=5,
)


def tell(account, what, number, on):
    contracts = Subscription.objects.filter(account=account)
    if what in ("seats", "active"):
        active = {"monthly_active": number // 2} if what == "active" else {}
        read(account, number, f"{on:%m-%d}T{number % 8:02}:{number % 60:02}", **active)
    elif what == "licences":
        contracts.update(seats=number)
    elif what == "arr":
        contracts.update(arr=Decimal(number) * 1000)
    elif what == "end":
        contracts.update(end=on + dt.timedelta(days=number * 4 + 1))
    elif what == "churn":
        Account.objects.filter(pk=account.pk).update(churned_on=on)
    else:
        SubscriptionFactory(account=account, seats=number, start=on - dt.timedelta(number))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=steps)
def test_any_history_comes_to_what_it_comes_to_from_scratch(steps):
    with transaction.atomic():
        learn("02-01")
        accounts = []
        for i in range(4):
            account = customer(60 + 10 * i, at="02-20T12:00")
            bought = FIRST - dt.timedelta(days=88 + i)
            Subscription.objects.filter(account=account).update(
                start=bought, end=FIRST + dt.timedelta(days=182 + 60 * i)
            )
            accounts.append(account)
        on, total, last, firsts = FIRST, [], None, None
        for nights, told, is_corrected in [(0, [], False), *steps]:
            on += dt.timedelta(days=nights)
            pretend_known_at(dt.datetime.combine(on, dt.time(9), dt.UTC))
            for whose, what, number in told:
                tell(accounts[whose], what, number, on)
            night = dt.datetime.combine(on, dt.time(1), dt.UTC) + dt.timedelta(days=1)
            cuts = [night, night + dt.timedelta(hours=4)] if is_corrected else [night]
            for cut in cuts:
                if cut != night:
                    pretend_known_at(night + dt.timedelta(hours=1))
                    read(accounts[0], 77, f"{on:%m-%d}T23:{nights:02}")
                run = recompute(
                    SLUG, on, by=system_user(), now=LATER, known_at=cut, computed_at=cut
                ).run
                assert_as_from_scratch(run)
                firsts = firsts or {each.definition.slug: each for each in run.derived.all()}
                for each in run.derived.select_related("definition", "base__definition"):
                    assert_explained(firsts[each.definition.slug], each)
            dropped = drops(last, run) if last else 0
            total.append((on, dropped))
            window = sum(n for when, n in total if (on - when).days < 30)
            assert value("contraction", run) == window
            last = run
        transaction.set_rollback(True)


def assert_explained(before, after):
    found = explanation(before, after)
    if found.delta is None:
        return
    assert sum(each.value for each in found.contributions) == found.delta
    assert found.earned + found.unearned == found.delta
    movement_of(before, after, currency="USD")
    exact = [numbers.value_of(run) for run in (before, after)]
    assert abs(found.delta - (exact[1] - exact[0])) < Fraction(2, 1_000_000)


def drops(before, after):
    old = {row.account_id: row for row in rows.rows_of(before)}
    new = {row.account_id: row for row in rows.rows_of(after)}
    return sum(
        derived.given_up(
            *(Row(**{name: getattr(row, name) for name in derived_sql.COLUMNS})
              for row in (old[i], new[i]))
        )
        for i in old
    )  # fmt: skip
