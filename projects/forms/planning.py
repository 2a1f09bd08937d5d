"""Forms of teams, their increments, and who is on what."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict

from config.lib import values
from config.lib.form_fields import DateField, LinesField, NameField, StrictField, TextField
from people.choices import PersonChoice
from people.models import User
from projects.models import Allocation, Increment
from projects.services.increments import MOST_WEEKS
from projects.services.increments import NAME_MAX as INCREMENT_NAME_MAX
from projects.services.teams import NAME_MAX

DESPITE_MAX = 2000
WEEKS = [(1, "1 week"), (2, "2 weeks")]
KINDS = [("soft", "Pencilled in"), ("hard", "Promised")]


class DaysField(StrictField):
    """Days of work, to the tenth, such as 2.5."""

    attrs = {"inputmode": "decimal"}

    def parse(self, text: str) -> Decimal:
        return values.parse_decimal(text.replace(",", "."), places=1, whole_digits=2)

    def prepare_value(self, value: Any) -> Any:
        return f"{value.normalize():f}" if isinstance(value, Decimal) else value


class TeamForm(forms.Form):
    name = NameField(
        label="Name", max_length=NAME_MAX, error_messages={"required": "Enter the team's name."}
    )
    weeks = forms.TypedChoiceField(label="Its increments are", choices=WEEKS, coerce=int, initial=2)


class TeamEditForm(TeamForm):
    archived = forms.BooleanField(label="Archived: it plans nothing any more", required=False)


class MemberForm(forms.Form):
    person = PersonChoice(label="Who", error_messages={"required": "Choose a person."})
    days_a_week = DaysField(
        label="Days a week",
        initial=Decimal(4),
        help_text="Days of project work in a week of five working days, such as 4.",
        error_messages={"required": "Enter the days of project work in a week."},
    )
    start = DateField(label="From", error_messages={"required": "Enter the first day."})
    last = DateField(
        label="Last day", required=False, help_text="Left empty, until further notice."
    )

    def __init__(self, *args: Any, is_new: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_new:
            del self.fields["person"]


class IncrementsForm(forms.Form):
    start = DateField(
        label="From the week of", error_messages={"required": "Enter a day of the first week."}
    )
    count = forms.TypedChoiceField(
        label="For",
        coerce=int,
        initial=6,
        choices=[(n, f"{n} weeks") for n in (2, 4, 6, 8, 12, MOST_WEEKS)],
    )
    weeks = forms.TypedChoiceField(label="Each takes", choices=WEEKS, coerce=int)


class IncrementForm(forms.Form):
    name = TextField(
        label="Name",
        max_length=INCREMENT_NAME_MAX,
        error_messages={"required": "Enter its name."},
    )
    start = DateField(label="First day", error_messages={"required": "Enter the first day."})
    end = DateField(label="Last day", error_messages={"required": "Enter the last day."})
    version = forms.CharField(required=False, max_length=9, widget=forms.HiddenInput)

    def clean_version(self) -> int | None:
        text: str = self.cleaned_data["version"]
        return int(text) if text.isdecimal() else None


class DespiteForm(forms.Form):
    """What promises days asks for where they do not fit."""

    despite = LinesField(
        label="Why, though there is no room",
        required=False,
        max_length=DESPITE_MAX,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Only where somebody is away or has too few days. It stays in the history.",
    )


class AllocateForm(DespiteForm):
    """Put a person on a project in an increment."""

    field_order = ["project", "person", "days", "kind", "despite"]

    project = TextField(
        label="Project",
        max_length=40,
        help_text="Its number, such as PRJ-12.",
        widget=forms.TextInput(attrs={"list": "projects-at-hand", "autocomplete": "off"}),
        error_messages={"required": "Enter the number of a project, such as PRJ-12."},
    )
    person = PersonChoice(label="Who", error_messages={"required": "Choose a person."})
    days = DaysField(label="Days", error_messages={"required": "Enter the days, such as 2.5."})
    kind = forms.ChoiceField(label="How sure", choices=KINDS, initial="soft")

    def __init__(self, *args: Any, members: Iterable[User] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        only(self.fields["person"], members)


class AllocationForm(DespiteForm):
    """Change days, or move them to somebody else or another increment."""

    field_order = ["days", "kind", "person", "increment", "despite"]

    days = DaysField(label="Days", error_messages={"required": "Enter the days, such as 2.5."})
    kind = forms.ChoiceField(label="How sure", choices=KINDS)
    person = PersonChoice(label="Who", required=False, empty_label="As it is")
    increment = forms.ModelChoiceField(
        label="Increment",
        queryset=Increment.objects.none(),
        to_field_name="uuid",
        required=False,
        empty_label="As it is",
        error_messages={"invalid_choice": "There is no such increment ahead."},
    )

    def __init__(
        self,
        data: QueryDict | None,
        *,
        allocation: Allocation,
        members: Iterable[User],
        increments: Any,
    ) -> None:
        initial = {
            "days": allocation.days,
            "kind": "hard" if allocation.is_hard else "soft",
            "person": allocation.person.uuid,
            "increment": allocation.increment.uuid,
        }
        super().__init__(data, initial=initial)
        only(self.fields["person"], [allocation.person, *members])
        chosen: Any = self.fields["increment"]
        chosen.queryset = increments
        chosen.label_from_instance = lambda each: f"{each.team}: {each.name}"


def only(field: Any, people: Iterable[User]) -> None:
    """Offer these people only."""
    field.queryset = field.queryset.filter(pk__in=[person.pk for person in people])
