"""Recording what a customer agreed to, and sending links."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from accounts.models import Contact
from config.lib.form_fields import DateField, LinesField, NameField, StrictField
from config.lib.values import BadValue
from engagements.forms.files import FileField
from engagements.forms.public import RATINGS
from engagements.workflows.fields import TEXT_MAX

AGREED, REFUSED = "agreed", "refused"


class TimeField(StrictField):
    """A time of the day, as in 14:30, on the company's clocks."""

    widget = forms.TimeInput(format="%H:%M", attrs={"type": "time"})

    def parse(self, text: str) -> dt.time:
        try:
            return dt.datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 a time only
        except ValueError as error:
            raise BadValue("not_a_time", f"“{text[:20]}” is no time like 14:30.") from error


if TYPE_CHECKING:
    ContactField = forms.ModelChoiceField[Contact]
else:
    ContactField = forms.ModelChoiceField


class ContactChoice(ContactField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name}, {obj.email}" if obj.email else str(obj.name)


class LinkForm(forms.Form):
    contact = ContactChoice(
        label="Send it to",
        queryset=Contact.objects.none(),
        to_field_name="uuid",
        empty_label="Choose somebody",
        help_text="They get a link of their own, to the address we have of them.",
        error_messages={
            "required": "Choose who answers.",
            "invalid_choice": "Choose somebody of this account who has an address.",
        },
    )

    def __init__(self, *args: Any, contacts: QuerySet[Contact], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["contact"].queryset = contacts  # type: ignore[attr-defined]


class EvidenceForm(LinkForm):
    """Who answered, when, and what shows it."""

    contact = ContactChoice(
        label="Who agreed",
        queryset=Contact.objects.none(),
        to_field_name="uuid",
        required=False,
        empty_label="Somebody who is not in the list",
        error_messages={"invalid_choice": "Choose somebody of this account."},
    )
    name = NameField(label="Their full name", required=False)
    title = NameField(label="Their job title", required=False, max_length=120)
    on = DateField(label="On", error_messages={"required": "Enter the day."})
    time = TimeField(label="At", required=False, help_text="On the company's clocks.")
    note = LinesField(
        label="Note",
        required=False,
        max_length=TEXT_MAX,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, *args: Any, is_delivery: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_delivery:
            self.fields["answer"] = forms.ChoiceField(
                label="What they said",
                choices=[(AGREED, "They accept it"), (REFUSED, "Something is missing or wrong")],
                widget=forms.RadioSelect,
                error_messages={"required": "Choose what they said."},
            )
            self.fields["rating"] = forms.TypedChoiceField(
                label="How they rate the work",
                required=False,
                choices=RATINGS,
                coerce=int,
                empty_value=None,
            )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not given.get("name") and "name" not in self.errors:
            if given.get("contact") is None:
                self.add_error("name", ValidationError("Enter who agreed.", code="required"))
            else:
                given["name"] = given["contact"].name
                given["title"] = given.get("title") or given["contact"].title
        if given.get("answer") == REFUSED and not given.get("note"):
            self.add_error("note", ValidationError("Say what is missing.", code="required"))
        return given


class WrittenForm(EvidenceForm):
    file = FileField(label="The message, or the signed file")


class VerbalForm(EvidenceForm):
    contact = ContactChoice(
        label="Who agreed",
        queryset=Contact.objects.none(),
        to_field_name="uuid",
        empty_label="Choose somebody",
        help_text="They get an e-mail with what was understood, and can object.",
        error_messages={
            "required": "Choose who agreed.",
            "invalid_choice": "Choose somebody of this account who has an address.",
        },
    )
    time = TimeField(
        label="At",
        help_text="On the company's clocks.",
        error_messages={"required": "Enter the time."},
    )
    heard_by = NameField(label="Who heard it", error_messages={"required": "Enter who heard it."})
    note = LinesField(
        label="What was understood",
        help_text="In words the customer can say yes or no to: they read exactly this.",
        max_length=TEXT_MAX,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Write what was understood."},
    )


class WithdrawForm(forms.Form):
    reason = LinesField(
        label="Why",
        max_length=TEXT_MAX,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say why."},
    )
