"""Who owns a request: dated rules over facts. Pure.

Of the rules in force on a day the first that matches, by priority, wins. A rule matches where all
its conditions hold; a condition on a fact that is not known does not hold. Where no rule matches,
or the one that does names no owner, a person decides.
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product
from typing import Any, NamedTuple

YES_OR_NO = (
    "standard_environment", "inside_product", "licence_matter", "critical", "over_one_day",
    "escalated",
)  # fmt: skip
# What intake asks for each type, in its order. What is not asked does not count.
ASKED: Mapping[str, tuple[str, ...]] = {
    "one_off": ("inside_product", "over_one_day"),
    "non_standard": ("standard_environment", "inside_product"),
    "critical": ("critical",),
    "support": ("critical", "licence_matter"),
    "onboarding": ("standard_environment", "escalated"),
    "licences": (),
    "product": (),
    "opportunity": (),
    "feedback": (),
}
# What a type says by itself.
IMPLIED: Mapping[str, Mapping[str, bool]] = {
    "licences": {"licence_matter": True},
    "product": {"inside_product": True},
}
UNLOCKS_SEATS = frozenset({"one_off", "non_standard", "critical", "onboarding"})
TYPE, APPROVAL = "type", "product_approval"
ABOVE, AT_MOST = "arr_above", "arr_at_most"
CONDITIONS = (TYPE, *YES_OR_NO, APPROVAL, ABOVE, AT_MOST)
# Deployment Engineering, as an owner.
OURS = "de"
CENT = Decimal("0.01")
MOST_CHANGES = 2
MOST_NEAR_MISSES = 3
NO_RULE = "No rule covers these facts, so a person decides."
NOT_ANSWERED = "Not everything that decides it is answered yet."
NO_ARR = "The account's ARR is not known, and it decides who owns this, so a person does."
LEAD_DECIDES = "A DE lead reads it and decides."


def facts_asked(type_: str) -> tuple[str, ...]:
    """Return the names of the facts that matter for a type of request."""
    return ASKED.get(type_, ())


def asks_for_seats(type_: str) -> bool:
    """Whether a request of this type can unlock seats."""
    return type_ in UNLOCKS_SEATS


def asks_for_approval(type_: str, *, inside_product: bool | None) -> bool:
    """Whether a prior approval by Product Engineering would make a difference."""
    return _told(type_, "inside_product", inside_product) is True


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a request; None: not known."""

    type: str = ""
    standard_environment: bool | None = None
    inside_product: bool | None = None
    licence_matter: bool | None = None
    critical: bool | None = None
    over_one_day: bool | None = None
    # With the reason; without one it is not escalated.
    escalated: bool | None = None
    # Product Engineering agreed before, and it is recorded where.
    product_approval: bool = False
    # In the reporting currency.
    arr: Decimal | None = None

    def told(self, name: str) -> bool | None:
        """Return what the request says about a yes or no; None where it is not asked for."""
        return _told(self.type, name, getattr(self, name))

    @property
    def missing(self) -> tuple[str, ...]:
        if not self.type:
            return (TYPE,)
        return tuple(name for name in facts_asked(self.type) if getattr(self, name) is None)

    def as_json(self) -> dict[str, Any]:
        told = {name: self.told(name) for name in YES_OR_NO}
        known = {name: value for name, value in told.items() if value is not None}
        arr = None if self.arr is None else format(self.arr, "f")
        return {TYPE: self.type, **known, APPROVAL: self.product_approval, "arr": arr}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Facts":
        arr = stored.get("arr")
        return cls(
            type=stored.get(TYPE, ""),
            **{name: stored.get(name) for name in YES_OR_NO},
            product_approval=stored.get(APPROVAL, False),
            arr=None if arr is None else Decimal(arr),
        )


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One dated rule. `conditions` is {fact: wanted value}, of the type also a list of them."""

    slug: str
    name: str
    priority: int
    conditions: Mapping[str, Any]
    # Empty: a person decides.
    owner: str = ""
    fast_path: bool = False
    needs_sow: bool = True
    why: str = ""
    next_step: str = ""
    way_out: str = ""
    # Name of a text of engagements.rules.handing_over.
    hand_over: str = ""
    # Run before a rule is saved.
    examples: tuple["Example", ...] = ()
    start: dt.date
    # The first day it is no longer in force.
    end: dt.date | None = None
    # The row it was read from, if any.
    row: int | None = None

    def is_in_force(self, on: dt.date) -> bool:
        return self.start <= on and (self.end is None or on < self.end)

    def matches(self, facts: Facts) -> bool:
        return all(holds(name, wanted, facts) for name, wanted in self.conditions.items())

    def takes_type(self, type_: str) -> bool:
        return TYPE not in self.conditions or type_ in types_of(self.conditions)


class Example(NamedTuple):
    """Facts, and whose they must be; "" is a person's."""

    facts: Facts
    owner: str

    def as_json(self) -> dict[str, Any]:
        return {"facts": self.facts.as_json(), "owner": self.owner}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Example":
        return cls(Facts.from_json(stored["facts"]), stored["owner"])


class Broken(NamedTuple):
    """An example that does not hold, and whose the facts are instead."""

    rule: Rule
    example: Example
    owner: str


@dataclass(frozen=True, kw_only=True)
class Change:
    """A condition that does not hold, and whether that is so because nobody knows."""

    fact: str
    wanted: Any
    is_unknown: bool


@dataclass(frozen=True, kw_only=True)
class NearMiss:
    """A rule that would have won, had these facts been otherwise."""

    rule: Rule
    changes: tuple[Change, ...]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Exactly one owner, or "": a person decides."""

    facts: Facts
    rule: Rule | None
    near_misses: tuple[NearMiss, ...] = ()

    @property
    def owner(self) -> str:
        return self.rule.owner if self.rule else ""

    @property
    def needs_a_person(self) -> bool:
        return not self.owner

    @property
    def fast_path(self) -> bool:
        return self.rule is not None and self.rule.fast_path

    @property
    def needs_sow(self) -> bool:
        return self.owner == OURS and self.rule is not None and self.rule.needs_sow

    @property
    def why(self) -> str:
        if self.rule is not None:
            return self.rule.why
        if self.facts.missing:
            return NOT_ANSWERED
        waits_for_arr = any(
            change.fact in (ABOVE, AT_MOST) and change.is_unknown
            for miss in self.near_misses
            for change in miss.changes
        )
        return NO_ARR if waits_for_arr else NO_RULE

    @property
    def next_step(self) -> str:
        return self.rule.next_step if self.rule else LEAD_DECIDES

    @property
    def way_out(self) -> str:
        return self.rule.way_out if self.rule else ""


def route(facts: Facts, rules: Iterable[Rule], *, on: dt.date) -> Answer:
    """Return who owns it, by which rule, and which rules came near."""
    ordered = in_order(rules, on=on)
    rule = _first(facts, ordered)
    return Answer(facts=facts, rule=rule, near_misses=_near_misses(facts, ordered, rule))


def match(facts: Facts, rules: Iterable[Rule], *, on: dt.date) -> Rule | None:
    """Return the rule that wins, without looking for those that came near."""
    return _first(facts, in_order(rules, on=on))


def in_order(rules: Iterable[Rule], *, on: dt.date) -> list[Rule]:
    in_force = (rule for rule in rules if rule.is_in_force(on))
    return sorted(in_force, key=lambda rule: (rule.priority, rule.slug))


def holds(name: str, wanted: Any, facts: Facts) -> bool | None:
    """Return whether a condition holds; None where nobody knows."""
    if name == TYPE:
        return facts.type in ([wanted] if isinstance(wanted, str) else wanted)
    if name in (ABOVE, AT_MOST):
        if facts.arr is None:
            return None
        line = Decimal(wanted)
        return facts.arr > line if name == ABOVE else facts.arr <= line
    told = facts.told(name)
    return None if told is None else told is wanted


def types_of(conditions: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the types a rule is for: all, where it names none."""
    wanted = conditions.get(TYPE, tuple(ASKED))
    return (wanted,) if isinstance(wanted, str) else tuple(wanted)


def never_asked(conditions: Mapping[str, Any]) -> list[str]:
    """Return the facts wanted that are asked for none of the rule's types: it never matches."""
    types = types_of(conditions)
    return [
        name
        for name in YES_OR_NO
        if name in conditions and not any(_can_be(type_, name, conditions[name]) for type_ in types)
    ]


def every_case(rules: Iterable[Rule]) -> Iterator[Facts]:
    """Yield every combination of facts that could make a difference between these rules."""
    lines = {
        Decimal(rule.conditions[name])
        for rule in rules
        for name in (ABOVE, AT_MOST)
        if name in rule.conditions
    }
    levels = sorted({Decimal(0), *lines, *(line + CENT for line in lines)})
    for type_, asked in ASKED.items():
        choices = [(True, False, None)] * len(asked)
        for told, approval, arr in product(product(*choices), (False, True), (None, *levels)):
            yield Facts(
                type=type_,
                product_approval=approval,
                arr=arr,
                **dict(zip(asked, told, strict=True)),
            )


def never_reached(rules: Sequence[Rule], *, on: dt.date) -> list[Rule]:
    """Return the rules in force that another one always comes before."""
    ordered = in_order(rules, on=on)
    won = {rule.slug for case in every_case(ordered) if (rule := _first(case, ordered))}
    return [rule for rule in ordered if rule.slug not in won]


def broken_examples(rules: Sequence[Rule], *, on: dt.date) -> list[Broken]:
    """Run the examples of the rules in force; return those that do not hold."""
    ordered = in_order(rules, on=on)
    run = (
        (rule, example, _outcome(_first(example.facts, ordered))[0])
        for rule in ordered
        for example in rule.examples
    )
    return [Broken(rule, example, owner) for rule, example, owner in run if owner != example.owner]


def filled(text: str, *, account: str, arr: str) -> str:
    """Fill in the account's name and ARR where a rule's text asks for them."""
    words = {"{account}": account or "The account", "{arr}": arr}
    return re.sub(r"\{(?:account|arr)\}", lambda found: words[found[0]], text)


def _told(type_: str, name: str, value: bool | None) -> bool | None:  # noqa: FBT001 a fact
    if name == APPROVAL:
        return value
    implied = IMPLIED.get(type_, {})
    if name in implied:
        return implied[name]
    return value if name in facts_asked(type_) else None


def _can_be(type_: str, name: str, wanted: object) -> bool:
    return name in facts_asked(type_) or IMPLIED.get(type_, {}).get(name) is wanted


def _first(facts: Facts, ordered: Iterable[Rule]) -> Rule | None:
    return next((rule for rule in ordered if rule.matches(facts)), None)


def _near_misses(
    facts: Facts, ordered: Sequence[Rule], winner: Rule | None
) -> tuple[NearMiss, ...]:
    """Return the rules that would win, and change the answer, by the fewest facts."""
    answered = _outcome(winner)
    found = []
    for rule in ordered:
        changes = () if _outcome(rule) == answered else _changes(facts, rule)
        if changes and len(changes) <= MOST_CHANGES:
            changed = _changed(facts, changes)
            if changed is not None and _first(changed, ordered) is rule:
                found.append(NearMiss(rule=rule, changes=changes))
    # Of as many changes first what brings it to us, then in the order of the rules.
    found.sort(key=lambda miss: (len(miss.changes), miss.rule.owner != OURS))
    return tuple(found[:MOST_NEAR_MISSES])


def _outcome(rule: Rule | None) -> tuple[str, bool]:
    return (rule.owner, rule.fast_path) if rule else ("", False)


def _changes(facts: Facts, rule: Rule) -> tuple[Change, ...]:
    if not rule.takes_type(facts.type):
        return ()
    answers = {name: holds(name, wanted, facts) for name, wanted in rule.conditions.items()}
    return tuple(
        Change(fact=name, wanted=rule.conditions[name], is_unknown=answer is None)
        for name, answer in answers.items()
        if not answer
    )


def _changed(facts: Facts, changes: Iterable[Change]) -> Facts | None:
    """Return the facts as they would be; None where that cannot be for this type."""
    for change in changes:
        if change.fact in (ABOVE, AT_MOST):
            line = Decimal(change.wanted)
            facts = replace(facts, arr=line + CENT if change.fact == ABOVE else line)
        elif change.fact == APPROVAL or change.fact in facts_asked(facts.type):
            facts = replace(facts, **{change.fact: change.wanted})
        else:
            return None
    return facts
