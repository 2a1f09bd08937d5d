"""One line a step, with its time; a failure says what to do."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TAIL = 15


class Failed(Exception):
    """A sentence for the person at the terminal: what went wrong and what to do."""


def say(text: str = "") -> None:
    """On standard error: standard output belongs to the command that was asked for."""
    with suppress(OSError):  # the terminal may be gone while we are stopping
        print(text, file=sys.stderr, flush=True)


@contextmanager
def step(title: str, log: Path | None = None) -> Iterator[None]:
    started = time.monotonic()
    interactive = sys.stderr.isatty()
    if interactive:
        print(f"  {title:<44} ...", end="", file=sys.stderr, flush=True)
    try:
        yield
    except BaseException as error:
        if interactive:
            say()
        if isinstance(error, Failed):
            raise Failed(f"{title}: {error}{_tail(log)}") from error.__cause__
        raise
    begin = "\r" if interactive else ""
    say(f"{begin}  {title:<44} {time.monotonic() - started:5.1f} s")


def _tail(log: Path | None) -> str:
    if not log or not log.exists():
        return ""
    lines = log.read_text(errors="replace").splitlines()[-TAIL:]
    return f"\n\nLast lines of {log}:\n" + "\n".join(f"  {line}" for line in lines)


def tail(log: Path) -> str:
    return _tail(log)
