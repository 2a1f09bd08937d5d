"""Another day, other knowledge, or no number at all."""

import html
import re
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine

from metrics.models import MetricRun, MetricTarget
from metrics.services.runs import set_target
from people.models import system_user
from tests.metrics.pages import DASHBOARD, LIST, ROWS, SERIES, computed, said, table
from tests.metrics.scene import SLUG, customer, day, learn, moment, read

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("morning")]


class TestAnotherDay:
    def test_shows_the_day_asked_for(self, browser):
        learn("03-01")
        account = customer(70)
        computed("03-10")
        read(account, 90, "03-15T12:00")
        computed("03-19")

        response = browser.get(f"{DASHBOARD}?as_of=2026-03-10")

        page = said(response)
        assert "10 Mar 2026" in page
        assert "0 of 1 account." in page
        assert "as_of=2026-03-10&amp;band=below" in response.content.decode()

    def test_a_day_without_a_run_shows_the_last_before_it_and_says_so(self, browser):
        learn("03-01")
        customer(90)
        computed("03-10")
        computed("03-19")

        page = said(browser.get(f"{DASHBOARD}?as_of=2026-03-15"))

        assert (
            "There is no number for 15 Mar 2026. This is the last one before it, of 10 Mar 2026."
        ) in page

    def test_a_day_before_all_runs(self, browser):
        learn("03-01")
        customer(90)
        computed("03-10")

        response = browser.get(f"{DASHBOARD}?as_of=2026-01-01")

        assert response.status_code == 200
        assert "There is no number for 1 Jan 2026" in said(response)
        assert f'href="{DASHBOARD}?as_of=2026-03-10"' in response.content.decode()

    @pytest.mark.parametrize(
        ("query", "note"),
        [
            ("as_of=yesterday", "as_of: “yesterday” is not a day written like 2026-03-31."),
            ("as_of=2026-02-30", "as_of: “2026-02-30” is not a day"),
            ("as_of=0001-01-01", "as_of: Days are from 1990 to 2100."),
            ("as_of=%00", "as_of: "),
            ("as_of=2026-03-21", "21 Mar 2026 has not come yet. This is the newest day."),
            ("known_at=10 March", "known_at: “10 March” is not a time written like"),
            ("known_at=2026-03-20T10:00:00Z", "The moment known_at lies ahead."),
            (
                "vs=yesterday",
                "vs: “yesterday” is not a day written like 2026-03-31. Or write one of: month, ",
            ),
        ],
    )
    @pytest.mark.parametrize("path", [DASHBOARD, LIST, "/metric/definition/"])
    def test_what_cannot_be_followed_is_said(self, browser, path, query, note):
        learn("03-01")
        customer(90)
        computed("03-19")

        response = browser.get(f"{path}?{query}")

        assert response.status_code == 200
        assert note in said(response)

    @pytest.mark.parametrize("path", [ROWS, SERIES])
    @pytest.mark.parametrize("query", ["as_of=x", "as_of=2027-01-01", "known_at=x"])
    def test_a_file_is_refused_instead(self, browser, path, query):
        learn("03-01")
        customer(90)
        computed("03-19")

        assert browser.get(f"{path}?{query}").status_code == 400

    def test_the_link_to_the_page_as_it_is_now_keeps_showing_it(self, browser):
        learn("03-01")
        account = customer(70)
        computed("03-19", known_at="03-20T01:00")
        source = html.unescape(browser.get(DASHBOARD).content.decode())
        (link,) = re.findall(r'href="(/metric/\?[^"]*known_at[^"]*)"', source)
        learn("03-20T09:10")
        read(account, 90, "03-19T12:00")
        computed("03-19", known_at="03-20T09:20")
        set_target(SLUG, Decimal("0.9"), None, by=system_user())
        MetricTarget.objects.update(set_at=moment("03-20T09:20"))

        with time_machine.travel("2026-03-20 09:30Z", tick=False):
            now, then = said(browser.get(DASHBOARD)), said(browser.get(link))

        assert parse_qs(urlsplit(link).query)["as_of"] == ["2026-03-19"]
        assert "1 of 1 account." in now
        assert "Target 90%" in now
        assert "0 of 1 account." in then
        assert "Target 90%" not in then
        assert "As of 19 Mar 2026, as known on 20 Mar 2026, 09:00 UTC." in then

    def test_nothing_was_known_then(self, browser):
        learn("03-01")
        customer(90)
        computed("03-19")

        page = said(browser.get(f"{DASHBOARD}?known_at=2026-01-01T00:00:00Z"))

        assert "Nothing had been computed by 1 Jan 2026" in page


class TestFirstUse:
    def test_says_how_the_number_comes(self, browser):
        page = said(browser.get(DASHBOARD))

        assert "It is computed every night." in page
        assert "make manage ARGS=recompute_metrics" in page
        assert "Compute now" not in page

    def test_lets_the_metric_owner_compute_it(self, login, metric_owner):
        learn("03-01")
        customer(90)
        client = login(metric_owner)
        assert "Compute now" in said(client.get(DASHBOARD))

        response = client.post("/metric/recompute/", follow=True)

        assert "Computed 20 Mar, revision 1: 100.0%, 1 of 1 accounts." in said(response)
        assert MetricRun.objects.get(base=None).day == day("03-20")

    @pytest.mark.parametrize("path", [LIST, f"{LIST}?band=below"])
    def test_lists_say_so_too(self, browser, path):
        assert "The number will stand here" in said(browser.get(path))

    def test_there_is_no_file_yet(self, browser):
        assert browser.get(ROWS).status_code == 400
        assert table(browser.get(SERIES)) == []
