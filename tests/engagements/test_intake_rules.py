"""What intake reads: links, answers, what a pasted text suggests. Pure."""

import datetime as dt

import pytest

from config.lib.values import BadValue
from engagements.rules.answers import ANSWERS, kept, out_of_order, words_of
from engagements.rules.links import parse_link, parse_links, parse_links_text
from engagements.rules.suggesting import SOURCE_MAX, source_of, suggestions_from

TODAY = dt.date(2026, 11, 10)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://acme.zendesk.com/agent/tickets/44", "zendesk"),
        ("https://github.com/acme/keel/issues/4", "github"),
        ("https://github.acme.example/keel/issues/4", "github"),
        ("https://acme.slack.com/archives/C1/p2?thread_ts=1.2", "slack"),
        ("https://acme.atlassian.net/browse/KEEL-4", "jira"),
        ("https://jira.acme.example/browse/KEEL-4", "jira"),
        ("https://docs.acme.example:8443/a#b", "other"),
        # Whoever else has the word in the name of the host.
        ("https://notgithub.com/a", "other"),
        ("https://github.com.evil.example/a", "github"),
    ],
)
def test_a_link_has_the_kind_of_its_host(url, kind):
    assert parse_link(url) == {"kind": kind, "url": url}


@pytest.mark.parametrize(
    "text",
    [
        "http://github.com/a", "javascript:alert(1)", "https://", "https://localhost/a",
        "https://user@github.com/a", "https://user:pass@github.com/a", "https://a.example:99999/",
        "https://a.example/with space", "https://a.example\\@b.example/", "//github.com/a",
        "https://[::1]/", "https://exa\u202emple.com/", "see https://github.com", "", 7, None,
        "https://a.example/" + "x" * 500,
    ],
)  # fmt: skip
def test_anything_but_a_plain_https_address_is_refused(text):
    with pytest.raises(BadValue):
        parse_link(text)


def test_links_come_one_a_line_each_once_and_ten_at_most():
    text = "https://a.example/1\r\n\n  https://a.example/2 \nhttps://a.example/1"
    assert [link["url"] for link in parse_links_text(text)] == [
        "https://a.example/1",
        "https://a.example/2",
    ]
    with pytest.raises(BadValue, match="At most 10"):
        parse_links([f"https://a.example/{n}" for n in range(11)])
    with pytest.raises(BadValue):
        parse_links("https://a.example/1")


def test_answers_read_back_from_the_words_a_form_shows():
    stored = {
        "critical": True,
        "over_one_day": False,
        "title": "SAML",
        "problem": "One\nTwo",
        "needed_by": dt.date(2026, 11, 30),
        "links": [{"kind": "github", "url": "https://github.com/a"}],
        "seats_likely": 200,
    }
    for name, value in stored.items():
        assert ANSWERS[name].parse_words(words_of(value)) == value
    assert words_of(None) == ""


def test_estimates_are_in_order():
    assert out_of_order({"seats_low": 1, "seats_likely": 1, "seats_high": None}) is None
    assert out_of_order({"seats_low": None, "seats_likely": None, "seats_high": None}) is None
    name, bad = out_of_order({"seats_low": 5, "seats_likely": None, "seats_high": 4})
    assert (name, bad.code) == ("seats_high", "out_of_order")
    assert "4 is less than the low estimate of 5" in bad.detail


def test_what_is_kept_can_be_stored():
    assert kept("a\x00b") == "a\ufffdb"
    assert len(kept("x" * 100_000)) == 50_000


MAIL = """From: Mikkel Dahl <mikkel@halden.example>
Date: Mon, 2 Nov 2026 09:12
Subject: RE: Fwd: SAML for plant staff

Hi Amara,

we need it before 30 November, see https://halden.zendesk.com/agent/tickets/44
(and <https://github.com/halden/x/issues/4>). It was asked for on 3 Feb 2025.
"""


def test_a_mail_suggests_its_subject_its_links_and_the_day_to_come():
    found = suggestions_from(source_of(MAIL), today=TODAY)

    assert found.title == "SAML for plant staff"
    assert [(link["kind"], link["url"]) for link in found.links] == [
        ("zendesk", "https://halden.zendesk.com/agent/tickets/44"),
        ("github", "https://github.com/halden/x/issues/4"),
    ]
    # Neither the day it was sent, nor one that is past.
    assert (found.days, found.day) == ((dt.date(2026, 11, 30),), dt.date(2026, 11, 30))


def test_a_chat_suggests_its_first_sentence_and_no_day_where_there_are_several():
    text = "[09:12] Ada Byron: Hi, can you migrate our cluster by Dec 4th? Or 2026-12-18.\n"
    found = suggestions_from(text, today=TODAY)

    assert found.title == "Can you migrate our cluster by Dec 4th?"
    assert found.days == (dt.date(2026, 12, 4), dt.date(2026, 12, 18))
    assert found.day is None


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("on 5 Jan", dt.date(2027, 1, 5)),
        ("by January 5, 2027", dt.date(2027, 1, 5)),
        ("the 30th November", dt.date(2026, 11, 30)),
        ("on 31 Nov 2026", None),
        ("in 2026-13-45", None),
        ("version 4.12 of may", None),
        ("on 1 Jan 9999", None),
    ],
)
def test_days_are_read_as_people_write_them(words, day):
    assert suggestions_from(words, today=TODAY).day == day


@pytest.mark.parametrize(
    "text", ["", "\n\n", ">>>", "Subject:", "https://a.example/1", "Hi Amara,", "\u200b\u200b"]
)
def test_a_text_that_says_nothing_suggests_no_title(text):
    assert suggestions_from(text, today=TODAY).title == ""


def test_a_long_text_is_read_quickly_and_its_title_is_short():
    found = suggestions_from("word " * 10_000, today=TODAY)
    assert found.title.endswith("…")
    assert len(found.title) < 100
    for nasty in (
        "1 " * 25_000,
        "(" * SOURCE_MAX,
        "https://" * 6_000,
        "a:" * 25_000,
        "> " * 25_000,
    ):
        suggestions_from(nasty, today=TODAY)


def test_the_source_is_kept_without_control_characters():
    assert source_of("  a\r\nb\x00\x1b[31m\rc\t") == "a\nb[31m\nc"
