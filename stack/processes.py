"""A child process with a log of its own that never outlives this one."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, Any

SECONDS_TO_STOP = 40
SECONDS_BETWEEN_WORDS = 0.5
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Person:
    """The unprivileged user that root hands the servers to; PostgreSQL refuses to run as root."""

    uid: int
    gid: int


def run_as(person: Person | None) -> dict[str, Any]:
    """What subprocess takes to become that person."""
    return {"user": person.uid, "group": person.gid, "extra_groups": []} if person else {}


@dataclass
class Process:
    name: str
    popen: subprocess.Popen[bytes]
    log: Path
    stop_signal: signal.Signals

    @property
    def ended(self) -> bool:
        return self.popen.poll() is not None

    def ask_to_stop(self) -> None:
        if not self.ended:
            self.popen.send_signal(self.stop_signal)

    def wait_until_stopped(self) -> None:
        try:
            self.popen.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()

    def how_it_ended(self) -> str:
        code = self.popen.returncode
        return f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"


def start(  # noqa: PLR0913 as many as subprocess.Popen needs told
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    person: Person | None = None,
    pass_fds: Sequence[int] = (),
) -> Process:
    """Starts in a session of its own: Ctrl-C reaches us alone, and we stop all in order."""
    with log.open("ab") as output:
        popen = subprocess.Popen(
            [os.fspath(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=environment,
            start_new_session=True,
            pass_fds=pass_fds,
            **run_as(person),
            preexec_fn=_end_with_parent(stop_signal),  # noqa: PLW1509 this process has one thread
        )
    return Process(name, popen, log, stop_signal)


def stop(processes: Sequence[Process]) -> None:
    for process in processes:
        process.ask_to_stop()
    for process in processes:
        process.wait_until_stopped()


def run_in_front(
    command: Sequence[str], environment: Mapping[str, str], cwd: Path | None = None
) -> int:
    """Runs on our terminal, which sends it Ctrl-C itself; its exit code, as a shell gives it."""
    with _signals_handled_by(lambda *_: None):
        popen = subprocess.Popen(command, env=environment, cwd=cwd)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda received, _: popen.send_signal(received))
        code = popen.wait()
    return code if code >= 0 else 128 - code


def run_telling(
    command: Sequence[str],
    environment: Mapping[str, str],
    cwd: Path,
    *,
    output: IO[str],
    log: IO[str],
    tell: Callable[[], None],
) -> int:
    """Runs to its end, or to ours; `tell` is called twice a second."""
    popen = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=log, cwd=cwd, env=environment
    )
    try:
        while True:
            try:
                return popen.wait(SECONDS_BETWEEN_WORDS)
            except subprocess.TimeoutExpired:
                tell()
    except BaseException:
        popen.kill()
        popen.wait()
        raise


def signals_ignored() -> AbstractContextManager[None]:
    """While all is being stopped in order, which a second Ctrl-C would not make faster."""
    return _signals_handled_by(lambda *_: None)


@contextmanager
def _signals_handled_by(
    handler: Callable[[int, FrameType | None], None],
) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _end_with_parent(stop_signal: signal.Signals) -> Callable[[], None] | None:
    """Linux sends the child this signal when we die, even by SIGKILL."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    set_parent_death_signal = 1

    def before_exec() -> None:
        prctl(set_parent_death_signal, int(stop_signal))

    return before_exec
