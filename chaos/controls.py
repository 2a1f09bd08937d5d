"""The same faults against careless ways of doing it. Each must be seen to lose something.

A harness that finds nothing proves nothing until it is known to find what is there: a control
that comes out sound fails the whole run.
"""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing

import psycopg2

from chaos.box import Box
from chaos.journal import ACKNOWLEDGED, INVOKED, Counters, Journal, counted
from stack.state import ROOT

JOBS = 500
TABLE = "CREATE TABLE IF NOT EXISTS chaos_{name} (name text NOT NULL)"


def queue_in_the_broker(box: Box) -> Counters:
    """Jobs that live in the broker only, which is emptied."""
    names = [f"job-{number}" for number in range(JOBS)]
    queue = box.redis()
    queue.rpush("chaos", *names)
    box.flush_broker()
    done = [name.decode() for name in queue.lrange("chaos", 0, -1)]
    return counted("queue in the broker only", names, names, done)


def published_after_commit(box: Box) -> Counters:
    """A row, then a message about it; killed between the two now and then."""
    with box.cursor() as cursor:
        cursor.execute(TABLE.format(name="asked"))
    queue = box.redis()
    queue.delete("chaos")
    chance = random.Random(1)
    for _ in range(60):
        popen = subprocess.Popen(
            [sys.executable, "-c", PUBLISHER, box.urls.owner, box.urls.broker], cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(chance.uniform(0.25, 0.6))
        popen.kill()
        popen.wait()
        told = {name.decode() for name in queue.lrange("chaos", 0, -1)}
        if len(told) < box.value("SELECT count(*) FROM chaos_asked"):
            break
    with box.cursor() as cursor:
        cursor.execute("SELECT name FROM chaos_asked")
        committed = [name for (name,) in cursor.fetchall()]
    return counted("message after the commit", committed, committed, told)


PUBLISHER = """
import sys, time, uuid, psycopg2, redis
connection = psycopg2.connect(sys.argv[1]); connection.autocommit = True
queue = redis.Redis.from_url(sys.argv[2])
with connection.cursor() as cursor:
    while True:
        name = str(uuid.uuid4())
        cursor.execute("INSERT INTO chaos_asked VALUES (%s)", [name])
        time.sleep(0.005)  # a broker that is some way off
        queue.rpush("chaos", name)
"""


def acknowledged_before_commit(box: Box) -> Counters:
    """Writes that are answered before they are committed, and a database that is killed."""
    with box.cursor() as cursor:
        cursor.execute(TABLE.format(name="hasty"))
    journal = Journal(box.state.folder / "hasty.journal")
    with closing(psycopg2.connect(box.urls.owner)) as connection, connection.cursor() as cursor:
        for number in range(50):
            journal.note(INVOKED, str(number))
            cursor.execute("INSERT INTO chaos_hasty VALUES (%s)", [str(number)])
            journal.note(ACKNOWLEDGED, str(number))
            if number % 20 == 19:
                connection.commit()
        box.kill_database()
    box.start_database()
    with box.cursor() as cursor:
        cursor.execute("SELECT name FROM chaos_hasty")
        return journal.counted("answer before the commit", [name for (name,) in cursor.fetchall()])


def no_lock_no_key(box: Box) -> Counters:
    """Two nights at once, each of which looks first whether the day is there."""
    with box.cursor() as cursor:
        cursor.execute(TABLE.format(name="night"))
    days = [f"day-{number}" for number in range(40)]
    together = threading.Barrier(2)

    def night() -> None:
        with box.cursor() as cursor:
            for day in days:
                together.wait()
                cursor.execute("SELECT count(*) FROM chaos_night WHERE name = %s", [day])
                if cursor.fetchone()[0] == 0:
                    cursor.execute("INSERT INTO chaos_night VALUES (%s)", [day])

    threads = [threading.Thread(target=night) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with box.cursor() as cursor:
        cursor.execute("SELECT name FROM chaos_night")
        return counted("night without lock or key", days, days, [n for (n,) in cursor.fetchall()])


# With what shows that the fault was seen.
CONTROLS: tuple[tuple[Callable[[Box], Counters], str], ...] = (
    (queue_in_the_broker, "lost"),
    (published_after_commit, "lost"),
    (acknowledged_before_commit, "lost"),
    (no_lock_no_key, "duplicated"),
)
