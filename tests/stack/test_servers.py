"""Real servers, started and stopped as `make demo` does."""

import os
import subprocess
import sys
import time
from subprocess import DEVNULL, PIPE

import psycopg2
import pytest
import redis

from stack import postgres
from stack.console import Failed
from stack.servers import Servers
from stack.state import ROOT, State


@pytest.fixture(autouse=True)
def no_given_servers(monkeypatch):
    for name in ("DATABASE_URL", "OWNER_DATABASE_URL", "BROKER_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def state(open_path):
    state = State(open_path / "a state")
    state.create()
    return state


def ask(url, statement):
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else None
    finally:
        connection.close()


def test_the_roles_are_those_of_production_and_data_outlive_a_stop(state):
    with Servers(state) as urls:
        ask(urls.owner, "CREATE TABLE kept (name text); INSERT INTO kept VALUES ('Ü')")
        assert ask(urls.app, "SELECT current_user, current_database()") == [("keel_app", "keel")]
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            ask(urls.app, "CREATE TABLE mine (id int)")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            ask(urls.app, "SELECT * FROM kept")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            ask(urls.owner, "CREATE ROLE another")
        ask(urls.app, "CREATE TEMPORARY TABLE staging (id int)")
        with redis.Redis.from_url(urls.broker) as client:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            client.rpush("queue", "work")
    with Servers(state) as urls:
        assert ask(urls.owner, "SELECT lower(name) FROM kept") == [("ü",)]
        with redis.Redis.from_url(urls.broker) as client:
            assert client.lrange("queue", 0, -1) == [b"work"]


def test_servers_end_with_their_supervisor_and_start_again_after_it_was_killed(state):
    code = """
import sys, time
from pathlib import Path
from stack.servers import Servers
from stack.state import State
with Servers(State(Path(sys.argv[1]))) as urls:
    print(urls.owner, urls.broker, flush=True)
    time.sleep(60)
"""
    command = [sys.executable, "-c", code, str(state.folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=PIPE, stderr=DEVNULL, text=True) as supervisor:
        owner, broker = supervisor.stdout.readline().split()
        ask(owner, "CREATE TABLE kept AS SELECT 1 AS one")
        supervisor.kill()
    with Servers(state) as urls:
        assert ask(urls.owner, "SELECT one FROM kept") == [(1,)]
    with pytest.raises(psycopg2.OperationalError):
        ask(owner, "SELECT 1")
    with redis.Redis.from_url(broker) as client, pytest.raises(redis.ConnectionError):
        client.ping()


def test_a_database_of_another_version_is_refused_by_name(state):
    with Servers(state):
        pass
    [version] = state.folder.glob("postgres/data/PG_VERSION")
    version.write_text("17\n")
    named = pytest.raises(Failed, match=r"are of PostgreSQL 17, and this is 18\..*Upgrading")
    with named, Servers(state):
        pass


def test_a_failing_step_names_its_log(state, monkeypatch):
    monkeypatch.setitem(postgres.SETTINGS, "shared_buffers", "none")
    with pytest.raises(Failed) as failure, Servers(state):
        pass
    assert str(failure.value).startswith("PostgreSQL: it did not start.")
    assert f"Last lines of {state.log('postgres')}" in str(failure.value)
    assert 'invalid value for parameter "shared_buffers"' in str(failure.value)


def test_given_servers_are_used_and_left_running(state, monkeypatch):
    with Servers(state, for_tests=True) as ours:
        monkeypatch.setenv("DATABASE_URL", ours.owner)
        monkeypatch.setenv("BROKER_URL", ours.broker)
        monkeypatch.setenv("APP_DB_ROLE", "keel_app")
        given = Servers(State(state.folder / "other"), for_tests=True)
        with given as urls:
            assert (urls.owner, urls.app, urls.broker) == (ours.owner, ours.owner, ours.broker)
        assert given.processes == []
        assert ask(ours.owner, "SELECT 1") == [(1,)]


def test_a_given_database_that_is_down_is_named(state, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://keel@127.0.0.1:1/keel")
    named = pytest.raises(Failed, match="PostgreSQL of DATABASE_URL: it does not answer")
    with named, Servers(state):
        pass


def test_nothing_is_left_of_servers_for_tests(state):
    with Servers(state, for_tests=True) as urls:
        assert ask(urls.owner, "SHOW fsync") == [("off",)]
        ask(urls.owner, "SET ROLE keel_app")
    assert not list(state.folder.glob("postgres/*"))


def test_processes_of_ours_are_gone_after_a_stop(state):
    running = Servers(state)
    with running:
        pids = [process.popen.pid for process in running.processes]
    time.sleep(0.1)
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
