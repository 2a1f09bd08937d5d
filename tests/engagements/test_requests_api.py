"""Requests over the API: filed, read, changed, moved; per role, scope, guard and limit."""

import uuid

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from engagements.models import ServiceRequest
from events.models import MoveRequest
from people import services
from people.models import Scope
from tests.engagements.test_drafts import WHOLE
from tests.factories import (
    AccountFactory,
    AssignmentFactory,
    ContactFactory,
    ServiceRequestFactory,
)

pytestmark = pytest.mark.django_db
LIST = "/api/v1/service-requests/"


@pytest.fixture
def own(tam):
    account = AccountFactory()
    AssignmentFactory(account=account, user=tam, role="TAM")
    return account


@pytest.fixture
def api(api_client, tam):
    return api_client(tam)


def post(client, url, body, **headers):
    return client.post(url, body, format="json", headers=headers)


def patch(client, request, body, etag=None):
    headers = {"If-Match": etag} if etag else {}
    return client.patch(f"{LIST}{request['id']}/", body, format="json", headers=headers)


def moves(client, request):
    answer = client.get(f"{LIST}{request.uuid}/transitions/")
    assert answer.status_code == 200
    return {each["id"]: each for each in answer.json()["transitions"]}


def fields(answer):
    return {error["field"]: error["code"] for error in answer.json()["errors"]}


@pytest.fixture
def draft(api, own):
    answer = post(api, LIST, {"account": str(own.uuid), "title": "SAML"})
    assert answer.status_code == 201
    return answer


def test_a_draft_is_filed_read_and_changed(api, own, draft):
    told = draft.json()
    assert (told["state"], told["came_by"], told["version"]) == ("draft", "api", 1)
    assert told["account"] == str(own.uuid)
    assert told["number"].startswith("REQ-")
    assert draft["Location"].endswith(f"{LIST}{told['id']}/")

    links = ["https://acme.zendesk.com/agent/tickets/4"]
    answer = patch(api, told, {"links": links, "critical": False, "seats_low": 5}, draft["ETag"])
    assert answer.status_code == 200
    assert answer["ETag"] == f'"{told["id"]}.2"'
    assert answer.json()["links"] == [{"kind": "zendesk", "url": links[0]}]
    read = api.get(f"{LIST}{told['id']}/")
    assert (read.json(), read["ETag"]) == (answer.json(), answer["ETag"])
    cleared = patch(api, told, {"critical": None, "title": ""}, answer["ETag"]).json()
    assert (cleared["critical"], cleared["title"], cleared["seats_low"]) == (None, "", 5)


def test_a_change_says_which_version_it_was_made_from(api, draft):
    told = draft.json()
    assert patch(api, told, {"title": "Other"}).status_code == 428
    stale = patch(api, told, {"title": "Other"}, f'"{told["id"]}.7"')
    assert stale.status_code == 412
    assert stale["ETag"] == draft["ETag"]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"type": "odd"}, {"type": "not_a_choice"}),
        ({"needed_by": "soon", "seats_low": "5"},
         {"needed_by": "not_a_date", "seats_low": "not_an_integer"}),
        ({"seats_low": 5, "seats_high": 4}, {"seats_high": "out_of_order"}),
        ({"links": ["http://a.example"]}, {"links": "not_a_link"}),
        ({"links": [f"https://a.example/{n}" for n in range(11)]}, {"links": "too_many"}),
        ({"critical": "yes"}, {"critical": "not_a_boolean"}),
        ({"title": "x" * 201}, {"title": "max_length"}),
        ({"account": str(uuid.uuid4())}, {"account": "unknown"}),
        ({"contact": str(uuid.uuid4())}, {"contact": "no_account"}),
        ({"state": "closed"}, {"state": "read_only"}),
        ({"frob": 1}, {"frob": "unknown"}),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_nothing_is_kept(api, body, wrong):
    answer = post(api, LIST, {"title": "SAML", **body})
    assert (answer.status_code, fields(answer)) == (400, wrong)
    assert not ServiceRequest.objects.exists()


def test_filed_and_sent_in_one(api, own):
    body = {**WHOLE, "account": {"source": own.source, "external_id": own.external_id}}
    answer = post(api, LIST, {**body, "submit": True})
    assert answer.status_code == 201
    assert answer.json()["state"] != "draft"
    assert answer.json()["submitted_at"]

    short = post(api, LIST, {"account": str(own.uuid), "title": "SAML", "submit": True})
    assert short.status_code == 400
    assert {"type", "outcome", "problem"} <= fields(short).keys()
    assert fields(post(api, LIST, {})) == {"title": "required"}
    assert ServiceRequest.objects.count() == 1


def test_the_same_key_files_once(api, own):
    body = {**WHOLE, "account": str(own.uuid), "submit": True}
    first = post(api, LIST, body, **{"Idempotency-Key": "one"})
    again = post(api, LIST, body, **{"Idempotency-Key": "one"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert ServiceRequest.objects.count() == 1
    assert post(api, LIST, {"title": "x"}, **{"Idempotency-Key": "one"}).status_code == 422


@pytest.mark.parametrize("role", ["de_engineer", "de_lead", "leadership", "administrator"])
def test_who_files_no_requests_is_told_who_does(api_client, person, role):
    answer = post(api_client(person(role)), LIST, {"title": "SAML"})
    assert answer.status_code == 403
    assert answer.json()["detail"] == "Only TAMs, CSMs, CREs, AEs and SAs can file requests."


def test_a_token_needs_the_scope(api_client, tam, own):
    reader = api_client(tam, "request:read")
    assert reader.get(LIST).status_code == 200
    assert post(reader, LIST, {}).status_code == 403
    request = ServiceRequestFactory(filed_by=tam)
    url = f"{LIST}{request.uuid}/transitions/"
    assert reader.get(url).status_code == 200
    assert post(reader, url, {"transition": "submit"}).status_code == 403
    assert api_client(tam, "account:read").get(LIST).status_code == 403
    assert api_client().get(LIST).status_code == 401


def test_drafts_of_others_are_not_there(api_client, person, draft):
    told = draft.json()
    other = api_client(person("tam", "de_lead"))
    assert other.get(LIST).json()["results"] == []
    assert other.get(f"{LIST}{told['id']}/").status_code == 404
    assert other.get(f"{LIST}{told['id']}/transitions/").status_code == 404
    assert patch(other, told, {"title": "Mine"}, draft["ETag"]).status_code == 404
    assert (
        post(other, f"{LIST}{told['id']}/transitions/", {"transition": "submit"}).status_code == 404
    )


def test_what_was_sent_keeps_its_answers(api_client, api, tam, person):
    mine = ServiceRequestFactory(filed_by=tam, state="triaged")
    told = api.get(f"{LIST}{mine.uuid}/")
    late = patch(api, told.json(), {"title": "Other"}, told["ETag"])
    assert (late.status_code, late.json()["code"]) == (409, "not_a_draft")
    refused = patch(api_client(person("csm")), told.json(), {"title": "Other"}, told["ETag"])
    assert refused.status_code == 403


def test_a_limited_token_reaches_its_accounts_only(tam, own):
    limited = _limited(tam, own)
    outside = ServiceRequestFactory(filed_by=tam)
    homeless = ServiceRequestFactory(filed_by=tam, account=None)
    inside = ServiceRequestFactory(filed_by=tam, account=own)
    assert [row["id"] for row in limited.get(LIST).json()["results"]] == [str(inside.uuid)]
    for each in (outside, homeless):
        assert limited.get(f"{LIST}{each.uuid}/").status_code == 404
        url = f"{LIST}{each.uuid}/transitions/"
        assert post(limited, url, {"transition": "submit"}).status_code == 404
    assert fields(post(limited, LIST, {"title": "SAML"})) == {"account": "required"}
    elsewhere = {"title": "SAML", "account": str(outside.account.uuid)}
    assert fields(post(limited, LIST, elsewhere)) == {"account": "unknown"}
    here = {"title": "SAML", "account": str(own.uuid)}
    assert post(limited, LIST, here).status_code == 201


def _limited(owner, account):
    _, secret = services.create_token(
        owner=owner, name="Limited", scopes=Scope.values, days=30, by=owner, at=timezone.now(),
        accounts=[account.number],
    )  # fmt: skip
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def test_the_contact_is_for_who_may_see_it(api_client, person, tam, own):
    contact = ContactFactory(account=own)
    request = ServiceRequestFactory(account=own, contact=contact, state="triaged")
    AssignmentFactory(account=own, user=(csm := person("csm")), role="CSM")
    for user in (csm, tam, person("de_lead"), person("leadership")):
        assert api_client(user).get(f"{LIST}{request.uuid}/").json()["contact"] == str(contact.uuid)
    for user in (person("tam"), person("de_engineer"), person("product_leadership")):
        client = api_client(user)
        assert client.get(f"{LIST}{request.uuid}/").json()["contact"] is None
        assert [row["contact"] for row in client.get(LIST).json()["results"]] == [None]
        assert str(contact.uuid) not in client.get(f"{LIST}?format=csv").getvalue().decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=triaged", [0]), ("state__in=triaged,closed", [1, 0]), ("type=one_off", [1, 0]),
        ("type=support", []), ("impact=1", [0]), ("impact__lte=2", [0]), ("search=frankfurt", [1]),
        ("ordering=number", [0, 1]), ("fast_path=true", []), ("owner=de", []),
        ("submitted_at__isnull=true", [1, 0]), ("updated_since=2000-01-01T00:00:00Z", [1, 0]),
        ("updated_since=2099-01-01T00:00:00Z", []), ("count=true&page_size=1", [1]),
    ],
)  # fmt: skip
def test_lists_are_filtered_searched_and_ordered(api, query, found):
    both = [
        ServiceRequestFactory(title="SAML", state="triaged", impact=1),
        ServiceRequestFactory(title="Move to Frankfurt", state="closed"),
    ]
    answer = api.get(f"{LIST}?{query}")
    assert [row["id"] for row in answer.json()["results"]] == [str(both[n].uuid) for n in found]


def test_lists_are_filtered_by_account_and_people(api):
    one, other = ServiceRequestFactory(state="triaged"), ServiceRequestFactory(state="triaged")
    for query in (f"account={one.account.uuid}", f"filed_by={one.filed_by.uuid}"):
        rows = api.get(f"{LIST}?{query}").json()["results"]
        assert [row["id"] for row in rows] == [str(one.uuid)]
    assert api.get(f"{LIST}?frob=1").status_code == 400
    assert api.get(f"{LIST}?state=odd").status_code == 400
    csv = api.get(f"{LIST}?format=csv").getvalue().decode()
    assert other.title in csv


def test_a_list_costs_the_same_whatever_is_in_it(api, own, django_assert_max_num_queries):
    for _ in range(3):
        ServiceRequestFactory(account=own, contact=ContactFactory(account=own), state="triaged")
    with django_assert_max_num_queries(8):
        assert len(api.get(LIST).json()["results"]) == 3


def test_what_may_happen_next_is_said_with_why_not(api, draft):
    request = ServiceRequest.objects.get()
    offered = moves(api, request)
    submit = offered["submit"]
    assert submit["allowed"] is True
    assert [block["code"] for block in submit["blocked"]] == ["complete"]
    assert "Select what the customer is asking for." in submit["blocked"][0]["detail"]
    assert submit["leads_to"] == ["submitted"]
    cancel = offered["cancel"]
    assert (cancel["blocked"], cancel["fields"][0]["kind"]) == ([], "choice")
    assert {"value", "label"} == cancel["fields"][0]["choices"][0].keys()


def test_who_may_not_sees_who_may_and_no_choices(api, de_lead, api_client):
    request = ServiceRequestFactory(state="submitted")
    take = moves(api, request)["take"]
    assert (take["allowed"], take["can_ask"]) == (False, True)
    assert take["who_may"] == "Only DE leads, and the router itself, can do this."
    assert all(field["choices"] is None for field in take["fields"])
    impact = moves(api_client(de_lead), request)["take"]["fields"][0]
    assert impact["choices"][0] == {"value": 1, "label": "Highest"}


def test_moves_are_made_as_the_choices_say(api_client, de_lead):
    request = ServiceRequestFactory(state="submitted")
    url = f"{LIST}{request.uuid}/transitions/"
    client = api_client(de_lead)
    etag = client.get(url)["ETag"]
    answer = post(client, url, {"transition": "take", "impact": 1, "effort": "low"})
    assert (answer.status_code, answer.json()["state"], answer.json()["impact"]) == (
        200, "sow_drafting", 1,
    )  # fmt: skip
    assert answer["ETag"] != etag
    stale = post(client, url, {"transition": "route_out"}, **{"If-Match": etag})
    assert (stale.status_code, stale["ETag"]) == (412, answer["ETag"])


def test_a_move_that_is_blocked_names_its_guards(api, draft):
    url = f"{LIST}{draft.json()['id']}/transitions/"
    answer = post(api, url, {"transition": "submit"})
    assert (answer.status_code, answer.json()["code"]) == (409, "blocked")
    assert [guard["code"] for guard in answer.json()["guards"]] == ["complete"]
    assert answer.json()["transition"] == "submit"
    wrong_state = post(api, url, {"transition": "appeal", "reason": "Because."})
    assert [guard["code"] for guard in wrong_state.json()["guards"]] == ["wrong_state"]


def test_a_move_that_is_not_for_one_says_for_whom(api, own):
    request = ServiceRequestFactory(account=own, state="submitted")
    answer = post(api, f"{LIST}{request.uuid}/transitions/", {"transition": "take"})
    assert answer.status_code == 403
    assert answer.json()["detail"] == "Only DE leads, and the router itself, can do this."
    request.refresh_from_db()
    assert request.state == "submitted"


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"transition": "required"}),
        ({"transition": "frob"}, {"transition": "unknown_transition"}),
        ({"transition": 7}, {"transition": "not_a_string"}),
        ({"transition": "take", "impact": "1"}, {"impact": "not_an_integer"}),
        ({"transition": "take", "frob": 1}, {"frob": "unknown"}),
        ({"transition": "route_out"}, {"reason": "required", "owner": "required"}),
        ({"transition": "route_out", "reason": 7, "owner": "rd"}, {"reason": "not_a_string"}),
        ({"transition": "route_out", "reason": "x" * 4001, "owner": "rd"},
         {"reason": "max_length"}),
        ({"transition": "route_out", "reason": "R", "owner": {"a": [1]}},
         {"owner": "not_a_string"}),
    ],
)  # fmt: skip
def test_what_a_move_lacks_is_named(api_client, de_lead, body, wrong):
    request = ServiceRequestFactory(state="submitted")
    answer = post(api_client(de_lead), f"{LIST}{request.uuid}/transitions/", body)
    assert (answer.status_code, fields(answer)) == (400, wrong)


def test_a_key_moves_once(api_client, de_lead):
    request = ServiceRequestFactory(state="submitted")
    url, client = f"{LIST}{request.uuid}/transitions/", api_client(de_lead)
    key = {"Idempotency-Key": "one"}
    first = post(client, url, {"transition": "take"}, **key)
    assert post(client, url, {"transition": "take"}, **key).json() == first.json()
    assert post(client, url, {"transition": "take"}).status_code == 409


def test_those_who_may_are_asked_for_a_move(api, own, api_client, de_lead):
    request = ServiceRequestFactory(account=own, state="submitted")
    url = f"{LIST}{request.uuid}/transitions/ask/"
    answer = post(api, url, {"transition": "take", "note": "It is urgent."})
    assert answer.status_code == 201
    asked = MoveRequest.objects.get()
    assert answer.json() == {
        "id": str(asked.uuid), "transition": "take", "note": "It is urgent.",
        "at": answer.json()["at"],
    }  # fmt: skip
    assert post(api, url, {"transition": "take"}).json()["code"] == "asked"
    assert post(api_client(de_lead), url, {"transition": "take"}).json()["code"] == "may_do"
    assert fields(post(api, url, {"transition": "frob"})) == {"transition": "unknown_transition"}
    assert fields(post(api, url, {})) == {"transition": "required"}


def test_no_token_signs_off(api, own, tam):
    request = ServiceRequestFactory(account=own, filed_by=tam, state="awaiting_signoff")
    sign = post(api, f"{LIST}{request.uuid}/transitions/", {"transition": "sign"})
    assert sign.status_code in {403, 409}
    request.refresh_from_db()
    assert request.state == "awaiting_signoff"


def test_signed_in_people_use_it_too(login, tam, own):
    client = login(tam)
    body = {"title": "SAML", "account": str(own.uuid)}
    answer = client.post(LIST, body, content_type="application/json")
    assert answer.status_code == 201


def test_unknown_ids_are_not_there(api):
    for path in ("", "transitions/"):
        assert api.get(f"{LIST}{uuid.uuid4()}/{path}").status_code == 404
