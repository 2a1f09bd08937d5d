"""A seat count entered by hand."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError

from accounts.models import Account, Instance
from config.lib import values
from config.lib.form_fields import LinesField, SeatsField, StrictField

LOCAL_TIME = "%Y-%m-%dT%H:%M"


class LocalTimeField(StrictField):
    """A time on the clocks of `zone`, without its offset; the value is in UTC.

    Refuses times that the clocks skip. Of times that come twice it takes the first.
    """

    zone: ZoneInfo = ZoneInfo("UTC")
    widget = forms.DateTimeInput(format=LOCAL_TIME, attrs={"type": "datetime-local"})

    def to_python(self, value: Any) -> dt.datetime | None:
        if not isinstance(value, str) or not value.strip():
            return None
        try:
            local = dt.datetime.strptime(value.strip()[:16], LOCAL_TIME).replace(tzinfo=self.zone)
            moment = values.check_datetime(local.astimezone(dt.UTC))
        except values.BadValue as bad:
            raise ValidationError(bad.detail, code=bad.code) from bad
        except (ValueError, OverflowError) as bad:
            raise ValidationError(
                "Enter a day and a time, like 2026-03-31 14:30.", code="not_a_time"
            ) from bad
        if moment.astimezone(self.zone).replace(tzinfo=None) != local.replace(tzinfo=None):
            raise ValidationError(
                "The clocks skip this time on that day. Enter one before or after.", code="skipped"
            )
        return moment

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, dt.datetime):
            return value.astimezone(self.zone).strftime(LOCAL_TIME)
        return value


class InstanceField(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Instance) -> str:
        notes = [obj.environment] if obj.environment else []
        if not obj.counted:
            notes.append("not counted")
        return f"{obj.name} ({', '.join(notes)})" if notes else obj.name


class ReadingForm(forms.Form):
    """Seats counted by hand at an instance, at a time on the company's clocks."""

    instance = InstanceField(
        queryset=Instance.objects.none(),
        required=False,
        empty_label="Choose an instance",
        error_messages={
            "required": "Choose an instance.",
            "invalid_choice": "Choose an instance of this account.",
        },
    )
    seats = SeatsField(
        label="Active seats",
        help_text="Everybody with an active seat at that moment, as a whole number.",
        error_messages={"required": "Enter the number of active seats."},
    )
    observed_at = LocalTimeField(
        label="Counted at",
        error_messages={"required": "Enter when the seats were counted."},
    )
    note = LinesField(
        label="Where the count comes from",
        help_text="For example: screenshot of the admin console, sent by the customer.",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say where the count comes from."},
    )

    def __init__(
        self, data: Any = None, *, account: Account, zone: ZoneInfo, now: dt.datetime
    ) -> None:
        super().__init__(data, initial={"observed_at": now})
        observed_at = self.fields["observed_at"]
        assert isinstance(observed_at, LocalTimeField)  # noqa: S101
        observed_at.zone = zone
        observed_at.help_text = f"On the company's clocks, {zone.key}."
        self._offer(account)

    def _offer(self, account: Account) -> None:
        """Ask for the instance only where there is a choice."""
        field = self.fields["instance"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101
        instances = Instance.objects.filter(account=account).order_by("-counted", "name", "pk")
        found = list(instances)
        if not found:
            del self.fields["instance"]
            return
        field.queryset = instances
        field.required = True
        if len(found) == 1:
            field.empty_label = None
            self.initial["instance"] = found[0].pk
