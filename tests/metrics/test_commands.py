"""recompute_metrics and show_metric."""

import datetime as dt
import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import AccountFacts
from metrics.models import MetricRun
from metrics.services.runs import AlreadyRunning
from tests.metrics.scene import compute, customer, learn, read

pytestmark = pytest.mark.django_db


def run(*arguments):
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def accounts():
    learn("02-01")
    return [
        customer(80, name="Acme", external_id="a", region="EMEA"),
        customer(70, name="Bolt", external_id="b", region="APAC"),
        customer(None, name="Cray", external_id="c", region="APAC"),
        customer(90, name="Dune", external_id="d", region="APAC", status="prospect"),
    ]


class TestRecompute:
    @pytest.fixture(autouse=True)
    def _today(self, monkeypatch):
        self.now = dt.datetime(2026, 3, 12, 15, tzinfo=dt.UTC)
        monkeypatch.setattr(timezone, "now", lambda: self.now)
        monkeypatch.setattr("metrics.services.runs.take_cut", lambda: self.now)
        # What the migrations ship is known from the real clock on, later than these days.
        monkeypatch.setattr("metrics.selectors.late.inputs.FAR_FUTURE", self.now)

    def lines(self, *arguments):
        """What it says of seats; the key figures of requests have tests of their own."""
        lines = run("recompute_metrics", *arguments).splitlines()
        return [line for line in lines if line.startswith("seats-deployed")]

    def test_begins_with_yesterday_and_today_so_far(self, accounts):
        assert self.lines() == [
            "seats-deployed  2026-03-11  33.3%, 1 of 3  revision 1",
            "seats-deployed  2026-03-12  33.3%, 1 of 3  revision 1",
        ]
        assert AccountFacts.objects.count() == 4

    def test_says_what_is_unchanged(self, accounts):
        self.lines()
        assert self.lines() == ["seats-deployed  2026-03-12  33.3%, 1 of 3  unchanged, revision 1"]

    def test_takes_what_is_missing_oldest_first_and_then_today(self, accounts):
        compute("03-08")
        days = [line.split()[1][5:] for line in self.lines()]
        assert days == ["03-09", "03-10", "03-11", "03-12"]

    def test_takes_up_late_facts(self, accounts, monkeypatch):
        self.lines()
        learn("03-12T15:30")
        self.now += dt.timedelta(hours=1)
        monkeypatch.setattr("metrics.selectors.late.inputs.FAR_FUTURE", self.now)
        read(accounts[1], 80, "03-11T12:00")
        assert self.lines() == [
            "seats-deployed  2026-03-11  66.7%, 2 of 3  revision 2",
            "seats-deployed  2026-03-12  66.7%, 2 of 3  revision 2",
        ]

    def test_of_one_day(self, accounts):
        assert self.lines("--as-of", "2026-02-03", "--metric", "seats-deployed") == [
            "seats-deployed  2026-02-03  0.0%, 0 of 3  revision 1"
        ]

    def test_of_several_days(self, accounts):
        lines = self.lines("--from", "2026-02-27", "--to", "2026-03-02")
        assert [line.split()[1][5:] for line in lines] == ["02-27", "02-28", "03-01", "03-02"]

    def test_of_nobody(self):
        assert self.lines("--as-of", "2026-03-01") == [
            "seats-deployed  2026-03-01  no eligible account  revision 1"
        ]

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["--metric", "seats"], "There is no metric “seats”, only: adoption, arr-at-risk"),
            (["--as-of", "2026-03-13"], "2026-03-13 has not begun yet; today is 2026-03-12."),
            (["--from", "2026-03-01", "--to", "2026-03-13"], "2026-03-13 has not begun yet"),
            (["--as-of", "13.03.2026"], "“13.03.2026” is no day"),
            (["--as-of", "2026-02-30"], "“2026-02-30” is no day"),
            (["--from", "2026-03-01"], "Give both --from and --to."),
            (["--to", "2026-03-01"], "Give both --from and --to."),
            (["--from", "2026-03-02", "--to", "2026-03-01"], "--from lies after --to."),
            (["--from", "1990-01-01", "--to", "2026-01-01"], "13,150 days; at most 3,660"),
            (
                ["--as-of", "2026-03-01", "--to", "2026-03-02"],
                "Give --as-of, or --from and --to.",
            ),
        ],
    )
    def test_says_what_is_wrong_and_computes_nothing(self, accounts, arguments, sentence):
        with pytest.raises(CommandError, match=sentence.replace(".", r"\.")):
            self.lines(*arguments)
        assert not MetricRun.objects.exists()

    def test_says_that_another_one_is_running(self, accounts, monkeypatch):
        def busy(definition):
            raise AlreadyRunning("Another recompute is running.")

        monkeypatch.setattr("metrics.services.runs._lock", busy)
        with pytest.raises(CommandError, match="Another recompute is running"):
            self.lines()


class TestShow:
    @pytest.fixture(autouse=True)
    def _computed(self, accounts):
        compute("03-10")
        compute("03-12")

    def test_as_the_api_gives_it(self, api_client, tam):
        printed = json.loads(run("show_metric", "seats-deployed", "--json"))
        answered = api_client(tam, "metrics:read").get("/api/v1/metrics/seats-deployed/").json()
        assert printed == answered
        assert printed["as_of"] == "2026-03-12"
        assert (printed["numerator"], printed["denominator"]) == (1, 3)
        assert (printed["value"], printed["high"]) == ("0.333333", "0.666666")
        assert printed["excluded"] == {"prospect": 1}

    @pytest.mark.parametrize("as_of", ["2026-03-10", "2026-03-11"])
    def test_of_the_last_day_that_has_one(self, as_of):
        printed = json.loads(run("show_metric", "seats-deployed", "--as-of", as_of, "--json"))
        assert printed["as_of"] == "2026-03-10"

    @pytest.mark.parametrize("by", ["tier", "region", "tam"])
    def test_by_segment_and_row_as_the_api_does(self, by, api_client, tam):
        client = api_client(tam, "metrics:read")
        printed = json.loads(run("show_metric", "seats-deployed", "--by", by, "--rows", "--json"))
        for name, path in (("segments", f"segments/?by={by}"), ("rows", "rows/")):
            answered = client.get(f"/api/v1/metrics/seats-deployed/{path}").json()
            assert printed[name] == answered["results"]

    def test_for_people(self):
        text = run("show_metric", "seats-deployed", "--by", "region", "--rows")
        assert "Customer Seats Deployed on 2026-03-12: 33.3%, 1 of 3" in text
        assert "APAC   0          2            0.000000  0.500000  1" in text
        assert "b            Bolt  60000.00  100       70        0.700000  below" in text
        assert "prospect 1" in text

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["seats"], "There is no metric “seats”"),
            (["seats-deployed", "--as-of", "2026-03-09"], "no run on 2026-03-09 or before"),
            (["seats-deployed", "--as-of", "tomorrow"], "“tomorrow” is no day"),
            (["seats-deployed", "--by", "colour"], "invalid choice: 'colour'"),
        ],
    )
    def test_says_what_is_wrong(self, arguments, sentence):
        with pytest.raises(CommandError, match=sentence):
            run("show_metric", *arguments)


def test_without_any_run_it_names_the_command_that_makes_one():
    with pytest.raises(CommandError, match=r"has no run yet\. `recompute_metrics` makes one\."):
        run("show_metric", "seats-deployed")
