"""Runs the scenarios and the controls: `make chaos`, `make chaos ARGS="--kills 300"`."""

import argparse
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from tempfile import mkdtemp

from chaos import scenarios
from chaos.box import Box
from chaos.company import settle
from chaos.controls import CONTROLS
from chaos.journal import table_of
from chaos.scenarios import Outcome
from stack.state import ROOT

KILLS, ACCOUNTS = 10, 20_000
FEWEST_IN_TRANSACTION = 0.3
# No failure in n independent kills bounds the chance of one at 3/n, with 95% confidence.
RULE_OF_THREE = 3
FEWEST = 10


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS, help="of the worker")
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    outcomes, reds = _run(asked.kills, asked.accounts, random.Random(asked.seed))
    print()
    print(table_of([counters for each in outcomes for counters in each.counters]))
    kills = sum(each.kills for each in outcomes)
    hits = sum(each.in_transaction for each in outcomes)
    bound = min(100.0, 100 * RULE_OF_THREE / max(kills, 1))
    print(f"\nkills and flushes {kills}, in a transaction {hits}; p_loss <= {bound:.0f}% @95%")
    wrong = [f"{each.name}: {line}" for each in outcomes for line in sorted(set(each.wrong))]
    killed = outcomes[0]
    if killed.in_transaction < FEWEST_IN_TRANSACTION * killed.kills:
        wrong.append("too few kills met a transaction: the run says nothing")
    wrong += [
        f"{each.name}: too few {counters.stream} to say anything"
        for each in outcomes
        for counters in each.counters
        if counters.acknowledged < FEWEST
    ]
    wrong += [f"control: {name} lost nothing that was seen" for name, found in reds if not found]
    print("controls: " + ", ".join(f"{name}: {found}" for name, found in reds))
    print("\n".join(["", *wrong]) if wrong else "\nNothing lost, nothing unexpected.")
    return 1 if wrong or not all(each.is_sound for each in outcomes) else 0


def _run(
    kills: int, accounts: int, chance: random.Random
) -> tuple[list[Outcome], list[tuple[str, int]]]:
    outcomes = []
    with Box() as box:
        with _told("a company with five weeks of nights missing"):
            settle(box, accounts)
            token, account = _a_way_in(box)
            box.keep_as_it_is()
        with _told("controls"):
            controls = [(control(box), sign) for control, sign in CONTROLS]
        for title, scenario in (
            ("worker killed", partial(scenarios.worker_killed, kills=kills)),
            ("broker flushed", scenarios.broker_flushed),
            ("database killed", partial(scenarios.database_killed, token=token, account=account)),
        ):
            with _told(title):
                box.start_anew()
                outcomes.append(scenario(box, chance=chance))
            if not outcomes[-1].is_sound:
                kept = mkdtemp(prefix="keel-chaos-logs-")
                shutil.copytree(box.state.logs, kept, dirs_exist_ok=True)
                print(f"Something is wrong; the logs are kept in {kept}")
    return outcomes, [(red.stream, int(getattr(red, sign))) for red, sign in controls]


def _a_way_in(box: Box) -> tuple[str, str]:
    """Return a token that may write readings, and an account to write them for."""
    email = "chaos@keel.example"
    environment = box.environment()
    for command in (
        ["user", "create", email, "--name", "Chaos", "--role", "metric_owner"],
        ["token", "create", "--user", email, "--name", "chaos", "--scope", "seats:write"],
    ):
        done = subprocess.run(
            [sys.executable, "manage.py", *command], cwd=ROOT, env=environment,
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
    return done.stdout.strip(), str(
        box.value("SELECT uuid FROM accounts_account ORDER BY id LIMIT 1")
    )


class _told:  # noqa: N801 reads as a word
    def __init__(self, title: str) -> None:
        self.title = title

    def __enter__(self) -> None:
        self.started = time.monotonic()
        print(f"{self.title} ...", flush=True)

    def __exit__(self, *_: object) -> None:
        print(f"{self.title}: {time.monotonic() - self.started:.0f} s", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("KEEL_MODE", "test")
    sys.exit(main(sys.argv[1:]))
