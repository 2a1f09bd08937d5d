"""The dashboard: what it says of the number, of its age, and of what would move it."""

import datetime as dt
import html
import re
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import Account, Company, Subscription
from metrics.models import MetricDefinition
from metrics.services.runs import set_target
from people.models import system_user
from tests.factories import (
    AccountFactory,
    AssignmentFactory,
    SeatReadingFactory,
    SubscriptionFactory,
)
from tests.metrics.pages import DASHBOARD, LIST, computed, names, said
from tests.metrics.scene import SLUG, customer, day, learn, moment, read, settle

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("morning")]


class TestDashboard:
    def test_says_the_number_exactly(self, browser):
        learn("03-01")
        for seats in (80, 79, 75, 74, 10, None):
            customer(seats, at="03-18T12:00")
        computed("03-19")

        response = browser.get(DASHBOARD)
        page = said(response)

        assert "16.7 %" in page or "16.7%" in page
        assert "1 of 6 accounts." in page
        assert "between 16.7% and 33.3%: 1 unknown" in page
        assert "83.3%, 5 of 6 with a usable count" in page
        assert "1 day old, of 18 Mar" in page
        for part in ("1 at 80% or more", "2 within 5 points", "2 further away", "1 unknown"):
            assert part in page

    @pytest.mark.parametrize(
        ("seats", "licensed", "shown", "never"),
        [(7_999, 10_000, "79.9%", "80.0%"), (35, 44, "79.5%", "80.0%")],
    )
    def test_no_share_is_rounded_onto_the_line(self, browser, seats, licensed, shown, never):
        learn("03-01")
        customer(seats, licensed=licensed, name="Close")
        computed("03-19")

        page = said(browser.get(DASHBOARD))

        assert shown in page
        assert never not in page
        assert "0 of 1 account." in page

    def test_is_fresh_or_says_what_is_not(self, browser):
        learn("03-01")
        customer(90, at="03-11T12:00")
        customer(90, at="03-18T12:00")
        computed("03-15")
        computed("03-19")

        response = browser.get(DASHBOARD)

        page = said(response)
        assert "Computed today 01:00 UTC from 2 accounts." in page
        assert "1 has a seat count older than 7 days" in page
        assert f'href="{LIST}?band=late"' in response.content.decode()
        assert "No number for 3 days between 16 Mar and 18 Mar" in page

    def test_names_the_zone_of_the_company(self, browser):
        settle("Europe/Paris")
        learn("03-01")
        customer(90)
        computed("03-19")

        assert "Computed today 02:00 CET" in said(browser.get(DASHBOARD))

    def test_tells_a_revision(self, browser):
        learn("03-01")
        account = customer(70)
        computed("03-19", known_at="03-20T01:00")
        learn("03-20T02:00")
        read(account, 90, "03-19T12:00")
        computed("03-19", known_at="03-20T03:00")

        page = said(browser.get(DASHBOARD))

        assert "from 1 account, revision 2." in page
        assert "1 of 1 account." in page

    def test_marks_a_day_that_is_not_over(self, browser):
        learn("03-01")
        customer(90)
        computed("03-20", known_at="03-20T08:00")

        assert "Today so far" in said(browser.get(DASHBOARD))

    def test_warns_where_the_last_nights_are_missing(self, browser):
        learn("03-01")
        customer(90)
        computed("03-17")

        assert "This is the number of 17 Mar. No night since" in said(browser.get(DASHBOARD))

    def test_no_eligible_account_is_no_number(self, browser):
        learn("03-01")
        account = AccountFactory()
        SubscriptionFactory(account=account, arr=Decimal(50_000))
        computed("03-19")

        page = said(browser.get(DASHBOARD))

        assert "No number" in page
        assert "no customer had ARR above $50,000 and a limited licence" in page
        assert "That is neither 0% nor 100%." in page
        assert "1 account stands outside, and why" in page
        assert "0.0%" not in page

    def test_without_any_account_says_what_to_do(self, browser):
        computed("03-19")

        page = said(browser.get(DASHBOARD))

        assert "No account was known on 19 Mar. Import your data, then compute it again." in page
        assert "Every account is in the number" not in page

    def test_speaks_of_the_currency_of_the_company(self, browser):
        learn("03-01")
        customer(90)
        Company.objects.update(reporting_currency="EUR")
        computed("03-19")

        page = said(browser.get(DASHBOARD))

        assert "Customers above €50K ARR" in page

    def test_links_what_is_amiss_and_who_can_mend_it(self, browser):
        learn("03-01")
        customer(120)
        customer(None)
        Subscription.objects.filter(account=customer(90)).update(currency="XTS")
        customer(90, status="churned", churned_on=day("02-01"))
        computed("03-19")

        response = browser.get(DASHBOARD)

        source = html.unescape(response.content.decode())
        for link in (
            f"{LIST}?band=passing&reason=over_deployed",
            f"{LIST}?band=unknown&reason=no_reading",
            f"{LIST}?band=excluded&reason=missing_rate",
            f"{LIST}?band=conflict",
        ):
            assert f'href="{link}"' in source
            assert len(names(browser.get(link))) == 1
        page = said(response)
        assert "No exchange rate, so ARR is unknown The metric owner, by an import 1" in page
        assert "Churned, beside a contract that still runs The account's TAM 1" in page

    def test_says_that_nothing_is_amiss(self, browser):
        learn("03-01")
        customer(90, at="03-18T12:00")
        computed("03-19")

        assert "Nothing to mend" in said(browser.get(DASHBOARD))

    def test_shows_who_is_closest_with_the_renewal(self, browser, tam):
        learn("03-01")
        account = customer(78, name="Kestrel")
        Subscription.objects.filter(account=account).update(end=day("07-01"))
        AssignmentFactory(account=account, user=tam)
        computed("03-19")

        page = said(browser.get(DASHBOARD))

        assert re.search(r"Kestrel Renews 1 Jul 2 seats to go .*78\.0%", page)

    def test_hides_shares_of_small_segments(self, browser):
        learn("03-01")
        for _ in range(5):
            customer(90, region="EMEA")
        for _ in range(4):
            customer(90, region="APAC")
        computed("03-19")

        page = said(browser.get(DASHBOARD))

        assert "EMEA 100.0% 5 of 5" in page
        assert "APAC too few for a share 4 of 4" in page

    @pytest.mark.parametrize(
        ("role", "folded"),
        [("tam", True), ("metric_owner", True), ("de_lead", False), ("leadership", False)],
    )
    def test_tams_are_folded_but_for_leads(self, login, person, role, folded):
        learn("03-01")
        customer(90)
        computed("03-19")

        source = login(person(role)).get(DASHBOARD).content.decode()

        card = source.partition('aria-labelledby="by-tam"')[2].partition("</section>")[0]
        assert ("<details" in card) is folded

    def test_many_accounts_become_a_bar(self, browser):
        learn("03-01")
        accounts = Account.objects.bulk_create(
            [Account(source="x", external_id=f"{n}", name=f"N{n}") for n in range(151)]
        )
        Subscription.objects.bulk_create(
            [
                Subscription(
                    source="x",
                    external_id=f"{account.pk}",
                    account=account,
                    seats=10,
                    arr=Decimal(60_000),
                    start=day("01-01"),
                )
                for account in accounts
            ]
        )
        computed("03-19")

        source = browser.get(DASHBOARD).content.decode()

        picture = source.partition('<svg class="units"')[2].partition("</svg>")[0]
        assert picture.count("<rect") <= 4
        assert "151 accounts: 151 unknown" in picture


class TestTarget:
    def aim(self, percent, by_day=None):
        set_target(SLUG, Decimal(percent) / 100, by_day, by=system_user())

    def test_says_what_would_reach_it(self, browser):
        learn("03-01")
        for seats in (90, 78, 75, 10):
            customer(seats)
        computed("03-19")
        self.aim(75, day("12-31"))

        response = browser.get(DASHBOARD)

        page = said(response)
        assert "Two more reach the target, and the two closest need 7 seats between them." in page
        assert "Target 75% by 31 Dec" in page
        assert f'href="{LIST}?band=below"' in response.content.decode()

    def test_one_more(self, browser):
        learn("03-01")
        for seats in (90, 79):
            customer(seats)
        computed("03-19")
        self.aim(100)

        page = said(browser.get(DASHBOARD))
        assert "One more reaches the target, and the closest needs 1 seat." in page

    def test_is_not_reached_by_rounding(self, browser):
        learn("03-01")
        for seats in (90, 90, 10):
            customer(seats)
        computed("03-19")
        self.aim(67)

        assert "One more reaches the target" in said(browser.get(DASHBOARD))

    def test_met(self, browser):
        learn("03-01")
        customer(90)
        computed("03-19")
        self.aim(100)

        assert "The target of 100% is met." in said(browser.get(DASHBOARD))

    def test_out_of_reach_while_counts_are_unknown(self, browser):
        learn("03-01")
        for seats in (78, None, None):
            customer(seats)
        computed("03-19")
        self.aim(100)

        page = said(browser.get(DASHBOARD))

        assert (
            "Three more reach the target. Only one below the line has a known seat count, 2 seats"
            " short."
        ) in page

    def test_without_one_leadership_may_set_it(self, browser, login, leadership):
        learn("03-01")
        customer(79)
        computed("03-19")

        others, leaders = said(browser.get(DASHBOARD)), said(login(leadership).get(DASHBOARD))

        assert "The one closest to 80% needs 1 seat." in others
        assert "Set a target" not in others
        assert "No target is set. Set a target" in leaders


class TestCompared:
    @pytest.fixture
    def months(self):
        learn("01-01")
        account = customer(70, at="01-02T12:00")
        computed("01-05")
        computed("02-17")
        read(account, 80, "03-01T12:00")
        computed("03-19")

    def test_with_thirty_days_before(self, browser, months):
        page = said(browser.get(DASHBOARD))

        assert "up 100.0 points from 0.0% on 17 Feb" in page

    def test_with_the_start_of_the_quarter(self, browser, months):
        response = browser.get(f"{DASHBOARD}?vs=quarter")

        assert "No number for 1 Jan to compare with" in said(response)
        assert '<option value="quarter" selected>' in response.content.decode()

    def test_with_a_year_before(self, browser, months):
        assert "No number for 19 Mar 2025 to compare with" in said(
            browser.get(f"{DASHBOARD}?vs=year")
        )

    def test_across_definitions_says_so_and_marks_the_line(self, browser):
        learn("01-01")
        customer(90, at="02-01T12:00")
        computed("02-17")
        (first,) = MetricDefinition.objects.filter(slug=SLUG)
        MetricDefinition.objects.create(
            slug=SLUG,
            number=2,
            title=first.title,
            unit=first.unit,
            text="Stricter.",
            policy=first.policy | {"share_percent": 95},
            valid_from=day("03-01"),
        )
        computed("03-19")

        page = said(browser.get(DASHBOARD))

        assert "down 100.0 points from 100.0% on 17 Feb, under another definition" in page
        assert "Definition 2" in page
        assert "Closest to 95%" in page

    def test_answers_htmx_with_the_fragment(self, browser, months):
        source = browser.get(
            f"{DASHBOARD}?vs=quarter", headers={"HX-Request": "true", "HX-Target": "metric"}
        ).content.decode()

        assert source.lstrip().startswith('<div id="metric">')
        assert "<html" not in source


def test_a_reading_at_the_last_moment_of_the_day_counts_in_the_zone_of_the_company(browser):
    settle("America/New_York")
    learn("03-01")
    account = customer(10, at="03-02T12:00")
    SeatReadingFactory(
        instance=account.instances.get(), observed_at=moment("03-20T03:59"), seats=90
    )
    computed("03-19", known_at="03-20T05:00")

    page = said(browser.get(DASHBOARD))

    assert "1 of 1 account." in page
    assert "0 days old, of 19 Mar" in page
    assert timezone.now() == dt.datetime(2026, 3, 20, 9, tzinfo=dt.UTC)


class TestNumberPanel:
    PATH = "/metric/number/"

    def asked(self, browser):
        return said(browser.get(self.PATH, headers={"HX-Request": "true"}))

    def test_says_the_number_and_how_it_moved(self, browser):
        learn("03-01")
        customer(80, at="03-01T12:00")
        customer(10, at="03-01T12:00")
        computed("03-02")
        customer(90, at="03-18T12:00")
        computed("03-19")

        page = self.asked(browser)

        assert "66.7%" in page
        assert "2 of 3 accounts on 19 Mar" in page
        assert "+16.7 points since 2 Mar" in page

    def test_says_that_there_is_none_yet(self, browser):
        assert "No number yet" in self.asked(browser)

    def test_leads_to_the_dashboard_without_the_script(self, browser):
        assert browser.get(self.PATH).url == "/metric/"
