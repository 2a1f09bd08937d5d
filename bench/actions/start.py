"""An installation that nobody has started before, up to its first page. Runs in a worker."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import urlsplit

from bench.actions.measuring import Sample
from bench.databases import ROOT

FIRST_PAGE = "/account/login/"
SAYS = "Keel runs at "
# What the installation brings by itself.
OURS = ("DATABASE_URL", "OWNER_DATABASE_URL", "BROKER_URL", "BASE_URL", "PORT", "KEEL_MODE",
        "DJANGO_SETTINGS_MODULE", "SECRET_KEY", "ENCRYPTION_KEY", "TOKEN_PEPPERS")  # fmt: skip
LONGEST_STOP = 60


def first_page() -> Sample:
    """Make servers, tables and files out of nothing, and ask for the page to sign in at."""
    folder = Path(mkdtemp(prefix="keel-start-"))
    try:
        started = time.perf_counter()
        with _installation(folder) as address:
            status = _asked(address)
            seconds = time.perf_counter() - started
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert status == 200, f"{FIRST_PAGE} answers {status}."
    return Sample(seconds)


@contextmanager
def _installation(folder: Path) -> Iterator[str]:
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    process = subprocess.Popen(
        [sys.executable, "-m", "stack", "serve"],
        env=environment | {"KEEL_STATE": str(folder)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield _address(process)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LONGEST_STOP)


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith(SAYS):
            return line.removeprefix(SAYS).split()[0]
    raise AssertionError(f"It did not start: {''.join(lines)}")


def _asked(address: str) -> int:
    connection = HTTPConnection(urlsplit(address).netloc, timeout=30)
    connection.request("GET", FIRST_PAGE)
    return connection.getresponse().status
