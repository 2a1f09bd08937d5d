"""What if, asked of the API and on its page: choose work and see the number, or the other way."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from events.models import Event
from metrics.models import Scenario
from tests.factories import ProjectAccountFactory, ProjectFactory, ServiceRequestFactory
from tests.metrics.pages import said, table
from tests.metrics.scene import compute, customer, learn, read

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("morning")]
API = "/api/v1/metrics/seats-deployed/what-if/"
PAGE, SCENARIOS = "/metric/what-if/", "/metric/scenarios/"


@pytest.fixture
def company():
    """Two of six pass; three are 5, 10 and 30 seats short, and one nobody has read."""
    learn("03-01")
    return {
        name: customer(seats, at="03-18T12:00", name=name)
        for name, seats in (
            ("Ada", 90), ("Bea", 85), ("Near", 75), ("Mid", 70), ("Far", 50), ("Silent", None),
        )
    }  # fmt: skip


@pytest.fixture
def run(company):
    return compute("03-19").run


@pytest.fixture
def work(company, run):
    """Projects: one for Near and Mid, one for Far, one whose days nobody knows; and a request."""

    def project(title, days, **seats):
        made = ProjectFactory(kind="external", title=title, days=days)
        for name, (low, likely, high) in seats.items():
            ProjectAccountFactory(
                project=made,
                account=company[name],
                seats_low=low,
                seats_likely=likely,
                seats_high=high,
            )
        return made

    return {
        "both": project("Sign-in", 5, Near=(5, 8, 12), Mid=(4, 12, 20)),
        "far": project("Export", 8, Far=(10, 30, 40), Silent=(5, 5, 5)),
        "undated": project("Guide", None, Far=(1, 2, 3)),
        "request": ServiceRequestFactory(
            account=company["Near"], state="triaged", title="Kiosk", effort="low",
            seats_low=1, seats_likely=5, seats_high=9,
        ),
    }  # fmt: skip


@pytest.fixture
def ask(api_client, tam):
    client = api_client(tam, "metrics:read", "project:read", "request:read")

    def post(**body):
        return client.post(API, body, format="json")

    return post


class TestApi:
    def test_says_the_number_its_bounds_who_crosses_and_the_days(self, ask, work, company):
        told = ask(projects=[work["both"].number, str(work["far"].uuid)]).json()

        assert told["now"] == {"numerator": 2, "denominator": 6, "value": "0.333333"}
        assert [told[name]["numerator"] for name in ("low", "likely", "high")] == [3, 5, 5]
        assert (told["days"], told["as_of"], told["definition_version"]) == (
            "13.0",
            "2026-03-19",
            1,
        )
        assert [(each["name"], each["crosses"]) for each in told["accounts"]] == [
            ("Near", "sure"), ("Mid", "likely"), ("Far", "likely"),
        ]  # fmt: skip
        assert [(each["name"], each["reason"]) for each in told["unknown"]] == [
            ("Silent", "no_reading")
        ]
        assert told["plan"] is None

    def test_seats_of_several_add_up(self, ask, work, company):
        near = str(company["Near"].uuid)
        told = ask(seats=[{"account": near, "add": 1}], requests=[work["request"].number]).json()
        assert told["accounts"][0]["seats_likely"] == 6
        assert (told["likely"]["numerator"], told["days"]) == (3, "2")

    def test_finds_the_fewest_days_that_reach_a_target(self, ask, work):
        told = ask(target="0.66", capacity_days="20").json()
        assert told["plan"] == {
            "target": "0.66", "capacity_days": "20", "reached": True, "exact": True, "needed": 2,
            "crossing": 2, "days": "5", "least_days": "5", "most_crossing": 2, "reachable": 3,
        }  # fmt: skip
        assert [each["number"] for each in told["work"]] == [work["both"].number]

    def test_says_what_is_best_where_the_target_is_out_of_reach(self, ask, work):
        told = ask(target="1", capacity_days="6").json()
        assert (told["plan"]["reached"], told["plan"]["crossing"]) == (False, 2)

    def test_plans_with_seats_that_take_days(self, ask, work, company):
        far = str(company["Far"].uuid)
        seats = [{"account": far, "add": 30, "days": "1.5"}]
        told = ask(target="0.5", seats=seats).json()
        assert (told["plan"]["days"], told["plan"]["reached"]) == ("1.5", True)

    def test_never_writes(self, ask, work):
        before = Event.objects.count()
        with CaptureQueriesContext(connection) as sent:
            ask(target="0.66")
        written = [each["sql"] for each in sent if each["sql"].startswith(("INSERT", "DELETE"))]
        assert written == []
        assert Event.objects.count() == before

    @pytest.mark.parametrize(
        ("body", "field", "value"),
        [
            ({}, "projects", "target"),
            ({"projects": ["PRJ-999999"]}, "projects", "PRJ-999999"),
            ({"projects": ["REQ-1"]}, "projects", "“REQ-1”"),
            ({"projects": "PRJ-1"}, "projects", "list"),
            ({"requests": [7]}, "requests", "“7”"),
            ({"seats": [{"account": "x", "add": 1}]}, "seats", "Item 1: account"),
            ({"seats": [{"add": 1}]}, "seats", "“account”"),
            ({"seats": [{"account": "4dedba79-8e04-4917-9fee-a6aa4dbe02a2", "add": 1}]},
             "seats[0].account", "4dedba79"),
            ({"target": "1.5"}, "target", "1.5"),
            ({"target": 0.75}, "target", "numbers"),
            ({"target": "0.5", "capacity_days": "-1"}, "capacity_days", "negative"),
            ({"capacity_days": "3"}, "target", "target"),
            ({"unheard": 1}, "unheard", "no such field"),
        ],
    )  # fmt: skip
    def test_says_which_field_is_wrong_and_why(self, ask, run, body, field, value):
        answer = ask(**body)
        assert answer.status_code == 400
        (error,) = answer.json()["errors"]
        assert error["field"] == field
        assert value in error["detail"]

    def test_what_is_delivered_cannot_be_chosen(self, ask, company, run):
        project = ProjectFactory(kind="external", state="delivered")
        ProjectAccountFactory(project=project, account=company["Near"])
        assert ask(projects=[project.number]).status_code == 400

    def test_only_of_a_number_made_from_accounts(self, api_client, tam, run):
        client = api_client(tam)
        for slug in ("requests-declined", "nothing"):
            answer = client.post(
                f"/api/v1/metrics/{slug}/what-if/", {"target": "0.5"}, format="json"
            )
            assert answer.status_code == 404

    def test_takes_as_many_statements_for_any_amount_of_work(self, ask, work, company):
        def statements(count):
            for _ in range(count):
                ProjectAccountFactory(account=company["Mid"])
            with CaptureQueriesContext(connection) as sent:
                assert ask(target="0.5").status_code == 200
            return len(sent)

        statements(1)
        assert statements(1) == statements(30)


class TestPage:
    def test_starts_with_the_number_and_what_can_be_chosen(self, browser, work):
        page = said(browser.get(PAGE))
        assert "The number now" in page
        assert "Sign-in" in page
        assert "Kiosk" in page
        assert "not estimated" in page

    def test_shows_what_the_chosen_work_would_do(self, browser, work, company):
        asked = {"project": [work["both"].number], f"add-{company['Far'].pk}": "30"}
        page = said(browser.get(PAGE, asked))
        assert "3 accounts cross 80%" in page
        assert "83.3" in page
        assert "50.0 points" in page
        assert "5 days" in page

    def test_answers_htmx_with_its_part(self, browser, work):
        answer = browser.get(
            PAGE, {"project": work["both"].number}, headers={"HX-Target": "outcome"}
        )
        assert "<html" not in answer.content.decode()
        assert "2 accounts cross" in said(answer)

    def test_searches_work_and_accounts(self, browser, work):
        page = said(browser.get(PAGE, {"q": "far"}))
        assert "Export" in page
        assert "Kiosk" not in page

    @pytest.mark.parametrize(
        ("asked", "words"),
        [
            ({"target": "66", "capacity": "20"}, "1 piece of work, 5 days:"),
            ({"target": "100"}, "100.0% is out of reach."),
            ({"target": "100", "capacity": "6"}, "out of reach in 6 days"),
            ({"target": "30"}, "is met already"),
            ({"target": "abc"}, "“abc” is not a number"),
            ({"target": "0"}, "“0” is not above 0"),
            ({"target": "66", "capacity": "-3"}, "may not be negative"),
            ({}, "Which target?"),
        ],
    )
    def test_asks_the_other_way_round(self, browser, work, asked, words):
        assert words in said(browser.get(PAGE, {"ask": "target", **asked}))

    @pytest.mark.parametrize(
        "asked",
        [
            {"project": ["PRJ-999999", "x\0", "9" * 40], "request": ["", "REQ-1e9"]},
            {"add-x": "1", "add-1": "1e9", "add-999999": "5", "q": "\0" * 300},
            {"ask": ["target", "work"], "target": "9" * 400, "capacity": "NaN"},
        ],
    )
    def test_what_makes_no_sense_is_left_out(self, browser, work, asked):
        assert browser.get(PAGE, asked).status_code == 200

    def test_what_was_typed_comes_back(self, browser, work, company):
        page = browser.get(PAGE, {f"add-{company['Near'].pk}": "many"}).content.decode()
        assert 'value="many"' in page
        assert "“many” is not a whole number" in page

    def test_says_so_where_there_is_no_number(self, browser):
        assert "There is no number to start from" in said(browser.get(PAGE))


class TestScenarios:
    def keep(self, browser, work, **more):
        asked = {"name": "Spring", "project": [work["both"].number], **more}
        return browser.post(SCENARIOS, asked)

    def test_keeps_what_was_chosen_and_the_answer(self, browser, work, tam):
        answer = self.keep(browser, work)
        scenario = Scenario.objects.get()
        assert answer["Location"] == f"{SCENARIOS}{scenario.uuid}/"
        assert (scenario.by, scenario.told["crossing"]) == (tam, [1, 2, 2])
        assert scenario.asked["projects"] == [work["both"].number]
        assert "Spring" in said(browser.get(SCENARIOS))
        assert Event.objects.filter(verb="scenario.kept").count() == 1

    def test_compares_later_what_was_promised_with_what_happened(self, browser, work, company):
        self.keep(browser, work)
        learn("03-20T02:00")
        read(company["Near"], 82, "03-19T13:00")
        read(company["Ada"], 60, "03-19T13:00")
        compute("03-19", "03-20T08:00")

        page = said(browser.get(self.url()))

        assert "Now less promised −33.3" in page  # noqa: RUF001
        assert "1 of 2" in page
        assert "75% → 82%" in page
        assert "below the line, 10 seats to go" in page
        assert "1 moved the number" in page
        lines = table(browser.get(self.url("scenario-csv")))
        assert {line["name"]: line["difference_points"] for line in lines} == {
            "Near": "0.000000", "Mid": "-16.666667",
        }  # fmt: skip

    def url(self, name="scenario"):
        return reverse(f"metrics:{name}", args=[Scenario.objects.get().uuid])

    def test_says_what_became_of_the_work(self, browser, work):
        self.keep(browser, work)
        assert "Proposed not yet" in said(browser.get(self.url()))

    def test_a_name_is_needed_and_what_was_chosen_stays(self, browser, work):
        answer = self.keep(browser, work, name=" ")
        assert answer.status_code == 422
        assert "Give the scenario a name" in said(answer)
        assert f'value="{work["both"].number}"' in answer.content.decode()
        assert not Scenario.objects.exists()

    def test_nothing_chosen_is_nothing_to_keep(self, browser, run):
        answer = browser.post(SCENARIOS, {"name": "Nothing"})
        assert answer.status_code == 422
        assert "Choose some work first" in said(answer)

    def test_only_its_own_person_deletes_it(self, browser, work, login, de_lead):
        self.keep(browser, work)
        url = self.url("scenario-delete")
        assert login(de_lead).post(url).status_code == 403
        assert browser.post(url).status_code == 302
        assert not Scenario.objects.exists()

    def test_the_list_is_a_file_too(self, browser, work):
        self.keep(browser, work)
        (line,) = table(browser.get("/metric/scenarios.csv"))
        assert (line["name"], line["promised"], line["days"]) == ("Spring", "0.666666", "5.0")
