"""What drf-spectacular does not know of this API: its errors, its CSV, its sign-in."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from config.lib.problems import MEDIA_TYPE, STANDARD

METHODS = frozenset({"get", "post", "put", "patch", "delete"})
UNSAFE = METHODS - {"get"}
ALWAYS = (400, 401, 403, 404, 406, 429, 503)
ON_WRITES = (409, 412, 413, 415, 428)
DESCRIPTIONS = {
    412: "Someone else wrote in between; the answer carries the ETag stored now.",
    428: "If-Match is missing.",
}
PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457. `code` is stable; `detail` is for people.",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {
                    "field": {"type": ["string", "null"]},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


class KeelSchema(AutoSchema):
    """Adds the parameters a view takes beside those of every list."""

    def get_override_parameters(self) -> list[Any]:
        taken = getattr(self.view, "taken", None)
        return list(taken()) if taken else []

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        return str(super().get_serializer_name(serializer, direction)).removesuffix("Row")

    def get_summary(self) -> str | None:
        noun = getattr(self.view, "noun", "")
        if not noun:
            return None
        return f"List {noun}s" if self._is_list_view() else f"Get one {noun}"


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """`Authorization: Bearer <token>`."""

    target_class = "people.authentication.TokenAuthentication"
    name = "bearer"

    def get_security_definition(self, _auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The cookie of a signed-in person, with the CSRF token on writes."""

    target_class = "people.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, _auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


def add_problems(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """Name on every operation the problems it may answer, and what its CSV is."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    components["responses"] = {
        f"Problem{status}": _problem(status) for status in (*ALWAYS, *ON_WRITES)
    }
    for method, operation in _operations(result):
        responses = operation.setdefault("responses", {})
        for status in (*ALWAYS, *(ON_WRITES if method in UNSAFE else ())):
            responses.setdefault(str(status), {"$ref": f"#/components/responses/Problem{status}"})
        for response in responses.values():
            if "text/csv" in response.get("content", {}):
                response["content"]["text/csv"] = {"schema": {"type": "string"}}
    return result


def _operations(result: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for item in result.get("paths", {}).values():
        for method, operation in item.items():
            if method in METHODS:
                yield method, operation


def _problem(status: int) -> dict[str, Any]:
    return {
        "description": DESCRIPTIONS.get(status) or STANDARD[status].detail,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
