"""What somebody may try with the numbers, and what two people do at the same moment."""

import datetime as dt
import threading
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection

from accounts.models import Account
from config.lib.errors import Conflict
from events.models import Notice
from events.workflow import Blocked, Given, perform
from metrics.models import (
    Alert,
    AlertRule,
    BoardPack,
    DefinitionProposal,
    HealthOverride,
    HealthPolicy,
    MetricDefinition,
    MetricRun,
)
from metrics.rules import parameters
from metrics.rules.packs import Month
from metrics.rules.parameters import BadPolicy
from metrics.selectors import alerts as alert_selectors
from metrics.selectors import health, lab, packs, runs
from metrics.services import alerts, health_overrides, health_policy, proposals
from metrics.services.packs import NothingNew, TooEarly, make_pack
from metrics.workflows import ALERT
from people.models import Role
from tests.factories import AssignmentFactory
from tests.metrics import alarms
from tests.metrics.scene import SLUG, compute, customer, day, learn, moment, read
from tests.metrics.test_lab import AT, DAYS, draft, proposed


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


def at_once(*works):
    """Do them at the same moment; return what each raised, or None."""
    barrier, found = threading.Barrier(len(works)), [None] * len(works)

    def run(place, work):
        barrier.wait(10)
        try:
            work()
        except Exception as error:  # noqa: BLE001 every error is looked at
            found[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return found


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
        second = proposed(
            base, metric_owner, policy={"stale_days": 30}, effective_on=day("05-01")
        )
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


class TestAlerts:
    @pytest.mark.django_db
    def test_a_rule_that_breaks_does_not_silence_the_others(self, leadership, monkeypatch):
        broken = alarms.rule("above", "0.1")
        kept = AlertRule.objects.create(
            slug=SLUG, kind="below", value=Decimal("0.7"), tells=["leadership"]
        )
        alarms.run("03-10", 65)
        real = alert_selectors.ask

        def ask(rule, **given):
            if rule.pk == broken.pk:
                raise ArithmeticError("a number that nobody thought of")
            return real(rule, **given)

        monkeypatch.setattr(alert_selectors, "ask", ask)
        assert alarms.ask("03-10") == 1
        assert Alert.objects.get().rule == kept

    @pytest.mark.django_db(transaction=True)
    def test_a_snooze_beside_the_night_breaks_neither(self, leadership, metric_owner):
        """The night that ends an alert while somebody snoozes it waits for them."""
        alarms.rule()
        alarms.run("03-10", 65)
        alarms.ask("03-10")
        alarms.run("03-11", 80)
        alert = Alert.objects.get()
        given = Given(reason="We know.", values={"until": "2026-03-20"}, as_text=True)
        at = moment("03-12T03:00")
        snoozed, asked = at_once(
            lambda: perform(ALERT, alert, "snooze", by=leadership, at=at, given=given),
            lambda: alerts.evaluate(at=at),
        )
        assert asked is None
        assert snoozed is None or isinstance(snoozed, Blocked)
        alert.refresh_from_db()
        assert alert.state == "over"

    @pytest.mark.django_db
    def test_an_old_day_computed_anew_raises_nothing(self, leadership):
        alarms.rule()
        alarms.run("03-10", 75)
        alarms.run("03-11", 75)
        alarms.ask("03-11")
        alarms.run("03-10", 40, revision=2)
        assert alarms.ask("03-11", hour=5) == 0
        assert not Alert.objects.exists()

    @pytest.mark.django_db
    def test_many_revisions_are_one_alert_and_one_word(self, leadership):
        alarms.rule()
        for revision in range(1, 12):
            alarms.run("03-10", 60 - revision % 2, revision=revision)
            alarms.ask("03-10", hour=revision)
        assert Alert.objects.count() == 1
        assert Notice.objects.filter(kind="alert").count() == 1

    @pytest.mark.django_db
    def test_only_those_who_have_the_role_by_then_are_told(self, person):
        left, gone = person(Role.LEADERSHIP), person(Role.LEADERSHIP)
        twice = person(Role.LEADERSHIP, Role.METRIC_OWNER)
        alarms.rule(tells=("leadership", "metric_owner"))
        left.groups.clear()
        gone.is_active = False
        gone.save(update_fields=["is_active"])
        alarms.run("03-10", 65)
        alarms.ask("03-10")
        assert [each.to for each in Notice.objects.filter(kind="alert")] == [twice]

    @pytest.mark.parametrize(
        "sent",
        [
            {"value": "NaN"},
            {"value": "1e400"},
            {"value": -1},
            {"value": "2"},
            {"value": True},
            {"days": 10**9},
            {"days": 0},
            {"kind": "coverage"},
            {"kind": ["below"]},
            {"tells": []},
            {"tells": ["everybody"]},
            {"tells": "leadership"},
            {"metric": "seats-established"},
            {"metric": "\x00"},
            {"note": "x" * 201},
        ],
    )
    @pytest.mark.django_db
    def test_no_absurd_rule_gets_in(self, sent, api_client, metric_owner):
        before = AlertRule.objects.count()
        body = {"metric": SLUG, "kind": "fell", "value": "0.05", "days": 7,
                "tells": ["leadership"]} | sent  # fmt: skip
        answer = api_client(metric_owner).post("/api/v1/alert-rules/", body, format="json")
        assert answer.status_code == 400, answer.content
        assert AlertRule.objects.count() == before


class TestHealth:
    @pytest.mark.django_db(transaction=True)
    def test_two_policies_of_one_day_at_once(self, metric_owner):
        parts = [{"code": "deployment", "weight": 100}]
        bands = [{"name": "Fine", "from": 50}, {"name": "Poor", "from": 0}]
        on = dt.date(2026, 4, 1)

        def begin():
            health_policy.begin_policy(
                start=on, parts=parts, bands=bands, note="Why.", by=metric_owner, at=AT
            )

        raised = at_once(begin, begin)
        assert raised.count(None) == 1, raised
        assert any(isinstance(each, Conflict) for each in raised), raised
        assert HealthPolicy.objects.filter(start=on).count() == 1

    @pytest.mark.django_db
    def test_who_was_the_owner_is_it_no_more(self, tam, person):
        account = customer(80)
        AssignmentFactory(
            account=account, user=tam, role="TAM", primary=True,
            start=day("01-01"), end=day("03-15"),
        )  # fmt: skip
        word = {"band": health.band_names(day("03-20"))[0], "reason": "I know them."}
        health_overrides.override_health(
            account, **word, until=day("03-20"), by=tam, at=moment("03-14T12:00")
        )
        for until in (day("03-25"), day("03-20")):
            with pytest.raises(PermissionDenied):
                health_overrides.override_health(account, **word, until=until, by=tam, at=AT)
        with pytest.raises(PermissionDenied):
            health_overrides.end_override(account, by=tam, at=AT)
        # Its last day is over before any night has ended it.
        assert health.override_on(account, day("03-21")) is None

    @pytest.mark.django_db(transaction=True)
    def test_of_two_words_at_once_one_stands(self, leadership, person):
        account = customer(80)
        word = {"band": health.band_names(day("03-20"))[0], "until": day("03-30"), "at": AT}
        lead = person(Role.DE_LEAD)
        raised = at_once(
            lambda: health_overrides.override_health(account, reason="A.", by=leadership, **word),
            lambda: health_overrides.override_health(account, reason="B.", by=lead, **word),
        )
        assert raised == [None, None]
        assert HealthOverride.objects.filter(account=account, ended_at=None).count() == 1


NAMES = [
    '#read("/etc/passwd")',
    "$x$ @ref <label> [*_`",
    "</script><svg onload=alert(1)>&amp;",
    "\\u{41} ]]> -- /* //",
]


class TestPacks:
    @pytest.fixture
    def month(self, db):
        learn("02-01")
        found = [customer(79, at="02-20", name=name) for name in NAMES]
        compute("02-28")
        learn("03-10")
        for each in found:
            read(each, 86, "03-10")
        compute("03-31")

    def test_names_are_words_on_the_page_and_on_paper(self, month, login, leadership):
        pack = make_pack(Month.parse("2026-03"), by=leadership, at=moment("04-01T09:00"))
        assert bytes(pack.pdf).startswith(b"%PDF")
        text = login(leadership).get("/metric/packs/2026-03/").content.decode()
        assert "<svg onload" not in text
        assert "&lt;svg onload=alert(1)&gt;" in text

    def test_a_month_ahead_held_or_before_the_ledger_makes_none(self, month, leadership):
        at = moment("04-01T09:00")
        for key in ("2026-04", "2099-12", "1990-01", "2026-01"):
            with pytest.raises(TooEarly):
                make_pack(Month.parse(key), by=leadership, at=at)
        run = MetricRun.objects.get(definition__slug=SLUG, day=day("03-31"))
        MetricRun.objects.filter(pk=run.pk).update(status="held", published_at=None)
        with pytest.raises(TooEarly, match="held"):
            make_pack(Month.parse("2026-03"), by=leadership, at=at)

    @pytest.mark.parametrize("key", ["2026-13", "0000-00", "9999-01", "2026-3", "2026-03-01"])
    def test_a_month_that_is_none_is_no_page(self, key, db, login, leadership):
        client = login(leadership)
        for path in (f"/metric/packs/{key}/", f"/metric/packs/{key}/pack.pdf"):
            assert client.get(path).status_code == 404

    def test_without_a_role_nothing_is_handed_out(self, month, login, leadership, person):
        pack = make_pack(Month.parse("2026-03"), by=leadership, at=moment("04-01T09:00"))
        client = login(person())
        for path in ("/metric/packs/", "/metric/packs/2026-03/", "/metric/packs/2026-03/pack.pdf"):
            assert client.get(path).status_code == 403, path
        assert client.get(f"/api/v1/board-packs/{pack.uuid}/pdf/").status_code in {401, 403}

    def test_what_it_says_cannot_be_changed_behind_its_back(self, month, leadership):
        make_pack(Month.parse("2026-03"), by=leadership, at=moment("04-01T09:00"))
        with connection.cursor() as cursor, pytest.raises(DatabaseError):
            cursor.execute(
                "UPDATE metrics_boardpack SET told = jsonb_set(told, '{number,numerator}', '9')"
            )

    def test_a_month_without_an_eligible_account_has_a_pack_all_the_same(
        self, db, login, leadership
    ):
        learn("02-01")
        customer(50, status="prospect")
        compute("03-31")
        pack = make_pack(Month.parse("2026-03"), by=leadership, at=moment("04-01T09:00"))
        assert bytes(pack.pdf).startswith(b"%PDF")
        assert login(leadership).get("/metric/packs/2026-03/").status_code == 200

    @pytest.mark.django_db(transaction=True)
    def test_two_makes_at_once_are_one_edition(self, leadership, metric_owner):
        compute("03-31", known_at="04-01T01:00")
        at = moment("04-01T09:00")
        raised = at_once(
            lambda: make_pack(Month.parse("2026-03"), by=leadership, at=at),
            lambda: make_pack(Month.parse("2026-03"), by=metric_owner, at=at),
        )
        assert raised.count(None) == 1, raised
        assert any(isinstance(each, NothingNew) for each in raised), raised
        assert BoardPack.objects.get().edition == 1


class TestNumbers:
    @pytest.mark.django_db
    def test_sums_beyond_the_column_say_so_and_let_the_night_pass(self, login, api_client, tam):
        learn("01-01")
        for _ in range(3):
            account = customer(10)
            account.subscriptions.update(arr=Decimal("999999999999.9999"), seats=2_147_483_647)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE accounts_subscription SET arr = 999999999999.9999")
        run = compute("03-10").run
        assert run.derived.count() == 7
        for each in run.derived.select_related("definition"):
            path = f"/metric/figures/{each.definition.slug}/"
            assert login(tam).get(path).status_code == 200, path
            answer = api_client(tam).get(f"/api/v1/metrics/{each.definition.slug}/")
            assert answer.status_code == 200, answer.content

    @pytest.mark.django_db
    def test_an_account_that_is_gone_is_in_no_number_and_the_day_before_keeps_it(
        self, login, tam
    ):
        learn("03-01")
        stays, leaves = customer(50), customer(50, name="Leaves")
        compute("03-10")
        learn("03-11T12:00")
        Account.objects.filter(pk=leaves.pk).update(archived=True)
        compute("03-11")
        numbers = {
            (run.day, run.definition.slug): run.denominator
            for run in MetricRun.objects.exclude(base=None).select_related("definition")
        }
        for slug in ("net-seats-deployed", "arr-at-risk", "early-warning", "adoption"):
            assert (numbers[day("03-10"), slug], numbers[day("03-11"), slug]) == (2, 1), slug
            for on in ("2026-03-10", "2026-03-11"):
                page = login(tam).get(f"/metric/figures/{slug}/accounts/?as_of={on}")
                assert page.status_code == 200, page.content
