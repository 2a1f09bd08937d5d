"""Projects over the API: proposed, read, changed, moved; per role, scope and limit."""

import uuid

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from events.models import MoveRequest, Notice
from people import services
from people.models import Scope
from projects.models import Project
from tests import factories
from tests.projects.ready import Stage

pytestmark = pytest.mark.django_db
LIST = "/api/v1/projects/"
PROPOSAL = {"kind": "internal", "type": "guide", "title": "How we roll out"}


@pytest.fixture
def stage():
    return Stage()


def token_for(owner, *scopes, accounts=()):
    _, text = services.create_token(
        owner=owner,
        name="Tests",
        scopes=scopes,
        accounts=[account.number for account in accounts],
        by=owner,
        at=timezone.now(),
    )
    return APIClient(headers={"Authorization": f"Bearer {text}"})


def post(client, url, body, **headers):
    return client.post(url, body, format="json", headers=headers)


def patch(client, project, body, etag=None):
    headers = {"If-Match": etag} if etag else {}
    return client.patch(f"{LIST}{project.uuid}/", body, format="json", headers=headers)


def wrong(answer):
    return {error["field"]: error["code"] for error in answer.json()["errors"]}


def numbers(client, query):
    answer = client.get(f"{LIST}?{query}")
    assert answer.status_code == 200, answer.json()
    return [each["number"] for each in answer.json()["results"]]


def test_one_shows_its_charter_people_accounts_and_requests(stage, api_client, tam):
    answer = api_client(tam).get(f"{LIST}{stage.project.uuid}/")
    assert answer["ETag"] == f'"{stage.project.uuid}.{stage.project.version}"'
    told = answer.json()
    assert told["number"] == stage.project.number
    assert (told["owner"]["id"], told["score"]) == (str(stage.owner.uuid), "72.00")
    assert [each["id"] for each in told["leads"]] == [str(stage.engineer.uuid)]
    assert told["accounts"] == [
        {
            "account": str(stage.account.uuid),
            "number": stage.account.number,
            "name": stage.account.name,
            "seats_low": 100,
            "seats_likely": 200,
            "seats_high": 400,
        }
    ]
    assert [each["number"] for each in told["requests"]] == [stage.request.number]
    assert [each["kind"] for each in told["stakeholders"]] == ["input"]


@pytest.mark.parametrize(
    "query",
    [
        "state=proposed",
        "type=custom_integration",
        "kind=external",
        "score__gte=70&score__lte=72",
        "owner={owner}",
        "lead={lead}",
        "account={account}",
        "request={request}",
        "search=saml+plants",
        "updated_since=2020-01-01T00:00:00Z",
    ],
)
def test_a_filter_finds_it_and_not_another(query, stage, api_client, tam):
    factories.ProjectFactory(kind="internal", type="guide", title="Other", state="ready")
    query = query.format(
        owner=stage.owner.uuid,
        lead=stage.engineer.uuid,
        account=stage.account.uuid,
        request=stage.request.uuid,
    )
    found = numbers(api_client(tam), query)
    if "updated_since" in query:
        assert stage.project.number in found
    else:
        assert found == [stage.project.number]


def test_the_list_is_ordered_counted_and_a_file(stage, api_client, tam):
    low = factories.ProjectFactory(score="10.00", title="=Low")
    client = api_client(tam)
    assert numbers(client, "ordering=-score") == [stage.project.number, low.number]
    assert client.get(f"{LIST}?count=true").json()["count"] == 2
    lines = b"".join(client.get(f"{LIST}?format=csv&ordering=number").streaming_content).decode()
    assert stage.project.number in lines
    assert "'=Low" in lines


def test_the_list_takes_as_many_statements_for_many(
    stage, api_client, tam, django_assert_max_num_queries
):
    client = api_client(tam)
    for _ in range(5):
        Stage()
    with django_assert_max_num_queries(8):
        assert len(client.get(LIST).json()["results"]) == 6


def test_anybody_with_a_role_proposes(api_client, tam, de_lead):
    client = api_client(tam)
    answer = post(client, LIST, {**PROPOSAL, "owner": {"email": de_lead.email}})
    assert answer.status_code == 201, answer.json()
    assert answer.json()["state"] == "proposed"
    assert client.get(answer["Location"]).status_code == 200
    assert Notice.objects.filter(to=de_lead, kind="project_moved").exists()


def test_a_proposal_sent_twice_with_one_key_is_one(api_client, tam):
    client = api_client(tam)
    first = post(client, LIST, PROPOSAL, **{"Idempotency-Key": "one"})
    again = post(client, LIST, PROPOSAL, **{"Idempotency-Key": "one"})
    assert again.json()["id"] == first.json()["id"]
    assert again["Idempotency-Replayed"] == "true"
    assert Project.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "sent", "code"),
    [
        ("title", "", "blank"),
        ("title", ["x"], None),
        ("type", "magic", None),
        ("roll_out_on", "soon", None),
        ("owner", str(uuid.UUID(int=7)), "unknown"),
        ("leads", "x", "not_a_list"),
        ("leads", [{"email": "nobody@here.example"}], "unknown"),
        ("accounts", [{"account": str(uuid.uuid4())}], "unknown"),
        ("accounts", [{"seats_low": 1}], "required"),
        ("accounts", [7], "not_an_object"),
        ("requests", [str(uuid.uuid4())], "unknown"),
        ("requests", [[]], None),
        ("stakeholders", [{"kind": "input"}], "person_or_name"),
        ("stakeholders", [{"kind": "king", "name": "A"}], None),
        ("links", ["http://plain.example"], "not_a_link"),
        ("score", "99", "read_only"),
        ("rank", "a0", "unknown"),
    ],
)
def test_what_is_wrong_is_named(field, sent, code, api_client, tam):
    answer = post(api_client(tam), LIST, {**PROPOSAL, field: sent})
    assert answer.status_code == 400
    (found,) = (error for error in answer.json()["errors"] if error["field"] == field)
    assert code is None or found["code"] == code


def test_seats_out_of_order_are_refused(stage, api_client, de_lead):
    one = {"account": str(stage.account.uuid), "seats_low": 5, "seats_likely": 4, "seats_high": 9}
    answer = post(api_client(de_lead), LIST, {**PROPOSAL, "accounts": [one]})
    assert (answer.status_code, list(wrong(answer))) == (400, ["accounts"])


def test_a_charter_changes_by_its_owner_only(stage, api_client):
    client = api_client(stage.owner)
    etag = client.get(f"{LIST}{stage.project.uuid}/")["ETag"]
    body = {
        "objectives": "All plants.",
        "leads": [str(stage.lead.uuid), {"email": stage.engineer.email}],
        "accounts": [
            {
                "account": {
                    "source": stage.account.source,
                    "external_id": stage.account.external_id,
                },
                "seats_low": 1,
                "seats_likely": 2,
                "seats_high": 3,
            }
        ],
        "requests": [],
    }
    assert patch(client, stage.project, body).status_code == 428
    changed = patch(client, stage.project, body, etag)
    assert changed.status_code == 200, changed.json()
    told = changed.json()
    assert (told["objectives"], told["requests"], len(told["leads"])) == ("All plants.", [], 2)
    assert told["accounts"][0]["seats_likely"] == 2
    assert patch(client, stage.project, body, etag).status_code == 412
    refused = patch(api_client(stage.stranger), stage.project, body, changed["ETag"])
    assert refused.status_code == 403
    assert "Only its owner" in refused.json()["detail"]


def test_transitions_say_what_may_happen_and_make_it(stage, api_client):
    url = f"{LIST}{stage.project.uuid}/transitions/"
    client = api_client(stage.lead)
    offered = {each["id"]: each for each in client.get(url).json()["transitions"]}
    assert offered["ready"]["allowed"]
    assert offered["ready"]["blocked"] == []
    assert offered["ready"]["leads_to"] == ["ready"]
    assert {each["name"] for each in offered["ready"]["fields"]} == {"before", "limit_note"}
    made = post(client, url, {"transition": "ready"})
    assert (made.status_code, made.json()["state"]) == (200, "ready")
    scheduled = post(
        client, url, {"transition": "schedule", "increment": str(stage.increment.uuid)}
    )
    assert scheduled.json()["increment"] == str(stage.increment.uuid)
    stage.request.refresh_from_db()
    assert stage.request.state == "scheduled"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"transition": "start"}, 409),
        ({"transition": "fly"}, 400),
        ({"transition": ["ready"]}, 400),
        ({}, 400),
        ({"transition": "ready", "before": "PRJ-999999"}, 400),
        ({"transition": "ready", "before": ["x"]}, 400),
        ({"transition": "ready", "wings": 2}, 400),
        ({"transition": "decline", "code": "x", "alternative": "y"}, 400),
    ],
)
def test_a_move_that_cannot_be_says_why(body, status, stage, api_client):
    answer = post(api_client(stage.lead), f"{LIST}{stage.project.uuid}/transitions/", body)
    assert answer.status_code == status, answer.json()
    stage.project.refresh_from_db()
    assert stage.project.state == "proposed"


def test_a_move_from_a_stale_read_is_refused(stage, api_client):
    url = f"{LIST}{stage.project.uuid}/transitions/"
    sent = {"transition": "ready"}
    stale = f'"{stage.project.uuid}.999"'
    assert post(api_client(stage.lead), url, sent, **{"If-Match": stale}).status_code == 412


def test_who_may_not_asks(stage, api_client):
    url = f"{LIST}{stage.project.uuid}/transitions/"
    client = api_client(stage.stranger)
    assert post(client, url, {"transition": "ready"}).status_code == 403
    asked = post(client, f"{url}ask/", {"transition": "ready", "note": "They wait."})
    assert asked.status_code == 201
    assert post(client, f"{url}ask/", {"transition": "ready"}).status_code == 409
    assert MoveRequest.objects.get().by == stage.stranger
    told = Notice.objects.filter(kind="move_asked").values_list("to", flat=True)
    assert set(told) == {stage.lead.pk, stage.second_lead.pk}


@pytest.mark.parametrize(
    ("method", "scope"), [("get", Scope.REQUEST_READ), ("post", Scope.PROJECT_READ)]
)
def test_a_token_needs_the_scope(method, scope, stage):
    client = token_for(stage.lead, scope)
    answer = client.get(LIST) if method == "get" else post(client, LIST, PROPOSAL)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_a_limited_token_knows_of_its_accounts_projects_only(stage):
    other = Stage()
    Project.objects.filter(pk=stage.project.pk).update(preempted_by=other.project)
    client = token_for(
        stage.lead, Scope.PROJECT_READ, Scope.PROJECT_WRITE, accounts=[stage.account]
    )
    assert numbers(client, "") == [stage.project.number]
    own = client.get(f"{LIST}{stage.project.uuid}/").json()
    assert own["preempted_by"] is None
    url = f"{LIST}{other.project.uuid}/"
    assert client.get(url).status_code == 404
    assert post(client, f"{url}transitions/", {"transition": "ready"}).status_code == 404
    # Nothing may be made, or put, where the token could not see it.
    assert post(client, LIST, PROPOSAL).status_code == 400
    elsewhere = {"accounts": [{"account": str(other.account.uuid)}]}
    etag = client.get(f"{LIST}{stage.project.uuid}/")["ETag"]
    assert patch(client, stage.project, elsewhere, etag).status_code == 400
