"""One line a step, with its time; a failure says what to do."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TAIL = 15
WIDTH = 44
AGAIN = "\r\033[K"  # to the start of the line, and nothing on it


class Failed(Exception):
    """A sentence for the person at the terminal: what went wrong and what to do."""


def say(text: str = "") -> None:
    """On standard error: standard output belongs to the command that was asked for."""
    with suppress(OSError):  # the terminal may be gone while we are stopping
        print(text, file=sys.stderr, flush=True)


@contextmanager
def step(title: str, log: Path | None = None) -> Iterator[Callable[[str], None]]:
    """Gives what tells how far the step is, where somebody is looking."""
    started = time.monotonic()
    interactive = sys.stderr.isatty()

    def tell(text: str) -> None:
        if interactive:
            print(f"{AGAIN}  {title:<{WIDTH}} ... {text[:70]}", end="", file=sys.stderr, flush=True)

    tell("")
    try:
        yield tell
    except BaseException as error:
        if interactive:
            say()
        if isinstance(error, Failed):
            raise Failed(f"{title}: {error}{tail(log)}") from error.__cause__
        raise
    begin = AGAIN if interactive else ""
    say(f"{begin}  {title:<{WIDTH}} {time.monotonic() - started:5.1f} s")


def tail(log: Path | None) -> str:
    if not log or not log.exists():
        return ""
    lines = log.read_text(errors="replace").splitlines()[-TAIL:]
    return f"\n\nLast lines of {log}:\n" + "\n".join(f"  {line}" for line in lines)
