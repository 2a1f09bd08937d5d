"""Keeps the plans of the hottest reads, or checks them: `python -m bench.plans --check`.

The company is made where it is not there yet, as with bench.run; a million accounts take a while.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from bench import generate
from bench.databases import Refused
from bench.plans.names import FOLDER, HOT
from bench.workers import Worker


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.plans", description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=10, help="days of readings")
    parser.add_argument("--nights", type=int, default=4)
    parser.add_argument("--until", default="", help="the last day counted; default: yesterday")
    parser.add_argument("--check", action="store_true", help="refuse scans, keep nothing")
    asked = parser.parse_args(arguments)
    os.environ.setdefault("KEEL_MODE", "test")
    try:
        company = generate.company_of(
            asked.accounts, asked.days, nights=asked.nights, until=asked.until
        )
        (url,) = generate.ensure([company], say=lambda text: print(text, file=sys.stderr)).values()
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    with Worker(url) as worker:
        return _checked(worker) if asked.check else _kept(worker)


def _checked(worker: Worker) -> int:
    refused = 0
    for name in HOT:
        if scanned := worker.ask("bench.plans.hot:scans_of", name):
            refused += 1
            print(f"{name} reads all of {', '.join(scanned)}")
        elif worker.ask("bench.plans.hot:plans_of", name) != kept_of(name):
            print(f"{name} is answered otherwise than kept; run without --check to see how")
    print(f"{len(HOT) - refused} of {len(HOT)} reads go by an index.")
    return 1 if refused else 0


def _kept(worker: Worker) -> int:
    for name in HOT:
        text = worker.ask("bench.plans.hot:plans_of", name)
        (FOLDER / f"{name}.txt").write_text(f"{text}\n")
        print(name)
    return 0


def kept_of(name: str) -> str:
    file = FOLDER / f"{name}.txt"
    return file.read_text().rstrip("\n") if file.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
