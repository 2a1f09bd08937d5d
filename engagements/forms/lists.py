"""How the list of requests reads its filters from the address."""

import re
from typing import Any

from django import forms

from config.lib.form_fields import ANY, SearchField, filter_choice
from engagements.models import Impact, Owner, RequestState, RequestType
from engagements.selectors.lists import ACCOUNT, GROUPS, ME, NOBODY, Choices, Filters


class RequestFilterForm(forms.Form):
    """The filters of the list, from its address. Unknown parameters are no concern of it."""

    q = SearchField(label="Title or number", required=False)
    state = filter_choice("State")
    type = filter_choice("Type", RequestType.choices)
    owner = filter_choice("Owner", Owner.choices)
    filed_by = filter_choice("Filed by")
    lead = filter_choice("Lead")
    impact = filter_choice("Impact", [(str(value), label) for value, label in Impact.choices])
    account = forms.RegexField(
        regex=re.compile(rf"\A{ACCOUNT.pattern}\Z", re.IGNORECASE),
        label="Account",
        required=False,
        max_length=24,
        widget=forms.HiddenInput,
        error_messages={"invalid": "An account is named by its number, such as ACC-12."},
    )

    def __init__(self, data: Any, *, choices: Choices) -> None:
        super().__init__(data)
        groups = [(name, label) for name, (label, _) in GROUPS.items()]
        self._offer("state", [*groups, *RequestState.choices])
        self._offer("filed_by", [(ME, "Me"), *choices.filers])
        self._offer("lead", [(ME, "Me"), (NOBODY, "Nobody"), *choices.leads])

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
