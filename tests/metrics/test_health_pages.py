import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from metrics.models import HealthOverride, HealthPolicy, HealthRow
from metrics.services.health import compute_health
from metrics.services.runs import recompute
from people.models import Scope, system_user
from people.services import create_token
from tests.factories import (
    AccountFactory,
    AssignmentFactory,
    InstanceFactory,
    SeatReadingFactory,
    SubscriptionFactory,
)

pytestmark = pytest.mark.django_db
A_DAY = dt.timedelta(days=1)
POLICY = {
    "deployment_weight": "60", "trend_weight": "0", "trend_days": "90", "trend_full_at": "10",
    "trend_none_at": "10", "adoption_weight": "0", "adoption_full_at": "60",
    "renewal_weight": "20", "renewal_weeks": "26", "requests_weight": "20", "requests_each": "50",
    "name_0": "Fine", "from_0": "80", "name_1": "So so", "from_1": "40", "name_2": "Poor",
    "from_2": "0", "note": "Seats first.",
}  # fmt: skip


def customer(name, seats=None):
    account = AccountFactory(name=name, region="EMEA")
    today = timezone.now()
    SubscriptionFactory(
        account=account, seats=100, arr=90_000, start=today.date() - 300 * A_DAY,
        end=today.date() + 400 * A_DAY,
    )  # fmt: skip
    instance = InstanceFactory(account=account)
    if seats is not None:
        SeatReadingFactory(instance=instance, observed_at=today - 5 * A_DAY, seats=seats)
    return account


@pytest.fixture
def yesterday():
    return timezone.now().date() - A_DAY


@pytest.fixture
def half(db):
    return customer("Halden", 40)


@pytest.fixture
def said(half, yesterday):
    """A night that said how two customers fared: one without a count."""
    unknown = customer("Norvik")
    now = timezone.now()
    recompute("seats-deployed", yesterday, by=system_user(), now=now)
    compute_health(day=yesterday, at=now, by=system_user())
    return unknown


def text_of(response):
    return " ".join(response.content.decode().split())


def test_the_tab_says_the_score_and_where_each_point_comes_from(said, half, login, tam):
    client = login(tam)
    text = text_of(client.get(f"/accounts/ACC-{half.pk}/health/"))
    row = HealthRow.objects.get(account=half)
    assert f"{row.score}<small> of 100</small>" in text
    assert "40 of 100 licensed seats are deployed. Full points from 80%." in text
    assert "Its 20 points went to the others." in text
    assert "Nobody" not in text
    assert "primary TAM or CSM, a DE lead or leadership can set its health by hand." in text
    unknown = text_of(client.get(f"/accounts/ACC-{said.pk}/health/"))
    assert "Nothing is known that makes a score, for no seats have been counted yet." in unknown
    panel = client.get(
        reverse("metrics:account-health-panel", args=[half.pk]), headers={"HX-Request": "true"}
    )
    assert str(row.score) in text_of(panel)


def test_before_the_first_night_there_is_nothing(half, login, tam):
    client = login(tam)
    assert "not worked out yet" in text_of(client.get(f"/accounts/ACC-{half.pk}/health/"))
    assert "Nothing was said of that day" in text_of(client.get("/metric/health/"))


def test_an_owner_says_so_on_the_page(said, half, login, tam):
    AssignmentFactory(account=half, user=tam, role="TAM")
    client = login(tam)
    url = reverse("metrics:account-health-override", args=[half.pk])
    until = timezone.now().date() + 20 * A_DAY
    wrong = client.post(url, {"band": "Lovely", "reason": "The sponsor left.", "until": "9"})
    assert wrong.status_code == 422
    assert "The sponsor left." in text_of(wrong)
    done = client.post(url, {"band": "Healthy", "reason": "The sponsor left.", "until": until})
    assert done.status_code == 302
    text = text_of(client.get(done.url))
    assert f"{tam.name} says: Healthy" in text
    assert "Health set by hand: Healthy" in text_of(
        client.get(f"/accounts/ACC-{half.pk}/timeline/")
    )
    assert "says Healthy" in text_of(client.get("/metric/health/"))
    ended = client.post(reverse("metrics:account-health-override-end", args=[half.pk]))
    assert ended.status_code == 302
    assert HealthOverride.objects.get().ended_by == tam


def test_the_list_is_worst_first_and_narrowed(said, half, login, tam):
    client = login(tam)
    better = HealthRow.objects.get(account=half)
    text = text_of(client.get("/metric/health/"))
    assert text.index("Halden") < text.index("Norvik")
    assert "2 accounts" in text
    narrowed = text_of(client.get("/metric/health/", {"band": better.band}))
    assert "Norvik" not in narrowed
    assert "Halden" not in text_of(client.get("/metric/health/", {"band": "none"}))
    assert "No customers match" in text_of(client.get("/metric/health/", {"moved": "worse"}))
    assert "There is no such Band here." in text_of(client.get("/metric/health/", {"band": "x"}))
    csv = client.get("/metric/health.csv")
    lines = b"".join(csv.streaming_content).decode().splitlines()
    assert len(lines) == 3
    assert str(better.score) in lines[1]
    assert client.get("/metric/health.csv", {"band": "x"}).status_code == 400


def test_a_policy_is_looked_at_before_it_is_saved(said, login, metric_owner, tam):
    client = login(metric_owner)
    today = timezone.now().date()
    sent = {**POLICY, "start": today}
    shown = text_of(client.post("/settings/health/", {**sent, "do": "preview"}))
    assert "customers of" in shown
    assert "would be in another band" in shown
    assert HealthPolicy.objects.count() == 1
    wrong = client.post("/settings/health/", {**sent, "deployment_weight": "61", "do": "save"})
    assert wrong.status_code == 422
    assert "The points add up to 101" in text_of(wrong)
    wrong = client.post("/settings/health/", {**sent, "from_1": "90", "do": "save"})
    assert "So so has to begin below Fine" in text_of(wrong)
    assert client.post("/settings/health/", {**sent, "do": "save"}).status_code == 302
    row = HealthPolicy.objects.get(number=2)
    assert [part["code"] for part in row.parts] == ["deployment", "renewal", "requests"]
    assert login(tam).post("/settings/health/", sent).status_code == 403


def test_the_api_says_the_same(said, half, api_client, metric_owner, de_lead, yesterday):
    client = api_client(metric_owner, Scope.METRICS_READ)
    url = f"/api/v1/accounts/{half.uuid}/health/"
    answer = client.get(url).json()
    row = HealthRow.objects.get(account=half)
    assert answer["score"] == str(row.score)
    assert (answer["band"], answer["policy"], answer["as_of"]) == (row.band, 1, str(yesterday))
    parts = {part["code"]: part for part in answer["parts"]}
    assert parts["deployment"]["age_days"] == 4
    assert parts["adoption"]["state"] in {"not_counted", "not_recorded"}
    assert sum(float(part["points"]) for part in parts.values()) == pytest.approx(float(row.score))
    assert client.get(url, {"as_of": "2000-01-01"}).json()["score"] is None
    assert client.get(url, {"as_of": "2099-01-01"}).status_code == 400
    assert client.get("/api/v1/health-policies/").json()["results"][0]["number"] == 1
    lead = api_client(de_lead, Scope.METRICS_WRITE, Scope.METRICS_READ)
    body = {"band": "Watch", "reason": "New sponsor.", "until": str(yesterday + 30 * A_DAY)}
    made = lead.post(f"{url}override/", body, format="json")
    assert made.status_code == 201
    assert client.get(url).json()["override"]["id"] == made.json()["id"]
    assert lead.post(f"{url}override/", {**body, "band": ["x"]}, format="json").status_code == 400
    assert lead.delete(f"{url}override/").status_code == 204
    assert lead.delete(f"{url}override/").status_code == 409


def test_a_limited_token_sees_its_accounts_alone(said, half, metric_owner):
    _, secret = create_token(
        owner=metric_owner, name="Sync", scopes=[Scope.METRICS_READ], days=30, by=metric_owner,
        at=timezone.now(), accounts=[half.number],
    )  # fmt: skip
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert client.get(f"/api/v1/accounts/{half.uuid}/health/").status_code == 200
    assert client.get(f"/api/v1/accounts/{said.uuid}/health/").status_code == 404
