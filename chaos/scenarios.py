"""What dies, and what has to be there afterwards."""

import itertools
import json
import random
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from functools import partial
from pathlib import Path

import psycopg2

from chaos.box import Box
from chaos.company import nights_left
from chaos.journal import ACKNOWLEDGED, INVOKED, Counters, Journal, counted
from stack.processes import Process
from stack.state import ROOT

TICK = 1.0
# Of so many seconds, at random, is the time from the begin of work to the kill.
WINDOW = 1.2
FLUSHES = 20
# So many mails and readings there are at least, or it says nothing.
MAILS = READINGS = 20
RESTARTS = 3
CREATED = 201
DONE = (200, CREATED)
SERVER_ERROR = 500
UNAVAILABLE = 503
IN_TRANSACTION = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()
"""
# What everybody may see of a run is all of it, or nothing.
HALF_RUNS = """
    SELECT count(*) FROM metrics_metricrun run
    WHERE run.inputs_sum <> '' AND run.base_id IS NULL AND run.id = (
        SELECT max(id) FROM metrics_metricrun WHERE inputs_sum <> '')
    AND run.numerator <> (
        SELECT count(*) FROM (
            SELECT DISTINCT ON (account_id) * FROM metrics_metricrow
            WHERE definition_id = run.definition_id AND layer <= run.revision
              AND from_day <= run.day AND (to_day IS NULL OR to_day > run.day)
            ORDER BY account_id, layer DESC) seen
        WHERE eligible AND NOT unlimited AND passes)
"""


@dataclass
class Outcome:
    """What a scenario found; `wrong` are sentences."""

    name: str
    counters: list[Counters] = field(default_factory=list)
    kills: int = 0
    in_transaction: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        return not self.wrong and all(counters.is_sound for counters in self.counters)


def worker_killed(box: Box, *, kills: int, chance: random.Random) -> Outcome:
    """Kill -9 a worker, or its child, while it computes nights; beat rings on."""
    outcome = Outcome("worker killed in a recompute")
    with ticking(box), reading(box, outcome):
        with sending(box, "worker") as journal:
            while outcome.kills < kills and nights_left(box):
                worker = box.worker()
                box.wait_for("work", lambda: _is_in_transaction(box))
                time.sleep(chance.uniform(0, WINDOW))
                outcome.in_transaction += _is_in_transaction(box)
                if outcome.kills % 2 and box.kill_child(worker):
                    time.sleep(chance.uniform(0, WINDOW))
                box.kill(worker)
                outcome.kills += 1
        _finish(box, outcome)
    outcome.counters += [_nights(box), journal.counted("mails", _carried(box, "worker"))]
    return outcome


def broker_flushed(box: Box, *, chance: random.Random) -> Outcome:
    """Empty the broker again and again while nights are computed and mails promised."""
    outcome = Outcome("broker flushed")
    worker = box.worker()
    with ticking(box), reading(box, outcome):
        with sending(box, "broker") as journal:
            while outcome.kills < FLUSHES or len(journal.named(ACKNOWLEDGED)) < MAILS:
                time.sleep(chance.uniform(0, WINDOW))
                box.flush_broker()
                outcome.kills += 1
        _finish(box, outcome, worker)
    outcome.counters += [_nights(box), journal.counted("mails", _carried(box, "broker"))]
    return outcome


def database_killed(box: Box, *, chance: random.Random, token: str, account: str) -> Outcome:
    """Kill every process of the database in a recompute, while others write over the API."""
    outcome = Outcome("database killed in a recompute")
    worker = box.worker()
    web, address = box.web()
    with ticking(box):
        with posting(box, address, token, account) as (journal, answers):
            box.wait_for("writes", partial(_has, answers, CREATED, READINGS))
            for _ in range(RESTARTS):
                with suppress(Exception):
                    box.wait_for("work", lambda: _is_in_transaction(box), 15)
                time.sleep(chance.uniform(0, WINDOW))
                outcome.in_transaction += _is_in_transaction(box)
                box.kill_database()
                outcome.kills += 1
                time.sleep(chance.uniform(0, WINDOW))
                box.start_database()
                wanted = answers.get(CREATED, 0) + 1
                box.wait_for("a write afterwards", partial(_has, answers, CREATED, wanted))
        _finish(box, outcome, worker)
    box.kill(web)
    present = _rows(
        box,
        """
        SELECT to_char(observed_at, 'YYYY-MM-DD"T"HH24:MI:SS.US') FROM accounts_seatreading
        WHERE source = 'chaos'""",
    )
    outcome.counters += [_nights(box), journal.counted("readings", present)]
    outcome.wrong += [
        f"the API answered {status} {times} times"
        for status, times in answers.items()
        if status >= SERVER_ERROR and status != UNAVAILABLE
    ]
    return outcome


def _has(answers: dict[int, int], status: int, times: int) -> bool:
    return answers.get(status, 0) >= times


def _finish(box: Box, outcome: Outcome, worker: Process | None = None) -> None:
    """Let a worker come to rest, then ask the oracle."""
    worker = worker or box.worker()
    box.wait_for("the last night", lambda: not nights_left(box), 300)
    box.wait_for("the last mail", lambda: not box.value(_UNDONE), 300)
    box.kill(worker)
    box.wait_for("its connections to end", lambda: not _is_in_transaction(box))
    asked = subprocess.run(
        [sys.executable, "-m", "chaos.oracle"], cwd=ROOT, env=box.environment(by_owner=True),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    outcome.wrong += filter(None, asked.stdout.splitlines())
    if asked.returncode and not asked.stdout.strip():
        outcome.wrong.append(f"the oracle failed: {asked.stderr[-500:]}")


_UNDONE = "SELECT count(*) FROM events_outboxmessage WHERE done_at IS NULL AND dead_at IS NULL"


def _is_in_transaction(box: Box) -> bool:
    with suppress(psycopg2.OperationalError):
        return bool(box.value(IN_TRANSACTION))
    return False


def _nights(box: Box) -> Counters:
    """Every company day since the first, once; a day with a second run would be unexpected."""
    days = _rows(
        box,
        """
        SELECT night::date::text FROM generate_series(
            (SELECT min(day) FROM metrics_metricrun),
            (now() AT TIME ZONE 'UTC')::date - 1, '1 day') night""",
    )
    runs = _rows(
        box,
        """
        SELECT run.day::text FROM metrics_metricrun run
        JOIN metrics_metricdefinition d ON d.id = run.definition_id
        WHERE d.slug = 'seats-deployed' AND run.revision = 1""",
    )
    return counted("nights", days, days, runs)


def _rows(box: Box, sql: str) -> list[str]:
    with box.cursor() as cursor:
        cursor.execute(sql)
        return [name for (name,) in cursor.fetchall()]


def _carried(box: Box, kind: str) -> Iterator[str]:
    for file in box.mails.iterdir():
        for part in file.read_bytes().split(b"-" * 79):
            subject = message_from_bytes(part.strip())["Subject"] or ""
            if subject.startswith(f"chaos-{kind}"):
                yield subject


@contextmanager
def _beside(work: threading.Event, target: object, *arguments: object) -> Iterator[None]:
    thread = threading.Thread(target=target, args=(work, *arguments), daemon=True)  # type: ignore[arg-type]
    thread.start()
    try:
        yield
    finally:
        work.set()
        thread.join(30)


@contextmanager
def ticking(box: Box) -> Iterator[None]:
    """Beat, but every second: the broker loses what it wants, the next tick comes."""
    with _beside(threading.Event(), _tick, box):
        yield


def _tick(stop: threading.Event, box: Box) -> None:
    code = (
        "import sys, time\n"
        "from config import celery_app as app\n"
        "while True:\n"
        "    for name in ('metrics.nightly', 'events.relay_outbox'):\n"
        "        try:\n"
        "            app.send_task(name, expires=30)\n"
        "        except Exception as error:\n"
        "            print(error, file=sys.stderr)\n"
        f"    time.sleep({TICK})\n"
    )
    popen = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=box.environment(),
        stdin=subprocess.DEVNULL, stderr=box.state.log("ticks").open("a"),
    )  # fmt: skip
    stop.wait()
    popen.kill()
    popen.wait()


@contextmanager
def reading(box: Box, outcome: Outcome) -> Iterator[None]:
    """Look all the time whether the newest run is there as a whole."""
    with _beside(threading.Event(), _read, box, outcome):
        yield


def _read(stop: threading.Event, box: Box, outcome: Outcome) -> None:
    while not stop.wait(0.05):
        with suppress(psycopg2.OperationalError):
            if box.value(HALF_RUNS):
                outcome.wrong.append("a reader saw a run without all of its rows")


@contextmanager
def sending(box: Box, kind: str) -> Iterator[Journal]:
    """Promise mails by the outbox, and be killed now and then oneself."""
    journal = Journal(box.state.folder / f"mails-{kind}.journal")
    with _beside(threading.Event(), _send, box, journal.path, kind):
        yield journal


def _send(stop: threading.Event, box: Box, path: Path, kind: str) -> None:
    chance = random.Random(kind)
    while not stop.is_set():
        popen = subprocess.Popen(
            [sys.executable, "-m", "chaos.client", str(path), kind], cwd=ROOT,
            env=box.environment(), stdin=subprocess.DEVNULL,
            stderr=box.state.log("client").open("a"),
        )  # fmt: skip
        size = path.stat().st_size
        while path.stat().st_size == size and popen.poll() is None and not stop.wait(0.05):
            pass
        stop.wait(chance.uniform(0.2, 2.0))
        popen.kill()
        popen.wait()


@contextmanager
def posting(
    box: Box, address: str, token: str, account: str
) -> Iterator[tuple[Journal, dict[int, int]]]:
    """Write readings over the API; a write that was not answered is sent again with its key."""
    journal = Journal(box.state.folder / "readings.journal")
    answers: dict[int, int] = {}
    with _beside(threading.Event(), _post, journal, answers, address, token, account):
        yield journal, answers


def _post(
    stop: threading.Event, journal: Journal, answers: dict[int, int], address: str, token: str,
    account: str,
) -> None:  # fmt: skip
    for number in itertools.count():
        if stop.is_set():
            return
        name = f"2026-01-01T00:00:00.{number:06}"
        body = {"account": account, "observed_at": f"{name}Z", "seats": number, "source": "chaos"}
        journal.note(INVOKED, name)
        if _answered(body, name, answers, address, token):
            journal.note(ACKNOWLEDGED, name)


def _answered(
    body: dict[str, object], key: str, answers: dict[int, int], address: str, token: str
) -> bool:
    request = urllib.request.Request(  # noqa: S310 an address of ours
        f"{address}/api/v1/seat-readings/", json.dumps(body).encode(), method="POST",
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json",
                 "Idempotency-Key": key},
    )  # fmt: skip
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            status = answer.status
    except urllib.error.HTTPError as error:
        status = error.code
    except OSError:
        status = 0
    answers[status] = answers.get(status, 0) + 1
    if status not in DONE:
        time.sleep(0.1)
    return status in DONE
