"""Four accounts: two over the line, one 10 seats short of it, one nobody has read."""

import csv
import datetime as dt
import io
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.lib.versions import pretend_known_at
from metrics.services import runs as run_services
from people.models import User
from tests.factories import (
    AccountFactory,
    AssignmentFactory,
    InstanceFactory,
    SeatReadingFactory,
    SubscriptionFactory,
)

METRICS = "/api/v1/metrics"
NUMBER = f"{METRICS}/seats-deployed"
LISTS = ["", "seats-deployed/series/", "seats-deployed/rows/", "seats-deployed/flips/"]
KNOWN = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
DAY = dt.date(2026, 3, 10)


def an_account(name, deployed=None, **values):
    account = AccountFactory(name=name, external_id=name.lower(), **values)
    SubscriptionFactory(account=account, seats=100, arr=Decimal(60_000))
    instance = InstanceFactory(account=account)
    if deployed is not None:
        observed_at = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
        SeatReadingFactory(instance=instance, observed_at=observed_at, seats=deployed)
    return account


def compute(day, known_at=KNOWN + dt.timedelta(days=1)):
    return run_services.recompute(
        "seats-deployed",
        day,
        by=User.objects.get(is_system=True),
        now=NOW,
        known_at=known_at,
        computed_at=known_at,
    ).run


@pytest.fixture
def accounts(db, tam):
    pretend_known_at(KNOWN)
    made = {
        "Acme": an_account("Acme", 80),
        "Bolt": an_account("Bolt", 95, region="AMER"),
        "Cray": an_account("Cray", 70),
        "Dune": an_account("Dune"),
        "Echo": an_account("Echo", 90, status="prospect"),
    }
    AssignmentFactory(account=made["Acme"], user=tam)
    return made


@pytest.fixture
def run(accounts):
    return compute(DAY)


@pytest.fixture
def reader(api_client, tam):
    return api_client(tam, "metrics:read")


def results(client, path):
    response = client.get(path)
    assert response.status_code == 200, response.content
    return response.json()["results"]


class TestNumber:
    def test_as_the_contract_has_it(self, reader, run):
        response = reader.get(f"{NUMBER}/?as_of=2026-03-10")
        assert response["Cache-Control"] == "no-store"
        body = response.json()
        assert body | {"input_digest": "", "oldest_reading": ""} == {
            "metric": "seats-deployed",
            "unit": "share",
            "definition_version": 1,
            "as_of": "2026-03-10",
            "revision": 1,
            "status": "published",
            "numerator": 2,
            "denominator": 4,
            "value": "0.500000",
            "low": "0.500000",
            "high": "0.750000",
            "unknown": 1,
            "coverage": "0.750000",
            "oldest_reading": "",
            "excluded": {"prospect": 1},
            "computed_at": "2026-03-02T00:00:00Z",
            "known_at": "2026-03-02T00:00:00Z",
            "input_digest": "",
            "percentile_90": None,
            "running": None,
            "detail": None,
            "target": None,
        }
        assert body["oldest_reading"] == "2026-03-01T12:00:00Z"
        assert len(body["input_digest"]) == 64

    def test_of_the_last_day_before(self, reader, run):
        compute(dt.date(2026, 3, 12))
        assert reader.get(f"{NUMBER}/").json()["as_of"] == "2026-03-12"
        assert reader.get(f"{NUMBER}/?as_of=2026-03-11").json()["as_of"] == "2026-03-10"
        assert reader.get(f"{NUMBER}/?as_of=2026-03-12").json()["as_of"] == "2026-03-12"

    def test_of_what_had_been_published_by_then(self, reader, accounts, run):
        later = KNOWN + dt.timedelta(days=5)
        pretend_known_at(KNOWN + dt.timedelta(days=4))
        observed_at = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
        instance = accounts["Cray"].instances.get()
        SeatReadingFactory(instance=instance, observed_at=observed_at, seats=81)
        compute(DAY, later)
        now = reader.get(f"{NUMBER}/?as_of=2026-03-10").json()
        assert (now["revision"], now["numerator"]) == (2, 3)
        then = reader.get(f"{NUMBER}/?as_of=2026-03-10&known_at=2026-03-05T00:00:00Z").json()
        assert (then["revision"], then["numerator"]) == (1, 2)

    @pytest.mark.parametrize(
        ("path", "detail"),
        [
            ("nothing/", "No such metric."),
            ("nothing/series/", "No such metric."),
            ("nothing/rows/", "No such metric."),
            ("seats-deployed/?as_of=2020-01-01", "Nothing was published by then."),
            ("seats-deployed/?version=9", "Nothing was published by then."),
            ("seats-deployed/rows/?as_of=2020-01-01", "Nothing was published by then."),
            ("seats-deployed/segments/?by=tam&as_of=2020-01-01", "Nothing was published by then."),
        ],
    )
    def test_what_there_is_not(self, reader, run, path, detail):
        response = reader.get(f"{METRICS}/{path}")
        assert response.status_code == 404
        assert response.json()["detail"] == detail

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("as_of=today", "as_of"),
            ("known_at=2026-03-10", "known_at"),
            ("version=0", "version"),
            ("version=1.0", "version"),
            ("format=csv", "format"),
            ("page_size=1", "page_size"),
            ("cursor=x", "cursor"),
        ],
    )
    def test_malformed(self, reader, run, query, field):
        response = reader.get(f"{NUMBER}/?{query}")
        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] == field


class TestDefinitions:
    def test_list(self, reader, db):
        row = next(
            each for each in results(reader, f"{METRICS}/") if each["metric"] == "seats-deployed"
        )
        assert (row["metric"], row["version"], row["unit"]) == ("seats-deployed", 1, "share")
        assert row["text"]
        assert row["owner"]
        assert row["policy"]["share_percent"] == 80
        assert row["valid_to"] is None


class TestSeries:
    @pytest.fixture(autouse=True)
    def _runs(self, run):
        compute(dt.date(2026, 3, 11))
        compute(dt.date(2026, 3, 12))

    @pytest.mark.parametrize(
        ("query", "days"),
        [
            ("", ["2026-03-10", "2026-03-11", "2026-03-12"]),
            ("?from=2026-03-11", ["2026-03-11", "2026-03-12"]),
            ("?from=2026-03-11&to=2026-03-11", ["2026-03-11"]),
            ("?ordering=-as_of", ["2026-03-12", "2026-03-11", "2026-03-10"]),
            ("?version=1&to=2026-03-10", ["2026-03-10"]),
            ("?from=2027-01-01", []),
        ],
    )
    def test_one_point_a_day(self, reader, query, days):
        assert [row["as_of"] for row in results(reader, f"{NUMBER}/series/{query}")] == days

    def test_pages(self, reader):
        page = reader.get(f"{NUMBER}/series/?page_size=2&count=true").json()
        assert page["count"] == 3
        assert [row["as_of"] for row in results(reader, page["next"])] == ["2026-03-12"]

    def test_ends_before_it_starts(self, reader):
        response = reader.get(f"{NUMBER}/series/?from=2026-03-12&to=2026-03-11")
        assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "to")


class TestSegments:
    def test_by_region(self, reader, run):
        rows = results(reader, f"{NUMBER}/segments/?by=region&as_of=2026-03-10")
        assert {row["label"]: (row["numerator"], row["denominator"]) for row in rows} == {
            "AMER": (1, 1),
            "EMEA": (1, 3),
        }

    def test_by_tam_with_those_that_have_none(self, reader, run, tam):
        rows = results(reader, f"{NUMBER}/segments/?by=tam")
        found = {row["segment"]: (row["numerator"], row["denominator"]) for row in rows}
        assert found == {str(tam.uuid): (1, 1), None: (1, 3)}

    def test_as_csv(self, reader, run):
        response = reader.get(f"{NUMBER}/segments/?by=tier&format=csv")
        text = b"".join(response.streaming_content).decode()
        assert len(text.splitlines()) == 2

    @pytest.mark.parametrize("query", ["", "?by=owner", "?by=", "?by=tier&page_size=3"])
    def test_says_by_what(self, reader, run, query):
        assert reader.get(f"{NUMBER}/segments/{query}").status_code == 400


class TestRows:
    def test_each_account_as_the_run_saw_it(self, reader, run, accounts):
        rows = results(reader, f"{NUMBER}/rows/?as_of=2026-03-10")
        assert [row["name"] for row in rows] == ["Acme", "Bolt", "Cray", "Dune", "Echo"]
        assert rows[0] == {
            "account": str(accounts["Acme"].uuid),
            "external_id": "acme",
            "name": "Acme",
            "arr": "60000.00",
            "licensed": 100,
            "deployed": 80,
            "share": "0.800000",
            "eligible": True,
            "passes": True,
            "reason": "passes",
            "oldest_reading": "2026-03-01T12:00:00Z",
            "state": "counted",
            "adds": "1",
            "monthly_active": None,
            "renewal_on": None,
            "customer_since": "2025-01-01",
            "definition_version": 1,
        }
        assert (rows[3]["deployed"], rows[3]["passes"]) == (None, None)
        assert (rows[4]["eligible"], rows[4]["reason"]) == (False, "prospect")

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("?eligible=false", ["Echo"]),
            ("?passes=true", ["Acme", "Bolt"]),
            ("?passes__isnull=true&eligible=true", ["Dune"]),
            ("?region=AMER", ["Bolt"]),
            ("?search=cr", ["Cray"]),
            ("?ordering=-name", ["Echo", "Dune", "Cray", "Bolt", "Acme"]),
        ],
    )
    def test_narrowed(self, reader, run, query, names):
        assert [row["name"] for row in results(reader, f"{NUMBER}/rows/{query}")] == names

    def test_the_pages_belong_to_one_run(self, reader, run):
        page = reader.get(f"{NUMBER}/rows/?page_size=2").json()
        assert [row["name"] for row in results(reader, page["next"])] == ["Cray", "Dune"]
        compute(dt.date(2026, 3, 11))
        response = reader.get(page["next"])
        assert response.status_code == 400
        assert response.json()["errors"][0]["code"] == "bad_cursor"

    def test_as_csv(self, reader, run):
        response = reader.get(f"{NUMBER}/rows/?format=csv")
        text = b"".join(response.streaming_content).decode()
        header, *rows = csv.reader(io.StringIO(text, newline=""))
        assert header[:4] == ["account", "external_id", "name", "arr"]
        assert [row[2] for row in rows] == ["Acme", "Bolt", "Cray", "Dune", "Echo"]


class TestFlips:
    def test_seats_to_go_and_seats_above(self, reader, run):
        rows = results(reader, f"{NUMBER}/flips/")
        assert [
            (row["name"], row["passes"], row["seats_to_go"], row["seats_above"]) for row in rows
        ] == [("Cray", False, 10, 0), ("Acme", True, 0, 0), ("Bolt", True, 0, 15)]

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("?passes=false", ["Cray"]),
            ("?passes=true&seats_above__lte=5", ["Acme"]),
            ("?seats_to_go__gte=1", ["Cray"]),
            ("?ordering=-seats_above&passes=true", ["Bolt", "Acme"]),
        ],
    )
    def test_narrowed(self, reader, run, query, names):
        assert [row["name"] for row in results(reader, f"{NUMBER}/flips/{query}")] == names


@pytest.mark.parametrize("path", [*LISTS, "seats-deployed/", "seats-deployed/segments/"])
class TestAccess:
    def test_strangers(self, client, db, path):
        assert client.get(f"{METRICS}/{path}").status_code == 401

    def test_without_the_scope(self, api_client, tam, path):
        response = api_client(tam, "account:read").get(f"{METRICS}/{path}")
        assert response.status_code == 403

    def test_without_a_role(self, login, without_role, path):
        assert login(without_role).get(f"{METRICS}/{path}").status_code == 403


@pytest.mark.parametrize("path", LISTS)
def test_as_many_statements_for_one_account_as_for_many(reader, run, accounts, path):
    def statements():
        with CaptureQueriesContext(connection) as captured:
            assert results(reader, f"{METRICS}/{path}")
        return len(captured)

    statements()
    before = statements()
    for number in range(3):
        an_account(f"More {number}", 70)
    compute(dt.date(2026, 3, 11), KNOWN + dt.timedelta(days=2))
    assert statements() == before
