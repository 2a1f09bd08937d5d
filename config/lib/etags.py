"""Strong ETags from an id and a version, and the conditions clients put on them."""

import re
import uuid
from typing import Any

from django.http import HttpRequest

from config.lib.errors import PreconditionRequired, StaleWrite
from config.lib.values import BadValue

_ETAGS = re.compile(r'\s*(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*')


def etag_of(public_id: uuid.UUID, version: int) -> str:
    return f'"{public_id}.{version}"'


def unchanged(request: HttpRequest, etag: str) -> bool:
    """Whether If-None-Match names what is stored, so that 304 is the answer."""
    sent = _tags(request.headers.get("If-None-Match", ""), "If-None-Match")
    return sent == ["*"] or etag in [tag.removeprefix("W/") for tag in sent]


def require_match(request: HttpRequest, etag: str) -> None:
    """Let a write pass only if it was made from what is stored.

    Raises PreconditionRequired (428) without If-Match, StaleWrite (412) when it names
    another version. Call it with the row locked.
    """
    sent = request.headers.get("If-Match")
    if sent is None:
        raise PreconditionRequired
    tags = _tags(sent, "If-Match")
    if tags != ["*"] and etag not in tags:
        raise StaleWrite(etag=etag)


def _tags(text: str, name: str) -> list[str]:
    if text.strip() in {"", "*"}:
        return [text.strip()] if text.strip() else []
    tags = text.split(",")
    if not all(_ETAGS.fullmatch(tag) for tag in tags):
        raise BadValue("bad_etag", f"Write {name} as the ETag was answered, with its quotes.")
    return [tag.strip() for tag in tags]


def version_asked(request: HttpRequest, one: Any) -> int | None:
    """Return the version that If-Match asks for, where it does. Raises as `require_match` does."""
    if "If-Match" not in request.headers:
        return None
    require_match(request, etag_of(one.uuid, one.version))
    version: int = one.version
    return version
