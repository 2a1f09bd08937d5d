import csv
import datetime as dt
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.lib import rendering
from config.lib.cells import restored


def text_of(response):
    return b"".join(response.streaming_content).decode("utf-8")


def test_a_list_as_a_file():
    response = rendering.csv_response(
        "accounts-2026-11-22.csv",
        ["name", "arr", "renewal", "strategic", "seen"],
        [
            ("Acme, Inc.", Decimal("-5.00"), dt.date(2026, 3, 31), True, None),
            ("=cmd|' /c calc'!A1", 7, None, False, dt.datetime(2026, 3, 31, tzinfo=dt.UTC)),
        ],
    )
    assert response["Content-Type"].startswith("text/csv; charset=utf-8")
    assert response["Content-Disposition"] == 'attachment; filename="accounts-2026-11-22.csv"'
    assert response["Cache-Control"] == "no-store"
    assert text_of(response) == (
        "name,arr,renewal,strategic,seen\r\n"
        '"Acme, Inc.",-5.00,2026-03-31,true,\r\n'
        "'=cmd|' /c calc'!A1,7,,false,2026-03-31T00:00:00Z\r\n"
    )


def test_numbers_written_as_strings_stay_numbers():
    rows = [[("-5.00", False), ("-5.00", True)]]
    response = rendering.csv_response_of_cells("x.csv", ["arr", "name"], rows)
    assert text_of(response).splitlines()[1] == "-5.00,'-5.00"


def test_is_written_while_it_is_read():
    seen = []

    def rows():
        for number in range(10_000):
            seen.append(number)
            yield [number]

    stream = iter(rendering.csv_response("x.csv", ["n"], rows()).streaming_content)
    next(stream)
    assert len(seen) < 1_000


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a.csv\r\nSet-Cookie: x=1", "a.csv-Set-Cookie- x=1"),
        ("../../etc/passwd", "etc-passwd"),
        ('a"b;c', "a-b-c"),
        ("\u202egnp.csv", "gnp.csv"),
        ("", "export"),
        ("x" * 5000, "x" * 100),
    ],
)
def test_file_names_are_harmless(name, safe):
    assert rendering.safe_filename(name) == safe
    assert "\n" not in rendering.csv_response(name, [], [])["Content-Disposition"]


def test_file_names_in_other_scripts():
    disposition = rendering.csv_response("Zürich 顧客.csv", [], [])["Content-Disposition"]
    assert disposition.startswith("attachment; filename*=utf-8''Z%C3%BCrich")


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2)))
def test_a_reader_gets_back_what_was_written(rows):
    text = text_of(rendering.csv_response("x.csv", ["a", "b"], rows))
    read = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert [[restored(cell) for cell in row] for row in read] == rows
    assert not any(cell[:1] in {*"=+-@\t\r"} and cell for row in read for cell in row)
