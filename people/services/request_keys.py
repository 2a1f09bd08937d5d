"""Requests that must have one effect however often they are sent."""

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

from django.db import OperationalError

from config.lib.errors import DomainError
from config.lib.versions import LOCK_NOT_AVAILABLE
from people.models import IdempotencyKey

KEPT = dt.timedelta(hours=24)
ROWS_A_STATEMENT = 5_000


class StillRunning(DomainError):
    """The same request is being carried out at this moment."""

    code = "still_running"
    default_message = "This request is still being carried out. Ask again in a moment."
    retry_after = 5


class KeyReused(DomainError):
    """Another request came with this key."""

    status = 422
    code = "idempotency_key_reused"
    default_message = "Another request was sent with this Idempotency-Key. Use a new one."


class Request(NamedTuple):
    """What tells one request from another."""

    principal: str
    key: str
    method: str
    path: str
    digest: str


def claim(request: Request) -> tuple[IdempotencyKey, bool]:
    """Return the request's row and whether it is new; if not, the row holds the answer.

    Waits for a twin at work in another transaction, for as long as any lock is waited for.
    What the request does belongs into the same transaction, and `keep` at its end.
    """
    told = {"method": request.method, "path": request.path, "body_digest": request.digest}
    try:
        row, is_new = IdempotencyKey.objects.get_or_create(
            principal=request.principal, key=request.key, defaults=told
        )
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", "") == LOCK_NOT_AVAILABLE:
            raise StillRunning from error
        raise
    if any(getattr(row, name) != value for name, value in told.items()):
        raise KeyReused
    return row, is_new


def keep(row: IdempotencyKey, *, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Store the answer beside its request."""
    IdempotencyKey.objects.filter(pk=row.pk).update(status=status, headers=headers, body=body)


def forget_old_keys(*, now: dt.datetime) -> int:
    """Delete what was kept for long enough, a batch at a time; return how many."""
    count = 0
    while True:
        old = IdempotencyKey.objects.filter(created_at__lt=now - KEPT).order_by("created_at")
        ids = list(old.values_list("pk", flat=True)[:ROWS_A_STATEMENT])
        IdempotencyKey.objects.filter(pk__in=ids).delete()
        count += len(ids)
        if len(ids) < ROWS_A_STATEMENT:
            return count
