"""How a person wants to be told."""

from typing import Any

from django import forms

from events.models import NoticeSetting
from events.services.notices import KINDS


class NoticeSettingsForm(forms.Form):
    """One choice per kind."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in KINDS.values():
            self.fields[kind.name] = forms.ChoiceField(
                label=kind.label,
                choices=NoticeSetting.How.choices,
                error_messages={
                    "required": f"Choose how you are told: “{kind.label}”.",
                    "invalid_choice": "“%(value)s” is none of the ways. Choose one of them.",
                },
            )
