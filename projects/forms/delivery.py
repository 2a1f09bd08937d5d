"""Noting what a project leaves behind, and what came of it."""

from typing import Any

from django import forms

from config.lib.form_fields import DateField, LinesField, SeatsField
from engagements import delivery_forms
from engagements.delivery_forms import CareForm, care_of
from projects.models import ProjectArtefact
from projects.services import outcomes, roll_outs

ROWS = {"rows": 3}


class RetiredForm(CareForm):
    """Who looks after what stays, until it is not in use any more."""

    retired_on = DateField(
        label="Not in use since",
        required=False,
        help_text="Retired things stay in the register, and nobody is asked about them.",
    )


class ArtefactForm(delivery_forms.ArtefactForm):
    retired_on = DateField(label="Not in use since", required=False)
    version = forms.IntegerField(
        widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1, required=False
    )


class RollOutForm(delivery_forms.RollOutForm):
    note = LinesField(
        label="Where and how it was rolled out",
        max_length=roll_outs.NOTE_MAX,
        widget=forms.Textarea(attrs=ROWS),
        error_messages={"required": "Say where and how it was rolled out."},
    )


class CheckForm(forms.Form):
    seats_found = SeatsField(
        label="Seats deployed now, at all its accounts",
        required=False,
        error_messages={"required": "Enter a whole number of seats."},
    )
    note = LinesField(
        label="What you found",
        required=False,
        help_text="Who uses it, what is in the way. Needed where your number is not that of the"
        " accounts. Markdown works.",
        max_length=outcomes.NOTE_MAX,
        widget=forms.Textarea(attrs=ROWS),
    )


def initial_of(artefact: ProjectArtefact) -> dict[str, Any]:
    return {
        "name": artefact.name,
        "url": artefact.url,
        "retired_on": artefact.retired_on,
        "version": artefact.version,
        **care_of(artefact),
    }
