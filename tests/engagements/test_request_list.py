"""The list of requests: views, filters, order, columns, files."""

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import selectors as accounts
from engagements.models import ServiceRequest
from engagements.selectors.agreements import agreements_of
from engagements.selectors.signoffs import live_sign_off
from events import workflow
from tests import factories
from tests.engagements.ready import Stage

pytestmark = pytest.mark.django_db


def make(title, state="sow_drafting", **more):
    return factories.ServiceRequestFactory(title=title, state=state, **more)


@pytest.fixture
def ask(login):
    def asked(person, query=""):
        answer = login(person).get(f"/requests/{query}")
        assert answer.status_code == 200
        return answer.content.decode()

    return asked


def titles(html):
    links = html.split('<a class="t"')[1:]
    return [link.split(">", 1)[1].split("<", 1)[0] for link in links]


class TestViews:
    def test_at_first_the_open_ones(self, ask, leadership):
        make("Open one")
        make("Over", "closed")
        assert titles(ask(leadership)) == ["Open one"]
        assert titles(ask(leadership, "?view=all")) == ["Over", "Open one"]

    def test_drafts_of_others_are_in_none(self, ask, leadership, de_lead):
        draft = make("In a drawer", "draft")
        assert titles(ask(leadership, "?view=all")) == []
        assert titles(ask(draft.filed_by, "?view=all")) == ["In a drawer"]

    def test_mine_are_those_i_filed_or_work_on_or_of_my_accounts(self, ask, tam, de_engineer):
        make("Filed by me", filed_by=tam)
        ours = make("Of my account")
        factories.AssignmentFactory(account=ours.account, user=tam, role="TAM")
        make("Of nobody")
        led = make("Led", lead=de_engineer)
        led.engineers.add(de_engineer)
        assert set(titles(ask(tam, "?view=mine"))) == {"Filed by me", "Of my account"}
        assert titles(ask(de_engineer, "?view=mine")) == ["Led"]

    def test_what_needs_me(self, ask, de_lead, leadership):
        make("Without an owner", "submitted")
        make("Being written")
        assert titles(ask(de_lead, "?view=me")) == ["Without an owner"]
        assert "Nothing needs you" in ask(leadership, "?view=me")

    def test_an_unknown_view_is_told(self, ask, tam):
        assert "There is no such view." in ask(tam, "?view=nonsense")


class TestFilters:
    @pytest.fixture(autouse=True)
    def _requests(self, db):
        self.bot = make("A bot", "in_progress", impact=1, owner="de")
        self.saml = make("SAML", "awaiting_signoff", type="non_standard", impact=3)
        self.over = make("An old one", "closed", owner="de")

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("?q=saml", ["SAML"]),
            ("?q=old", []),
            ("?q=old&view=all", ["An old one"]),
            ("?state=work", ["A bot"]),
            ("?state=over", ["An old one"]),
            ("?state=awaiting_signoff", ["SAML"]),
            ("?type=non_standard", ["SAML"]),
            ("?owner=de", ["A bot"]),
            ("?impact=1", ["A bot"]),
            ("?lead=nobody", ["SAML", "A bot"]),
            ("?lead=me", []),
            ("?sort=title", ["A bot", "SAML"]),
            ("?sort=-impact", ["SAML", "A bot"]),
        ],
    )
    def test_each_narrows(self, query, expected, ask, leadership):
        assert titles(ask(leadership, query)) == expected

    def test_by_person_and_account_and_number(self, ask, leadership):
        filer = self.bot.filed_by.uuid
        assert titles(ask(leadership, f"?filed_by={filer}")) == ["A bot"]
        assert titles(ask(leadership, f"?account={self.saml.account.number}")) == ["SAML"]
        assert titles(ask(leadership, f"?q={self.saml.number.lower()}")) == ["SAML"]

    @pytest.mark.parametrize(
        "query",
        [
            "?state=x",
            "?account=12",
            "?impact=9",
            "?sort=x",
            "?q=%00",
            "?account=ACC-9999999999999999999",
        ],
    )
    def test_what_cannot_be_read_is_told_and_left_out(self, query, ask, leadership):
        html = ask(leadership, query)
        assert "Not filtered." in html
        assert set(titles(html)) >= {"SAML", "A bot"}

    def test_numbers_too_large_find_nothing(self, ask, leadership):
        assert titles(ask(leadership, "?account=ACC-999999999999999999")) == []
        assert titles(ask(leadership, "?q=999999999999999999")) == []

    def test_a_search_in_vain_offers_all(self, ask, leadership):
        assert "?view=all&amp;q=old" in ask(leadership, "?q=old")


def test_first_use_says_what_will_be_here(ask, tam, leadership):
    assert "No open requests" in ask(tam)
    assert "Only TAMs" in ask(leadership)


def test_the_form_of_filters_answers_with_the_list_alone(login, leadership):
    make("A bot")
    answer = login(leadership).get(
        "/requests/?q=bot", headers={"HX-Request": "true", "HX-Target": "list"}
    )
    assert "<main" not in answer.content.decode()
    assert titles(answer.content.decode()) == ["A bot"]


def test_columns_are_those_asked_for(ask, leadership):
    make("A bot", type="one_off")
    html = ask(leadership, "?columns=type,needed")
    assert "A one-off script" in html
    assert 'data-l="Account"' not in html


def test_files_hold_what_is_shown(login, leadership):
    bot = make("=A bot", "in_progress", impact=1)
    make("Other")
    answer = login(leadership).get("/requests/export.csv?impact=1")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert [(row["number"], row["title"]) for row in rows] == [(bot.number, "'=A bot")]
    assert (rows[0]["account"], rows[0]["state"]) == (bot.account.number, "in_progress")
    picked = login(leadership).get(f"/requests/export.csv?request={bot.number}&columns=state")
    lines = b"".join(picked.streaming_content).decode().splitlines()
    assert lines == ["number,title,state", f"{bot.number},'=A bot,in_progress"]
    assert login(leadership).get("/requests/export.csv?state=nonsense").status_code == 400
    assert login(leadership).get("/requests/export.xlsx").status_code == 200


def test_views_can_be_kept(login, tam):
    browser = login(tam)
    sent = {"page": "requests", "state": "work", "name": "In work", "columns": "state,lead"}
    answer = browser.post("/views/new/", sent, follow=True)
    assert answer.redirect_chain[-1][0].startswith("/requests/?saved=")
    assert "In work" in answer.content.decode()


class TestPaging:
    def test_pages_follow_each_other(self, ask, login, leadership):
        ServiceRequest.objects.bulk_create(
            ServiceRequest(
                account=factories.AccountFactory(),
                filed_by=leadership,
                title=f"No {number}",
                seats_likely=number % 3,
            )
            for number in range(3)
        )
        for each in ServiceRequest.objects.all():
            workflow.place(each, "submitted")
        for number in range(49):
            make(f"Filler {number}", "submitted", seats_low=1, seats_likely=1, seats_high=1)
        html = ask(leadership, "?sort=seats")
        first = titles(html)
        assert len(first) == 50
        link = html.split('rel="next"')[1].split('href="')[1].split('"')[0].replace("&amp;", "&")
        second = titles(ask(leadership, link))
        assert len(second) == 2
        assert set(first) | set(second) == {each.title for each in ServiceRequest.objects.all()}


class TestAgreement:
    def test_it_is_what_the_request_itself_says(self):
        stages = []
        for state in ("draft", "sow_drafting", "awaiting_signoff", "signed_off", "in_progress"):
            stage = Stage()
            stage.at(state)
            stages.append(stage)
        superseded = Stage()
        superseded.at("signed_off")
        second = superseded.sow()
        second.digest = "0" * 64
        recorded = Stage()
        recorded.sow()
        recorded.signed(recorded.request.sows.get(), way="verbal", state="recorded")
        stages += [superseded, recorded]
        requests = [stage.request for stage in stages]
        today = accounts.today(stages[0].now)
        found = agreements_of(requests, on=today)
        kinds = [found[each.pk].kind for each in requests]
        assert kinds[:5] == ["none", "draft", "waiting", "signed", "signed"]
        assert kinds[6] == "unconfirmed"
        for each in requests:
            is_signed = live_sign_off(each, on=today) is not None
            assert (found[each.pk].kind == "signed") is is_signed

    def test_work_at_risk_is_said(self, ask, leadership):
        risk = factories.WorkAtRiskFactory(
            request=make("Started early", "in_progress"), state="approved"
        )
        assert "At risk until" in ask(leadership)
        found = agreements_of([risk.request], on=risk.expires_on)
        assert found[risk.request.pk].until == risk.expires_on


def test_a_list_costs_the_same_with_more_rows(login, leadership):
    browser = login(leadership)

    def statements():
        with CaptureQueriesContext(connection) as found:
            assert browser.get("/requests/").status_code == 200
        return len(found)

    def add():
        stage = Stage()
        stage.at("in_progress")

    add()
    statements()
    one = statements()
    add()
    add()
    assert statements() == one
