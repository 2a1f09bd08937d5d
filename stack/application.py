"""The web server, the worker and beat: three processes, as in production, each with its log."""

import http.client
import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress

from stack import processes
from stack.console import Failed, say, step, tail
from stack.processes import Process
from stack.state import ROOT, State

FIRST_PORT = 8000
SECONDS_TO_SERVE = 90
WEB = "gunicorn config.wsgi --preload --worker-class=gthread --workers=2 --threads=4"
WEB += " --no-control-socket"
WORKER = "celery --quiet -A config worker --concurrency=2 --without-gossip --without-mingle"
BEAT = "celery --quiet -A config beat --pidfile="


def listen() -> socket.socket:
    """The port is ours from now on; who asks before the web server is up waits a little."""
    host, wanted = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT")
    try:
        ports = [int(wanted)] if wanted else range(FIRST_PORT, FIRST_PORT + 100)
    except ValueError:
        raise Failed(f"PORT={wanted} is not a number.") from None
    for port in ports:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(128)
        except (OSError, OverflowError):
            listener.close()
        else:
            return listener
    raise Failed(
        f"Port {ports[0]} on {host} cannot be had. Choose another, PORT=8123, or leave PORT out."
    )


def address_of(listener: socket.socket) -> str:
    return f"http://localhost:{listener.getsockname()[1]}"


@contextmanager
def running(
    state: State, environment: Mapping[str, str], listener: socket.socket
) -> Iterator[list[Process]]:
    """Once `/readyz` answers; all stopped on leaving."""
    port = listener.fileno()
    commands = {
        "web": [*WEB.split(), f"--bind=fd://{port}"],
        "worker": WORKER.split(),
        "beat": [*BEAT.split(), f"--schedule={state.folder / 'beat'}"],
    }
    started: list[Process] = []
    try:
        with step("Web server, worker and beat", state.log("web")):
            for name, command in commands.items():
                process = processes.start(
                    name,
                    [sys.executable, "-m", *command],
                    log=state.log(name),
                    cwd=ROOT,
                    environment=environment,
                    pass_fds=[port] if name == "web" else [],
                )
                started.append(process)
            _wait_until_ready(started, listener)
        yield started
    finally:
        with processes.signals_ignored():
            say("\nStopping; the data stays.")
            processes.stop(started)


def watch(started: Sequence[Process]) -> None:
    """Until a signal, or until one of them ends by itself: none is left running without it."""
    with suppress(KeyboardInterrupt):
        while True:
            _require_alive(started)
            time.sleep(0.3)


def _wait_until_ready(started: Sequence[Process], listener: socket.socket) -> None:
    deadline = time.monotonic() + SECONDS_TO_SERVE
    while time.monotonic() < deadline:
        _require_alive(started)
        with suppress(OSError, http.client.HTTPException):
            if _is_ready(listener):
                return
        time.sleep(0.1)
    raise Failed(f"no page within {SECONDS_TO_SERVE} s.")


def _is_ready(listener: socket.socket) -> bool:
    host, port = listener.getsockname()[:2]
    with closing(http.client.HTTPConnection(host, port, timeout=5)) as connection:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK


def _require_alive(started: Sequence[Process]) -> None:
    for process in started:
        if process.ended:
            raise Failed(
                f"{process.name} ended by itself, {process.how_it_ended()}, so all were stopped."
                f"{tail(process.log)}"
            )
