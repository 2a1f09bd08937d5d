"""The pages of every number: the list, one number, its accounts, why it moved, its target."""

import csv
import io
from decimal import Decimal

import pytest

from accounts.models import Account, Subscription
from metrics.models import MetricDefinition, MetricTarget
from metrics.selectors import runs
from metrics.services.runs import set_target
from tests.factories import UserFactory
from tests.metrics.scene import SLUG, compute, customer, day, learn, read

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("morning")]
DERIVED = (
    "net-seats-deployed", "arr-at-risk", "early-warning", "at-risk", "adoption",
    "renewal-exposure", "contraction",
)  # fmt: skip


def page(browser, address, status=200):
    response = browser.get(address)
    assert response.status_code == status
    return response.content.decode()


def lines(response):
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def told():
    """A month in which one customer gained seats and one gave up licences."""
    learn("02-01")
    low = customer(40, licensed=100, name="Low Works", region="EMEA", at="02-10T12:00")
    high = customer(90, licensed=100, name="High Works", region="APAC", at="02-10T12:00")
    customer(None, name="Silent Works")
    Subscription.objects.filter(account=low).update(end=day("07-01"))
    compute("02-17")
    learn("03-18T08:00")
    read(low, 60, "03-18T09:00", monthly_active=30)
    Subscription.objects.filter(account=high).update(seats=80)
    compute("03-19")
    return {"low": low, "high": high}


class TestTheList:
    def test_groups_every_number_by_what_it_is_made_from(self, browser, told):
        text = page(browser, "/metric/figures/")
        for words in ("From the same accounts", "Requests and projects", "Early warnings"):
            assert words in text
        assert text.index("Customer Seats Deployed") < text.index("Net seats deployed")
        assert "+20 since 17 Feb" in text

    def test_says_how_each_stands_to_its_target(self, browser, told, leadership):
        set_target("early-warning", Decimal(0), None, by=leadership, at_most=True)
        text = page(browser, "/metric/figures/")
        assert "at most 0" in text
        assert "1 above" in text

    def test_keeps_the_day_and_the_knowledge_in_its_links(self, browser, told):
        text = page(browser, "/metric/figures/?as_of=2026-03-19&known_at=2026-03-20T02:00:00Z")
        assert "/metric/figures/at-risk/?as_of=2026-03-19&amp;known_at=2026-03-20" in text

    def test_shows_a_second_number_of_the_same_rule(self, browser, told):
        first = runs.definition_on(SLUG, day("03-10"))
        MetricDefinition.objects.create(
            slug="seats-with-grace", number=1, rule=SLUG, title="With grace", unit="share",
            text="As definition 1, with grace.", policy=first.policy, valid_from=day("01-01"),
        )  # fmt: skip
        assert "With grace" in page(browser, "/metric/figures/")
        assert "Not computed yet" in page(browser, "/metric/figures/seats-with-grace/")
        assert "No number yet" in page(browser, "/metric/figures/seats-with-grace/accounts/")


class TestANumber:
    @pytest.mark.parametrize("slug", [*DERIVED, SLUG])
    def test_has_every_part(self, browser, told, slug):
        text = page(browser, f"/metric/figures/{slug}/")
        for words in ("What changed since 17 Feb", "Accounts behind it", "By tier", "By TAM",
                      "Definition 1", "by definition 1"):  # fmt: skip
            assert words in text

    def test_says_the_interval_and_the_coverage(self, browser, told):
        text = page(browser, "/metric/figures/arr-at-risk/")
        assert "Between $60K and $120K" in text
        assert "Coverage 66.7%" in text

    def test_by_quarter(self, browser, told):
        text = page(browser, "/metric/figures/renewal-exposure/")
        assert "By quarter of the renewal" in text
        assert "2026-Q3" in text

    @pytest.mark.parametrize(
        "address",
        ["nothing/", "at-risk/?version=7", "requests-declined/accounts/",
         "requests-declined/changes/", "nothing/accounts/", "nothing/changes.csv"],
    )  # fmt: skip
    def test_there_is_none(self, browser, told, address):
        page(browser, f"/metric/figures/{address}", status=404)

    @pytest.mark.parametrize("part", ["", "accounts/", "changes/"])
    def test_before_the_first_night(self, browser, part):
        page(browser, f"/metric/figures/at-risk/{part}")

    def test_is_refused_without_a_role(self, login):
        for part in ("", "accounts/", "accounts.csv", "changes/", "changes.csv"):
            page(login(UserFactory()), f"/metric/figures/at-risk/{part}", status=403)


class TestItsAccounts:
    def test_are_sorted_filtered_and_linked(self, browser, told):
        text = page(browser, "/metric/figures/net-seats-deployed/accounts/?sort=name")
        assert text.index("High Works") < text.index("Low Works") < text.index("Silent Works")
        assert f"/accounts/{told['low'].number}/" in text or f"{told['low'].pk}" in text
        text = page(browser, "/metric/figures/net-seats-deployed/accounts/?region=EMEA")
        assert "Low Works" in text
        assert "High Works" not in text
        assert "Silent Works" in page(
            browser, "/metric/figures/net-seats-deployed/accounts/?state=unknown"
        )

    @pytest.mark.parametrize(
        "query", ["sort=x", "state=x", "tier=x", "region=%00", "sort=-", "cursor=x", "as_of=x"]
    )
    def test_what_makes_no_sense_is_said(self, browser, told, query):
        assert "note warn" in page(browser, f"/metric/figures/at-risk/accounts/?{query}")

    @pytest.mark.parametrize("slug", [*DERIVED, SLUG])
    def test_as_a_file(self, browser, told, slug):
        found = lines(browser.get(f"/metric/figures/{slug}/accounts.csv?state=counted"))
        assert {line["state"] for line in found} <= {"counted"}
        run = runs.run_on(slug)
        if slug not in ("adoption", SLUG):
            assert sum(Decimal(line["adds"]) for line in found) == run.value


class TestWhyItMoved:
    @pytest.mark.parametrize(
        ("slug", "cause"),
        [
            ("net-seats-deployed", "Seats gained"),
            ("early-warning", ""),
            ("contraction", "Fewer licences"),
            ("adoption", ""),
        ],
    )
    def test_names_the_cause_of_each_account(self, browser, told, slug, cause):
        text = page(browser, f"/metric/figures/{slug}/changes/?vs=2026-02-17")
        assert cause in text

    def test_says_what_was_earned(self, browser, told):
        text = page(browser, "/metric/figures/net-seats-deployed/changes/?vs=2026-02-17")
        assert '<b class="nw">+20</b> earned' in text
        assert "40 → 60 seats deployed of 100" in text

    def test_as_a_file(self, browser, told):
        found = lines(browser.get("/metric/figures/contraction/changes.csv?vs=2026-02-17"))
        assert [(line["name"], line["cause"], line["contribution"]) for line in found] == [
            ("High Works", "licences_shrank", "20/1")
        ]
        seats = lines(browser.get(f"/metric/figures/{SLUG}/changes.csv?vs=2026-02-17"))
        assert len(seats) == 0


class TestTargets:
    @pytest.mark.parametrize(
        ("slug", "entered", "value"),
        [("at-risk", "12", "12"), ("arr-at-risk", "250000.50", "250000.5"),
         ("request-time-to-routed", "16.5", "16.5")],
    )  # fmt: skip
    def test_are_set_in_the_unit_of_the_number(self, login, leadership, slug, entered, value):
        sent = {"amount": entered, "direction": "at_most", "by_day": "2026-12-31"}
        response = login(leadership).post(f"/metric/target/?metric={slug}", sent)
        assert response.url == f"/metric/figures/{slug}/"
        target = MetricTarget.objects.get()
        assert (target.slug, target.value, target.at_most) == (slug, Decimal(value), True)

    @pytest.mark.parametrize(
        ("slug", "sent"),
        [("at-risk", {"amount": "1.5"}), ("at-risk", {"amount": "-1"}), ("at-risk", {}),
         ("arr-at-risk", {"amount": "1e9"}), ("adoption", {"percent": "101"}),
         ("at-risk", {"amount": "5", "direction": "up"}),
         ("at-risk", {"amount": "9" * 20})],
    )  # fmt: skip
    def test_what_cannot_be_is_said_and_comes_back(self, login, leadership, slug, sent):
        response = login(leadership).post(f"/metric/target/?metric={slug}", sent)
        assert response.status_code == 422
        if "amount" in sent:
            assert sent["amount"] in response.content.decode()
        assert not MetricTarget.objects.exists()

    @pytest.mark.parametrize("slug", ["nothing", "%00", "a" * 200])
    def test_no_such_number(self, login, leadership, slug):
        page(login(leadership), f"/metric/target/?metric={slug}", status=404)

    def test_a_share_is_at_most_one(self, leadership):
        with pytest.raises(Exception, match="from 0 to 1"):
            set_target("adoption", Decimal("1.5"), None, by=leadership)


def test_a_page_asks_as_few_statements_for_many_accounts(
    browser, told, django_assert_max_num_queries
):
    del told
    for i in range(5):
        customer(50, name=f"More {i}", at="03-01T12:00")
    compute("03-19", known_at="03-20T05:00")
    assert Account.objects.count() > 5
    with django_assert_max_num_queries(60):
        page(browser, "/metric/figures/at-risk/")
