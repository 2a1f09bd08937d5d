import json
import stat
import subprocess
import sys

import pytest

from stack.console import Failed
from stack.state import ROOT, State, new_secrets


@pytest.fixture
def state(tmp_path):
    state = State(tmp_path / "a state")
    state.create()
    yield state
    state.unlock()


def test_one_process_at_a_time(state):
    assert state.try_lock()
    assert not State(state.folder).try_lock()


def test_the_lock_goes_with_its_process(state):
    code = "import sys; from pathlib import Path; from stack.state import State\n"
    code += "print(State(Path(sys.argv[1])).try_lock())"
    command = [sys.executable, "-c", code, str(state.folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
    assert state.try_lock()


def test_others_learn_what_the_holder_announced(state):
    assert state.lock_or_ask() is None
    state.announce({"address": "http://localhost:8000"})
    assert State(state.folder).lock_or_ask() == {"address": "http://localhost:8000"}
    state.withdraw()
    assert State(state.folder).announced() is None


def test_what_a_dead_holder_announced_is_forgotten(state):
    (state.folder / "lock").write_text(json.dumps({"address": "http://localhost:1"}))
    assert state.lock_or_ask() is None
    assert state.announced() is None


def test_waiting_for_another_start_ends(state, monkeypatch):
    monkeypatch.setattr("stack.state.SECONDS_FOR_ANOTHER", 0.3)
    assert state.try_lock()
    with pytest.raises(Failed, match="has not finished"):
        State(state.folder).lock_or_ask()


def test_secrets_are_made_once_and_private(state):
    first = state.secrets()
    assert set(first) == set(new_secrets())
    assert State(state.folder).secrets() == first
    assert stat.S_IMODE((state.folder / "secrets.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(state.logs.stat().st_mode) == 0o700


def test_a_secret_added_later_leaves_the_others_alone(state):
    state.secrets()
    kept = json.loads((state.folder / "secrets.json").read_text())
    del kept["VALKEY_PASSWORD"]
    (state.folder / "secrets.json").write_text(json.dumps(kept))
    assert state.secrets() | kept == state.secrets()
    assert state.secrets()["VALKEY_PASSWORD"]


def test_two_sets_of_secrets_share_nothing():
    assert not set(new_secrets().values()) & set(new_secrets().values())


def test_a_folder_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Failed, match="KEEL_STATE=DIR"):
        State(tmp_path / "file" / "state").create()


def test_the_folder_comes_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("KEEL_STATE", str(tmp_path / "elsewhere"))
    assert State.from_environment().folder == tmp_path / "elsewhere"
    monkeypatch.setenv("KEEL_STATE", "")
    assert State.from_environment().folder == ROOT / ".keel"


def test_each_start_has_its_own_logs(state):
    state.log("web").write_text("first")
    state.begin_logs()
    state.log("web").write_text("second")
    state.begin_logs()
    assert (state.logs / "web.log.1").read_text() == "second"
    assert not state.log("web").exists()
