"""A new project: from nothing, and from a request."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from config.lib.errors import DomainError
from config.lib.form_fields import LinesField, NameField, SeatsField
from people.models import User
from projects.forms.charter_rows import SEATS, check_seats
from projects.forms.charters import KINDS, refuse
from projects.forms.fields import AccountField
from projects.models import ProjectType
from projects.rules.charter_values import NEEDED, TEXT_MAX

TYPES = [("", "Choose"), *ProjectType.choices]


def _text(label: str, help_text: str) -> LinesField:
    return LinesField(
        label=label,
        help_text=help_text,
        required=False,
        max_length=TEXT_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class NewForm(forms.Form):
    """What a proposal needs, and what is usually known already."""

    title = NameField(label="Title", error_messages={"required": NEEDED["title"]})
    kind = forms.ChoiceField(
        label="Who is it for?",
        choices=KINDS,
        widget=forms.RadioSelect,
        error_messages={"required": NEEDED["kind"]},
    )
    type = forms.ChoiceField(
        label="What kind of work is it?",
        choices=TYPES,
        error_messages={"required": NEEDED["type"]},
    )
    objectives = _text("Objectives", "Which problem does it solve, and for whom?")
    outcomes = _text("Expected outcomes", "What is different afterwards, and how do we measure it?")
    if_not = _text("If we do not do it", "What happens then, and by when?")
    account = AccountField(
        label="Account", required=False, help_text="Its name or number. More can be added later."
    )
    low = SeatsField(label="Seats it would deploy more, low", required=False)
    likely = SeatsField(label="Likely", required=False)
    high = SeatsField(label="High", required=False)

    def __init__(self, user: User, data: QueryDict | None = None, **kwargs: Any) -> None:
        super().__init__(data, auto_id="project_%s", **kwargs)
        self.use_required_attribute = False
        field = self.fields["account"]
        assert isinstance(field, AccountField)  # noqa: S101
        field.user = user

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors.keys() & {"account", *SEATS}:
            check_seats(self, cleaned)
        return cleaned

    @property
    def seats(self) -> list[Any]:
        return [self[name] for name in SEATS]

    @property
    def words(self) -> list[Any]:
        """Return what stands above the account."""
        return [field for field in self if field.name not in ("account", *SEATS)]

    def values(self) -> dict[str, Any]:
        values = dict(self.cleaned_data)
        account, *seats = (values.pop(name) for name in ("account", *SEATS))
        return {**values, "accounts": [(account, *seats)] if account else []}

    def refuse(self, error: ValidationError | DomainError) -> None:
        refuse(self, error)


class FromRequestForm(forms.Form):
    """What a request does not say, or says in other words than a charter would."""

    title = NameField(label="Title", error_messages={"required": NEEDED["title"]})
    type = forms.ChoiceField(
        label="What kind of work is it?",
        choices=TYPES,
        error_messages={"required": NEEDED["type"]},
    )

    def __init__(
        self, data: QueryDict | None = None, *, is_second: bool, initial: dict[str, Any]
    ) -> None:
        super().__init__(data, auto_id="project_%s", initial=initial)
        self.use_required_attribute = False
        if is_second:
            self.fields["again"] = forms.BooleanField(
                label="Make another project for this request all the same",
                error_messages={"required": "Say that it takes a second project."},
            )

    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("title", "type")}

    @property
    def again(self) -> bool:
        return bool(self.cleaned_data.get("again"))

    def refuse(self, error: ValidationError | DomainError) -> None:
        refuse(self, error)
