"""Every error of the API as `application/problem+json` (RFC 9457).

`type`, `title` and `status` follow from the status, `code` is the stable word for
programs, `detail` one or two sentences for people, `errors` names the fields at fault.
"""

import logging
import math
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    ValidationError,
)
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse, UnreadablePostError
from rest_framework import exceptions

from config.lib.errors import DomainError, Invalid, StaleWrite, Unavailable
from config.lib.request_id import current_request_id
from config.lib.values import BadValue

MEDIA_TYPE = "application/problem+json"
RETRY_SOON = 5
FIELD_MAX = 80
NOT_IN_DATABASE = (OperationalError, InterfaceError)
# The same words whether a token is unknown, expired or revoked, or none was sent.
UNAUTHENTICATED = "Sign in or send a valid token."

log = logging.getLogger(__name__)


class FieldError(NamedTuple):
    """What is wrong with one field; dots lead into lists and objects (`items.3.seats`)."""

    field: str | None
    code: str
    detail: str


class Standard(NamedTuple):
    code: str
    detail: str


STANDARD = {
    400: Standard("bad_request", "The request could not be understood."),
    401: Standard("unauthenticated", UNAUTHENTICATED),
    403: Standard("forbidden", "You may not do this."),
    404: Standard("not_found", "There is nothing at this address."),
    405: Standard("method_not_allowed", "This method is not possible here."),
    406: Standard("not_acceptable", "Ask for application/json or for text/csv."),
    409: Standard("conflict", "This clashes with what is stored. Read it again and retry."),
    413: Standard("too_large", "The request is too large."),
    415: Standard("unsupported_media_type", "Send JSON with Content-Type application/json."),
    429: Standard("too_many_requests", "Too many requests. Wait a little and try again."),
    500: Standard(
        "internal_error",
        "Something went wrong on our side and was recorded. Nothing was saved.",
    ),
    503: Standard("unavailable", Unavailable.default_message),
}


def is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def problem_response(
    status: int,
    *,
    code: str = "",
    detail: str = "",
    errors: Iterable[FieldError] = (),
    headers: Mapping[str, str] | None = None,
    details: Mapping[str, Any] | None = None,
) -> JsonResponse:
    """Answer a problem; code and detail default to those of the status."""
    standard = STANDARD.get(status, STANDARD[400])
    code = code or standard.code
    body: dict[str, Any] = {
        **(details or {}),
        "type": f"urn:keel:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail or standard.detail,
        "code": code,
        "request_id": current_request_id(),
    }
    if listed := [error._asdict() for error in errors]:
        body["errors"] = listed
    response = JsonResponse(body, status=status, content_type=MEDIA_TYPE)
    response["Cache-Control"] = "no-store"
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = "Bearer"
    for name, value in (headers or {}).items():
        response[name] = value
    return response


def exception_handler(error: Exception, _context: Any) -> JsonResponse | None:
    """Answer what a view raised; None for what nobody foresaw, which becomes a 500."""
    return response_for(error)


def response_for(error: Exception) -> JsonResponse | None:
    if isinstance(error, DomainError):
        return _domain(error)
    if isinstance(error, exceptions.APIException):
        return _api(error)
    if isinstance(error, ValidationError | BadValue):
        return invalid(_flat(error))
    for kinds, status in _BY_KIND:
        if isinstance(error, kinds):
            if status in _WORTH_A_LOOK:
                log.warning("Answered %s for %r", status, type(error), exc_info=error)
            return problem_response(status, detail=_own_words(error), headers=_later(status))
    return None


def invalid(errors: Iterable[FieldError]) -> JsonResponse:
    listed = list(errors)
    named = [error for error in listed if error.field]
    detail = "Some of the input is not valid. Correct the fields named and send it again."
    if len(listed) == 1:
        detail = listed[0].detail
        if named:
            detail = f"{listed[0].field}: {detail}"
    return problem_response(400, code="invalid", detail=detail, errors=listed)


_BY_KIND: tuple[tuple[type[Exception] | tuple[type[Exception], ...], int], ...] = (
    (Http404, 404),
    (PermissionDenied, 403),
    (NOT_IN_DATABASE, 503),
    (RequestDataTooBig, 413),
    ((TooManyFieldsSent, SuspiciousOperation, UnreadablePostError), 400),
    (IntegrityError, 409),
    (DataError, 400),
)
# What strict fields and locks should have caught earlier.
_WORTH_A_LOOK = {400, 409, 503}


def _own_words(error: Exception) -> str:
    """Only our own refusals say why; other exceptions' texts are for the log."""
    return str(error) if isinstance(error, PermissionDenied) else ""


def _later(status: int) -> dict[str, str]:
    return {"Retry-After": str(RETRY_SOON)} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}


def _domain(error: DomainError) -> JsonResponse:
    headers = _later(error.status)
    errors: list[FieldError] = []
    if error.retry_after:
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, StaleWrite) and error.etag:
        headers["ETag"] = error.etag
    if isinstance(error, Invalid) and error.field:
        errors.append(FieldError(error.field, error.code, error.message))
    return problem_response(
        error.status,
        code=error.code,
        detail=error.message,
        errors=errors,
        headers=headers,
        details=error.details,
    )


def _api(error: exceptions.APIException) -> JsonResponse:
    if isinstance(error, exceptions.ValidationError):
        return invalid(_flat(error))
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return problem_response(401)
    headers = {}
    if isinstance(error, exceptions.Throttled):
        headers["Retry-After"] = str(math.ceil(getattr(error, "wait", None) or RETRY_SOON))
        return problem_response(429, headers=headers)
    status = error.status_code
    known = STANDARD.get(status)
    own = str(error.detail) != str(error.default_detail) and not isinstance(
        error,
        exceptions.MethodNotAllowed | exceptions.NotAcceptable | exceptions.UnsupportedMediaType,
    )
    codes = error.get_codes()
    return problem_response(
        status,
        code=codes if own and isinstance(codes, str) and codes != error.default_code else "",
        detail=str(error.detail) if own or known is None else "",
    )


def _flat(error: Any, path: tuple[str, ...] = ()) -> list[FieldError]:
    """List the errors of nested DRF and Django validation errors with dotted paths."""
    if isinstance(error, BadValue):
        return [FieldError(_dotted(path), error.code, error.detail)]
    if isinstance(error, ValidationError):
        return _flat_django(error, path)
    if isinstance(error, exceptions.ValidationError):
        return _flat(error.detail, path)
    if isinstance(error, Mapping):
        return [
            item
            for name, inner in error.items()
            for item in _flat(inner, path if _whole(name) else (*path, str(name)))
        ]
    if isinstance(error, list | tuple):
        nested = any(isinstance(inner, Mapping | list) for inner in error)
        return [
            item
            for index, inner in enumerate(error)
            for item in _flat(inner, (*path, str(index)) if nested else path)
        ]
    return [FieldError(_dotted(path), getattr(error, "code", None) or "invalid", str(error))]


def _flat_django(error: ValidationError, path: tuple[str, ...]) -> list[FieldError]:
    if hasattr(error, "error_dict"):
        return _flat(error.error_dict, path)
    if len(error.error_list) > 1 or error.error_list[0] is not error:
        return [item for inner in error.error_list for item in _flat_django(inner, path)]
    return [FieldError(_dotted(path), error.code or "invalid", " ".join(error.messages))]


def _whole(name: object) -> bool:
    return name in {"non_field_errors", "__all__"}


def _dotted(path: tuple[str, ...]) -> str | None:
    return ".".join(path)[:FIELD_MAX] or None
