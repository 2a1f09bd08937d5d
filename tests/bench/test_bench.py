"""The bench runs, at sizes for seconds, and what it finds that no noise touches."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from bench import databases
from bench.figures import Figures, Sample
from bench.goals import GOALS, lists
from bench.plans.__main__ import kept_of
from bench.plans.names import BIG, HOT
from stack.servers import Servers
from stack.state import State
from tests.factories import AccountFactory

SIZES = (120, 360)


@pytest.fixture(scope="session")
def found(tmp_path_factory):
    """What a whole run at two sizes found, by goal and what.

    On a PostgreSQL of its own: nobody else writes to that one's WAL.
    """
    folder, state = tmp_path_factory.mktemp("bench"), State(tmp_path_factory.mktemp("server"))
    state.create()
    sizes = ",".join(map(str, SIZES))
    # tests/stack starts an installation.
    goals = ",".join(GOALS.keys() - {"start"})
    options = f"--accounts {sizes} --days 9 --nights 3 --rounds 1 --times 1 --out {folder}"
    options += f" --goals {goals}"
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DATABASE_URL", "OWNER_DATABASE_URL"):
            patch.delenv(name, raising=False)
        with Servers(state, for_tests=True) as urls:
            done = subprocess.run(
                [sys.executable, "-m", "bench.run", *options.split()],
                env=os.environ
                | {"DATABASE_URL": urls.owner, "DJANGO_SETTINGS_MODULE": "bench.settings"},
                cwd=settings.BASE_DIR,
                capture_output=True,
                text=True,
                check=False,
            )
    assert done.returncode == 0, done.stderr[-3000:]
    (file,) = folder.iterdir()
    findings = json.loads(file.read_text())["findings"]
    return {(each["goal"], each["what"], each["accounts"]): each for each in findings}


def of(found, goal, what):
    """Return the values of the goal whose name begins so, smallest company first."""
    values = [
        each["value"]
        for (name, text, _), each in sorted(found.items(), key=lambda item: item[0][2])
        if name == goal and text.startswith(what)
    ]
    assert values
    return values


def test_measures_every_goal(found):
    goals = {goal for goal, _, _ in found}
    assert goals == {
        "P1",
        "P2",
        "P3",
        "P4",
        "P5",
        "P6",
        "P7",
        "P8",
        "P9",
        "P10",
        "P11",
        "P12",
        "P13",
    }


def test_a_night_has_as_many_statements_at_any_size(found):
    small, large = of(found, "P1", "statements of a night")
    assert small == large <= 20


def test_a_night_writes_by_what_changed(found):
    assert max(of(found, "P2", "WAL for each changed account, night everybody")) <= 1024


def test_a_night_in_which_nothing_changed_writes_nothing(found):
    assert of(found, "P2", "rows written where nothing changed") == [0, 0]


def test_a_night_from_another_one_says_what_a_full_one_says(found):
    assert of(found, "P3", "differences of incremental and full") == [0, 0]


def test_an_import_has_as_many_statements_for_any_number_of_readings(found):
    assert of(found, "P5", "more statements") == [0, 0]


def test_a_list_of_the_api_takes_few_statements(found):
    assert max(of(found, "P6", "statements")) <= 4


@pytest.mark.parametrize("name", lists.PLANNED)
def test_a_list_that_is_often_asked_for_has_its_indexes(found, name):
    (finding,) = [
        each for (_, what, _), each in found.items() if what.endswith(f"sorted whole: {name}")
    ]
    assert finding["seen"] == {}


def test_creating_many_takes_as_many_statements_as_creating_half_of_them(found):
    for (goal, what, _), finding in found.items():
        if goal == "P9" and what.startswith("statements"):
            assert finding["value"] == finding["seen"]["half as many"] <= 20


def test_every_bad_item_is_told(found):
    assert of(found, "P9", "bad items that were not told") == [0, 0]


def test_pages_take_few_statements(found):
    assert max(of(found, "P10", "statements")) <= 10


def test_a_card_is_moved_among_many_as_among_few(found):
    assert of(found, "P11", "numbers of statements") == [1, 1]
    assert max(of(found, "P11", "projects written")) == 1
    assert max(of(found, "P11", "statements of a move in a column")) <= 8


def test_refuses_a_database_with_data_of_its_own(transactional_db):
    AccountFactory()
    given = os.environ["DATABASE_URL"]
    url = f"{given.rpartition('/')[0]}/{connection.settings_dict['NAME']}"

    with pytest.raises(databases.Refused, match="has not made"):
        databases.company_in(url)


def test_nothing_of_the_application_knows_the_bench():
    for app in ("accounts", "config", "engagements", "events", "metrics", "people", "projects"):
        for module in Path(app).rglob("*.py"):
            names = {
                name for node in ast.walk(ast.parse(module.read_text())) for name in _imported(node)
            }
            assert not {name for name in names if name.split(".")[0] == "bench"}, module


def _imported(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def test_what_was_not_measured_is_named():
    figures = Figures()
    figures.samples["list", 10] = [Sample(0.2), Sample(0.1)]

    assert figures.quickest("list", 10) == 0.1
    with pytest.raises(KeyError, match="dashboard"):
        figures.seconds("dashboard", 10)


def test_lifts_take_as_many_statements_for_any_number_and_write_what_differs(found):
    small, large = of(found, "P13", "statements for the lifts")
    assert small == large <= 6
    assert of(found, "P13", "lifts written where nothing changed") == [0, 0]


@pytest.mark.parametrize("name", HOT)
def test_the_kept_plan_of_a_hot_read_scans_no_big_table(name):
    scanned = {table for table in BIG if f"Seq Scan on {table}" in kept_of(name)}
    assert kept_of(name)
    assert not scanned
