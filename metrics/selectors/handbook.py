"""Definitions as people read them: parameters, rules as points, worked examples."""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from config.lib.ui.formats import day_text, money_text
from metrics.models import MetricDefinition
from metrics.rules.examples import CURRENCY, EXAMPLES, Example
from metrics.rules.parameters import SEATS_RULE, parameters_of, whole
from metrics.rules.seats_deployed import Policy, Subscription
from metrics.rules.words import shown
from metrics.selectors import runs
from metrics.selectors.reasons import reason_text

A_UNIT = {
    MetricDefinition.Unit.SHARE: "a share",
    MetricDefinition.Unit.COUNT: "a count",
    MetricDefinition.Unit.DURATION: "a duration",
    MetricDefinition.Unit.MONEY: "an amount",
}


@dataclass(frozen=True, slots=True)
class Worked:
    """An example in words."""

    title: str
    known: Sequence[str]
    verdict: str
    why: str


def parameters(definition: MetricDefinition, currency: str) -> list[tuple[str, str, str]]:
    """Return each parameter of a definition: what it is called, its value, a note."""
    values = whole(definition.rule, definition.policy)
    return [
        (each.label, shown(each, values[each.name], currency), each.help)
        for each in parameters_of(definition.rule, definition.policy)
    ]


def examples_of(definition: MetricDefinition) -> list[Worked]:
    """Return the examples that are worked under the definition's own parameters, then the rest."""
    if definition.rule != SEATS_RULE:
        return []
    return [_worked(each) for each in EXAMPLES]


def _worked(example: Example) -> Worked:
    said, known = example.expected, example.account
    told = [_contract(each) for each in known.subscriptions]
    number_of = {instance: n for n, instance in enumerate(known.counted_instances, 1)}
    told += [
        f"instance {number_of[each.instance_id]}: {each.seats} seats, read"
        f" {day_text(each.observed_at.date(), None)} ({each.source.replace('_', '-')})"
        for each in known.readings
    ]
    silent = set(number_of) - {each.instance_id for each in known.readings}
    told += [f"instance {number_of[each]}: never read" for each in sorted(silent)]
    if not known.counted_instances:
        told.append("no counted instance")
    if known.status != "customer":
        told.append(known.status)
    if known.churned_on:
        told.append(f"churned on {day_text(known.churned_on, None)}")
    if known.region:
        told.append(f"region {known.region}")
    told += _other_rules(example.policy)
    if not said.eligible or said.reason == "unlimited":
        verdict = "not in the number"
    elif said.passes is None:
        verdict = "unknown, does not pass"
    else:
        verdict = "passes" if said.passes else "does not pass"
    return Worked(example.title, told, verdict, reason_text(said.reason, example.policy, CURRENCY))


def _contract(each: Subscription) -> str:
    seats = "unlimited seats" if each.unlimited else f"{each.seats or 0} seats"
    if each.arr is not None:
        worth = f"{each.arr:,.2f} {each.currency} of ARR"
    elif each.tcv is not None:
        worth = f"{each.tcv:,.2f} {each.currency} in total"
    else:
        worth = "no amount"
    kind = "" if each.kind == "paid" else f"{each.kind}: "
    end = f" to {day_text(each.end, None)}" if each.end else ""
    return f"{kind}{seats}, {worth}, {day_text(each.start, None)}{end}"


def _other_rules(policy: Policy) -> Iterable[str]:
    start = Policy()
    if policy.grace_days != start.grace_days:
        yield f"grace of {policy.grace_days} days"
    if policy.exclude_regions != start.exclude_regions:
        yield f"left out: {', '.join(policy.exclude_regions)}"
    if policy.min_arr != start.min_arr:
        yield f"ARR above {money_text(policy.min_arr, CURRENCY)}"


INTRODUCTION = """# The definitions of the numbers

Printed from the definitions that Keel computes by: `make manage ARGS="print_definitions"` writes
this file, and a test fails when it is stale. What is shipped stands here; a change is proposed,
back-tested and approved in the definition lab (`/metric/lab/`), and stands on the definition page
(`/metric/definition/`) with its versions.
"""
EXAMPLES_OF = """
### Worked examples

Of 10 March 2026, in US dollars, by definition 1 unless the example says otherwise. Tests run each
of them through the rules and through the ledger.

| example | what is known | verdict | why |
|---|---|---|---|
"""


def printed(day: dt.date) -> str:
    """Return docs/definitions.md: every definition in force on the day."""
    slugs = [runs.SEATS_DEPLOYED, *sorted({*runs.slugs()} - {runs.SEATS_DEPLOYED})]
    in_force = (runs.definition_on(slug, day) for slug in slugs)
    return INTRODUCTION + "".join(map(_section, in_force))


def _section(definition: MetricDefinition) -> str:
    unit = A_UNIT[MetricDefinition.Unit(definition.unit)]
    lines = [
        "",
        f"## {definition.title}",
        "",
        (
            f"`{definition.slug}`, definition {definition.number}, {unit}."
            f" Owner: {definition.owner}."
        ),
        "",
        _deeper(definition.text.strip()),
        "",
    ]
    named = parameters(definition, CURRENCY)
    if named:
        lines += ["| parameter | value |", "|---|---|"]
        lines += [f"| {label} | {value} |" for label, value, _ in named]
        lines.append("")
    told = "\n".join(lines)
    examples = examples_of(definition)
    if definition.slug == runs.SEATS_DEPLOYED:
        told += EXAMPLES_OF + "".join(
            f"| {each.title} | {'; '.join(each.known)} | {each.verdict} | {each.why} |\n"
            for each in examples
        )
    return told


def _deeper(text: str) -> str:
    """Let headings of a text stand below the definition's own."""
    return re.sub(r"^(#+) ", r"##\1 ", text, flags=re.MULTILINE)
