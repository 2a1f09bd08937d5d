"""The blocks of a charter that are rows alike: accounts with seats, stakeholders."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.http import QueryDict
from django.utils.functional import cached_property

from config.lib.errors import DomainError
from config.lib.form_fields import NameField, SeatsField
from people.models import User
from projects.forms.charters import Choices, named, offer, version_of, with_stored
from projects.forms.fields import AccountField
from projects.models import Project, Stakeholder

SEATS = ("low", "likely", "high")
SPARE = 3
MOST_ROWS = 240


class AccountRow(forms.Form):
    account = AccountField(label="Account", required=False)
    low = SeatsField(label="Low", required=False)
    likely = SeatsField(label="Likely", required=False)
    high = SeatsField(label="High", required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            check_seats(self, cleaned)
        return cleaned


class StakeholderRow(forms.Form):
    kind = forms.ChoiceField(
        label="What for", required=False, choices=[("", "Choose"), *Stakeholder.Kind.choices]
    )
    person = forms.ChoiceField(
        label="One of us",
        required=False,
        error_messages={"invalid_choice": "This person is not active, or has no role."},
    )
    name = NameField(label="Or somebody else", required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        person, name = cleaned["person"], cleaned["name"]
        if person and name:
            self.add_error("name", "Choose one of us or name somebody else, not both.")
        elif (person or name) and not cleaned["kind"]:
            self.add_error("kind", "Say what this person is asked for.")
        elif cleaned["kind"] and not (person or name):
            self.add_error("person", "Say who it is, or leave the row empty.")
        return cleaned


class RowsForm:
    """A block of rows alike. A row left empty is none; `more` asks for further empty ones."""

    row_class: ClassVar[type[forms.Form]]
    prefix = "row"

    def __init__(
        self, project: Project | None, choices: Choices, data: QueryDict | None = None
    ) -> None:
        self.project, self.choices, self.data = project, choices, data
        self.is_bound = data is not None
        self.version = version_of(data)
        self.wrong: list[str] = []
        stored = self.stored() if project and data is None else []
        self.wants_more = data is not None and "more" in data
        count = len(stored) + SPARE
        if data is not None:
            sent = data.get("rows", "")
            count = int(sent) if sent.isdecimal() and len(sent) < 4 else SPARE  # noqa: PLR2004
            count += SPARE if self.wants_more else 0
        self.rows = [
            self.row(place, stored[place] if place < len(stored) else {})
            for place in range(min(count, MOST_ROWS))
        ]

    def row(self, place: int, initial: dict[str, Any]) -> forms.Form:
        made = self.row_class(
            self.data, initial=initial, prefix=f"{self.prefix}-{place}", auto_id="charter_%s"
        )
        made.use_required_attribute = False
        return made

    def stored(self) -> list[dict[str, Any]]:
        raise NotImplementedError

    def values(self) -> dict[str, Any]:
        raise NotImplementedError

    def __iter__(self) -> Iterator[BoundField]:
        for row in self.rows:
            yield from row

    def is_valid(self) -> bool:
        self.wrong = []
        return not any(row.errors for row in self.rows)

    @property
    def errors(self) -> list[Any]:
        if self.wants_more or not self.is_bound:
            return []
        return [*self.wrong, *(row.errors for row in self.rows if row.errors)]

    def non_field_errors(self) -> list[str]:
        return self.wrong

    def refuse(self, error: ValidationError | DomainError) -> None:
        self.wrong += error.messages if isinstance(error, ValidationError) else [error.message]


class AccountsForm(RowsForm):
    row_class = AccountRow

    def row(self, place: int, initial: dict[str, Any]) -> forms.Form:
        made = super().row(place, initial)
        field = made.fields["account"]
        assert isinstance(field, AccountField)  # noqa: S101
        field.user = self.choices.user
        return made

    def stored(self) -> list[dict[str, Any]]:
        assert self.project is not None  # noqa: S101 only asked for what is stored
        links = self.project.account_links.select_related("account").order_by("account__name", "pk")
        return [
            {
                "account": f"{each.account.name} ({each.account.number})",
                "low": each.seats_low,
                "likely": each.seats_likely,
                "high": each.seats_high,
            }
            for each in links
        ]

    def values(self) -> dict[str, Any]:
        rows = [row.cleaned_data for row in self.rows]
        return {
            "accounts": [
                (row["account"], row["low"], row["likely"], row["high"])
                for row in rows
                if row.get("account") is not None
            ]
        }


class StakeholdersForm(RowsForm):
    row_class = StakeholderRow

    def row(self, place: int, initial: dict[str, Any]) -> forms.Form:
        made = super().row(place, initial)
        offer(made, "person", [("", "Nobody"), *named(self.people)])
        return made

    @cached_property
    def people(self) -> list[User]:
        stored = self.project.stakeholders.select_related("person") if self.project else []
        return with_stored(self.choices.owners, [each.person for each in stored])

    def stored(self) -> list[dict[str, Any]]:
        assert self.project is not None  # noqa: S101 only asked for what is stored
        rows = self.project.stakeholders.select_related("person").order_by("kind", "pk")
        return [
            {
                "kind": each.kind,
                "person": str(each.person.uuid) if each.person else "",
                "name": each.name,
            }
            for each in rows
        ]

    def values(self) -> dict[str, Any]:
        people = {str(each.uuid): each for each in self.people}
        rows = [row.cleaned_data for row in self.rows]
        return {
            "stakeholders": [
                (row["kind"], people.get(row["person"]), row["name"])
                for row in rows
                if row.get("kind")
            ]
        }


def check_seats(form: forms.Form, cleaned: dict[str, Any]) -> None:
    """Say at its field what is wrong with the account and the seats of it."""
    seats = [cleaned[name] for name in SEATS]
    given = [each is not None for each in seats]
    if cleaned["account"] is None:
        if any(given):
            form.add_error("account", "Say which account these seats are of.")
    elif any(given) and not all(given):
        name = SEATS[given.index(False)]
        form.add_error(name, "Enter low, likely and high, or none of them.")
    elif all(given) and not seats[0] <= seats[1] <= seats[2]:
        low, likely, high = seats
        if likely < low:
            form.add_error("likely", f"Likely, {likely}, is less than low, {low}.")
        else:
            form.add_error("high", f"High, {high}, is less than likely, {likely}.")
