"""What services raise when they say no, and how the edges answer it."""

from collections.abc import Mapping
from typing import Any, ClassVar


class DomainError(Exception):
    """A rule of the business said no. The message is fit to show to the user.

    Name a subclass for what happened and give it a `code` that programs can rely on;
    `details` are further members of the answer, such as the guards that block a move;
    `retry_after` says in how many seconds it may go better.
    """

    status: ClassVar[int] = 409
    retry_after: int = 0
    code: str = "refused"
    default_message: ClassVar[str] = "This is not possible now."

    def __init__(
        self,
        message: str = "",
        *,
        code: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> None:
        self.message = message or self.default_message
        super().__init__(self.message)
        self.code = code or self.code
        self.details = dict(details or {})


class Conflict(DomainError):
    """It clashes with what is stored."""

    code = "conflict"
    default_message = "This clashes with what is stored. Read it again and retry."


class Invalid(DomainError):
    """The input cannot be right, whatever is stored. `field` names the culprit."""

    status = 400
    code = "invalid"
    default_message = "This input is not valid."

    def __init__(self, message: str = "", *, field: str = "", code: str = "") -> None:
        super().__init__(message, code=code)
        self.field = field


class Missing(DomainError):
    """There is no such thing, or none that this person may know of."""

    status = 404
    code = "not_found"
    default_message = "No such thing."


class Gone(DomainError):
    """It was there and can no longer be used."""

    status = 410
    code = "gone"
    default_message = "This link can no longer be used. Ask for a new one."


class StaleWrite(DomainError):
    """Someone else wrote in between. `etag` is the version stored now."""

    status = 412
    code = "stale"
    default_message = "Someone changed this since you opened it. Reload and try again."

    def __init__(
        self, message: str = "", *, etag: str = "", details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message, details=details)
        self.etag = etag


class PreconditionRequired(DomainError):
    """A write by id did not say which version it was made from."""

    status = 428
    code = "precondition_required"
    default_message = "Send If-Match with the ETag you last read."


class TooMany(DomainError):
    """Too often in too short a time."""

    status = 429
    code = "too_many_requests"
    default_message = "Too many requests. Wait a little and try again."

    def __init__(self, message: str = "", *, retry_after: int = 60) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(DomainError):
    """Something needed is down for the moment; nothing was saved."""

    status = 503
    code = "unavailable"
    default_message = "Temporarily unavailable; nothing was saved. Try again soon."
