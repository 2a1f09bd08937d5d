"""The way from ticked rows to the report, as a browser without any script walks it."""

import datetime as dt
import html
import re

import pytest
from django.utils import timezone

from accounts.models import Account, Assignment, BulkEdit
from accounts.services import bulk_edits
from tests.accounts.lists import account
from tests.factories import AccountFactory, AssignmentFactory

pytestmark = pytest.mark.django_db
BULK = "/accounts/bulk/"


@pytest.fixture
def browser(login, metric_owner):
    return login(metric_owner)


@pytest.fixture
def three():
    return [account(name, region="EMEA") for name in ("Alder", "Birch", "Cedar")]


def numbers(accounts):
    return [each.number for each in accounts]


def form_of(page):
    """Return what the confirming form would send."""
    form = re.search(r'<form[^>]*method="post"[^>]*bulk/".*?</form>', page.content.decode(), re.S)
    sent = {}
    if form:
        for name, value in re.findall(r'name="([^"]+)"\s+value="([^"]*)"', form[0]):
            sent.setdefault(name, []).append(html.unescape(value))
    return sent


def confirm(browser, query):
    return browser.post(BULK, form_of(browser.get(BULK, query)))


class TestTheWay:
    def test_choose_see_confirm_read_undo(self, browser, three):
        asked = {"field": "segment", "account": numbers(three[:2]), "region": "EMEA"}
        page = browser.get(BULK, asked)
        assert "Set segment of 2 accounts" in page.content.decode()
        assert form_of(page) == {}

        seen = browser.get(BULK, asked | {"value": "Public"}).content.decode()
        assert "2 will change" in seen
        assert "Alder" in seen
        assert not Account.objects.filter(segment="Public").exists()

        answer = confirm(browser, asked | {"value": "Public"})
        assert Account.objects.filter(segment="Public").count() == 2
        report = browser.get(answer.url).content.decode()
        assert "2 changed" in report
        assert "/accounts/?region=EMEA" in report

        undo = browser.post(f"{BULK}{BulkEdit.objects.get().uuid}/undo/", {"back": "region=EMEA"})
        assert not Account.objects.filter(segment="Public").exists()
        text = browser.get(undo.url).content.decode()
        assert "Undone: 2 put back." in text
        assert ">Undo<" not in text

    def test_all_that_match(self, browser, three):
        account("Elsewhere", region="APAC")
        Account.objects.bulk_create(
            Account(name=f"A {n}", source="x", external_id=str(n), region="EMEA", currency="USD")
            for n in range(60)
        )
        confirm(browser, {"field": "strategic", "all": "1", "region": "EMEA", "value": "yes"})
        assert Account.objects.filter(strategic=True).count() == 63
        assert not Account.objects.get(name="Elsewhere").strategic

    def test_more_than_the_cap_is_refused(self, browser, three, monkeypatch):
        monkeypatch.setattr("accounts.views.bulk.MOST_ACCOUNTS", 2)
        page = browser.get(BULK, {"field": "strategic", "all": "1", "value": "yes"})
        assert "More than 2 accounts fit" in page.content.decode()
        assert form_of(page) == {}

    def test_filters_that_cannot_be_read_never_mean_all(self, browser, three):
        page = browser.get(
            BULK, {"field": "strategic", "all": "1", "region": "nowhere", "value": "yes"}
        )
        assert "could not be read" in page.content.decode()
        assert form_of(page) == {}

    def test_the_tam_by_name(self, browser, three, tam, person):
        person("leadership", name="No TAM at all")
        page = browser.get(BULK, {"field": "tam", "account": numbers(three)}).content.decode()
        assert tam.name in page
        assert "No TAM at all" not in page
        confirm(browser, {"field": "tam", "account": numbers(three), "value": str(tam.uuid)})
        assert Assignment.objects.filter(user=tam, primary=True).count() == 3

    def test_who_may_not_be_tam_is_refused_with_the_reason(self, browser, three, leadership):
        asked = {"field": "tam", "account": numbers(three), "value": str(leadership.uuid)}
        page = browser.get(BULK, asked)
        assert page.status_code == 422
        assert "no role that lets them be a TAM" in page.content.decode()
        assert browser.post(BULK, asked).status_code == 422
        assert not Assignment.objects.exists()

    def test_archiving_shows_at_once_what_will_change(self, browser, three):
        confirm(browser, {"field": "archived", "account": numbers(three)})
        assert Account.objects.filter(archived=True).count() == 3

    def test_what_changed_meanwhile_is_shown_anew(self, browser, three):
        asked = {"field": "segment", "account": numbers(three), "value": "Public"}
        form = form_of(browser.get(BULK, asked))
        Account.objects.filter(pk=three[0].pk).update(segment="Bank", version=2)
        answer = browser.post(BULK, form)
        assert answer.status_code == 409
        assert "Something changed since" in answer.content.decode()
        assert "Bank" in answer.content.decode()
        assert not Account.objects.filter(segment="Public").exists()
        browser.post(BULK, form_of(answer))
        assert Account.objects.filter(segment="Public").count() == 3

    def test_reasons_row_by_row(self, login, tam, three):
        AssignmentFactory(account=three[0], user=tam)
        browser = login(tam)
        answer = confirm(
            browser, {"field": "segment", "account": numbers(three), "value": "Public"}
        )
        report = browser.get(answer.url).content.decode()
        assert "1 changed, 2 skipped" in " ".join(report.split())
        assert report.count("It is not one of your own accounts.") == 2

    def test_too_late_to_undo(self, browser, three):
        confirm(browser, {"field": "segment", "account": numbers(three), "value": "Public"})
        made = BulkEdit.objects.get()
        BulkEdit.objects.update(at=timezone.now() - dt.timedelta(minutes=11))
        url = f"{BULK}{made.uuid}/"
        assert ">Undo<" not in browser.get(url).content.decode()
        answer = browser.post(f"{url}undo/", follow=True)
        assert "for ten minutes only" in answer.content.decode()
        assert Account.objects.filter(segment="Public").count() == 3

    def test_someone_else_holds_the_accounts(self, browser, three, monkeypatch):
        def busy(*args, **kwargs):
            raise bulk_edits.Busy

        asked = {"field": "segment", "account": numbers(three), "value": "Public"}
        form = form_of(browser.get(BULK, asked))
        monkeypatch.setattr(bulk_edits, "carry_out", busy)
        answer = browser.post(BULK, form)
        assert answer.status_code == 409
        assert "Try again in a moment" in answer.content.decode()


class TestHostile:
    @pytest.mark.parametrize(
        "query",
        [
            {"field": "segment"},
            {"field": "segment", "account": "x", "value": "Y"},
            {"field": "segment", "account": ["ACC-0", "ACC--1", "ACC-99999999999999999999"]},
            {"field": "segment", "account": "ACC-999999999", "value": "Y"},
            {"field": "segment", "account": "\x00"},
            {"field": "strategic", "account": "ACC-1", "value": "maybe"},
            {"field": "tam", "account": "ACC-1", "value": "x"},
            {"field": "region", "account": "ACC-1", "value": "a\x00b"},
            {"field": "segment", "all": "1", "q": "\x00", "value": "x"},
        ],
    )
    def test_nothing_of_it_breaks_the_page_or_changes_anything(self, browser, three, query):
        for answer in (browser.get(BULK, query), browser.post(BULK, query)):
            assert answer.status_code in {200, 409, 422}
        assert not BulkEdit.objects.exists()

    @pytest.mark.parametrize("field", ["", "name", "version", "arr", "\x00"])
    def test_no_such_field(self, browser, field):
        assert browser.get(BULK, {"field": field}).status_code == 404

    def test_without_the_right(self, login, leadership, three):
        query = {"field": "segment", "account": numbers(three), "value": "Y"}
        assert login(leadership).get(BULK, query).status_code == 403
        assert login(leadership).post(BULK, query).status_code == 403

    def test_the_report_is_for_who_made_it(self, login, browser, three, csm):
        confirm(browser, {"field": "segment", "account": numbers(three), "value": "Public"})
        url = f"{BULK}{BulkEdit.objects.get().uuid}/"
        assert login(csm).get(url).status_code == 404
        assert login(csm).post(f"{url}undo/").status_code == 404

    def test_the_way_back_stays_here(self, browser, three):
        confirm(browser, {"field": "segment", "account": numbers(three), "value": "Public"})
        url = f"{BULK}{BulkEdit.objects.get().uuid}/"
        page = browser.get(url, {"back": "//evil.example/?region=EMEA&next=//evil.example"})
        assert "evil" not in re.findall(
            r'<a class="btn btn-p" href="([^"]*)"', page.content.decode()
        )


class TestBar:
    @pytest.mark.parametrize(
        ("role", "offered"),
        [
            ("metric_owner", {"tam", "segment", "strategic", "region", "archived"}),
            ("tam", {"segment", "strategic", "region"}),
            ("leadership", set()),
        ],
    )
    def test_offers_what_the_person_may(self, login, person, three, role, offered):
        page = login(person(role)).get("/accounts/").content.decode()
        assert set(re.findall(r'name="field"\s+value="(\w+)"', page)) == offered
        assert "Export CSV" in page
        assert page.count('name="account"') == 3

    def test_offers_all_that_match_where_there_are_more(self, browser, three):
        assert "that match" not in browser.get("/accounts/").content.decode()
        AccountFactory.create_batch(50)
        page = browser.get("/accounts/").content.decode()
        assert 'data-all="53"' in page
        assert "Select all 53 that match" in " ".join(page.split())
