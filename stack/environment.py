"""Makes .venv from a lock file with hashes, by any Python 3.11 or newer and nothing else.

    python3 stack/environment.py demo|dev

Run by the bare interpreter: it imports only the standard library, and Pythons that are too old
still read it, to be told so.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

OLDEST = (3, 11)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")
ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = VENV / "install.log"


def main(name: str) -> None:
    if sys.version_info < OLDEST:
        use_newer_python()
    if is_installed(name):
        return
    folder = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)  # two starts of one checkout install one after the other
    if is_installed(name):
        return
    if not works():
        step("Python environment in .venv", make_venv)
    step(f"Packages of requirements/{name}.txt", lambda: install(LOCKS / f"{name}.txt"))
    mark(name).write_text(digest(name))


def use_newer_python() -> None:
    for name in NEWER:
        path = shutil.which(name)
        if (
            path
            and subprocess.run([path, "-c", ""], stderr=subprocess.DEVNULL, check=False).returncode
            == 0
        ):
            os.execv(path, [path, *sys.argv])  # noqa: S606
    stop(
        f"Keel needs Python 3.11 or newer. {sys.executable} is older, and no newer one was found.",
        "Install one (Debian 12, Ubuntu 24.04: apt install python3 python3-venv) or name one: "
        "make demo PYTHON=/path/to/python3.12",
    )


def is_installed(name: str) -> bool:
    """What the tests need includes what the demo needs."""
    done = any(
        mark(lock).exists() and mark(lock).read_text() == digest(lock) for lock in {name, "dev"}
    )
    return done and works()


def mark(name: str) -> Path:
    return VENV / f"{name}.installed"


def digest(name: str) -> str:
    return hashlib.sha256((LOCKS / f"{name}.txt").read_bytes()).hexdigest()


def works() -> bool:
    return PYTHON.exists() and subprocess.run([str(PYTHON), "-c", ""], check=False).returncode == 0


def make_venv() -> None:
    shutil.rmtree(VENV, ignore_errors=True)
    command = [sys.executable, "-m", "venv", str(VENV)]
    made = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        stop(
            f"The environment could not be made: {made.stdout.decode(errors='replace').strip()}",
            "On Debian and Ubuntu: apt install python3-venv, then start again.",
        )


def install(lock: Path) -> None:
    """With uv, several times faster, when it can be had and reaches the packages; else pip."""
    python = str(PYTHON)
    pip = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
    ]
    uv = [python, "-m", "uv", "pip", "install", "--quiet", "--python", python]
    hashed = ["--require-hashes", "-r"]
    has_uv = works_out([*pip, *hashed, str(LOCKS / "uv.txt")])
    if has_uv and works_out([*uv, *hashed, str(lock)]):
        return
    if not works_out([*pip, *hashed, str(lock)]):
        stop(
            "The packages could not be installed:\n"
            + "\n".join(LOG.read_text(errors="replace").splitlines()[-2:]),
            "They come from PyPI, or from the index that pip is set up with (pip config list). "
            "All that was tried stands in .venv/install.log.",
        )


def works_out(command: "list[str]") -> bool:
    environment = dict(os.environ, UV_PYTHON_DOWNLOADS="never")
    with LOG.open("a") as log:
        log.write(f"\n$ {' '.join(command)}\n")
        log.flush()
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=ROOT,
            env=environment,
            check=False,
        )
    return done.returncode == 0


def step(title: str, work: "Callable[[], None]") -> None:
    started = time.monotonic()
    interactive = sys.stderr.isatty()
    sys.stderr.write(f"  {title:<44} ..." if interactive else "")
    sys.stderr.flush()
    work()
    begin = "\r" if interactive else ""
    sys.stderr.write(f"{begin}  {title:<44} {time.monotonic() - started:5.1f} s\n")


def stop(what: str, advice: str) -> None:
    sys.stderr.write(f"\n{what}\n{advice}\n")
    sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1])
