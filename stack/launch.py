"""What `make demo`, `serve`, `manage`, `test`, `bench` and `chaos` do."""

import hashlib
import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryFile, mkdtemp

from stack import application, processes
from stack.console import Failed, say, step
from stack.postgres import person_for_servers, programs
from stack.servers import Servers, Urls, database_is_given
from stack.state import ROOT, State

MANAGE = [sys.executable, str(ROOT / "manage.py")]
KEYS = ("SECRET_KEY", "ENCRYPTION_KEY", "TOKEN_PEPPERS")
ALL_TESTS = ("-n", "2")
COMMANDS_OF_THE_OWNER = {"migrate", "createcachetable", "grant_app_role"}
WHAT_IS_INSTALLED = [ROOT / "requirements" / "runtime.txt", ROOT / "config" / "settings.py"]


def demo(state: State) -> int:
    return _run_application(state, with_demo=True)


def serve(state: State) -> int:
    return _run_application(state, with_demo=False)


def _run_application(state: State, *, with_demo: bool) -> int:
    state.create()
    if running := state.lock_or_ask():
        return _say_where_it_runs(state, running)
    _mark(state, "demo" if with_demo else "own")
    if with_demo and state.holds() == "own" and not database_is_given():
        raise Failed(
            f"{state.folder} holds data of your own, and the demo never mixes with it. "
            "`make serve` starts on your data; `make demo KEEL_STATE=DIR` makes a demo elsewhere."
        )
    if not with_demo:
        _say_if_demo(state)
    state.begin_logs()
    servers = Servers(state)
    with servers as urls, closing(application.listen()) as listener:
        state.keep("address", os.environ.get("BASE_URL") or application.address_of(listener))
        environment = environment_of(state, urls)
        prepare_tables(state, urls)
        sign_ins = _load_demo(state, environment) if with_demo else ""
        collect_static(state, environment)
        with application.running(state, environment, listener) as started:
            state.announce({**urls.as_facts(), "address": environment["BASE_URL"]})
            say(f"\n{sign_ins.strip()}\n" if sign_ins else "")
            say(f"Keel runs at {environment['BASE_URL']}/   (Ctrl-C stops it; logs: {state.logs})")
            application.watch([*servers.processes, *started])
    return 0


def _load_demo(state: State, environment: Mapping[str, str]) -> str:
    return run(state, "Demo company", [*MANAGE, "demo"], environment, log="demo")


def _say_where_it_runs(state: State, running: Mapping[str, str]) -> int:
    if "address" not in running:
        raise Failed(f"A command is at work on {state.folder}. Start again when it has ended.")
    say(f"Keel already runs on {state.folder}, at {running['address']}/")
    return 0


def _say_if_demo(state: State) -> None:
    if state.holds() == "demo" and not database_is_given():
        say(f"{state.folder} holds the demo. Your own data goes apart: KEEL_STATE=DIR.")


def _mark(state: State, kind: str) -> None:
    if not database_is_given() and state.holds() is None:
        state.keep("holds", kind)


def manage(state: State, arguments: Sequence[str]) -> int:
    """Any command of manage.py; standard input, output and exit code are the command's own."""
    state.create()
    by_owner = bool(COMMANDS_OF_THE_OWNER.intersection(arguments[:1]))
    if arguments[:1] in (["import_data"], ["user"]):
        _say_if_demo(state)
    while running := state.lock_or_ask():
        state.enter_as_guest()
        if running == state.announced():
            urls = Urls(running["owner"], running["app"], running["broker"])
            environment = environment_of(state, urls, by_owner=by_owner)
            os.execve(MANAGE[0], [*MANAGE, *arguments], environment)  # noqa: S606
    _mark(state, "demo" if arguments[:1] == ["demo"] else "own")
    with Servers(state) as urls:
        prepare_tables(state, urls)
        state.announce(urls.as_facts())
        environment = environment_of(state, urls, by_owner=by_owner)
        code = processes.run_in_front([*MANAGE, *arguments], environment)
        state.wait_for_guests()
        state.withdraw()
    return code


def test(arguments: Sequence[str]) -> int:
    """pytest on servers that are thrown away; as the owner, who may become the application.

    All tests in two processes, and in one what is asked for by name: tests/sharing.py.
    """
    return _on_passing_servers([sys.executable, "-m", "pytest", *(arguments or ALL_TESTS)])


def bench(arguments: Sequence[str]) -> int:
    """The goals of bench/README.md, measured on servers that are thrown away."""
    return _on_passing_servers([sys.executable, "-m", "bench.run", *arguments])


def chaos(arguments: Sequence[str]) -> int:
    """What chaos/README.md promises, on servers that it starts and kills itself."""
    return processes.run_in_front([sys.executable, "-m", "chaos.run", *arguments], os.environ, ROOT)


def _on_passing_servers(command: Sequence[str]) -> int:
    state = State(Path(mkdtemp(prefix="keel-test-")))
    try:
        state.create()
        with Servers(state, for_tests=True) as urls:
            environment = environment_of(state, urls, by_owner=True) | {"KEEL_MODE": "test"}
            return processes.run_in_front(command, environment, ROOT)
    finally:
        shutil.rmtree(state.folder, ignore_errors=True)


def environment_of(state: State, urls: Urls, *, by_owner: bool = False) -> dict[str, str]:
    """What settings.py reads. Keys belong to their data: ours to ours, given ones to given ones."""
    kept = state.secrets()
    given = os.environ if database_is_given() else {}
    environment = dict(os.environ) | {key: given.get(key) or kept[key] for key in KEYS}
    environment |= {
        "DATABASE_URL": urls.owner if by_owner else urls.app,
        "BROKER_URL": urls.broker,
        "BASE_URL": os.environ.get("BASE_URL") or state.kept("address") or "http://localhost:8000",
        "KEEL_MODE": "demo",
        "LOG_FORMAT": os.environ.get("LOG_FORMAT") or "console",
        "STATIC_ROOT": str(state.folder / "static"),
        "PYTHONUNBUFFERED": "1",
    }
    if not database_is_given():  # psql and pg_dump have to be of the server's version
        environment["PATH"] = f"{programs(person_for_servers())}:{os.environ.get('PATH', '')}"
    environment.pop("CELERY_BROKER_URL", None)  # Celery would follow it instead of ours
    return environment


def prepare_tables(state: State, urls: Urls) -> None:
    """Migrates as the owner, unless nothing has changed since it was done on these data."""
    sources = [*ROOT.glob("*/migrations/*.py"), *ROOT.glob("*/management/commands/grant_*.py")]
    inputs = fingerprint([*sources, *WHAT_IS_INSTALLED])
    if database_is_given() or state.kept("tables") != inputs:
        environment = environment_of(state, urls, by_owner=True)
        run(state, "Tables", [sys.executable, "-m", "stack.prepare"], environment, log="tables")
        if not database_is_given():
            state.keep("tables", inputs)


def collect_static(state: State, environment: Mapping[str, str]) -> None:
    inputs = fingerprint([*ROOT.glob("static/**/*"), *WHAT_IS_INSTALLED])
    if state.kept("static") != inputs:
        command = [*MANAGE, "collectstatic", "--no-input", "--clear", "--verbosity=0"]
        run(state, "Styles and scripts", command, environment, log="static")
        state.keep("static", inputs)


def fingerprint(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in sorted(files):
        if file.is_file():
            digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def run(
    state: State, title: str, command: Sequence[str], environment: Mapping[str, str], *, log: str
) -> str:
    """A step that ends by itself; gives what it prints on standard output."""
    file = state.log(log)
    with step(title, file) as tell, file.open("w") as output, TemporaryFile("w+") as answer:
        code = processes.run_telling(
            command,
            environment,
            ROOT,
            output=answer,
            log=output,
            tell=lambda: tell(last_line(file)),
        )
        answer.seek(0)
        printed = answer.read()
        output.write(printed)
        output.flush()
        if code:
            raise Failed(f"it ended with exit code {code}.")
    return printed


def last_line(log: Path) -> str:
    return (log.read_text(errors="replace").splitlines() or [""])[-1]
