"""The form of a score policy."""

from typing import Any

from django import forms
from django.http import QueryDict

from config.lib.form_fields import DateField, LinesField, StrictField
from config.lib.values import parse_decimal, parse_integer_text
from projects.rules import scoring as rules
from projects.rules.scoring import Policy
from projects.services.score_policy import NOTE_MAX

LIMITED = [effort for effort in rules.EFFORTS if effort != rules.LONGEST]


class NumberField(StrictField):
    attrs = {"inputmode": "decimal", "maxlength": "8"}

    def __init__(self, *, places: int, **kwargs: Any) -> None:
        self.places = places
        super().__init__(**kwargs)

    def parse(self, text: str) -> str:
        return rules.plain(parse_decimal(text, places=self.places, whole_digits=4))


class WholeField(StrictField):
    attrs = {"inputmode": "numeric", "maxlength": "3"}

    def parse(self, text: str) -> int:
        return parse_integer_text(text, low=1, high=rules.MOST_DAYS)


class PolicyForm(forms.Form):
    start = DateField(
        label="From",
        help_text="Today or later. Scores of open projects change on that day.",
        error_messages={"required": "Enter the first day on which it holds."},
    )

    def __init__(self, data: QueryDict | None = None, *, initial: dict[str, Any]) -> None:
        super().__init__(data, initial=initial, auto_id="policy_%s")
        self.use_required_attribute = False
        for level, word in rules.IMPACTS.items():
            told = {"required": f"Enter the points for {word.lower()} impact."}
            self.fields[f"points_{level}"] = NumberField(
                label=word, places=rules.PLACES, error_messages=told
            )
        for effort, word in rules.EFFORTS.items():
            told = {"required": f"Enter the factor for {word.lower()} effort."}
            self.fields[f"factors_{effort}"] = NumberField(
                label=word, places=rules.FACTOR_PLACES, error_messages=told
            )
        for effort in LIMITED:
            word = rules.EFFORTS[effort]
            told = {"required": f"Enter the most days of {word.lower()} effort."}
            self.fields[f"days_{effort}"] = WholeField(label=word, error_messages=told)
        self.fields["note"] = LinesField(
            label="Why",
            max_length=NOTE_MAX,
            help_text="It stands beside the policy, and in the history of each project.",
            error_messages={"required": "Say why scores change."},
        )
        self.fields["note"].widget.attrs["rows"] = 2

    @staticmethod
    def initial_of(policy: Policy) -> dict[str, Any]:
        return {
            f"{kind}_{name}": value
            for kind, values in rules.written(policy).items()
            for name, value in values.items()
        }

    @property
    def values(self) -> dict[str, dict[str, Any]]:
        """Return the policy as it is kept, once the form is valid."""
        given = self.cleaned_data
        return {
            "points": {str(level): given[f"points_{level}"] for level in rules.IMPACTS},
            "factors": {effort: given[f"factors_{effort}"] for effort in rules.EFFORTS},
            "days": {**{each: given[f"days_{each}"] for each in LIMITED}, rules.LONGEST: None},
        }

    def group(self, kind: str) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith(f"{kind}_")]

    @property
    def points(self) -> list[forms.BoundField]:
        return self.group("points")

    @property
    def factors(self) -> list[forms.BoundField]:
        return self.group("factors")

    @property
    def days(self) -> list[forms.BoundField]:
        return self.group("days")
