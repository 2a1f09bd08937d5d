"""Statements of work and changes over the API."""

import copy

import pytest

from engagements import selectors, services
from engagements.models import ChangeRequest
from events import workflow
from events.models import Event
from people.models import Scope
from tests import factories
from tests.engagements.ready import Stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    return Stage()


@pytest.fixture
def api(stage, api_client):
    return api_client(stage.filer, Scope.REQUEST_WRITE, Scope.REQUEST_READ)


def url(stage, rest="sows/"):
    return f"/api/v1/service-requests/{stage.request.uuid}/{rest}"


def content(**changes):
    whole = copy.deepcopy(factories.sow_content()) | changes
    for row in whole["deliverables"]:
        row.pop("key", None)
    return whole


def begun(stage, api):
    workflow.place(stage.request, "sow_drafting")
    return api.post(url(stage), {"content": content()}, format="json")


def test_a_version_is_begun_written_and_read(stage, api):
    made = begun(stage, api)
    assert made.status_code == 201
    assert made.json()["content"]["deliverables"][0]["key"] == "d1"
    assert made.json()["missing"] == []
    address = url(stage, f"sows/{made.json()['id']}/")
    written = api.put(
        address,
        {"content": made.json()["content"] | {"title": "SAML for all"}, "note": "Title"},
        format="json",
        headers={"If-Match": made.headers["ETag"]},
    )
    assert (written.status_code, written.json()["note"]) == (200, "Title")
    assert written.json()["digest"] != made.json()["digest"]
    found = api.get(address)
    assert found.json() == written.json()
    assert found.headers["ETag"] == written.headers["ETag"]
    assert [row["number"] for row in api.get(url(stage)).json()["results"]] == [1]


def test_a_write_says_from_which_version(stage, api):
    address = url(stage, f"sows/{begun(stage, api).json()['id']}/")
    sent = {"content": content()}
    assert api.put(address, sent, format="json").status_code == 428
    stale = api.put(address, sent, format="json", headers={"If-Match": '"nothing.1"'})
    assert stale.status_code == 412


def test_what_is_wrong_is_named_by_its_path(stage, api):
    workflow.place(stage.request, "sow_drafting")
    wrong = content(amount=5, price="1")
    wrong["deliverables"][0]["by_when"] = "soon"
    answer = api.post(url(stage), {"content": wrong}, format="json")
    assert answer.status_code == 400
    assert {error["field"]: error["code"] for error in answer.json()["errors"]} == {
        "content.amount": "not_a_string",
        "content.price": "unknown",
        "content.deliverables.0.by_when": "not_a_date",
    }
    assert not stage.request.sows.exists()


@pytest.mark.parametrize("sent", [{}, {"content": []}, {"content": None}, {"content": {}, "x": 1}])
def test_nonsense_is_refused(stage, api, sent):
    workflow.place(stage.request, "sow_drafting")
    assert api.post(url(stage), sent, format="json").status_code == 400


def test_what_was_sent_does_not_change(stage, api):
    stage.at("awaiting_signoff")
    sow = stage.request.sows.get()
    answer = api.put(
        url(stage, f"sows/{sow.uuid}/"), {"content": content()}, format="json",
        headers={"If-Match": f'"{sow.uuid}.{sow.version}"'},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) == (409, "frozen")


def test_the_difference_is_told_word_by_word(stage, api):
    stage.at("in_progress")
    api.post(url(stage, "changes/"), {"reason": "More"}, format="json")
    sow = selectors.current_sow(stage.request)
    changed = copy.deepcopy(sow.content) | {"in_scope": ["The four plants"]}
    changed["deliverables"][0]["by_when"] = "2026-12-03"
    api.put(
        url(stage, f"sows/{sow.uuid}/"), {"content": changed}, format="json",
        headers={"If-Match": f'"{sow.uuid}.{sow.version}"'},
    )  # fmt: skip
    found = api.get(url(stage, f"sows/{sow.uuid}/?diff_to=1")).json()["diff"]
    assert (found["to"], found["count"]) == (1, 2)
    assert found["deliverables"][0]["by_when"] == [
        {"kind": "removed", "text": "2026-12-04"}, {"kind": "added", "text": "2026-12-03"},
    ]  # fmt: skip
    assert found["lists"]["in_scope"][0]["status"] == "changed"
    assert api.get(url(stage, f"sows/{sow.uuid}/")).json()["diff"] is None


@pytest.mark.parametrize(("number", "status"), [("9", 404), ("x", 400), ("0", 400), ("1e9", 400)])
def test_a_version_to_compare_with_has_to_be_there(stage, api, number, status):
    stage.at("awaiting_signoff")
    sow = stage.request.sows.get()
    answer = api.get(url(stage, f"sows/{sow.uuid}/?diff_to={number}"))
    assert answer.status_code == status


def test_one_key_has_one_effect(stage, api):
    workflow.place(stage.request, "sow_drafting")
    sent = {"content": content()}
    key = {"Idempotency-Key": "sow-1"}
    answers = [api.post(url(stage), sent, format="json", headers=key) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert stage.request.sows.count() == 1


def test_a_change_is_begun_decided_and_read(stage, api, api_client):
    stage.at("in_progress")
    made = api.post(
        url(stage, "changes/"), {"reason": "More", "asked_by_customer": True}, format="json"
    )
    assert made.status_code == 201
    assert (made.json()["before"], made.json()["after"]) == (1, 2)
    address = url(stage, f"changes/{made.json()['id']}/")
    lead = api_client(stage.lead, Scope.REQUEST_WRITE, Scope.REQUEST_READ)
    blocked = lead.post(f"{address}transitions/", {"transition": "approve"}, format="json")
    assert (blocked.status_code, blocked.json()["code"]) == (409, "blocked")
    refused = lead.post(
        f"{address}transitions/", {"transition": "refuse", "reason": "Not now"}, format="json"
    )
    assert (refused.status_code, refused.json()["state"]) == (200, "refused")
    assert api.get(address).json() == refused.json()
    assert api.get(url(stage, "changes/?state=refused")).json()["results"] == [refused.json()]


def test_who_may_not_is_refused(stage, api_client):
    stage.at("in_progress")
    stranger = api_client(stage.stranger, Scope.REQUEST_WRITE, Scope.REQUEST_READ)
    assert stranger.post(url(stage, "changes/"), {"reason": "x"}, format="json").status_code == 403
    assert stranger.get(url(stage)).status_code == 200


def test_reading_does_not_let_one_write(stage, api_client):
    reader = api_client(stage.filer, Scope.REQUEST_READ)
    assert reader.post(url(stage), {"content": {}}, format="json").status_code == 403


def test_another_persons_draft_is_not_found(stage, api_client):
    other = api_client(stage.lead, Scope.REQUEST_READ)
    assert other.get(url(stage)).status_code == 404


def test_an_estimate_is_des(stage, api, api_client):
    sow = begun(stage, api).json()["id"]
    address = url(stage, f"sows/{sow}/estimate/")
    assert api.post(address, {"effort_days": "4.5"}, format="json").status_code == 403
    engineer = api_client(stage.engineer, Scope.REQUEST_WRITE)
    answer = engineer.post(address, {"effort_days": "4.5"}, format="json")
    assert answer.json()["effort_days"] == "4.5"


def test_no_token_of_a_link_is_told(stage, api_client):
    stage.at("sow_drafting")
    values = {"contact": str(stage.contact.uuid)}
    services.move(
        stage.request, "send_for_signoff", by=stage.filer, at=stage.now,
        given=workflow.Given(values=values, as_text=False),
    )  # fmt: skip
    api = api_client(stage.filer, Scope.REQUEST_READ)
    text = api.get(url(stage)).content.decode() + api.get(url(stage, "changes/")).content.decode()
    assert "token" not in text
    assert "/s/" not in text
    assert stage.contact.email not in text


def test_events_tell_of_the_change_without_its_content(stage, api):
    begun(stage, api)
    assert ChangeRequest.objects.count() == 0
    for event in Event.objects.filter(verb__startswith="sow."):
        assert "SAML sign-in" not in f"{event.before}{event.after}"
