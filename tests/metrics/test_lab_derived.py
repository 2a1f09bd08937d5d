"""Other definitions of numbers worked out from rows: back-tested, approved, explained."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Subscription
from config.lib.errors import Conflict
from events.models import Event
from events.workflow import Blocked
from metrics.models import AlertRule, Backtest, MetricDefinition, MetricRun
from metrics.rules import derived
from metrics.rules.derived import Policy
from metrics.selectors import alerts, derived_sums, lab, lab_results, runs
from metrics.selectors.derived_changes import explanation
from metrics.services import backtests, proposals
from metrics.services.derived_catching_up import catch_up_missing
from metrics.services.derived_trials import compute_trial
from people.models import system_user
from tests.metrics.pages import said
from tests.metrics.scene import compute, customer, day, learn, moment, read
from tests.metrics.test_derived import of, oracle

pytestmark = pytest.mark.django_db
AT = moment("03-20T12:00")
DAYS = ("03-10", "03-11", "03-12")


@pytest.fixture
def ledger(db):
    """Three days: one account at 72% of its seats, one at 60%, one at 90%."""
    learn("01-01")
    accounts = [customer(seats, name=name) for name, seats in
                (("Alder", 72), ("Birch", 60), ("Cedar", 90))]  # fmt: skip
    for each in DAYS:
        compute(each)
    return accounts


def draft(slug, by, *, at=AT, **policy):
    base = runs.definition_on(slug, day("03-20"))
    sent = {"policy": policy, "text": "By another line.", "why": "The board asked for it."}
    return proposals.create_proposal(base, {**sent, "effective_on": day("04-01")}, by=by, at=at)


def backtested(slug, by, **policy):
    proposal = draft(slug, by, **policy)
    test = backtests.start_backtest(proposal, by=by, at=AT)
    assert backtests.run(test.pk, clock=lambda: AT)
    return proposal


def approved(slug, owner, leader, **policy):
    proposal = backtested(slug, owner, **policy)
    proposals.move(proposal, "propose", by=owner, at=AT)
    proposals.move(proposal, "approve", by=leader, at=AT)
    return proposal.made


def result(proposal):
    return lab_results.result_of(lab.newest_test(proposal))


def values(proposal):
    return [(pair.old.value, pair.new.value) for pair in result(proposal).pairs]


@pytest.mark.parametrize(
    ("slug", "policy", "told"),
    [
        ("early-warning", {"share_percent": 70}, (2, 1)),
        ("early-warning", {"after_days": 3_000}, (2, 0)),
        ("at-risk", {"within_days": 3_000}, (0, 2)),
        ("renewal-exposure", {"quarters": 20}, (0, 120_000)),
    ],
)
def test_every_day_is_worked_out_of_the_rows_of_its_run(slug, policy, told, ledger, metric_owner):
    learn("03-13T08:00")
    Subscription.objects.update(end=dt.date(2029, 2, 1))
    compute("03-13")
    before = set(MetricRun.objects.values_list("pk", "status", "value"))

    proposal = backtested(slug, metric_owner, **policy)

    assert values(proposal)[-1] == told
    trials = lab_results.trial_runs(lab.newest_test(proposal).trial)
    assert [run.base for run in trials.values()] == [
        runs.run_on(runs.SEATS_DEPLOYED, on) for on in trials
    ]
    assert before <= set(MetricRun.objects.values_list("pk", "status", "value"))
    assert {run.published_at for run in trials.values()} == {None}
    assert runs.run_on(slug).definition.number == 1


def test_contraction_over_another_window(ledger, metric_owner):
    learn("03-13T08:00")
    Subscription.objects.filter(account=ledger[0]).update(seats=70)
    compute("03-13")
    compute("03-14")

    proposal = backtested("contraction", metric_owner, window_days=1)

    assert values(proposal) == [(0, 0)] * 3 + [(30, 30), (30, 0)]
    (moved,) = lab_results.moved(result(proposal).newest)
    assert (moved.account, moved.kind, moved.old.adds, moved.new.adds) == (ledger[0], "left", 30, 0)


def test_accounts_that_change_say_what_they_add_under_both(ledger, metric_owner, login, tam):
    proposal = backtested("early-warning", metric_owner, share_percent=70)
    newest = result(proposal).newest
    (moved,) = lab_results.moved(newest)
    assert (moved.account, moved.kind, moved.old.adds, moved.new.adds) == (ledger[0], "left", 1, 0)
    assert lab_results.flips(newest) == lab_results.Flips(left=1)

    client = login(tam)
    page = said(client.get(f"/metric/lab/DEF-{proposal.pk}/"))
    assert "1 on 12 March" in page or "1 on 12 Mar" in page
    assert "Early warnings as published" in page
    sides = said(client.get(f"/metric/lab/DEF-{proposal.pk}/sides/"))
    assert "Alder" in sides
    assert "Birch" not in sides
    csv = b"".join(client.get(f"/metric/lab/DEF-{proposal.pk}/sides.csv")).decode()
    assert csv.splitlines()[1].endswith(",1,0")


def test_a_day_of_a_back_test_is_written_once(ledger, metric_owner):
    proposal = backtested("early-warning", metric_owner, share_percent=70)
    test = lab.newest_test(proposal)
    base = runs.run_on(runs.SEATS_DEPLOYED, day("03-10"))

    compute_trial(test.trial, base, by=system_user())

    assert MetricRun.objects.filter(definition=test.trial).count() == 3
    assert catch_up_missing(now=moment("03-14"), by=system_user()) == 0


def test_it_is_not_proposed_without_a_back_test(ledger, metric_owner):
    proposal = draft("early-warning", metric_owner, share_percent=70)
    with pytest.raises(Blocked):
        proposals.move(proposal, "propose", by=metric_owner, at=AT)
    assert "It was not back-tested" in lab.untested(proposal)


@pytest.mark.parametrize("slug", derived.RULES)
def test_each_can_be_proposed_with_other_parameters(slug, ledger, metric_owner, leadership):
    policy = {"window_days": 7} if slug == derived.CONTRACTION else {"min_arr": "59999.99"}
    made = approved(slug, metric_owner, leadership, **policy)
    assert (made.slug, made.number, made.valid_from) == (slug, 2, day("04-01"))
    before = runs.run_on(slug)
    compute("03-31")
    learn("04-01T08:00")
    compute("04-01")
    after = runs.run_on(slug, day("04-01"))
    assert (before.definition.number, after.definition) == (1, made)


def test_accounts_with_little_arr_leave_a_sum(ledger, metric_owner, login, tam):
    learn("03-13T08:00")
    Subscription.objects.filter(account=ledger[1]).update(arr=55_000)
    compute("03-13")

    proposal = backtested("arr-at-risk", metric_owner, min_arr="55000")

    (moved,) = lab_results.moved(result(proposal).newest)
    assert (moved.account, moved.kind, moved.old.adds, moved.new.adds) == (
        ledger[1], "left", 55_000, 0,
    )  # fmt: skip
    assert values(proposal)[-1][0] - values(proposal)[-1][1] == 55_000
    assert "Only accounts with ARR above" in said(login(tam).get(f"/metric/lab/DEF-{proposal.pk}/"))


def test_programs_propose_and_read_it_by_version(ledger, metric_owner, api_client, time_machine):
    time_machine.move_to(AT, tick=False)
    client = api_client(metric_owner)
    path = "/api/v1/definition-proposals/"
    sent = {"from_metric": "arr-at-risk", "policy": {"min_arr": "60000"}, "text": "x", "why": "x"}

    made = client.post(path, sent, format="json").json()
    assert made["policy"] == {"min_arr": "60000"}
    one = f"{path}{made['id']}/"
    assert client.post(f"{one}backtest/", {}, format="json").status_code == 202
    assert backtests.run(Backtest.objects.get().pk, clock=lambda: AT)

    told = client.get(f"{one}backtest/").json()
    assert told["flips"] == {"up": 0, "down": 0, "left": 2, "entered": 0}
    assert told["days"][-1] == {
        "as_of": "2026-03-12", "published": "120000.00", "definition_version": 1,
        "proposed": "0.00",
    }  # fmt: skip
    number = client.get("/api/v1/metrics/arr-at-risk/?as_of=2026-03-12").json()
    assert (number["value"], number["definition_version"]) == ("120000.00", 1)


@pytest.mark.parametrize("sent", [-1, "1e9", "x", None, [], {}, True, "1" * 40, "0.0000001"])
def test_an_amount_that_is_none_is_refused_by_its_name(sent, ledger, metric_owner):
    with pytest.raises(ValidationError) as refused:
        draft("adoption", metric_owner, min_arr=sent)
    assert set(refused.value.error_dict) == {"min_arr"}


def test_the_same_parameters_have_nothing_to_test(ledger, metric_owner):
    same = draft("adoption", metric_owner, min_arr="0.00")
    with pytest.raises(Conflict, match="same"):
        backtests.start_backtest(same, by=metric_owner, at=AT)


def test_the_new_version_begins_from_scratch_and_goes_on(ledger, metric_owner, leadership):
    made = approved("early-warning", metric_owner, leadership, share_percent=70)
    compute("03-31")
    learn("04-01T08:00")
    read(ledger[2], 91, "04-01T08:00")

    told = []
    for each in ("04-01", "04-02", "04-03"):
        run = compute(each).run
        number = of("early-warning", run)
        told.append((number.definition, number.value))
        assert derived_sums.sums_read(number.parts["sums"]) == oracle(
            run, "early-warning", Policy.read(number.definition.policy)
        )

    assert told == [(made, 1)] * 3
    assert of("early-warning", compute("03-31").run).definition.number == 1
    # What went on from a night before is the same as from all rows.
    trial = MetricDefinition.objects.create(
        slug="early-warning", rule="early-warning", title="x", unit="count", text="x",
        policy=made.policy, valid_from=day("04-01"),
    )  # fmt: skip
    compute_trial(trial, run, by=system_user())
    assert MetricRun.objects.get(definition=trial).parts == number.parts


@pytest.mark.parametrize(
    ("slug", "policy", "delta", "by_definition"),
    [
        ("early-warning", {"share_percent": 70}, 0, -1),
        ("renewal-exposure", {"quarters": 1}, 0, -180_000),
        ("contraction", {"window_days": 1}, -30, -30),
    ],
)
def test_a_change_of_definition_comes_first(
    slug, policy, delta, by_definition, metric_owner, leadership, login, tam
):
    learn("01-01")
    accounts = [customer(seats, name=name) for name, seats in
                (("Alder", 72), ("Birch", 60), ("Cedar", 76))]  # fmt: skip
    Subscription.objects.update(end=dt.date(2026, 6, 30))
    compute("03-10")
    learn("03-11T08:00")
    Subscription.objects.filter(account=accounts[1]).update(seats=70)
    compute("03-11")
    learn("03-12T08:00")
    Subscription.objects.filter(account=accounts[1]).update(seats=100)
    compute("03-12")
    approved(slug, metric_owner, leadership, **policy)
    learn("04-01T08:00")
    read(accounts[2], 60, "04-01T08:00")
    compute("04-01")
    before, after = (runs.run_on(slug, day(on)) for on in ("03-12", "04-01"))

    found = explanation(before, after)

    assert found.delta == after.value - before.value == delta
    assert sum(each.value for each in found.contributions) == delta
    labelled = [each.value for each in found.contributions if each.cause == "definition_changed"]
    assert sum(labelled) == by_definition
    assert found.restated == before.value + by_definition
    page = said(login(tam).get(f"/metric/figures/{slug}/changes/?as_of=2026-04-01&vs=2026-03-12"))
    assert "Definition changed" in page


def test_what_left_meanwhile_is_in_the_old_day_under_the_new_definition(db):
    """An account out on both days under their definitions, and in on the old day under the new."""
    learn("01-01")
    account = customer(60)
    Subscription.objects.filter(account=account).update(end=dt.date(2026, 8, 1))
    for number, begins, quarters in ((2, "03-01", 1), (3, "04-01", 4)):
        MetricDefinition.objects.create(
            slug="renewal-exposure", number=number, rule="renewal-exposure", title="x",
            unit="money", text="x", policy={"quarters": quarters}, valid_from=day(begins),
        )  # fmt: skip
    compute("03-13")
    learn("04-01T08:00")
    Subscription.objects.filter(account=account).update(end=None)
    compute("04-01")
    before, after = (runs.run_on("renewal-exposure", day(on)) for on in ("03-13", "04-01"))
    assert (before.definition.number, after.definition.number) == (2, 3)

    found = explanation(before, after)

    assert (before.value, after.value, found.restated) == (0, 0, 60_000)
    assert [(each.cause, each.value) for each in found.contributions] == [
        ("definition_changed", 60_000), ("renewal_moved", -60_000),
    ]  # fmt: skip


def test_the_log_names_the_numbers_and_their_versions(ledger):
    event = Event.objects.filter(verb="metric.computed").latest("pk")
    assert event.after["worked_out"] == dict.fromkeys(
        ("net-seats-deployed", "arr-at-risk", "early-warning", "at-risk", "adoption",
         "renewal-exposure", "contraction"), 1,
    )  # fmt: skip


def test_coverage_of_adoption_falls(ledger, metric_owner):
    learn("03-13T08:00")
    for account in ledger:
        read(account, 80, "03-13T08:00", monthly_active=40)
    compute("03-13")
    learn("03-14T08:00")
    read(ledger[0], 80, "03-14T08:00")
    compute("03-14")
    rule = AlertRule(
        slug="adoption", kind="coverage_fell", value=Decimal("0.1"), days=1, made_by=metric_owner
    )
    asked = alerts.ask(rule)
    assert asked.verdict.holds
    assert "coverage fell 33.3 points" in asked.verdict.says
    assert asked.run.definition.slug == "adoption"
