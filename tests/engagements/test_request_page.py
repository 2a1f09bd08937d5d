"""The page of a request: what it says to whom, and what one can do from there."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engagements.models import ServiceRequest
from engagements.services import move
from engagements.services.asking import ask_move
from engagements.views.sentences import SENTENCES
from engagements.workflows import ALL
from events import workflow
from events.models import Event, MoveRequest
from events.workflow import Given
from tests import factories
from tests.engagements.ready import Stage

pytestmark = pytest.mark.django_db
STATES = ServiceRequest.state.field.choices


@pytest.fixture
def stage():
    return Stage()


def page_of(stage, login, person, tab=""):
    answer = login(person).get(f"/requests/{stage.request.number}/{tab}")
    assert answer.status_code == 200
    return answer.content.decode()


def text_of(html):
    main = html[html.index("<main") : html.index("</main>")]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))


@pytest.mark.parametrize("state", [value for value, _ in STATES])
def test_it_says_its_state_to_everybody_who_may_see_it(state, stage, login):
    stage.at(state)
    people = [stage.filer] if state == "draft" else [stage.filer, stage.lead, stage.leadership]
    for person in people:
        words = text_of(page_of(stage, login, person))
        assert stage.request.title in words
        assert "Next step" in words


def test_a_draft_of_another_is_not_there(stage, login):
    assert login(stage.lead).get(f"/requests/{stage.request.number}/").status_code == 404
    assert login(stage.lead).get("/requests/REQ-999999999/").status_code == 404


def test_the_usual_next_move_is_the_primary_button(stage, login):
    stage.at("signed_off")
    html = page_of(stage, login, stage.lead)
    assert re.search(r'class="btn btn-p"\s+href="/requests/REQ-\d+/moves/triage/"', html)
    assert "moves/triage/" not in page_of(stage, login, stage.filer)


def test_what_is_in_the_way_is_said(stage, login):
    stage.sow()
    workflow.place(stage.request, "signed_off")
    words = text_of(page_of(stage, login, stage.lead))
    assert "“Triage” is not possible yet" in words
    assert "Version 1 of the statement of work is not signed off." in words


def test_who_may_not_is_told_who_may_and_can_ask(stage, login):
    stage.at("signed_off")
    html = page_of(stage, login, stage.filer)
    assert "Only DE leads can do this." in text_of(html)
    assert f"/requests/{stage.request.number}/ask/triage/" in html


def test_who_asked_the_customer_reminds_them(stage, login):
    stage.at("awaiting_signoff")
    link = factories.SignOffLinkFactory(request=stage.request, sow=stage.request.sows.get())
    assert f"/links/{link.uuid}/remind/" in page_of(stage, login, stage.filer)
    words = text_of(page_of(stage, login, stage.filer))
    assert "Remind the customer" in words
    assert "You can read this request" not in words
    assert "Remind the customer" not in text_of(page_of(stage, login, stage.leadership))


def test_a_change_that_the_customer_asked_for_is_the_next_step(stage, login):
    stage.at("awaiting_signoff")
    stage.signed(stage.request.sows.get(), state="rejected")
    html = page_of(stage, login, stage.filer)
    assert "The customer asked for a change of v1" in text_of(html)
    assert re.search(r'class="btn btn-p"\s+href="/requests/REQ-\d+/moves/revise/"', html)
    assert "Remind the customer" not in html


def test_what_was_heard_is_confirmed_by_a_second_person(stage, login):
    stage.at("awaiting_signoff")
    stage.signed(stage.request.sows.get(), way="verbal", state="recorded")
    html = page_of(stage, login, stage.lead)
    assert "Waits for a second person to confirm it." in text_of(html)
    assert "Confirm the sign-off" in text_of(html)
    assert "Confirm the sign-off" not in text_of(page_of(stage, login, stage.filer))


def test_what_is_over_its_last_day_is_late(stage, login):
    stage.at("in_progress")
    past = stage.today - dt.timedelta(days=1)
    ServiceRequest.objects.filter(pk=stage.request.pk).update(start=past, end=past)
    assert "it is late" in text_of(page_of(stage, login, stage.filer))


def test_its_activity_shows_no_codes(stage, login):
    stage.at("triaged")
    start = stage.today + dt.timedelta(days=1)
    day = start.isoformat()
    values = {"lead": str(stage.engineer.uuid), "start": day, "end": day}
    move(stage.request, "schedule", by=stage.lead, at=stage.now, given=Given(values=values))
    words = text_of(page_of(stage, login, stage.filer, "activity/"))
    assert "scheduled it" in words
    assert str(stage.engineer.uuid) not in words


def test_a_reader_is_told_who_moves_it(stage, login):
    stage.at("in_progress")
    words = text_of(page_of(stage, login, stage.leadership))
    assert "You can read this request" in words
    assert stage.filer.name in words


def test_the_customers_people_are_seen_by_those_of_the_account(stage, login):
    stage.at("in_progress")
    assert stage.contact.name in page_of(stage, login, stage.colleague)
    assert stage.contact.name not in page_of(stage, login, stage.stranger)


def test_the_progress_tells_how_far_it_is(stage, login):
    stage.at("in_progress")
    words = text_of(page_of(stage, login, stage.filer))
    assert "Statement of work v1" in words
    assert "In progress until" in words


def test_the_progress_tells_what_it_waits_for(stage, login):
    stage.at("awaiting_signoff")
    assert "Waiting for sign-off" in text_of(page_of(stage, login, stage.filer))


def test_related_requests_are_linked_and_drafts_of_others_are_not(stage, login):
    stage.at("closed")
    move(stage.request, "reopen", by=stage.filer, at=stage.now, given=Given(reason="It came back."))
    successor = stage.request.successors.get()
    assert f"/requests/{successor.number}/" in page_of(stage, login, stage.filer)
    assert f"/requests/{successor.number}/" not in page_of(stage, login, stage.lead)


class TestWishes:
    @pytest.fixture
    def wish(self, stage):
        stage.at("signed_off")
        return ask_move(
            stage.request, "triage", by=stage.filer, at=stage.now, note="The freeze is near."
        )

    def test_it_stands_on_the_page_for_who_can_make_it(self, wish, stage, login):
        html = page_of(stage, login, stage.lead)
        assert "The freeze is near." in html
        assert f"/asked/{wish.uuid}/refuse/" in html
        assert f"/asked/{wish.uuid}/refuse/" not in page_of(stage, login, stage.filer)
        assert "You asked for it." in page_of(stage, login, stage.filer)

    def test_asking_by_the_form(self, stage, login):
        stage.at("signed_off")
        url = f"/requests/{stage.request.number}/ask/triage/"
        browser = login(stage.filer)
        assert "Only DE leads can do this." in browser.get(url).content.decode()
        assert browser.post(url, {"note": "Soon"}).status_code == 302
        assert MoveRequest.objects.get().note == "Soon"
        assert browser.post(url, {"note": "Again"}).status_code == 409

    def test_who_may_do_it_is_led_to_doing_it(self, stage, login):
        stage.at("signed_off")
        number = stage.request.number
        answer = login(stage.lead).get(f"/requests/{number}/ask/triage/")
        assert answer.url == f"/requests/{number}/moves/triage/"
        answer = login(stage.filer).get(f"/requests/{number}/moves/triage/")
        assert answer.url == f"/requests/{number}/ask/triage/"

    def test_a_refusal_says_why(self, wish, stage, login):
        url = f"/requests/{stage.request.number}/asked/{wish.uuid}/refuse/"
        assert login(stage.stranger).post(url, {"note": "No"}).status_code == 403
        answer = login(stage.lead).post(url, {"note": " "})
        assert answer.status_code == 422
        assert login(stage.lead).post(url, {"note": "Not before May"}).status_code == 302
        wish.refresh_from_db()
        assert (wish.answer, wish.is_done) == ("Not before May", False)
        assert login(stage.lead).get(url).status_code == 404

    def test_the_move_settles_it(self, wish, stage, login):
        url = f"/requests/{stage.request.number}/moves/triage/"
        browser = login(stage.lead)
        assert "The freeze is near." in browser.get(url).content.decode()
        sent = {"impact": "2", "effort": "low", "confidence": "high"}
        assert browser.post(url, sent).status_code == 302
        wish.refresh_from_db()
        assert wish.is_done


class TestActivity:
    def test_it_is_told_in_sentences(self, stage, login):
        stage.at("scheduled")
        move(stage.request, "start", by=stage.lead, at=stage.now)
        words = text_of(page_of(stage, login, stage.filer, "activity/"))
        assert f"{stage.lead.name} started work" in words

    def test_what_hangs_on_the_request_is_part_of_it(self, stage, login):
        stage.at("awaiting_signoff")
        sign_off = stage.signed(stage.request.sows.get(), way="verbal", state="recorded")
        move(sign_off, "confirm", by=stage.colleague, at=stage.now)
        words = text_of(page_of(stage, login, stage.filer, "activity/"))
        assert f"{stage.colleague.name} confirmed the sign-off of v1" in words
        assert "It is signed off" in words

    def test_it_can_be_narrowed(self, stage, login):
        stage.at("scheduled")
        move(stage.request, "start", by=stage.lead, at=stage.now)
        assert "started work" in page_of(stage, login, stage.filer, "activity/?show=steps")
        assert "No events of this kind" in page_of(stage, login, stage.filer, "activity/?show=talk")
        assert "started work" in page_of(stage, login, stage.filer, "activity/?show=nonsense")

    def test_typing_does_not_fill_it(self, stage, login):
        Event.objects.create(
            actor=stage.filer,
            verb="request.draft_saved",
            object_type="engagements.servicerequest",
            object_id=stage.request.uuid,
        )
        assert "Nothing has happened yet" in page_of(stage, login, stage.filer, "activity/")

    def test_the_accounts_timeline_tells_it_with_a_link(self, stage, login):
        stage.at("scheduled")
        move(stage.request, "start", by=stage.lead, at=stage.now)
        browser = login(stage.filer)
        html = browser.get(f"/accounts/{stage.account.number}/timeline/?show=work").content.decode()
        assert f"{stage.lead.name} started work" in html
        assert f'href="/requests/{stage.request.number}/"' in html
        html = browser.get(f"/accounts/{stage.account.number}/timeline/?show=data").content.decode()
        assert f'href="/requests/{stage.request.number}/"' not in html


class TestAccountPanel:
    def test_it_lists_the_open_requests(self, stage, login):
        stage.at("scheduled")
        over = factories.ServiceRequestFactory(account=stage.account, title="Long over")
        workflow.place(over, "cancelled")
        answer = login(stage.lead).get(
            f"/requests/of/{stage.account.number}/", headers={"HX-Request": "true"}
        )
        html = answer.content.decode()
        assert stage.request.title in html
        assert "Long over" not in html

    def test_the_accounts_page_asks_for_it(self, stage, login):
        html = login(stage.lead).get(f"/accounts/{stage.account.number}/").content.decode()
        assert f'hx-get="/requests/of/{stage.account.number}/"' in html

    def test_without_the_script_it_is_the_list(self, stage, login):
        answer = login(stage.lead).get(f"/requests/of/{stage.account.number}/")
        assert answer.url == f"/requests/?view=all&account={stage.account.number}"


def test_a_page_costs_the_same_with_more_on_it(stage, login):
    stage.at("in_progress")
    browser = login(stage.lead)

    def statements():
        with CaptureQueriesContext(connection) as found:
            assert browser.get(f"/requests/{stage.request.number}/").status_code == 200
        return len(found)

    statements()
    few = statements()
    for number in range(3):
        factories.CommentFactory(request=stage.request, by=stage.filer, text=f"Note {number}")
    move(
        stage.request, "ask", by=stage.lead, at=stage.now, given=Given(values={"question": "Why?"})
    )
    move(
        stage.request, "answer", by=stage.filer, at=stage.now, given=Given(values={"answer": "So."})
    )
    assert statements() <= few + 4


@pytest.mark.parametrize("table", ALL, ids=lambda table: table.name)
def test_every_move_has_a_sentence(table):
    verbs = {f"{table.name}.{each.done}" for each in table.transitions}
    assert verbs <= SENTENCES.keys()
