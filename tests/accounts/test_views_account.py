import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import selectors
from accounts.measure import facts_changed
from accounts.models import Account, Company, Import
from events import services as events
from tests.factories import (
    AccountFactory,
    AssignmentFactory,
    ContactFactory,
    InstanceFactory,
    SeatReadingFactory,
    SubscriptionFactory,
)

pytestmark = pytest.mark.django_db
TABS = ["", "subscriptions/", "instances/", "readings/", "people/", "timeline/", "data/"]


def today():
    return selectors.today(timezone.now())


def ago(days):
    return timezone.now() - dt.timedelta(days=days)


def refreshed(account):
    facts_changed([account.pk])
    return account


def customer(seats=70, licensed=100, *, age=1, **fields):
    """A customer over the ARR line with one counted instance."""
    account = AccountFactory(**{"name": "Halden", **fields})
    SubscriptionFactory(
        account=account, seats=licensed, start=today() - dt.timedelta(days=90), end=None
    )
    instance = InstanceFactory(account=account, name="Kongsberg")
    if seats is not None:
        SeatReadingFactory(instance=instance, observed_at=ago(age), seats=seats)
    return refreshed(account)


def text_of(client, account, tab=""):
    response = client.get(f"/accounts/ACC-{account.pk}/{tab}")
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


@pytest.fixture
def browser(login, tam):
    return login(tam)


class TestWhy:
    def test_below_the_line(self, browser):
        page = text_of(browser, customer(70))
        assert "In the metric, below the line: 70.0% of seats are deployed, 80% are needed." in page
        assert "It takes 10 more seats to reach the line at 80, 80% of 100." in page
        assert "70 of 100" in page

    def test_on_target(self, browser):
        page = text_of(browser, customer(82))
        assert "In the metric and on target" in page
        assert "2 seats above the line at 80" in page

    def test_79_9_never_reads_as_80(self, browser):
        page = text_of(browser, customer(79_999, 100_000))
        assert "79.9% of seats are deployed" in page

    def test_more_deployed_than_licensed(self, browser):
        assert "more seats are deployed than licensed (120.0%)" in text_of(browser, customer(120))

    def test_stale(self, browser):
        page = text_of(browser, customer(70, age=61))
        assert "In the metric, result unknown: every seat count is older than 60 days." in page
        assert "stale: 61 days ago, import" in page
        assert "Unknown of 100" in page

    def test_no_reading(self, browser):
        page = text_of(browser, customer(None))
        assert "no seats have been counted yet" in page
        assert "No seat count yet." in page

    def test_partly_counted(self, browser):
        account = customer(70)
        InstanceFactory(account=account)
        assert "some instances have no usable count" in text_of(browser, refreshed(account))

    def test_exactly_on_the_arr_line_is_outside(self, browser):
        account = AccountFactory()
        SubscriptionFactory(account=account, arr=Decimal(50_000))
        page = text_of(browser, refreshed(account))
        assert "ARR of $50,000 is not above $50,000." in page

    def test_a_missing_rate_is_not_zero(self, browser):
        account = AccountFactory()
        SubscriptionFactory(account=account, currency="CHF")
        page = text_of(browser, refreshed(account))
        assert "ARR is unknown, for an exchange rate is missing." in page
        assert "$0" not in page

    def test_unlimited(self, browser):
        account = customer(70)
        SubscriptionFactory(account=account, unlimited=True, seats=None)
        page = text_of(browser, refreshed(account))
        assert "an unlimited licence has no share" in page
        assert "70 of unlimited" in page

    @pytest.mark.parametrize(
        ("fields", "why"),
        [
            ({"status": "prospect"}, "a prospect is no customer yet"),
            ({"internal": True}, "an internal account is no customer"),
            ({"archived": True}, "archived accounts do not count"),
        ],
    )
    def test_no_customers(self, browser, fields, why):
        page = text_of(browser, customer(70, **fields))
        assert f"Outside the metric: {why}" in page
        assert "Path to 80%" not in page

    def test_a_churn_date_wins_over_a_running_contract(self, browser):
        account = customer(70, status="churned", churned_on=today() - dt.timedelta(days=3))
        page = text_of(browser, account)
        assert "Outside the metric: churned on" in page
        assert "The churn date wins" in page
        assert "The churn date wins" in text_of(browser, account, "subscriptions/")

    def test_not_computed_yet(self, browser):
        page = text_of(browser, AccountFactory())
        assert "Not computed yet" in page


class TestPages:
    @pytest.mark.parametrize("tab", TABS)
    def test_every_tab_of_an_empty_account(self, browser, tab):
        assert "Account" in text_of(browser, refreshed(AccountFactory(name="Empty")), tab)

    @pytest.mark.parametrize("tab", TABS)
    @pytest.mark.parametrize(
        "number", ["ACC-999999", "ACC-999999999999999999", "ACC-0", "ACC-01", "acc-1", "1", "ACC-x"]
    )
    def test_there_is_no_such_account(self, browser, number, tab):
        assert browser.get(f"/accounts/{number}/{tab}").status_code == 404

    @pytest.mark.parametrize("tab", TABS)
    def test_same_statements_for_one_and_three_rows(self, browser, tam, tab):
        account = customer(70)

        def add():
            line = SubscriptionFactory(account=account)
            SeatReadingFactory(
                instance=InstanceFactory(account=account), observed_at=ago(2), seats=9
            )
            AssignmentFactory(account=account, primary=False)
            contact = ContactFactory(account=account)
            for thing in (line, contact):
                events.record(
                    f"{thing._meta.model_name}.created",
                    thing,
                    by=tam,
                    account_id=account.pk,
                    after={"name": "x"},
                )
            refreshed(account)

        AssignmentFactory(account=account, user=tam)
        add()
        text_of(browser, account, tab)
        with CaptureQueriesContext(connection) as one:
            text_of(browser, account, tab)
        add()
        add()
        with CaptureQueriesContext(connection) as three:
            text_of(browser, account, tab)
        assert len(one) == len(three)

    def test_times_are_on_the_companys_clocks(self, browser):
        Company.objects.update(time_zone="Asia/Tokyo")
        account = AccountFactory()
        SeatReadingFactory(
            instance=InstanceFactory(account=account),
            observed_at=dt.datetime(2026, 1, 15, 20, tzinfo=dt.UTC),
        )
        page = text_of(browser, account, "readings/")
        assert "16 Jan 05:00 JST" in page or "16 Jan 2026 05:00 JST" in page

    def test_markup_in_facts_is_text(self, browser):
        evil = '"><script>alert(1)</script>'
        account = AccountFactory(name=evil, region=evil[:60], external_id=evil)
        SubscriptionFactory(account=account, product=evil)
        SeatReadingFactory(
            instance=InstanceFactory(account=account, name=evil), observed_at=ago(1), note=evil
        )
        refreshed(account)
        for tab in TABS:
            assert "<script>alert(1)" not in text_of(browser, account, tab)

    def test_a_chart_with_its_table(self, browser):
        page = text_of(browser, customer(70))
        assert "Licensed and deployed seats by week." in page
        assert "Licensed and deployed seats by week</caption>" in page

    def test_lineage(self, browser, metric_owner):
        done = Import.objects.create(
            kind="accounts", source="salesforce", filename="accounts.csv", sha256="ab" * 32,
            rows=1, creates=1, updates=0, unchanged=0, by=metric_owner,
        )  # fmt: skip
        account = AccountFactory(last_import=done, source="salesforce", external_id="0012Z")
        with transaction.atomic():
            Account.objects.filter(pk=account.pk).update(region="APAC")
        page = text_of(browser, account, "data/")
        for words in ("accounts.csv", "salesforce", "0012Z", "Metric owner", "First known"):
            assert words in page


class TestPeople:
    @pytest.fixture
    def account(self, tam):
        account = AccountFactory(name="Halden")
        AssignmentFactory(account=account, user=tam)
        contact = ContactFactory(account=account, name="Kari Solberg", email="kari@halden.example")
        events.record(
            "contact.created",
            contact,
            by=tam,
            account_id=account.pk,
            after={"name": "Kari Solberg", "roles": ["champion"]},
        )
        self.contact = contact
        return refreshed(account)

    @pytest.mark.parametrize("tab", ["", "people/", "timeline/"])
    def test_own_people_see_contacts(self, browser, account, tab):
        assert "Kari Solberg" in text_of(browser, account, tab)

    @pytest.mark.parametrize("tab", TABS)
    @pytest.mark.parametrize("role", ["de_engineer", "csm", "product_leadership"])
    def test_others_learn_who_may(self, person, login, account, tab, role):
        page = text_of(login(person(role)), account, tab)
        assert "Kari" not in page
        assert "kari@" not in page
        if tab in {"", "people/", "timeline/"}:
            assert "Only its own requesters, DE leads" in page

    def test_what_was_erased_reads_so(self, browser, account):
        events.destroy_subject_key(self.contact, at=timezone.now())
        page = text_of(browser, account, "timeline/")
        assert "(erased)" in page
        assert "Kari" not in page

    def test_who_was_assigned_once(self, browser, account, csm):
        AssignmentFactory(account=account, user=csm, role="CSM", end=today() - dt.timedelta(days=1))
        assert "Ended" in text_of(browser, account, "people/")
        assert csm.name not in text_of(browser, account)


class TestTimeline:
    @pytest.fixture
    def account(self, tam):
        account = AccountFactory()
        contact = ContactFactory(account=account)
        for number in range(60):
            events.record(
                "account.updated",
                account,
                by=tam,
                account_id=account.pk,
                before={"region": f"R{number:02}"},
                after={"region": f"R{number + 1:02}", "churned_on": dt.date(2026, 3, 31)},
            )
        events.record(
            "contact.updated", contact, by=tam, account_id=account.pk, after={"roles": ["admin"]}
        )
        return account

    def test_what_changed_and_who_did_it(self, browser, account):
        page = text_of(browser, account, "timeline/")
        assert "region R59 → R60" in page
        assert "Churned on 31 Mar 2026" in page
        assert "By TAM." in page

    def test_earlier_events(self, browser, account):
        first = text_of(browser, account, "timeline/")
        assert "region R00 " not in first
        earlier = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
        assert "region R00 → R01" in text_of(browser, account, f"timeline/{earlier}")

    def test_only_people_or_only_data(self, browser, account):
        people = text_of(browser, account, "timeline/?show=people")
        assert "Customer contact changed" in people
        assert "region" not in people
        data = text_of(browser, account, "timeline/?show=data").split('id="timeline"')[1]
        assert "Customer contact changed" not in data

    def test_an_unknown_filter_shows_all(self, browser, account):
        assert "region R59" in text_of(browser, account, "timeline/?show=%00")

    def test_htmx_gets_the_timeline_alone(self, browser, account):
        response = browser.get(
            f"/accounts/ACC-{account.pk}/timeline/", headers={"HX-Target": "timeline"}
        )
        assert b"<html" not in response.content

    def test_verbs_nobody_has_words_for_yet(self, browser, account, tam):
        events.record("moon.rose_again", account, by=tam, account_id=account.pk)
        assert "Moon rose again" in text_of(browser, account, "timeline/")
