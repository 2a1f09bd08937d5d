"""The policy of health: parts with their points and parameters, and the bands. docs/health.md."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from config.lib.values import BadValue, parse_integer, parse_name

DEPLOYMENT, TREND, ADOPTION, RENEWAL, REQUESTS = PARTS = (
    "deployment",
    "trend",
    "adoption",
    "renewal",
    "requests",
)
# Requests alone say nothing of how a customer does: without one of these there is no score.
GROUNDS = frozenset({DEPLOYMENT, TREND, ADOPTION, RENEWAL})
FULL = 100
MOST_BANDS = 5
BAND_MAX = 20
# Each parameter of each part, with its lowest and highest value.
PARAMETERS: Mapping[str, Mapping[str, tuple[int, int]]] = {
    DEPLOYMENT: {},
    TREND: {"days": (7, 365), "full_at": (1, 100), "none_at": (1, 100)},
    ADOPTION: {"full_at": (1, 100)},
    RENEWAL: {"weeks": (1, 104)},
    REQUESTS: {"each": (1, 100)},
}


class BadPolicy(ValueError):
    """A policy that cannot be used; `field` is `parts` or `bands`, with what in it is wrong."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Part:
    """What is looked at, its points of 100, and its parameters."""

    code: str
    weight: int
    parameters: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Band:
    name: str
    # The fewest points that are in it.
    least: int


@dataclass(frozen=True, slots=True)
class Policy:
    parts: tuple[Part, ...]
    # The best one first; the last one from 0.
    bands: tuple[Band, ...]

    def part(self, code: str) -> Part | None:
        return next((part for part in self.parts if part.code == code), None)

    @property
    def looks_back(self) -> int | None:
        """How many days before the day the trend begins."""
        part = self.part(TREND)
        return part.parameters["days"] if part else None


def read_policy(*, parts: Any, bands: Any) -> Policy:
    """Return the policy kept as JSON; raises BadPolicy naming what is wrong with which value."""
    if not isinstance(parts, list) or not parts:
        raise BadPolicy("parts", "Give the parts as a list, one at least.")
    read = tuple(_part(given) for given in parts)
    codes = [part.code for part in read]
    if len(set(codes)) != len(codes):
        raise BadPolicy("parts", "A part stands twice.")
    total = sum(part.weight for part in read)
    if total != FULL:
        raise BadPolicy("parts", f"The points add up to {total}. They have to add up to {FULL}.")
    if not any(part.code in GROUNDS and part.weight for part in read):
        raise BadPolicy("parts", "Requests alone make no score. Give another part points too.")
    return Policy(tuple(part for part in read if part.weight), _bands(bands))


def written(policy: Policy) -> dict[str, list[dict[str, Any]]]:
    """Return the policy as JSON: what read_policy reads."""
    return {
        "parts": [
            {"code": part.code, "weight": part.weight, **part.parameters} for part in policy.parts
        ],
        "bands": [{"name": band.name, "from": band.least} for band in policy.bands],
    }


def _part(given: Any) -> Part:
    code = given.get("code") if isinstance(given, Mapping) else None
    if not isinstance(code, str) or code not in PARAMETERS:
        raise BadPolicy("parts", f"A part is one of: {', '.join(PARTS)}.")
    limits = PARAMETERS[code]
    if extra := sorted(given.keys() - {"code", "weight", *limits}):
        raise BadPolicy(f"{code}_{extra[0]}", f"{code} has no “{extra[0]}”.")
    weight = _number(given, code, "weight", 0, FULL)
    return Part(code, weight, {each: _number(given, code, each, *limits[each]) for each in limits})


def _number(given: Mapping[str, Any], code: str, name: str, low: int, high: int) -> int:
    try:
        return parse_integer(given.get(name), low=low, high=high)
    except BadValue as bad:
        raise BadPolicy(f"{code}_{name}", f"{code} {name}: {bad.detail}") from bad


def _bands(given: Any) -> tuple[Band, ...]:
    if not isinstance(given, list) or not 1 < len(given) <= MOST_BANDS:
        raise BadPolicy("bands", f"Give two to {MOST_BANDS} bands, the best first.")
    bands = tuple(_band(each, place) for place, each in enumerate(given))
    if len({band.name.lower() for band in bands}) != len(bands):
        raise BadPolicy("bands", "Two bands have the same name.")
    for place in range(1, len(bands)):
        if bands[place].least >= bands[place - 1].least:
            raise BadPolicy(
                f"from_{place}",
                f"{bands[place].name} has to begin below {bands[place - 1].name},"
                f" below {bands[place - 1].least} points.",
            )
    if bands[-1].least:
        raise BadPolicy(f"from_{len(bands) - 1}", "The last band begins at 0 points.")
    return bands


def _band(given: Any, place: int) -> Band:
    if not isinstance(given, Mapping) or given.keys() != {"name", "from"}:
        raise BadPolicy("bands", "A band has a name and the points it begins at.")
    try:
        name = parse_name(given["name"])
    except BadValue as bad:
        raise BadPolicy(f"name_{place}", bad.detail) from bad
    if len(name) > BAND_MAX:
        raise BadPolicy(f"name_{place}", f"“{name}” is longer than {BAND_MAX} characters.")
    try:
        return Band(name, parse_integer(given["from"], low=0, high=FULL))
    except BadValue as bad:
        raise BadPolicy(f"from_{place}", bad.detail) from bad


def worst_first(bands: Iterable[Band]) -> list[str]:
    return [band.name for band in bands][::-1]
