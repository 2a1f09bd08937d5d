"""Writes that met others in the database: tried again, or sent back to be tried later."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from django.db import OperationalError

from config.lib.errors import Conflict, Unavailable
from config.lib.versions import LOCK_NOT_AVAILABLE

T = TypeVar("T")
TRIES = 4
PAUSE = 0.02
SERIALIZATION_FAILURE = "40001"
DEADLOCK = "40P01"

log = structlog.get_logger(__name__)


class Busy(Conflict):
    """Somebody else holds what is to be written, for longer than one waits."""

    code = "busy"
    default_message = "Others are writing the same kind of data. Nothing was saved. Try again soon."
    retry_after = 5


def tried_again(do: Callable[[], T]) -> T:
    """Do it, and up to three times again where the database made it give way to another.

    It must be safe to begin anew: a whole transaction, or what opens one. Raises Busy where a
    lock was not to be had in time, Unavailable where it gave way every time.
    """
    for attempt in range(TRIES):
        try:
            return do()
        except OperationalError as error:
            code = getattr(error.__cause__, "pgcode", "")
            if code == LOCK_NOT_AVAILABLE:
                raise Busy from error
            if code not in {SERIALIZATION_FAILURE, DEADLOCK}:
                raise
            log.warning("write.gave_way", code=code, attempt=attempt + 1)
            given_way = error
        time.sleep(PAUSE * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311 -- not a secret
    raise Unavailable from given_way
