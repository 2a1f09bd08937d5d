import datetime as dt
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django import forms

from config.lib import values
from config.lib.form_fields import (
    DateField,
    DateTimeField,
    LinesField,
    NameField,
    StrictField,
    TextField,
)
from config.lib.name_choice import NameChoice, name_choice
from config.lib.then import moment_in
from people.models import Role

Choices = Sequence[tuple[str, str]]
# A number as people write it, with commas between thousands.
GROUPED = re.compile(r"[0-9]{1,3}(,[0-9]{3})+([.][0-9]+)?")
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


class MomentField(StrictField):
    """A moment with its offset, or on the clocks of `zone`, as a calendar gives it."""

    widget = forms.HiddenInput
    zone = ZoneInfo("UTC")

    def parse(self, text: str) -> dt.datetime:
        return moment_in(text, self.zone)


class PeriodForm(forms.Form):
    """Which day a page shows, by what was known when, and what it is compared with.

    `vs_day` is `vs` as a calendar gives it, and wins over it.
    """

    as_of = DateField(required=False, label="Day")
    known_at = MomentField(required=False)
    vs = VersusField(required=False)
    vs_day = DateField(required=False)
    vs_known_at = DateTimeField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["known_at"]
        assert isinstance(field, MomentField)  # noqa: S101
        field.zone = zone


MOST_OFFERED = 100


class SegmentForm(forms.Form):
    """Narrows a list of accounts."""

    reason = forms.ChoiceField(required=False, label="Why")
    tier = forms.ChoiceField(required=False, label="Tier")
    region = forms.ChoiceField(required=False, label="Region")
    tam = name_choice("TAM")

    def __init__(self, *args: Any, choices: Mapping[str, Choices], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(choices["reason"]) <= 1 and not self.data.get("reason"):
            del self.fields["reason"]
        for name in choices.keys() & self.fields.keys():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101
            if isinstance(field, NameChoice):
                field.offer([("", "Any"), *choices[name]])
            else:
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


# Label and hint of a target that is no share.
AMOUNTS = {
    "count": ("How many", "A whole number from 0."),
    "money": ("Amount in {}", "From 0, with a dot before cents, as in 250000.50."),
    "duration": ("Hours of business time", "From 0, with up to two decimals, as in 16.5."),
}
AMOUNT_PLACES = {"count": 0, "money": 2, "duration": 2}


class AmountField(StrictField):
    attrs = {"inputmode": "decimal", "maxlength": "20"}
    places = 0

    def parse(self, text: str) -> Decimal:
        return values.parse_decimal(text, places=self.places, whole_digits=12)


class TargetForm(forms.Form):
    percent = PercentField(
        label="Share of accounts, in percent",
        help_text="A whole number from 1 to 100.",
        error_messages={"required": "Enter the share of accounts that should pass."},
    )
    by_day = DateField(required=False, label="By")

    amount = AmountField()
    direction = forms.ChoiceField(
        required=False,
        label="The number should be",
        choices=[("at_least", "At least that"), ("at_most", "At most that")],
        error_messages={"invalid_choice": "Choose at least or at most."},
    )

    def __init__(
        self, *args: Any, today: dt.date, unit: str = "share", currency: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        del self.fields["amount" if unit == "share" else "percent"]
        if unit != "share":
            field = self.fields["amount"]
            assert isinstance(field, AmountField)  # noqa: S101
            field.label, field.help_text = AMOUNTS[unit][0].format(currency), AMOUNTS[unit][1]
            field.places = AMOUNT_PLACES[unit]
            field.error_messages["required"] = "Enter what the number should be."

    @property
    def value(self) -> Decimal:
        """What was entered, in the unit of the number."""
        if "percent" in self.cleaned_data:
            return Decimal(self.cleaned_data["percent"]) / 100
        return Decimal(self.cleaned_data["amount"])

    def clean_by_day(self) -> dt.date | None:
        day: dt.date | None = self.cleaned_data["by_day"]
        if day is not None and day <= self.today:
            raise forms.ValidationError("Choose a day after today.", code="past")
        return day


class FigureAccountsForm(forms.Form):
    """Narrows the accounts behind a number to what its rows can be told by."""

    def __init__(self, *args: Any, choices: Mapping[str, Choices], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = {"state": "Standing", "tam": "TAM"}
        for name, found in choices.items():
            label = labels.get(name, name.capitalize())
            self.fields[name] = forms.ChoiceField(
                required=False,
                label=label,
                choices=[("", "Any"), *_offered(found, self.data.get(name))],
                error_messages={"invalid_choice": f"There is no such {label} here."},
            )


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


class DaysField(StrictField):
    parse = staticmethod(partial(values.parse_integer_text, low=1, high=366))
    attrs = {"inputmode": "numeric", "maxlength": "3"}


class AlertListForm(forms.Form):
    """Narrows the list of alerts."""

    metric = forms.ChoiceField(
        required=False,
        label="Number",
        error_messages={"invalid_choice": "There is no such number here."},
    )

    def __init__(self, *args: Any, titles: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["metric"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = [("", "Any"), *titles.items()]


VALUE_LABELS = {
    "share": ("Line, in percent, or change, in points", "Write 70 for 70%, 2.5 for 2.5 points."),
    "count": ("How many", "A whole number."),
    "duration": ("Hours", "In business hours, such as 16 or 4.5."),
}


class AlertRuleForm(forms.Form):
    """A rule on one number; `value` is typed in its unit."""

    kind = forms.ChoiceField(
        label="Raise an alert when it",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose when.", "invalid_choice": "Choose one of these."},
    )
    value = TextField(
        max_length=30,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        error_messages={"required": "Say how much."},
    )
    days = DaysField(
        label="In how many days",
        required=False,
        help_text="For rises and falls: compared with so many days before, up to 366.",
    )
    tells = forms.MultipleChoiceField(
        label="Whom it tells",
        widget=forms.CheckboxSelectMultiple,
        choices=Role.choices,
        error_messages={
            "required": "Choose at least one role to tell.",
            "invalid_choice": "There is no such role.",
        },
    )
    note = TextField(
        label="What to do then",
        required=False,
        max_length=200,
        help_text="Stands in the notice and on the alert.",
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput, max_value=10**9)

    def __init__(self, *args: Any, kinds: Choices, unit: str, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.use_required_attribute = False
        self.unit = unit
        kind, value = self.fields["kind"], self.fields["value"]
        assert isinstance(kind, forms.ChoiceField)  # noqa: S101
        kind.choices = kinds
        money = (f"Amount in {currency}", f"Such as 250000. In {currency}, without a sign.")
        value.label, value.help_text = VALUE_LABELS.get(unit, money)

    def clean_value(self) -> Decimal:
        """Return it in the unit of the number: shares and coverage as shares."""
        text = self.cleaned_data["value"].removesuffix("%").strip()
        if GROUPED.fullmatch(text):
            text = text.replace(",", "")
        try:
            return self._value(text)
        except values.BadValue as bad:
            raise forms.ValidationError(bad.detail, code=bad.code) from bad

    def _value(self, text: str) -> Decimal:
        if self.unit == "share" or self.data.get("kind") == "coverage_fell":
            return values.parse_decimal(text, places=4, whole_digits=3) / 100
        if self.unit == "count":
            return Decimal(values.parse_integer_text(text, low=0, high=10**12))
        if self.unit == "duration":
            return values.parse_decimal(text, places=2, whole_digits=6)
        return values.parse_money(text)
