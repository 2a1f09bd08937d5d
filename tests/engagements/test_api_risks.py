"""Work at Risk and notices over the API."""

import datetime as dt

import pytest
from django.utils import timezone

from engagements.models import WorkAtRisk
from events.models import Notice
from events.services import notify
from tests import factories
from tests.engagements.ready import Stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    made = Stage()
    made.at("awaiting_signoff")
    return made


@pytest.fixture
def address(stage):
    return f"/api/v1/service-requests/{stage.request.uuid}/risks/"


def body(stage, **changes):
    return {
        "reason": "The freeze starts on Monday.",
        "exposure": "A week of one engineer.",
        "exposure_days": "4.5",
        "expires_on": str(stage.today + dt.timedelta(days=3)),
    } | changes


class TestRisks:
    def test_are_asked_for_and_read(self, stage, address, api_client):
        answer = api_client(stage.lead).post(address, body(stage), format="json")

        assert answer.status_code == 201
        told = answer.json()
        assert (told["state"], told["exposure_days"]) == ("asked", "4.5")
        assert told["asked_by"]["name"] == stage.lead.name
        client = api_client(stage.filer)
        (listed,) = client.get(address).json()["results"]
        assert listed == told
        one = client.get(f"{address}{told['id']}/")
        assert one.json() == told
        assert one.headers["ETag"] == answer.headers["ETag"]

    @pytest.mark.parametrize("who", ["filer", "engineer", "leadership"])
    def test_are_asked_for_by_leads(self, who, stage, address, api_client):
        answer = api_client(getattr(stage, who)).post(address, body(stage), format="json")

        assert answer.status_code == 403
        assert not WorkAtRisk.objects.exists()

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("reason", ""),
            ("exposure_days", "0"),
            ("exposure_days", 4.5),
            ("exposure_days", "12345"),
            ("expires_on", "2020-01-01"),
            ("expires_on", "2099-01-01"),
            ("colour", "red"),
        ],
    )
    def test_name_the_field_that_is_wrong(self, field, value, stage, address, api_client):
        sent = body(stage, **{field: value})

        answer = api_client(stage.lead).post(address, sent, format="json")

        assert answer.status_code == 400
        assert [each["field"] for each in answer.json()["errors"]] == [field]

    def test_clash_with_one_that_is_open(self, stage, address, api_client):
        factories.WorkAtRiskFactory(request=stage.request)

        answer = api_client(stage.lead).post(address, body(stage), format="json")

        assert answer.status_code == 409

    @pytest.mark.parametrize("name", ["approve", "refuse"])
    def test_are_decided_by_people_never_by_a_token(self, name, stage, address, api_client, login):
        risk = factories.WorkAtRiskFactory(request=stage.request, asked_by=stage.lead)
        move = {"transition": name, "reason": "So it is."}
        there = f"{address}{risk.uuid}/transitions/"

        assert api_client(stage.leadership).post(there, move, format="json").status_code == 403
        risk.refresh_from_db()
        assert risk.state == "asked"

        answer = login(stage.leadership).post(there, move, "application/json")
        assert answer.status_code == 200
        assert answer.json()["decided_by"]["name"] == stage.leadership.name

    def test_are_ended_early(self, stage, address, api_client):
        risk = factories.WorkAtRiskFactory(request=stage.request, asked_by=stage.lead)
        there = f"{address}{risk.uuid}/transitions/"
        client = api_client(stage.lead)

        assert client.post(there, {"transition": "withdraw"}, format="json").status_code == 400
        stale = {"HTTP_IF_MATCH": f'"{risk.uuid}.9"'}
        move = {"transition": "withdraw", "reason": "Not needed."}
        assert client.post(there, move, format="json", **stale).status_code == 412
        assert client.post(there, move, format="json").json()["end_code"] == "withdrawn"
        assert client.post(there, move, format="json").status_code == 409

    def test_of_another_request_are_not_found_here(self, stage, address, api_client):
        other = factories.WorkAtRiskFactory()

        answer = api_client(stage.lead).get(f"{address}{other.uuid}/")

        assert answer.status_code == 404


class TestNotices:
    def test_are_ones_own(self, api_client, tam, csm):
        notify([tam, csm], "mention", title="Ada mentions you", path="/x/", at=timezone.now())

        (told,) = api_client(tam).get("/api/v1/notices/?seen_at__isnull=true").json()["results"]

        assert (told["kind"], told["title"], told["path"]) == ("mention", "Ada mentions you", "/x/")

    @pytest.mark.parametrize("named", [True, False])
    def test_are_marked_as_read(self, named, api_client, tam, csm):
        for title in ("One", "Two"):
            notify([tam, csm], "mention", title=title, at=timezone.now())
        mine, others = (Notice.objects.filter(to=who).order_by("pk") for who in (tam, csm))
        ids = [str(mine[0].uuid), str(others[0].uuid)]

        answer = api_client(tam).post(
            "/api/v1/notices/seen/", {"ids": ids} if named else {}, format="json"
        )

        assert answer.json() == {"seen": 1 if named else 2}
        assert others.filter(seen_at=None).count() == 2

    @pytest.mark.parametrize("ids", ["all", ["x"], [1], [None] * 201])
    def test_say_what_is_wrong_with_ids(self, ids, api_client, tam):
        answer = api_client(tam).post("/api/v1/notices/seen/", {"ids": ids}, format="json")

        assert answer.status_code == 400
