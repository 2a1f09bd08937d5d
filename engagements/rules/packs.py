"""Sets of rules that come with Keel: engagements/packs/*.toml."""

import datetime as dt
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from engagements.rules.router import Example, Rule

FOLDER = Path(__file__).resolve().parent.parent / "packs"


@dataclass(frozen=True, kw_only=True)
class Pack:
    slug: str
    name: str
    about: str
    # Their first day is set when they are adopted.
    rules: tuple[Rule, ...]


@cache
def packs() -> dict[str, Pack]:
    return {path.stem: _read(path) for path in sorted(FOLDER.glob("*.toml"))}


def rule_from(stored: dict[str, Any], *, start: dt.date) -> Rule:
    examples = tuple(Example.from_json(each) for each in stored.get("examples", ()))
    return Rule(**{**stored, "examples": examples}, start=start)


def _read(path: Path) -> Pack:
    stored = tomllib.loads(path.read_text())
    rules = tuple(rule_from(rule, start=dt.date.min) for rule in stored["rules"])
    return Pack(slug=path.stem, name=stored["name"], about=stored["about"], rules=rules)
