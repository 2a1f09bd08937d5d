"""Settings of sign-off: how links work, and how strong a sign-off must be."""

from typing import Any

from django import forms

from config.lib.form_fields import CurrencyField, DateField, MoneyField, StrictField
from config.lib.values import parse_integer_text
from engagements.models import Impact, SignOff

START_WORDS = {"required": "Enter the first day on which it holds."}

# What Keel can take; a minimum that nobody could reach would hold work up for good.
GIVEN = (SignOff.Way.VERBAL, SignOff.Way.WRITTEN, SignOff.Way.LINK)


class WholeField(StrictField):
    """A whole number within limits."""

    attrs = {"inputmode": "numeric", "maxlength": "3"}

    def __init__(self, *, low: int, high: int, **kwargs: Any) -> None:
        self.low, self.high = low, high
        super().__init__(**kwargs)

    def parse(self, text: str) -> int:
        return parse_integer_text(text, low=self.low, high=self.high)


class PolicyForm(forms.Form):
    start = DateField(label="From", help_text="Today or later.", error_messages=START_WORDS)
    link_days = WholeField(
        label="Days a link works",
        low=1,
        high=90,
        error_messages={"required": "Enter how many days a link works."},
    )
    remind_days = WholeField(
        label="Days before the end at which the customer is reminded",
        low=0,
        high=60,
        error_messages={"required": "Enter when the customer is reminded, 0 for not at all."},
    )
    needs_code = forms.BooleanField(
        label="Ask for a code of six digits that is mailed when the customer answers",
        required=False,
    )
    risk_days = WholeField(
        label="Most days that Work at Risk may last",
        low=1,
        high=90,
        error_messages={"required": "Enter how long Work at Risk may last at most."},
    )
    keep_years = WholeField(
        label="Years for which evidence is kept",
        help_text="Customers read it on the page they answer by.",
        low=1,
        high=30,
        error_messages={"required": "Enter for how many years evidence is kept."},
    )


class MinimumForm(forms.Form):
    strength = forms.ChoiceField(
        label="It has to be at least",
        choices=[(way, way.label) for way in GIVEN],
        error_messages={"required": "Choose how strong.", "invalid_choice": "Choose how strong."},
    )
    amount_from = MoneyField(
        label="Where the amount is at least",
        help_text="0 for every amount. In another currency the stricter rule holds.",
        error_messages={"required": "Enter an amount, 0 for every one."},
    )
    currency = CurrencyField(label="Currency", error_messages={"required": "Enter a currency."})
    impact = forms.TypedChoiceField(
        label="And the impact is at least",
        required=False,
        choices=[("", "Any"), *((str(value), label) for value, label in Impact.choices)],
        coerce=int,
        empty_value=None,
        error_messages={"invalid_choice": "Choose an impact of the list."},
    )
    start = DateField(label="From", help_text="Today or later.", error_messages=START_WORDS)


class MinimumEndForm(forms.Form):
    end = DateField(
        label="No longer from",
        help_text="Today or later. One that has not begun by then is taken back.",
        error_messages={"required": "Enter the first day on which it holds no more."},
    )
