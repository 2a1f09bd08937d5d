"""Parameters of the API. Those of a query are known by name, sent once, and read by a parser."""

import re
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from config.lib.errors import Invalid
from config.lib.values import BadValue, echo

T = TypeVar("T")
D = TypeVar("D")
# U+FFFD is what Django puts in the place of bytes that are not UTF-8.
_UNSAFE = re.compile("[\x00-\x1f\x7f\ufffd]")

DAY = {"type": "string", "format": "date"}
MOMENT = {"type": "string", "format": "date-time"}
AS_OF = OpenApiParameter("as_of", DAY, description="As true on this day.")
KNOWN_AT = OpenApiParameter(
    "known_at", MOMENT, description="By what was known at this moment; now, if left out."
)

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, required=True, description="The ETag last read."
)
IF_MATCH_MAYBE = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The ETag last read, if any."
)
ETAG = OpenApiParameter(
    "ETag", str, OpenApiParameter.HEADER, response=[200, 201], description="For If-Match."
)
LOCATION = OpenApiParameter(
    "Location", {"type": "string", "format": "uri"}, OpenApiParameter.HEADER, response=[201]
)


def check(request: Request, known: Collection[str]) -> None:
    """Raise Invalid for a parameter that is unknown, repeated, empty or unsafe."""
    for name, sent in request.query_params.lists():
        if name not in known:
            raise Invalid("There is no such parameter here.", field=echo(name), code="unknown")
        if len(sent) > 1:
            raise Invalid("Send this parameter once.", field=name, code="repeated")
        if not sent[0].strip():
            raise Invalid("Give a value or leave the parameter out.", field=name, code="empty")
        if _UNSAFE.search(sent[0]):
            raise Invalid("Remove the control characters.", field=name, code="unsafe_character")


def read(request: Request, name: str, parse: Callable[[str], T], default: D) -> T | D:
    """Return the parsed parameter, or the default when it was not sent."""
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        return parse(text)
    except BadValue as bad:
        raise Invalid(bad.detail, field=name, code=bad.code) from bad


def describe(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return the parameter as the OpenAPI document has it."""
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": schema,
    }
