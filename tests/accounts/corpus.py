"""A corpus of hostile files, generated: each says what must become of it.

The ids E01 to E19 are those of the study of failures. `BAD` files have rows that cannot be taken,
`UNUSABLE` ones cannot be read at all, and `GOOD` ones look odd and are fine.
"""

import io
import zipfile
from typing import Any, NamedTuple

import openpyxl

GOOD, BAD, UNUSABLE = "good", "bad", "unusable"
EXPANDED = 20_000_000
ARABIC_DAY = "".join(chr(0x660 + int(digit)) for digit in "20260101")
# A row of each kind that is fine beside what `corpus_world` makes.
ROWS = {
    "accounts": {
        "external_id": "N1", "name": "New", "status": "customer", "churned_on": "",
        "internal": "no", "archived": "no", "region": "EMEA", "segment": "Bank",
        "currency": "USD", "parent_external_id": "A", "strategic": "yes",
    },
    "subscriptions": {
        "external_id": "N1", "account_external_id": "A", "product": "Gold", "kind": "paid",
        "seats": "10", "unlimited": "no", "arr": "1200.50", "tcv": "", "currency": "USD",
        "start": "2026-01-01", "end": "2027-01-01",
    },
    "instances": {
        "external_id": "N1", "account_external_id": "A", "name": "Main",
        "environment": "production", "counted": "yes",
    },
    "seat-readings": {
        "account_external_id": "A", "instance_external_id": "I",
        "observed_at": "2026-01-31T12:00:00+02:00", "seats": "42", "monthly_active": "7",
    },
    "contacts": {
        "external_id": "N1", "account_external_id": "A", "name": "Ada",
        "email": "ada@example.com", "title": "CTO", "roles": "Admin;Champion",
    },
    "assignments": {
        "account_external_id": "A", "user_email": "tam@keel.example", "role": "TAM",
        "primary": "yes", "start": "2026-01-01", "end": "",
    },
    "exchange-rates": {"currency": "EUR", "on": "2026-01-01", "rate": "1.1"},
}  # fmt: skip
KINDS = list(ROWS)
IDS = ("external_id", "account_external_id", "parent_external_id", "instance_external_id")
NUMBERS = {
    "subscriptions": ("seats", "arr"),
    "seat-readings": ("seats", "monthly_active"),
    "exchange-rates": ("rate",),
}
DAYS = {
    "accounts": ("churned_on",),
    "subscriptions": ("start",),
    "seat-readings": ("observed_at",),
    "assignments": ("start",),
    "exchange-rates": ("on",),
}
TEXTS = {
    "accounts": ("name", "region", "segment"),
    "subscriptions": ("product",),
    "instances": ("name", "environment"),
    "contacts": ("name", "title"),
}


class Case(NamedTuple):
    """`column`: where its problems must be found, if it is known; `how`: of the order."""

    id: str
    kind: str
    content: bytes
    expected: str
    column: str = ""
    how: dict[str, Any] = {}
    filename: str = "facts.csv"


def cases():
    found = [
        *structures(), *sizes(), *archives(), *keys(), *salesforce_ids(), *strangers(),
        *numbers(), *days(), *spoilt(), *formulas(), *markup(), *names(), *quotes(),
        *spreadsheets(),
    ]  # fmt: skip
    assert len({case.id for case in found}) == len(found)
    return found


def text(kind, *rows, **cells):
    """Return a CSV of the kind's columns: one row changed by `cells`, or the rows given."""
    header = list(ROWS[kind])
    rows = rows or ({**ROWS[kind], **cells},)
    lines = [header, *([str(row[name]) for name in header] for row in rows)]
    return "".join(",".join(map(quoted, line)) + "\n" for line in lines)


def quoted(value):
    return '"' + value.replace('"', '""') + '"' if set(value) & set(',"\n\r') else value


def book(kind, **cells):
    row = {**ROWS[kind], **cells}
    return workbook(list(ROWS[kind]), [row[name] for name in ROWS[kind]])


def workbook(*rows):
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def structures():
    for kind in KINDS:
        good = text(kind)
        header, row = good.encode().split(b"\n", 1)
        first = next(iter(ROWS[kind]))
        for name, content, expected, how in (
            ("empty", b"", UNUSABLE, {}),
            ("blank", b"\n  \n\n", UNUSABLE, {}),
            ("header-only", header + b"\n", UNUSABLE, {}),
            ("no-header", row + row, UNUSABLE, {}),
            ("bom", b"\xef\xbb\xbf" + good.encode(), GOOD, {}),
            ("utf-16", good.encode("utf-16"), GOOD, {}),
            ("utf-16-half", good.encode("utf-16")[:-1], UNUSABLE, {}),
            ("utf-16-without-mark", good.encode("utf-16-le"), UNUSABLE, {"encoding": "utf-16"}),
            ("utf-16-unnamed", good.encode("utf-16-le"), UNUSABLE, {}),
            ("cp1252-unnamed", header + b"\n" + b"\xe4" + row, UNUSABLE, {}),
            ("mixed", good.encode() + "ä,".encode() + b"\xe4\n", UNUSABLE, {}),
            ("unknown-encoding", good.encode(), UNUSABLE, {"encoding": "klingon"}),
            ("nul", good.encode().replace(b",", b"\0,", 1), UNUSABLE, {}),
            ("cr-only", good.encode().replace(b"\n", b"\r"), UNUSABLE, {}),
            ("crlf", good.encode().replace(b"\n", b"\r\n"), GOOD, {}),
            ("open-quote", good.encode() + b'"N2,', UNUSABLE, {}),
            ("text-after-quote", good.encode() + b'"N2"x,\n', UNUSABLE, {}),
            ("short-row", good.encode() + b"N2\n", BAD, {}),
            ("long-row", good.encode() + row.strip() + b",,,\n", BAD, {}),
            ("binary", bytes(range(256)) * 8, UNUSABLE, {}),
            ("old-excel", b"\xd0\xcf\x11\xe0" + b"\0" * 600, UNUSABLE, {}),
            ("semicolons", good.replace(",", ";").encode(), UNUSABLE, {}),
            ("not-our-header", good.replace(first, "nonsense", 1).encode(), UNUSABLE, {}),
        ):
            yield Case(f"E01-{name}-{kind}", kind, content, expected, how=how)


def sizes():
    for kind in KINDS:
        good = text(kind).encode()
        wide = ",".join(f"c{n}" for n in range(300))
        yield Case(f"E02-long-line-{kind}", kind, good + b"x" * 70_000, UNUSABLE)
        yield Case(f"E02-long-quote-{kind}", kind, good + b'"' + b"x\n" * 40_000, UNUSABLE)
        yield Case(f"E02-columns-{kind}", kind, f"{wide}\n1\n".encode(), UNUSABLE)


def archives():
    good = book("accounts")
    parts = dict(unzipped(good))
    sheet = "xl/worksheets/sheet1.xml"
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><worksheet>&b;</worksheet>'
    outside = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><worksheet>&a;</worksheet>'
    for name, content in (
        ("bomb", zipped({**parts, sheet: b" " * EXPANDED})),
        ("bomb-in-a-part-nobody-reads", zipped({**parts, "xl/media/x.bin": b"\0" * EXPANDED})),
        ("entries", zipped({**parts, **{f"xl/{n}.xml": b"<a/>" for n in range(60)}})),
        ("billion-laughs", zipped({**parts, sheet: laughs})),
        ("external-entity", zipped({**parts, sheet: outside})),
        ("laughs-in-strings", zipped({**parts, "xl/sharedStrings.xml": laughs})),
        ("laughs-in-styles", zipped({**parts, "xl/styles.xml": laughs})),
        ("macros", zipped({**parts, "xl/vbaProject.bin": b"x"})),
        ("path-outside", zipped({**parts, "../../etc/cron.d/x": b"x"})),
        ("absolute-path", zipped({**parts, "/etc/x": b"x"})),
        ("no-workbook", zipped({"readme.txt": b"hello"})),
        ("archive-in-archive", zipped({"inner.xlsx": good})),
        ("half", good[: len(good) // 2]),
        ("no-end", good[:-20]),
        ("only-its-first-bytes", b"PK\x03\x04"),
        ("empty-sheet", zipped({**parts, sheet: b""})),
        ("no-xml", zipped({**parts, sheet: b"{}"})),
        ("no-sheet", zipped({name: part for name, part in parts.items() if name != sheet})),
        ("wrong-namespace", zipped({**parts, sheet: b"<worksheet><a/></worksheet>"})),
        ("link", linked(parts)),
        ("endless-row", zipped({**parts, sheet: far(parts[sheet], 2_000_000_000)})),
        *(
            (what, zipped({**parts, sheet: grown(parts[sheet], what)}))
            for what in ("cells", "text", "attribute", "others", "nested")
        ),
        ("nonsense-rows", zipped({**parts, sheet: parts[sheet].replace(b'r="2"', b'r="-7"')})),
    ):
        yield Case(f"E03-{name}", "accounts", content, UNUSABLE, filename="facts.xlsx")


def grown(sheet, what):
    """Return the sheet with much more in it, which packs no better than what is plain."""
    noise = "".join(f"{n * 2_654_435_761 % 2**32:x} " for n in range(60_000))
    more = {
        "cells": "<row>" + "".join(f'<c s="{each}"/>' for each in noise.split()) + "</row>",
        "text": f'<row><c t="inlineStr"><is><t>{noise}</t></is></c></row>',
        "attribute": f'<row><c s="{noise}"/></row>',
        "others": "".join(f'<x y="{each}"/>' for each in (noise * 2).split()),
        "nested": "<x>" * 100_001 + "</x>" * 100_001,
    }[what]
    return sheet.replace(b"</sheetData>", more.encode() + b"</sheetData>")


def zipped(parts):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return file.getvalue()


def unzipped(content):
    with zipfile.ZipFile(io.BytesIO(content)) as read:
        return [(name, read.read(name)) for name in read.namelist()]


def linked(parts):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name, content in parts.items():
            made.writestr(name, content)
        link = zipfile.ZipInfo("xl/link")
        link.external_attr = 0o120777 << 16
        made.writestr(link, "/etc/passwd")
    return file.getvalue()


def far(sheet, row):
    return sheet.replace(b'<row r="2"', b'<row r="%d"' % row)


def keys():
    for kind in KINDS:
        good = text(kind)
        lines = good.splitlines()
        row = ROWS[kind]
        header = list(row)
        yield Case(f"E04-twins-{kind}", kind, (good + lines[1] + "\n").encode(), BAD)
        yield Case(f"E04-five-twins-{kind}", kind, (good + f"{lines[1]}\n" * 4).encode(), BAD)
        yield Case(
            f"E04-header-twice-{kind}",
            kind,
            f"{lines[0]},{header[0]}\n{lines[1]},x\n".encode(),
            UNUSABLE,
        )
        yield Case(
            f"E04-unknown-column-{kind}", kind, f"{lines[0]},x\n{lines[1]},x\n".encode(), UNUSABLE
        )
        backwards = (
            ",".join(reversed(header)),
            ",".join(quoted(row[name]) for name in reversed(header)),
        )
        yield Case(f"E04-reordered-{kind}", kind, "\n".join(backwards).encode(), GOOD)


def salesforce_ids():
    mapping = 'salesforce_ids = true\n[columns]\nexternal_id = "Id"\nname = "Name"\n'
    how = {"mapping": mapping}
    short, long = "0015000000Gv7qJ", "0015000000Gv7qJAAR"
    for name, ids, expected in (
        ("one-of-each-length", (short, long), BAD),
        ("case-changed", (long[:-1] + "r",), BAD),
        ("two-that-differ-in-case", ("0015000000Gv7Zp", "0015000000Gv7ZP"), GOOD),
        ("wrong-suffix", (short + "ZZZ",), BAD),
    ):
        content = "Id,Name\n" + "".join(f"{each},Acme\n" for each in ids)
        yield Case(f"E05-{name}", "accounts", content.encode(), expected, "external_id", how)


def strangers():
    """Ids of another source, of nobody, or of another account."""
    for kind, row in ROWS.items():
        for column in set(row) & {"account_external_id", "parent_external_id"}:
            for name, value in (("unknown", "nobody"), ("other-source", "CRM")):
                content = text(kind, **{column: value}).encode()
                yield Case(f"E06-{name}-{column}-{kind}", kind, content, BAD, column)
    for name, instance in (("unknown", "nobody"), ("of-another-account", "J")):
        content = text("seat-readings", instance_external_id=instance).encode()
        yield Case(f"E06-instance-{name}", "seat-readings", content, BAD, "instance_external_id")
    content = text("assignments", user_email="ghost@keel.example").encode()
    yield Case("E06-person", "assignments", content, BAD, "user_email")


def numbers():
    wrong = (
        "-1", "-0.5", "2147483648000000", "1e400", "1e3", "NaN", "Infinity", "-Infinity", "inf",
        "1,234.56", "1.234,56", "1 234", "$100", "100 USD", "(500)", "0x10", "\uff11\uff12",
        "1_000", "1.2.3", "+5", "½", "1" * 5_000, "12abc", "--1",
    )  # fmt: skip
    for kind, columns in NUMBERS.items():
        for column in columns:
            for place, value in enumerate(wrong):
                content = text(kind, **{column: value}).encode()
                yield Case(f"E07-{column}-{place}-{kind}", kind, content, BAD, column)
    yield Case("E07-share-of-seats", "seat-readings", text("seat-readings", seats="85%").encode(),
               BAD, "seats")  # fmt: skip
    yield Case("E07-two-to-the-31", "subscriptions",
               text("subscriptions", seats="2147483648").encode(), BAD, "seats")  # fmt: skip
    yield Case("E07-zero-rate", "exchange-rates", text("exchange-rates", rate="0").encode(), BAD,
               "rate")  # fmt: skip
    yield Case("E07-both-amounts", "subscriptions", text("subscriptions", tcv="5").encode(), BAD)


def days():
    wrong = (
        "2026-02-30", "0000-01-01", "9999-12-31", "01/02/03", "31/01/2026", "45000", "2025-02-29",
        "1889-01-01", "today", "2026-1-1", "2026-01-01 25:00", "2026-13-01", ARABIC_DAY, "-1",
        "2026-01-01T00:00:00+99:00",
    )  # fmt: skip
    for kind, columns in DAYS.items():
        for column in columns:
            for place, value in enumerate(wrong):
                content = text(kind, **{column: value}).encode()
                yield Case(f"E08-{column}-{place}-{kind}", kind, content, BAD, column)
    for kind in ("subscriptions", "assignments"):
        content = text(kind, end="2025-12-31").encode()
        yield Case(f"E08-end-before-start-{kind}", kind, content, BAD, "end")
    content = text("subscriptions", arr="", tcv="5", end="").encode()
    yield Case("E08-tcv-without-end", "subscriptions", content, BAD)
    content = text("seat-readings", observed_at="2090-01-01").encode()
    yield Case("E08-in-the-future", "seat-readings", content, BAD, "observed_at")


def spoilt():
    for kind, row in ROWS.items():
        column = next((name for name in IDS if name in row), None)
        if column is None:
            continue
        for place, value in enumerate(
            (
                "1.23E+15",
                "2-Jan",
                "Jan-26",
                "#REF!",
                "#N/A",
                "#####",
                "x" * 121,
                "a\u202eb",
                "a\x07",
            )
        ):
            content = text(kind, **{column: value}).encode()
            yield Case(f"E09-{place}-{kind}", kind, content, BAD, column)


def formulas():
    for kind, columns in TEXTS.items():
        for column in columns:
            for place, value in enumerate(
                ("=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", '=HYPERLINK("http://x")')
            ):
                content = text(kind, **{column: value}).encode()
                yield Case(f"E10-{column}-{place}-{kind}", kind, content, GOOD)


def markup():
    for kind, columns in TEXTS.items():
        for place, value in enumerate(
            ("<script>alert(1)</script>", "{{7*7}}", "'; DROP TABLE x;--", "%s%n\\x00 \\N \\.",
             "[x](javascript:1)", "日本語 🙂", "\\", "a\\tb", '"')
        ):  # fmt: skip
            content = text(kind, **{columns[0]: value}).encode()
            yield Case(f"E11-{place}-{kind}", kind, content, GOOD)


def names():
    content = text("accounts").encode()
    for place, name in enumerate(
        ("../../etc/passwd", "a.csv\r\nSet-Cookie: x", "x" * 5_000, "\u202etxt.exe", "", "/",
         "C:\\x\\y.csv", "\0", "🙂.csv")
    ):  # fmt: skip
        yield Case(f"E18-{place}", "accounts", content, GOOD, filename=name)


def quotes():
    for kind in KINDS:
        good = text(kind)
        for name, tail, expected in (
            ("many-quotes", '"' * 40_001, UNUSABLE),
            ("pairs", '""' * 20_000 + "\n", BAD),
            ("alternating", '",' * 20_000 + "\n", BAD),
            ("bars", "|" * 60_000 + "\n", BAD),
            ("only-commas", "," * 60_000 + "\n", GOOD),
        ):
            yield Case(f"E19-{name}-{kind}", kind, (good + tail).encode(), expected)
        yield Case(f"E19-all-quoted-{kind}", kind, all_quoted(kind).encode(), GOOD)


def all_quoted(kind):
    row = ROWS[kind]
    return "\n".join(
        ",".join(f'"{value}"' for value in line) for line in (row.keys(), row.values())
    )


def spreadsheets():
    """The rows as workbooks: as they are, with twins, a formula, and a number that is none."""
    for kind, row in ROWS.items():
        header, values = list(row), list(row.values())
        first = header[0]
        for name, content, expected in (
            ("good", book(kind), GOOD),
            ("twins", workbook(header, values, values), BAD),
            ("header-twice", workbook([*header, first], [*values, "x"]), UNUSABLE),
            ("unknown-column", workbook([*header, "x"], [*values, "x"]), UNUSABLE),
            ("only-a-header", workbook(header), UNUSABLE),
            ("nothing", workbook(), UNUSABLE),
            ("formula", book(kind, **{first: "=1+1"}), BAD),
            ("error", book(kind, **{first: "#REF!"}), BAD),
            ("truth", book(kind, **{header[-1]: True}), None),
            ("float", book(kind, **{first: 1e300}), BAD),
        ):
            yield Case(f"E03-{name}-{kind}-xlsx", kind, content, expected, filename="facts.xlsx")
