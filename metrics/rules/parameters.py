"""The parameters of a definition: which there are, what they may be, and what they are called.

Those of numbers made from accounts are named one by one; of the others a policy may change what it
holds already, within the kind of each value, and of sums over rows the least ARR besides. Nothing
else can get into a policy.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from config.lib.values import (
    BadValue,
    echo,
    parse_boolean,
    parse_boolean_text,
    parse_decimal,
    parse_integer,
    parse_integer_text,
    parse_money,
    plain_text,
)
from metrics.rules.derived import ROW_RULES

Kind = Literal["money", "whole", "number", "yes", "words", "order"]
Values = Mapping[str, Any]

SEATS_RULE = "seats-deployed"
SOURCES = {
    "telemetry": "telemetry",
    "api": "API",
    "import": "file import",
    "air_gapped": "air-gapped file",
    "manual": "entered by hand",
}
MOST_DAYS = 3_650
# What every night has to work through.
MOST_REOPENED, MOST_QUARTERS = 366, 40
MOST_WORDS = 200
WORD_MAX = 60
NUMBER_PLACES, NUMBER_DIGITS = 6, 12
# Bounds of runs that are held: carried over from version to version, changed elsewhere.
CARRIED = frozenset({"hold"})
GRACE = "grace_days"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value of a policy. `choices` of words are what there is to choose from."""

    name: str
    label: str
    kind: Kind
    help: str = ""
    low: int = 0
    high: int = MOST_DAYS
    suffix: str = ""
    default: Any = None

    def parse(self, sent: object, *, as_text: bool = False) -> Any:
        """Return the value as policies keep it. Raises BadValue."""
        match self.kind:
            case "money":
                return _plain(parse_money(sent))
            case "number":
                return _plain(parse_decimal(sent, places=NUMBER_PLACES, whole_digits=NUMBER_DIGITS))
            case "whole":
                read = parse_integer_text if as_text else parse_integer
                return read(sent, low=self.low, high=self.high)
            case "yes":
                return parse_boolean_text(sent) if as_text else parse_boolean(sent)
            case "order":
                return _order(sent)
        return _words(sent)


SEATS: tuple[Parameter, ...] = (
    Parameter(
        "min_arr", "ARR above", "money", "In the reporting currency. Exactly that much is out.",
        default="50000",
    ),
    Parameter(
        "share_percent", "Deployed of licensed, at least", "whole",
        "In whole percent, never rounded first.", low=1, high=100, suffix="%", default=80,
    ),
    Parameter(
        "stale_days", "A reading is stale after", "whole", "An older reading is not used.",
        low=1, high=MOST_DAYS, suffix=" days", default=60,
    ),
    Parameter(
        "source_order", "Same moment, two sources", "order", "The first one counts.",
        default=list(SOURCES),
    ),
    Parameter(
        GRACE, "Grace for new customers", "whole",
        "So many days from the first paid contract on, a customer is left out.",
        low=0, high=MOST_DAYS, suffix=" days", default=0,
    ),
    Parameter("exclude_regions", "Regions left out", "words", default=[]),
    Parameter("exclude_segments", "Segments left out", "words", default=[]),
    Parameter(
        "roll_up", "Child accounts count at their topmost parent", "yes", default=False,
    ),
)  # fmt: skip


# Of numbers worked out from rows, what can be set beside what their policy holds.
FROM_ROWS: Mapping[str, Sequence[Parameter]] = dict.fromkeys(
    ROW_RULES,
    (
        Parameter(
            "min_arr", "Only accounts with ARR above", "money",
            "In the reporting currency. Exactly that much is out. With 0 every account counts.",
            default="0",
        ),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choices:
    """The regions and segments there are."""

    regions: Collection[str] = ()
    segments: Collection[str] = ()

    def of(self, name: str) -> Collection[str]:
        return self.regions if name == "exclude_regions" else self.segments


class BadPolicy(ValueError):
    """What is wrong with a policy, by the name of each parameter."""

    def __init__(self, wrong: Mapping[str, BadValue]) -> None:
        super().__init__("; ".join(f"{name}: {bad.detail}" for name, bad in wrong.items()))
        self.wrong = wrong


@dataclass(frozen=True, slots=True)
class Line:
    """A parameter before and after."""

    parameter: Parameter
    before: Any
    after: Any

    @property
    def is_changed(self) -> bool:
        return bool(self.before != self.after)


def parameters_of(rule: str, policy: Values) -> list[Parameter]:
    """Return what can be set of a definition with this rule."""
    if rule == SEATS_RULE:
        return list(SEATS)
    added = FROM_ROWS.get(rule, ())
    apart = CARRIED.union(each.name for each in added)
    found = (_like(name, value) for name, value in sorted(policy.items()) if name not in apart)
    return [*(each for each in found if each is not None), *added]


def whole(rule: str, policy: Values) -> dict[str, Any]:
    """Return the policy with everything that it leaves out, so that two can be compared."""
    if rule != SEATS_RULE:
        return {each.name: each.default for each in FROM_ROWS.get(rule, ())} | dict(policy)
    values = {each.name: policy.get(each.name, each.default) for each in SEATS}
    values["min_arr"] = _plain(Decimal(values["min_arr"]))
    for each in SEATS:
        if each.kind == "words":
            values[each.name] = sorted(values[each.name])
        elif each.kind == "order":
            values[each.name] = list(values[each.name])
    carried = {name: policy[name] for name in sorted(CARRIED & policy.keys())}
    return values | carried


def changed(
    rule: str, base: Values, sent: Values, *, choices: Choices | None = None, as_text: bool = False
) -> dict[str, Any]:
    """Return the base's policy with these values put in. Raises BadPolicy, all at once."""
    before = whole(rule, base)
    known = {each.name: each for each in parameters_of(rule, base)}
    wrong: dict[str, BadValue] = {}
    after = dict(before)
    for name, value in sent.items():
        if name not in known:
            listed = ", ".join(known)
            wrong[echo(name)] = BadValue("unknown", f"There is no such parameter. Use: {listed}.")
            continue
        try:
            after[name] = known[name].parse(value, as_text=as_text)
            if known[name].kind == "words" and choices is not None:
                _require_known(after[name], {*choices.of(name), *before[name]})
        except BadValue as bad:
            wrong[name] = bad
    if wrong:
        raise BadPolicy(wrong)
    return after


def lines(rule: str, before: Values, after: Values) -> list[Line]:
    old, new = whole(rule, before), whole(rule, after)
    return [
        Line(each, old.get(each.name), new.get(each.name)) for each in parameters_of(rule, before)
    ]


def content_digest(slug: str, base: object, rule: str, policy: Values) -> str:
    """Hash what a number depends on: another content needs another back-test."""
    told = [slug, str(base), rule, whole(rule, policy)]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Named:
    label: str
    help: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


_KNOWN = {
    "window_days": _Named("Window", "The day and those before it.", {"low": 1, "suffix": " days"}),
    "reopen_days": _Named(
        "Reopened",
        "Finished days that late facts revise. Each of them is looked at every night.",
        {"low": 1, "high": MOST_REOPENED, "suffix": " days"},
    ),
    "quarters": _Named(
        "Quarters", "That of the day and those after it.", {"low": 1, "high": MOST_QUARTERS}
    ),
}


def _like(name: str, value: Any) -> Parameter | None:
    """Return a parameter of the kind that the value has; None for what cannot be set here."""
    named = _KNOWN.get(name) or _Named(_label(name), "", _extra(name))
    if isinstance(value, bool):
        return Parameter(name, named.label, "yes", named.help)
    if isinstance(value, int):
        return Parameter(name, named.label, "whole", named.help, **named.extra)
    if isinstance(value, str) and _is_number(value):
        return Parameter(name, named.label, "number", named.help)
    return None


def _plain(number: Decimal) -> str:
    return plain_text(number.normalize())


def _label(name: str) -> str:
    words = name.removesuffix("_days").removesuffix("_percent").replace("_", " ")
    return words[:1].upper() + words[1:].replace("arr", "ARR")


def _extra(name: str) -> dict[str, Any]:
    if name.endswith("_days"):
        return {"suffix": " days"}
    if name.endswith("_percent"):
        return {"high": 100, "suffix": "%"}
    return {"high": 1_000_000_000}


def _is_number(text: str) -> bool:
    try:
        parse_decimal(text, places=NUMBER_PLACES, whole_digits=NUMBER_DIGITS)
    except BadValue:
        return False
    return True


def _strings(sent: object) -> list[str]:
    if not isinstance(sent, Sequence) or isinstance(sent, str):
        raise BadValue("not_a_list", "Write this as a list.")
    if len(sent) > MOST_WORDS:
        raise BadValue("too_many", f"At most {MOST_WORDS} values.")
    if not all(isinstance(each, str) and 0 < len(each) <= WORD_MAX for each in sent):
        raise BadValue("not_words", f"Write each as a text of at most {WORD_MAX} characters.")
    return [str(each) for each in sent]


def _order(sent: object) -> list[str]:
    found = _strings(sent)
    if sorted(found) != sorted(SOURCES):
        listed = ", ".join(SOURCES)
        raise BadValue("not_an_order", f"Name each source once, the first one first: {listed}.")
    return found


def _words(sent: object) -> list[str]:
    return sorted(set(_strings(sent)))


def _require_known(found: Sequence[str], known: Collection[str]) -> None:
    missing = [each for each in found if each not in known]
    if missing:
        named = ", ".join(f"“{echo(each)}”" for each in missing)
        raise BadValue("no_such_choice", f"No account has {named}. Choose from what there is.")
