"""The Handbook page, targets, and computing now."""

from decimal import Decimal

import pytest

from accounts.models import Account
from events.models import Event
from metrics.models import MetricDefinition, MetricRun, MetricTarget
from metrics.services.runs import AlreadyRunning
from metrics.views import steering
from tests.metrics.pages import DASHBOARD, computed, said
from tests.metrics.scene import SLUG, compute, customer, day, learn, read

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("morning")]


class TestDefinition:
    def test_prints_the_text_and_what_goes_with_it(self, browser):
        response = browser.get("/metric/definition/")

        page = said(response)
        assert "Handbook text" in page
        assert "ARR above $50,000" in page
        assert "A reading is stale after 60 days An older reading is not used." in page
        assert "Owner Metric owner" in page
        assert "Definition 1, shown here" in page
        assert "A metric owner proposes a version" in page
        assert "<ol>" in response.content.decode()

    def test_text_is_never_run(self, browser):
        (first,) = MetricDefinition.objects.filter(slug=SLUG)
        MetricDefinition.objects.create(
            slug=SLUG,
            number=2,
            title="Two",
            unit="share",
            text="<script>alert(1)</script> [x](javascript:alert(1)) ![p](https://x.example/p.png)",
            policy=first.policy,
            valid_from=day("03-01"),
        )

        response = browser.get("/metric/definition/?version=2")

        text = response.content.decode().partition('class="prose"')[2].partition("</section>")[0]
        assert "<script" not in text
        assert "&lt;script&gt;" in text
        assert 'href="javascript' not in text
        assert "<img" not in text
        assert "Definition 1" in said(response)

    @pytest.mark.parametrize("version", ["0", "99", "x", "\N{ARABIC-INDIC DIGIT ONE}"])
    def test_an_unknown_version_is_not_found(self, browser, version):
        assert browser.get(f"/metric/definition/?version={version}").status_code == 404


class TestSetTarget:
    def test_leadership_sets_it(self, login, leadership):
        client = login(leadership)
        learn("03-01")
        customer(90)
        computed("03-19")

        response = client.post(
            "/metric/target/", {"percent": "75", "by_day": "2026-12-31"}, follow=True
        )

        assert "Target set: 75% by 31 Dec." in said(response)
        target = MetricTarget.objects.get()
        assert (target.value, target.by_day) == (Decimal("0.75"), day("12-31"))
        assert Event.objects.filter(verb="metric.target_set").count() == 1

    @pytest.mark.parametrize(
        "percent", ["", "0", "101", "74.5", "-1", "x", "\N{ARABIC-INDIC DIGIT SEVEN}5"]
    )
    def test_refuses_what_is_no_percentage_and_keeps_it(self, login, leadership, percent):
        response = login(leadership).post("/metric/target/", {"percent": percent})

        assert response.status_code == 422
        assert "There is a problem" in said(response)
        assert f'value="{percent}"' in response.content.decode() or not percent
        assert not MetricTarget.objects.exists()

    @pytest.mark.parametrize("by_day", ["2026-03-20", "2020-01-01", "soon"])
    def test_refuses_a_day_that_is_past(self, login, leadership, by_day):
        response = login(leadership).post("/metric/target/", {"percent": "75", "by_day": by_day})

        assert response.status_code == 422
        assert not MetricTarget.objects.exists()

    def test_others_read_who_may(self, browser):
        for response in (
            browser.get("/metric/target/"),
            browser.post("/metric/target/", {"percent": "75"}),
        ):
            assert response.status_code == 403
            assert "Only leadership can set a target." in said(response)


class TestRecompute:
    @pytest.fixture
    def client(self, login, metric_owner):
        learn("03-01")
        customer(90)
        return login(metric_owner)

    def test_says_when_nothing_has_changed(self, client):
        client.post("/metric/recompute/")

        response = client.post("/metric/recompute/", follow=True)

        assert "Nothing has changed since revision 1 of today: 100.0%" in said(response)
        assert MetricRun.objects.filter(base=None).count() == 1

    def test_says_when_what_it_computed_is_held(self, client):
        compute("03-19")
        learn("03-20T08:00")
        read(Account.objects.get(), 8_000, "03-20T07:00")

        response = client.post("/metric/recompute/", follow=True)

        assert "It is held until a metric owner looks at it." in said(response)

    def test_leaves_large_companies_to_the_command(self, client, monkeypatch):
        monkeypatch.setattr(steering, "MOST_ACCOUNTS", 1)

        response = client.post("/metric/recompute/", follow=True)

        assert "Not computed: there are too many accounts" in said(response)
        assert not MetricRun.objects.exists()

    def test_says_that_another_is_running(self, client, monkeypatch):
        def busy(*_args, **_kwargs):
            raise AlreadyRunning("Another recompute is running.")

        monkeypatch.setattr(steering, "recompute", busy)

        response = client.post("/metric/recompute/", follow=True)

        assert "Not computed. Another recompute is running." in said(response)

    def test_is_in_the_menu_of_the_metric_owner_alone(self, client, browser):
        client.post("/metric/recompute/")

        assert "Recompute now" in said(client.get(DASHBOARD))
        assert "Recompute now" not in said(browser.get(DASHBOARD))
        assert browser.post("/metric/recompute/").status_code == 403
