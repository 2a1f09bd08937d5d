"""Other definitions of the same kind: grace, what is left out, children rolled up, trials."""

import datetime as dt
import itertools

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import measure
from accounts.models import Account, Subscription
from metrics import rules
from metrics.models import MetricDefinition, MetricRow, MetricRun
from metrics.selectors import digests, explaining, rows, runs
from metrics.selectors.late import late_days
from metrics.services import continuing
from metrics.services import runs as services
from people.models import system_user
from tests.factories import InstanceFactory, SeatReadingFactory, SubscriptionFactory
from tests.metrics.scene import (
    LATER,
    SLUG,
    assert_same_by_every_way,
    compute,
    customer,
    day,
    learn,
    moment,
    read,
    seats_runs,
    settle,
)

SECOND = "seats-second"


def define(slug=SECOND, number=1, valid_from="01-01", **policy):
    first = MetricDefinition.objects.get(slug=SLUG, number=1)
    return MetricDefinition.objects.create(
        slug=slug, number=number, rule=SLUG, title="Seats by another rule", unit="share",
        text="t", policy=first.policy | policy, valid_from=day(valid_from),
    )  # fmt: skip


def compute_of(slug, on, known_at=None):
    """Compute a day; hold every way of judging against the run."""
    cut = moment(known_at) if known_at else moment(on) + dt.timedelta(days=1, hours=1)
    made = services.recompute(
        slug, day(on), by=system_user(), now=LATER, known_at=cut, computed_at=cut
    )
    assert_same_by_every_way(made.run)
    return made.run


def reasons(run):
    return {row.account.name: row.reason for row in rows.rows_of(run).select_related("account")}


def number_of(run):
    return run.numerator, run.denominator


@pytest.mark.django_db
class TestColumns:
    def test_monthly_active_is_known_where_every_reading_used_knows_it(self):
        learn("02-01")
        both, one, none = (customer(None) for _ in range(3))
        for account, counts in ((both, (40, 0)), (one, (40, None)), (none, (None, None))):
            InstanceFactory(account=account)
            for instance, active in zip(account.instances.all(), counts, strict=True):
                SeatReadingFactory(
                    instance=instance, observed_at=moment("03-01"), seats=50, monthly_active=active
                )
        # A silent instance has no reading that is used, and one that is outdone counts no more.
        InstanceFactory(account=both)
        read(both, 45, "02-20", monthly_active=None)
        run = compute("03-10").run
        assert_same_by_every_way(run)
        told = {row.account_id: row.monthly_active for row in rows.rows_of(run)}
        assert told == {both.pk: 40, one.pk: None, none.pk: None}

    def test_customer_since_the_first_paid_contract_that_began(self):
        learn("02-01")
        account = customer(80)
        Subscription.objects.update(start=day("02-01"), end=day("04-01"))
        SubscriptionFactory(account=account, start=dt.date(2024, 5, 1), end=dt.date(2024, 9, 1))
        SubscriptionFactory(account=account, kind="trial", start=dt.date(2020, 1, 1))
        SubscriptionFactory(account=account, start=day("03-20"))
        run = compute("03-10").run
        assert_same_by_every_way(run)
        (row,) = rows.rows_of(run)
        assert (row.customer_since, row.renewal_on) == (dt.date(2024, 5, 1), day("04-01"))

    def test_an_earlier_purchase_learned_of_late_reopens_the_days(self):
        learn("02-01")
        account = customer(80)
        since = Subscription.objects.get().start
        compute("03-09"), compute("03-10")
        learn("03-12")
        SubscriptionFactory(account=account, start=since + dt.timedelta(1), end=day("02-20"))
        late = lambda: late_days(SLUG, now=moment("03-12"), most=35, known_at=moment("03-13"))  # noqa: E731
        assert late() == []
        earlier = since - dt.timedelta(30)
        SubscriptionFactory(account=account, start=earlier, end=earlier + dt.timedelta(10))
        assert late() == [day("03-09"), day("03-10")]

    def test_dates_beyond_those_python_holds(self):
        learn("02-01")
        customer(80)
        connection.cursor().execute(
            """UPDATE accounts_subscription SET start = '-infinity', "end" = '20000-01-01'"""
        )
        run = compute("03-10").run
        assert_same_by_every_way(run)
        assert number_of(run) == (1, 1)


@pytest.mark.django_db
class TestGrace:
    def test_ends_after_so_many_days_from_the_first_contract(self):
        learn("02-01")
        old, new = customer(80, name="Old"), customer(10, name="New")
        Subscription.objects.filter(account=old).update(start=dt.date(2024, 1, 1))
        Subscription.objects.filter(account=new).update(start=day("02-10"), end=day("03-01"))
        SubscriptionFactory(account=new, start=day("03-01"))
        define(grace_days=30)
        in_grace = compute_of(SECOND, "03-11")
        over = compute_of(SECOND, "03-12")
        assert reasons(in_grace) == {"Old": "passes", "New": "in_grace"}
        assert reasons(over) == {"Old": "passes", "New": "below"}
        # Found by its date alone, in the run that goes on from the one before.
        assert over.judged in {1, 2}
        (told,) = explaining.explanation(in_grace, over).contributions
        assert (told.cause, told.account_id) == ("new_customer", new.pk)

    def test_says_so_of_the_account_where_it_is_the_definition_in_force(self):
        learn("02-01")
        account = customer(80)
        Subscription.objects.update(start=day("03-01"))
        define(SLUG, 2, "03-05", grace_days=30)
        facts = measure.facts_on([account.pk], day=day("03-10"), known_at=LATER)[account.pk]
        assert (facts.eligible, facts.reason) == (False, "in_grace")
        facts = measure.facts_on([account.pk], day=day("03-04"), known_at=LATER)[account.pk]
        assert facts.eligible


@pytest.mark.django_db
def test_regions_and_segments_are_left_out_and_taken_in_again():
    learn("02-01")
    customer(80, name="A", region="EMEA"), customer(80, name="B", segment="Public")
    kept = customer(80, name="C", region="APAC", segment="Mid")
    define(exclude_regions=["EMEA"], exclude_segments=["Public"])
    before = compute_of(SECOND, "03-10")
    assert reasons(before) == {"A": "left_out", "B": "left_out", "C": "passes"}
    learn("03-11T12:00")
    Account.objects.filter(name="A").update(region="APAC")
    Account.objects.filter(pk=kept.pk).update(segment="Public")
    causes = {
        each.account_id: each.cause
        for each in explaining.explanation(before, compute_of(SECOND, "03-11")).contributions
    }
    assert causes == {Account.objects.get(name="A").pk: "included", kept.pk: "left_out"}


class TestTops:
    def test_the_topmost_customer_above(self):
        parents = {1: 2, 2: 3, 3: 4, 5: 6}
        assert rules.tops(parents, {1, 2, 3, 5}) == {1: 3, 2: 3}
        assert rules.tops(parents, {1, 3, 4}) == {1: 4, 3: 4}

    def test_a_ring_rolls_nobody_up(self):
        assert rules.tops({1: 2, 2: 3, 3: 2, 4: 5}, {1, 2, 3, 4, 5}) == {4: 5}


@pytest.mark.django_db
class TestRollUp:
    @pytest.fixture
    def family(self):
        """A parent that fails alone, and two children; one of them was read later."""
        learn("02-01")
        parent = customer(50, name="Parent")
        one = customer(90, name="One", parent=parent)
        two = customer(None, name="Two", parent=one)
        read(two, 100, "03-10T12:00")
        customer(80, name="Other")
        define(roll_up=True)
        return parent, one, two

    def test_contracts_and_seats_count_at_the_topmost_parent(self, family):
        run = compute_of(SECOND, "03-10")
        assert number_of(run) == (2, 2)
        assert reasons(run) == {
            "Parent": "passes", "One": "rolled_up", "Two": "rolled_up", "Other": "passes",
        }  # fmt: skip
        told = rows.rows_of(run).get(account=family[0])
        assert (told.licensed, told.deployed) == (300, 240)

    def test_a_night_goes_on_by_whole_families(self, family):
        parent, _, two = family
        for _ in range(30):
            customer(80)
        assert compute_of(SECOND, "03-09").judged == 34
        # Only Two has a new reading.
        assert compute_of(SECOND, "03-10").judged == 3
        learn("03-11T12:00")
        Account.objects.filter(pk=two.pk).update(parent=None)
        before, after = compute_of(SECOND, "03-10"), compute_of(SECOND, "03-11")
        assert after.judged == 3
        assert reasons(after)["Two"] == "passes"
        (told,) = [
            each for each in explaining.explanation(before, after).contributions
            if each.account_id == two.pk
        ]  # fmt: skip
        assert told.cause == "included"
        learn("03-12T12:00")
        Account.objects.filter(pk=parent.pk).update(archived=True)
        assert reasons(compute_of(SECOND, "03-12"))["One"] == "passes"

    def test_the_facts_of_a_parent_follow_its_children(self, family):
        define(SLUG, 2, "03-05", roll_up=True)
        parent, _, two = family
        found = measure.facts_on([parent.pk, two.pk], day=day("03-10"), known_at=moment("03-11"))
        assert {pk: (facts.deployed, facts.reason) for pk, facts in found.items()} == {
            parent.pk: (240, "passes"), two.pk: (None, "rolled_up"),
        }  # fmt: skip

    def test_a_change_to_rolling_up_restates_the_old_day(self, family):
        before = compute("03-10").run
        define(SLUG, 2, "03-11", roll_up=True)
        told = explaining.explanation(before, compute_of(SLUG, "03-11"))
        assert (told.before.denominator, told.restated) == (4, told.after)
        assert {each.cause for each in told.contributions} == {"definition_changed"}


REGIONS, SEGMENTS = ["", "EMEA"], ["", "Public"]
dates = st.integers(-40, 12).map(lambda i: dt.date(2026, 3, 5) + dt.timedelta(i))
lives = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["customer"] * 4 + ["prospect"]),
        "archived": st.sampled_from([False] * 5 + [True]),
        "region": st.sampled_from(REGIONS),
        "segment": st.sampled_from(SEGMENTS),
        "above": st.one_of(st.none(), st.integers(0, 4)),
    }
)
members = st.fixed_dictionaries(
    {
        "now": lives,
        "later": st.one_of(st.none(), lives),
        "contracts": st.lists(st.tuples(dates, st.sampled_from([None, 5, 30])), max_size=3),
        "readings": st.lists(
            st.tuples(st.integers(0, 10), st.sampled_from([0, 60, 100]),
                      st.sampled_from([None, 0, 7])),
            max_size=3, unique_by=lambda reading: reading[0],
        ),
    }
)  # fmt: skip
policies = st.fixed_dictionaries(
    {
        "grace_days": st.sampled_from([0, 7, 30]),
        "exclude_regions": st.sampled_from([[], ["EMEA"]]),
        "exclude_segments": st.sampled_from([[], ["Public"], [""]]),
        "roll_up": st.booleans(),
    }
)


@pytest.mark.django_db
@given(group=st.lists(members, min_size=1, max_size=5), policy=policies)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_every_way_of_judging_says_the_same_of_any_policy(group, policy, monkeypatch):
    """By statement, by the rules, and going on from the night before; and by a plain oracle."""
    monkeypatch.setattr(continuing, "MOST_TOUCHED", 0)
    with transaction.atomic():
        settle("UTC")
        learn("02-01")
        told = [customer(None) for _ in group]
        Subscription.objects.all().delete()
        for account, member in zip(told, group, strict=True):
            live(account, member["now"], told)
            for start, days in member["contracts"]:
                end = days and start + dt.timedelta(days)
                SubscriptionFactory(account=account, seats=100, arr=30_000, start=start, end=end)
            for on, seats, active in member["readings"]:
                read(account, seats, f"03-{on + 1:02}T12:00", monthly_active=active)
        definition = define(**policy)
        for on in ("03-05", "03-08", "03-09"):
            if on == "03-09":
                learn("03-09T12:00")
                for account, member in zip(told, group, strict=True):
                    live(account, member["later"] or member["now"], told)
            run = compute_of(SECOND, on)
            lives_now = [m["later"] if on == "03-09" and m["later"] else m["now"] for m in group]
            assert_as_the_oracle_says(run, group, lives_now, told, policy)
        assert MetricRun.objects.filter(definition=definition).count() == 3
        transaction.set_rollback(True)


def live(account, life, told):
    """Nobody stands above who comes later: so there are no rings."""
    above = life["above"]
    index = told.index(account)
    values = {name: life[name] for name in ("status", "archived", "region", "segment")}
    parent = told[above] if above is not None and above < index else None
    Account.objects.filter(pk=account.pk).update(parent=parent, **values)


def assert_as_the_oracle_says(run, group, lives_now, told, policy):
    is_customer = [l["status"] == "customer" and not l["archived"] for l in lives_now]  # noqa: E741
    tops = []
    for index in range(len(group)):
        top, at = index, index
        while (above := lives_now[at]["above"]) is not None and above < at:
            at = above
            top = at if is_customer[at] else top
        tops.append(top if policy["roll_up"] and is_customer[index] else index)
    for index, row in enumerate(rows.rows_of(run).order_by("account_id")):
        mine = [m for top, m in zip(tops, group, strict=True) if top == index]
        contracts = list(itertools.chain.from_iterable(m["contracts"] for m in mine))
        began = [start for start, _ in contracts if start <= run.day]
        count = sum(
            start <= run.day and (not days or run.day < start + dt.timedelta(days))
            for start, days in contracts
        )
        assert row.customer_since == min(began, default=None)
        assert (row.arr, row.licensed) == (30_000 * count, 100 * count)
        latest = [
            max(known) for m in mine
            if (known := [r for r in m["readings"] if day(f"03-{r[0] + 1:02}") <= run.day])
        ]  # fmt: skip
        active = [reading[2] for reading in latest]
        assert row.deployed == (sum(reading[1] for reading in latest) if latest else None)
        assert row.monthly_active == (sum(active) if latest and None not in active else None)
        life = lives_now[index]
        if tops[index] != index:
            assert row.reason == "rolled_up"
        elif is_customer[index]:
            out = life["region"] in policy["exclude_regions"]
            out |= life["segment"] in policy["exclude_segments"]
            assert (row.reason == "left_out") is out
            in_grace = bool(began) and (run.day - min(began)).days < policy["grace_days"]
            assert row.eligible is (not out and count >= 2 and not in_grace)


@pytest.mark.django_db
class TestTakingEffect:
    def test_another_number_begins_on_its_day_and_is_held_by_nobody_else_s_run(self):
        learn("02-01")
        for _ in range(3):
            customer(80)
        compute("03-09")
        define(valid_from="03-10", share_percent=90)
        by = {"by": system_user(), "now": moment("03-10T12:00"), "known_at": moment("03-10T12:00")}
        assert list(services.catch_up(SECOND, **by)) == []
        by |= {"now": moment("03-12T12:00"), "known_at": moment("03-12T12:00")}
        made = [outcome.run for outcome in services.catch_up(SECOND, **by)]
        assert [(run.day, run.status, run.numerator) for run in made] == [
            (day("03-10"), "published", 0), (day("03-11"), "published", 0),
        ]  # fmt: skip
        assert [run.judged for run in made] == [3, 0]

    def test_a_new_version_is_not_held_for_what_the_old_one_said(self):
        learn("02-01")
        for region in ("EMEA", "EMEA", "APAC"):
            customer(80, region=region)
        silent = [customer(None, region="AMER") for _ in range(2)]
        compute("03-10")
        define(SLUG, 2, "03-11", exclude_regions=["EMEA"])
        run = compute("03-11").run
        assert (run.status, run.definition.number, run.judged) == ("published", 2, 5)
        assert run.covered == 1
        assert len(silent) == 2

    def test_days_computed_under_the_old_version_keep_it(self):
        learn("02-01")
        account = customer(80)
        for on in ("03-08", "03-09", "03-10"):
            compute(on)
        define(SLUG, 2, "03-09", share_percent=90)
        learn("03-12")
        read(account, 85, "03-08T12:00")
        made = list(
            services.catch_up(
                SLUG, by=system_user(), now=moment("03-12T12:00"), known_at=moment("03-12T12:00")
            )
        )
        assert [(o.run.day, o.run.definition.number, o.run.revision) for o in made] == [
            (day("03-08"), 1, 2), (day("03-09"), 1, 2), (day("03-10"), 1, 2), (day("03-11"), 2, 1),
        ]  # fmt: skip

    def test_unknown_parameters_are_not_the_rules_to_read(self):
        definition = define(hold={"jump_factor": 9}, whatever=1)
        assert runs.policy_of(definition).grace_days == 0
        definition.policy = {"share_percent": 70}
        assert runs.policy_of(definition) == rules.Policy(share_percent=70)


@pytest.mark.django_db
class TestTrials:
    @pytest.fixture
    def trial(self):
        learn("02-01")
        for _ in range(10):
            customer(80)
        account = customer(85)
        for on in ("03-09", "03-10", "03-11"):
            compute(on)
            learn(f"{on}T12:00")
            read(account, 85 + int(on[-1]), f"{on}T11:00")
        return define(SLUG, None, "01-01", share_percent=90)

    def tried(self, trial, on, **more):
        return services.compute_trial(trial, day(on), by=system_user(), now=LATER, **more)

    def test_know_what_the_published_run_of_the_day_knew_and_are_seen_by_nobody(self, trial):
        made = [self.tried(trial, on).run for on in ("03-09", "03-10", "03-11")]
        published = list(runs.series(SLUG))
        assert [run.known_at for run in made] == [run.known_at for run in published]
        assert [run.judged for run in made] == [11, 1, 1]
        assert {(run.status, run.published_at) for run in made} == {("trial", None)}
        for run in made:
            assert_same_by_every_way(run)
        assert not self.tried(trial, "03-11").is_new
        assert self.tried(trial, "03-11", known_at=LATER).is_new
        assert [run.pk for run in runs.series(SLUG)] == [run.pk for run in published]
        assert runs.run_on(SLUG).definition.number == 1

    def test_do_not_stand_in_the_way_once_approved(self, trial):
        before = self.tried(trial, "03-11").run
        MetricDefinition.objects.filter(pk=trial.pk).update(number=2, valid_from=day("03-11"))
        seats_runs().filter(day=day("03-11"), definition__number=1)
        trial.refresh_from_db()
        run = compute_of(SLUG, "03-12")
        assert (run.definition, run.judged, run.status) == (trial, 11, "published")
        again = services.compute_trial(
            trial, day("03-11"), by=system_user(), now=LATER, known_at=before.known_at
        )
        assert again.run == before


@pytest.mark.django_db
class TestTheFormatOfInputs:
    def test_a_ledger_of_another_format_goes_on_with_one_full_run(self, caplog, metric_owner):
        learn("02-01")
        for _ in range(10):
            customer(80)
        compute("03-09")
        connection.cursor().execute(
            f"""RESET ROLE; UPDATE metrics_metricrun SET inputs_format = 1,
                inputs_sum = '{"0" * 64}', digest = 'of old';
            UPDATE metrics_metricrow SET monthly_active = NULL, renewal_on = NULL,
                customer_since = NULL"""
        )
        first, second = compute("03-10").run, compute("03-11").run
        assert [first.judged, second.judged] == [10, 0]
        assert (first.inputs_format, first.status) == (digests.FORMAT, "published")
        assert services.check_in_full(second, by=system_user()) == second
        assert "differs" not in caplog.text
        assert MetricRow.objects.filter(from_day=day("03-11")).count() == 0
        assert_same_by_every_way(first)
