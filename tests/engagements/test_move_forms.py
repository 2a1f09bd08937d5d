"""The form of a move: what it asks, what it says when it is refused, and its way back."""

import re

import pytest

from engagements.models import ReasonCode, ServiceRequest
from engagements.services import move
from events import workflow
from events.models import Event
from events.workflow import Given
from tests.engagements.ready import Stage

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "move-form"}


@pytest.fixture
def stage():
    return Stage()


def address(stage, name):
    return f"/requests/{stage.request.number}/moves/{name}/"


def state_of(stage):
    return ServiceRequest.objects.get(pk=stage.request.pk).state


def version_of(html):
    return re.search(r'name="version" value="(\d+)"', html)[1]


def once_of(html):
    return re.search(r'name="once" value="([^"]+)"', html)[1]


SCHEDULE = {"start": "2031-03-03", "end": "2031-03-12"}


class TestForm:
    def test_it_asks_for_what_the_table_says(self, stage, login):
        stage.at("triaged")
        html = login(stage.lead).get(address(stage, "schedule")).content.decode()
        for label in ("Lead", "Who else works on it", "First day", "Last day"):
            assert label in html
        assert html.count('type="date"') == 2
        assert "from “Triaged” to “Scheduled”" in html
        assert str(stage.engineer.uuid) in html
        assert str(stage.filer.uuid) not in html

    def test_a_reason_is_asked_where_one_is_needed(self, stage, login):
        stage.at("scheduled")
        browser = login(stage.lead)
        assert 'name="reason"' in browser.get(address(stage, "unschedule")).content.decode()
        assert 'name="reason"' not in browser.get(address(stage, "start")).content.decode()

    def test_values_of_the_address_are_filled_in(self, stage, login):
        stage.at("triaged")
        html = login(stage.lead).get(address(stage, "schedule"), SCHEDULE).content.decode()
        assert 'value="2031-03-03"' in html

    def test_in_the_drawer_it_is_the_form_alone(self, stage, login):
        stage.at("triaged")
        html = login(stage.lead).get(address(stage, "schedule"), headers=HTMX).content.decode()
        assert html.lstrip().startswith('<form id="move-form"')
        assert "<main" not in html

    @pytest.mark.parametrize("name", ["nonsense", "sow", "SCHEDULE"])
    def test_an_unknown_move_is_not_there(self, name, stage, login):
        stage.at("triaged")
        assert login(stage.lead).get(address(stage, name)).status_code == 404
        assert login(stage.lead).post(address(stage, name)).status_code == 404

    def test_what_only_keel_does_is_nobodys(self, stage, login):
        stage.at("awaiting_signoff")
        assert login(stage.lead).get(address(stage, "sign")).status_code == 403
        assert login(stage.lead).post(address(stage, "sign")).status_code == 403
        assert state_of(stage) == "awaiting_signoff"


class TestMoving:
    def test_it_moves_and_says_so(self, stage, login):
        stage.at("triaged")
        sent = SCHEDULE | {"lead": str(stage.engineer.uuid), "engineers": [str(stage.lead.uuid)]}
        answer = login(stage.lead).post(address(stage, "schedule"), sent, follow=True)
        assert "is now “Scheduled”" in answer.content.decode()
        stage.request.refresh_from_db()
        assert (stage.request.state, stage.request.lead) == ("scheduled", stage.engineer)
        assert list(stage.request.engineers.all()) == [stage.lead]

    def test_it_leads_to_where_one_came_from(self, stage, login):
        stage.at("scheduled")
        back = f"/requests/{stage.request.number}/activity/"
        answer = login(stage.lead).post(address(stage, "start"), {"next": back})
        assert answer.url == back
        workflow.place(stage.request, "scheduled")
        answer = login(stage.lead).post(address(stage, "start"), {"next": "https://evil.example/"})
        assert answer.url == f"/requests/{stage.request.number}/"

    def test_errors_stand_at_their_fields_and_what_was_typed_stays(self, stage, login):
        stage.at("triaged")
        sent = {"start": "2031-03-03", "end": "tomorrow", "lead": "nobody"}
        answer = login(stage.lead).post(address(stage, "schedule"), sent)
        html = answer.content.decode()
        assert answer.status_code == 422
        assert "There is a problem" in html
        assert 'value="2031-03-03"' in html
        assert 'value="tomorrow"' in html
        assert "<title>Error:" in re.sub(r"\s+", " ", html).replace("<title> ", "<title>")
        assert state_of(stage) == "triaged"

    def test_all_errors_are_told_at_once(self, stage, login):
        stage.at("in_progress")
        html = login(stage.lead).post(address(stage, "hold"), {}).content.decode()
        assert "Choose “Reason”." in html
        assert "Say why." in html

    def test_an_error_between_fields_stands_at_one(self, stage, login):
        stage.at("triaged")
        sent = {"start": "2031-03-03", "end": "2031-04-03", "lead": str(stage.engineer.uuid)}
        answer = login(stage.lead).post(address(stage, "schedule"), sent)
        assert answer.status_code == 422
        assert "More than 14 days" in answer.content.decode()

    def test_who_may_not_is_refused(self, stage, login):
        stage.at("triaged")
        answer = login(stage.filer).post(address(stage, "schedule"), SCHEDULE)
        assert answer.status_code == 403
        assert "Only DE leads can do this." in answer.content.decode()
        assert state_of(stage) == "triaged"

    def test_what_stands_in_the_way_is_said_with_what_to_do(self, stage, login):
        stage.sow()
        workflow.place(stage.request, "triaged")
        browser = login(stage.lead)
        shown = browser.get(address(stage, "schedule"))
        assert shown.status_code == 200
        assert "is not signed off" in shown.content.decode()
        assert 'name="start"' not in shown.content.decode()
        sent = browser.post(address(stage, "schedule"), SCHEDULE)
        assert sent.status_code == 409
        assert "Nothing was changed." in sent.content.decode()
        assert 'value="2031-03-03"' in sent.content.decode()

    def test_a_move_from_another_state_is_told(self, stage, login):
        stage.at("triaged")
        answer = login(stage.lead).get(address(stage, "start"))
        assert answer.status_code == 200
        assert "is not possible now: the request is triaged, not scheduled" in (
            answer.content.decode()
        )

    def test_a_change_meanwhile_is_shown_and_nothing_typed_is_lost(self, stage, login):
        stage.at("scheduled")
        browser = login(stage.lead)
        form = browser.get(address(stage, "unschedule")).content.decode()
        move(
            stage.request, "ask", by=stage.second_lead, at=stage.now,
            given=Given(values={"question": "Which gateway?"}),
        )  # fmt: skip
        move(
            stage.request, "answer", by=stage.filer, at=stage.now,
            given=Given(values={"answer": "The old one."}),
        )  # fmt: skip
        sent = {"reason": "Another comes first.", "version": version_of(form)}
        answer = browser.post(address(stage, "unschedule"), sent)
        html = answer.content.decode()
        assert answer.status_code == 412
        assert "was changed meanwhile" in html
        assert f"{stage.second_lead.name} asked for information" in html
        assert "Another comes first." in html
        again = {"reason": "Another comes first.", "version": version_of(html)}
        assert browser.post(address(stage, "unschedule"), again).status_code == 302
        assert state_of(stage) == "triaged"

    def test_a_version_that_never_was_is_a_change_too(self, stage, login):
        stage.at("scheduled")
        sent = {"reason": "Another comes first.", "version": "0"}
        answer = login(stage.lead).post(address(stage, "unschedule"), sent)
        assert answer.status_code == 412
        assert "was changed meanwhile" in answer.content.decode()

    def test_sent_twice_it_has_one_effect(self, stage, login):
        stage.at("scheduled")
        browser = login(stage.lead)
        sent = {"once": once_of(browser.get(address(stage, "start")).content.decode())}
        first = browser.post(address(stage, "start"), sent)
        second = browser.post(address(stage, "start"), sent)
        assert (first.status_code, second.status_code) == (302, 302)
        assert first.url == second.url
        assert Event.objects.filter(verb="request.started").count() == 1

    @pytest.mark.parametrize(
        "sent",
        [
            {"version": "x"},
            {"version": "99999999999999999999"},
            {"lead": "\x00"},
            {"engineers": ["", "x"]},
            {"start": "2031-02-30"},
            {"unknown": "1"},
        ],
    )
    def test_nothing_odd_breaks_it(self, sent, stage, login):
        stage.at("triaged")
        answer = login(stage.lead).post(address(stage, "schedule"), SCHEDULE | sent)
        assert answer.status_code in {412, 422}
        assert state_of(stage) == "triaged"


class TestUndo:
    def test_a_plain_way_back_is_offered(self, stage, login):
        stage.at("in_progress")
        sent = {"code": hold_code(), "reason": "Something came first."}
        browser = login(stage.lead)
        html = browser.post(address(stage, "hold"), sent, follow=True).content.decode()
        assert re.search(rf'action="{address(stage, "resume")}">.*?Undo', html, re.S)
        browser.post(address(stage, "resume"))
        assert state_of(stage) == "in_progress"

    def test_not_where_it_asks_for_something(self, stage, login):
        stage.at("triaged")
        sent = SCHEDULE | {"lead": str(stage.engineer.uuid)}
        html = login(stage.lead).post(address(stage, "schedule"), sent, follow=True)
        assert ">Undo<" not in html.content.decode()


def hold_code():
    return ReasonCode.objects.filter(kind="hold").exclude(code="preempted").first().code
