"""How rules and facts read: conditions, near misses, examples on one line each. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from config.lib.ui.formats import money_text
from config.lib.values import BadValue, echo, parse_choice, parse_money
from config.lib.values import money_text as plain_money
from engagements.rules.router import (
    ABOVE,
    APPROVAL,
    ASKED,
    AT_MOST,
    CONDITIONS,
    TYPE,
    YES_OR_NO,
    Answer,
    Example,
    Facts,
    NearMiss,
    Rule,
    filled,
)

FACTS = {
    TYPE: "Type",
    "standard_environment": "Standard environment",
    "inside_product": "Changes the product itself",
    "licence_matter": "About licences or renewal",
    "critical": "Critical",
    "over_one_day": "More than one day of work",
    "escalated": "Escalated to Deployment Engineering, with the reason",
    APPROVAL: "Approved by Product Engineering before",
    ABOVE: "ARR above",
    AT_MOST: "ARR at most",
}
# What would have to be so, after "If".
OTHERWISE = {
    ("standard_environment", True): "the environment were a standard one",
    ("standard_environment", False): "the environment were not a standard one",
    ("inside_product", True): "it changed the product itself",
    ("inside_product", False): "it changed nothing in the product itself",
    ("licence_matter", True): "it were about licences or renewal",
    ("licence_matter", False): "it were not about licences or renewal",
    ("critical", True): "it were critical",
    ("critical", False): "it were not critical",
    ("over_one_day", True): "it were more than one day of work",
    ("over_one_day", False): "it were one day of work or less",
    ("escalated", True): "it were escalated to Deployment Engineering, with the reason",
    ("escalated", False): "it were not escalated to Deployment Engineering",
    (APPROVAL, True): "Product Engineering had approved it before",
    (APPROVAL, False): "Product Engineering had not approved it before",
}
PERSON = "person"
ARR = "arr"
YES, NO = "yes", "no"
EXAMPLE = re.compile(r"(?P<facts>[^>]*)->(?P<owner>[^>]*)")


def near_miss_text(miss: NearMiss, *, currency: str) -> str:
    """Return which facts would have to be otherwise: "If the account's ARR were above $50,000"."""
    parts = [_otherwise(change.fact, change.wanted, currency) for change in miss.changes]
    return f"If {' and '.join(parts)}"


def unknown_text(facts: Sequence[str]) -> str:
    """Return what is not known of a near miss, to stand behind it."""
    if not facts:
        return ""
    is_arr = facts[0] in (ABOVE, AT_MOST)
    return f" ({'the ARR is not known' if is_arr else 'not answered'})"


def told(answer: Answer, *, account: str, currency: str) -> dict[str, Any]:
    """Return the answer as it is kept and answered: words and facts of the moment, as JSON."""
    arr = answer.facts.arr
    said = {"account": account, "arr": "not known" if arr is None else money_text(arr, currency)}
    rule = answer.rule
    return {
        "owner": answer.owner or None,
        "needs_a_person": answer.needs_a_person,
        "fast_path": answer.fast_path,
        "needs_sow": answer.needs_sow,
        "rule": _named(rule) if rule else None,
        "why": filled(answer.why, **said),
        "next_step": filled(answer.next_step, **said),
        "way_out": filled(answer.way_out, **said),
        "near_misses": [
            {
                "rule": _named(miss.rule),
                "owner": miss.rule.owner or None,
                "fast_path": miss.rule.fast_path,
                "if": near_miss_text(miss, currency=currency),
                "facts": [change.fact for change in miss.changes],
                "unknown": [change.fact for change in miss.changes if change.is_unknown],
            }
            for miss in answer.near_misses
        ],
        "facts": answer.facts.as_json(),
        "missing": list(answer.facts.missing),
    }


def _named(rule: Rule) -> dict[str, str]:
    return {"slug": rule.slug, "name": rule.name, "since": rule.start.isoformat()}


def facts_text(stored: Mapping[str, Any], *, currency: str) -> list[tuple[str, str]]:
    """Return the facts as kept, each with its label, but for the type."""
    facts = Facts.from_json(stored)
    rows = [
        (FACTS[name], YES if value else NO)
        for name in YES_OR_NO
        if (value := facts.told(name)) is not None
    ]
    if facts.told("inside_product"):
        rows.append((FACTS[APPROVAL], YES if facts.product_approval else NO))
    arr = "not known" if facts.arr is None else money_text(facts.arr, currency)
    return [*rows, ("ARR", arr)]


def conditions_text(conditions: Mapping[str, Any], *, currency: str) -> list[str]:
    """Return the conditions but for the type, a few words each."""
    texts = []
    # Stored as JSON, they come in no order.
    for name in (name for name in CONDITIONS if name in conditions and name != TYPE):
        wanted = conditions[name]
        if name in (ABOVE, AT_MOST):
            texts.append(f"{FACTS[name]} {money_text(Decimal(wanted), currency)}")
        else:
            texts.append(f"{FACTS[name]}: {YES if wanted else NO}")
    return texts


def example_text(example: Example) -> str:
    """Return the example as a line: "one_off, over_one_day=yes, arr=60000.00 -> de"."""
    facts = example.facts
    told = [(name, facts.told(name)) for name in YES_OR_NO if name in ASKED[facts.type]]
    words = [f"{name}={YES if value else NO}" for name, value in told if value is not None]
    if facts.product_approval:
        words.append(f"{APPROVAL}={YES}")
    if facts.arr is not None:
        words.append(f"{ARR}={plain_money(facts.arr)}")
    return f"{', '.join([facts.type, *words])} -> {example.owner or PERSON}"


def examples_of(text: str, *, owners: Sequence[str]) -> list[Example]:
    """Read examples, one on each line. Raises BadValue that names the line."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                found.append(_example(line, owners))
            except BadValue as bad:
                raise BadValue(bad.code, f"Line {number}: {bad.detail}") from bad
    return found


def _example(line: str, owners: Sequence[str]) -> Example:
    parts = EXAMPLE.fullmatch(line)
    if parts is None:
        raise BadValue("no_owner", "Write facts, then “->”, then the owner.")
    type_, *words = [word.strip() for word in parts["facts"].split(",")]
    known: dict[str, Any] = {TYPE: _choice(type_, list(ASKED), "type")}
    for word in words:
        name, _, value = (part.strip() for part in word.partition("="))
        if name == ARR:
            known[ARR] = parse_money(value)
        elif name == APPROVAL or name in ASKED[type_]:
            known[name] = _choice(value, [YES, NO], name) == YES
        else:
            asked = ", ".join([*ASKED[type_], APPROVAL, ARR])
            raise BadValue("not_asked", f"“{echo(name)}” is not asked for {type_}. Use {asked}.")
    owner = _choice(parts["owner"].strip(), [*owners, PERSON], "owner")
    return Example(Facts(**known), "" if owner == PERSON else owner)


def _choice(value: str, allowed: Sequence[str], what: str) -> str:
    try:
        return parse_choice(value, allowed)
    except BadValue as bad:
        words = f"“{echo(value)}” is no {what}. Use one of: {', '.join(allowed)}."
        raise BadValue(bad.code, words) from bad


def _otherwise(fact: str, wanted: Any, currency: str) -> str:
    if fact in (ABOVE, AT_MOST):
        amount = money_text(Decimal(wanted), currency)
        return (
            f"the account's ARR were {f'above {amount}' if fact == ABOVE else f'{amount} or less'}"
        )
    return OTHERWISE[fact, wanted]


def types_text(rule: Rule, labels: Mapping[str, str]) -> list[str]:
    """Return the labels of the types a rule is for; none where it is for all."""
    wanted: str | Iterable[str] = rule.conditions.get(TYPE, ())
    return [labels[each] for each in ([wanted] if isinstance(wanted, str) else wanted)]
