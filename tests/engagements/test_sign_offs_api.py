"""Sign-offs over the API: read by those who may, given by nobody."""

import pytest
from django.test import Client

from engagements.models import SignOff
from engagements.services import links
from tests.engagements.letters import tokens
from tests.engagements.ready import Stage
from tests.engagements.test_public_pages import answered

pytestmark = pytest.mark.django_db
PERSONAL = ("party_name", "party_title", "party_email", "note", "objection", "ip", "user_agent")


@pytest.fixture
def stage():
    stage = Stage()
    stage.at("awaiting_signoff")
    links.send_link(stage.request, stage.contact, by=stage.filer, at=stage.now)
    answered(Client(), tokens()[-1])
    return stage


def address(stage):
    return f"/api/v1/service-requests/{stage.request.uuid}/sign-offs/"


def test_who_may_see_the_customers_people_reads_all_of_it(stage, api_client):
    (row,) = api_client(stage.filer).get(address(stage)).json()["results"]

    assert (row["state"], row["way"], row["sow"], row["is_live"]) == ("agreed", "link", 1, True)
    assert (row["party_name"], row["ip"]) == ("Kari Solberg", "127.0.0.1")
    assert row["receipt"] == SignOff.objects.get().receipt


@pytest.mark.parametrize("who", ["engineer", "filer without contacts"])
def test_others_read_it_without_the_customers_people(stage, api_client, who):
    person = stage.engineer if who == "engineer" else stage.filer
    scopes = () if who == "engineer" else ("request:read",)

    (row,) = api_client(person, *scopes).get(address(stage)).json()["results"]

    assert row["digest"] == stage.request.sows.get().digest
    assert {row[name] for name in PERSONAL} == {None}


def test_no_answer_holds_a_token(stage, api_client):
    text = api_client(stage.filer).get(address(stage)).content.decode()

    assert tokens()[-1] not in text
    assert "token" not in text


def test_nobody_signs_over_the_api(stage, api_client):
    answer = api_client(stage.filer).post(address(stage), {"state": "agreed"}, format="json")

    assert answer.status_code == 403
    assert "never through the API" in answer.json()["detail"]
    assert SignOff.objects.count() == 1


def test_a_move_that_would_send_a_link_is_refused_to_programs(api_client):
    stage = Stage()
    stage.at("sow_drafting")
    moves = f"/api/v1/service-requests/{stage.request.uuid}/transitions/"
    body = {"transition": "send_for_signoff", "contact": str(stage.contact.uuid)}

    answer = api_client(stage.filer).post(
        moves, body, format="json", headers={"Idempotency-Key": "one"}
    )

    assert answer.status_code == 403
    stage.request.refresh_from_db()
    assert stage.request.state == "sow_drafting"
    assert not tokens()


def test_a_request_one_may_not_see_is_not_found(stage, api_client, without_role):
    assert (
        api_client(stage.filer)
        .get("/api/v1/service-requests/00000000-0000-0000-0000-000000000000/sign-offs/")
        .status_code
        == 404
    )
