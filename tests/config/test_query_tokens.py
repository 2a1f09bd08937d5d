import pytest
from django.http import HttpResponse

from config.lib import query_tokens
from config.lib.query_tokens import QueryTokenMiddleware

TOKEN = "keel_0123456789ab_" + "x" * 43


@pytest.fixture
def leaked(monkeypatch):
    seen = []
    monkeypatch.setattr(query_tokens, "_handlers", [seen.append])
    return seen


def answer(request):
    return QueryTokenMiddleware(lambda _request: HttpResponse("passed"))(request)


@pytest.mark.parametrize("name", ["token", "access_token", "api_key", "Token", "authorization"])
def test_a_token_in_the_address_is_refused_and_reported(rf, leaked, name):
    response = answer(rf.get("/api/v1/accounts/", {name: TOKEN}))
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert b"Authorization header" in response.content
    assert TOKEN.encode() not in response.content
    assert leaked == [TOKEN]


def test_all_of_them_are(rf, leaked):
    answer(rf.get("/api/v1/x/?token=a&token=b&api_key=c"))
    assert leaked == ["a", "b", "c"]


@pytest.mark.parametrize("path", ["/api/v1/accounts/?name=token", "/api/v1/accounts/", "/?token=x"])
def test_other_requests_pass(rf, leaked, path):
    assert answer(rf.get(path)).content == b"passed"
    assert leaked == []


@pytest.mark.django_db
def test_a_token_of_ours_is_revoked(client, api_client, tam):
    secret = api_client(tam)._credentials["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    headers = {"authorization": f"Bearer {secret}"}
    assert client.get("/api/v1/accounts/", headers=headers).status_code == 200
    assert client.get("/api/v1/accounts/", {"access_token": secret}).status_code == 400
    assert client.get("/api/v1/accounts/", headers=headers).status_code == 401
    assert client.get("/api/v1/accounts/", {"access_token": "nobody's"}).status_code == 400
