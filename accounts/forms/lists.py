"""How lists read their filters from the address."""

from typing import Any

from django import forms

from accounts.models import Account, DataState
from accounts.selectors import Choices, Filters
from accounts.selectors.lists import NO_TAM
from config.lib.form_fields import ANY, SearchField, filter_choice
from config.lib.name_choice import NameChoice, name_choice

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


class AccountFilterForm(forms.Form):
    """The filters of the list, from its address. Unknown parameters are no concern of it."""

    q = SearchField(label="Name, id or number", required=False)
    tier = filter_choice("Tier")
    region = filter_choice("Region")
    tam = name_choice("TAM")
    status = filter_choice("Status", Account.Status.choices)
    standing = filter_choice("Metric", STANDINGS)
    state = filter_choice("Data", DATA_STATES)

    def __init__(self, data: Any, *, choices: Choices) -> None:
        super().__init__(data)
        self._offer("tier", choices.tiers)
        self._offer("region", choices.regions)
        tam = self.fields["tam"]
        assert isinstance(tam, NameChoice)  # noqa: S101
        tam.offer([ANY, *choices.tams, (NO_TAM, "Nobody")])

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


class PastSearchForm(forms.Form):
    """What the list of another day can be narrowed by."""

    q = SearchField(label="Name as it was, id or number", required=False)

    def text(self) -> str:
        """Return what is looked for; nothing where it cannot be read."""
        return self.cleaned_data["q"] if self.is_valid() else ""

    def problems(self) -> list[tuple[str, str]]:
        return [("Search", str(message)) for message in self.errors.get("q", [])]
