"""One move for many requests."""

import re

import pytest

from engagements.models import ReasonCode, ServiceRequest
from events import workflow
from events.models import Event
from tests import factories

pytestmark = pytest.mark.django_db


def make(state="triaged", **more):
    return factories.ServiceRequestFactory(state=state, **more)


def code(kind):
    return ReasonCode.objects.filter(kind=kind).exclude(code="preempted").first().code


def state_of(request):
    return ServiceRequest.objects.get(pk=request.pk).state


def hidden_of(html):
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', html)
    sent = {}
    for name, value in found:
        sent.setdefault(name, []).append(value)
    return sent


def confirm(browser, requests, name, **values):
    query = "&".join(f"request={each.number}" for each in requests)
    page = browser.get(f"/requests/bulk/?move={name}&{query}")
    assert page.status_code == 200
    return browser.post("/requests/bulk/", hidden_of(page.content.decode()) | values, follow=True)


def test_the_bar_offers_what_ones_role_can_do(login, de_lead, tam, leadership):
    make()
    bars = {
        who: login(who).get("/requests/").content.decode() for who in (de_lead, tam, leadership)
    }
    assert 'value="hold"' in bars[de_lead]
    assert 'value="cancel"' in bars[tam]
    assert 'value="hold"' not in bars[tam]
    assert 'name="move"' not in bars[leadership]


def test_before_it_is_done_one_sees_which_go_and_why_others_do_not(login, de_lead):
    triaged, over = make(title="To be held"), make("closed", title="Long over")
    page = login(de_lead).get(
        f"/requests/bulk/?move=hold&request={triaged.number}&request={over.number}"
    )
    html = page.content.decode()
    assert "1 will move" in html
    assert "is not possible now: the request is closed" in html
    assert state_of(triaged) == "triaged"


def test_it_moves_each_and_reports(login, de_lead):
    one, two, over = make(), make("in_progress"), make("closed")
    answer = confirm(
        login(de_lead), [one, two, over], "hold", code=code("hold"), reason="A freeze."
    )
    html = answer.content.decode()
    assert answer.redirect_chain == [("/requests/bulk/report/", 302)]
    assert "2 done, 1 skipped" in re.sub(r"\s+", " ", html)
    assert (state_of(one), state_of(two), state_of(over)) == ("on_hold", "on_hold", "closed")
    assert Event.objects.filter(verb="request.held", reason="A freeze.").count() == 2


def test_fields_are_asked_once_and_errors_move_nothing(login, de_lead):
    requests = [make(), make()]
    answer = confirm(login(de_lead), requests, "hold", code="nonsense", reason="")
    assert answer.status_code == 422
    assert "Say why." in answer.content.decode()
    assert [state_of(each) for each in requests] == ["triaged", "triaged"]


def test_what_somebody_changed_meanwhile_stays(login, de_lead):
    one, two = make(), make()
    browser = login(de_lead)
    page = browser.get(f"/requests/bulk/?move=hold&request={one.number}&request={two.number}")
    ServiceRequest.objects.filter(pk=two.pk).update(version=two.version + 1)
    sent = hidden_of(page.content.decode()) | {"code": code("hold"), "reason": "A freeze."}
    html = browser.post("/requests/bulk/", sent, follow=True).content.decode()
    assert "Somebody changed it while you were choosing." in html
    assert (state_of(one), state_of(two)) == ("on_hold", "triaged")


def test_a_requester_cancels_only_their_own(login, tam):
    own, other = make(filed_by=tam), make()
    html = confirm(login(tam), [own, other], "cancel", code=code("cancel")).content.decode()
    assert (state_of(own), state_of(other)) == ("cancelled", "triaged")
    assert "Only its requester or a DE lead can do this." in html


def test_all_that_match(login, de_lead):
    found = [make("submitted", title=f"Bot {number}") for number in range(3)]
    other = make("submitted", title="SAML")
    browser = login(de_lead)
    page = browser.get("/requests/bulk/?move=take&all=1&q=bot")
    browser.post("/requests/bulk/", hidden_of(page.content.decode()))
    assert {state_of(each) for each in found} == {"sow_drafting"}
    assert state_of(other) == "submitted"


def test_sent_twice_it_has_one_effect(login, de_lead):
    one = make()
    browser = login(de_lead)
    page = browser.get(f"/requests/bulk/?move=hold&request={one.number}").content.decode()
    sent = hidden_of(page) | {"code": code("hold"), "reason": "A freeze."}
    assert browser.post("/requests/bulk/", sent).status_code == 302
    assert browser.post("/requests/bulk/", sent).status_code == 302
    assert Event.objects.filter(verb="request.held").count() == 1


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("?move=hold", 200, "No request is selected."),
        ("?move=hold&request=REQ-999999999999999999", 200, "No request is selected."),
        ("?move=hold&all=1&state=nonsense", 200, "The filters of the list could not be read."),
        ("?move=schedule&request=REQ-1", 404, ""),
        ("?move=%00", 404, ""),
        ("", 404, ""),
    ],
)
def test_what_means_nothing_is_told(query, status, words, login, de_lead):
    answer = login(de_lead).get(f"/requests/bulk/{query}")
    assert answer.status_code == status
    assert words in answer.content.decode()


def test_who_may_not_is_told_who_may(login, leadership):
    one = make()
    answer = login(leadership).get(f"/requests/bulk/?move=hold&request={one.number}")
    assert answer.status_code == 403
    assert "Only DE leads" in answer.content.decode()


def test_there_is_no_report_before_there_was_a_move(login, de_lead):
    assert login(de_lead).get("/requests/bulk/report/").status_code == 404


def test_too_many_are_not_taken_at_once(login, de_lead, monkeypatch):
    monkeypatch.setattr("engagements.views.bulk.MOST", 1)
    workflow.place(make("draft"), "submitted")
    make("submitted")
    html = login(de_lead).get("/requests/bulk/?move=take&all=1").content.decode()
    assert "More than 1 requests fit." in html
