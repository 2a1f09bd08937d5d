"""A filter by a person: a list to choose from while it is short, a name to type where it is long.

Hundreds of options are a quarter of a page that few of its readers open. What is typed is a name
or a part of one; addresses hold the key either way, or what was typed.
"""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from config.lib.values import echo

MOST_OPTIONS = 60
MOST_NAMED = 4


class NameChoice(forms.ChoiceField):
    """One of the choices of (key, name). Where there are many it is typed by name."""

    def offer(self, choices: Iterable[tuple[str, str]]) -> None:
        found = list(choices)
        self.choices = found
        self._by_key = {str(key): name for key, name in found if key}
        if self.is_typed:
            self.widget = forms.TextInput()

    @property
    def is_typed(self) -> bool:
        return len(self._by_key) > MOST_OPTIONS

    def prepare_value(self, value: Any) -> Any:
        """Show the name of the one chosen, never its key."""
        return self._by_key.get(value, value) if self.is_typed else value

    def to_python(self, value: Any) -> str:
        text = str(value or "").strip()
        if not self.is_typed or not text or text in self._by_key:
            return text
        wanted = text.casefold()
        found = [key for key, name in self._by_key.items() if name.casefold() == wanted] or [
            key for key, name in self._by_key.items() if wanted in name.casefold()
        ]
        if len(found) == 1:
            return found[0]
        if not found:
            raise ValidationError(f"“{echo(text)}” is in no name here.", code="invalid_choice")
        names = ", ".join(self._by_key[key] for key in found[:MOST_NAMED])
        more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        raise ValidationError(
            f"“{echo(text)}” is in several names: {names}{more}. Write more of it.",
            code="ambiguous",
        )


def name_choice(label: str) -> NameChoice:
    return NameChoice(
        label=label,
        required=False,
        error_messages={"invalid_choice": "There is no such choice."},
    )
