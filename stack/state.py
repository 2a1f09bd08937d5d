"""What lies in the state folder: the lock, the secrets, whose data it holds, what is done."""

import base64
import fcntl
import json
import os
import secrets
import time
from pathlib import Path
from typing import IO, Literal

from stack.console import Failed

SECONDS_FOR_ANOTHER = 120
ROOT = Path(__file__).resolve().parent.parent


def new_secrets() -> dict[str, str]:
    """Everything production needs of that kind, by the name of its environment variable."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "ENCRYPTION_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "TOKEN_PEPPERS": f"1:{secrets.token_urlsafe(32)}",
        "KEEL_ADMIN_PASSWORD": secrets.token_urlsafe(24),
        "KEEL_OWNER_PASSWORD": secrets.token_urlsafe(24),
        "KEEL_APP_PASSWORD": secrets.token_urlsafe(24),
        "VALKEY_PASSWORD": secrets.token_urlsafe(24),
    }


class State:
    """A folder that one process at a time may run servers on.

    The file `lock` is held by that process; its text says how others reach the servers, and is
    empty while they start.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: IO[str] | None = None

    @classmethod
    def from_environment(cls) -> "State":
        return cls(Path(os.environ.get("KEEL_STATE") or ROOT / ".keel").expanduser().resolve())

    def create(self) -> None:
        lock = self.folder / "lock"
        if lock.exists() and lock.stat().st_uid != os.geteuid():
            raise Failed(
                f"The state folder {self.folder} was made by another user. Start as that user, "
                "or name another folder: KEEL_STATE=DIR."
            )
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            # As root the servers run as another user, who has to pass through.
            self.folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
            self.logs.chmod(0o700)
            (self.folder / ".gitignore").write_text("*\n")
        except OSError as error:
            raise Failed(
                f"The state folder {self.folder} cannot be written ({error.strerror}). "
                "Name another one: KEEL_STATE=DIR."
            ) from error

    @property
    def logs(self) -> Path:
        return self.folder / "log"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def begin_logs(self) -> None:
        """The logs tell of this start alone; those of the one before stay beside them."""
        for log in self.logs.glob("*.log"):
            log.replace(log.with_suffix(".log.1"))

    def try_lock(self) -> bool:
        """False when another process runs on this state."""
        lock = _open_private(self.folder / "lock", "a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        self._lock = lock
        self.withdraw()
        return True

    def lock_or_ask(self) -> dict[str, str] | None:
        """None when the lock is ours now, else what its holder announced."""
        deadline = time.monotonic() + SECONDS_FOR_ANOTHER
        while time.monotonic() < deadline:
            if self.try_lock():
                return None
            if facts := self.announced():
                return facts
            time.sleep(0.2)
        raise Failed(
            f"Another start on {self.folder} has not finished in {SECONDS_FOR_ANOTHER} s. "
            f"Look into {self.logs}, or end it."
        )

    def announce(self, facts: dict[str, str]) -> None:
        """Tells others, who cannot get the lock, how to reach what runs here."""
        self._rewrite_lock(json.dumps(facts))

    def withdraw(self) -> None:
        self._rewrite_lock("")

    def announced(self) -> dict[str, str] | None:
        """What the holder of the lock announced; None while it is still starting."""
        text = (self.folder / "lock").read_text()
        return dict(json.loads(text)) if text.endswith("}") else None

    def unlock(self) -> None:
        """What the end of the process does as well."""
        if self._lock:
            self._lock.close()
            self._lock = None

    def _rewrite_lock(self, text: str) -> None:
        if self._lock is None:
            raise RuntimeError("the lock is not ours")
        self._lock.truncate(0)
        self._lock.write(text)
        self._lock.flush()

    def enter_as_guest(self) -> None:
        """Held until this process, or what it turns into by exec, ends."""
        os.set_inheritable(self._hold_guests(fcntl.LOCK_SH), True)  # noqa: FBT003

    def wait_for_guests(self) -> None:
        """Until no command uses the servers of this process any more; from now on none may."""
        self._hold_guests(fcntl.LOCK_EX)

    def _hold_guests(self, how: int) -> int:
        guests = os.open(self.folder / "guests", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(guests, how)
        return guests

    def secrets(self) -> dict[str, str]:
        """Made at the first start; never again, for the data depends on them."""
        kept = self._read("secrets.json")
        missing = {name: value for name, value in new_secrets().items() if name not in kept}
        if missing:
            kept |= missing
            self._write("secrets.json", kept)
        return kept

    def holds(self) -> str | None:
        """Whose data: `demo`, `own`, or None in a fresh folder."""
        return self.kept("holds")

    def kept(self, what: str) -> str | None:
        return self._read("kept.json").get(what)

    def keep(self, what: str, value: str) -> None:
        self._write("kept.json", self._read("kept.json") | {what: value})

    def _read(self, name: str) -> dict[str, str]:
        file = self.folder / name
        return dict(json.loads(file.read_text())) if file.exists() else {}

    def _write(self, name: str, content: dict[str, str]) -> None:
        new = self.folder / f"{name}.new"
        with _open_private(new, "w") as file:
            json.dump(content, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.folder / name)


def _open_private(path: Path, mode: Literal["a+", "w"]) -> IO[str]:
    how = os.O_APPEND if mode == "a+" else os.O_TRUNC
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | how, 0o600), mode)
