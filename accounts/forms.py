"""How the pages of accounts and the settings read what people type."""

import datetime as dt
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.core.exceptions import ValidationError

from accounts.models import Account, DataState, Instance
from accounts.selectors import Choices, Filters
from accounts.selectors.lists import NO_TAM
from config.lib import values
from config.lib.form_fields import (
    CurrencyField,
    DateField,
    LinesField,
    MoneyField,
    NameField,
    SearchField,
    SeatsField,
    StrictField,
    TextField,
)

ANY = ("", "Any")
STANDINGS = [
    ("passes", "Reaches the line"),
    ("below", "Below the line"),
    ("unknown", "Unknown"),
    ("unlimited", "Unlimited licence"),
    ("outside", "Outside the metric"),
]
DATA_STATES = [
    (DataState.COMPLETE, "Complete"),
    (DataState.PARTIAL, "Partial"),
    (DataState.STALE, "Stale"),
    (DataState.NO_READING, "No reading"),
    (DataState.NO_INSTANCE, "No counted instance"),
]
NO_SUCH_CHOICE = {"invalid_choice": "There is no such choice."}
LOCAL_TIME = "%Y-%m-%dT%H:%M"


def _choice(label: str, choices: Iterable[tuple[str, str]] = ()) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        choices=[ANY, *choices],
        required=False,
        error_messages=NO_SUCH_CHOICE,
    )


class AccountFilterForm(forms.Form):
    """The filters of the list, from its address. Unknown parameters are no concern of it."""

    q = SearchField(label="Name, id or number", required=False)
    tier = _choice("Tier")
    region = _choice("Region")
    tam = _choice("TAM")
    status = _choice("Status", Account.Status.choices)
    standing = _choice("Metric", STANDINGS)
    state = _choice("Data", DATA_STATES)

    def __init__(self, data: Any, *, choices: Choices) -> None:
        super().__init__(data)
        self._offer("tier", choices.tiers)
        self._offer("region", choices.regions)
        self._offer("tam", [*choices.tams, (NO_TAM, "Nobody")])

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = [ANY, *choices]

    def filters(self) -> Filters:
        """Return what to narrow to; nothing at all while any part is malformed."""
        return Filters(**self.cleaned_data) if self.is_valid() else Filters()

    def problems(self) -> list[tuple[str, str]]:
        """Return (label, what is wrong) of each malformed part."""
        return [
            (str(self[name].label), str(message))
            for name, messages in self.errors.items()
            for message in messages
        ]


class LocalTimeField(StrictField):
    """A time on the clocks of `zone`, without its offset; the value is in UTC.

    Refuses times that the clocks skip. Of times that come twice it takes the first.
    """

    zone: ZoneInfo = ZoneInfo("UTC")
    widget = forms.DateTimeInput(format=LOCAL_TIME, attrs={"type": "datetime-local"})

    def to_python(self, value: Any) -> dt.datetime | None:
        if not isinstance(value, str) or not value.strip():
            return None
        try:
            local = dt.datetime.strptime(value.strip()[:16], LOCAL_TIME).replace(tzinfo=self.zone)
            moment = values.check_datetime(local.astimezone(dt.UTC))
        except values.BadValue as bad:
            raise ValidationError(bad.detail, code=bad.code) from bad
        except (ValueError, OverflowError) as bad:
            raise ValidationError(
                "Enter a day and a time, like 2026-03-31 14:30.", code="not_a_time"
            ) from bad
        if moment.astimezone(self.zone).replace(tzinfo=None) != local.replace(tzinfo=None):
            raise ValidationError(
                "The clocks skip this time on that day. Enter one before or after.", code="skipped"
            )
        return moment

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, dt.datetime):
            return value.astimezone(self.zone).strftime(LOCAL_TIME)
        return value


class InstanceField(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Instance) -> str:
        notes = [obj.environment] if obj.environment else []
        if not obj.counted:
            notes.append("not counted")
        return f"{obj.name} ({', '.join(notes)})" if notes else obj.name


class ReadingForm(forms.Form):
    """Seats counted by hand at an instance, at a time on the company's clocks."""

    instance = InstanceField(
        queryset=Instance.objects.none(),
        required=False,
        empty_label="Choose an instance",
        error_messages={
            "required": "Choose an instance.",
            "invalid_choice": "Choose an instance of this account.",
        },
    )
    seats = SeatsField(
        label="Active seats",
        help_text="Everybody with an active seat at that moment, as a whole number.",
        error_messages={"required": "Enter the number of active seats."},
    )
    observed_at = LocalTimeField(
        label="Counted at",
        error_messages={"required": "Enter when the seats were counted."},
    )
    note = LinesField(
        label="Where the count comes from",
        help_text="For example: screenshot of the admin console, sent by the customer.",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say where the count comes from."},
    )

    def __init__(
        self, data: Any = None, *, account: Account, zone: ZoneInfo, now: dt.datetime
    ) -> None:
        super().__init__(data, initial={"observed_at": now})
        observed_at = self.fields["observed_at"]
        assert isinstance(observed_at, LocalTimeField)  # noqa: S101
        observed_at.zone = zone
        observed_at.help_text = f"On the company's clocks, {zone.key}."
        self._offer(account)

    def _offer(self, account: Account) -> None:
        """Ask for the instance only where there is a choice."""
        field = self.fields["instance"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101
        instances = Instance.objects.filter(account=account).order_by("-counted", "name", "pk")
        found = list(instances)
        if not found:
            del self.fields["instance"]
            return
        field.queryset = instances
        field.required = True
        if len(found) == 1:
            field.empty_label = None
            self.initial["instance"] = found[0].pk


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
