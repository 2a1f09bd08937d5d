"""Asking for Work at Risk, and narrowing its register."""

from decimal import Decimal
from typing import Any

from django import forms

from config.lib import values
from config.lib.form_fields import DateField, LinesField, SearchField, StrictField
from events.workflow import REASON_MAX


class DaysField(StrictField):
    """Days of work, to the tenth."""

    attrs = {"inputmode": "decimal"}

    def parse(self, text: str) -> Decimal:
        days = values.parse_decimal(text, places=1, whole_digits=4)
        if not days:
            raise values.BadValue("too_small", "Enter more than 0 days.")
        return days


class RiskForm(forms.Form):
    reason = LinesField(
        label="Why work has to start before the customer signs",
        help_text="Leadership decides by this.",
        max_length=REASON_MAX,
        error_messages={"required": "Enter why work has to start before the customer signs."},
    )
    exposure = LinesField(
        label="What is lost if the customer does not agree",
        max_length=REASON_MAX,
        error_messages={"required": "Enter what is lost if the customer does not agree."},
    )
    exposure_days = DaysField(
        label="Days of work at stake",
        error_messages={"required": "Enter how many days of work are at stake, such as 2.5."},
    )
    expires_on = DateField(
        label="Last day",
        help_text="Work at Risk ends by itself after it.",
        error_messages={"required": "Enter the last day."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("reason", "exposure"):
            self.fields[name].widget.attrs["rows"] = 4


class RiskFilterForm(forms.Form):
    """Narrows the register."""

    view = forms.CharField(required=False, widget=forms.HiddenInput)
    q = SearchField(label="Request or account", required=False)

    @property
    def text(self) -> str:
        return str(self.cleaned_data.get("q") or "") if self.is_valid() else ""

    @property
    def notes(self) -> list[str]:
        return [str(error) for errors in self.errors.values() for error in errors]
