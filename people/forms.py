from collections.abc import Collection
from typing import Any

from allauth.account import forms as allauth_forms
from django import forms
from django.http import HttpRequest, QueryDict

from config.lib.form_fields import DateField, EmailField, LinesField, NameField, TextField
from events.workflow import REASON_MAX
from people import services
from people.choices import PersonChoice
from people.models import Role, Scope, User
from people.selectors import colleagues
from people.services.absences import NOTE_MAX
from people.services.api_tokens import DEFAULT_DAYS, MOST_ACCOUNTS, NAME_LENGTH

LIFETIMES = [(30, "30 days"), (90, "90 days"), (180, "180 days"), (365, "One year")]


class ResetPasswordForm(allauth_forms.ResetPasswordForm):
    """Says the same to everybody and leaves looking up the address to the outbox."""

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).strip()

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        email: str = self.cleaned_data["email"]
        services.request_password_reset(email)
        return email


class TokenForm(forms.Form):
    name = TextField(
        max_length=NAME_LENGTH, label="Name", help_text="What will use it, such as “CRM sync”."
    )
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="Never more than you may yourself at the moment of use.",
        error_messages={"required": "Choose at least one thing it may do."},
    )
    days = forms.TypedChoiceField(
        label="Valid for", choices=LIFETIMES, coerce=int, initial=DEFAULT_DAYS
    )
    accounts = LinesField(
        label="Only these accounts",
        required=False,
        max_length=MOST_ACCOUNTS * 200,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One a line, by number or name, such as ACC-12. Left empty, every account that "
        "you may see. A limited token reads and writes these accounts and nothing else.",
    )

    def clean_accounts(self) -> list[str]:
        text: str = self.cleaned_data["accounts"]
        return [line.strip() for line in text.splitlines() if line.strip()]


class PeopleFilter(forms.Form):
    q = forms.CharField(label="Search by name or e-mail", required=False, max_length=100)


class RolesForm(forms.Form):
    roles = forms.MultipleChoiceField(
        label="Roles",
        choices=Role.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Without a role a person sees nothing.",
    )


class ChangeRolesForm(RolesForm):
    """Brings along the roles the page showed; None where it was not asked to."""

    NONE = "-"
    seen = forms.CharField(required=False, max_length=500, widget=forms.HiddenInput)

    @classmethod
    def of(cls, person: User, data: QueryDict | None) -> "ChangeRolesForm":
        roles = sorted(person.roles_given)
        return cls(data, initial={"roles": roles, "seen": " ".join(roles) or cls.NONE})

    def clean_seen(self) -> list[str] | None:
        seen: str = self.cleaned_data["seen"]
        return [word for word in seen.split() if word != self.NONE] if seen else None


class PersonForm(RolesForm):
    field_order = ["name", "email", "roles"]

    name = NameField(label="Name")
    email = EmailField(label="E-mail address", help_text="Used to sign in.")


class AbsenceForm(forms.Form):
    """Days off, for oneself; with `for_others` a lead says for whom."""

    person = PersonChoice(label="Who")
    start = DateField(label="First day", error_messages={"required": "Enter the first day off."})
    end = DateField(label="Last day", error_messages={"required": "Enter the last day off."})
    cover = PersonChoice(
        label="Who stands in",
        required=False,
        empty_label="Nobody yet",
        help_text="Somebody who is here then. Needed before it is approved.",
    )
    note = LinesField(
        label="Why, or what to know",
        required=False,
        max_length=NOTE_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Only the person, who enters it and who decides read it.",
    )
    version = forms.CharField(required=False, max_length=9, widget=forms.HiddenInput)

    def __init__(
        self, data: QueryDict | None, *, asked: Collection[str], person: User, **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        for name in set(self.fields) - {*asked, "version"}:
            del self.fields[name]
        cover = self.fields.get("cover")
        if isinstance(cover, PersonChoice) and "person" not in asked:
            cover.queryset = colleagues().exclude(pk=person.pk)

    def clean_version(self) -> int | None:
        text: str = self.cleaned_data["version"]
        return int(text) if text.isdecimal() else None


class ReasonForm(forms.Form):
    reason = LinesField(
        label="Why not",
        max_length=REASON_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The person and who entered it read it.",
        error_messages={"required": "Say why."},
    )
