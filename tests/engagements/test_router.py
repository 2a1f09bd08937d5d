"""Who owns a request: the table of the handbook, and every combination of facts."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest

from engagements.models import Owner, RequestType
from engagements.rules import router
from engagements.rules.packs import packs
from engagements.rules.router import Facts, Rule, route
from engagements.rules.routing_words import near_miss_text, told

DAY = dt.date(2026, 11, 20)
ABOVE, AT_THE_LINE = Decimal("50000.01"), Decimal("50000.00")
PERSON = ""


def rules_of(pack):
    return [replace(rule, start=dt.date(2026, 1, 1)) for rule in packs()[pack].rules]


def answer(facts, pack="a", **more):
    return route(replace(Facts(**facts), **more), rules_of(pack), on=DAY)


def rule(slug, priority=1, owner="de", **more):
    values = {"name": slug, "conditions": {}, "start": dt.date(2026, 1, 1), **more}
    return Rule(slug=slug, priority=priority, owner=owner, **values)


ONE_OFF = {"type": "one_off", "inside_product": False, "over_one_day": True}
SUPPORT = {"type": "support", "critical": False, "licence_matter": False}
CRITICAL = {"type": "critical", "critical": True}
TABLE = [
    ("regular support", SUPPORT, "support"),
    ("a problem that is not critical", {"type": "critical", "critical": False}, "support"),
    ("renewal", {"type": "licences"}, "csm_tam"),
    ("a licence question", {**SUPPORT, "licence_matter": True}, "csm_tam"),
    (
        "predefined onboarding",
        {"type": "onboarding", "standard_environment": True, "escalated": False},
        "tam",
    ),
    (
        "onboarding, escalated with the reason",
        {"type": "onboarding", "standard_environment": True, "escalated": True},
        "de",
    ),
    ("integration opportunities", {"type": "opportunity"}, "csm_tam"),
    ("a feature of the product", {"type": "product"}, "rd"),
    ("a one-off inside the product", {**ONE_OFF, "inside_product": True}, "rd"),
    ("approved by Product Engineering", {"type": "product", "product_approval": True}, "de"),
    (
        "non-standard deployment",
        {"type": "non_standard", "standard_environment": False, "inside_product": False},
        "de",
    ),
    ("one-off, above the line", {**ONE_OFF, "arr": ABOVE}, "de"),
    ("one-off, at the line", {**ONE_OFF, "arr": AT_THE_LINE}, PERSON),
    ("one-off, ARR unknown", ONE_OFF, PERSON),
    ("one-off of a day", {**ONE_OFF, "over_one_day": False, "arr": ABOVE}, PERSON),
    ("critical, above the line", {**CRITICAL, "arr": ABOVE}, "de"),
    ("critical, at the line", {**CRITICAL, "arr": AT_THE_LINE}, "support"),
    ("critical, ARR unknown", CRITICAL, PERSON),
    (
        "support turned critical",
        {**SUPPORT, "critical": True, "arr": ABOVE},
        "de",
    ),
    ("feedback", {"type": "feedback"}, "product"),
]


@pytest.mark.parametrize(("facts", "owner"), [pytest.param(f, o, id=i) for i, f, o in TABLE])
def test_the_table_of_the_handbook(facts, owner):
    found = answer(facts)

    assert found.owner == owner
    assert found.needs_a_person is (owner == PERSON)


def test_critical_escalations_go_the_fast_path_and_one_offs_need_a_sow():
    critical = answer({**CRITICAL, "arr": ABOVE})
    one_off = answer(ONE_OFF, arr=ABOVE)

    assert (critical.fast_path, critical.needs_sow) == (True, False)
    assert (one_off.fast_path, one_off.needs_sow) == (False, True)


@pytest.mark.parametrize(
    ("facts", "owner"),
    [
        ({"type": "licences"}, "ae"),
        ({"type": "support", "critical": True, "licence_matter": False, "arr": ABOVE}, "support"),
        ({"type": "product"}, "product"),
        ({**ONE_OFF, "over_one_day": False}, "de"),
        ({"type": "onboarding", "standard_environment": True, "arr": AT_THE_LINE}, "support"),
    ],
)
def test_the_other_pack_divides_the_work_otherwise(facts, owner):
    assert answer(facts, "b").owner == owner


def every_combination():
    arrs = (None, Decimal(0), AT_THE_LINE, ABOVE)
    choices = [(None, False, True)] * len(router.YES_OR_NO)
    for type_, approval, arr, *told_facts in product(router.ASKED, (False, True), arrs, *choices):
        named = dict(zip(router.YES_OR_NO, told_facts, strict=True))
        yield Facts(type=type_, product_approval=approval, arr=arr, **named)


@pytest.mark.parametrize("pack", packs())
def test_every_combination_has_one_answer_and_every_rule_is_reached(pack):
    ordered = router.in_order(rules_of(pack), on=DAY)
    won = set()
    for facts in every_combination():
        matching = [rule for rule in ordered if rule.matches(facts)]
        winner = router.match(facts, reversed(ordered), on=DAY)
        assert winner == (matching[0] if matching else None)
        if winner:
            won.add(winner.slug)
        if not facts.missing and facts.arr is not None:
            assert winner, f"{facts} is nobody's"

    assert won == {rule.slug for rule in ordered}
    assert router.never_reached(ordered, on=DAY) == []


@pytest.mark.parametrize("pack", packs())
def test_a_fact_that_is_not_known_never_decides(pack):
    rules = rules_of(pack)
    for facts in router.every_case(rules):
        winner = router.match(facts, rules, on=DAY)
        wanted = winner.conditions if winner else {}
        assert all(router.holds(name, value, facts) is True for name, value in wanted.items())


@pytest.mark.parametrize("pack", packs())
def test_near_misses_tell_the_truth(pack):
    rules = rules_of(pack)
    for facts in router.every_case(rules):
        found = route(facts, rules, on=DAY)
        assert len(found.near_misses) <= router.MOST_NEAR_MISSES
        for miss in found.near_misses:
            changed = facts
            for change in miss.changes:
                if change.fact == "arr_above":
                    changed = replace(changed, arr=Decimal(change.wanted) + 1)
                elif change.fact == "arr_at_most":
                    changed = replace(changed, arr=Decimal(change.wanted))
                else:
                    changed = replace(changed, **{change.fact: change.wanted})
            assert router.match(changed, rules, on=DAY) == miss.rule
            assert miss.rule.owner != found.owner or miss.rule.fast_path != found.fast_path


@pytest.mark.parametrize("pack", packs())
def test_packs_hold_their_own_examples_and_name_what_there_is(pack):
    rules = rules_of(pack)

    assert router.broken_examples(rules, on=DAY) == []
    assert {rule.owner for rule in rules} <= {*Owner.values, ""}
    assert all(rule.examples and rule.why and rule.next_step for rule in rules)
    assert len({rule.priority for rule in rules}) == len(rules)
    assert not any(router.never_asked(rule.conditions) for rule in rules)


def test_every_type_is_known_to_the_router():
    assert set(router.ASKED) == set(RequestType.values)
    assert all(set(router.facts_asked(type_)) <= set(router.YES_OR_NO) for type_ in router.ASKED)
    assert router.asks_for_seats("one_off")
    assert not router.asks_for_seats("licences")


def test_the_nearest_miss_comes_first_and_says_which_fact_would_change_it():
    found = answer(ONE_OFF, arr=Decimal(48_000))
    words = [near_miss_text(miss, currency="USD") for miss in found.near_misses]

    assert words[:2] == [
        "If the account's ARR were above $50,000",
        "If it changed the product itself",
    ]
    assert [miss.rule.owner for miss in found.near_misses][:2] == ["de", "rd"]


def test_what_is_not_known_is_said_to_be_so():
    found = answer({"type": "critical", "critical": True})

    assert found.why == router.NO_ARR
    assert [near_miss_text(miss, currency="EUR") for miss in found.near_misses][:2] == [
        "If the account's ARR were above €50,000",
        "If the account's ARR were €50,000 or less",
    ]
    misses = told(found, account="", currency="EUR")["near_misses"]
    assert [miss["unknown"] for miss in misses][:2] == [["arr_above"], ["arr_at_most"]]
    assert answer({"type": "one_off"}).why == router.NOT_ANSWERED
    assert answer({}).facts.missing == ("type",)


def test_facts_that_are_not_asked_for_a_type_do_not_count():
    stale = {"type": "feedback", "licence_matter": True, "critical": True, "arr": ABOVE}

    assert answer(stale).owner == "product"
    assert answer(stale).facts.as_json() == {
        "type": "feedback",
        "product_approval": False,
        "arr": "50000.01",
    }


def test_rules_hold_from_their_first_day_to_the_day_before_their_end():
    old = rule("how-to", owner="de", end=dt.date(2026, 8, 1))
    new = rule("how-to", owner="support", start=dt.date(2026, 8, 1))

    def owner_on(day):
        return route(Facts(type="support"), [new, old], on=day).owner

    assert owner_on(dt.date(2025, 12, 31)) == ""
    assert owner_on(dt.date(2026, 7, 31)) == "de"
    assert owner_on(dt.date(2026, 8, 1)) == "support"


def test_of_the_same_priority_the_name_decides_always_alike():
    rules = [rule("beech", owner="rd"), rule("alder", owner="de")]

    owners = [route(Facts(type="support"), each, on=DAY).owner for each in (rules, rules[::-1])]
    assert owners == ["de", "de"]


def test_no_rule_at_all_is_a_persons():
    found = route(Facts(type="licences"), [], on=DAY)

    assert (found.owner, found.why, found.near_misses) == ("", router.NO_RULE, ())


def test_a_rule_that_another_always_precedes_is_found():
    rules = [rule("all", 1), rule("never", 2, conditions={"type": "support"})]

    assert [each.slug for each in router.never_reached(rules, on=DAY)] == ["never"]


def test_a_condition_that_intake_never_asks_about_is_found():
    assert router.never_asked({"type": "feedback", "critical": True}) == ["critical"]
    assert router.never_asked({"type": ["feedback", "support"], "critical": True}) == []
    assert router.never_asked({"type": "licences", "licence_matter": False}) == ["licence_matter"]


def test_the_answer_names_the_account_and_survives_any_braces():
    tricky = rule("tricky", why="{account} is at {arr}; {unknown} {0} {")
    found = route(Facts(type="feedback", arr=Decimal("412000")), [tricky], on=DAY)

    why = told(found, account="Halden {arr}", currency="USD")["why"]
    assert why == "Halden {arr} is at $412,000; {unknown} {0} {"


def test_facts_come_back_from_json_as_they_were():
    facts = Facts(**ONE_OFF, arr=Decimal("50000.10"), product_approval=True)

    assert Facts.from_json(facts.as_json()) == facts
