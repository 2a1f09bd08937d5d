"""The explanation of a change as programs, operators and people read it."""

import csv
import datetime as dt
import html
import io
import json
import re
from fractions import Fraction

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Subscription
from config.lib.ui.formats import MINUS
from tests.factories import AssignmentFactory
from tests.metrics.pages import DASHBOARD, computed, names, said, table
from tests.metrics.scene import customer, learn, read

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("morning")]
CHANGES = "/metric/changes/"
FILE = "/metric/changes.csv"
API = "/api/v1/metrics/seats-deployed/changes/"
DAYS = "from=2026-03-10&to=2026-03-19"
VERSUS = "vs=2026-03-10"


@pytest.fixture
def story():
    """Five accounts on 10 March, three of which pass; what happened by the 19th."""
    learn("03-01")
    high = customer(90, name="High", at="03-09T12:00")
    riser = customer(70, name="Riser", at="03-09T12:00", external_id="riser")
    shrinker = customer(70, name="Shrinker", at="03-09T12:00")
    leaver = customer(85, name="Leaver", at="03-09T12:00")
    customer(95, name="Other", at="03-09T12:00")
    AssignmentFactory(account=high)
    computed("03-10")
    learn("03-15")
    read(riser, 85, "03-15T12:00")
    Subscription.objects.filter(account=shrinker).update(seats=80, arr=55_000)
    type(leaver).objects.filter(pk=leaver.pk).update(
        status="churned", churned_on=dt.date(2026, 3, 14)
    )
    computed("03-19")
    return {"riser": riser, "shrinker": shrinker, "leaver": leaver}


def many(count):
    """So many that gained seats between 10 and 19 March, beside one that passes."""
    learn("03-01")
    customer(90, name="High", at="03-09T12:00")
    risers = [customer(70, name=f"Riser {i:03}", at="03-09T12:00") for i in range(count)]
    computed("03-10")
    learn("03-15")
    for account in risers:
        read(account, 85, "03-15T12:00")
    computed("03-19")


@pytest.fixture
def reader(api_client, tam):
    return api_client(tam, "metrics:read")


class TestApi:
    def test_as_the_contract_has_it(self, reader, story):
        answer = reader.get(f"{API}?{DAYS}").json()

        assert (answer["from"]["as_of"], answer["to"]["as_of"]) == ("2026-03-10", "2026-03-19")
        assert (answer["from"]["numerator"], answer["from"]["denominator"]) == (3, 5)
        assert (answer["to"]["numerator"], answer["to"]["denominator"]) == (4, 4)
        assert answer["delta"] == "2/5"
        assert (answer["earned"], answer["unearned"]) == ("1/4", "3/20")
        assert answer["delta_points"] == "40.000000"
        assert (answer["stayed"], answer["restated"]) == (2, None)
        parts = [Fraction(each["contribution"]) for each in answer["contributions"]]
        assert sum(parts) == Fraction(answer["delta"])
        riser, shrinker, leaver = sorted(
            answer["contributions"], key=lambda c: c["name"] != "Riser"
        )
        assert riser == {
            "account": str(story["riser"].uuid),
            "number": story["riser"].number,
            "external_id": "riser",
            "name": "Riser",
            "move": "crossed",
            "contribution": "1/4",
            "points": "25.000000",
            "cause": "seats_gained",
            "earned": True,
            "contraction": False,
            "before": {
                "arr": "60000.00", "licensed": 100, "deployed": 70, "share": "0.700000",
                "eligible": True, "passes": False, "reason": "below",
            },
            "after": {
                "arr": "60000.00", "licensed": 100, "deployed": 85, "share": "0.850000",
                "eligible": True, "passes": True, "reason": "passes",
            },
            "work": [],
        }  # fmt: skip
        assert (shrinker["cause"], shrinker["contraction"]) == ("licences_shrank", True)
        assert (leaver["cause"], leaver["points"]) == ("churned", "-10.000000")

    def test_raises_the_alarm_of_contraction(self, reader, story):
        assert reader.get(f"{API}?{DAYS}").json()["contraction"] == {
            "accounts": 1,
            "contribution": "1/4",
            "points": "25.000000",
            "arr_before": "60000.00",
            "arr_after": "55000.00",
        }

    def test_says_which_days_it_compares(self, reader, story):
        answer = reader.get(f"{API}?from=2026-03-12&to=2026-03-20").json()
        assert (answer["from"]["as_of"], answer["to"]["as_of"]) == ("2026-03-10", "2026-03-19")

    def test_of_a_day_with_itself(self, reader, story):
        answer = reader.get(f"{API}?from=2026-03-19&to=2026-03-19").json()
        assert (answer["delta"], answer["contributions"], answer["stayed"]) == ("0/1", [], 4)

    def test_between_two_revisions(self, reader, story):
        learn("03-20T02:00")
        read(story["riser"], 60, "03-19T12:00")
        computed("03-19", known_at="03-20T03:00")
        path = f"{API}?from=2026-03-19&to=2026-03-19&from_known_at=2026-03-20T02:00:00Z"

        answer = reader.get(path).json()

        assert (answer["from"]["revision"], answer["to"]["revision"]) == (1, 2)
        (each,) = answer["contributions"]
        assert (each["cause"], each["contribution"], each["earned"]) == ("corrected", "-1/4", False)

    def test_as_it_was_known(self, reader, story):
        learn("03-20T02:00")
        read(story["riser"], 60, "03-19T12:00")
        computed("03-19", known_at="03-20T03:00")

        def delta(more=""):
            return reader.get(f"{API}?{DAYS}{more}").json()["delta"]

        assert delta() == "3/20"
        assert delta("&known_at=2026-03-20T02:00:00Z") == "2/5"

    def test_without_a_number_there_is_no_change(self, reader):
        computed("03-10")
        learn("03-11")
        customer(90, at="03-15T12:00")
        computed("03-19")
        answer = reader.get(f"{API}?{DAYS}").json()
        assert (answer["delta"], answer["earned"], answer["stayed"]) == (None, None, None)
        assert answer["contributions"] == []

    @pytest.mark.parametrize(
        ("query", "field", "code"),
        [
            ("to=2026-03-19", "from", "required"),
            ("from=2026-03-19", "to", "required"),
            ("from=2026-03-19&to=2026-03-10", "to", "ends_early"),
            ("from=19.3.2026&to=2026-03-20", "from", "not_a_date"),
            (f"{DAYS}&cause=churned", "cause", "unknown"),
            (f"{DAYS}&from_known_at=today", "from_known_at", "not_a_datetime"),
        ],
    )
    def test_malformed(self, reader, story, query, field, code):
        response = reader.get(f"{API}?{query}")
        assert response.status_code == 400
        (error,) = response.json()["errors"]
        assert (error["field"], error["code"]) == (field, code)

    def test_of_days_without_a_run(self, reader, story):
        response = reader.get(f"{API}?from=2026-03-01&to=2026-03-19")
        assert (response.status_code, response.json()["code"]) == (404, "no_run")
        assert reader.get(f"{API.replace('seats', 'hats')}?{DAYS}").status_code == 404

    def test_as_csv(self, reader, story):
        response = reader.get(f"{API}?{DAYS}&format=csv")
        lines = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))
        assert [line["name"] for line in lines] == ["Riser", "Shrinker", "Leaver"]
        assert lines[0]["contribution"] == "1/4"
        assert lines[2]["before.share"] == "0.850000"

    def test_needs_a_role_and_the_scope(self, api_client, login, tam, without_role, story):
        assert login(without_role).get(f"{API}?{DAYS}").status_code == 403
        assert api_client(tam, "account:read").get(f"{API}?{DAYS}").status_code == 403


class TestCommand:
    def explain(self, *arguments):
        out = io.StringIO()
        call_command("explain_metric", "seats-deployed", *arguments, stdout=out)
        return out.getvalue()

    def test_prints_the_waterfall(self, story):
        printed = self.explain("--from", "2026-03-10", "--to", "2026-03-19")
        assert printed.replace(MINUS, "-") == (
            "Customer Seats Deployed from 2026-03-10 to 2026-03-19: 60.0%, 3 of 5 → 100.0%, 4 of 4"
            """

2026-03-10    60.0%  3 of 5 accounts
Crossed 80%   +50.0  2 accounts
  Riser       +25.0  70% → 85%, 15 more seats (seats_gained)
  Shrinker    +25.0  70% → 87%, gave up 20 seats (licences_shrank)
Left scope    -10.0  1 account
  Leaver      -10.0  churned 14 Mar, was 85% deployed (churned)
2026-03-19   100.0%  4 of 4 accounts

2 accounts did not change side.
The points, rounded here, add up exactly to +40.0: +25.0 earned by seats gained or lost, +15.0 """
            """not earned.
Contraction: +25.0 points because 1 customer gave up licences: Shrinker, ARR $60K → $55K.
"""
        )

    def test_prints_what_the_api_answers(self, reader, story):
        printed = json.loads(self.explain("--from", "2026-03-10", "--to", "2026-03-19", "--json"))
        assert printed == reader.get(f"{API}?{DAYS}").json()

    def test_says_that_there_is_nothing_to_explain(self):
        computed("03-10")
        printed = self.explain("--from", "2026-03-10", "--to", "2026-03-19")
        assert "nothing to explain" in printed

    @pytest.mark.parametrize(
        ("first", "last", "words"),
        [
            ("2026-03-19", "2026-03-10", "--from lies after --to"),
            ("2026-03-01", "2026-03-10", "no run on 2026-03-01 or before"),
        ],
    )
    def test_refuses(self, story, first, last, words):
        with pytest.raises(CommandError, match=words):
            self.explain("--from", first, "--to", last)


class TestDashboard:
    def test_tells_why_the_number_moved(self, browser, story):
        page = said(browser.get(f"{DASHBOARD}?{VERSUS}"))

        assert "What changed since 10 Mar" in page
        assert "10 Mar 2026 3 of 5 accounts 60.0%" in page
        assert "Crossed 80% · 2 accounts, +50.0" in page
        assert "Riser 70% → 85%, 15 more seats +25.0" in page
        assert "Shrinker 70% → 87%, gave up 20 seats Contraction +25.0" in page
        assert "Left scope · 1 account" in page
        assert f"Leaver churned 14 Mar, was 85% deployed {MINUS}10.0" in page
        assert "19 Mar 2026 4 of 4 accounts 100.0%" in page
        assert "2 accounts did not change side." in page
        assert "add up exactly to +40.0: +25.0 earned by seats gained or lost, +15.0 not" in page

    def test_raises_the_alarm_of_contraction(self, browser, story):
        page = said(browser.get(f"{DASHBOARD}?{VERSUS}"))
        assert "Contraction: +25.0 points because 1 customer gave up licences." in page
        assert "Shrinker: ARR $60K → $55K. The number rises, the company loses." in page

    def test_compares_with_any_day(self, browser, story):
        page = browser.get(f"{DASHBOARD}?vs=month&vs_day=2026-03-12")
        assert "from 60.0% on 10 Mar" in said(page)
        assert '<option value="2026-03-12" selected>vs 12 Mar</option>' in page.content.decode()

    @pytest.mark.parametrize("versus", ["vs=2026-03-20", "vs_day=2026-04-01"])
    def test_but_an_earlier_one(self, browser, story, versus):
        page = said(browser.get(f"{DASHBOARD}?{versus}"))
        assert "Compare with a day before 20 Mar 2026." in page
        assert "No number for 17 Feb to compare with" in page

    def test_says_that_there_is_nothing_to_compare_with(self, browser, story):
        assert "Nothing to compare with yet" in said(browser.get(DASHBOARD))

    def test_says_that_nothing_changed(self, browser):
        learn("03-01")
        customer(90, at="03-09T12:00")
        computed("03-10")
        computed("03-19")
        assert "Nothing changed side" in said(browser.get(f"{DASHBOARD}?{VERSUS}"))

    def test_says_that_a_day_had_no_number(self, browser):
        computed("03-10")
        learn("03-11")
        customer(90, at="03-15T12:00")
        computed("03-19")
        assert "No number on one of the two days" in said(browser.get(f"{DASHBOARD}?{VERSUS}"))

    def test_calls_unknown_what_is_unknown(self, browser):
        learn("03-01")
        for _ in range(39):
            customer(90, at="03-09T12:00")
        customer(85, name="Mute", at="01-12T12:00")
        computed("03-10")
        computed("03-19")
        page = said(browser.get(f"{DASHBOARD}?{VERSUS}"))
        assert "Fell below 80% or became unknown · 1 account" in page
        assert f"Mute no reading since 12 Jan, was 85% deployed {MINUS}2.5" in page

    @pytest.mark.parametrize(("count", "shown"), [(12, 12), (13, 3)])
    def test_of_many_it_shows_the_largest(self, browser, count, shown):
        many(count)
        response = browser.get(f"{DASHBOARD}?{VERSUS}")
        page = said(response)
        risers = [name for name in names(response) if name.startswith("Riser")]
        # Those about to fall are on the page too.
        assert page.count("70% → 85%, 15 more seats") == shown
        assert risers
        assert (f"{count - 3} more the rest of this group" in page) is (count > 12)
        assert f"Crossed 80% · {count} accounts" in page

    def test_htmx_gets_the_fragment(self, browser, story):
        response = browser.get(
            f"{DASHBOARD}?{VERSUS}", headers={"HX-Request": "true", "HX-Target": "metric"}
        )
        assert "What changed since 10 Mar" in said(response)
        assert "<html" not in response.content.decode()

    def test_leads_to_what_a_revision_corrected(self, browser, story):
        assert "revision 1" not in said(browser.get(DASHBOARD))
        learn("03-20T02:00")
        read(story["riser"], 60, "03-19T12:00")
        computed("03-19", known_at="03-20T03:00")

        page = html.unescape(browser.get(DASHBOARD).content.decode())
        url = re.search(r'<a href="([^"]+)">revision 2</a>', page)[1]

        assert "Riser 85% → 60%, 25 seats fewer" in said(browser.get(url))


class TestPage:
    def test_lists_everybody(self, browser):
        many(30)
        response = browser.get(f"{CHANGES}?{VERSUS}")
        assert len(names(response)) == 30
        assert "30 accounts" in said(response)

    def test_in_pages(self, browser):
        many(103)
        first = browser.get(f"{CHANGES}?{VERSUS}")
        assert "100 of 103 accounts" in said(first)
        assert "10 Mar 2026" in said(first)
        assert "19 Mar 2026" not in said(first)
        last = browser.get(f"{CHANGES}?{VERSUS}&page=2")
        assert names(last) == ["Riser 100", "Riser 101", "Riser 102"]
        assert "19 Mar 2026 104 of 104" in said(last)
        assert names(browser.get(f"{CHANGES}?{VERSUS}&page=9")) == names(last)
        assert "There is no such page" in said(browser.get(f"{CHANGES}?{VERSUS}&page=x"))

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("cause=churned", ["Leaver"]),
            ("earned=yes", ["Riser"]),
            ("earned=no", ["Shrinker", "Leaver"]),
            ("group=crossed", ["Riser", "Shrinker"]),
            ("group=crossed&earned=no", ["Shrinker"]),
            ("group=left&earned=yes", []),
        ],
    )
    def test_narrowed(self, browser, story, query, expected):
        response = browser.get(f"{CHANGES}?{VERSUS}&{query}")
        assert names(response) == expected
        assert ("No accounts match" in said(response)) is (not expected)
        found = table(browser.get(f"{FILE}?{VERSUS}&{query}"))
        assert [line["name"] for line in found] == expected

    def test_what_cannot_be_followed_is_said(self, browser, story):
        page = said(browser.get(f"{CHANGES}?{VERSUS}&cause=magic"))
        assert "There is no such Cause here." in page
        assert browser.get(f"{FILE}?{VERSUS}&cause=magic").status_code == 400

    def test_as_a_file(self, browser, story):
        (riser, shrinker, leaver) = table(browser.get(f"{FILE}?{VERSUS}"))
        assert (riser["from"], riser["to"]) == ("2026-03-10", "2026-03-19")
        assert (riser["contribution"], riser["points"]) == ("1/4", "25.000000")
        assert (shrinker["contraction"], shrinker["arr_after"]) == ("true", "55000.000000")
        assert (leaver["group"], leaver["why"]) == ("left", "churned 14 Mar, was 85% deployed")

    def test_without_a_day_to_compare_with(self, browser, story):
        assert "Nothing to compare with yet" in said(browser.get(CHANGES))
        assert browser.get(FILE).status_code == 400

    def test_before_the_first_night(self, browser):
        assert "The number will stand here" in said(browser.get(CHANGES))
        assert browser.get(FILE).status_code == 400

    def test_what_was_corrected(self, browser, story):
        learn("03-20T02:00")
        read(story["riser"], 60, "03-19T12:00")
        computed("03-19", known_at="03-20T03:00")
        query = "as_of=2026-03-19&vs=2026-03-19&vs_known_at=2026-03-20T02:00:00Z"

        page = said(browser.get(f"{CHANGES}?{query}"))

        assert "What was corrected since revision 1" in page
        assert "Corrected · 1 account" in page
        assert f"Riser 85% → 60%, 25 seats fewer {MINUS}25.0" in page


def test_the_definition_page_says_how_it_is_worked_out(browser, story):
    page = browser.get("/metric/definition/")
    assert 'id="changes"' in page.content.decode()
    assert "Only seats gained and lost are earned." in said(page)
