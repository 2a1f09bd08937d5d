"""The commands, run as a person runs them."""

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from stack import launch
from stack.state import ROOT, State

GIVEN = ("DATABASE_URL", "OWNER_DATABASE_URL", "BROKER_URL", "KEEL_MODE", "PORT", "BASE_URL")


@pytest.fixture
def stack(open_path):
    environment = {name: value for name, value in os.environ.items() if name not in GIVEN}
    environment["KEEL_STATE"] = str(open_path / "a state")

    def run(*arguments, stdin=""):
        return subprocess.run(
            [sys.executable, "-m", "stack", *arguments],
            cwd=ROOT,
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_a_command_has_its_own_input_output_and_exit_code(stack, tmp_path):
    code = "import sys; print(sys.stdin.read().upper(), sys.argv[-1]); sys.exit(3)"
    done = stack("manage", "--", "shell", "--no-imports", "-c", code, stdin="two words")
    assert (done.stdout.split("\n")[0], done.returncode) == (f"TWO WORDS {code}", 3)
    assert "PostgreSQL" in done.stderr

    again = stack("manage", "show_nothing_of_the_kind")
    assert again.returncode == 1
    assert "Unknown command" in again.stderr
    assert "Tables" not in again.stderr  # nothing to migrate a second time

    refused = stack("demo")
    assert refused.returncode == 1
    assert "holds data of your own" in refused.stderr
    assert State(tmp_path / "a state").holds() == "own"


def test_two_commands_at_once_share_servers_until_the_last_ends(stack):
    """The first starts them and ends first; it waits for the second before it stops them."""
    shell = ("manage", "shell", "--no-imports", "-c")
    count = (
        "import time; time.sleep({}); from people.models import User; print(User.objects.count())"
    )
    with ThreadPoolExecutor() as pool:
        first = pool.submit(stack, *shell, count.format(2))
        time.sleep(1)
        second = pool.submit(stack, *shell, count.format(4))
    assert [done.result().returncode for done in (first, second)] == [0, 0]
    assert first.result().stdout == second.result().stdout
    assert "PostgreSQL" in first.result().stderr
    assert second.result().stderr == ""


@pytest.mark.parametrize(
    ("variable", "value"), [("PORT", "abc"), ("PORT", "99999"), ("PORT", "-1")]
)
def test_a_port_that_cannot_be_is_refused(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(launch.Failed, match=value):
        launch.application.listen()


def test_a_taken_port_is_refused_when_asked_for_and_passed_over_when_not(monkeypatch):
    monkeypatch.delenv("PORT", raising=False)
    monkeypatch.setattr(launch.application, "FIRST_PORT", 18765)
    first, second = launch.application.listen(), launch.application.listen()
    try:
        taken, following = (each.getsockname()[1] for each in (first, second))
        assert following > taken >= 18765
        monkeypatch.setenv("PORT", str(taken))
        with pytest.raises(launch.Failed, match=f"Port {taken} .*PORT="):
            launch.application.listen()
    finally:
        first.close()
        second.close()


def test_the_fingerprint_follows_names_and_contents(monkeypatch, tmp_path):
    monkeypatch.setattr(launch, "ROOT", tmp_path)
    file = tmp_path / "a.css"
    file.write_text("one")
    first = launch.fingerprint([file])
    file.write_text("two")
    second = launch.fingerprint([file])
    file.rename(tmp_path / "b.css")
    third = launch.fingerprint([tmp_path / "b.css"])
    assert len({first, second, third}) == 3


def test_make_passes_arguments_on_as_they_stand():
    arguments = (
        """user create a@b.example --name 'Ada "the" L' --note '$HOME costs $5' --role tam"""
    )
    show = f"{sys.executable} -c 'import sys; print(sys.argv[1:])'"
    done = subprocess.run(
        ["make", "-s", "manage", "PYTHON=true", f"PY={show}", f"ARGS={arguments}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    received = ["-m", "stack", "manage", "--", "user", "create", "a@b.example"]
    received += ["--name", 'Ada "the" L', "--note", "$HOME costs $5", "--role", "tam"]
    assert done.stdout.strip() == str(received)


def test_make_alone_tells_what_there_is():
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    targets = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[0]
    for target in targets.split():
        assert f"make {target} " in done.stdout
