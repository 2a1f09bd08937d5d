"""Hostile and harmless files, without a database. Ids are those of the study of failures."""

import datetime as dt
import io
import time
import zipfile
from decimal import Decimal

import openpyxl
import pytest

from accounts.tabular import Damaged, Layout, UnusableFile, read_table

TIME = dt.datetime.fromisoformat("2026-01-02T03:04")


def table(content, **layout):
    if isinstance(content, str):
        content = content.encode()
    found = read_table(io.BytesIO(content), Layout(**layout))
    return found.header, list(found.rows)


def cells(content, **layout):
    return [row.cells for row in table(content, **layout)[1]]


def refusal(content, **layout):
    with pytest.raises(UnusableFile) as caught:
        table(content, **layout)
    return caught.value.message


def workbook(*rows, sheets=()):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for title in sheets:
        book.create_sheet(title)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def archive(parts, compression=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as made:
        for name, content in parts:
            made.writestr(name, content)
    return file.getvalue()


def altered(content, **parts):
    """Return the workbook with parts replaced; `sheet` stands for its only sheet."""
    names = {"sheet": "xl/worksheets/sheet1.xml", "styles": "xl/styles.xml"}
    wanted = {names[key]: value for key, value in parts.items()}
    with zipfile.ZipFile(io.BytesIO(content)) as read:
        return archive([(name, wanted.get(name, read.read(name))) for name in read.namelist()])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty"),
        (b"\n \n", "no header"),
        (b"\n\n", "no header"),
        (b"a,b\n", "header in row 1 and no rows"),
        (b"a,b\n,\n", "no rows"),
        (b"a,a\n1,2\n", "names a column twice: “a”"),
        (b"a,b\r1,2\r", "Row 1 has a carriage return alone"),
        (b'a,b\n1,"2\n3,4\n', "Row 2 opens a quote that is never closed"),
        (b'a,b\n1,"2"x\n', "Row 2 has text after a closing quote"),
        (b"a,b\n1\0,2\n", "Line 2 holds a NUL character"),
        ("a,b\nä,2\n".encode("cp1252"), "Line 2, byte 1 is not UTF-8"),
        ("a,b\nä,2\n".encode() + "ä,1\n".encode("cp1252"), "Line 3, byte 1 is not UTF-8"),
        (b"a," + b"x" * 70_000, "Row 1 is longer than 64 kB"),
        (b'a\n"' + b"x\n" * 70_000, "Row 2 is longer than 64 kB"),
        (",".join(f"c{n}" for n in range(201)) + "\n1\n", "201 columns; at most 200"),
        (b"a\n" + b"1\n" * 200_001, "more than 200,000 rows"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old or protected Excel file"),
    ],
)
def test_e01_e02_e04_unusable_files_say_why(content, words):
    assert words in refusal(content)


def test_utf_8_with_and_without_a_mark_and_utf_16_with_one_are_read():
    for content in ("a\nä\n".encode(), "\ufeffa\nä\n".encode(), "a\nä\n".encode("utf-16")):
        assert table(content)[0] == ["a"]
        assert cells(content) == [["ä"]]


def test_other_encodings_only_when_named():
    content = "a\nä€\n".encode("cp1252")

    assert cells(content, encoding="cp1252") == [["ä€"]]
    assert cells(content, encoding="Windows-1252") == [["ä€"]]
    assert "none of the encodings" in refusal(content, encoding="rot13")
    assert "none of the encodings" in refusal(content, encoding="utf-7")
    assert "lacks the byte order mark" in refusal(content, encoding="utf-16")
    assert "written in UTF-16, not in cp1252" in refusal(
        "a\n1\n".encode("utf-16"), encoding="cp1252"
    )
    assert "NUL" in refusal("a\n1\n".encode("utf-16-le"))


def test_half_a_utf_16_character():
    assert "not UTF-16" in refusal("a\nb\n".encode("utf-16") + b"x")


def test_rows_are_numbered_as_a_spreadsheet_shows_them():
    _, rows = table('a,b\n\n1,"two\nlines"\n,\n2,3\n')

    assert [row.number for row in rows] == [3, 5]


def test_ragged_rows_are_problems_of_their_row():
    _, rows = table("a,b\n1\n1,2,3\n1,2\n")

    assert [bool(row.problem) for row in rows] == [True, True, False]
    assert "3 cells where the header has 2" in rows[1].problem


def test_a_delimiter_is_named_and_not_sniffed():
    assert cells("a;b\n1;2\n") == [["1;2"]]
    assert cells("a;b\n1;2\n", delimiter=";") == [["1", "2"]]
    assert "delimiter" in refusal("a:b\n1:2\n", delimiter=":")


def test_e19_quotes_that_confuse_take_no_time():
    content = b"a,b\n" + b'"""",""\n' * 120_000
    start = time.monotonic()

    rows = cells(content)

    assert rows[-1] == ['"', ""]
    assert time.monotonic() - start < 2 * len(content) / 1_000_000 + 5


def test_skip_until_finds_the_header_behind_a_preamble():
    content = 'Key,"two\nlines"\nCompany,Example\n"",""\nDate,Count\n2026-01-01,5\n'
    found = read_table(io.BytesIO(content.encode()), Layout(skip_until="Date"))

    assert found.header == ["Date", "Count"]
    assert found.preamble == {"Key": "two\nlines", "Company": "Example"}
    assert [(row.number, row.cells) for row in found.rows] == [(5, ["2026-01-01", "5"])]
    assert cells(content, skip_until="Date,Count") == [["2026-01-01", "5"]]
    assert "No row begins with “Day”" in refusal(content, skip_until="Day")


def test_a_workbook_gives_what_its_cells_are():
    content = workbook(
        ["name", "seats", "share", "flag", "day", "time"],
        ["=1", 50, 16807.4, True, dt.date(2026, 1, 2), TIME],
        [None, None, None, None, None, None],
        ["x", 0, 1.1, False, None, None],
    )
    content = altered(
        content,
        sheet=zipfile.ZipFile(io.BytesIO(content))
        .read("xl/worksheets/sheet1.xml")
        .replace(b"16807.4", b"16807.400000000001"),
    )

    _, rows = table(content)

    assert [row.number for row in rows] == [2, 4]
    assert rows[0].cells[0] == Damaged(
        "=1", "This cell is a formula. Copy the column and paste it as values."
    )
    assert rows[0].cells[1:] == [
        Decimal(50),
        Decimal("16807.4"),
        True,
        dt.date(2026, 1, 2),
        TIME,
    ]
    assert rows[1].cells == ["x", Decimal(0), Decimal("1.1"), False, "", ""]


def test_e09_what_a_spreadsheet_has_spoilt_is_marked():
    (row,) = cells(workbook(["a", "b", "c"], ["#REF!", 1234567890123456, dt.time(3)]))

    assert all(isinstance(cell, Damaged) for cell in row)
    assert "15 digits" in row[1].detail


def test_e03_a_workbook_that_shrinks_well_is_read():
    content = workbook(["a", "b"], *[["the same", 50]] * 20_000)

    assert len(cells(content)) == 20_000


def test_e03_several_sheets_are_not_guessed():
    assert "several sheets: “Sheet”, “Old”" in refusal(workbook(["a"], ["1"], sheets=["Old"]))


NEEDED = [("[Content_Types].xml", "<a/>"), ("xl/workbook.xml", "<a/>")]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([("a.txt", "x")], "no .xlsx workbook"),
        ([*NEEDED, ("xl/vbaProject.bin", "x")], "macros"),
        ([*NEEDED, *[(f"xl/{n}.xml", "<a/>") for n in range(60)]], "at most 50 parts"),
        (
            [*NEEDED, ("xl/big.xml", b"<a>" + b" " * 20_000_000 + b"</a>")],
            "far more than it should",
        ),
        ([*NEEDED, ("../evil.xml", "<a/>")], "another place"),
        ([*NEEDED, ("xl/a.xml", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>")], "XML entities"),
        (
            [
                *NEEDED,
                ("xl/a.xml", '<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'),
            ],
            "XML entities",
        ),
        (
            [*NEEDED, ("xl/a.xml", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>".encode("utf-16"))],
            "XML entities",
        ),
        (NEEDED, "damaged"),
        ([*NEEDED, ("xl/a.xml", "no xml")], "damaged"),
    ],
)
def test_e03_archives_that_could_harm_are_refused(parts, words):
    assert words in refusal(archive(parts))


def test_e03_too_much_in_all_is_refused_before_it_is_unpacked():
    noise = bytes(range(256)) * 40
    parts = [(f"xl/{n}.bin", noise * 250) for n in range(45)]
    start = time.monotonic()

    assert "unpacks to more than 100 MB" in refusal(archive([*NEEDED, *parts]))
    assert time.monotonic() - start < 10


def test_e03_a_directory_that_lies_about_a_size_is_refused():
    content = bytearray(archive([*NEEDED, ("xl/a.xml", b"<a>" + b"x" * 1000 + b"</a>")]))
    place = content.rindex(b"xl/a.xml") - 46 + 24
    content[place : place + 4] = (10).to_bytes(4, "little")

    assert "workbook" in refusal(bytes(content))


def test_e03_half_a_workbook_is_refused():
    content = workbook(["a"], ["1"])

    assert "damaged" in refusal(content[: len(content) // 2])
    assert "damaged" in refusal(altered(content, sheet=b"<worksheet><sheetData><row>"))
