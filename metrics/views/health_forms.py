"""Forms of health: an owner's word, the filters of the list, and the policy."""

import datetime as dt
from collections.abc import Sequence
from functools import partial
from typing import Any

from django import forms
from django.http import QueryDict

from config.lib import values
from config.lib.form_fields import DateField, LinesField, NameField, StrictField
from metrics.rules import health_policy as rules
from metrics.rules.health_policy import Policy
from metrics.selectors.health_words import LABELS
from metrics.services.health_overrides import LONGEST, REASON_MAX
from metrics.services.health_policy import NOTE_MAX

IN_A_MONTH = dt.timedelta(days=30)
Choices = Sequence[tuple[str, str]]
PARAMETER_LABELS = {
    "days": "Days it looks back",
    "full_at": "Full points from, in percent",
    "none_at": "No points at a loss of, in percent",
    "weeks": "Weeks before the end",
    "each": "Percent that each request takes",
}


class OverrideForm(forms.Form):
    band = forms.ChoiceField(
        label="Band",
        error_messages={"required": "Choose a band.", "invalid_choice": "Choose one of the bands."},
    )
    reason = LinesField(
        label="Why",
        max_length=REASON_MAX,
        help_text="Everybody reads it beside the score.",
        error_messages={"required": "Say why the score does not tell it."},
    )
    until = DateField(
        label="Last day",
        help_text=f"At most {LONGEST.days} days ahead. It ends by itself.",
        error_messages={"required": "Enter the last day on which it stands."},
    )

    def __init__(
        self, data: QueryDict | None = None, *, bands: Sequence[str], today: dt.date
    ) -> None:
        super().__init__(data, initial={"until": today + IN_A_MONTH}, auto_id="override_%s")
        self.use_required_attribute = False
        field = self.fields["band"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = [("", "Choose"), *((name, name) for name in bands)]
        self.fields["reason"].widget.attrs["rows"] = 2


class HealthListForm(forms.Form):
    """Narrows the list."""

    band = forms.ChoiceField(required=False, label="Band")
    moved = forms.ChoiceField(required=False, label="In 30 days")
    tier = forms.ChoiceField(required=False, label="Tier")
    region = forms.ChoiceField(required=False, label="Region")
    tam = forms.ChoiceField(required=False, label="TAM")

    def __init__(self, *args: Any, choices: dict[str, Choices], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, found in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101
            field.choices = [("", "Any"), *found]
            field.error_messages["invalid_choice"] = f"There is no such {field.label} here."


class WholeField(StrictField):
    attrs = {"inputmode": "numeric", "maxlength": "4"}

    def __init__(self, *, low: int, high: int, **kwargs: Any) -> None:
        self.read = partial(values.parse_integer_text, low=low, high=high)
        super().__init__(**kwargs)

    def parse(self, text: str) -> int:
        return self.read(text)


class PolicyForm(forms.Form):
    """All parts, those of 0 points left out; as many bands as the policy has."""

    start = DateField(
        label="From",
        help_text="Today or later. The night after that day is the first one by it.",
        error_messages={"required": "Enter the first day on which it holds."},
    )

    def __init__(self, data: QueryDict | None = None, *, policy: Policy, today: dt.date) -> None:
        initial = {"start": today, **_initial_of(policy)}
        super().__init__(data, initial=initial, auto_id="policy_%s")
        self.use_required_attribute = False
        self.count = len(policy.bands)
        for code, label in LABELS.items():
            self._add(f"{code}_weight", f"{label}: points", 0, rules.FULL)
            for name, (low, high) in rules.PARAMETERS[code].items():
                self._add(f"{code}_{name}", PARAMETER_LABELS[name], low, high)
        for place in range(self.count):
            self.fields[f"name_{place}"] = NameField(
                label=f"Band {place + 1}",
                max_length=rules.BAND_MAX,
                error_messages={"required": f"Name band {place + 1}."},
            )
            self._add(f"from_{place}", "From points", 0, rules.FULL)
        self.fields["note"] = LinesField(
            label="Why",
            max_length=NOTE_MAX,
            help_text="It stands beside the policy.",
            error_messages={"required": "Say why health changes."},
        )
        self.fields["note"].widget.attrs["rows"] = 2

    def _add(self, name: str, label: str, low: int, high: int) -> None:
        told = {"required": f"Enter a number for “{label}”."}
        self.fields[name] = WholeField(low=low, high=high, label=label, error_messages=told)

    @property
    def values(self) -> dict[str, list[dict[str, Any]]]:
        """Return parts and bands as they are kept, once the form is valid."""
        given = self.cleaned_data
        return {
            "parts": [
                {
                    "code": code,
                    **{
                        name: given[f"{code}_{name}"]
                        for name in ("weight", *rules.PARAMETERS[code])
                    },
                }
                for code in LABELS
            ],
            "bands": [
                {"name": given[f"name_{place}"], "from": given[f"from_{place}"]}
                for place in range(self.count)
            ],
        }

    @property
    def parts(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return the fields of each part."""
        return [
            (label, [self[name] for name in self.fields if name.startswith(f"{code}_")])
            for code, label in LABELS.items()
        ]

    @property
    def bands(self) -> list[list[forms.BoundField]]:
        """Return name and points of each band."""
        return [[self[f"name_{i}"], self[f"from_{i}"]] for i in range(self.count)]


def _initial_of(policy: Policy) -> dict[str, Any]:
    """Return what the fields hold at first; a part without points has them as shipped."""
    found: dict[str, Any] = dict(SHIPPED)
    for part in policy.parts:
        found[f"{part.code}_weight"] = part.weight
        found |= {f"{part.code}_{name}": value for name, value in part.parameters.items()}
    for place, band in enumerate(policy.bands):
        found |= {f"name_{place}": band.name, f"from_{place}": band.least}
    return found


SHIPPED = {
    **{f"{code}_weight": 0 for code in LABELS},
    "trend_days": 90,
    "trend_full_at": 10,
    "trend_none_at": 10,
    "adoption_full_at": 80,
    "renewal_weeks": 26,
    "requests_each": 50,
}
