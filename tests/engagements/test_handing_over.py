import pytest

from engagements.models import Owner
from engagements.rules import handing_over
from engagements.rules.handing_over import Brief
from engagements.rules.packs import packs

BRIEF = Brief(
    number="REQ-12",
    customer="Halden Aerospace",
    type="A bug, an outage or a how-to question",
    title="Search is slow",
    requester="Amara Obi",
    problem="Searches take a minute.",
    outcome="Searches answer at once.",
    if_not="They stop the roll-out.",
    needed_by="1 Dec 2026",
    time_reason="The freeze.",
    links=[("zendesk", "https://halden.zendesk.com/tickets/7")],
    seats="100 to 400, likely 200",
    url="https://keel.example/requests/REQ-12/",
    why="Regular support is owned by Customer Support.",
)


def test_the_form_for_context():
    assert (
        handing_over.support_context(BRIEF)
        == """Support ticket context

Customer name:
Halden Aerospace

Link to issue:
zendesk: https://halden.zendesk.com/tickets/7

Background information or anything we should know that would be helpful:
Searches take a minute.
What they want: Searches answer at once.
Seats it would unlock: 100 to 400, likely 200

If an engineer is on the ticket already, send this to them, never into the customer's thread.

Amara Obi, REQ-12 in Keel
https://keel.example/requests/REQ-12/"""
    )


def test_the_form_for_a_request_asks_all_seven_questions_in_their_order():
    text = handing_over.support_request(BRIEF)

    questions = [
        "Customer name:\nHalden Aerospace",
        "Link to issue:\nzendesk",
        "What's the ask:\nSearch is slow\nSearches answer at once.",
        "Why are we making this ask:\nSearches take a minute.",
        "What happens if we don't take this desired action:\nThey stop the roll-out.",
        "if so what is it and why:\n1 Dec 2026\nThe freeze.",
        "Anything else we should know that would be helpful:",
    ]
    places = [text.index(question) for question in questions]
    assert places == sorted(places)


@pytest.mark.parametrize("name", handing_over.TEXTS)
def test_every_text_says_whose_it_is_and_where_it_came_from(name):
    text = handing_over.TEXTS[name](BRIEF)

    assert "Search" in text
    assert text.endswith("REQ-12 in Keel\nhttps://keel.example/requests/REQ-12/")


@pytest.mark.parametrize("name", handing_over.TEXTS)
def test_what_was_not_answered_leaves_no_empty_question(name):
    bare = Brief(number="REQ-1", customer="Halden", type="", title="Ask", requester="Amara")

    assert ":\n\n" not in handing_over.TEXTS[name](bare)


def test_every_owner_has_a_text_and_every_rule_names_one_there_is():
    assert {owner for owner in Owner.values if not handing_over.names_for(owner)} == set()
    rules = [rule for pack in packs().values() for rule in pack.rules]
    assert {rule.hand_over for rule in rules} <= {*handing_over.TEXTS, ""}
    assert handing_over.TEXTS.keys() == handing_over.LABELS.keys()


def test_the_rules_text_comes_first_and_the_other_stays_at_hand():
    assert handing_over.names_for("support", "support_request") == [
        "support_request",
        "support_context",
    ]
    assert handing_over.names_for("support", "gone") == ["support_context", "support_request"]
