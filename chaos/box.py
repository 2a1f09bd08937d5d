"""A world of its own: PostgreSQL, Valkey, the application, and means to kill each of them.

Everything lies in a folder that is thrown away, listens on 127.0.0.1, and is killed by its pid.
"""

import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Self
from urllib.parse import quote

import psycopg2
import redis

from stack import application, launch, processes
from stack.postgres import Postgres
from stack.processes import Process
from stack.servers import APP_ROLE, Urls
from stack.state import ROOT, State
from stack.valkey import Valkey

WORKER = "celery --quiet -A config worker --concurrency=1 --without-gossip --without-mingle"
PATIENCE = 90.0


class Impatient(Exception):
    """What was waited for did not come."""


class Box:
    def __init__(self) -> None:
        self.state = State(Path(mkdtemp(prefix="keel-chaos-")))
        self.mails = self.state.folder / "mails"
        self._started: list[Process] = []

    def __enter__(self) -> Self:
        self.state.create()
        self.mails.mkdir()
        self.postgres = Postgres(self.state, for_tests=False)
        self.server = self._keep(self.postgres.start())
        self.valkey = Valkey(self.state, for_tests=False)
        self._keep(self.valkey.start())
        launch.prepare_tables(self.state, self.urls)
        return self

    def __exit__(self, *_: object) -> None:
        with processes.signals_ignored():
            processes.stop(self._started)
            self.postgres.remove()
            shutil.rmtree(self.state.folder, ignore_errors=True)

    @property
    def urls(self) -> Urls:
        secrets = self.state.secrets()
        return Urls(
            self.postgres.url("keel_owner", secrets["KEEL_OWNER_PASSWORD"]),
            self.postgres.url(APP_ROLE, secrets["KEEL_APP_PASSWORD"]),
            self.valkey.url,
        )

    def environment(self, *, by_owner: bool = False) -> dict[str, str]:
        return launch.environment_of(self.state, self.urls, by_owner=by_owner) | {
            # The first of the slashes is taken for the end of the host.
            "EMAIL_URL": f"filemail:///{self.mails}",
            "API_RATES": "write=1000000/m",
            # Each night is judged in full once more: work enough to be killed in.
            "CHECK_RUNS": "all",
        }

    def worker(self) -> Process:
        return self._run("worker", WORKER.split())

    def web(self) -> tuple[Process, str]:
        """Start the web server; return it with its address."""
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        port = listener.getsockname()[1]
        command = [*application.WEB.split(), f"--bind=fd://{listener.fileno()}"]
        with closing(listener):
            return self._run("web", command, [listener.fileno()]), f"http://127.0.0.1:{port}"

    def _run(self, name: str, command: list[str], pass_fds: list[int] | None = None) -> Process:
        return self._keep(
            processes.start(
                name,
                [sys.executable, "-m", *command],
                log=self.state.log(name),
                cwd=ROOT,
                environment=self.environment(),
                pass_fds=pass_fds or [],
            )
        )

    def _keep(self, process: Process) -> Process:
        self._started.append(process)
        return process

    def kill(self, process: Process) -> None:
        """Kill it with all its children, at once and without a word."""
        with suppress(ProcessLookupError):
            os.killpg(process.popen.pid, signal.SIGKILL)
        process.popen.wait()

    def kill_child(self, process: Process) -> bool:
        """Kill one that works for it; say whether there was one."""
        children = children_of(process.popen.pid)
        for pid in children[:1]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return bool(children)

    def kill_database(self) -> None:
        """Kill the server and every process of it in one moment, as when the power goes.

        All are stopped first: one that died while others worked on in the memory they share would
        be another fault, against which the server protects itself when it is not stopped.
        """
        pids = [self.server.popen.pid, *children_of(self.server.popen.pid)]
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
        self.server.popen.wait()

    def start_database(self) -> None:
        self.server = self._keep(self.postgres.start(self.postgres.port))

    def keep_as_it_is(self) -> None:
        """Let `start_anew` come back to the data that are there now."""
        self._copy_database("keel", "keel_kept")

    def start_anew(self) -> None:
        self.flush_broker()
        self._copy_database("keel_kept", "keel")
        for file in self.mails.iterdir():
            file.unlink()

    def _copy_database(self, source: str, copy: str) -> None:
        password = quote(self.state.secrets()["KEEL_ADMIN_PASSWORD"])
        url = f"postgres://postgres:{password}@127.0.0.1:{self.postgres.port}/postgres"
        with cursor_on(url) as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {copy} WITH (FORCE)")
            # Copied through the log, a sequence would go back by what it had logged in advance
            # of the copy, if the server died before its next checkpoint.
            cursor.execute(
                f"CREATE DATABASE {copy} TEMPLATE {source} OWNER keel_owner STRATEGY FILE_COPY"
            )

    def flush_broker(self) -> None:
        self.redis().flushall()

    def redis(self) -> Any:
        return redis.Redis.from_url(self.valkey.url, socket_timeout=5)

    def cursor(self) -> AbstractContextManager[Any]:
        return cursor_on(self.urls.owner)

    def value(self, sql: str, *parameters: Any) -> Any:
        with self.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchone()[0]

    def wait_for(self, what: str, holds: Callable[[], bool], patience: float = PATIENCE) -> None:
        give_up = time.monotonic() + patience
        while not holds():
            if time.monotonic() > give_up:
                raise Impatient(f"{what}: not within {patience:.0f} s. Logs: {self.state.logs}")
            time.sleep(0.05)


@contextmanager
def cursor_on(url: str) -> Iterator[Any]:
    """Open a connection that commits each statement; closed on leaving."""
    with closing(psycopg2.connect(url, connect_timeout=10)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor


def children_of(pid: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            # The name in brackets may hold blanks; the parent is the second field behind it.
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent == pid:
                found.append(int(folder.name))
    return found
