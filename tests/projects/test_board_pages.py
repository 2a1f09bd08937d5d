"""The board as a page: what it shows, what it is narrowed to, and moves with and without script."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events.models import Event
from projects.models import Lane, Project, ProjectAccount, ProjectRequest
from projects.services.ordering import place
from tests.factories import (
    AccountFactory,
    ProjectFactory,
    ServiceRequestFactory,
    SowVersionFactory,
    UserFactory,
)
from tests.projects.ready import Stage

pytestmark = pytest.mark.django_db
BOARD, MOVES = "/board/", "/board/moves/"
SCRIPT = {"HX-Request": "true", "HX-Target": "move-form-box"}


@pytest.fixture
def lead(db):
    return UserFactory(name="Tomas Kral", roles=["de_lead"])


@pytest.fixture
def board(login, lead):
    return login(lead)


def numbers(response, lane=""):
    """Return the cards in the order of the page, of one column or of all."""
    text = response.content.decode()
    if lane:
        text = text.partition(f'id="lane-{lane}"')[2].partition("</section>")[0]
    return [part.partition('"')[0] for part in text.split('data-card="')[1:]]


def post(client, project, lane, script=True, **more):
    sent = {"project": project.number, "lane": lane, "version": project.version, **more}
    return client.post(MOVES, sent, headers=SCRIPT if script else {})


def test_cards_stand_in_their_columns_in_order(board):
    a, b = ProjectFactory.create_batch(2)
    c = ProjectFactory(state="in_progress")
    hidden = ProjectFactory(state="closed")
    response = board.get(BOARD)
    assert numbers(response, "proposed") == [a.number, b.number]
    assert numbers(response, "in_progress") == [c.number]
    assert hidden.number not in response.content.decode()
    assert "3 open projects. No review is planned." in response.content.decode()
    assert "1 of 4" in response.content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("owner=me", ["mine"]),
        ("owner=nobody", ["internal", "blocked"]),
        ("lead=me", ["led"]),
        ("kind=external", ["mine", "led"]),
        ("flag=blocked", ["blocked"]),
        ("q=blocked+by", ["blocked"]),
        ("moves=yes", ["led"]),
        ("type=demo", ["mine"]),
        ("flag=nonsense", ["mine", "led", "internal", "blocked"]),
        ("account=ACC-999999999999999999", ["mine", "led", "internal", "blocked"]),
    ],
)
def test_the_address_narrows_it(board, lead, query, found):
    other = UserFactory()
    made = {
        "mine": ProjectFactory(kind="external", owner=lead, type="demo"),
        "led": ProjectFactory(kind="external", owner=other, lift=1, lift_low=0, lift_high=2),
        "internal": ProjectFactory(kind="internal"),
        "blocked": ProjectFactory(
            kind="internal", title="Blocked by them", blocked_by="change freeze"
        ),
    }
    made["led"].leads.add(lead)
    ProjectAccount.objects.create(project=made["mine"], account=AccountFactory())
    assert numbers(board.get(f"{BOARD}?{query}")) == [made[name].number for name in found]


def test_an_account_and_a_number_are_found(board):
    one, other = ProjectFactory.create_batch(2, kind="external")
    account = AccountFactory(name="Kestrel Logistics")
    ProjectAccount.objects.create(project=one, account=account, seats_likely=8, seats_low=1,
                                  seats_high=9)  # fmt: skip
    response = board.get(f"{BOARD}?account={account.number}")
    assert numbers(response) == [one.number]
    assert "8 seats" in response.content.decode()
    assert numbers(board.get(f"{BOARD}?q={other.number.lower()}")) == [other.number]


def test_flags_say_what_matters_first(board, lead):
    waiting = ProjectFactory(kind="external")
    request = ServiceRequestFactory(
        state="awaiting_signoff", moved_at=timezone.now() - timezone.timedelta(days=9)
    )
    SowVersionFactory(request=request, frozen_at=timezone.now(), digest="0" * 64)
    ProjectRequest.objects.create(project=waiting, request=request)
    ProjectFactory(blocked_by="change freeze\nuntil May", kind="internal")
    text = board.get(BOARD).content.decode()
    assert "Waiting for sign-off 9 days" in text
    assert "Blocked: change freeze<" in text


def test_as_many_statements_for_fifty_cards_as_for_five(board):
    def asked(count):
        for _ in range(count):
            project = ProjectFactory(kind="external", owner=UserFactory())
            request = ServiceRequestFactory(state="triaged")
            SowVersionFactory(request=request, frozen_at=timezone.now())
            ProjectRequest.objects.create(project=project, request=request)
            ProjectAccount.objects.create(project=project, account=request.account)
        with CaptureQueriesContext(connection) as found:
            assert board.get(BOARD).status_code == 200
        return len(found)

    board.get(BOARD)
    few = asked(5)
    assert asked(45) == few <= 24


def test_long_columns_show_more_when_asked(board):
    cards = ProjectFactory.create_batch(53)
    first = board.get(BOARD)
    assert len(numbers(first, "proposed")) == 50
    assert f'data-next="{cards[50].number}"' in first.content.decode()
    assert "Show more: 3 further" in first.content.decode()
    assert len(numbers(board.get(f"{BOARD}?more=proposed-100"), "proposed")) == 53
    assert len(numbers(board.get(f"{BOARD}?more=proposed-%00x"), "proposed")) == 50


def test_a_move_answers_the_script_with_fresh_columns_and_a_way_back(board, lead):
    a, b = ProjectFactory.create_batch(2)
    response = post(board, b, "proposed", before=a.number)
    assert response.status_code == 200
    assert f"{b.number} moved to Triage, position 1 of 2." in response.content.decode()
    assert numbers(response, "proposed") == [b.number, a.number]
    undo = response.context["undo"]
    assert parse_qs(urlsplit(undo).query)["before"] == ["end"]
    again = board.post(undo, headers=SCRIPT)
    assert numbers(again, "proposed") == [a.number, b.number]


def test_without_the_script_the_menu_moves(board, lead):
    stage = Stage()
    menu = board.get(f"{MOVES}?project={stage.project.number}&on=owner%3Dme")
    assert menu.status_code == 200
    response = post(board, stage.project, "ready", script=False, on="owner=me")
    assert (response.status_code, response["Location"]) == (302, "/board/?owner=me")
    stage.project.refresh_from_db()
    assert stage.project.state == "ready"
    page = board.get("/board/").content.decode()
    assert "moved to Ready, position 1 of 1." in page
    undo = page.partition('action="/board/moves/?project')[2].partition('"')[0]
    board.post(f"{MOVES}?project{undo.replace('&amp;', '&')}")
    stage.project.refresh_from_db()
    assert stage.project.state == "proposed"
    assert Event.objects.filter(verb="project.sent_back").get().reason == "Undone."


def test_the_menu_tells_blocked_moves_with_their_reason(board):
    project = ProjectFactory()
    text = board.get(f"{MOVES}?project={project.number}").content.decode()
    assert "Needs a complete charter." in text
    assert "After Ready." in text


def test_a_blocked_card_goes_back_with_the_reason_on_it(board):
    project = ProjectFactory()
    response = post(board, project, "ready")
    text = response.content.decode()
    assert response.status_code == 409
    assert f"Not moved. {project.number} needs a complete charter before it is ready." in text
    assert numbers(response, "proposed") == [project.number]
    assert post(board, project, "ready", script=False).status_code == 409


def test_a_move_that_asks_for_more_opens_its_form_and_keeps_the_place(board):
    stage = Stage()
    place(stage.project, lane="ready", by=stage.lead, at=timezone.now())
    first = ProjectFactory(state="scheduled")
    response = post(board, stage.project, "scheduled", before=first.number)
    text = response.content.decode()
    assert response.status_code == 422
    assert 'name="increment"' in text
    assert f'name="before" value="{first.number}"' in text
    assert "errsum" not in text
    assert 'name="limit_note"' not in text
    response = post(
        board, stage.project, "scheduled", before=first.number, filled="1",
        increment=str(stage.increment.uuid),
    )  # fmt: skip
    assert response.status_code == 200
    assert numbers(response, "scheduled") == [stage.project.number, first.number]


def test_a_full_column_asks_why_one_more(board):
    stage = Stage()
    Lane.objects.filter(pk="ready").update(limit=1)
    ProjectFactory(state="ready")
    response = post(board, stage.project, "ready")
    assert response.status_code == 422
    assert "Ready holds 1 of 1. Say why one more." in response.content.decode()
    response = post(board, stage.project, "ready", filled="1", limit_note="The plants wait.")
    text = response.content.decode()
    assert response.status_code == 200
    assert "Over its limit: The plants wait." in text
    assert "2 of 1" in text


def test_who_comes_second_reads_who_was_first_and_can_move_again(board, lead):
    a, b, c = ProjectFactory.create_batch(3)
    priya = UserFactory(name="Priya Nair", roles=["de_lead"])
    seen = Project.objects.get(pk=c.pk)
    place(c, lane="proposed", before=a, by=priya, at=timezone.now())
    response = post(board, seen, "proposed", before=b.number)
    text = response.content.decode()
    assert response.status_code == 409
    assert f"Not moved. Priya Nair moved {c.number} a moment ago." in text
    assert numbers(response, "proposed") == [c.number, a.number, b.number]
    again = response.context["again"]
    assert (again.lane, again.before) == ("proposed", b.number)
    response = post(board, c, again.lane, before=again.before)
    assert numbers(response, "proposed") == [a.number, c.number, b.number]


def test_a_card_that_left_meanwhile_is_told(board, lead):
    a, b = ProjectFactory.create_batch(2)
    Project.objects.filter(pk=b.pk).delete()
    assert post(board, b, "proposed").status_code == 404
    c = ProjectFactory(state="closed")
    assert post(board, a, "proposed", before=c.number).status_code == 409
    assert post(board, a, "proposed", before="PRJ-999999").status_code == 409


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"project": "PRJ-1\x00"},
        {"project": "PRJ-999999999999999999"},
        {"lane": "closed"},
        {"lane": "\x00"},
        {"version": "1e9"},
        {"version": "9" * 40},
        {"before": "\x00"},
        {"before": "00000000-0000-0000-0000-000000000000"},
        {"on": "owner=%00&view=x&more=%FF"},
        {"reason": "\x00", "lane": "ready"},
    ],
)
def test_nothing_sent_breaks_it(board, sent):
    project = ProjectFactory()
    values = {"project": project.number, "lane": "proposed", **sent} if sent else {}
    assert board.post(MOVES, values, headers=SCRIPT).status_code in {200, 404, 409, 422}


def test_engineers_look_and_are_told_who_orders(login):
    a, b = ProjectFactory.create_batch(2)
    client = login(UserFactory(roles=["de_engineer"]))
    assert client.get(BOARD).status_code == 200
    response = post(client, b, "proposed", before=a.number)
    assert response.status_code == 403
    assert "Not moved. Only DE leads can change the order." in response.content.decode()


def test_limits_are_set_and_told(board):
    response = board.post("/settings/board/", {"in_progress": "6", "ready": ""})
    assert response.status_code == 302
    assert Lane.objects.get(pk="in_progress").limit == 6
    event = Event.objects.get(verb="company.board_limits_changed")
    assert (event.before, event.after) == ({"in_progress": 4}, {"in_progress": 6})
    for wrong in ("0", "-1", "1e9", "1000", "\x00"):
        response = board.post("/settings/board/", {"in_progress": wrong})
        assert response.status_code == 422
    assert Lane.objects.get(pk="in_progress").limit == 6


def test_a_card_says_what_it_is_worth_and_what_it_takes(login, de_lead):
    ProjectFactory(days=5, lift="3.797", lift_low=0, lift_high=6)
    ProjectFactory(days=1, lift="0.01", lift_low=0, lift_high=1)
    ProjectFactory()

    page = login(de_lead).get("/board/").content.decode()

    assert "+3.8 points" in page
    assert "5 days" in page
    assert "under 0.1 points" in page
    assert "1 day<" in page
    assert "unknown" not in page
