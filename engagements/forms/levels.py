"""Service levels: which ones a page shows, and why one was missed."""

from typing import Any

from django import forms

from config.lib.form_fields import TextField
from engagements.models import Impact, Owner, ServiceLevel
from engagements.selectors.attainment import NO_IMPACT

MONTHS = [("", "Last 3 months"), ("6", "Last 6 months"), ("12", "Last 12 months")]


class LevelFilterForm(forms.Form):
    """Narrows the clocks."""

    months = forms.ChoiceField(required=False, label="Period", choices=MONTHS)
    clock = forms.ChoiceField(
        required=False, label="Clock", choices=[("", "Any"), *ServiceLevel.Clock.choices]
    )
    impact = forms.ChoiceField(
        required=False,
        label="Impact",
        choices=[
            ("", "Any"),
            *((str(value), label) for value, label in Impact.choices),
            (NO_IMPACT, "Not triaged"),
        ],
    )
    owner = forms.ChoiceField(required=False, label="Owner", choices=[("", "Any"), *Owner.choices])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.error_messages["invalid_choice"] = f"There is no such {field.label} here."

    def asked(self, name: str) -> str:
        """Return what the address asks for; "" for what is no choice, which the errors say."""
        return str(self.cleaned_data.get(name) or "")

    @property
    def notes(self) -> list[str]:
        return [str(error) for errors in self.errors.values() for error in errors]


class MissForm(forms.Form):
    text = TextField(
        label="Why it took longer",
        help_text="One sentence. Everybody who looks at the service levels reads it.",
        max_length=500,
        error_messages={"required": "Enter why it took longer."},
    )
