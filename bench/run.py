"""Measures the goals at some sizes: `python -m bench.run --accounts 10000,100000 --rounds 5`."""

import argparse
import datetime as dt
import json
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench import generate, machine, report
from bench.databases import Company, Refused
from bench.figures import Case, Figures, Finding, met
from bench.goals import GOALS
from bench.workers import Worker

RESULTS = Path(__file__).with_name("results")


def measure(
    companies: Sequence[Company], *, goals: Sequence[str], rounds: int, times: int
) -> tuple[list[Finding], dict[str, Any]]:
    """Let every case of every size take its turn in each round."""
    urls = generate.ensure(companies, say=_say)
    asked = [GOALS[name] for name in GOALS if name in goals]
    figures = Figures()
    with ExitStack() as stack:
        workers = {size: stack.enter_context(Worker(url)) for size, url in urls.items()}
        surroundings = machine.described(workers[companies[0].accounts])
        for module in asked:
            cases = list(module.cases(companies, times))
            for number in range(rounds):
                _say(f"  {module.__name__.rpartition('.')[2]}, round {number + 1} of {rounds}")
                for case in cases:
                    if number % case.every == 0:
                        figures.add(case, _answer(workers, case))
    surroundings["load at the end"] = machine.load()
    return [
        finding for module in asked for finding in module.findings(figures, companies)
    ], surroundings


def _answer(workers: dict[int, Worker], case: Case) -> Any:
    return workers[case.size].ask(case.function, *case.arguments)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument("--accounts", default=",".join(map(str, generate.SIZES)), help="sizes")
    parser.add_argument("--days", type=int, default=generate.DAYS)
    parser.add_argument("--nights", type=int, default=generate.NIGHTS)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--times", type=int, default=3, help="requests in a row, of each round")
    parser.add_argument("--goals", default=",".join(GOALS), help=f"some of {', '.join(GOALS)}")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where results are kept")
    asked = parser.parse_args(arguments)
    os.environ.setdefault("KEEL_MODE", "test")
    try:
        companies = [
            generate.company_of(int(size), asked.days, nights=asked.nights)
            for size in asked.accounts.split(",")
        ]
        found, surroundings = measure(
            companies, goals=asked.goals.split(","), rounds=asked.rounds, times=asked.times
        )
    except Refused as refused:
        _say(str(refused))
        return 1
    print(report.as_text(found, surroundings))
    asked.out.mkdir(exist_ok=True)
    kept = asked.out / f"{dt.datetime.now(dt.UTC):%Y-%m-%d-%H%M}.json"
    told = {"machine": surroundings, "findings": [finding.as_json() for finding in found]}
    kept.write_text(json.dumps(told, indent=1) + "\n")
    good, judged = met(found)
    print(f"\n{good} of {judged} goals met. Kept in {kept}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
