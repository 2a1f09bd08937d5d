import datetime as dt
import threading
import time

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models.functions import Now

from events import outbox, tasks
from events.models import OutboxMessage
from events.services import UnsafeHeader, send_notice

PAST = dt.timedelta(minutes=1)


class Killed(BaseException):
    """As a worker dies: no handler catches it."""


@pytest.fixture
def carried(monkeypatch):
    """Register topic "test"; return what was carried. `fail` as payload raises."""
    seen = []

    def handler(payload):
        if payload.get("kill"):
            raise Killed
        if payload.get("fail"):
            raise ConnectionError(payload["fail"])
        seen.append(payload)

    monkeypatch.setitem(outbox._handlers, "test", handler)
    return seen


def make_due():
    OutboxMessage.objects.update(available_at=Now() - PAST)


def enqueue_and_roll_back():
    with transaction.atomic():
        outbox.enqueue("test", {})
        transaction.set_rollback(True)


def test_a_message_is_carried_once(db, carried):
    outbox.enqueue("test", {"n": 1})

    assert outbox.relay() == 1
    assert outbox.relay() == 0

    assert carried == [{"n": 1}]
    assert OutboxMessage.objects.get().done_at is not None


def test_the_payload_cannot_be_read_in_the_table(db, carried):
    outbox.enqueue("test", {"link": "canary"})

    assert b"canary" not in bytes(OutboxMessage.objects.get().payload)


def test_the_same_key_is_one_message(db, carried):
    for n in (1, 2):
        outbox.enqueue("test", {"n": n}, dedupe_key="reading-7")
    outbox.enqueue("test", {"n": 3})

    outbox.relay()

    assert carried == [{"n": 1}, {"n": 3}]


def test_a_topic_nobody_carries_is_refused(db):
    with pytest.raises(LookupError, match="pigeon"):
        outbox.enqueue("pigeon", {})


@pytest.mark.django_db(transaction=True)
def test_no_message_without_its_change(carried):
    with pytest.raises(transaction.TransactionManagementError):
        outbox.enqueue("test", {})
    enqueue_and_roll_back()

    assert not OutboxMessage.objects.exists()


def test_a_failure_waits_longer_each_time_and_ends(db, carried):
    outbox.enqueue("test", {"fail": "no route"})
    waits = []

    for _ in range(outbox.MOST_ATTEMPTS):
        make_due()
        assert outbox.relay() == 0
        message = OutboxMessage.objects.annotate(now=Now()).get()
        waits.append(message.available_at - message.now)

    assert message.dead_at is not None
    assert message.done_at is None
    assert message.attempts == outbox.MOST_ATTEMPTS
    assert message.last_error == "ConnectionError: no route"
    growing = waits[: outbox.MOST_ATTEMPTS - 2]
    assert growing == sorted(growing)
    make_due()
    assert outbox.relay() == 0
    message.refresh_from_db()
    assert message.attempts == outbox.MOST_ATTEMPTS


def test_a_poisoned_message_does_not_hold_up_the_others(db, carried):
    outbox.enqueue("test", {"fail": "bad"})
    outbox.enqueue("test", {"n": 2})
    OutboxMessage.objects.bulk_create([OutboxMessage(topic="test", payload=b"not encrypted")])

    assert outbox.relay() == 1

    assert carried == [{"n": 2}]
    assert OutboxMessage.objects.filter(done_at=None, last_error="").count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_killed_relays_message_comes_again_after_its_lease(carried):
    with transaction.atomic():
        outbox.enqueue("test", {"kill": 1})
    with pytest.raises(Killed):
        outbox.relay()

    message = OutboxMessage.objects.get()
    assert message.attempts == 1, "counted before the work, so also where the worker died"
    assert outbox.relay() == 0, "another relay leaves it alone while the lease lasts"
    make_due()
    with pytest.raises(Killed):
        outbox.relay()
    message.refresh_from_db()
    assert message.attempts == 2


@pytest.mark.django_db(transaction=True)
def test_a_message_that_kills_every_relay_is_given_up(carried):
    with transaction.atomic():
        outbox.enqueue("test", {"kill": 1})
    for _ in range(outbox.MOST_ATTEMPTS):
        make_due()
        with pytest.raises(Killed):
            outbox.relay()

    make_due()
    assert outbox.relay() == 0

    assert OutboxMessage.objects.get().dead_at is not None


@pytest.mark.django_db(transaction=True)
def test_a_relay_that_lost_its_claim_cannot_write_the_outcome(carried):
    with transaction.atomic():
        outbox.enqueue("test", {"n": 1})
    slow = outbox._claim()
    make_due()
    quick = outbox._claim()

    outbox._note_failure(slow, RuntimeError("too late"))

    message = OutboxMessage.objects.get()
    assert (message.attempts, message.last_error) == (2, "")
    assert outbox._carry(quick)
    message.refresh_from_db()
    assert message.done_at is not None


@pytest.mark.django_db(transaction=True)
def test_many_relays_at_once_carry_each_message_once(monkeypatch):
    seen = []

    def handler(payload):
        time.sleep(0.002)
        seen.append(payload["n"])

    monkeypatch.setitem(outbox._handlers, "test", handler)
    with transaction.atomic():
        for n in range(60):
            outbox.enqueue("test", {"n": n})
    barrier = threading.Barrier(4)

    def work():
        barrier.wait()
        outbox.relay()
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(seen) == list(range(60))


@pytest.mark.django_db(transaction=True)
def test_the_bell_rings_only_once_the_change_is_committed(carried, monkeypatch):
    rings = []
    monkeypatch.setattr(outbox, "ring", lambda: rings.append(1))

    with transaction.atomic():
        outbox.enqueue("test", {})
        assert rings == []
    enqueue_and_roll_back()

    assert rings == [1]


@pytest.fixture
def bell(monkeypatch):
    """The real bell, before the tests' quiet one took its place."""
    monkeypatch.setattr(outbox, "_bell", None)
    monkeypatch.setattr(outbox.atexit, "register", lambda *args: None)
    return outbox._Bell


def test_a_dead_or_hanging_broker_is_not_noticed(bell, monkeypatch):
    started = threading.Event()
    release = threading.Event()

    def hang(*args, **kwargs):
        started.set()
        release.wait(10)
        raise ConnectionError

    monkeypatch.setattr(outbox.celery_app, "send_task", hang)
    ringer = bell()
    before = time.monotonic()
    for _ in range(1000):
        ringer.ring()

    assert started.wait(5)
    assert time.monotonic() - before < 5
    release.set()
    assert ringer.quiet.wait(5)


def test_the_bell_calls_the_relay_by_its_name(bell, monkeypatch):
    calls = []
    monkeypatch.setattr(
        outbox.celery_app,
        "send_task",
        lambda name, args, **kwargs: calls.append((name, args, kwargs)),
    )

    ringer = bell()
    ringer.ring()
    assert ringer.quiet.wait(5)
    ringer.ring(("accounts.run_import", (7,)))
    assert ringer.quiet.wait(5)

    how = {"retry": False, "expires": outbox.RING_FADES}
    assert calls == [(tasks.relay_outbox.name, (), how), ("accounts.run_import", (7,), how)]


def test_old_messages_are_deleted(db, carried):
    for _ in range(4):
        outbox.enqueue("test", {})
    done_long_ago, done, dead_long_ago, waiting = OutboxMessage.objects.order_by("id")
    _set(done_long_ago, done_at=Now() - outbox.KEEP_DONE - PAST)
    _set(done, done_at=Now())
    _set(dead_long_ago, dead_at=Now() - outbox.KEEP_DEAD - PAST)

    assert outbox.purge() == 2

    assert set(OutboxMessage.objects.all()) == {done, waiting}


def _set(message, **values):
    OutboxMessage.objects.filter(pk=message.pk).update(**values)


def test_a_notice_is_mailed(db):
    send_notice(to="ada@keel.example", subject="Réunion", body="Hello\nthere", dedupe_key="n1")
    send_notice(to="ada@keel.example", subject="Réunion", body="Hello\nthere", dedupe_key="n1")

    tasks.relay_outbox()

    (message,) = mail.outbox
    assert (message.to, message.subject, message.body) == (
        ["ada@keel.example"],
        "Réunion",
        "Hello\nthere",
    )


def test_a_notice_sent_twice_has_one_message_id(db, monkeypatch):
    send_notice(to="ada@keel.example", subject="S", body="B")
    outbox.relay()
    OutboxMessage.objects.update(done_at=None)
    make_due()
    outbox.relay()

    first, second = mail.outbox
    assert first.extra_headers["Message-ID"] == second.extra_headers["Message-ID"]


@pytest.mark.parametrize(
    ("to", "subject"),
    [
        ("ada@keel.example", "Hi\nBcc: eve@evil.example"),
        ("ada@keel.example", "Hi\r\n\r\nbody"),
        ("ada@keel.example", "Hi\x00"),
        ("ada@keel.example\nBcc: eve@evil.example", "Hi"),
    ],
)
def test_a_notice_cannot_smuggle_in_headers(db, to, subject):
    with pytest.raises(UnsafeHeader):
        send_notice(to=to, subject=subject, body="")

    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize("to", ["", "ada", "a@b.example, c@d.example", "Ada <ada@keel.example>"])
def test_a_notice_goes_to_one_address(db, to):
    with pytest.raises(ValidationError):
        send_notice(to=to, subject="Hi", body="")
