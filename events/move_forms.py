"""The form of a move, made from what the move asks for. The engine reads and judges the values."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from events.workflow import REASON_MAX, Case, Field, Given, Transition

REASON = "reason"
VERSION = "version"
# Where a card goes in a column is said by the board, never typed.
PLACE = "place"
# As many choices stand side by side as buttons; more are a list to open.
MOST_BUTTONS = 5


class RawField(forms.Field):
    """Hands on what was typed, as it was."""

    def clean(self, value: Any) -> Any:
        return value


class MoveForm(forms.Form):
    """Everything the transition asks for, then why."""

    def __init__(
        self,
        transition: Transition,
        case: Case,
        data: QueryDict | None = None,
        *,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=dict(initial or {}), auto_id="move_%s")
        self.use_required_attribute = False
        self.transition = transition
        for asked in transition.fields:
            if asked.kind != PLACE:
                self.fields[asked.name] = _field(asked, case)
        if transition.needs_reason:
            self.fields[REASON] = _reason()
        self.sent = data or QueryDict()
        self.version = _whole(self.sent.get(VERSION, ""))

    @property
    def given(self) -> Given:
        """Return what was typed, as the engine takes it."""
        sent = self.sent
        values = {
            each.name: sent.getlist(each.name)
            if each.kind == "choices"
            else sent.get(each.name, "")
            for each in self.transition.fields
        }
        return Given(
            reason=sent.get(REASON, ""),
            values=values,
            version=self.version,
            as_text=True,
        )

    def refuse(self, error: ValidationError) -> None:
        """Show what the engine found wrong, each at its field."""
        for name, errors in error.error_dict.items():
            self.add_error(name if name in self.fields else None, errors)


def _field(asked: Field, case: Case) -> forms.Field:
    return RawField(
        label=asked.label,
        help_text=asked.help,
        required=asked.required and asked.kind != "yes",
        initial=asked.initial(case) if asked.initial else None,
        widget=_widget(asked, case),
    )


def _widget(asked: Field, case: Case) -> forms.Widget:
    match asked.kind:
        case "lines":
            return forms.Textarea(attrs={"rows": 4})
        case "number":
            return forms.TextInput(attrs={"inputmode": "numeric"})
        case "date":
            return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        case "yes":
            return forms.CheckboxInput()
        case "choice":
            return _choice(asked, case)
        case "choices":
            return forms.CheckboxSelectMultiple(choices=_choices(asked, case))
    return forms.TextInput()


def _choice(asked: Field, case: Case) -> forms.Widget:
    choices = _choices(asked, case)
    if asked.required and len(choices) <= MOST_BUTTONS:
        return forms.RadioSelect(choices=choices)
    none = "Choose" if asked.required else "Not set"
    return forms.Select(choices=[("", none), *choices])


def _choices(asked: Field, case: Case) -> list[tuple[str, str]]:
    return list(asked.choices(case)) if asked.choices else []


def _reason() -> forms.Field:
    widget = forms.Textarea(attrs={"rows": 3, "maxlength": str(REASON_MAX)})
    return RawField(label="Why", help_text="It stays in the history.", widget=widget)


def _whole(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) <= 9 else None  # noqa: PLR2004
