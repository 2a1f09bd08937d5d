"""Writing a support plan and answering to it."""

from typing import Any

from django import forms

from config.lib.form_fields import LinesField
from engagements.models import MaintenanceOwner
from projects.models import SupportPlan
from projects.services import support

CHOOSE = {"required": "Choose one.", "invalid_choice": "Choose one of the list."}


class PlanForm(forms.Form):
    mode = forms.ChoiceField(
        label="Who supports it",
        choices=SupportPlan.Mode.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Say who supports it.", **CHOOSE},
    )
    maintained_by = forms.ChoiceField(
        label="Who maintains it",
        choices=[("", "Choose"), *MaintenanceOwner.choices],
        help_text="Who changes it when it breaks or when something around it changes.",
        error_messages=CHOOSE | {"required": "Say who maintains it."},
    )
    depends_on_server_version = forms.BooleanField(
        label="It depends on the version of the server",
        required=False,
        help_text="Then it has to be looked at before each upgrade.",
    )
    text = LinesField(
        label="The plan",
        help_text="What is supported and what is not, how fast, until when, and how one turns to"
        " whom. Also where there is no support: say what the customer takes on. Markdown works.",
        max_length=support.TEXT_MAX,
        widget=forms.Textarea(attrs={"rows": 12}),
        error_messages={"required": "Say what is supported, how, and until when."},
    )
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)


class AnswerForm(forms.Form):
    """One side's answer to the plan as it was read."""

    answer = forms.ChoiceField(
        choices=[("sign", "Sign"), ("reject", "Reject")],
        error_messages={"required": "Sign or reject it.", "invalid_choice": "Sign or reject it."},
    )
    note = LinesField(
        label="Note",
        required=False,
        help_text="Needed to reject it: what has to change before you sign.",
        max_length=support.NOTE_MAX,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    digest = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)

    def given(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        return {
            "agrees": cleaned["answer"] == "sign",
            "note": cleaned["note"],
            "digest": cleaned["digest"],
        }


class DigestForm(forms.Form):
    digest = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)


class WhereForm(forms.Form):
    note = LinesField(
        label="Where the approval is written",
        help_text="A link to the ticket or the thread, or who said it when.",
        max_length=support.NOTE_MAX,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say where the approval is written: a link, a ticket."},
    )
    digest = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)
