"""The lists and files behind the number, and what pages cost."""

import html
import io
import re
from decimal import Decimal

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Subscription
from tests.factories import AssignmentFactory, TierFactory
from tests.metrics.pages import (
    DASHBOARD,
    LIST,
    ROWS,
    SERIES,
    company_of,
    computed,
    names,
    said,
    table,
    words,
)
from tests.metrics.scene import customer, day, learn, read

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("morning")]
MOST_STATEMENTS = 17
MOST_LIST_STATEMENTS = 8
MOST_LIST_BYTES = 60 * 1024


class TestList:
    def test_is_the_full_list_behind_each_band(self, browser):
        learn("03-01")
        for name, seats in (("Pass", 95), ("Edge", 81), ("Near", 78), ("Far", 5), ("Mute", None)):
            customer(seats, name=name, at="03-18T12:00")
        customer(90, name="Test", internal=True)
        computed("03-19")

        def listed(band):
            return names(browser.get(f"{LIST}?band={band}"))

        assert listed("counted") == ["Edge", "Far", "Mute", "Near", "Pass"]
        assert listed("passing") == ["Edge", "Pass"]
        assert listed("falling") == ["Edge"]
        assert listed("below") == ["Near", "Far"]
        assert listed("near") == ["Near"]
        assert listed("unknown") == ["Mute"]
        assert listed("late") == []
        assert listed("excluded") == ["Test"]
        assert listed("conflict") == []
        assert names(browser.get(LIST)) == listed("counted")

    def test_counts_its_lists(self, browser):
        company_of(7)

        page = said(browser.get(LIST))

        assert "In the number 7" in page
        assert "At the line or above 4" in page
        assert "Below the line 3" in page

    def test_filters_by_segment_and_says_how_many(self, browser, tam):
        learn("03-01")
        tier = TierFactory(name="Ruby two", arr_from=Decimal(1))
        AssignmentFactory(account=customer(90, name="Mine", region="EMEA"), user=tam)
        customer(90, name="Nobody's", region="")
        computed("03-19")

        assert names(browser.get(f"{LIST}?tam={tam.uuid}")) == ["Mine"]
        assert names(browser.get(f"{LIST}?tam=none")) == ["Nobody&#x27;s"]
        assert names(browser.get(f"{LIST}?region=EMEA")) == ["Mine"]
        assert names(browser.get(f"{LIST}?region=none")) == ["Nobody&#x27;s"]
        assert len(names(browser.get(f"{LIST}?tier={tier.uuid}"))) == 2
        assert "1 account" in words(browser.get(f"{LIST}?region=EMEA")).splitlines()

    def test_says_what_makes_no_sense(self, browser):
        company_of(1)

        response = browser.get(f"{LIST}?band=nothing&tam=x&tier=' OR 1=1&reason=%00&cursor=x")

        assert response.status_code == 200
        page = said(response)
        assert "There is no such list." in page
        assert "There is no such TAM here." in page
        assert "The list has changed since. This is its first page." in page

    def test_an_empty_list_and_one_emptied_by_filters(self, browser):
        company_of(1)

        assert "No accounts here" in said(browser.get(f"{LIST}?band=near"))
        assert "No accounts match these filters" in said(browser.get(f"{LIST}?tier=none&tam=none"))

    def test_walks_through_pages_once(self, browser):
        learn("03-01")
        expected = [f"Co {number:03}" for number in range(120)]
        for name in expected:
            customer(60, name=name)
        computed("03-19")

        url, seen = f"{LIST}?band=below", []
        while url:
            response = browser.get(url)
            seen += names(response)
            found = re.findall(r'rel="next"\s+href="([^"]+)"', response.content.decode())
            url = f"{LIST}{html.unescape(found[0])}" if found else None

        assert seen == expected

    def test_keeps_to_the_day(self, browser):
        learn("03-01")
        account = customer(70, name="Later passing")
        computed("03-10")
        read(account, 90, "03-15T12:00")
        computed("03-19")

        assert names(browser.get(f"{LIST}?band=below&as_of=2026-03-10")) == ["Later passing"]
        assert names(browser.get(f"{LIST}?band=below")) == []

    def test_tells_renewals_where_all_stand_for_one_reason(self, browser):
        learn("03-01")
        account = customer(70)
        Subscription.objects.filter(account=account).update(end=day("07-01"))
        computed("03-19")

        assert "1 Jul" in said(browser.get(f"{LIST}?band=below"))
        assert "Below the line" in said(browser.get(LIST))


class TestFiles:
    def test_rows_are_exact_and_harmless(self, browser, tam):
        learn("03-01")
        account = customer(35, licensed=44, name="=cmd()", region="EMEA")
        AssignmentFactory(account=account, user=tam)
        customer(90, name="Inside", internal=True)
        computed("03-19")

        inside, row = sorted(table(browser.get(ROWS)), key=lambda row: row["eligible"])

        assert row["day"] == "2026-03-19"
        assert row["account"] == account.number
        assert row["name"] == "'=cmd()"
        assert (row["licensed"], row["deployed"], row["seats_to_go"]) == ("44", "35", "1")
        assert row["share"] == "0.795454"
        assert Decimal(row["arr"]) == Decimal(60_000)
        assert (row["passes"], row["reason"], row["tam"]) == ("false", "below", tam.name)
        assert (inside["eligible"], inside["reason"], inside["passes"]) == ("false", "internal", "")

    def test_a_list_is_exported_as_it_is_filtered(self, browser):
        company_of(7)
        source = html.unescape(browser.get(f"{LIST}?band=below&region=EMEA").content.decode())
        (link,) = re.findall(rf'href="({ROWS}[^"]*)"', source)

        assert [row["name"] for row in table(browser.get(link))] == ["Co 00", "Co 03", "Co 06"]
        assert browser.get(f"{ROWS}?band=nothing").status_code == 400
        assert browser.get(f"{ROWS}?band=below&tam=x").status_code == 400

    def test_a_workbook_says_the_same_and_holds_no_formula(self, browser):
        learn("03-01")
        customer(35, licensed=44, name="=cmd()")
        computed("03-19")
        address = f"{LIST}?band=below"
        link = re.search(
            r'href="(/metric/accounts.xlsx[^"]*)"', browser.get(address).content.decode()
        )
        content = b"".join(browser.get(html.unescape(link[1])).streaming_content)

        header, row = openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows()

        (line,) = table(browser.get(f"{ROWS}?band=below"))
        assert [cell.value for cell in header] == list(line)
        told = dict(zip(line, [cell.value for cell in row], strict=True))
        assert (told["name"], told["share"], told["licensed"]) == ("=cmd()", 0.795454, 44)
        assert "f" not in {cell.data_type for cell in row}

    def test_series_has_a_line_a_day(self, browser):
        learn("03-01")
        computed("03-09")
        learn("03-10T02:00")
        customer(90, at="03-02T12:00")
        customer()
        computed("03-10")

        empty, first = table(browser.get(SERIES))

        assert (empty["day"], empty["value"], empty["denominator"]) == ("2026-03-09", "", "0")
        assert (first["value"], first["low"], first["high"]) == ("0.500000", "0.500000", "1.000000")
        assert (first["coverage"], first["unknown"], first["revision"]) == ("0.500000", "1", "1")
        assert first["oldest_reading"] == "2026-03-02T12:00:00Z"


class TestCost:
    @pytest.fixture
    def browser(self, login, leadership):
        """Somebody who has looked around: the first page of a session also writes it."""
        client = login(leadership)
        client.get("/metric/definition/")
        return client

    @pytest.mark.parametrize("count", [1, 3, 30])
    def test_dashboard(self, browser, count):
        company_of(count)

        with CaptureQueriesContext(connection) as queries:
            assert browser.get(DASHBOARD).status_code == 200

        assert len(queries) == MOST_STATEMENTS

    def test_dashboard_again(self, browser):
        company_of(3)
        browser.get(DASHBOARD)

        with CaptureQueriesContext(connection) as queries:
            browser.get(DASHBOARD)

        assert len(queries) < MOST_STATEMENTS

    @pytest.mark.parametrize("count", [1, 3, 30])
    @pytest.mark.parametrize("band", ["counted", "below", "excluded"])
    def test_list(self, browser, count, band):
        company_of(count)
        browser.get(DASHBOARD)

        with CaptureQueriesContext(connection) as queries:
            browser.get(f"{LIST}?band={band}")

        assert len(queries) <= MOST_LIST_STATEMENTS

    def test_list_of_a_full_page_is_light(self, browser):
        company_of(60)

        response = browser.get(LIST)

        assert len(names(response)) == 50
        assert len(response.content) <= MOST_LIST_BYTES

    def test_files_do_not_ask_a_statement_an_account(self, browser):
        counts = []
        for count in (1, 20):
            company_of(count)
            with CaptureQueriesContext(connection) as queries:
                table(browser.get(ROWS))
            counts.append(len(queries))

        assert counts[0] == counts[1]
