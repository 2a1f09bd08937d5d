import datetime as dt
import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.lib import values
from config.lib.values import BadValue

UNSAFE = ["a\x00b", "a\ud800b", "a\u202eb", "a\u2066b", "a\u200bb", "a\x1bb", "a\x85b", "a\u2028b"]


def code_of(parse, value, **kwargs):
    with pytest.raises(BadValue) as caught:
        parse(value, **kwargs)
    assert len(caught.value.detail) < 200
    return caught.value.code


class TestText:
    def test_is_normalised_and_loses_the_space_around_it(self):
        assert values.parse_text("\u00a0 Cafe\u0301 \n") == "Café"

    @pytest.mark.parametrize("text", UNSAFE)
    def test_refuses_control_and_direction_characters(self, text):
        assert code_of(values.parse_text, text) == "unsafe_character"
        assert code_of(values.parse_external_id, text) == "unsafe_character"

    def test_counts_code_points(self):
        assert values.parse_text("🙂" * 10, max_length=10) == "🙂" * 10
        assert code_of(values.parse_text, "🙂" * 11, max_length=10) == "max_length"

    def test_refuses_heaps_of_accents(self):
        assert code_of(values.parse_text, "e" + "\u0301\u0302" * 6) == "unsafe_character"

    @pytest.mark.parametrize("value", ["", "  ", "\t\n", "\u3000"])
    def test_refuses_blank(self, value):
        assert code_of(values.parse_text, value) == "blank"

    def test_lines_only_where_asked_for(self):
        assert code_of(values.parse_text, "a\nb") == "line_break"
        assert values.parse_text("a\r\nb\rc", lines=True) == "a\nb\nc"

    @pytest.mark.parametrize("value", [None, 1, True, [], {}, b"a"])
    def test_is_text_already(self, value):
        assert code_of(values.parse_text, value) == "not_a_string"

    @given(st.text(max_size=300))
    def test_what_passes_passes_again_unchanged(self, value):
        try:
            text = values.parse_text(value, lines=True)
        except BadValue:
            return
        assert values.parse_text(text, lines=True) == text
        assert unicodedata.is_normalized("NFC", text)
        assert "\x00" not in text


class TestExternalId:
    @pytest.mark.parametrize("value", ["001Zp", "001ZP", "0007", "a/b c", "cafe\u0301", "=1+1"])
    def test_stays_exactly_as_it_came(self, value):
        assert values.parse_external_id(value) == value

    @pytest.mark.parametrize("value", [" a", "a ", "a\u00a0"])
    def test_is_not_trimmed_silently(self, value):
        assert code_of(values.parse_external_id, value) == "surrounding_space"

    def test_has_limits(self):
        assert code_of(values.parse_external_id, "") == "blank"
        assert code_of(values.parse_external_id, "x" * 121) == "max_length"
        assert code_of(values.parse_external_id, 7) == "not_a_string"


@pytest.mark.parametrize("value", ["salesforce", "crm-2", "a.b_c"])
def test_sources_are_short_words(value):
    assert values.parse_source(value) == value


@pytest.mark.parametrize("value", ["", "Sales", "a b", "-a", "x" * 61, "é"])
def test_other_sources_are_refused(value):
    assert code_of(values.parse_source, value) == "invalid_source"


class TestMoney:
    @pytest.mark.parametrize(
        ("value", "amount"),
        [
            ("0", "0"),
            ("16807.40", "16807.40"),
            ("0.0001", "0.0001"),
            ("999999999999.9999", "999999999999.9999"),
            ("007", "7"),
        ],
    )
    def test_is_exact(self, value, amount):
        assert values.parse_money(value) == Decimal(amount)

    @pytest.mark.parametrize(
        "value",
        [
            "NaN",
            "Infinity",
            "-Infinity",
            "1e3",
            "1E+3",
            "1_000",
            "\uff11\uff12",
            "٣",
            "0x10",
            "+5",
            " 5",
            "5 ",
            "5.",
            ".5",
            "1,234.56",
            "1.234,56",
            "$5",
            "(500)",
            "",
            "--5",
            "5\n",
            "1.2.3",
            "½",
            "-0",
        ],
    )
    def test_refuses_what_is_not_plainly_a_number(self, value):
        assert code_of(values.parse_money, value) in {"not_a_number", "negative"}

    @pytest.mark.parametrize("value", [5, 5.0, True, None, Decimal(5), float("nan")])
    def test_is_a_string(self, value):
        assert code_of(values.parse_money, value) == "not_a_string"

    def test_bounds(self):
        assert code_of(values.parse_money, "1000000000000") == "too_large"
        assert code_of(values.parse_money, "9" * 5000) == "too_large"
        assert code_of(values.parse_money, "0.00001") == "too_many_decimals"
        assert code_of(values.parse_money, "-5") == "negative"

    def test_is_signed_only_where_said(self):
        assert values.parse_money("-5.25", signed=True) == Decimal("-5.25")
        assert str(values.parse_money("-0", signed=True)) == "0"

    @given(st.decimals(min_value=0, max_value=10**12 - 1, places=4))
    def test_what_is_written_reads_the_same(self, amount):
        assert values.parse_money(values.money_text(amount)) == amount


@pytest.mark.parametrize(
    ("amount", "text"),
    [("50000", "50000.00"), ("16807.4000", "16807.40"), ("0.1234", "0.1234"), ("1E+3", "1000.00")],
)
def test_money_is_written_with_two_to_four_decimals(amount, text):
    assert values.money_text(Decimal(amount)) == text


def test_a_share_is_cut_and_never_rounded_up():
    assert values.ratio_text(79_999, 100_000) == "0.7999"
    assert values.ratio_text(61, 94) == "0.6489"


def test_rates_are_positive():
    assert values.parse_rate("1.0842000001") == Decimal("1.0842000001")
    assert code_of(values.parse_rate, "0.0") == "not_positive"


class TestSeats:
    @pytest.mark.parametrize("value", [0, 1, 2**31 - 1])
    def test_json_integers(self, value):
        assert values.parse_seats(value) == value

    @pytest.mark.parametrize("value", [True, False, 1.0, "1", "12", None, [1], float("nan")])
    def test_nothing_that_could_be_read_as_one(self, value):
        assert code_of(values.parse_seats, value) == "not_an_integer"

    def test_bounds(self):
        assert code_of(values.parse_seats, -1) == "negative"
        assert code_of(values.parse_seats, 2**31) == "too_large"
        assert code_of(values.parse_seats_text, "-1") == "negative"
        assert code_of(values.parse_seats_text, "2147483648") == "too_large"

    @pytest.mark.parametrize(
        "value",
        ["1_000", "\uff11\uff12", "1.0", " 5", "1e3", "0x10", "", "+5", "9" * 5000, "٣", "5\n"],
    )
    def test_text_is_ascii_digits(self, value):
        assert code_of(values.parse_seats_text, value) == "not_an_integer"

    def test_text(self):
        assert values.parse_seats_text("0120") == 120


class TestDays:
    def test_iso(self):
        assert values.parse_date("2028-02-29") == dt.date(2028, 2, 29)

    @pytest.mark.parametrize(
        "value",
        [
            "2026-02-30",
            "2027-02-29",
            "01/02/03",
            "45000",
            "20260331",
            "2026-W10-1",
            "0000-01-01",
            "\uff12\uff10\uff12\uff16-01-01",
            "2026-1-1",
            "2026-03-31T00:00:00",
            " 2026-03-31",
            "",
        ],
    )
    def test_nothing_else(self, value):
        assert code_of(values.parse_date, value) == "not_a_date"

    @pytest.mark.parametrize("value", ["1989-12-31", "2101-01-01", "9999-12-31"])
    def test_horizon(self, value):
        assert code_of(values.parse_date, value) == "date_out_of_range"

    @pytest.mark.parametrize("value", ["1990-01-01", "2100-12-31"])
    def test_edges_of_the_horizon(self, value):
        assert values.parse_date(value).isoformat() == value


class TestMoments:
    @pytest.mark.parametrize(
        "value", ["2026-03-31T12:00:00Z", "2026-03-31 14:00+02:00", "2026-03-31T12:00:00.000000Z"]
    )
    def test_are_in_utc(self, value):
        assert values.parse_datetime(value) == dt.datetime(2026, 3, 31, 12, tzinfo=dt.UTC)
        assert values.parse_datetime(value).tzinfo is dt.UTC

    def test_need_an_offset(self):
        assert code_of(values.parse_datetime, "2026-03-31T12:00:00") == "no_offset"

    @pytest.mark.parametrize(
        "value",
        [
            "2026-03-31",
            "2026-03-31T25:00:00Z",
            "2026-03-31T12:00:60Z",
            "2026-02-30T12:00:00Z",
            "2026-03-31T12:00:00+99:99",
            "2026-03-31T12:00:00 02:00",
            "now",
            "1774958400",
        ],
    )
    def test_nothing_else(self, value):
        assert code_of(values.parse_datetime, value) == "not_a_datetime"

    @pytest.mark.parametrize(
        "value", ["1989-12-31T23:59:59Z", "2101-01-01T00:00:00Z", "1990-01-01T00:00:00+01:00"]
    )
    def test_horizon(self, value):
        assert code_of(values.parse_datetime, value) == "date_out_of_range"

    @pytest.mark.parametrize("value", ["0001-01-01T00:00:00+12:00", "9999-12-31T23:59:59-12:00"])
    def test_the_edge_of_time(self, value):
        assert code_of(values.parse_datetime, value) == "not_a_datetime"

    def test_are_written_in_utc(self):
        zone = dt.timezone(dt.timedelta(hours=2))
        assert values.moment_text(dt.datetime(2026, 3, 31, 14, tzinfo=zone)) == (
            "2026-03-31T12:00:00Z"
        )


@pytest.mark.parametrize("value", ["usd", "US", "USDX", "US$", "\uff35\uff33\uff24", "USD\n"])
def test_currencies_are_three_capitals(value):
    assert values.parse_currency("USD") == "USD"
    assert code_of(values.parse_currency, value) == "not_a_currency"


class TestEmail:
    def test_keeps_the_local_part(self):
        assert values.parse_email("Ann.O'Neil+x@Example.COM") == "Ann.O'Neil+x@example.com"

    @pytest.mark.parametrize(
        "value",
        [
            "a",
            "a@b",
            "a@b..c",
            "a b@c.de",
            "a@c.de\r\nBcc: x@y.z",
            "ä@c.de",
            "a@cä.de",
            ".a@c.de",
            "a@-c.de",
            '"a b"@c.de',
            "a@[127.0.0.1]",
            "x" * 65 + "@c.de",
            "a@" + "b." * 130 + "de",
            "",
        ],
    )
    def test_nothing_doubtful(self, value):
        assert code_of(values.parse_email, value) == "not_an_email"


def test_ids_are_in_the_canonical_form():
    text = "8f14e45f-ceea-467f-a9f5-2e1b1c1d1e1f"
    assert str(values.parse_uuid(text.upper())) == text
    for value in (text.replace("-", ""), "{" + text + "}", f"urn:uuid:{text}", "1", ""):
        assert code_of(values.parse_uuid, value) == "not_an_id"


def test_choices_are_exact():
    assert values.parse_choice("paid", ["paid", "trial"]) == "paid"
    for value in ("Paid", "paid ", "", "p"):
        assert code_of(values.parse_choice, value, allowed=["paid", "trial"]) == "not_a_choice"


def test_booleans():
    assert values.parse_boolean(True) is True
    assert values.parse_boolean_text("false") is False
    for value in (1, 0, "true", None):
        assert code_of(values.parse_boolean, value) == "not_a_boolean"
    for value in ("True", "1", "yes", "on", ""):
        assert code_of(values.parse_boolean_text, value) == "not_a_boolean"


def test_what_was_sent_is_repeated_short_and_harmless():
    assert values.echo("x" * 500) == "x" * 79 + "…"
    assert values.echo("a\x00b\r\nc\u202ed\ud800") == "a b  c d "
    assert len(values.echo([1] * 1000)) == 80


PARSERS = [
    values.parse_text,
    values.parse_name,
    values.parse_external_id,
    values.parse_source,
    values.parse_money,
    values.parse_rate,
    values.parse_seats,
    values.parse_seats_text,
    values.parse_date,
    values.parse_datetime,
    values.parse_currency,
    values.parse_email,
    values.parse_uuid,
    values.parse_boolean,
    values.parse_boolean_text,
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.sampled_from(PARSERS), ANYTHING)
def test_no_input_causes_anything_but_a_bad_value(parse, value):
    bad = None
    try:
        parse(value)
    except BadValue as caught:
        bad = caught
    assert bad is None or (bad.code and "\x00" not in bad.detail)
