"""JSON and YAML documents read as tables."""

import contextlib
import io
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.tabular import Layout, UnusableFile, read_table


def table(text, **layout):
    content = text.encode() if isinstance(text, str) else text
    return read_table(io.BytesIO(content), Layout(**layout))


def rows(text):
    found = table(text)
    return found.header, [row.cells for row in found.rows]


def refusal(text):
    with pytest.raises(UnusableFile) as caught:
        list(table(text).rows)
    return caught.value.message


def test_a_record_is_a_row_and_what_is_nested_gets_a_dotted_name():
    document = {
        "id": 2,
        "expired": False,
        "until": None,
        "share": 0.5,
        "licensee": {"Name": "Ada", "Company": "Alder"},
        "features": ["ldap", "saml", True, None],
        "add_ons": [{"name": "FileLocks"}],
    }

    assert rows(json.dumps(document)) == (
        ["id", "expired", "until", "share", "licensee.Name", "licensee.Company", "features"],
        [[Decimal(2), False, "", Decimal("0.5"), "Ada", "Alder", "ldap; saml; true; "]],
    )


def test_records_of_a_list_may_say_different_things():
    found = table('\ufeff [{"a": 1, "b": "x"}, {"b": "y", "c": "z"}]')

    assert found.header == ["a", "b", "c"]
    assert [(row.number, row.cells) for row in found.rows] == [
        (2, [Decimal(1), "x", ""]),
        (3, ["", "y", "z"]),
    ]


def test_yaml_is_text_as_it_is_written():
    header, found = rows(
        '---\nlicense_to: Alder\nseats: 0500\ntrial: "false"\nuntil: ~\nserver:\n  os: linux\n'
    )

    assert header == ["license_to", "seats", "trial", "until", "server.os"]
    assert found == [["Alder", "0500", "false", "", "linux"]]


def test_a_packet_needs_no_mark_before_its_first_line():
    assert rows("license_to: Alder\nactive_users: 410\n") == (
        ["license_to", "active_users"],
        [["Alder", "410"]],
    )


@pytest.mark.parametrize("text", ["Company: Alder,x\nA,b\n", "id\n1\n", "note: a;b\n1;2\n"])
def test_csv_is_still_csv(text):
    assert table(text).header == text.splitlines()[0].split(",")


def test_with_a_header_further_down_it_is_a_table():
    assert table("Company: Alder\nid,name\n1,x\n", skip_until="id").header == ["id", "name"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "no JSON: line 1, column 2"),
        ('{"a": 1, "a": 2}', "twice"),
        ("[1, 2]", "no record"),
        ("[]", "no header"),
        ("[" * 100_000, "nested too deep"),
        ('{"a":' * 20_000 + "1" + "}" * 20_000, "nested too deep"),
        ('{"a": "\\u0000"}', "NUL"),
        ('{"\\ud800": 1}', "surrogate"),
        ("---\na: &x [1]\nb: *x\n", "aliases"),
        ("---\na: 1\na: 2\n", "twice"),
        ("---\n- a\n- b\n", "no record"),
        ("---\na: [\n", "no YAML"),
        ("---\n" + "[" * 20_000, "nested too deep"),
        ("---\na: 1\n--- \nb: 2\n", "no YAML"),
        (b"{\xff}", "Byte 2 of the document is not UTF-8"),
        ("---\na: " + "x" * 600_000, "at most 0.5 MB"),
    ],
)
def test_what_is_no_record_is_refused_with_a_sentence(text, why):
    assert why in refusal(text)


@given(st.text(max_size=60))
def test_no_text_after_the_start_of_a_document_does_more_than_be_refused(text):
    for start in ("{", "[", "---\n", "a: "):
        with contextlib.suppress(UnusableFile):
            list(table((start + text).encode(errors="replace")).rows)
