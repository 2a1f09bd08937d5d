"""Reviews over the API: planned, begun, decided, finished, read."""

import pytest

from people.models import Scope
from tests.projects.table import Table

pytestmark = pytest.mark.django_db
LIST = "/api/v1/reviews/"


@pytest.fixture
def table():
    return Table()


@pytest.fixture
def client(table, api_client):
    return api_client(table.lead, Scope.PROJECT_READ, Scope.PROJECT_WRITE)


def post(client, url, body):
    return client.post(url, body, format="json")


def items(table, rest=""):
    return f"{LIST}{table.review.uuid}/items/{rest}"


def decide(client, table, **body):
    return post(client, items(table, f"{table.item.uuid}/transitions/"), body)


def test_a_review_is_run(table, client):
    answer = decide(client, table, decision="schedule", increment=str(table.increment.uuid),
                    note="So we said.", version=table.item.version)  # fmt: skip
    assert (answer.status_code, answer.json()["decision"]) == (200, "schedule")
    assert table.state() == "scheduled"
    for item in table.review.items.filter(decision=""):
        table.decide("keep", item=item)
    ended = post(client, f"{LIST}{table.review.uuid}/transitions/", {"transition": "finish"})
    assert (ended.status_code, ended.json()["state"]) == (200, "held")
    assert "So we said." in ended.json()["minutes"]
    assert client.get(f"{LIST}?state=held").json()["results"][0]["number"] == table.review.number


def test_who_comes_second_is_told_what_was_decided(table, client):
    version = table.item.version
    table.decide("keep", by=table.second_lead)
    late = decide(client, table, decision="split", version=version)
    assert (late.status_code, late.json()["code"]) == (409, "decided")
    assert (late.json()["decision"], late.json()["decided_by"]) == (
        "keep", table.second_lead.name,
    )  # fmt: skip


def test_a_decision_is_taken_back(table, client):
    table.schedule()
    wrong = decide(client, table, decision="take_back")
    assert (wrong.status_code, "reason" in wrong.content.decode()) == (400, True)
    back = decide(client, table, decision="take_back", reason="We wait.")
    assert (back.status_code, back.json()["decision"], table.state()) == (200, "", "ready")


def test_what_blocks_it_is_named(api_client):
    table = Table(request_state="awaiting_signoff")
    client = api_client(table.lead, Scope.PROJECT_WRITE)
    answer = decide(client, table, decision="schedule", increment=str(table.increment.uuid))
    assert (answer.status_code, answer.json()["guards"][0]["code"]) == (409, "agreed")


def test_the_agenda_is_listed_and_a_file(table, client):
    first = client.get(items(table)).json()["results"][0]
    assert {"project_number", "why", "words", "decision", "outcome"} <= first.keys()
    rows = b"".join(client.get(items(table, "?format=csv")).streaming_content).decode()
    assert table.project.number in rows
    assert client.get(f"{LIST}{table.review.uuid}/agenda/").status_code == 200


def test_a_review_is_planned(table, client):
    body = {"meets_at": "2020-01-01T14:00:00Z"}
    assert post(client, LIST, body).status_code == 400
    later = table.now.isoformat().replace("+00:00", "Z")
    made = post(client, LIST, {"meets_at": later, "invited": [str(table.engineer.uuid)]})
    assert (made.status_code, made.json()["state"]) == (201, "planned")
    assert made["Location"].endswith(f"{made.json()['id']}/")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"decision": 7},
        {"decision": ["keep"]},
        {"decision": "keep", "version": "1"},
        {"decision": "keep", "note": "a\x00b"},
        {"decision": "schedule", "increment": ["x"]},
        {"decision": "schedule", "stops": {"a": 1}, "increment": 3},
    ],
)
def test_what_is_wrong_is_named(table, client, body):
    answer = decide(client, table, **body)
    assert answer.status_code == 400
    assert table.state() == "ready"


def test_only_leads_decide(table, api_client):
    client = api_client(table.engineer, Scope.PROJECT_WRITE)
    assert decide(client, table, decision="keep").status_code == 403
