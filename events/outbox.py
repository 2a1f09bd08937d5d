"""What must leave the house: written with the change that caused it, carried by the relay.

A row is the promise; the broker only rings a bell. Handlers may be called more than once
for one message (a relay can die between doing and noting it), and must bear that.
"""

import atexit
import datetime as dt
import json
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import structlog
from django.db import connection, models, transaction
from django.db.models.functions import Now

from config import celery_app
from config.lib import crypto
from config.lib.logging import clean
from config.lib.request_id import current_request_id
from events.models import OutboxMessage

Handler = Callable[[dict[str, Any]], None]
# A task and its arguments.
Ring = tuple[str, tuple[int, ...]]

MOST_ATTEMPTS = 8
# How long one message may take before another relay takes it for abandoned.
LEASE = dt.timedelta(minutes=5)
FIRST_WAIT = dt.timedelta(minutes=1)
LONGEST_WAIT = dt.timedelta(hours=12)
# A relay stops here and leaves the rest to the next tick.
LONGEST_RUN = 240.0
KEEP_DONE = dt.timedelta(days=30)
KEEP_DEAD = dt.timedelta(days=90)
ERROR_LENGTH = 1000
RELAY = "events.relay_outbox"
# Seconds: rings that found no worker awake must not pile up, beat rings anyway.
RING_FADES = 120

log = structlog.get_logger(__name__)
_handlers: dict[str, Handler] = {}


def register(topic: str, handler: Handler) -> None:
    """Let `handler` carry the messages of a topic; called by an app at start-up."""
    _handlers[topic] = handler


def enqueue(topic: str, payload: dict[str, Any], *, dedupe_key: str | None = None) -> None:
    """Promise to carry `payload` once this transaction commits, and ring then.

    A second message of the same `dedupe_key` is silently left out.
    """
    if topic not in _handlers:
        raise LookupError(f"Nobody carries messages of topic {topic}.")
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "A message is written in the transaction of the change that causes it."
        )
    message = OutboxMessage(
        topic=topic,
        payload=crypto.encrypt(json.dumps(payload).encode()),
        dedupe_key=dedupe_key,
        request_id=current_request_id(),
    )
    OutboxMessage.objects.bulk_create([message], ignore_conflicts=dedupe_key is not None)
    transaction.on_commit(ring)


def relay() -> int:
    """Carry every message that is due; return how many were handed over.

    Any number of relays may run at once. One message is claimed at a time, so that its
    lease and its count of attempts are about nothing but itself.
    """
    _bury_the_abandoned()
    done = 0
    stop = time.monotonic() + LONGEST_RUN
    while time.monotonic() < stop and (message := _claim()) is not None:
        done += _carry(message)
    return done


def purge() -> int:
    """Delete what was carried a month ago and what nobody took up in three; return the count."""
    old = models.Q(done_at__lt=Now() - KEEP_DONE) | models.Q(dead_at__lt=Now() - KEEP_DEAD)
    return OutboxMessage.objects.filter(old).delete()[0]


def _claim() -> OutboxMessage | None:
    """Take the message that has been due longest and count the attempt, before any work.

    The count also names the claim: whoever writes the outcome must still hold it.
    """
    with transaction.atomic():
        message = (
            OutboxMessage.objects.select_for_update(skip_locked=True)
            .filter(done_at=None, dead_at=None, available_at__lte=Now(), attempts__lt=MOST_ATTEMPTS)
            .order_by("available_at", "id")
            .first()
        )
        if message is not None:
            message.attempts += 1
            OutboxMessage.objects.filter(pk=message.pk).update(
                attempts=message.attempts, available_at=Now() + LEASE
            )
    return message


def _carry(message: OutboxMessage) -> bool:
    with structlog.contextvars.bound_contextvars(request_id=message.request_id):
        try:
            handler = _handlers[message.topic]
            handler(json.loads(crypto.decrypt(bytes(message.payload))))
        except Exception as error:  # noqa: BLE001 whatever it is, the other messages go on
            _note_failure(message, error)
            return False
        _still_ours(message).update(done_at=Now(), last_error="")
        log.info("outbox.done", topic=message.topic, message=message.pk)
        return True


def _note_failure(message: OutboxMessage, error: Exception) -> None:
    # What a mail server answers may repeat the mail.
    text = clean(f"{type(error).__name__}: {error}")[:ERROR_LENGTH]
    if message.attempts >= MOST_ATTEMPTS:
        _still_ours(message).update(dead_at=Now(), last_error=text)
        log.error("outbox.dead", topic=message.topic, message=message.pk)
        return
    _still_ours(message).update(available_at=Now() + wait_after(message.attempts), last_error=text)
    log.warning(
        "outbox.failed",
        topic=message.topic,
        message=message.pk,
        attempt=message.attempts,
        error=type(error).__name__,
    )


def wait_after(attempts: int) -> dt.timedelta:
    """1, 4, 16, 64 minutes ...: with the most attempts a receiver may be down for a day."""
    return min(FIRST_WAIT * (1 << 2 * (attempts - 1)), LONGEST_WAIT)


def _bury_the_abandoned() -> None:
    """Give up messages whose last attempt never came back: they may be what kills relays."""
    OutboxMessage.objects.filter(
        done_at=None, dead_at=None, attempts__gte=MOST_ATTEMPTS, available_at__lte=Now()
    ).update(dead_at=Now(), last_error="The last attempt ended without a word.")


def _still_ours(message: OutboxMessage) -> models.QuerySet[OutboxMessage]:
    return OutboxMessage.objects.filter(
        pk=message.pk, attempts=message.attempts, done_at=None, dead_at=None
    )


class _Bell:
    """Tells the workers from a thread of its own, so that no request waits for the broker.

    Rings for the same that come while one is under way are one ring. What is lost, beat's tick
    finds.
    """

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.wanted = threading.Event()
        self.quiet = threading.Event()
        self.rings: dict[Ring, None] = {}
        threading.Thread(target=self._run, name="outbox-bell", daemon=True).start()

    def ring(self, ring: Ring = (RELAY, ())) -> None:
        self.quiet.clear()
        self.rings[ring] = None
        self.wanted.set()

    def _run(self) -> None:
        while self.wanted.wait():
            self.wanted.clear()
            while self.rings:
                (task, args), _ = self.rings.popitem()
                try:
                    celery_app.send_task(task, args, retry=False, expires=RING_FADES)
                except Exception as error:  # noqa: BLE001 a bell that is broken must not be heard of
                    log.warning("outbox.bell", error=type(error).__name__)
            if not self.wanted.is_set():
                self.quiet.set()


_bell: _Bell | None = None
_bell_lock = threading.Lock()


def ring(task: str = RELAY, *args: int) -> None:
    """Say that there is something to do, or to carry. Neither raises nor waits."""
    global _bell  # noqa: PLW0603 one bell a process, and a fork needs its own
    with _bell_lock:
        if _bell is None or _bell.pid != os.getpid():
            _bell = _Bell()
            # A command that ends at once still gets its ring out.
            atexit.register(_bell.quiet.wait, 1.0)
        _bell.ring((task, args))
