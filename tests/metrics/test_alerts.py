"""Alerts: raised once, silent while snoozed, over when the number says so."""

import datetime as dt
import threading
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, connections

from config.lib.errors import StaleWrite
from events.models import Event, Notice, OutboxMessage
from events.workflow import Given, perform
from metrics.models import Alert, AlertRule
from metrics.selectors.runs import definitions
from metrics.services import alert_rules, alerts
from metrics.tasks import ask_alert_rules
from metrics.workflows import ALERT
from people.models import Role
from tests.factories import UserFactory
from tests.metrics.alarms import ask, rule, run
from tests.metrics.scene import day, moment

NIGHT = moment("03-11T03:00")


def the_alert():
    return Alert.objects.get()


def notices(kind="alert"):
    return list(Notice.objects.filter(kind=kind).order_by("pk"))


def snooze(by, *, until="2026-03-20", at="03-11T09:00", reason="We know."):
    given = Given(reason=reason, values={"until": until})
    perform(ALERT, the_alert(), "snooze", by=by, at=moment(at), given=given)


@pytest.mark.django_db
class TestAsking:
    def test_a_rule_that_holds_is_raised_once_and_told_once(self, leadership, metric_owner, tam):
        asked = rule(tells=["leadership", "metric_owner"], note="Look at the readings.")
        newest = run("03-10", 65)
        assert [ask("03-10"), ask("03-10", hour=4), ask_alert_rules()] == [1, 0, 0]

        alert = the_alert()
        assert (alert.rule, alert.raised_by, alert.last_run) == (asked, newest, newest)
        assert alert.said == alert.says == "65.0% is below 70%"
        told = notices()
        assert {each.to for each in told} == {leadership, metric_owner}
        assert told[0].title == "Customer Seats Deployed: 65.0% is below 70%"
        assert "Look at the readings." in told[0].body
        assert told[0].path == f"/metric/alerts/{alert.uuid}/"
        assert all(each.mailed_at for each in told)
        assert OutboxMessage.objects.filter(topic="email").count() == len(told)
        event = Event.objects.get(verb="alert.raised")
        assert (event.object_id, event.after["says"]) == (alert.uuid, alert.says)

    def test_while_it_holds_only_the_sentence_follows(self, leadership):
        rule()
        run("03-10", 65)
        ask("03-10")
        same, other = run("03-11", 65), run("03-12", 64)
        assert ask("03-12") == 0
        alert = the_alert()
        assert (alert.last_run, alert.says) == (other, "64.0% is below 70%")
        assert alert.said == "65.0% is below 70%"
        assert same != other
        assert len(notices()) == 1
        version = alert.version
        assert (ask("03-12"), the_alert().version) == (0, version)

    def test_it_is_over_when_the_number_is_back_and_raised_anew_later(self, leadership):
        rule()
        run("03-10", 65)
        ask("03-10")
        run("03-11", 71)
        assert ask("03-11") == 1
        alert = the_alert()
        assert (alert.state, alert.says) == ("over", "71.0% is not below 70%")
        assert alert.over_at == moment("03-12T03:00")
        assert [each.mailed_at for each in notices("alert_over")] == [None]
        run("03-12", 60)
        assert (ask("03-12"), Alert.objects.count()) == (1, 2)
        assert len(notices()) == 2

    def test_what_is_unknown_neither_raises_nor_ends(self, leadership):
        rule()
        run("03-09", None)
        assert (ask("03-09"), Alert.objects.count()) == (0, 0)
        run("03-10", 65)
        ask("03-10")
        run("03-11", None)
        assert ask("03-11") == 0
        alert = the_alert()
        assert alert.state == "open"
        assert alert.says == "the number of 11 Mar 2026 is unknown, so this stands as it was"

    def test_a_change_needs_the_day_before_it(self, leadership):
        rule("fell", "0.05", days=7)
        run("03-10", 64)
        assert (ask("03-10"), Alert.objects.count()) == (0, 0)
        run("03-03", 70)
        assert ask("03-10") == 1
        assert the_alert().says == ("fell 6 points in 7 days, from 70.0% to 64.0%; the rule says 5")

    def test_coverage(self, leadership):
        rule("coverage_fell", "0.1", days=7)
        run("03-03", 70, covered=97)
        run("03-10", 70, covered=85)
        assert ask("03-10") == 1
        assert the_alert().says.startswith("coverage fell 12 points in 7 days")

    def test_a_held_run_raises_nothing_until_it_is_published(self, leadership):
        rule()
        run("03-09", 72)
        held = run("03-10", 10, status="held")
        assert ask("03-10") == 0
        held.status, held.published_at = "published", NIGHT
        held.save(update_fields=["status", "published_at"])
        assert ask("03-10") == 1

    def test_a_revision_asks_again(self, leadership):
        rule("fell", "0.05", days=7)
        run("03-03", 70)
        run("03-10", 64)
        ask("03-10")
        # Late facts: the day to compare with was not that good.
        run("03-03", 66, revision=2)
        assert ask("03-10", hour=5) == 1
        assert the_alert().state == "over"
        run("03-10", 60, revision=2)
        assert ask("03-10", hour=6) == 1
        assert Alert.objects.filter(state="open").count() == 1

    def test_every_family_of_numbers_is_asked(self, leadership):
        rule("above", "100", slug="requests-on-time-not-there")
        assert ask("03-10") == 0
        slug = definitions().filter(unit="duration").first().slug
        rule("above", "16", slug=slug)
        run("03-10", None, slug=slug, value="20.5")
        assert ask("03-10") == 1
        assert the_alert().says == "20.5 hours is above 16 hours"

    def test_a_rule_on_a_number_without_runs_waits(self):
        assert ask("03-10") == 0
        assert AlertRule.objects.filter(slug="arr-at-risk", is_active=True).exists()


@pytest.mark.django_db
class TestSnoozing:
    @pytest.fixture(autouse=True)
    def _raised(self, leadership, metric_owner):
        rule()
        run("03-10", 65)
        ask("03-10")
        Notice.objects.all().delete()

    def test_it_is_silent_until_the_day_is_past_then_says_so_once(self, leadership):
        snooze(leadership, until="2026-03-12")
        run("03-11", 60)
        assert [ask("03-10", hour=20), ask("03-11")] == [0, 0]
        assert (the_alert().state, the_alert().says) == ("snoozed", "60.0% is below 70%")
        assert notices() == []
        # The night after its last day.
        run("03-12", 60)
        assert [ask("03-12"), ask("03-12", hour=4)] == [1, 0]
        assert (the_alert().state, the_alert().snoozed_until) == ("open", None)
        assert [each.title for each in notices()] == [
            "Still so after the snooze. Customer Seats Deployed: 60.0% is below 70%"
        ]

    def test_it_ends_by_itself_while_snoozed(self, leadership):
        snooze(leadership)
        run("03-11", 75)
        assert ask("03-11") == 1
        assert the_alert().state == "over"
        assert notices() == []

    def test_a_snooze_that_is_past_waits_while_the_number_is_unknown(self, leadership):
        snooze(leadership, until="2026-03-11")
        run("03-12", None)
        assert (ask("03-12"), the_alert().state) == (0, "snoozed")

    def test_it_can_be_ended_by_hand(self, metric_owner):
        snooze(metric_owner)
        perform(ALERT, the_alert(), "wake", by=metric_owner, at=NIGHT)
        assert (the_alert().state, the_alert().snoozed_until) == ("open", None)

    @pytest.mark.parametrize(
        ("until", "reason", "field"),
        [
            ("2026-03-10", "We know.", "until"),
            ("2026-06-10", "We know.", "until"),
            ("soon", "We know.", "until"),
            ("", "We know.", "until"),
            ("2026-03-20", " ", "reason"),
        ],
    )
    def test_it_takes_a_reason_and_a_day_within_90(self, leadership, until, reason, field):
        with pytest.raises(ValidationError) as refused:
            snooze(leadership, until=until, reason=reason)
        assert set(refused.value.error_dict) == {field}
        snooze(leadership, until="2026-06-09")

    def test_who_is_not_told_may_not(self, tam, de_lead):
        for person in (tam, de_lead):
            with pytest.raises(PermissionDenied):
                snooze(person)
        AlertRule.objects.update(tells=["de_lead"])
        snooze(de_lead)
        assert the_alert().state == "snoozed"


@pytest.mark.django_db
class TestRules:
    def make(self, by, **values):
        asked = {"slug": "seats-deployed", "kind": "below", "value": 0, "tells": ["leadership"]}
        return alert_rules.make_rule({**asked, **values}, by=by, at=NIGHT)

    def test_one_that_holds_already_is_raised_at_once(self, metric_owner, leadership):
        run("03-10", 65)
        made = self.make(metric_owner, value=Decimal("0.7"))
        assert the_alert().rule == made
        assert Event.objects.filter(verb="alert_rule.made").exists()

    def test_changed_terms_are_asked_at_once(self, metric_owner, leadership):
        asked = rule()
        run("03-10", 65)
        ask("03-10")
        changed = alert_rules.change_rule(
            asked, {"value": Decimal("0.6")}, version=1, by=leadership, at=NIGHT
        )
        assert (changed.version, the_alert().state) == (2, "over")
        with pytest.raises(StaleWrite):
            alert_rules.change_rule(
                asked, {"value": Decimal(1)}, version=1, by=leadership, at=NIGHT
            )

    def test_switched_off_ends_its_alert(self, leadership):
        asked = rule()
        run("03-10", 65)
        ask("03-10")
        alert_rules.change_rule(asked, {"is_active": False}, version=None, by=leadership, at=NIGHT)
        assert the_alert().state == "over"
        assert Event.objects.get(verb="alert.over").reason == alert_rules.OFF
        run("03-11", 60)
        assert ask("03-11") == 0
        alert_rules.change_rule(asked, {"is_active": True}, version=None, by=leadership, at=NIGHT)
        assert Alert.objects.filter(state="open").count() == 1

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"slug": "nobody-knows"}, "metric"),
            ({"kind": "fell", "value": "0.03"}, "days"),
            ({"kind": "fell", "value": "0.03", "days": 367}, "days"),
            ({"kind": "fell", "value": "0", "days": 7}, "value"),
            ({"value": "1.01"}, "value"),
            ({"value": "-1"}, "value"),
            ({"tells": []}, "tells"),
            ({"note": "a\x00b"}, "note"),
        ],
    )
    def test_what_is_wrong_is_named(self, metric_owner, values, field):
        if "value" in values:
            values["value"] = Decimal(values["value"])
        with pytest.raises(ValidationError) as refused:
            self.make(metric_owner, **values)
        assert set(refused.value.error_dict) == {field}

    def test_only_metric_owner_and_leadership(self, person):
        for role in set(Role.values) - {"metric_owner", "leadership"}:
            with pytest.raises(PermissionDenied):
                self.make(person(role))

    def test_the_shipped_ones(self):
        shipped = {(each.slug, each.kind) for each in AlertRule.objects.all()}
        assert shipped == {
            ("seats-deployed", "fell"),
            ("seats-deployed", "coverage_fell"),
            ("contraction", "above"),
            ("arr-at-risk", "rose"),
        }


@pytest.mark.django_db(transaction=True)
def test_two_that_ask_at_once_raise_one_alert():
    UserFactory(roles=["leadership"])
    rule()
    run("03-10", 65)
    barrier = threading.Barrier(3)
    moved = []

    def work():
        barrier.wait(5)
        try:
            moved.append(alerts.evaluate(at=NIGHT))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    connections.close_all()
    assert sorted(moved) == [0, 0, 1]
    assert (Alert.objects.count(), len(notices())) == (1, 1)
    assert day("03-10") + dt.timedelta(days=1) == NIGHT.date()
