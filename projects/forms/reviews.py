"""Planning a review, and who was there."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django import forms

from config.lib.form_fields import DateField, LinesField, StrictField, TextField
from config.lib.values import BadValue
from people.models import User
from projects.models import Review
from projects.services.reviews import NOTE_MAX


class TimeField(StrictField):
    """A time of day, to the minute."""

    widget = forms.TimeInput(format="%H:%M", attrs={"type": "time"})

    def parse(self, text: str) -> dt.time:
        try:
            return dt.datetime.strptime(text[:5], "%H:%M").time()  # noqa: DTZ007 a time of day
        except ValueError as bad:
            raise BadValue("not_a_time", "Enter a time such as 14:00.") from bad


class PeopleField(forms.TypedMultipleChoiceField):
    """Several people, by public id."""

    widget = forms.CheckboxSelectMultiple

    def offer(self, people: list[User]) -> None:
        self.people = {str(each.uuid): each for each in people}
        self.choices = [(public_id, each.name) for public_id, each in self.people.items()]

    def clean(self, value: Any) -> list[User]:
        return [self.people[each] for each in super().clean(value)]


class PlanForm(forms.Form):
    day = DateField(label="Day", error_messages={"required": "Choose the day it meets."})
    time = TimeField(label="Time", error_messages={"required": "Enter when it begins."})
    chair = forms.ChoiceField(
        label="In the chair",
        error_messages={"required": "Choose who has the chair.", "invalid_choice": "Choose one."},
    )
    invited = PeopleField(
        label="Invited",
        required=False,
        help_text="They get the minutes, as does who comes along.",
        error_messages={"invalid_choice": "Somebody in the list is not there any more."},
    )
    note = LinesField(
        label="Note",
        required=False,
        max_length=NOTE_MAX,
        help_text="It stands at the end of the minutes.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput, max_value=10**9)

    def __init__(
        self, data: Any, *, leads: list[User], people: list[User], zone: ZoneInfo, **more: Any
    ) -> None:
        super().__init__(data, **more)
        self.use_required_attribute = False
        self.zone = zone
        self.leads = {str(each.uuid): each for each in leads}
        chair, invited = self.fields["chair"], self.fields["invited"]
        assert isinstance(chair, forms.ChoiceField)  # noqa: S101
        assert isinstance(invited, PeopleField)  # noqa: S101
        chair.choices = [("", "Choose"), *((pk, each.name) for pk, each in self.leads.items())]
        invited.offer(people)

    @property
    def planned(self) -> dict[str, Any]:
        """Return what the service takes."""
        sent = self.cleaned_data
        return {
            "meets_at": dt.datetime.combine(sent["day"], sent["time"], self.zone),
            "chair": self.leads[sent["chair"]],
            "invited": sent["invited"],
            "note": sent["note"],
        }


def plan_initial(
    *, meets_at: dt.datetime, chair: User, invited: list[User], note: str, zone: ZoneInfo
) -> dict[str, Any]:
    local = meets_at.astimezone(zone)
    return {
        "day": local.date(),
        "time": local.time(),
        "chair": str(chair.uuid),
        "invited": [str(each.uuid) for each in invited],
        "note": note,
    }


class PresenceForm(forms.Form):
    attendees = PeopleField(label="Who is here", required=False)

    def __init__(self, data: Any, *, people: list[User], review: Review) -> None:
        here = [str(each.uuid) for each in review.attendees.all()]
        super().__init__(data, initial={"attendees": here})
        field = self.fields["attendees"]
        assert isinstance(field, PeopleField)  # noqa: S101
        field.offer(people)


class AddForm(forms.Form):
    project = TextField(
        label="Project",
        max_length=40,
        help_text="Its number, such as PRJ-12.",
        error_messages={"required": "Enter the number of a project, such as PRJ-12."},
    )
