import csv
import datetime as dt
import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import selectors
from accounts.models import Account
from tests.accounts.lists import account, names
from tests.factories import AccountFactory

pytestmark = pytest.mark.django_db
LIST = "/accounts/"
MOST_STATEMENTS = 8
MOST_BYTES = 60 * 1024


def today():
    return selectors.today(timezone.now())


@pytest.fixture
def browser(login, tam):
    return login(tam)


@pytest.fixture
def three(tam):
    return [
        account("Alder", deployed=76, tam=tam, region="EMEA", renewal_on=today()),
        account("Birch", deployed=20, arr=Decimal(900_000), region="APAC"),
        account("Cedar", deployed=90, external_id="=SUM(A1)"),
    ]


class TestList:
    def test_what_a_row_says(self, browser, three):
        page = browser.get(LIST).content.decode()
        for words in ("Alder", f"ACC-{three[0].pk}", "$100K", "76.0%", "76 of 100", "Ruby", "TAM"):
            assert words in page
        assert "3 accounts, $1.1M ARR" in page

    @pytest.mark.parametrize("query", [{}, {"sort": "-arr"}, {"view": "mine", "sort": "share"}])
    def test_same_statements_for_one_and_three_rows(self, browser, tam, query):
        account("First", tam=tam)
        browser.get(LIST)
        with CaptureQueriesContext(connection) as one:
            browser.get(LIST, query)
        for name in ("Second", "Third"):
            account(name, tam=tam)
        with CaptureQueriesContext(connection) as three:
            assert len(names(browser.get(LIST, query))) == 3
        assert len(one) == len(three) <= MOST_STATEMENTS

    def test_a_full_page_is_small_and_every_further_page_costs_the_same(self, browser, tam):
        for number in range(101):
            account(f"Account {number:03}", tam=tam)
        page = browser.get(LIST)
        assert len(names(page)) == 50
        assert len(page.content) < MOST_BYTES
        seen = names(page)
        while following := re.search(r'rel="next"\s+href="([^"]+)"', page.content.decode()):
            with CaptureQueriesContext(connection) as statements:
                page = browser.get(LIST + following[1].replace("&amp;", "&"))
            assert len(statements) <= MOST_STATEMENTS
            seen += names(page)
        assert seen == [f"Account {number:03}" for number in range(101)]

    @pytest.mark.parametrize(
        ("sort", "first"),
        [
            ("name", "Alder"),
            ("-name", "Cedar"),
            ("-arr", "Birch"),
            ("share", "Birch"),
            ("-share", "Cedar"),
            ("to_go", "Cedar"),
            ("-to_go", "Birch"),
            ("renewal", "Alder"),
        ],
    )
    def test_sorting(self, browser, three, sort, first):
        assert names(browser.get(LIST, {"sort": sort}))[0] == first

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"q": "ald"}, ["Alder"]),
            ({"q": "SUM"}, ["Cedar"]),
            ({"q": "%"}, []),
            ({"region": "APAC"}, ["Birch"]),
            ({"tier": "Ruby", "region": "EMEA"}, ["Alder", "Cedar"]),
            ({"tam": "none"}, ["Birch", "Cedar"]),
            ({"status": "prospect"}, []),
            ({"standing": "passes"}, ["Cedar"]),
            ({"standing": "below"}, ["Alder", "Birch"]),
            ({"state": "stale"}, []),
            ({"view": "mine"}, ["Alder"]),
            ({"view": "below"}, ["Alder", "Birch"]),
            ({"view": "near"}, ["Alder"]),
            ({"view": "renewal"}, ["Alder"]),
            ({"view": "below", "region": "APAC"}, ["Birch"]),
            ({"colour": "blue"}, ["Alder", "Birch", "Cedar"]),
        ],
    )
    def test_filters(self, browser, three, query, found):
        assert names(browser.get(LIST, query)) == found

    def test_found_by_number_and_by_tam(self, browser, three, tam):
        for number in (f"ACC-{three[1].pk}", f"acc-{three[1].pk}"):
            assert names(browser.get(LIST, {"q": number})) == ["Birch"]
        assert names(browser.get(LIST, {"tam": str(tam.uuid)})) == ["Alder"]

    def test_within_five_points_is_exact(self, browser):
        account("At the edge", licensed=44, deployed=33)
        account("Under it", licensed=44, deployed=32)
        assert names(browser.get(LIST, {"view": "near"})) == ["At the edge"]

    def test_renewals_of_the_next_120_days(self, browser):
        for days in (-1, 0, 120, 121):
            account(f"In {days}", renewal_on=today() + dt.timedelta(days=days))
        assert names(browser.get(LIST, {"view": "renewal"})) == ["In 0", "In 120"]

    def test_stale_data_of_customers(self, browser):
        account("Stale", deployed=None, data_state="stale")
        account("Partly", data_state="partial")
        account("Prospect", deployed=None, data_state="stale", status="prospect")
        assert names(browser.get(LIST, {"view": "stale"})) == ["Partly", "Stale"]

    @pytest.mark.parametrize(
        "query",
        [
            {"region": "nowhere"},
            {"tier": "%"},
            {"tam": "x"},
            {"q": "a\x00b"},
            {"q": "x" * 5000},
            {"status": "\ud800".encode("utf-8", "replace").decode()},
            {"sort": "password"},
            {"sort": "--arr"},
            {"view": "everything"},
        ],
    )
    def test_what_cannot_be_read_is_named_and_the_list_is_whole(self, browser, three, query):
        response = browser.get(LIST, query)
        assert response.status_code == 200
        assert b"Not filtered." in response.content
        assert len(names(response)) == 3

    @pytest.mark.parametrize("cursor", ["x", "A" * 60, "%00", "é"])
    def test_a_foreign_cursor_leads_to_the_first_page(self, browser, three, cursor):
        response = browser.get(LIST, {"cursor": cursor})
        assert b"This is the first page." in response.content
        assert len(names(response)) == 3

    def test_unknown_is_a_word_and_not_zero(self, browser):
        account("Dark", deployed=None, data_state="stale", reason="stale", arr=None)
        page = browser.get(LIST).content.decode()
        assert "Stale count" in page
        assert "ARR of 1 unknown" in page

    @pytest.mark.parametrize("sort", ["arr", "-arr", "share", "-share", "to_go", "-renewal"])
    def test_unknown_comes_last_either_way(self, browser, sort):
        account("Dark", deployed=None, arr=None)
        account("Lit", renewal_on=today())
        AccountFactory(name="Fresh")
        assert names(browser.get(LIST, {"sort": sort}))[0] == "Lit"

    def test_an_account_without_facts(self, browser):
        AccountFactory(name="Fresh")
        assert "Not computed yet" in browser.get(LIST).content.decode()

    def test_first_use_and_no_result(self, browser):
        assert b"manage.py import_data accounts" in browser.get(LIST).content
        account("One")
        nothing = browser.get(LIST, {"q": "nobody"}).content
        assert b"Clear filters" in nothing
        assert b"import_data" not in nothing

    def test_htmx_gets_the_list_alone(self, browser, three):
        response = browser.get(LIST, headers={"HX-Request": "true", "HX-Target": "list"})
        text = response.content.decode()
        assert "<html" not in text
        assert 'id="list"' in text
        assert "innerHTML:#list-status" in text

    def test_markup_in_names_is_text(self, browser):
        account("<script>alert(1)</script>")
        assert b"<script>alert(1)" not in browser.get(LIST).content

    def test_nobody_without_a_role(self, login, without_role):
        assert login(without_role).get(LIST).status_code == 403


class TestExport:
    def rows(self, response):
        assert response["Content-Type"].startswith("text/csv")
        text = b"".join(response.streaming_content).decode()
        return list(csv.DictReader(text.splitlines()))

    def test_the_filtered_list_whole_and_harmless(self, browser, three):
        rows = self.rows(browser.get("/accounts/export.csv", {"sort": "-name"}))
        assert [row["name"] for row in rows] == ["Cedar", "Birch", "Alder"]
        assert rows[0]["external_id"] == "'=SUM(A1)"
        assert (rows[0]["seats_share"], rows[0]["currency"]) == ("0.900000", "USD")
        assert rows[0]["passes"] == "true"
        (row,) = self.rows(browser.get("/accounts/export.csv", {"region": "APAC"}))
        assert (row["name"], row["number"]) == ("Birch", f"ACC-{three[1].pk}")

    def test_more_than_a_page(self, browser):
        Account.objects.bulk_create(
            Account(name=f"A {n}", source="x", external_id=str(n)) for n in range(60)
        )
        assert len(self.rows(browser.get("/accounts/export.csv"))) == 60

    def test_the_file_names_its_day(self, browser):
        disposition = browser.get("/accounts/export.csv")["Content-Disposition"]
        assert disposition == f'attachment; filename="accounts-{today()}.csv"'

    def test_no_file_for_filters_that_cannot_be_read(self, browser, three):
        assert browser.get("/accounts/export.csv", {"region": "nowhere"}).status_code == 400
