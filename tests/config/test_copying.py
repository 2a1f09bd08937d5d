"""What is copied into a table comes out as it went in."""

import datetime as dt
import json
from decimal import Decimal

import pytest
from django.db import connection

from config.lib import copying

pytestmark = pytest.mark.django_db
TEXTS = [
    "", " ", r"\N", "\\", "a\tb", "a\nb\r\n", "\\.", "日本語 🙂", '"', "x" * 100_000, "\\n", "é\\",
]  # fmt: skip


@pytest.fixture
def table():
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE copied (place serial, text text, number numeric, yes boolean,"
            " day date, content jsonb) ON COMMIT DROP"
        )
    return "copied"


def stored():
    with connection.cursor() as cursor:
        cursor.execute("SELECT text, number, yes, day, content::text FROM copied ORDER BY place")
        return cursor.fetchall()


def test_values_of_each_sort(table):
    day = dt.date(2026, 1, 2)
    rows = [("a", Decimal("1E+3"), True, day, {"a": ["\t\\", None, "é"]}), (None,) * 5]

    copying.copy_rows(table, ("text", "number", "yes", "day", "content"), rows)

    first, second = stored()
    assert first[:4] == ("a", Decimal(1000), True, day)
    assert json.loads(first[4]) == {"a": ["\t\\", None, "é"]}
    assert second == (None,) * 5


def test_texts_that_mean_something_to_copy(table):
    copying.copy_rows(table, ("text",), [(text,) for text in TEXTS])

    assert [row[0] for row in stored()] == TEXTS


def test_what_has_no_place_in_a_text_is_left_out(table):
    copying.copy_rows(table, ("text",), [("a\0b",), ("\ud800",)])

    assert [row[0] for row in stored()] == ["ab", "?"]


def test_lines_are_sent_in_blocks(table, monkeypatch):
    monkeypatch.setattr(copying, "BLOCK_BYTES", 10)
    copier = copying.Copier(table, ("text",))
    for text in ("short", "longer than ten", "rest"):
        copier.add(text)

    assert [row[0] for row in stored()] == ["short", "longer than ten"]
    copier.flush()
    copier.flush()
    assert len(stored()) == 3
