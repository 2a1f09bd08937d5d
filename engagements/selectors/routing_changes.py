"""What a change of the rules would have done to the requests of the last days."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from engagements.models import RoutingDecision, RoutingRule
from engagements.rules.router import Facts, Rule
from engagements.rules.routing_words import example_text
from engagements.rules.rule_changes import Check, checked, outcome
from engagements.selectors.routing import outcome_label, owner_label, rule_of

DAYS = 90
MOST_LOOKED_AT = 5_000
MOST_SHOWN = 20


@dataclass(frozen=True)
class Moved:
    """A request that would go to somebody else."""

    number: int
    title: str
    account: str
    before: str
    after: str


@dataclass(frozen=True)
class Effect:
    """What would change."""

    check: Check
    moved: list[Moved]
    count: int
    looked_at: int

    @property
    def broken(self) -> list[tuple[str, str, str]]:
        """Return the rule, the example and the owner instead of each that would not hold."""
        return [
            (each.rule.name, example_text(each.example), owner_label(each.owner))
            for each in self.check.broken
        ]

    @property
    def further(self) -> int:
        return self.count - len(self.moved)


def rules_from(day: dt.date) -> list[Rule]:
    """Return the rules in force on the day or planned after it."""
    rows = RoutingRule.objects.order_by("priority", "slug", "start")
    return [rule_of(row) for row in rows if row.end is None or row.end > day]


def effect_of(
    before: Sequence[Rule], after: Sequence[Rule], *, on: dt.date, now: dt.datetime
) -> Effect:
    """Ask both sets of rules, as of a day, about what was submitted of late."""
    decisions = (
        RoutingDecision.objects.filter(
            by=None, at__gte=now - dt.timedelta(days=DAYS), answer__has_key="facts"
        )
        .order_by("-id")
        .values_list("answer", "request_id", "request__title", "request__account__name")
    )
    moved = []
    looked_at = 0
    for answer, number, title, account in decisions[:MOST_LOOKED_AT]:
        looked_at += 1
        facts = Facts.from_json(answer["facts"])
        was, becomes = outcome(facts, before, on=on), outcome(facts, after, on=on)
        if was != becomes:
            words = [outcome_label(owner, fast_path=fast) for owner, fast in (was, becomes)]
            moved.append(Moved(number, title, account, *words))
    return Effect(
        check=checked(after, on=on),
        moved=moved[:MOST_SHOWN],
        count=len(moved),
        looked_at=looked_at,
    )
