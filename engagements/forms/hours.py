"""Settings of hours, days off, service levels and reasons."""

import calendar
import datetime as dt
from decimal import Decimal
from typing import Any

from django import forms

from config.lib import values
from config.lib.form_fields import DateField, LinesField, StrictField, TextField
from engagements.models import Impact, ReasonCode, ServiceLevel
from engagements.rules.business_time import Week
from engagements.rules.days_off import parse_days_off

HOURS_MAX = 2_000


class ClockTimeField(StrictField):
    """A time of day, "09:00"."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "numeric", "maxlength": "5", "size": "6"})
        super().__init__(widget=widget, required=False, **kwargs)

    def parse(self, text: str) -> dt.time:
        hour, _, minute = text.partition(":")
        try:
            found = dt.time(
                values.parse_integer_text(hour.lstrip("0") or "0", low=0, high=23),
                values.parse_integer_text(minute.lstrip("0") or "0", low=0, high=59),
            )
        except values.BadValue as bad:
            raise values.BadValue(
                "not_a_time", f"“{values.echo(text)}” is no time of day. Write it like 09:00."
            ) from bad
        if len(minute) != len("00"):
            raise values.BadValue(
                "not_a_time", f"“{values.echo(text)}” is no time of day. Write it like 09:00."
            )
        return found

    def prepare_value(self, value: Any) -> Any:
        return f"{value:%H:%M}" if isinstance(value, dt.time) else value


class HoursForm(forms.Form):
    """A whole week; a day without times is off."""

    since = DateField(
        label="From",
        help_text="Today or later. What passed before is measured by the hours of its day.",
        error_messages={"required": "Enter the first day on which these hours hold."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for weekday, name in enumerate(calendar.day_name):
            self.fields[f"opens_{weekday}"] = ClockTimeField(label=f"{name}, from")
            self.fields[f"closes_{weekday}"] = ClockTimeField(label=f"{name}, to")

    @property
    def days(self) -> list[tuple[str, forms.BoundField, forms.BoundField]]:
        return [
            (name, self[f"opens_{weekday}"], self[f"closes_{weekday}"])
            for weekday, name in enumerate(calendar.day_name)
        ]

    @property
    def week(self) -> Week:
        return {
            weekday: (opens, self.cleaned_data[f"closes_{weekday}"])
            for weekday in range(7)
            if (opens := self.cleaned_data[f"opens_{weekday}"]) is not None
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for weekday, name in enumerate(calendar.day_name):
            opens, closes = f"opens_{weekday}", f"closes_{weekday}"
            if opens in self.errors or closes in self.errors:
                continue
            first, last = cleaned[opens], cleaned[closes]
            if (first is None) != (last is None):
                self.add_error(
                    closes if last is None else opens,
                    f"Enter from when to when on {name}, or leave both empty.",
                )
            elif first is not None and last <= first:
                self.add_error(closes, f"{name} ends at {last:%H:%M}, before or when it begins.")
        return cleaned


class HolidaysForm(forms.Form):
    days = LinesField(
        label="Days off to add",
        help_text="One a line: the day and its name, such as “2026-12-25 Christmas Day”. A CSV"
        " with the same two columns will do.",
        max_length=100_000,
        error_messages={"required": "Enter at least one day."},
    )

    def clean_days(self) -> dict[dt.date, str]:
        pasted = parse_days_off(self.cleaned_data["days"])
        if pasted.wrong:
            raise forms.ValidationError(" ".join(pasted.wrong), code="wrong_lines")
        return pasted.days


class HoursAmountField(StrictField):
    """Business hours, to the hundredth."""

    attrs = {"inputmode": "decimal", "maxlength": "8"}

    def parse(self, text: str) -> Decimal:
        hours = values.parse_decimal(text, places=2, whole_digits=5)
        if not 0 < hours <= HOURS_MAX:
            raise values.BadValue(
                "out_of_range", f"{text} is not between 0.01 and {HOURS_MAX:,} hours."
            )
        return hours


class LevelForm(forms.Form):
    """A service level from a day on."""

    clock = forms.ChoiceField(
        label="Clock",
        choices=ServiceLevel.Clock.choices,
        error_messages={"required": "Choose a clock.", "invalid_choice": "Choose a clock."},
    )
    impact = forms.ChoiceField(
        required=False,
        label="Impact",
        choices=[("", "Any"), *((str(value), label) for value, label in Impact.choices)],
        error_messages={"invalid_choice": "Choose an impact."},
    )
    hours = HoursAmountField(
        label="Business hours",
        help_text="How soon it must have happened.",
        error_messages={"required": "Enter how many business hours it may take."},
    )
    start = DateField(
        label="In force from",
        help_text="Today or later. It counts for clocks that begin from then on; the level that"
        " is in force for the same clock and impact ends on this day.",
        error_messages={"required": "Enter the first day."},
    )

    def clean_impact(self) -> int | None:
        impact = self.cleaned_data["impact"]
        if impact and self.cleaned_data.get("clock") != ServiceLevel.Clock.DELIVERED:
            raise forms.ValidationError(
                "Impact is decided at triage. Only “Started to delivered” can differ by it.",
                code="too_early",
            )
        return int(impact) if impact else None


class LevelEndForm(forms.Form):
    end = DateField(
        label="First day no longer in force",
        help_text="Clocks that began before keep it.",
        error_messages={"required": "Enter a day."},
    )


class ReasonForm(forms.Form):
    kind = forms.ChoiceField(
        label="For",
        choices=ReasonCode.Kind.choices,
        error_messages={"required": "Choose what for.", "invalid_choice": "Choose what for."},
    )
    label = TextField(
        label="Reason", max_length=120, error_messages={"required": "Enter the reason."}
    )


class RenameForm(forms.Form):
    label = TextField(
        label="Reason", max_length=120, error_messages={"required": "Enter the reason."}
    )
