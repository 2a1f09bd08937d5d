"""What drf-spectacular does not know of this API: its errors, its CSV, its sign-in."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
)
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from config.lib.problems import MEDIA_TYPE, STANDARD

METHODS = frozenset({"get", "post", "put", "patch", "delete"})
UNSAFE = METHODS - {"get"}
ALWAYS = (400, 401, 403, 404, 406, 429, 503)
ON_WRITES = (409, 413, 415)
# Where a write says which version it was made from, or may, or must.
STALE = 412
UNCONDITIONAL = 428
IF_MATCH = "If-Match"
BULK = "/bulk/"
BULK_MAX = 5_000
SUMMARIES = {
    "create": "Create one {noun}",
    "update": "Replace one {noun}",
    "partial_update": "Change one {noun}",
    "by_external_id": "Create or update one {noun} by another system's id",
    "bulk": "Create or update many {noun}s",
}
WITH_KEY = (422,)
KEY = "Idempotency-Key"
DESCRIPTIONS = {
    412: "Someone else wrote in between; the answer carries the ETag stored now.",
    422: "Another request was sent with this Idempotency-Key.",
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

REFERENCES: dict[str, Any] = {
    "OuterId": {
        "type": "object",
        "description": "How another system knows a record.",
        "required": ["source", "external_id"],
        "additionalProperties": False,
        "properties": {
            "source": {"type": "string", "pattern": r"^[a-z0-9][a-z0-9_.-]{0,59}$"},
            "external_id": {"type": "string", "minLength": 1, "maxLength": 120},
        },
    },
    "Address": {
        "type": "object",
        "description": "One of us, by the e-mail address.",
        "required": ["email"],
        "additionalProperties": False,
        "properties": {"email": {"type": "string", "maxLength": 254}},
    },
}


class KeelSchema(AutoSchema):
    """Adds the parameters a view takes beside those of every list."""

    def get_override_parameters(self) -> list[Any]:
        taken = getattr(self.view, "taken", None)
        told = getattr(self.view, "headers_told", None)
        return [*(taken() if taken else ()), *self._key(), *(told() if told else ())]

    def get_request_serializer(self) -> Any:
        bodies = getattr(self.view, "bodies", None)
        body = bodies().get(getattr(self.view, "action", "")) if bodies else None
        return body or super().get_request_serializer()

    def get_response_serializers(self) -> Any:
        told = getattr(self.view, "answers_told", None)
        return (told() if told else None) or super().get_response_serializers()

    def _key(self) -> list[OpenApiParameter]:
        """Describe the header that lets a POST have one effect: people.writing."""
        view: Any = self.view
        needed = getattr(view, "key_needed", None)
        if needed is None or self.method != "POST":
            return []
        text = "A value of your own, such as a new UUID. Sent again with it, the same is answered."
        return [
            OpenApiParameter(
                KEY,
                {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
                OpenApiParameter.HEADER,
                required=getattr(view, "action", "post") in needed,
                description=text,
            )
        ]

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        return str(super().get_serializer_name(serializer, direction)).removesuffix("Row")

    def get_summary(self) -> str | None:
        noun = getattr(self.view, "noun", "")
        if not noun:
            return None
        action = getattr(self.view, "action", "")
        if written := SUMMARIES.get(action or ""):
            return written.format(noun=noun)
        return f"List {noun}s" if self._is_list_view() else f"Get one {noun}"


class ClosedBody(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """A body of a write takes no other fields than its own."""

    target_class = "config.lib.bodies.WriteBody"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Any:
        schema = auto_schema._map_serializer(  # noqa: SLF001 -- as drf-spectacular documents it
            self.target, direction, bypass_extensions=True
        )
        return {**schema, "additionalProperties": False}


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
    components["schemas"] |= REFERENCES
    components["responses"] = {
        f"Problem{status}": _problem(status)
        for status in (*ALWAYS, *ON_WRITES, STALE, UNCONDITIONAL, *WITH_KEY)
    }
    for path, method, operation in _operations(result):
        if "requestBody" in operation:
            operation["requestBody"]["required"] = True
        if path.endswith(BULK) and method == "post":
            _take_lists(operation, components["schemas"])
        responses = operation.setdefault("responses", {})
        for status in (*ALWAYS, *_on_writes(path, method, operation)):
            responses.setdefault(str(status), {"$ref": f"#/components/responses/Problem{status}"})
        for response in responses.values():
            if "text/csv" in response.get("content", {}):
                response["content"]["text/csv"] = {"schema": {"type": "string"}}
    return result


def _on_writes(path: str, method: str, operation: dict[str, Any]) -> Iterator[int]:
    """Yield the statuses of problems that only this kind of write has."""
    if method not in UNSAFE:
        return
    yield from ON_WRITES
    sent = {each["name"]: each["required"] for each in _headers(operation)}
    if IF_MATCH in sent or path.endswith(BULK):
        yield STALE
    if sent.get(IF_MATCH):
        yield UNCONDITIONAL
    if KEY in sent:
        yield from WITH_KEY


def _headers(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "header":
            yield {"required": False, **parameter}


def _take_lists(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Say that a bulk call takes the list itself, or an object that holds it."""
    content = operation["requestBody"]["content"]["application/json"]
    name = content["schema"]["$ref"].rpartition("/")[2]
    items = schemas[name]["properties"]["items"]
    items |= {"minItems": 1, "maxItems": BULK_MAX}
    content["schema"] = {"oneOf": [{"$ref": content["schema"]["$ref"]}, dict(items)]}


def _operations(result: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in result.get("paths", {}).items():
        for method, operation in item.items():
            if method in METHODS:
                yield path, method, operation


def _problem(status: int) -> dict[str, Any]:
    return {
        "description": DESCRIPTIONS.get(status) or STANDARD[status].detail,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
