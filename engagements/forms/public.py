"""What a customer fills in on the page of a link. Nothing is preselected."""

from typing import Any

from django import forms
from django.core.exceptions import BadRequest
from django.http import HttpRequest, QueryDict

from config.lib.form_fields import LinesField, NameField, TextField
from engagements.models import SignOffLink
from engagements.workflows.fields import TEXT_MAX

ACCEPT, CHANGE, ASK = "accept", "change", "ask"
Purpose = SignOffLink.Purpose
RATINGS = [("", "No rating"), *((str(n), str(n)) for n in range(1, 6))]


class Shown(forms.Form):
    """What tells which page was answered: the hash of the document, and the page itself."""

    document = TextField(max_length=64, widget=forms.HiddenInput)
    page = TextField(max_length=64, widget=forms.HiddenInput, required=False)


class AnswerForm(Shown):
    """Yes, not like this, or a question."""

    decision = forms.ChoiceField(
        choices=[(ACCEPT, ""), (CHANGE, ""), (ASK, "")],
        error_messages={"required": "Choose your answer.", "invalid_choice": "Choose your answer."},
    )
    name = NameField(label="Your full name", required=False)
    title = NameField(label="Your job title", required=False, max_length=120)
    authority = forms.BooleanField(required=False)
    change = LinesField(
        label="What should change?",
        required=False,
        max_length=TEXT_MAX,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    question = LinesField(
        label="Your question",
        required=False,
        max_length=TEXT_MAX,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    code = TextField(label="Code from our e-mail", required=False, max_length=12)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        decision = given.get("decision")
        if decision == ACCEPT:
            self._require("name", "Enter your full name.")
            self._require("title", "Enter your job title.")
            self._require("authority", "Confirm that you can agree to this.")
        elif decision == CHANGE:
            self._require("change", "Say what should change.")
        elif decision == ASK:
            self._require("question", "Write your question.")
        return given

    def _require(self, name: str, words: str) -> None:
        if not self.cleaned_data.get(name) and name not in self.errors:
            self.add_error(name, forms.ValidationError(words, code="required"))


class DeliveryForm(AnswerForm):
    rating = forms.TypedChoiceField(
        label="How do you rate the work?",
        help_text="5 is best.",
        required=False,
        choices=RATINGS,
        coerce=int,
        empty_value=None,
    )


class ObjectionForm(Shown):
    text = LinesField(
        label="What is not right?",
        max_length=TEXT_MAX,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Say what is not right."},
    )


FORMS: dict[str, type[Shown]] = {
    Purpose.SOW: AnswerForm,
    Purpose.DELIVERY: DeliveryForm,
    Purpose.OBJECTION: ObjectionForm,
}


class ReceiptForm(forms.Form):
    code = TextField(
        label="Receipt code",
        help_text="Such as K7QF-2M9X-RT4B-WD3H. It stands in the mail you got.",
        max_length=40,
        error_messages={"required": "Enter the code of a receipt."},
    )


def posted_fields(request: HttpRequest, form: type[forms.Form]) -> QueryDict:
    """Return the form's fields. Raises BadRequest for any other, a second value or a file."""
    known = form.base_fields.keys()
    is_odd = any(name not in known or len(values) != 1 for name, values in request.POST.lists())
    if is_odd or request.FILES:
        raise BadRequest("The page has no such field.")
    return request.POST
