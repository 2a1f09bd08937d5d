"""The id that follows one request through its answer, the log, events and tasks."""

import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import SimpleLazyObject

WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")
SECRET_PARTS = {"key", "token", "uidb36", "uidb64"}
# A link that a customer answers by, also where no view was found for the address.
PUBLIC_LINK = re.compile(r"^/s/(?!receipt/)[^/]+")
QUIET = ("/livez", "/readyz", "/static/")

log = structlog.get_logger("keel.request")


def current_request_id() -> str:
    """The id of the request, or of the request that caused the task, being served; or ""."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


class RequestIdMiddleware:
    """Keeps a well-formed X-Request-ID or makes one, answers it, and logs one line a request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if WELL_FORMED.fullmatch(given) else uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        response = self.get_response(request)
        response.headers["X-Request-ID"] = request_id
        line = log.debug if request.path.startswith(QUIET) else log.info
        line(
            "request",
            method=request.method,
            path=path_without_secrets(request),
            status=response.status_code,
            ms=round((time.perf_counter() - started) * 1000),
            user=_user_known_so_far(request),
        )
        return response


def path_without_secrets(request: HttpRequest) -> str:
    """The path, never the query; one-time keys that stand in a path are left out."""
    path = request.path
    match = request.resolver_match
    for name, value in (match.kwargs if match else {}).items():
        if name in SECRET_PARTS and value:
            path = path.replace(str(value), f"<{name}>")
    return PUBLIC_LINK.sub("/s/<token>", path)


def _user_known_so_far(request: HttpRequest) -> int | None:
    # Never loads the user: a line in the log is not worth a query, which might fail besides.
    user = request.__dict__.get("user")
    if isinstance(user, SimpleLazyObject):
        user = request.__dict__.get("_cached_user")
    return getattr(user, "pk", None)
