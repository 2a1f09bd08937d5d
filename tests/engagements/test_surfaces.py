"""The same table, the same answer: whoever moves a request by page, by API or in bulk.

Who may and what guards a move is told in test_moves.py; here every surface is held against it.
"""

from html import unescape

import pytest
from django.urls import reverse

from engagements.workflows import REQUEST
from events import workflow
from tests.engagements.test_moves import BREAKS, EVERYBODY, MOVES, Stage, actor, readied

pytestmark = pytest.mark.django_db
BY_HAND = [each.id for each in REQUEST.transitions if not each.is_automatic]
AUTOMATIC = [each.id for each in REQUEST.transitions if each.is_automatic]
PEOPLE = sorted(EVERYBODY - {"keel"})
BULK = ("take", "route_out", "hold", "resume", "decline", "cancel")
REASON = "Because it is so."
# A draft is known to who began it only: to others its address leads nowhere.
HIDDEN, FORBIDDEN, BLOCKED = 404, 403, 409


@pytest.fixture
def stage():
    return Stage()


def allowed(name):
    return MOVES[name][2]


def refusal(stage, who):
    return HIDDEN if stage.request.state == "draft" and who != "filer" else FORBIDDEN


def by_page(stage, name, who, values, login):
    sent = {"reason": REASON, "version": stage.request.version, **values}
    address = reverse("requests:move", args=[stage.request.pk, name])
    return login(actor(stage, who)).post(address, sent)


def by_api(stage, name, who, values, api_client):
    body = {"transition": name, "reason": REASON, **values}
    address = f"/api/v1/service-requests/{stage.request.uuid}/transitions/"
    return api_client(actor(stage, who)).post(address, body, format="json")


def in_bulk(stage, name, who, values, login):
    sent = {"move": name, "request": stage.request.number, "reason": REASON, **values}
    client = login(actor(stage, who))
    answer = client.post(reverse("requests:bulk"), sent)
    return client, answer


def state_now(stage):
    stage.request.refresh_from_db()
    return stage.request.state


ALLOWED = [(name, who) for name in BY_HAND for who in PEOPLE if who in MOVES[name][2]]


def others(name):
    return [who for who in PEOPLE if who not in allowed(name)]


@pytest.mark.parametrize(("name", "who"), ALLOWED)
def test_by_page(stage, login, name, who):
    values = readied(stage, name)
    answer = by_page(stage, name, who, values, login)
    assert answer.status_code == 302, answer.content.decode()
    assert MOVES[name][1] in (None, state_now(stage))


@pytest.mark.parametrize(("name", "who"), ALLOWED)
def test_by_api_as_it_was_said_beforehand(stage, api_client, name, who):
    values = readied(stage, name)
    address = f"/api/v1/service-requests/{stage.request.uuid}/transitions/"
    told = api_client(actor(stage, who)).get(address).json()["transitions"]
    offered = next(each for each in told if each["id"] == name)
    assert (offered["allowed"], offered["blocked"]) == (True, [])
    answer = by_api(stage, name, who, values, api_client)
    assert answer.status_code == 200, answer.content.decode()
    assert MOVES[name][1] in (None, answer.json()["state"])


@pytest.mark.parametrize("name", BY_HAND)
def test_others_are_refused_by_page_and_by_api_as_it_was_said(stage, login, api_client, name):
    values, was = readied(stage, name), stage.request.state
    for who in others(name):
        expected = refusal(stage, who)
        assert by_page(stage, name, who, values, login).status_code == expected, who
        assert by_api(stage, name, who, values, api_client).status_code == expected, who
        address = f"/api/v1/service-requests/{stage.request.uuid}/transitions/"
        answer = api_client(actor(stage, who)).get(address)
        if expected == HIDDEN:
            assert answer.status_code == HIDDEN, who
            continue
        offered = next(each for each in answer.json()["transitions"] if each["id"] == name)
        assert not offered["allowed"], who
        assert offered["who_may"], who
    assert state_now(stage) == was


@pytest.mark.parametrize("name", AUTOMATIC)
def test_what_keel_does_by_itself_nobody_does_by_hand(stage, login, api_client, name):
    values, was = readied(stage, name), stage.request.state
    for who in PEOPLE:
        assert by_page(stage, name, who, values, login).status_code in (FORBIDDEN, HIDDEN)
        assert by_api(stage, name, who, values, api_client).status_code in (FORBIDDEN, HIDDEN)
    assert state_now(stage) == was


@pytest.mark.parametrize(("name", "who"), [each for each in ALLOWED if each[0] in BULK])
def test_in_bulk(stage, login, name, who):
    values = readied(stage, name)
    client, answer = in_bulk(stage, name, who, values, login)
    assert answer.status_code == 302, answer.content.decode()
    assert state_now(stage) == MOVES[name][1]
    assert stage.request.number in client.get(answer.url).content.decode()


@pytest.mark.parametrize("name", BULK)
def test_others_are_refused_in_bulk_or_skipped_with_the_reason(stage, login, name):
    values, was = readied(stage, name), stage.request.state
    for who in others(name):
        _, answer = in_bulk(stage, name, who, values, login)
        assert answer.status_code in (302, FORBIDDEN, HIDDEN), who
    assert state_now(stage) == was


BY_HAND_BREAKS = [each for each in BREAKS if each[0] in BY_HAND]


def spoiled(stage, name, spoil):
    values = readied(stage, name)
    spoil(stage)
    stage.request = type(stage.request).objects.get(pk=stage.request.pk)
    who = "filer" if "filer" in allowed(name) else "second_lead"
    return who, values, stage.request.state


@pytest.mark.parametrize(("name", "code", "spoil"), BY_HAND_BREAKS)
def test_a_guard_blocks_by_api_and_says_which(stage, api_client, name, code, spoil):
    who, values, was = spoiled(stage, name, spoil)
    answer = by_api(stage, name, who, values, api_client)
    assert answer.status_code == BLOCKED
    problem = answer.json()
    assert problem["code"] == "blocked"
    assert code in [guard["code"] for guard in problem["guards"]]
    assert state_now(stage) == was


@pytest.mark.parametrize(("name", "code", "spoil"), BY_HAND_BREAKS)
def test_a_guard_blocks_by_page_and_says_why(stage, login, name, code, spoil):
    who, values, was = spoiled(stage, name, spoil)
    option = workflow.option(REQUEST, stage.request, name, actor(stage, who), at=stage.now)
    answer = by_page(stage, name, who, values, login)
    assert answer.status_code == BLOCKED
    assert dict(option.blocks)[code] in unescape(answer.content.decode())
    assert state_now(stage) == was


def test_a_programs_token_never_signs_anything_off(stage, api_client):
    """Whatever its scopes, and whoever owns it."""
    stage.at("awaiting_signoff")
    stage.signed(stage.request.sows.get(), way="verbal", state="recorded")
    client = api_client(stage.colleague)
    base = f"/api/v1/service-requests/{stage.request.uuid}/"
    assert client.post(f"{base}sign-offs/", {}, format="json").status_code in (403, 405)
    for name in ("sign", "accept_delivery"):
        answer = by_api(stage, name, "colleague", {}, api_client)
        assert answer.status_code == FORBIDDEN
    assert state_now(stage) == "awaiting_signoff"
