"""Fields of forms in which somebody is chosen."""

from typing import Any

from django import forms

from people.models import User
from people.selectors import colleagues


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: User) -> str:
        return obj.name


class PersonChoice(forms.ModelChoiceField):  # type: ignore[type-arg] # not so at run time
    """One of those who work here, by public id."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("empty_label", "Choose")
        kwargs.setdefault("error_messages", {"invalid_choice": "There is no such person here."})
        super().__init__(queryset=colleagues(), to_field_name="uuid", **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.name)
