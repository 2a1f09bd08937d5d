"""Mappings and what single cells mean, without a database."""

import contextlib
import datetime as dt
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.imports import cells
from accounts.imports.cells import Reading
from accounts.imports.mappings import (
    UnusableMapping,
    load_mapping,
    parse_mapping,
    shipped_names,
)
from accounts.tabular import Damaged
from config.lib.values import BadValue

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
EXAMPLES = Path(__file__).parent.parent.parent / "docs" / "mappings"


def reading(zone="UTC", **how):
    return Reading(now=NOW, zone=ZoneInfo(zone), **how)


def mapped(text, kind="subscriptions"):
    return parse_mapping(text, kind, name="test")


def refusal(text, kind="subscriptions"):
    with pytest.raises(UnusableMapping) as caught:
        mapped(text, kind)
    return caught.value.message


def bad(parse, cell, **how):
    with pytest.raises(BadValue) as caught:
        parse(cell, reading(**how))
    return caught.value.detail


def test_the_mapping_of_the_contract():
    found = mapped("""
        kind = "subscriptions"
        source = "salesforce"
        date_format = "%Y-%m-%d"
        encoding = "cp1252"
        delimiter = ";"
        decimal = ","
        skip_until = "Id"
        end_is_last_day = true
        [columns]
        external_id = "account_id"
        arr = "arr_value"
        [constants]
        kind = "paid"
        currency = "USD"
        [values.kind]
        "Trial" = "trial"
    """)

    assert found.columns == {"external_id": "account_id", "arr": "arr_value"}
    assert found.constants == {"kind": "paid", "currency": "USD"}
    assert found.values == {"kind": {"Trial": "trial"}}
    assert (found.layout.encoding, found.layout.delimiter, found.layout.skip_until) == (
        "cp1252", ";", "Id",
    )  # fmt: skip
    assert found.end_is_last_day
    assert found.decimal == ","


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colums = 1", "unknown key “colums”"),
        ("[columns]\nseat = 'x'", "unknown key “seat” in [columns]"),
        ("[values.seat]\na = 'x'", "unknown key “seat” in [values]"),
        ("kind = 'accounts'", "for accounts, not for subscriptions"),
        ("kind = 7", "for 7, not for"),
        ("source = 1", "“source” is a text"),
        ("end_is_last_day = 'yes'", "true or false"),
        ("columns = 'x'", "write it as [columns]"),
        ("[columns]\narr = 3", "names a column of the file"),
        ("[constants]\narr = [1]", "“arr” in [constants]"),
        ("[columns]\narr='a'\n[constants]\narr='1'", "stands in [columns] and in [constants]"),
        ("[values]\nkind = 'x'", "[values.kind] holds lines"),
        ("delimiter = '::'", "“delimiter” is one of"),
        ("decimal = ';'", "“decimal” is"),
        ("source = 'Sales Force'", "is no source"),
        ("source = 'keel'", "kept for what is made in Keel"),
        ("time_zone = 'Mars/Olympus'", "no time zone"),
        ("[preamble]\narr = 'x'", "needs “skip_until”"),
        ("date_format = '%d/%m'", "must name year, month and day"),
        ("date_format = '%d/%m/%Y %d'", "once each"),
        ("date_format = '%d/%m/%Q'", "knows no %Q"),
        ("x = = 1", "no TOML"),
    ],
)
def test_what_is_wrong_with_a_mapping_is_named(text, words):
    assert words in refusal(text)


def test_shipped_mappings_are_found_by_name_and_others_by_path(tmp_path):
    assert {"generic", "gitlab-licence-usage", "salesforce-accounts"} < set(shipped_names())
    assert load_mapping("salesforce-accounts", "accounts").salesforce_ids
    assert load_mapping("generic", "contacts").columns == {}
    for name in ("nothing", "../generic", "/etc/passwd", "nothing.toml"):
        with pytest.raises(UnusableMapping, match="There is no mapping"):
            load_mapping(name, "accounts")
    own = tmp_path / "own.toml"
    own.write_bytes(b"# \xff")
    with pytest.raises(UnusableMapping, match="not UTF-8"):
        load_mapping(str(own), "accounts")


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_the_examples_of_the_docs_can_be_used(path):
    kind = next(
        line.split('"')[1] for line in path.read_text().splitlines() if line.startswith("kind")
    )

    assert load_mapping(str(path), kind).columns


@pytest.mark.parametrize(
    ("written", "decimal", "amount"),
    [
        ("1200", ".", "1200"),
        ("1200.50", ".", "1200.50"),
        ("1200,50", ",", "1200.50"),
        (Decimal("1200.5"), ",", "1200.5"),
        ("0", ".", "0"),
    ],
)
def test_money(written, decimal, amount):
    assert cells.money(written, reading(decimal=decimal)) == Decimal(amount)


@pytest.mark.parametrize(
    ("written", "decimal"),
    [
        ("1,234.56", "."), ("1.234,56", ","), ("1.234", ","), ("1200,50", "."), ("$1200", "."),
        ("(500)", "."), ("-5", "."), ("-0", "."), ("3.5E8", "."), ("1e400", "."), ("NaN", "."),
        ("Infinity", "."), ("\uff11\uff12", "."), ("1_000", "."), ("1 000", "."), ("1.23456", "."),
        ("1000000000000", "."), ("", "."), ("12.", "."), ("USD 5", "."),
    ],
)  # fmt: skip
def test_e07_money_is_not_guessed(written, decimal):
    detail = bad(cells.money, written, decimal=decimal)

    assert detail


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("-1", "“-1” is negative"), ("2147483648", "at most"), ("1.0", "whole number"),
        ("1,0l2", "“1,0l2” is not a whole number"), ("83%", "is a share"), ("0.83", "is a share"),
        ("0,83", "is a share"), (Decimal("0.83"), "is a share"), ("\uff11\uff12", "whole number"),
        ("1e3", "whole number"), ("#N/A", "an error of a spreadsheet"),
        (Damaged("=A1", "This cell is a formula."), "formula"),
    ],
)  # fmt: skip
def test_e07_seats_are_whole_and_never_a_share(written, words):
    assert words in bad(cells.seats, written)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("01/02/2026", "“01/02/2026” can be read as two days"),
        ("01/02/03", "can be read as two days"),
        ("31/12/2026", "Say how days are written"),
        ("45000", "a spreadsheet's number of a day"),
        (Decimal(45000), "a spreadsheet's number of a day"),
        ("2026-02-30", "is not a day"),
        ("2025-02-29", "is not a day"),
        ("0000-01-01", "is not a day"),
        ("9999-12-31", "from 1990 to 2100"),
        ("1989-12-31", "from 1990 to 2100"),
        ("2026-03-01T00:00:00", "is a time, where a day is wanted"),
        ("#REF!", "an error of a spreadsheet"),
        ("tomorrow", "is not a day"),
    ],
)
def test_e08_days_are_not_guessed(written, words):
    assert words in bad(cells.day, written)


def test_days_in_a_named_format():
    how = {"date_format": "%d/%m/%Y"}

    assert cells.day("01/02/2026", reading(**how)) == dt.date(2026, 2, 1)
    assert cells.day(dt.date(2026, 2, 1), reading(**how)) == dt.date(2026, 2, 1)
    for written in ("2026-02-01", "31/02/2026", "\uff101/02/2026", "1/2/26", "01/01/1980"):
        assert bad(cells.day, written, **how)


def test_an_end_that_is_the_last_day_covered():
    assert cells.end("2026-03-31", reading()) == dt.date(2026, 3, 31)
    assert cells.end("2026-03-31", reading(end_is_last_day=True)) == dt.date(2026, 4, 1)


@pytest.mark.parametrize(
    ("written", "zone", "moment"),
    [
        ("2026-03-01T10:00:00+02:00", "UTC", "2026-03-01T08:00:00+00:00"),
        ("2026-03-01T10:00:00Z", "Asia/Tokyo", "2026-03-01T10:00:00+00:00"),
        ("2026-03-01T10:00:00", "Asia/Tokyo", "2026-03-01T01:00:00+00:00"),
        ("2026-03-01 10:00", "UTC", "2026-03-01T10:00:00+00:00"),
        ("2026-03-01", "America/New_York", "2026-03-01T05:00:00+00:00"),
        ("2026-03-02", "Asia/Tokyo", "2026-03-01T15:00:00+00:00"),
        (dt.date(2026, 3, 1), "UTC", "2026-03-01T00:00:00+00:00"),
        (dt.datetime.fromisoformat("2026-03-01T10:00"), "Asia/Tokyo", "2026-03-01T01:00:00+00:00"),
    ],
)
def test_when_a_reading_was_observed(written, zone, moment):
    assert cells.observed_at(written, reading(zone)) == dt.datetime.fromisoformat(moment)


def test_a_reading_of_today_is_never_in_the_future_and_one_of_tomorrow_always():
    assert cells.observed_at("2026-03-02", reading())
    assert "future" in bad(cells.observed_at, "2026-03-03")
    assert "future" in bad(cells.observed_at, "2026-03-02T12:06:00Z")
    assert cells.observed_at("2026-03-02T12:04:00Z", reading())


@pytest.mark.parametrize(
    "written", ["2026-02-30T10:00:00", "0000-01-01T00:00:00", "9999-01-01T00:00"]
)
def test_e08_times_that_are_none(written):
    assert bad(cells.observed_at, written)


def test_a_day_that_a_zone_skipped():
    assert "never showed" in bad(cells.observed_at, "2011-12-30", zone="Pacific/Apia")


@given(st.dates(dt.date(1991, 1, 1), dt.date(2026, 1, 1)))
def test_a_day_is_observed_on_that_day(day):
    for zone in (
        "UTC",
        "Australia/Lord_Howe",
        "America/Sao_Paulo",
        "Asia/Kathmandu",
        "America/Havana",
    ):
        observed = cells.observed_at(day.isoformat(), reading(zone))

        assert observed.astimezone(ZoneInfo(zone)).date() == day


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("0014W00002578rV", "0014W00002578rVQAQ"),
        ("0014W00002578rX", "0014W00002578rXQAQ"),
        ("0014W00002578re", "0014W00002578reQAA"),
    ],
)
def test_e05_salesforce_ids_become_18_characters(short, long):
    how = reading(salesforce_ids=True)

    assert cells.external_id(short, how) == long
    assert cells.external_id(long, how) == long
    assert cells.external_id(short, reading()) == short
    assert cells.external_id("ACC-1", how) == "ACC-1"


def test_e05_ids_that_differ_in_case_are_two_and_a_changed_case_is_found():
    how = reading(salesforce_ids=True)

    assert cells.external_id("001D000000IqhZp", how) != cells.external_id("001D000000IqhZP", how)
    assert "case of its letters" in bad(
        cells.external_id, "0014W00002578rVQAQ".lower(), salesforce_ids=True
    )


@pytest.mark.parametrize(
    "written", ["1.23E+15", "1E5", "2-Jan", "Jan-26", "#REF!", dt.date(2026, 1, 2)]
)
def test_e09_ids_that_a_spreadsheet_changed(written):
    assert bad(cells.external_id, written)


def test_ids_keep_their_zeros_and_case():
    assert cells.external_id("00aB", reading()) == "00aB"
    assert cells.external_id(Decimal(50), reading()) == "50"


@pytest.mark.parametrize(
    ("written", "value"),
    [("true", True), ("YES", True), ("1", True), (True, True), ("no", False), ("0", False),
     (Decimal(0), False)],
)  # fmt: skip
def test_booleans(written, value):
    assert cells.boolean(written, reading()) is value


def test_a_boolean_is_not_guessed():
    assert "none of: true, false" in bad(cells.boolean, "maybe")


def test_e10_e11_formulas_and_html_are_text():
    parse = cells.text(200)

    for written in ("=cmd|' /C calc'!A0", "+1", "-1", "@x", "<script>alert(1)</script>", "[a](b)"):
        assert parse(written, reading()) == written
    assert parse("'=1+1", reading()) == "=1+1"


@given(
    st.one_of(
        st.text(), st.dates(), st.booleans(), st.decimals(allow_nan=False, allow_infinity=False)
    )
)
def test_no_cell_makes_a_parser_fail_otherwise(cell):
    how = reading(salesforce_ids=True, end_is_last_day=True)
    for parse in (
        cells.money, cells.rate, cells.seats, cells.day, cells.end, cells.observed_at,
        cells.external_id, cells.boolean, cells.currency, cells.email, cells.words, cells.text(9),
        cells.word("a", "b"),
    ):  # fmt: skip
        with contextlib.suppress(BadValue):
            parse(cell, how)
