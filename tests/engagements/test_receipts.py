"""Receipt codes, initials, and what a browser calls itself: rules without a database."""

import pytest

from engagements.rules.browsers import browser_of
from engagements.rules.receipts import initials_of, new_receipt, read_receipt


def test_codes_are_all_different_and_read_back_however_they_are_typed():
    codes = {new_receipt() for _ in range(1000)}

    assert len(codes) == 1000
    for code in codes:
        bare = code.replace("-", "")
        assert read_receipt(code) == read_receipt(f" {bare.lower()} ") == code


@pytest.mark.parametrize(
    "text", ["", "K7QF", "K7QF-2M9X-RT4B-WD30", "ÄÄÄÄ-2M9X-RT4B-WD3H", "x" * 90]
)
def test_what_cannot_be_a_code_is_none(text):
    assert read_receipt(text) == ""


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Kari Solberg", "K. S."),
        ("Kari Anne van der Berg", "K. B."),
        ("Øyvind", "Ø."),
        ("", ""),
        ("-- ??", ""),
    ],
)
def test_of_people_only_initials(name, initials):
    assert initials_of(name) == initials


WINDOWS = "Mozilla/5.0 (Windows NT 10.0; rv:144.0) Gecko/20100101 Firefox/144.0"
LINUX = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537 Chrome/142.0 Safari/537 Edg/142.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) Version/26.1 Mobile/1 Safari/604"


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (WINDOWS, "Firefox 144, Windows"),
        (LINUX, "Edge 142, Linux"),
        (PHONE, "Safari 26, iOS"),
        ("curl/8.0", "curl/8.0"),
        ("", ""),
    ],
)
def test_a_browser_in_words(user_agent, words):
    assert browser_of(user_agent) == words
