"""What somebody may try with alerts and their rules, and what happens at the same moment."""

from decimal import Decimal

import pytest

from events.models import Notice
from events.workflow import Blocked, Given, perform
from metrics.models import Alert, AlertRule
from metrics.selectors import alerts as alert_selectors
from metrics.services import alerts
from metrics.workflows import ALERT
from people.models import Role
from tests.metrics import alarms
from tests.metrics.scene import SLUG, moment
from tests.metrics.together import at_once


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

    @pytest.mark.parametrize("kind", ["above", "fell", "coverage_fell"])
    @pytest.mark.parametrize("value", ["NaN", "Infinity", "-1", "1e9", "101", "", "0x10", "٣"])
    @pytest.mark.django_db
    def test_no_absurd_line_is_typed(self, kind, value, login, leadership):
        before = AlertRule.objects.count()
        answer = login(leadership).post(
            f"/metric/alert-rules/new/?metric={SLUG}",
            {"kind": kind, "value": value, "days": "7", "tells": ["leadership"]},
        )
        assert answer.status_code == 422, answer.content
        assert AlertRule.objects.count() == before

    @pytest.mark.parametrize(
        "sent",
        [
            {"reason": ""},
            {"reason": " "},
            {"reason": "\x00"},
            {"until": ""},
            {"until": "2026-03-19"},
            {"until": "2026-06-19"},
            {"until": "9999-12-31"},
            {"until": ["2026-03-25"]},
            {"until": 20260325},
        ],
    )
    @pytest.mark.django_db
    def test_no_snooze_without_a_reason_or_out_of_its_time(
        self, sent, morning, api_client, leadership
    ):
        alarms.rule()
        alarms.run("03-10", 65)
        alarms.ask("03-10")
        path = f"/api/v1/alerts/{Alert.objects.get().uuid}/transitions/"
        body = {"transition": "snooze", "reason": "Known.", "until": "2026-03-25"} | sent
        assert api_client(leadership).post(path, body, format="json").status_code == 400
        assert Alert.objects.get().state == "open"

    @pytest.mark.parametrize("name", ["end", "raise_again"])
    @pytest.mark.django_db
    def test_nobody_ends_or_raises_one_by_hand(self, name, morning, api_client, person):
        alarms.rule()
        alarms.run("03-10", 65)
        alarms.ask("03-10")
        path = f"/api/v1/alerts/{Alert.objects.get().uuid}/transitions/"
        answer = api_client(person(*Role.values)).post(
            path, {"transition": name, "reason": "Enough."}, format="json"
        )
        assert answer.status_code in {403, 409}, answer.content
        assert Alert.objects.get().state == "open"
