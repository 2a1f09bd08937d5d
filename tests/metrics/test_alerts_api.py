"""Alerts and alert rules over the API."""

import pytest

from metrics.models import Alert, AlertRule
from people.models import Scope
from tests.metrics.alarms import ask, rule, run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("morning")]
ALERTS, RULES = "/api/v1/alerts/", "/api/v1/alert-rules/"
BODY = {
    "metric": "seats-deployed", "kind": "below", "value": "0.7", "tells": ["leadership"],
}  # fmt: skip


@pytest.fixture
def alert(leadership):
    rule("below", "0.7")
    run("03-19", 64)
    ask("03-19")
    return Alert.objects.get()


@pytest.fixture
def client(api_client, leadership):
    return api_client(leadership, Scope.METRICS_READ, Scope.METRICS_WRITE)


def test_alerts_are_listed_with_their_runs(client, alert):
    (found,) = client.get(f"{ALERTS}?metric=seats-deployed&state=open").json()["results"]
    assert found["says"] == "64.0% is below 70%"
    assert found["last_run"] == {"as_of": "2026-03-19", "revision": 1, "definition_version": 1}
    assert found["rule"]["id"] == str(alert.rule.uuid)
    assert client.get(f"{ALERTS}?state=over").json()["results"] == []
    assert client.get(f"{ALERTS}{found['id']}/").headers["ETag"] == f'"{found["id"]}.1"'


def test_one_is_snoozed(client, alert):
    url = f"{ALERTS}{alert.uuid}/transitions/"
    offered = client.get(url).json()["transitions"]
    assert [each["id"] for each in offered] == ["snooze"]
    assert [each["name"] for each in offered[0]["fields"]] == ["until"]
    sent = {"transition": "snooze", "until": "2026-03-25"}
    refused = client.post(url, sent, format="json")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "reason")
    sent["reason"] = "Telemetry is late."
    stale = client.post(url, sent, format="json", headers={"If-Match": f'"{alert.uuid}.9"'})
    assert stale.status_code == 412
    done = client.post(url, sent, format="json")
    assert (done.json()["state"], done.json()["snoozed_until"]) == ("snoozed", "2026-03-25")
    assert client.post(url, {"transition": "end"}, format="json").status_code == 403
    assert client.post(url, {"transition": ["end"]}, format="json").status_code == 400


def test_who_is_not_told_may_not(api_client, tam, alert):
    client = api_client(tam, Scope.METRICS_READ, Scope.METRICS_WRITE)
    url = f"{ALERTS}{alert.uuid}/transitions/"
    assert client.get(url).json()["transitions"][0]["allowed"] is False
    sent = {"transition": "snooze", "until": "2026-03-25", "reason": "No."}
    assert client.post(url, sent, format="json").status_code == 403
    assert client.post(RULES, BODY, format="json").status_code == 403


def test_a_rule_is_made_changed_and_switched_off(client, alert):
    made = client.post(RULES, {**BODY, "kind": "fell", "value": "0.03", "days": 7}, format="json")
    assert made.status_code == 201
    url, told = made.headers["Location"], made.json()
    assert (told["metric"], told["value"], told["days"]) == ("seats-deployed", "0.030000", 7)
    assert client.patch(url, {"value": "0.05"}, format="json").status_code == 428
    match = {"If-Match": made.headers["ETag"]}
    changed = client.patch(url, {"value": "0.05"}, format="json", headers=match)
    assert (changed.json()["value"], changed.json()["version"]) == ("0.050000", 2)
    assert client.patch(url, {"value": "1"}, format="json", headers=match).status_code == 412
    off = client.delete(url, headers={"If-Match": changed.headers["ETag"]})
    assert (off.status_code, off.json()["is_active"]) == (200, False)
    assert AlertRule.objects.count() == 2
    assert client.get(f"{RULES}?is_active=true").json()["results"][0]["kind"] == "below"


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"metric": "nothing"}, "metric"),
        ({"metric": ["a"]}, "metric"),
        ({"value": 0.7}, "value"),
        ({"value": "7e9"}, "value"),
        ({"value": "9" * 40}, "value"),
        ({"value": "1.5"}, "value"),
        ({"kind": "fell"}, "days"),
        ({"kind": "fell", "days": 10**9}, "days"),
        ({"tells": ["king"]}, "tells"),
        ({"tells": "leadership"}, "tells"),
        ({"note": "a\u202eb"}, "note"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_named(client, sent, field):
    answer = client.post(RULES, {**BODY, **sent}, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
