"""The board over the API."""

import uuid

import pytest
from django.utils import timezone

from projects.models import Project
from projects.services.ordering import place
from tests.factories import AccountFactory, ProjectAccountFactory, ProjectFactory, UserFactory
from tests.projects.ready import Stage

pytestmark = pytest.mark.django_db
BOARD, MOVES = "/api/v1/board/", "/api/v1/board/moves/"


@pytest.fixture
def lead(db):
    return UserFactory(roles=["de_lead"])


@pytest.fixture
def client(api_client, lead):
    return api_client(lead)


def sent(project, lane, **more):
    return {"project": str(project.uuid), "lane": lane, "version": project.version, **more}


def ids(lane):
    return [card["id"] for card in lane["cards"]]


def test_lanes_have_their_cards_in_order(client):
    a, b = ProjectFactory.create_batch(2)
    lanes = client.get(BOARD).json()["lanes"]
    assert [lane["lane"] for lane in lanes] == [
        "proposed", "ready", "scheduled", "in_progress", "delivered",
    ]  # fmt: skip
    assert ids(lanes[0]) == [str(a.uuid), str(b.uuid)]
    assert [card["position"] for card in lanes[0]["cards"]] == [1, 2]
    assert (lanes[3]["limit"], lanes[0]["limit"], lanes[0]["count"]) == (4, None, 2)
    (only,) = client.get(f"{BOARD}?lane=proposed&cards=1").json()["lanes"]
    assert (ids(only), only["count"]) == ([str(a.uuid)], 2)
    for wrong in ("lane=closed", "cards=0", "cards=1e9", "x=1"):
        assert client.get(f"{BOARD}?{wrong}").status_code == 400


def test_a_card_is_moved(client):
    a, b = ProjectFactory.create_batch(2)
    answer = client.post(MOVES, sent(b, "proposed", before=str(a.uuid)), format="json")
    assert answer.json() == {
        "project": str(b.uuid), "lane": "proposed", "position": 1, "count": 2, "version": 2,
        "transition": None,
    }  # fmt: skip
    b.refresh_from_db()
    answer = client.post(MOVES, sent(b, "proposed", before=None), format="json")
    assert answer.json()["position"] == 2


def test_a_move_to_another_lane_takes_what_it_asks_for(client):
    stage = Stage()
    answer = client.post(MOVES, sent(stage.project, "ready"), format="json")
    assert (answer.json()["transition"], answer.json()["lane"]) == ("ready", "ready")
    stage.project.refresh_from_db()
    answer = client.post(MOVES, sent(stage.project, "scheduled"), format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "increment"
    more = {"increment": str(stage.increment.uuid), "before": None}
    answer = client.post(MOVES, sent(stage.project, "scheduled", **more), format="json")
    assert answer.json()["lane"] == "scheduled"


def test_who_comes_second_gets_the_fresh_lane(client, lead):
    a, b = ProjectFactory.create_batch(2)
    stale = sent(b, "proposed", before=None)
    place(b, lane="proposed", before=a, by=lead, at=timezone.now())
    answer = client.post(MOVES, stale, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "lane_changed")
    assert ids(answer.json()["lane"]) == [str(b.uuid), str(a.uuid)]
    gone = sent(b, "proposed", before=str(uuid.uuid4()))
    answer = client.post(MOVES, gone, format="json")
    assert answer.json()["lane"]["lane"] == "proposed"


def test_what_blocks_is_told_by_guard(client):
    project = ProjectFactory()
    answer = client.post(MOVES, sent(project, "ready"), format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "blocked")
    assert answer.json()["guards"][0]["code"] == "charter"
    answer = client.post(MOVES, sent(project, "delivered"), format="json")
    assert answer.json()["guards"][0]["code"] == "no_way"


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"lane": "closed"}, 400, "lane"),
        ({"lane": 1}, 400, "lane"),
        ({"project": "PRJ-1"}, 400, "project"),
        ({"project": str(uuid.uuid4())}, 404, None),
        ({"before": "end"}, 400, "before"),
        ({"version": "1"}, 400, "version"),
        ({"version": None}, 400, "version"),
        ({"reason": "Why"}, 400, "reason"),
        ({"increment": "x"}, 400, "increment"),
        ({"transition": "x"}, 400, "transition"),
        ({"lane": "ready", "reason": "x" * 5000}, 400, "reason"),
    ],
)
def test_what_is_wrong_is_named(client, change, status, field):
    body = sent(ProjectFactory(), "proposed") | change
    answer = client.post(MOVES, body, format="json")
    assert answer.status_code == status
    if field:
        errors = answer.json().get("errors") or [answer.json()]
        assert errors[0]["field"] == field
    assert client.post(MOVES, [1], format="json").status_code == 400


def test_the_same_key_has_one_effect(client):
    a, b = ProjectFactory.create_batch(2)
    body = sent(b, "proposed", before=str(a.uuid))
    key = {"Idempotency-Key": "move-1"}
    first = client.post(MOVES, body, format="json", headers=key)
    again = client.post(MOVES, body, format="json", headers=key)
    assert (first.json(), again["Idempotency-Replayed"]) == (again.json(), "true")
    b.refresh_from_db()
    assert b.version == 2


def test_tokens_need_the_scope_and_see_within_their_limit(api_client, lead):
    account = AccountFactory()
    inside = ProjectAccountFactory(account=account).project
    outside = ProjectFactory()
    assert api_client(lead, "request:read").get(BOARD).status_code == 403
    reader = api_client(lead, "project:read")
    assert reader.post(MOVES, sent(outside, "proposed"), format="json").status_code == 403
    lead.limited_to = frozenset({account.uuid})
    from projects.api.board import board_of  # noqa: PLC0415

    (lane,) = board_of(lead, ("proposed",), 10)
    assert ids(lane) == [str(inside.uuid)]
    assert Project.objects.count() == 2
