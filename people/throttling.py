"""How many requests a token or a signed-in person may send, and telling them so.

Counted in Valkey, a moving window in one Lua script, so that no two servers let through
more than the limit together. While Valkey is away each process counts for itself.
"""

import math
import time
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog
from django.conf import settings
from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry
from rest_framework.permissions import SAFE_METHODS
from rest_framework.throttling import BaseThrottle

from config.lib.errors import TooMany
from config.lib.rates import Rate
from people.http import principal_of
from people.models import ApiToken

if TYPE_CHECKING:
    # Django REST framework's views import this module while they are being imported.
    from rest_framework.request import Request
    from rest_framework.views import APIView

PREFIX = "keel"
# A page never waits for Valkey: half a second at most, with one more try for a stale connection.
WAIT = 0.25
LEFT_ALONE_SECONDS = 10.0

log = structlog.get_logger(__name__)


class Standing(NamedTuple):
    """Whether a request may pass, how many more may, and when there will be more."""

    passes: bool
    left: int
    seconds: int


class Counters:
    """Counts in the storage named, and in this process while that is away."""

    def __init__(self, url: str) -> None:
        options: dict[str, Any] = {}
        if url.startswith("redis"):
            options = {
                "socket_timeout": WAIT,
                "socket_connect_timeout": WAIT,
                "retry": Retry(NoBackoff(), 1),
                "key_prefix": PREFIX,
            }
        storage: Any = storage_from_string(url, wrap_exceptions=True, **options)
        self._shared = MovingWindowRateLimiter(storage)
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._away_until = 0.0

    def hit(self, rate: Rate, kind: str, principal: str) -> Standing:
        if time.monotonic() >= self._away_until:
            try:
                return _hit(self._shared, rate, kind, principal)
            except StorageError as error:
                self._away_until = time.monotonic() + LEFT_ALONE_SECONDS
                log.warning("rates.counted_alone", error=type(error.__cause__ or error).__name__)
        return _hit(self._own, rate, kind, principal)


class RateThrottle(BaseThrottle):
    """Counts by the view's `rate` or, by action, its `rates`; see docs/api.md."""

    def allow_request(self, request: "Request", view: "APIView") -> bool:
        principal = principal_of(request)
        if not principal:
            return True
        kind = kind_of(request, view)
        rate: Rate = settings.API_RATES[kind]
        standing = counters(settings.API_RATES_STORAGE).hit(rate, kind, principal)
        view.headers |= {
            "RateLimit-Policy": f'"{kind}";q={rate.most};w={rate.seconds}',
            "RateLimit": f'"{kind}";r={standing.left};t={standing.seconds}',
        }
        if not standing.passes:
            who = "this token" if isinstance(request.auth, ApiToken) else "you"
            raise TooMany(
                f"More than {rate} of the kind “{kind}” from {who}. "
                f"Wait {standing.seconds} seconds.",
                retry_after=standing.seconds,
            )
        return True


def kind_of(request: "Request", view: Any) -> str:
    """Return read, write, bulk or import."""
    rates = getattr(view, "rates", {})
    if named := rates.get(getattr(view, "action", None)):
        return str(named)
    if request.method not in SAFE_METHODS:
        return getattr(view, "rate", "") or "write"
    # A list as a file is all of its pages at once.
    is_file = getattr(request.accepted_renderer, "format", "") == "csv"
    return "bulk" if is_file else "read"


@cache
def counters(url: str) -> Counters:
    return Counters(url)


def _hit(limiter: MovingWindowRateLimiter, rate: Rate, kind: str, principal: str) -> Standing:
    item = RateLimitItemPerSecond(rate.most, rate.seconds, namespace="rate")
    passes = limiter.hit(item, kind, principal)
    more_at, left = limiter.get_window_stats(item, kind, principal)
    seconds = max(1, math.ceil(more_at - time.time()))
    return Standing(passes, left if passes else 0, min(seconds, rate.seconds))
