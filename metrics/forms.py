import datetime as dt
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django import forms

from config.lib import values
from config.lib.form_fields import (
    DateField,
    DateTimeField,
    LinesField,
    NameField,
    StrictField,
)

Choices = Sequence[tuple[str, str]]
VERSUS = (MONTH, QUARTER, YEAR) = ("month", "quarter", "year")


class PercentField(StrictField):
    parse = staticmethod(partial(values.parse_integer_text, low=1, high=100))
    attrs = {"inputmode": "numeric", "maxlength": "3"}


class VersusField(StrictField):
    """A named distance back, or a day."""

    def parse(self, text: str) -> str:
        if text in VERSUS:
            return text
        try:
            return values.parse_date(text).isoformat()
        except values.BadValue as bad:
            words = ", ".join(VERSUS)
            raise values.BadValue(bad.code, f"{bad.detail} Or write one of: {words}.") from bad


class SeatsUpToField(StrictField):
    parse = staticmethod(partial(values.parse_integer_text, low=0, high=values.SEATS_MAX))
    attrs = {"inputmode": "numeric", "maxlength": "10"}


class PeriodForm(forms.Form):
    """Which day a page shows, by what was known when, and what it is compared with.

    `vs_day` is `vs` as a calendar gives it, and wins over it.
    """

    as_of = DateField(required=False, label="Day")
    known_at = DateTimeField(required=False, widget=forms.HiddenInput)
    vs = VersusField(required=False)
    vs_day = DateField(required=False)
    vs_known_at = DateTimeField(required=False, widget=forms.HiddenInput)


MOST_OFFERED = 100


class SegmentForm(forms.Form):
    """Narrows a list of accounts."""

    reason = forms.ChoiceField(required=False, label="Why")
    tier = forms.ChoiceField(required=False, label="Tier")
    region = forms.ChoiceField(required=False, label="Region")
    tam = forms.ChoiceField(required=False, label="TAM")

    def __init__(self, *args: Any, choices: Mapping[str, Choices], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(choices["reason"]) <= 1 and not self.data.get("reason"):
            del self.fields["reason"]
        for name in choices.keys() & self.fields.keys():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101
            field.choices = [("", "Any"), *_offered(choices[name], self.data.get(name))]
            field.error_messages["invalid_choice"] = f"There is no such {field.label} here."


def _offered(found: Choices, asked: str | None) -> Choices:
    """Return as many as one can choose from, the one asked for and the last, which is none."""
    return [
        *found[:MOST_OFFERED],
        *(each for each in found[MOST_OFFERED:] if each[0] == asked or each is found[-1]),
    ]


class FlipForm(SegmentForm):
    """Narrows the flip list."""

    renewal = forms.ChoiceField(
        required=False,
        label="Renewal",
        choices=[("", "Any"), *((str(days), f"In {days} days") for days in (30, 60, 90, 120, 180))],
        error_messages={"invalid_choice": "There is no such time until the renewal here."},
    )
    seats = SeatsUpToField(required=False, label="Seats up to")

    def __init__(self, *args: Any, choices: Mapping[str, Choices], **kwargs: Any) -> None:
        super().__init__(*args, choices={**choices, "reason": []}, **kwargs)
        self.fields.pop("reason", None)


class TargetForm(forms.Form):
    percent = PercentField(
        label="Share of accounts, in percent",
        help_text="A whole number from 1 to 100.",
        error_messages={"required": "Enter the share of accounts that should pass."},
    )
    by_day = DateField(required=False, label="By")

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_by_day(self) -> dt.date | None:
        day: dt.date | None = self.cleaned_data["by_day"]
        if day is not None and day <= self.today:
            raise forms.ValidationError("Choose a day after today.", code="past")
        return day


class PublishForm(forms.Form):
    reason = LinesField(
        label="Why it is right all the same",
        help_text="Everybody who looks at the number later reads this.",
        max_length=500,
        error_messages={"required": "Say why the number is right all the same."},
    )


class ScenarioForm(forms.Form):
    name = NameField(
        label="Name",
        max_length=120,
        error_messages={"required": "Give the scenario a name to find it by."},
    )


class ChangeForm(forms.Form):
    """Narrows the accounts that moved the number."""

    group = forms.ChoiceField(required=False, label="Which way")
    cause = forms.ChoiceField(required=False, label="Cause")
    earned = forms.ChoiceField(
        required=False, label="Earned", choices=[("", "Any"), ("yes", "Yes"), ("no", "No")]
    )

    def __init__(self, *args: Any, choices: Mapping[str, Choices], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, found in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101
            field.choices = [("", "Any"), *found]
            field.error_messages["invalid_choice"] = f"There is no such {field.label} here."
