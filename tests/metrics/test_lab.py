"""Definitions on trial: proposing, back-testing, deciding."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from config.lib.errors import Conflict, Invalid, StaleWrite
from events.models import Event, Notice
from events.services import acting_token
from events.workflow import Blocked, Given
from metrics.models import Backtest, DefinitionProposal, MetricDefinition, MetricRun
from metrics.rules.parameters import SEATS_RULE, whole
from metrics.rules.wording import near_miss, seats_text
from metrics.selectors import lab, lab_results, runs
from metrics.services import backtests, proposals
from metrics.services import runs as computing
from metrics.workflows import DEFINITION
from people.models import Role
from tests.metrics.scene import LATER, SLUG, compute, customer, day, learn, moment, read

AT = moment("03-20T12:00")
DAYS = ("03-10", "03-11", "03-12")
STATES = DefinitionProposal.State.values


@pytest.fixture
def ledger(db):
    """Three days: one account at 85%, one at 77%, one at 50% of its seats."""
    learn("01-01")
    accounts = [customer(seats, name=name) for name, seats in
                (("Alder", 85), ("Birch", 77), ("Cedar", 50))]  # fmt: skip
    for each in DAYS:
        compute(each)
    return accounts


@pytest.fixture
def base(db):
    return runs.definition_on(SLUG, day("03-20"))


def draft(base, by, **sent):
    policy = sent.pop("policy", {"share_percent": 75})
    values = {"why": "The board asked for it.", **sent, "policy": policy}
    if policy and "text" not in values:
        values["text"] = seats_text({**whole(SEATS_RULE, base.policy), **policy})
    return proposals.create_proposal(base, values, by=by, at=AT)


def backtested(base, by, **sent):
    proposal = draft(base, by, **sent)
    test = backtests.start_backtest(proposal, by=by, at=AT)
    assert backtests.run(test.pk, clock=lambda: AT)
    return proposal


def proposed(base, by, **sent):
    proposal = backtested(base, by, **sent)
    proposals.move(proposal, "propose", by=by, at=AT)
    return proposal


def shares(proposal):
    test = lab.newest_test(proposal)
    return [
        (pair.old.numerator, pair.new.numerator, pair.new.denominator)
        for pair in lab_results.result_of(test).pairs
    ]


def test_the_text_written_from_the_parameters_is_the_published_one(base):
    assert seats_text(whole(SEATS_RULE, base.policy)).split() == base.text.split()


@pytest.mark.parametrize("percent", range(1, 101))
def test_the_near_miss_of_a_text_rounds_to_the_share_and_misses_it(percent):
    deployed, licensed = near_miss(percent)

    assert 100 * deployed < percent * licensed
    assert round(100 * deployed / licensed + 1e-9) == percent


def test_a_back_test_computes_the_ledger_under_other_rules(ledger, base, metric_owner):
    before = list(MetricRun.objects.values_list("pk", "definition", "status", "numerator"))

    proposal = backtested(base, metric_owner)

    assert shares(proposal) == [(1, 2, 3)] * 3
    assert lab.newest_test(proposal).progress == "done"
    assert runs.published_runs(SLUG).count() == 3
    # What was published stays as it was, under the version it was computed by.
    assert set(before) <= set(
        MetricRun.objects.values_list("pk", "definition", "status", "numerator")
    )
    pair = lab_results.result_of(lab.newest_test(proposal)).newest
    (moved,) = lab_results.moved(pair)
    assert (moved.account, moved.kind, moved.old.reason, moved.new.reason) == (
        ledger[1], "up", "below", "passes",
    )  # fmt: skip
    assert lab_results.flips(pair) == lab_results.Flips(up=1)


def test_a_back_test_knows_what_the_published_day_knew(ledger, base, metric_owner):
    learn("03-15")
    read(ledger[2], 99, "03-10T09:00")

    proposal = backtested(base, metric_owner)

    assert shares(proposal)[0] == (1, 2, 3)


def test_a_back_test_goes_on_after_a_day_that_broke(ledger, base, metric_owner, monkeypatch):
    proposal = draft(base, metric_owner)
    test = backtests.start_backtest(proposal, by=metric_owner, at=AT)
    real, asked = computing.compute_trial, []

    def breaks(definition, on, **given):
        asked.append(on)
        if on == day("03-11") and len(asked) == 2:
            real(definition, on, **given)
            raise RuntimeError("the worker is gone in the middle of a day")
        return real(definition, on, **given)

    monkeypatch.setattr(computing, "compute_trial", breaks)
    backtests.run(test.pk, clock=lambda: AT)
    test.refresh_from_db()
    assert (test.progress, test.done_to, test.attempts) == ("running", day("03-10"), 1)

    backtests.run(test.pk, clock=lambda: AT)
    test.refresh_from_db()
    assert (test.progress, test.done_to, test.attempts) == ("done", day("03-12"), 0)
    assert MetricRun.objects.filter(definition=test.trial).count() == 3
    assert shares(proposal) == [(1, 2, 3)] * 3


def test_a_back_test_that_breaks_three_times_says_so_and_can_go_on(
    ledger, base, metric_owner, monkeypatch
):
    proposal = draft(base, metric_owner)
    test = backtests.start_backtest(proposal, by=metric_owner, at=AT)
    with monkeypatch.context() as broken:
        broken.setattr(computing, "compute_trial", lambda *_, **__: 1 / 0)
        for _ in range(4):
            backtests.run(test.pk, clock=lambda: AT)
    test.refresh_from_db()
    assert test.progress == "failed"
    assert "10 Mar 2026 could not be computed (ZeroDivisionError), three times" in test.error

    again = backtests.start_backtest(proposal, by=metric_owner, at=AT)
    backtests.run(test.pk, clock=lambda: AT)
    again.refresh_from_db()
    assert (again.pk, again.progress) == (test.pk, "done")


def test_a_worker_that_is_lost_three_times_ends_it(ledger, base, metric_owner):
    test = backtests.start_backtest(draft(base, metric_owner), by=metric_owner, at=AT)
    Backtest.objects.filter(pk=test.pk).update(attempts=3, progress="running")

    assert not backtests.run(test.pk, clock=lambda: AT)

    test.refresh_from_db()
    assert test.progress == "failed"


def test_a_back_test_is_stopped_and_goes_on_from_there(ledger, base, metric_owner, monkeypatch):
    proposal = draft(base, metric_owner)
    test = backtests.start_backtest(proposal, by=metric_owner, at=AT)
    real = computing.compute_trial

    def stops(*given, **named):
        backtests.stop_backtest(proposal, by=metric_owner, at=AT)
        return real(*given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(computing, "compute_trial", stops)
        backtests.run(test.pk, clock=lambda: AT)
    test.refresh_from_db()
    assert (test.progress, test.done_to) == ("stopped", day("03-10"))
    assert "did not get to its end" in lab.untested(proposal)

    backtests.start_backtest(proposal, by=metric_owner, at=AT)
    backtests.run(test.pk, clock=lambda: AT)
    test.refresh_from_db()
    assert test.progress == "done"


def test_a_back_test_is_asked_for_once_and_over_days_that_are_there(ledger, base, metric_owner):
    proposal = draft(base, metric_owner)
    with pytest.raises(Invalid, match="10 Mar 2026 to 12 Mar 2026"):
        backtests.start_backtest(proposal, day("01-01"), by=metric_owner, at=AT)
    with pytest.raises(Invalid, match="before the first"):
        backtests.start_backtest(proposal, day("03-12"), day("03-10"), by=metric_owner, at=AT)
    test = backtests.start_backtest(proposal, by=metric_owner, at=AT)
    with pytest.raises(Conflict, match="under way"):
        backtests.start_backtest(proposal, by=metric_owner, at=AT)
    backtests.run(test.pk, clock=lambda: AT)
    with pytest.raises(Conflict, match="already"):
        backtests.start_backtest(proposal, by=metric_owner, at=AT)


def test_the_sweeper_rings_for_what_waits(ledger, base, metric_owner, monkeypatch):
    test = backtests.start_backtest(draft(base, metric_owner), by=metric_owner, at=AT)
    rung = []
    monkeypatch.setattr("events.outbox.ring", lambda *given: rung.append(given))

    assert backtests.sweep() == 1
    assert rung == [(backtests.TASK, test.pk)]


def test_approval_makes_the_next_version(ledger, base, metric_owner, leadership):
    proposal = proposed(base, metric_owner, effective_on=day("04-01"))
    assert Notice.objects.filter(to=leadership, kind="asked_of_you").count() == 1

    proposals.move(proposal, "approve", by=leadership, at=AT)

    made = proposal.made
    assert (made.slug, made.number, made.valid_from) == (SLUG, 2, day("04-01"))
    assert made == lab.newest_test(proposal).trial
    base.refresh_from_db()
    assert base.valid_to == day("04-01")
    assert runs.definition_on(SLUG, day("03-31")) == base
    assert runs.definition_on(SLUG, day("04-01")) == made
    assert Notice.objects.filter(to=metric_owner, kind="decision").count() == 1
    assert Event.objects.filter(verb="definition.made", object_id=made.uuid).exists()
    # Old days stay under their version, and what was on trial is still there to be drawn.
    compute("04-01")
    by_day = {run.day: run.definition.number for run in runs.series(SLUG)}
    assert by_day == {day(each): 1 for each in DAYS} | {day("04-01"): 2}
    assert len(lab_results.trial_runs(made)) == 3


def test_words_that_were_changed_after_the_back_test_are_those_approved(
    ledger, base, metric_owner, leadership
):
    proposal = backtested(base, metric_owner)
    proposals.change_proposal(
        proposal, {"text": "A better text."}, version=1, by=metric_owner, at=AT
    )
    proposals.move(proposal, "propose", by=metric_owner, at=AT)
    proposals.move(proposal, "approve", by=leadership, at=AT)

    assert proposal.made.text == "A better text."
    assert proposal.made.policy["share_percent"] == 75


def test_rules_that_were_changed_need_another_back_test(ledger, base, metric_owner):
    proposal = backtested(base, metric_owner)
    proposals.change_proposal(
        proposal, {"policy": {"share_percent": 70}}, version=1, by=metric_owner, at=AT
    )

    with pytest.raises(Blocked, match="Run the back-test again"):
        proposals.move(proposal, "propose", by=metric_owner, at=AT)


def test_a_second_number_with_grace(ledger, base, metric_owner, leadership):
    with pytest.raises(ValidationError) as refused:
        draft(base, metric_owner, policy={"grace_days": 90})
    assert set(refused.value.error_dict) == {"grace_days"}

    proposal = proposed(
        base, metric_owner, policy={"grace_days": 90}, slug="seats-established",
        title="Seats deployed, established customers",
    )  # fmt: skip
    proposals.move(proposal, "approve", by=leadership, at=AT)

    assert (proposal.made.slug, proposal.made.number) == ("seats-established", 1)
    base.refresh_from_db()
    assert base.valid_to is None


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"slug": "seats-deployed-2", "policy": {"share_percent": 70}}, "title"),
        ({"slug": "request-time-to-routed", "title": "Other"}, "slug"),
        ({"slug": "No Slug", "title": "Other"}, "slug"),
        ({"effective_on": day("03-19")}, "effective_on"),
        ({"policy": {"share_percent": 0}}, "share_percent"),
        ({"policy": {"share_percent": "80"}}, "share_percent"),
        ({"policy": {"min_arr": 50000}}, "min_arr"),
        ({"policy": {"source_order": ["api"]}}, "source_order"),
        ({"policy": {"exclude_regions": ["Nowhere"]}}, "exclude_regions"),
        ({"policy": {"exclude_regions": "EMEA"}}, "exclude_regions"),
        ({"policy": {"roll_up": 1}}, "roll_up"),
        ({"policy": {"surprise": 1}}, "surprise"),
        ({"policy": {"hold": {}}}, "hold"),
        ({"policy": []}, "policy"),
        ({"number": 7}, "number"),
        ({"title": "a\0b"}, "title"),
    ],
)
def test_what_is_wrong_is_named(sent, field, base, metric_owner):
    with pytest.raises(ValidationError) as refused:
        proposals.create_proposal(base, sent, by=metric_owner, at=AT)

    assert field in refused.value.error_dict


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ({"why": ""}, "Still missing: why"),
        ({"policy": {}}, "Change something"),
    ],
)
def test_what_is_not_ready_is_not_proposed(sent, why, ledger, base, metric_owner):
    proposal = draft(base, metric_owner, **sent)

    with pytest.raises(Blocked, match=why):
        proposals.move(proposal, "propose", by=metric_owner, at=AT)


def test_a_text_that_says_what_no_longer_holds_is_not_proposed(ledger, base, metric_owner):
    proposal = backtested(base, metric_owner, text=base.text)

    with pytest.raises(Blocked, match="The parameters changed and the text did not"):
        proposals.move(proposal, "propose", by=metric_owner, at=AT)


def test_a_draft_changes_from_the_version_that_was_read(base, metric_owner, person):
    proposal = draft(base, metric_owner)
    proposals.change_proposal(proposal, {"title": "One"}, version=1, by=metric_owner, at=AT)
    with pytest.raises(StaleWrite):
        proposals.change_proposal(proposal, {"title": "Two"}, version=1, by=metric_owner, at=AT)
    with pytest.raises(PermissionDenied):
        proposals.change_proposal(
            proposal, {"title": "Two"}, version=2, by=person("metric_owner"), at=AT
        )


def test_an_approval_that_comes_late_is_refused(ledger, base, metric_owner, leadership):
    proposal = proposed(base, metric_owner, effective_on=day("03-21"))

    with pytest.raises(Blocked, match="choose today or a later day"):
        proposals.move(proposal, "approve", by=leadership, at=AT + dt.timedelta(days=2))


def test_of_two_proposals_the_second_must_begin_later(ledger, base, metric_owner, leadership):
    first = proposed(base, metric_owner, effective_on=day("04-01"))
    second = proposed(base, metric_owner, effective_on=day("04-01"), policy={"share_percent": 70})
    proposals.move(first, "approve", by=leadership, at=AT)

    with pytest.raises(Blocked, match="Choose a later day"):
        proposals.move(second, "approve", by=leadership, at=AT)


def test_nobody_approves_their_own_proposal_nor_by_a_token(ledger, base, person, leadership):
    both = person("metric_owner", "leadership")
    proposal = proposed(base, both)
    with pytest.raises(PermissionDenied, match="nobody on their own"):
        proposals.move(proposal, "approve", by=both, at=AT)
    token = acting_token.set("abc")
    try:
        with pytest.raises(PermissionDenied, match="never by a token"):
            proposals.move(proposal, "approve", by=leadership, at=AT)
    finally:
        acting_token.reset(token)


WHO = {
    "propose": {"proposer"},
    "revise": {"proposer"},
    "withdraw": {"proposer"},
    "approve": {"leadership"},
    "reject": {"leadership"},
}


@pytest.mark.parametrize("name", WHO)
def test_who_may_what(name, base, metric_owner, person):
    proposal = draft(base, metric_owner)
    transition = DEFINITION.transition(name)
    people = {"proposer": metric_owner} | {role: person(role) for role in Role.values}

    assert {who for who, user in people.items() if transition.who(user, proposal)} == WHO[name]


@pytest.mark.parametrize(
    ("name", "sources", "target"),
    [
        ("propose", {"draft"}, "proposed"),
        ("revise", {"proposed", "rejected"}, "draft"),
        ("approve", {"proposed"}, "approved"),
        ("reject", {"proposed"}, "rejected"),
        ("withdraw", {"draft", "proposed"}, "withdrawn"),
    ],
)
def test_from_where_to_where(name, sources, target):
    transition = DEFINITION.transition(name)

    assert (set(transition.sources), transition.target) == (sources, target)
    assert {each.id for each in DEFINITION.transitions} == WHO.keys()


def test_a_rejected_one_is_changed_and_proposed_again(ledger, base, metric_owner, leadership):
    proposal = proposed(base, metric_owner)
    proposals.move(
        proposal, "reject", by=leadership, at=AT, given=Given(reason="Not in this year.")
    )
    assert proposal.decided_by == leadership
    proposals.move(proposal, "revise", by=metric_owner, at=AT)
    assert proposal.decided_by is None
    proposals.move(proposal, "propose", by=metric_owner, at=AT)
    assert proposal.state == "proposed"


def test_a_figure_is_approved_only_by_saying_that_no_back_test_exists(metric_owner, leadership):
    base = runs.definition_on("requests-declined", day("03-20"))
    proposal = proposals.create_proposal(
        base,
        {"policy": {"window_days": 30}, "text": "Of 30 days.", "why": "Ninety days are slow."},
        by=metric_owner,
        at=AT,
    )
    with pytest.raises(Conflict, match="No back-test exists"):
        backtests.start_backtest(proposal, by=metric_owner, at=AT)
    proposals.move(proposal, "propose", by=metric_owner, at=AT)
    with pytest.raises(ValidationError):
        proposals.move(proposal, "approve", by=leadership, at=AT)
    given = Given(values={"acknowledged": True})
    proposals.move(proposal, "approve", by=leadership, at=AT, given=given)

    assert (proposal.made.number, proposal.made.policy["window_days"]) == (2, 30)
    assert MetricDefinition.objects.filter(slug="requests-declined").count() == 2
    assert LATER > AT
