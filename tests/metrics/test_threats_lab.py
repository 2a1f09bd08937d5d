"""What somebody may try with definitions, and what two people do at the same moment."""

import datetime as dt
import re

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError

from config.lib.errors import Conflict
from events.workflow import Blocked, Given
from metrics.models import DefinitionProposal, MetricDefinition, MetricRun
from metrics.rules import parameters
from metrics.rules.parameters import BadPolicy
from metrics.selectors import alerts as alert_selectors
from metrics.selectors import lab, runs
from metrics.services import backtests, proposals
from metrics.services.holding import publish_run
from people.models import Role
from tests.metrics.scene import SLUG, compute, customer, day, learn, moment
from tests.metrics.test_lab import AT, DAYS, backtested, draft, proposed
from tests.metrics.together import at_once

OF_THE_NUMBER = (
    "/", "/metric/", "/metric/?as_of=2026-03-11", "/metric/accounts/", "/metric/accounts.csv",
    "/metric/series.csv", "/metric/flips/", "/metric/changes/", "/metric/figures/",
    "/metric/figures/early-warning/", "/metric/figures/early-warning/accounts/",
    "/metric/figures/early-warning/changes/", "/metric/runs/",
    "/metric/alerts/", "/metric/alert-rules/", "/metric/alert-rules/new/", "/metric/packs/",
    "/metric/packs/2026-03/", "/metric/health/", "/metric/what-if/", "/accounts/",
)  # fmt: skip
OF_THE_API = tuple(
    f"/api/v1/{path}"
    for path in (
        "metrics/", "metrics/seats-deployed/", "metrics/seats-deployed/series/",
        "metrics/seats-deployed/rows/", "metrics/seats-deployed/flips/",
        "metrics/seats-deployed/changes/?from=2026-03-10&to=2026-03-12",
        "metrics/early-warning/", "metrics/early-warning/series/", "metrics/early-warning/rows/",
        "alerts/", "alert-rules/", "board-packs/",
    )
)  # fmt: skip
OF_THE_REQUEST = re.compile(
    r'name="csrf-token" content="\w+"|name="csrfmiddlewaretoken" value="\w+"'
    r'|name="once" value="[^"]+"|nonce="[^"]+"|"request_id": ?"\w+"'
)


def told(client, path):
    """Return what is answered, without what belongs to the request."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    return OF_THE_REQUEST.sub("", b"".join(answer).decode())


@pytest.fixture
def ledger(db):
    learn("01-01")
    accounts = [customer(seats) for seats in (85, 77, 50)]
    for each in DAYS:
        compute(each)
    return accounts


@pytest.fixture
def base(db):
    return runs.definition_on(SLUG, day("03-20"))


class TestDefinitions:
    @pytest.mark.parametrize(
        "sent",
        [
            {"share_percent": 0},
            {"share_percent": 101},
            {"share_percent": -1},
            {"share_percent": True},
            {"stale_days": 10**9},
            {"stale_days": 0},
            {"min_arr": "NaN"},
            {"min_arr": "1e400"},
            {"min_arr": "-1"},
            {"min_arr": 10**400},
            {"grace_days": -1},
            {"exclude_regions": ["Atlantis"]},
            {"exclude_regions": [["EMEA"]]},
            {"exclude_segments": "all"},
            {"source_order": ["telemetry"]},
            {"roll_up": "yes"},
            {"hold": {"factor": 0}},
            {"nothing": 1},
        ],
    )
    def test_no_absurd_policy_gets_in(self, sent, base, metric_owner):
        with pytest.raises(ValidationError) as refused:
            draft(base, metric_owner, policy=sent, text="Anything.")
        assert refused.value.error_dict.keys() == sent.keys()
        assert not DefinitionProposal.objects.exists()

    @pytest.mark.parametrize(
        ("slug", "name", "value"),
        [
            ("renewal-exposure", "quarters", 10**9),
            ("renewal-exposure", "quarters", 0),
            ("at-risk", "within_days", 10**9),
            ("early-warning", "share_percent", 101),
            ("contraction", "window_days", 0),
            ("requests-declined", "reopen_days", 3_650),
        ],
    )
    @pytest.mark.django_db
    def test_no_number_can_be_made_to_stop_the_night(self, slug, name, value):
        """What is worked out with `seats-deployed` would take its night down with it."""
        definition = runs.definitions().get(slug=slug)
        assert name in definition.policy
        with pytest.raises(BadPolicy):
            parameters.changed(definition.rule, definition.policy, {name: value})

    @pytest.mark.django_db
    def test_every_parameter_of_every_number_survives_its_extremes(self, ledger):
        for definition in runs.definitions().exclude(rule=SLUG):
            policy = dict(definition.policy)
            for each in parameters.parameters_of(definition.rule, policy):
                if each.kind == "whole":
                    policy[each.name] = each.high
            MetricDefinition.objects.create(
                slug=definition.slug, rule=definition.rule, title=definition.title,
                unit=definition.unit, text=definition.text, policy=policy,
                number=(definition.number or 0) + 1, valid_from=day("03-13"),
            )  # fmt: skip
        run = compute("03-13").run
        assert run.derived.exclude(definition__number=1).count() == 7

    def test_nothing_begins_so_late_that_nobody_could_change_it_any_more(self, base, metric_owner):
        with pytest.raises(ValidationError) as refused:
            draft(base, metric_owner, effective_on=dt.date(2062, 4, 1))
        assert list(refused.value.error_dict) == ["effective_on"]

    @pytest.mark.parametrize("title", ["Adoption", "ADOPTION"])
    def test_no_number_takes_the_title_of_another(self, title, base, metric_owner):
        for slug in (SLUG, "seats-established"):
            with pytest.raises(ValidationError) as refused:
                draft(base, metric_owner, slug=slug, title=title)
            assert list(refused.value.error_dict) == ["title"]

    @pytest.mark.parametrize(
        ("slug", "field"),
        [("adoption", "slug"), ("requests-declined", "slug"), (SLUG, "grace_days")],
    )
    def test_a_second_number_takes_no_name_that_there_is(self, slug, field, base, metric_owner):
        made = draft(base, metric_owner, slug="seats-established", title="Seats, established",
                     policy={"grace_days": 90})  # fmt: skip
        with pytest.raises(ValidationError) as refused:
            proposals.change_proposal(made, {"slug": slug}, version=1, by=metric_owner, at=AT)
        assert field in refused.value.error_dict

    def test_what_was_approved_since_is_not_undone_in_passing(
        self, ledger, base, metric_owner, leadership
    ):
        first = proposed(base, metric_owner, effective_on=day("04-01"))
        second = proposed(base, metric_owner, policy={"stale_days": 30}, effective_on=day("05-01"))
        proposals.move(first, "approve", by=leadership, at=AT)
        with pytest.raises(Blocked, match="would undo what definition 2 changed"):
            proposals.move(second, "approve", by=leadership, at=AT)

    def test_both_roles_in_one_person_do_not_make_two_people(self, ledger, base, person):
        both = person(Role.METRIC_OWNER, Role.LEADERSHIP)
        proposal = proposed(base, both)
        for name in ("approve", "reject"):
            with pytest.raises(PermissionDenied):
                proposals.move(proposal, name, by=both, at=AT)

    def test_trial_runs_answer_nothing(self, ledger, base, metric_owner, login, api_client):
        """Neither before its approval nor after, for the days before it began."""
        proposal = proposed(base, metric_owner, slug="seats-established", title="Established",
                            policy={"grace_days": 90})  # fmt: skip
        trial = lab.newest_test(proposal).trial
        assert MetricRun.objects.filter(definition=trial, status="trial").count() == len(DAYS)
        for path in (
            "/metric/figures/seats-established/",
            "/metric/figures/seats-established/accounts/",
            "/metric/figures/seats-established/accounts.csv",
            "/metric/figures/seats-established/changes/",
        ):
            assert login(metric_owner).get(path).status_code == 404, path
        api = api_client(metric_owner)
        for path in ("metrics/seats-established/", "metrics/seats-established/series/",
                     "metrics/seats-established/accounts/"):  # fmt: skip
            assert api.get(f"/api/v1/{path}").status_code == 404, path
        assert "seats-established" not in api.get("/api/v1/metrics/").content.decode()
        with pytest.raises(MetricDefinition.DoesNotExist):
            runs.definition_on("seats-established", day("03-12"))
        assert runs.run_on("seats-established") is None
        assert alert_selectors.definition_of("seats-established") is None

    @pytest.mark.parametrize("slug", [SLUG, "early-warning"])
    def test_a_back_test_changes_no_page_and_no_answer(
        self, slug, ledger, metric_owner, login, api_client, monkeypatch
    ):
        """Of a version of a number that there is: beside the page of its definition, nothing."""
        browser, api = login(metric_owner), api_client(metric_owner)
        with time_machine.travel(AT, tick=False):
            policy = {"share_percent": 75 if slug == SLUG else 70}
            text = {} if slug == SLUG else {"text": "The line is drawn elsewhere."}
            proposal = draft(runs.definition_on(slug, day("03-20")), metric_owner,
                             policy=policy, **text)  # fmt: skip
            paths = [*OF_THE_NUMBER, f"/accounts/{ledger[1].number}/"]
            [told(browser, path) for path in paths]
            before = {path: told(browser, path) for path in paths}
            before |= {path: told(api, path) for path in OF_THE_API}
            test = backtests.start_backtest(proposal, by=metric_owner, at=AT)
            assert backtests.run(test.pk, clock=lambda: AT)
            trials = MetricRun.objects.filter(status="trial")
            assert trials.count() == len(DAYS)
            for path, answer in before.items():
                assert told(api if path.startswith("/api/") else browser, path) == answer, path
            for run in trials:
                page = f"/metric/runs/{run.uuid}/"
                assert browser.get(page).status_code == 404
                assert browser.post(page, {"reason": "Because."}).status_code == 404
                with pytest.raises(Conflict, match="on trial"):
                    publish_run(run, reason="Because.", by=metric_owner, at=AT)

    def test_of_two_numbers_of_one_title_the_second_is_refused(
        self, ledger, base, metric_owner, leadership
    ):
        """Both titles were free when they were written."""
        rivals = [
            proposed(base, metric_owner, slug=slug, title=title, policy={"grace_days": grace})
            for slug, title, grace in (
                ("seats-established", "Established", 30),
                ("seats-settled", "ESTABLISHED", 60),
            )
        ]
        proposals.move(rivals[0], "approve", by=leadership, at=AT)
        with pytest.raises(Blocked, match="Another number is called “ESTABLISHED” by now"):
            proposals.move(rivals[1], "approve", by=leadership, at=AT)

    def test_what_was_published_stays_under_an_approval_of_today(
        self, ledger, base, metric_owner, leadership
    ):
        """The earliest first day there can be; the days before it come out as they were."""
        shown = {run.day: (run.digest, run.numerator) for run in runs.series(SLUG)}
        proposal = proposed(base, metric_owner, effective_on=day("03-20"))
        proposals.move(proposal, "approve", by=leadership, at=AT)
        for each in DAYS:
            compute(each)
        assert {run.day: (run.digest, run.numerator) for run in runs.series(SLUG)} == shown
        assert {run.definition.number for run in runs.series(SLUG)} == {1}

    @pytest.mark.parametrize("role", sorted({*Role.values} - {Role.METRIC_OWNER}))
    def test_nobody_else_drafts_tests_or_stops(
        self, role, ledger, base, metric_owner, person, login
    ):
        proposal = draft(base, metric_owner)
        other, number = person(role), proposal.pk
        with pytest.raises(PermissionDenied):
            draft(base, other)
        for path in ("edit", "backtest", "backtest/stop", "moves/propose", "moves/withdraw"):
            answer = login(other).post(f"/metric/lab/DEF-{number}/{path}/", {"reason": "No."})
            assert answer.status_code == 403, path
        proposal.refresh_from_db()
        assert (proposal.state, proposal.backtests.count()) == ("draft", 0)

    def test_words_are_words(self, ledger, base, metric_owner, leadership, login):
        """Of a draft, and of the definition that it becomes: in the Handbook too."""
        evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
        text = f"{evil} [x](javascript:alert(1)) <a href='javascript:alert(1)'>x</a>"
        proposal = proposed(base, metric_owner, title=f"Seats {evil}", text=text, why=evil,
                            owner=evil, effective_on=day("04-01"))  # fmt: skip
        paths = [f"/metric/lab/DEF-{proposal.pk}/{tail}" for tail in ("", "sides/")]
        paths += ["/metric/lab/", "/metric/definition/", "/metric/definition/?version=2"]
        proposals.move(proposal, "approve", by=leadership, at=AT)
        with time_machine.travel(moment("04-02T12:00"), tick=False):
            for path in paths:
                page = login(leadership).get(path).content.decode()
                assert "alert(1)" in page or path.endswith("/sides/"), path
                for piece in ("<script>alert", "<img src=x", "<a href='java", 'href="java'):
                    assert piece not in page, (path, piece)

    def test_a_number_on_trial_has_no_target_and_no_rule(
        self, ledger, base, metric_owner, leadership, login, api_client
    ):
        backtested(base, metric_owner, slug="seats-established", title="Established",
                   policy={"grace_days": 90})  # fmt: skip
        path = "/metric/target/?metric=seats-established"
        sent = {"percent": "80", "by_day": "2031-01-01"}
        assert login(leadership).get(path).status_code == 404
        assert login(leadership).post(path, sent).status_code == 404
        rule = {"metric": "seats-established", "kind": "below", "value": "0.7",
                "tells": ["leadership"]}  # fmt: skip
        answer = api_client(leadership).post("/api/v1/alert-rules/", rule, format="json")
        assert answer.status_code == 400


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_of_two_approvals_one_is_told_of_the_other(
        self, ledger, base, metric_owner, leadership, person
    ):
        other = person(Role.LEADERSHIP)
        first, second = (
            proposed(base, metric_owner, policy={"share_percent": share}, effective_on=day(begins))
            for share, begins in ((75, "05-01"), (70, "04-01"))
        )
        raised = at_once(
            lambda: proposals.move(first, "approve", by=leadership, at=AT),
            lambda: proposals.move(second, "approve", by=other, at=AT),
        )
        assert raised.count(None) == 1, raised
        assert any(isinstance(each, Conflict) for each in raised), raised
        assert runs.definitions().filter(slug=SLUG).count() == 2

    def test_two_second_numbers_of_one_name_from_two_versions(
        self, ledger, base, metric_owner, leadership, person
    ):
        newer = proposed(base, metric_owner, effective_on=day("04-01"))
        proposals.move(newer, "approve", by=leadership, at=AT)
        rivals = [
            proposed(each, metric_owner, slug="seats-established", title="Established",
                     policy={"grace_days": grace})
            for each, grace in ((base, 30), (newer.made, 60))
        ]  # fmt: skip
        raised = at_once(
            lambda: proposals.move(rivals[0], "approve", by=leadership, at=AT),
            lambda: proposals.move(rivals[1], "approve", by=person(Role.LEADERSHIP), at=AT),
        )
        assert raised.count(None) == 1, raised
        assert any(isinstance(each, Conflict) for each in raised), raised

    def test_an_approval_beside_a_withdrawal_leaves_one_of_them(
        self, ledger, base, metric_owner, leadership
    ):
        proposal = proposed(base, metric_owner)
        raised = at_once(
            lambda: proposals.move(proposal, "approve", by=leadership, at=AT),
            lambda: proposals.move(proposal, "withdraw", by=metric_owner, at=AT,
                                   given=Given(reason="No.")),
        )  # fmt: skip
        proposal.refresh_from_db()
        assert raised.count(None) == 1, raised
        assert (proposal.state == "approved") == (proposal.made is not None)
        assert any(isinstance(each, Blocked) for each in raised), raised

    def test_a_back_test_begins_once(self, ledger, base, metric_owner):
        proposal = draft(base, metric_owner)

        def begin():
            backtests.start_backtest(proposal, by=metric_owner, at=AT)

        raised = at_once(begin, begin)
        assert raised.count(None) == 1, raised
        assert any(isinstance(each, Conflict) for each in raised), raised
        assert proposal.backtests.count() == 1

    def test_a_stop_beside_its_worker_keeps_what_is_done(self, ledger, base, metric_owner):
        proposal = draft(base, metric_owner)
        test = backtests.start_backtest(proposal, by=metric_owner, at=AT)
        raised = at_once(
            lambda: backtests.run(test.pk, clock=lambda: AT),
            lambda: backtests.stop_backtest(proposal, by=metric_owner, at=AT),
        )
        test.refresh_from_db()
        stopped = raised[1] is None
        assert raised[0] is None, raised
        assert test.progress == ("stopped" if stopped else "done")
        done = MetricRun.objects.filter(status="trial", day__lte=test.done_to or day("01-01"))
        assert done.count() == MetricRun.objects.filter(status="trial").count()
        if stopped:
            backtests.start_backtest(proposal, by=metric_owner, at=AT)
            assert backtests.run(test.pk, clock=lambda: AT)
        test.refresh_from_db()
        assert (test.progress, test.done_to) == ("done", day("03-12"))
        assert MetricRun.objects.filter(status="trial").count() == len(DAYS)
