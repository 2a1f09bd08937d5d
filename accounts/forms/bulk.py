"""The value that a change of many accounts gives to each."""

from typing import Any

from django import forms

from config.lib.form_fields import TextField
from people.choices import PersonField

YES_NO = [("yes", "Yes"), ("no", "No")]
ARCHIVE = [("yes", "Archive them"), ("no", "Take them out of the archive")]


class BulkForm(forms.Form):
    """One field named `value`, of the kind that `field` takes."""

    def __init__(self, data: Any, *, field: str, label: str, people: Any, known: list[str]) -> None:
        super().__init__(data)
        self.known = known
        self.fields["value"] = {
            "tam": lambda: _person(label, people),
            "strategic": lambda: _choice(label, YES_NO, "Choose yes or no."),
            "archived": lambda: _choice("What to do", ARCHIVE, "Choose what to do."),
        }.get(field, lambda: _word(label))()

    def clean_value(self) -> Any:
        value = self.cleaned_data["value"]
        return {"yes": True, "no": False}.get(value, value) if isinstance(value, str) else value


def _person(label: str, people: Any) -> forms.Field:
    return PersonField(
        queryset=people,
        to_field_name="uuid",
        label=label,
        empty_label="Choose a person",
        help_text="Everybody with the role TAM, CSM, CRE, account executive or solution architect.",
        error_messages={
            "required": "Choose the new TAM.",
            "invalid_choice": "This person has no role that lets them be a TAM. Choose another.",
        },
    )


def _choice(label: str, choices: list[tuple[str, str]], missing: str) -> forms.Field:
    return forms.ChoiceField(
        label=label,
        choices=choices,
        error_messages={"required": missing, "invalid_choice": missing},
    )


def _word(label: str) -> forms.Field:
    return TextField(
        label=label,
        max_length=60,
        required=False,
        help_text="Leave it empty to take it away.",
        widget=forms.TextInput(attrs={"list": "known", "autocomplete": "off"}),
    )
