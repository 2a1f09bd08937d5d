"""Company settings and tiers."""

from zoneinfo import available_timezones

from django import forms

from config.lib import values
from config.lib.form_fields import (
    CurrencyField,
    DateField,
    MoneyField,
    NameField,
    SeatsField,
    StrictField,
    TextField,
)


class TimeZoneField(StrictField):
    """A zone of the tz database, by its name; the page offers all of them."""

    @staticmethod
    def parse(text: str) -> str:
        if text not in available_timezones():
            raise values.BadValue(
                "not_a_zone", f"“{values.echo(text)}” is no time zone. Choose one from the list."
            )
        return text


class CompanyForm(forms.Form):
    name = NameField(
        label="Company name", error_messages={"required": "Enter the name of the company."}
    )
    time_zone = TimeZoneField(
        label="Time zone",
        help_text=(
            "Decides when a day ends: which readings count for it, and when the nightly number"
            " is due. A change holds from now on; numbers already published stay as they are."
        ),
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"}),
        error_messages={"required": "Choose a time zone."},
    )
    reporting_currency = CurrencyField(
        label="Reporting currency",
        help_text=(
            "ARR of every account is converted to it. Exchange rates are units of this currency"
            " for one unit of another: after a change, import them again, or ARR in other"
            " currencies is wrong."
        ),
        widget=forms.TextInput(attrs={"maxlength": "3", "autocomplete": "off"}),
        error_messages={"required": "Enter a currency code like USD."},
    )
    version = SeatsField(widget=forms.HiddenInput)

    @staticmethod
    def zones() -> list[str]:
        return sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC")


class SmallNumberField(SeatsField):
    """A whole number that fits the column, from 1."""

    @staticmethod
    def parse(text: str) -> int:
        return values.parse_integer_text(text, low=1, high=32_767)


class TierForm(forms.Form):
    """A tier from a day on."""

    name = NameField(
        max_length=60,
        help_text="The name of an existing tier makes a new version of it.",
        error_messages={"required": "Enter a name."},
    )
    arr_from = MoneyField(
        label="ARR from",
        help_text="An account is in the highest tier whose amount its ARR reaches.",
        error_messages={"required": "Enter the ARR at which the tier begins."},
    )
    start = DateField(
        label="In force from",
        help_text="A version of the same name that is in force ends on this day.",
        error_messages={"required": "Enter the first day."},
    )
    engagement_model = TextField(max_length=200, required=False)
    cadence_days = SmallNumberField(label="Contact at least every, in days", required=False)
    most_accounts_per_tam = SmallNumberField(label="Most accounts per TAM", required=False)
    project_mandatory = forms.BooleanField(
        label="An engagement project is mandatory", required=False
    )


class TierEndForm(forms.Form):
    end = DateField(
        label="First day no longer in force",
        help_text="From then on its accounts are in the next lower tier.",
        error_messages={"required": "Enter a day."},
    )
