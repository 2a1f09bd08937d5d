"""How far the work on an import is, kept in Valkey for as long as it is of interest.

Best effort: without Valkey there is no progress to see, and nobody waits for it.
"""

import json
import time
from dataclasses import astuple, dataclass
from functools import cache

import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from accounts.imports.moves import AT_WORK
from accounts.models import Import

KEPT_SECONDS = 600
PATIENCE = 0.5
# After a failure nobody knocks for so long.
QUIET_SECONDS = 30.0
# Not told more often than anybody looks.
LEAST_PAUSE = 0.5

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """`total` 0 means that nobody knows how much there is."""

    phase: str
    done: int
    total: int


class Teller:
    """Tells how far the work on one import is; call it as often as you like."""

    def __init__(self, import_: Import) -> None:
        self._key = _key(import_)
        self._phase, self._next, self._quiet_until = "", 0.0, 0.0

    def __call__(self, phase: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now < self._quiet_until or (phase == self._phase and now < self._next):
            return
        self._phase, self._next = phase, now + LEAST_PAUSE
        try:
            told = json.dumps(astuple(Progress(phase, done, total)))
            _client().set(self._key, told, ex=KEPT_SECONDS)
        except redis.RedisError as error:
            self._quiet_until = now + QUIET_SECONDS
            log.warning("import.progress", error=type(error).__name__)

    def end(self) -> None:
        """Forget it: the work has ended."""
        try:
            _client().delete(self._key)
        except redis.RedisError as error:
            log.warning("import.progress", error=type(error).__name__)


def progress_of(import_: Import) -> Progress | None:
    """Return how far it is; None where nobody works on it or nobody can tell."""
    if import_.status not in AT_WORK:
        return None
    try:
        told = _client().get(_key(import_))
        return Progress(*json.loads(told)) if told else None
    except (redis.RedisError, ValueError, TypeError) as error:
        log.warning("import.progress", error=type(error).__name__)
        return None


@cache
def _client() -> "redis.Redis":
    return redis.Redis.from_url(
        settings.BROKER_URL,
        socket_timeout=PATIENCE,
        socket_connect_timeout=PATIENCE,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


def _key(import_: Import) -> str:
    return f"keel:import:{import_.uuid}"
