"""The flip list, and the what-if beside the accounts closest to the line."""

import json
import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from metrics.rules import what_if
from metrics.services.runs import set_target
from tests.factories import AssignmentFactory
from tests.metrics.pages import DASHBOARD, names, said, table
from tests.metrics.scene import SLUG, compute, customer, learn, read

FLIPS = "/metric/flips/"


class TestWhatIf:
    @given(st.lists(st.integers(1, 500), min_size=1), st.integers(0, 20_000))
    def test_fills_the_nearest_first(self, to_go, seats):
        to_go.sort()
        so_far = [sum(to_go[: place + 1]) for place in range(len(to_go))]

        left, crossed = seats, 0
        for needed in to_go:
            if needed > left:
                break
            left, crossed = left - needed, crossed + 1

        assert what_if.crossing(seats, so_far) == crossed

    def test_each_that_crosses_is_one_more_of_the_whole(self):
        assert [str(share) for share in what_if.shares_by_crossing(1, 4, 3)] == [
            "1/4", "1/2", "3/4", "1",
        ]  # fmt: skip


@pytest.fixture
def five():
    """Two pass (one with a seat to spare), three are 2, 5 and 60 seats short; a year on record."""
    learn("03-01")
    found = {
        name: customer(seats, at="03-05T12:00", name=name)
        for name, seats in (("Above", 81), ("Full", 100), ("Two", 78), ("Five", 75), ("Far", 20))
    }
    AssignmentFactory(account=found["Two"], user__name="Amara Obi")
    return found


@pytest.mark.django_db
@pytest.mark.usefixtures("morning")
class TestSlider:
    def test_starts_where_the_target_is_met(self, browser, five, leadership):
        set_target(SLUG, Decimal("0.8"), None, by=leadership)
        compute("03-19")

        page = said(browser.get(DASHBOARD))

        assert "If we deploy 7 more seats here" in page
        assert "Target of 80% met" in page
        assert "80.0% share of accounts" in page
        assert "2 accounts cross 80%" in page

    def test_the_address_sets_it_without_a_script(self, browser, five, leadership):
        set_target(SLUG, Decimal("0.8"), None, by=leadership)
        compute("03-19")

        page = said(browser.get(DASHBOARD, {"add": "2"}))

        assert "If we deploy 2 more seats here" in page
        assert "1 more needed for 80%" in page
        assert "1 account crosses 80%" in page

    @pytest.mark.parametrize("add", ["-1", "x", "99999999999999999999", "", "1.5"])
    def test_nonsense_leaves_it_where_it_starts(self, browser, five, add):
        compute("03-19")
        page = said(browser.get(DASHBOARD, {"add": add}))
        assert "If we deploy 67 more seats here" in page

    def test_knows_every_state_beforehand(self, browser, five):
        compute("03-19")
        body = browser.get(DASHBOARD).content.decode()
        steps = json.loads(re.search(r'data-what-if="([^"]*)"', body)[1].replace("&quot;", '"'))
        assert steps["seats"] == [2, 7, 67]
        assert steps["shares"] == ["40.0%", "60.0%", "80.0%", "100.0%"]

    def test_is_not_there_when_nobody_is_below(self, browser):
        learn("03-01")
        customer(90, at="03-05T12:00")
        compute("03-19")
        assert "more seats here" not in said(browser.get(DASHBOARD))


@pytest.mark.django_db
@pytest.mark.usefixtures("morning")
class TestPage:
    def test_those_to_go_fewest_first(self, browser, five):
        compute("03-19")
        response = browser.get(FLIPS)
        assert names(response) == ["Two", "Five", "Far"]
        assert "3 accounts, 67 seats to go on this page" in said(response)

    def test_those_about_to_fall_by_few_seats_or_by_their_trend(self, browser, five):
        compute("02-17", known_at="03-02")
        learn("03-10")
        read(five["Full"], 100, "02-10T12:00")
        compute("02-17", known_at="03-11")
        learn("03-12")
        read(five["Full"], 93, "03-12T10:00")
        compute("03-19")

        response = browser.get(FLIPS, {"side": "fall"})

        assert names(response) == ["Above", "Full"]
        assert "7 seats" in said(response)

    def test_says_when_the_last_reading_was_and_marks_late_ones(self, browser, five):
        compute("03-19")
        page = said(browser.get(FLIPS))
        assert page.count("5 Mar") == 3

    def test_narrows_by_tam_seats_and_renewal(self, browser, five):
        compute("03-19")
        tam = five["Two"].assignments.get().user
        assert names(browser.get(FLIPS, {"tam": str(tam.uuid)})) == ["Two"]
        assert names(browser.get(FLIPS, {"seats": "5"})) == ["Two", "Five"]
        nobody = browser.get(FLIPS, {"renewal": "90"})
        assert "No accounts match these filters" in said(nobody)

    def test_sorts(self, browser, five):
        compute("03-19")
        assert names(browser.get(FLIPS, {"sort": "name"})) == ["Far", "Five", "Two"]
        assert names(browser.get(FLIPS, {"sort": "-seats"})) == ["Far", "Five", "Two"]

    def test_what_makes_no_sense_is_said_and_left_out(self, browser, five):
        compute("03-19")
        page = said(browser.get(FLIPS, {"side": "up", "sort": "x", "seats": "-", "renewal": "1"}))
        assert "There is no such list." in page
        assert "The list cannot be sorted by this." in page
        assert "There is no such time until the renewal here." in page
        assert "Two" in page

    def test_csv_has_the_same(self, browser, five):
        compute("03-19")
        (two, *others) = table(browser.get("/metric/flips.csv", {"seats": "5"}))
        assert (two["name"], two["seats_to_go"], two["share"]) == ("Two", "2", "0.780000")
        assert two["last_reading"].startswith("2026-03-05")
        assert len(others) == 1
        assert browser.get("/metric/flips.csv", {"seats": "x"}).status_code == 400

    def test_before_the_first_night(self, browser):
        assert browser.get(FLIPS).status_code == 200

    def test_as_of_another_day(self, browser, five):
        compute("03-06")
        learn("03-15")
        read(five["Two"], 90, "03-15T10:00")
        compute("03-19")
        assert names(browser.get(FLIPS)) == ["Five", "Far"]
        assert names(browser.get(FLIPS, {"as_of": "2026-03-06"})) == ["Two", "Five", "Far"]

    def test_cost_does_not_grow(self, browser):
        learn("03-01")
        for number in range(3):
            customer(70, at="03-05T12:00", name=f"Co {number}")
        compute("03-18")
        with CaptureQueriesContext(connection) as few:
            browser.get(FLIPS)
        for number in range(30):
            customer(70, at="03-05T12:00", name=f"Later {number}")
        compute("03-19")
        with CaptureQueriesContext(connection) as many:
            browser.get(FLIPS)
        assert len(many) <= len(few)
