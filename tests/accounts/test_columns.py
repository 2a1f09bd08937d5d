import csv
import io
import re
from urllib.parse import parse_qs, urlsplit

import openpyxl
import pytest
from django.http import QueryDict

from accounts.views.listing import ACCOUNTS
from config.lib import lists
from tests.accounts.lists import account, names

pytestmark = pytest.mark.django_db
LIST = "/accounts/"
CHOOSER = "/views/columns/"


@pytest.fixture
def browser(login, tam):
    return login(tam)


@pytest.fixture
def two():
    return [
        account("Alder", region="EMEA", segment="Public", external_id="=1+1"),
        account("Birch", deployed=90, region="APAC"),
    ]


def headings(page):
    head = page.content.decode().partition("<thead>")[2].partition("</thead>")[0]
    text = re.sub(r"<svg.*?</svg>|<span class=\"vh\">.*?</span>", "", head, flags=re.S)
    cells = re.findall(r"<th [^>]*>(.*?)</th>", text, re.S)
    return [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in cells[1:]]


def choices(page):
    """Return every column of the chooser, in its order, and whether it is ticked."""
    found = re.findall(r'name="column"\s+value="(\w+)"\s+(checked)?', page.content.decode(), re.S)
    return [(name, bool(ticked)) for name, ticked in found]


def order(page):
    return [name for name, _ in choices(page)]


class TestList:
    def test_the_usual_ones(self, browser, two):
        assert headings(browser.get(LIST)) == [
            "Account", "Tier", "ARR", "Seats deployed", "Seats to go", "Renewal", "TAM",
        ]  # fmt: skip

    def test_those_asked_for_in_their_order(self, browser, two):
        page = browser.get(LIST, {"columns": "segment,arr,region"})
        assert headings(page) == ["Account", "Segment", "ARR", "Region"]
        assert "Public" in page.content.decode()

    def test_every_column_shows_something(self, browser, two):
        page = browser.get(LIST, {"columns": ",".join(c.name for c in ACCOUNTS.columns)})
        assert len(headings(page)) == len(ACCOUNTS.columns) + 1
        row = page.content.decode().partition("<tbody>")[2].partition("</tr>")[0]
        assert row.count("<td") + row.count("<th") == len(ACCOUNTS.columns) + 2

    @pytest.mark.parametrize("columns", ["", "nothing", ",,,", "password,nothing", "\x00"])
    def test_none_of_them_means_the_usual_ones(self, browser, two, columns):
        page = browser.get(LIST, {"columns": columns})
        assert page.status_code == 200
        assert len(headings(page)) == 7

    def test_sorting_keeps_them(self, browser, two):
        page = browser.get(LIST, {"columns": "arr,region", "sort": "-name"})
        assert names(page) == ["Birch", "Alder"]
        assert "columns=arr%2Cregion&amp;sort=arr" in page.content.decode()


class TestState:
    @pytest.mark.parametrize(
        ("query", "same"),
        [
            ("columns=arr,tier", "columns=arr&columns=tier"),
            ("columns=arr,arr,tier", "columns=arr,tier"),
            ("columns=tier,arr,share,to_go,renewal,tam", ""),
            ("sort=name", ""),
            ("view=&q=", ""),
            ("region=EMEA&view=mine", "view=mine&region=EMEA&utm=1&cursor=x"),
        ],
    )
    def test_two_ways_of_writing_the_same(self, query, same):
        assert ACCOUNTS.state_of(QueryDict(query)) == ACCOUNTS.state_of(QueryDict(same))

    def test_an_address_reads_back(self):
        state = ACCOUNTS.state_of(QueryDict("q=a%26b%3D%C3%A4&columns=arr&sort=-arr"))
        assert ACCOUNTS.state_of(QueryDict(state.address().removeprefix("?"))) == state

    def test_moving(self):
        assert lists.moved(["a", "b", "c"], "c", -1) == ["a", "c", "b"]
        assert lists.moved(["a", "b", "c"], "a", -1) == ["a", "b", "c"]
        assert lists.moved(["a", "b", "c"], "c", 1) == ["a", "b", "c"]
        assert lists.moved(["a"], "x", 1) == ["a"]


class TestChooser:
    def test_without_script_from_the_list_and_back(self, browser, two):
        url = re.search(
            r'href="(/views/columns/[^"]*)"', browser.get(LIST, {"region": "EMEA"}).content.decode()
        )[1].replace("&amp;", "&")
        page = browser.get(url)
        assert choices(page)[:3] == [("tier", True), ("arr", True), ("share", True)]
        assert choices(page)[6] == ("licensed", False)

        given = {
            "page": "accounts",
            "region": "EMEA",
            "order": order(page),
            "column": ["arr", "tam"],
        }
        page = browser.get(CHOOSER, given | {"up": "tam"})
        assert order(page).index("tam") == 4
        assert [name for name, ticked in choices(page) if ticked] == ["arr", "tam"]

        for _ in range(4):
            page = browser.get(CHOOSER, given | {"order": order(page), "up": "tam"})
        answer = browser.get(CHOOSER, given | {"order": order(page), "show": "1"})
        query = parse_qs(urlsplit(answer.url).query)
        assert query == {"region": ["EMEA"], "columns": ["tam,arr"]}
        assert headings(browser.get(answer.url)) == ["Account", "TAM", "ARR"]

    def test_at_least_one(self, browser):
        page = browser.get(CHOOSER, {"page": "accounts", "order": ["arr"], "show": "1"})
        assert b"Tick at least one column." in page.content

    def test_the_saved_view_stays_open(self, browser):
        answer = browser.get(
            CHOOSER,
            {"page": "accounts", "saved": "abc", "order": ["arr"], "column": "arr", "show": "1"},
        )
        assert parse_qs(urlsplit(answer.url).query) == {"saved": ["abc"], "columns": ["arr"]}

    def test_nonsense(self, browser):
        given = {"page": "accounts", "order": ["x", "\x00", "arr"], "up": "x", "column": "y"}
        assert browser.get(CHOOSER, given).status_code == 200


class TestFiles:
    def rows(self, answer):
        text = b"".join(answer.streaming_content).decode()
        return list(csv.reader(text.splitlines()))

    def sheet(self, answer):
        content = io.BytesIO(b"".join(answer.streaming_content))
        return openpyxl.load_workbook(content).active

    def test_csv_has_the_columns_chosen(self, browser, two):
        header, *rows = self.rows(browser.get("/accounts/export.csv", {"columns": "region,arr"}))
        assert header == ["number", "name", "region", "arr", "currency"]
        assert [row[1] for row in rows] == ["Alder", "Birch"]

    def test_xlsx_as_filtered_ordered_and_chosen(self, browser, two):
        answer = browser.get(
            "/accounts/export.xlsx", {"columns": "share,external_id", "sort": "-name"}
        )
        assert answer["Content-Disposition"].endswith('.xlsx"')
        rows = list(self.sheet(answer).iter_rows(values_only=True))
        assert rows[0] == (
            "number", "name", "seats_licensed", "unlimited", "seats_deployed", "seats_share",
            "source", "external_id",
        )  # fmt: skip
        assert rows[1][1:6] == ("Birch", 100, False, 90, 0.9)
        assert rows[2][7] == "=1+1"

    def test_xlsx_holds_no_formula(self, browser, two):
        cells = [c for row in self.sheet(browser.get("/accounts/export.xlsx")).rows for c in row]
        assert "=1+1" in [cell.value for cell in cells]
        assert "f" not in {cell.data_type for cell in cells}

    @pytest.mark.parametrize("kind", ["csv", "xlsx"])
    def test_only_those_ticked(self, browser, two, kind):
        answer = browser.get(f"/accounts/export.{kind}", {"account": two[1].number})
        if kind == "csv":
            assert [row[1] for row in self.rows(answer)[1:]] == ["Birch"]
        else:
            assert self.sheet(answer).max_row == 2

    def test_all_that_match_wins_over_ticks(self, browser, two):
        answer = browser.get("/accounts/export.csv", {"account": two[1].number, "all": "1"})
        assert len(self.rows(answer)) == 3
