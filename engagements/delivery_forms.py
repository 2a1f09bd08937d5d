"""Noting what is delivered, and what came of it."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import Q, QuerySet

from config.lib.form_fields import DateField, LinesField, NameField, StrictField
from engagements.forms.files import FileField
from engagements.models import MaintenanceOwner
from engagements.rules.links import LINK_MAX, parse_link
from engagements.services import closing, delivering
from people.choices import PersonField
from people.models import User

ROWS = {"rows": 3}


class UrlField(StrictField):
    """An https address; none is ""."""

    widget = forms.URLInput
    attrs = {"maxlength": str(LINK_MAX)}

    def parse(self, text: str) -> str:
        return parse_link(text)["url"]

    def to_python(self, value: Any) -> Any:
        return super().to_python(value) or ""


class Dated(forms.Form):
    """A form with a day that is past; today, if nothing else is said."""

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        prefix: str,
        today: dt.date,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        initial = {"done_on": today, **(initial or {})}
        super().__init__(data, files, prefix=prefix, initial=initial)
        self.fields["done_on"].widget.attrs["max"] = today.isoformat()


class TickForm(Dated):
    evidence = LinesField(
        label="What shows that it is done",
        help_text="The customer reads this in the delivery. Markdown works.",
        max_length=delivering.TEXT_MAX,
        widget=forms.Textarea(attrs=ROWS),
        error_messages={"required": "Say what shows that it is done."},
    )
    url = UrlField(
        label="Link", required=False, help_text="Only we see it: a merge request, a dashboard."
    )
    file = FileField(label="File", required=False)
    done_on = DateField(label="Done on", error_messages={"required": "Enter the day."})


class ReasonForm(forms.Form):
    reason = LinesField(
        label="Why",
        max_length=delivering.TEXT_MAX,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say why."},
    )


class KeeperField(PersonField):
    def label_from_instance(self, obj: User) -> str:
        return obj.name if obj.is_active else f"{obj.name}, who has left"


class CareForm(forms.Form):
    """Who looks after what stays."""

    maintained_by = forms.ChoiceField(
        label="Who maintains it",
        required=False,
        choices=[("", "Nobody yet"), *MaintenanceOwner.choices],
        error_messages={"invalid_choice": "Choose one of the list."},
    )
    keeper = KeeperField(
        queryset=User.objects.none(),
        to_field_name="uuid",
        label="Who knows it",
        required=False,
        empty_label="Nobody yet",
        help_text="The person to ask. When they leave, Keel asks for somebody else.",
        error_messages={"invalid_choice": "Choose somebody of the list."},
    )
    depends_on_server_version = forms.BooleanField(
        label="It depends on the version of the server", required=False
    )
    review_on = DateField(
        label="Look at it again on",
        required=False,
        help_text="On that day the register lists it as due for review.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        keeper = self.fields["keeper"]
        assert isinstance(keeper, KeeperField)  # noqa: S101
        keeper.queryset = who_can_keep(self.initial.get("keeper"))


def who_can_keep(now: Any = None) -> QuerySet[User]:
    """Return who has a role; and the keeper of now, by public id, though they may have left."""
    here = Q(is_active=True, is_system=False, groups__isnull=False)
    them = here | Q(uuid=now) if now else here
    return User.objects.filter(them).distinct().order_by("name", "pk")


def care_of(artefact: Any) -> dict[str, Any]:
    """Return what a form of its care begins with."""
    return {
        "maintained_by": artefact.maintained_by,
        "keeper": artefact.keeper.uuid if artefact.keeper else None,
        "depends_on_server_version": artefact.depends_on_server_version,
        "review_on": artefact.review_on,
    }


class ArtefactForm(CareForm):
    field_order = ("name", "url")

    name = NameField(
        label="Name",
        help_text="A script, a plugin, a runbook: what stays after we leave.",
        error_messages={"required": "Name what stays."},
    )
    url = UrlField(label="Link", required=False, help_text="Where it is kept. Only we see it.")


class RollOutForm(Dated):
    note = LinesField(
        label="Where and how it was rolled out",
        max_length=delivering.TEXT_MAX,
        widget=forms.Textarea(attrs=ROWS),
        error_messages={"required": "Say where and how it was rolled out."},
    )
    done_on = DateField(label="Done on", error_messages={"required": "Enter the day."})


class RetrospectiveForm(forms.Form):
    text = LinesField(
        label="What could have gone better",
        help_text="What happened, why, and what we do differently next time. About the work, not"
        " about people. Markdown works.",
        max_length=closing.TEXT_MAX,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": "Write what could have gone better."},
    )
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)


class CheckForm(forms.Form):
    note = LinesField(
        label="What you found",
        required=False,
        help_text="The seats are taken from the account. Say what they do not: who uses it, what"
        " is in the way.",
        max_length=closing.NOTE_MAX,
        widget=forms.Textarea(attrs=ROWS),
    )
