import datetime as dt
import uuid
from decimal import Decimal

import pytest
from django import forms
from django.core.exceptions import ValidationError
from rest_framework import serializers

from config.lib import fields, form_fields

ID = "8f14e45f-ceea-467f-a9f5-2e1b1c1d1e1f"


def run(field, value):
    class One(fields.StrictSerializer):
        pass

    serializer = One(data={"it": value})
    serializer.fields["it"] = field
    return (
        serializer.validated_data["it"]
        if serializer.is_valid()
        else serializer.errors["it"][0].code
    )


@pytest.mark.parametrize(
    ("field", "value", "result"),
    [
        (fields.TextField(), " Cafe\u0301 ", "Café"),
        (fields.TextField(), "", "blank"),
        (fields.TextField(blank=True), "  ", ""),
        (fields.TextField(max_length=3), "four", "max_length"),
        (fields.TextField(), "a\nb", "line_break"),
        (fields.LinesField(), "a\r\nb", "a\nb"),
        (fields.NameField(), None, "null"),
        (fields.NameField(allow_null=True), None, None),
        (fields.ExternalIdField(), "0012Zp", "0012Zp"),
        (fields.ExternalIdField(), " 12", "surrounding_space"),
        (fields.SourceField(), "Sales Force", "invalid_source"),
        (fields.MoneyField(), "1200.50", Decimal("1200.50")),
        (fields.MoneyField(), 1200.5, "not_a_string"),
        (fields.MoneyField(), "NaN", "not_a_number"),
        (fields.SeatsField(), 12, 12),
        (fields.SeatsField(), True, "not_an_integer"),
        (fields.SeatsField(), "12", "not_an_integer"),
        (fields.SeatsField(), 12.0, "not_an_integer"),
        (fields.SeatsField(), -1, "negative"),
        (fields.DateField(), "2026-03-31", dt.date(2026, 3, 31)),
        (fields.DateField(), "31.03.2026", "not_a_date"),
        (fields.DateTimeField(), "2026-03-31T00:00:00", "no_offset"),
        (fields.CurrencyField(), "usd", "not_a_currency"),
        (fields.EmailField(), "a@b.example", "a@b.example"),
        (fields.UuidField(), ID, uuid.UUID(ID)),
        (fields.UuidField(), 7, "not_a_string"),
        (fields.BooleanField(), True, True),
        (fields.BooleanField(), "true", "not_a_boolean"),
        (fields.BooleanField(), 1, "not_a_boolean"),
        (fields.ChoiceField(["paid", "trial"]), "paid", "paid"),
        (fields.ChoiceField(["paid", "trial"]), "Paid", "not_a_choice"),
        (fields.ChoiceField(["paid", "trial"]), ["paid"], "not_a_string"),
    ],
)
def test_serializer_fields(field, value, result):
    assert run(field, value) == result


@pytest.mark.parametrize(
    ("field", "value", "result"),
    [
        (fields.MoneyField(), Decimal("50000.0000"), "50000.00"),
        (fields.RatioField(), Decimal("0.812300"), "0.812300"),
        (fields.DateField(), dt.date(2026, 3, 31), "2026-03-31"),
        (fields.DateTimeField(), dt.datetime(2026, 3, 31, tzinfo=dt.UTC), "2026-03-31T00:00:00Z"),
        (fields.UuidField(), uuid.UUID(ID), ID),
        (fields.SeatsField(), 7, 7),
    ],
)
def test_are_written_exactly(field, value, result):
    assert field.to_representation(value) == result


class TestStrictSerializer:
    class Thing(fields.StrictSerializer):
        id = fields.UuidField(read_only=True)
        name = fields.NameField()

    @pytest.mark.parametrize(("name", "code"), [("role", "unknown"), ("id", "read_only")])
    def test_what_cannot_be_written_is_refused_by_name(self, name, code):
        serializer = self.Thing(data={"name": "A", name: ID})
        assert not serializer.is_valid()
        assert serializer.errors[name][0].code == code

    @pytest.mark.parametrize("data", [[], "x", 1, None, [{"name": "A"}]])
    def test_wants_an_object(self, data):
        with pytest.raises((serializers.ValidationError, AssertionError)):
            self.Thing(data=data).is_valid(raise_exception=True)


class TestFormFields:
    class Reading(forms.Form):
        seats = form_fields.SeatsField()
        on = form_fields.DateField(required=False)
        note = form_fields.LinesField(required=False, max_length=20)

    def test_what_a_browser_sends_is_trimmed(self):
        form = self.Reading({"seats": " 120 ", "on": "2026-03-31", "note": " a\r\nb "})
        assert form.is_valid()
        assert form.cleaned_data == {
            "seats": 120,
            "on": dt.date(2026, 3, 31),
            "note": "a\nb",
        }

    def test_what_is_left_out(self):
        form = self.Reading({"seats": "0"})
        assert form.is_valid()
        assert form.cleaned_data == {"seats": 0, "on": None, "note": ""}

    @pytest.mark.parametrize(
        "seats", ["1_000", "\uff11\uff12", "1.0", "-1", "2147483648", "  ", "a\x00"]
    )
    def test_the_same_refusals_as_over_the_api(self, seats):
        assert "seats" in self.Reading({"seats": seats}).errors

    def test_what_was_typed_is_shown_again(self):
        html = str(self.Reading({"seats": "many", "on": "x"}))
        assert 'value="many"' in html
        assert 'inputmode="numeric"' in html

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            (form_fields.ExternalIdField(), " 12"),
            (form_fields.MoneyField(), "1e3"),
            (form_fields.EmailField(), "a@b\r\nBcc: x"),
            (form_fields.UuidField(), "7"),
            (form_fields.CurrencyField(), "usd"),
            (form_fields.BooleanTextField(), "yes"),
            (form_fields.ChoiceTextField(words=["a"]), "b"),
            (form_fields.CommaListField(inner=form_fields.SeatsField()), "1,,2"),
            (form_fields.CommaListField(inner=form_fields.SeatsField()), "1," * 300),
            (form_fields.SearchField(), "x" * 101),
        ],
    )
    def test_refuse(self, field, value):
        with pytest.raises(ValidationError):
            field.clean(value)

    def test_lists(self):
        field = form_fields.CommaListField(inner=form_fields.SeatsField())
        assert field.clean("1,20,300") == [1, 20, 300]
