"""What a change of the rules would be, before it is made. Pure."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

from engagements.rules import router
from engagements.rules.packs import Pack
from engagements.rules.router import Broken, Facts, Rule

TERMS = tuple(field.name for field in fields(Rule) if field.name not in {"start", "end", "row"})


def with_rule(rules: Iterable[Rule], rule: Rule) -> list[Rule]:
    """Return the rules as they would be from the new version's first day."""
    return [*(each for each in rules if each.slug != rule.slug), rule]


def without(rules: Iterable[Rule], slug: str) -> list[Rule]:
    return [rule for rule in rules if rule.slug != slug]


def same_terms(one: Rule, other: Rule) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in TERMS)


@dataclass(frozen=True)
class Adoption:
    """What adopting a pack means: rules that stay as they are, that end, that begin."""

    stay: list[Rule]
    end: list[Rule]
    begin: list[Rule]

    @property
    def rules(self) -> list[Rule]:
        return [*self.stay, *self.begin]


def adoption(pack: Pack, rules: Sequence[Rule], *, start: dt.date) -> Adoption:
    """Compare the pack with the rules in force or planned from its first day on."""
    wanted = {rule.slug: replace(rule, start=start) for rule in pack.rules}
    stay = [
        rule
        for rule in rules
        if rule.end is None
        and rule.is_in_force(start)
        and rule.slug in wanted
        and same_terms(rule, wanted[rule.slug])
    ]
    staying = {rule.slug for rule in stay}
    return Adoption(
        stay=stay,
        end=[rule for rule in rules if rule not in stay and _lasts(rule, start)],
        begin=[rule for slug, rule in wanted.items() if slug not in staying],
    )


def _lasts(rule: Rule, start: dt.date) -> bool:
    return rule.end is None or rule.end > start


@dataclass(frozen=True)
class Check:
    """What is wrong with rules: examples that do not hold, rules that never win."""

    broken: list[Broken]
    unreached: list[Rule]

    def broken_of(self, slug: str) -> list[Broken]:
        return [each for each in self.broken if each.rule.slug == slug]


def checked(rules: Sequence[Rule], *, on: dt.date) -> Check:
    return Check(
        broken=router.broken_examples(rules, on=on),
        unreached=router.never_reached(rules, on=on),
    )


def outcome(facts: Facts, rules: Sequence[Rule], *, on: dt.date) -> tuple[str, bool]:
    """Return whose the facts are, and whether on the fast path."""
    rule = router.match(facts, rules, on=on)
    return (rule.owner, rule.fast_path) if rule else ("", False)
