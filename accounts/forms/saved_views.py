"""What people say of a view they keep."""

from typing import Any

from django import forms

from config.lib.form_fields import NameField


class ViewForm(forms.Form):
    name = NameField(
        max_length=60,
        error_messages={"required": "Give the view a name."},
    )
    is_team = forms.BooleanField(
        label="For the whole team",
        help_text="Everybody sees it in the side bar and can use it.",
        required=False,
    )

    def __init__(self, *args: Any, may_share: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_share:
            del self.fields["is_team"]
