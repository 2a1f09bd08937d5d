import datetime as dt
import io
import tracemalloc
from decimal import Decimal

import openpyxl
import pytest

from config.lib.workbooks import CUT, workbook_chunks


def read(chunks):
    return openpyxl.load_workbook(io.BytesIO(b"".join(chunks))).active


def values(header, rows, **more):
    return [list(row) for row in read(workbook_chunks("S", header, rows, **more)).values]


def test_values_come_back_as_what_they_are():
    row = [
        "Acme, Inc.", 7, Decimal("1234.50"), True, None, dt.date(2026, 3, 31),
        dt.datetime(2026, 3, 31, 12, tzinfo=dt.UTC), "007", "",
    ]  # fmt: skip
    (_, back) = values(["a"] * len(row), [row])
    assert back[:5] == ["Acme, Inc.", 7, 1234.5, True, None]
    assert back[5] == dt.datetime(2026, 3, 31)  # noqa: DTZ001 -- a spreadsheet has no zones
    assert back[6:] == ["2026-03-31T12:00:00Z", "007", None]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "=cmd|' /c calc'!A1", "#REF!", "{=1}"]
)
def test_text_is_never_a_formula(text):
    sheet = read(workbook_chunks("S", [text], [[text]]))
    for cell in (sheet["A1"], sheet["A2"]):
        assert cell.data_type == "s"
        assert cell.value == text


@pytest.mark.parametrize("text", ["a\x00b", "\x1b[0m", "\ud800", "\uffff"])
def test_what_xml_cannot_hold_is_replaced(text):
    assert "\N{REPLACEMENT CHARACTER}" in values(["a"], [[text]])[1][0]


def test_numbers_too_long_for_a_spreadsheet_are_text():
    exact = Decimal("12345678901234567.89")
    assert values(["a", "b"], [[exact, 2**60]])[1] == [f"{exact}", str(2**60)]


def test_long_text_is_cut_to_what_a_cell_holds():
    assert len(values(["a"], [["x" * 40_000]])[1][0]) == 32_767


def test_rows_that_do_not_fit_are_left_out_and_said():
    rows = values(["n"], ([n] for n in range(10)), most_rows=5)
    assert rows == [["n"], [0], [1], [2], [CUT]]
    assert values(["n"], ([n] for n in range(4)), most_rows=5)[-1] == [3]


def test_the_memory_stays_flat():
    def peak(count):
        rows = ([f"Account {n}", n, Decimal("1.5")] for n in range(count))
        tracemalloc.start()
        try:
            size = sum(map(len, workbook_chunks("S", ["a", "b", "c"], rows)))
            return tracemalloc.get_traced_memory()[1], size
        finally:
            tracemalloc.stop()

    (few, _), (many, size) = peak(500), peak(5_000)
    assert size > 50_000
    assert many < few + 300_000
