"""Definition proposals over the API; and every answer names the version of its definition."""

import csv

import pytest

from events.services import acting_token
from metrics.models import DefinitionProposal
from metrics.services import backtests, proposals
from tests.metrics.scene import compute, customer, learn, moment

AT = moment("03-20T12:00")
PATH = "/api/v1/definition-proposals/"
NEW = {
    "from_metric": "seats-deployed",
    "policy": {"share_percent": 75},
    "text": "Three of four.",
    "why": "The board asked.",
}


@pytest.fixture(autouse=True)
def _then(time_machine):
    time_machine.move_to(AT, tick=False)


@pytest.fixture
def ledger(db):
    learn("01-01")
    for seats, name in ((85, "Alder"), (77, "Birch"), (50, "Cedar")):
        customer(seats, name=name)
    for each in ("03-10", "03-11"):
        compute(each)


def send(client, path, body=None, method="post", **headers):
    return getattr(client, method)(path, body or {}, format="json", headers=headers)


def test_from_draft_to_decision(ledger, api_client, metric_owner, leadership):
    client = api_client(metric_owner)
    made = send(client, PATH, NEW)
    assert made.status_code == 201
    told = made.json()
    assert (told["state"], told["number"][:4]) == ("draft", "DEF-")
    assert told["base"] == {
        "metric": "seats-deployed", "version": 1, "valid_from": "2000-01-01",
    }  # fmt: skip
    assert (told["policy"]["share_percent"], told["effective_on"]) == (75, "2026-03-21")
    one = f"{PATH}{told['id']}/"
    assert made.headers["Location"].endswith(one)

    changed = send(client, one, {"owner": "Board"}, "patch", if_match=made.headers["ETag"])
    assert (changed.status_code, changed.json()["owner"]) == (200, "Board")
    stale = send(client, one, {"owner": "Me"}, "patch", if_match=made.headers["ETag"])
    assert stale.status_code == 412
    assert send(client, one, {"owner": "Me"}, "patch").status_code == 428

    assert client.get(f"{one}backtest/").status_code == 404
    blocked = send(client, f"{one}transitions/", {"transition": "propose"})
    assert (blocked.status_code, blocked.json()["guards"][0]["code"]) == (409, "tested")
    begun = send(client, f"{one}backtest/", {"last_day": "2026-03-11"})
    assert (begun.status_code, begun.json()["progress"]) == (202, "waiting")
    proposal = DefinitionProposal.objects.get()
    backtests.run(proposal.backtests.get().pk, clock=lambda: AT)
    done = client.get(f"{one}backtest/").json()
    assert (done["progress"], done["fits"], done["flips"]["up"]) == ("done", True, 1)
    assert done["days"][0] == {
        "as_of": "2026-03-10", "published": "0.333333", "definition_version": 1,
        "proposed": "0.666666",
    }  # fmt: skip

    assert send(client, f"{one}transitions/", {"transition": "propose"}).status_code == 200
    options = client.get(f"{one}transitions/").json()
    assert {each["id"]: each["allowed"] for each in options["transitions"]} == {
        "revise": True, "approve": False, "reject": False, "withdraw": True,
    }  # fmt: skip
    # Not even leadership decides by a token.
    refused = send(api_client(leadership), f"{one}transitions/", {"transition": "approve"})
    assert refused.status_code == 403
    assert "never by a token" in refused.json()["detail"]
    acting_token.set("")
    proposals.move(proposal, "approve", by=leadership, at=AT)
    decided = client.get(one).json()
    assert (decided["state"], decided["made"]["version"]) == ("approved", 2)
    assert decided["decided_by"]["name"] == leadership.name


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"policy": {"share_percent": 101}}, "policy.share_percent"),
        ({"policy": {"surprise": 1}}, "policy.surprise"),
        ({"policy": {"grace_days": 90}}, "policy.grace_days"),
        ({"policy": [1]}, "policy"),
        ({"metric": "Not A Name"}, "metric"),
        ({"effective_on": "2026-03-01"}, "effective_on"),
        ({"state": "approved"}, "state"),
        ({"from_version": 0}, "from_version"),
        ({"from_version": 10**9}, "from_version"),
    ],
)
def test_what_is_wrong_is_named_as_it_was_sent(sent, field, ledger, api_client, metric_owner):
    answer = send(api_client(metric_owner), PATH, {**NEW, **sent})

    assert answer.status_code == 400
    assert field in {error["field"] for error in answer.json()["errors"]}


def test_who_may_write(ledger, api_client, tam, metric_owner):
    assert send(api_client(tam), PATH, NEW).status_code == 403
    missing = send(api_client(metric_owner), PATH, {**NEW, "from_metric": "nothing"})
    assert missing.status_code == 404
    assert api_client(tam).get(PATH).json()["results"] == []


@pytest.mark.parametrize("path", ["", "series/", "segments/?by=tier", "rows/", "flips/"])
def test_every_answer_names_the_version(path, ledger, api_client, tam):
    told = api_client(tam).get(f"/api/v1/metrics/seats-deployed/{path}").json()

    assert {each["definition_version"] for each in told.get("results", [told])} == {1}


def test_changes_name_both_versions(ledger, api_client, tam):
    told = api_client(tam).get(
        "/api/v1/metrics/seats-deployed/changes/?from=2026-03-10&to=2026-03-11"
    )
    assert [told.json()[side]["definition_version"] for side in ("from", "to")] == [1, 1]


@pytest.mark.parametrize(
    ("path", "column"),
    [
        ("/metric/accounts.csv", "definition_version"),
        ("/metric/series.csv", "definition_version"),
        ("/metric/flips.csv", "definition_version"),
        ("/metric/changes.csv?vs=2026-03-10", "definition_version_after"),
        ("/api/v1/metrics/seats-deployed/rows/?format=csv", "definition_version"),
        ("/api/v1/metrics/seats-deployed/segments/?by=tier&format=csv", "definition_version"),
    ],
)
def test_every_file_names_the_version(path, column, ledger, login, tam):
    answer = login(tam).get(path)
    content = b"".join(answer) if answer.streaming else answer.content

    header = next(csv.reader(content.decode("utf-8-sig").splitlines()))
    assert column in header
