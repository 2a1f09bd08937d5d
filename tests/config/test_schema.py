import io
import re

import pytest
import yaml
from django.core.management import call_command

from config import api
from config.lib.schema import PROBLEM_SCHEMA


@pytest.fixture(scope="module")
def document():
    """The document as generators of clients read it; warnings and schema errors raise."""
    text = io.StringIO()
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=text)
    return yaml.safe_load(text.getvalue())


def operations(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method} {path}", operation


def test_is_openapi_3_1(document):
    assert document["openapi"] == "3.1.1"


def test_has_every_route_of_the_api(document):
    routes = {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(pattern.pattern))
        for pattern in (*api.router.urls, *api.urlpatterns)
        if getattr(pattern, "name", None) not in {None, "schema", "docs"}
    }
    assert {path.removeprefix("/api/v1/") for path in document["paths"]} == routes


def test_every_operation_names_its_problems_and_its_sign_in(document):
    for name, operation in operations(document):
        assert operation["responses"].keys() >= {"400", "401", "403", "404", "429"}, name
        assert {"bearer": []} in operation["security"], name
        assert operation["description"], name
    schemes = document["components"]["securitySchemes"]
    assert schemes["bearer"] == {"type": "http", "scheme": "bearer"}
    for response in document["components"]["responses"].values():
        assert list(response["content"]) == ["application/problem+json"]


def test_ids_of_operations_are_unique(document):
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids))


def test_lists_take_cursors_and_come_as_csv(document):
    operation = document["paths"]["/api/v1/accounts/"]["get"]
    names = {parameter["name"] for parameter in operation["parameters"]}
    assert names >= {
        "cursor",
        "page_size",
        "count",
        "format",
        "ordering",
        "search",
        "updated_since",
        "as_of",
        "known_at",
        "arr__gte",
        "status__in",
    }
    assert operation["responses"]["200"]["content"]["text/csv"] == {"schema": {"type": "string"}}


def test_a_problem_looks_as_described(client):
    body = client.get("/api/v1/accounts/").json()
    assert body.keys() == set(PROBLEM_SCHEMA["required"])


class TestServed:
    @pytest.mark.parametrize("path", ["schema", "docs"])
    def test_not_to_strangers(self, client, db, path):
        response = client.get(f"/api/v1/{path}/")
        assert response.status_code == (302 if path == "docs" else 401)

    def test_to_programs(self, api_client, tam):
        response = api_client(tam, "metrics:read").get("/api/v1/schema/?format=json")
        assert response.status_code == 200
        assert response.json()["info"]["title"] == "Keel"

    def test_to_people_with_nothing_inline(self, login, tam):
        browser = login(tam)
        page = browser.get("/api/v1/docs/").content.decode()
        assert "<style" not in page
        assert "style=" not in page
        assert not re.search(r"<script(?![^>]*\ssrc=)", page)
        sources = re.findall(r'(?:src|href)="([^"]+)"', page)
        assert sources
        assert all(source.startswith("/") for source in sources)
        script = browser.get("/api/v1/docs/?script=")
        assert script["Content-Type"] == "application/javascript"
