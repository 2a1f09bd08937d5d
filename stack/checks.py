"""`make check`: every checker runs, and all that fail are named at the end."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from stack.console import say
from stack.state import ROOT

PYTHON = sys.executable
# Its script breaks when the checkout moves, and it has no module to run.
LINT_IMPORTS = "from importlinter.cli import lint_imports_command as run; run()"
# Two at a time; the longest first.
CHECKERS: Mapping[str, Sequence[str]] = {
    "mypy": [PYTHON, "-m", "mypy", "."],
    "lint-imports": [PYTHON, "-c", LINT_IMPORTS],
    "migrations": [PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"],
    "django": [PYTHON, "manage.py", "check", "--fail-level", "WARNING"],
    "docs/states.md": [PYTHON, "manage.py", "print_states", "--check"],
    "djlint --lint": [PYTHON, "-m", "djlint", "templates", "--lint", "--quiet"],
    "djlint --check": [PYTHON, "-m", "djlint", "templates", "--check", "--quiet"],
    "ruff check": [PYTHON, "-m", "ruff", "check", "."],
    "ruff format": [PYTHON, "-m", "ruff", "format", "--check", "."],
}


def check() -> int:
    with ThreadPoolExecutor(max_workers=2) as pool:
        failed = [
            name
            for name, passed in zip(CHECKERS, pool.map(_run, CHECKERS), strict=True)
            if not passed
        ]
    say(f"\nFailed: {', '.join(failed)}." if failed else "\nAll checks passed.")
    return 1 if failed else 0


def _run(name: str) -> bool:
    started = time.monotonic()
    # No check asks a database; the address keeps Django from looking for one that may be there.
    environment = os.environ | {
        "KEEL_MODE": "test",
        "DATABASE_URL": "postgres://keel@127.0.0.1:1/keel",
    }
    done = subprocess.run(
        CHECKERS[name],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    verdict = "   FAILED" if done.returncode else ""
    say(f"  {name:<44} {time.monotonic() - started:5.1f} s{verdict}")
    if done.returncode:
        say("\n" + done.stdout.rstrip() + "\n")
    return done.returncode == 0
