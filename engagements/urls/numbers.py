"""How a request is called in an address."""

from django.urls import register_converter
from django.urls.converters import StringConverter


class RequestNumberConverter(StringConverter):
    """`REQ-12` in an address is request 12."""

    regex = "REQ-[1-9][0-9]{0,17}"

    def to_python(self, value: str) -> int:  # type: ignore[override]
        return int(value.removeprefix("REQ-"))

    def to_url(self, value: int) -> str:  # type: ignore[override]
        return f"REQ-{value}"


register_converter(RequestNumberConverter, "request_number")
