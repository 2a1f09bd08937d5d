"""Forms of impact and effort, of votes on them, and of places given by hand."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict

from config.lib.form_fields import DateField, LinesField, StrictField, TextField
from config.lib.values import BadValue, parse_decimal
from engagements.models import Confidence
from projects.models import MOST_DAYS
from projects.rules import scoring as rules
from projects.rules.scoring import Policy
from projects.services.overriding import REASON_MAX as HAND_REASON_MAX
from projects.services.scoring import REASON_MAX

LAST = "end"
CHOOSE = "Choose one of the four."
PROJECT_MAX = 60


class DaysField(StrictField):
    attrs = {"inputmode": "decimal", "maxlength": "5"}

    def parse(self, text: str) -> Decimal:
        days = parse_decimal(text.replace(",", "."), places=1, whole_digits=3)
        if not days:
            raise BadValue("too_small", f"Enter more than 0 days, {MOST_DAYS} at most.")
        return days


def impacts() -> list[tuple[str, str]]:
    return [
        (str(level), f"{word}: {rules.IMPACT_MEANS[level]}")
        for level, word in rules.IMPACTS.items()
    ]


def efforts(policy: Policy) -> list[tuple[str, str]]:
    return [
        (effort, f"{word}: {rules.days_words(policy, effort)}")
        for effort, word in rules.EFFORTS.items()
    ]


class _Levels(forms.Form):
    impact = forms.TypedChoiceField(
        label="Impact",
        coerce=int,
        empty_value=None,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": CHOOSE, "required": "Choose the impact."},
    )
    effort = forms.ChoiceField(
        label="Effort",
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": CHOOSE, "required": "Choose the effort."},
    )

    def __init__(self, policy: Policy, data: QueryDict | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.use_required_attribute = False
        self.fields["impact"].choices = impacts()  # type: ignore[attr-defined]
        self.fields["effort"].choices = efforts(policy)  # type: ignore[attr-defined]


class VoteForm(_Levels):
    """One's own answer, unseen until the round is closed."""


class ScoreForm(_Levels):
    days = DaysField(
        label="Days of work",
        required=False,
        help_text="Of one engineer, such as 4.5.",
    )
    confidence = forms.ChoiceField(
        label="How sure are you of the days",
        required=False,
        choices=[("", "Not said"), *Confidence.choices],
        error_messages={"invalid_choice": "Choose low, medium or high."},
    )
    reason = LinesField(
        label="Why",
        required=False,
        max_length=REASON_MAX,
        help_text="One line. It stays in the history.",
        error_messages={"required": "Say why the score changes. It stays in the history."},
    )

    def __init__(
        self,
        policy: Policy,
        data: QueryDict | None = None,
        *,
        is_scored: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(policy, data, **kwargs)
        self.fields["impact"].required = self.fields["effort"].required = False
        # A first answer needs no reason; every other is asked for one.
        self.fields["reason"].required = is_scored
        self.fields["reason"].widget.attrs["rows"] = 2


class OverrideForm(forms.Form):
    before = forms.ChoiceField(
        label="Directly before",
        error_messages={
            "required": "Choose the project it goes before.",
            "invalid_choice": "Choose a project of the list: that one is not in it any more.",
        },
    )
    reason = TextField(
        label="Why",
        max_length=HAND_REASON_MAX,
        help_text="One line. Everybody reads it in the list.",
        error_messages={"required": "Say why it does not stand where its score puts it."},
    )
    expires_on = DateField(
        label="Until",
        help_text="The last day it holds: 90 days from today at most.",
        error_messages={"required": "Enter the last day on which it holds."},
    )

    def __init__(
        self,
        others: list[tuple[str, str]],
        data: QueryDict | None = None,
        *,
        initial: dict[str, Any],
    ) -> None:
        super().__init__(data, initial=initial, auto_id="override_%s")
        self.use_required_attribute = False
        choices = [*others, (LAST, "Last of all")]
        self.fields["before"].choices = choices  # type: ignore[attr-defined]

    @staticmethod
    def in_two_weeks(today: dt.date) -> dt.date:
        return today + dt.timedelta(days=14)
