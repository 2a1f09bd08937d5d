"""The strict values of config.lib.values as fields of HTML forms and filters."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from config.lib import values

LIST_MAX = 200
# The first choice of a filter, and what one that does not exist is told.
ANY = ("", "Any")
NO_SUCH_CHOICE = {"invalid_choice": "There is no such choice."}


class StrictField(forms.Field):
    """A field whose text is read by one parser of config.lib.values.

    What a browser sends is trimmed first, except where `verbatim`; empty is None.
    """

    verbatim: ClassVar[bool] = False
    attrs: ClassVar[dict[str, str]] = {}

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), **self.attrs}

    def parse(self, text: str) -> Any:
        raise NotImplementedError

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        if not isinstance(value, str):
            return value
        text = value if self.verbatim else value.strip()
        if not text:
            return None
        return self.parsed(text)

    def parsed(self, text: str) -> Any:
        try:
            return self.parse(text)
        except values.BadValue as bad:
            raise ValidationError(bad.detail, code=bad.code) from bad


class TextField(StrictField):
    """One line of text; empty is "" as Django's own text columns want it."""

    lines: ClassVar[bool] = False

    def __init__(self, *, max_length: int = values.TEXT_MAX, **kwargs: Any) -> None:
        self.max_length = max_length
        super().__init__(**kwargs)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), "maxlength": str(self.max_length)}

    def parse(self, text: str) -> str:
        return values.parse_text(text, max_length=self.max_length, lines=self.lines)

    def to_python(self, value: Any) -> Any:
        return super().to_python(value) or ""


class NameField(TextField):
    def __init__(self, *, max_length: int = values.NAME_MAX, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)


class LinesField(TextField):
    """Text of several lines."""

    widget = forms.Textarea
    lines = True


class SearchField(TextField):
    def __init__(self, *, max_length: int = 100, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)


class WordField(StrictField):
    """A short text to filter by, compared exactly."""

    def parse(self, text: str) -> str:
        return values.parse_name(text)


class ExternalIdField(StrictField):
    verbatim = True

    def parse(self, text: str) -> str:
        return values.parse_external_id(text)


class SourceField(StrictField):
    def parse(self, text: str) -> str:
        return values.parse_source(text)


class MoneyField(StrictField):
    attrs = {"inputmode": "decimal"}

    def parse(self, text: str) -> Decimal:
        return values.parse_money(text)


class SignedDecimalField(StrictField):
    attrs = {"inputmode": "decimal"}

    def parse(self, text: str) -> Decimal:
        return values.parse_decimal(text, places=6, signed=True)


class SeatsField(StrictField):
    attrs = {"inputmode": "numeric"}

    def parse(self, text: str) -> int:
        return values.parse_seats_text(text)


class DateField(StrictField):
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})

    def parse(self, text: str) -> dt.date:
        return values.parse_date(text)


class DateTimeField(StrictField):
    def parse(self, text: str) -> dt.datetime:
        return values.parse_datetime(text)


class CurrencyField(StrictField):
    def parse(self, text: str) -> str:
        return values.parse_currency(text)


class EmailField(StrictField):
    widget = forms.EmailInput

    def parse(self, text: str) -> str:
        return values.parse_email(text)


class UuidField(StrictField):
    def parse(self, text: str) -> uuid.UUID:
        return values.parse_uuid(text)


class BooleanTextField(StrictField):
    """`true` or `false` in an address; a tick box is Django's own BooleanField."""

    def parse(self, text: str) -> bool:
        return values.parse_boolean_text(text)


class ChoiceTextField(StrictField):
    """One of a few words, exactly."""

    verbatim = True

    def __init__(self, *, words: Sequence[str] = (), **kwargs: Any) -> None:
        self.words = tuple(words)
        super().__init__(**kwargs)

    def parse(self, text: str) -> str:
        return values.parse_choice(text, self.words)


class CommaListField(forms.Field):
    """Values of one kind with commas between them, at most 200."""

    def __init__(self, *, inner: forms.Field, **kwargs: Any) -> None:
        self.inner = inner
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> list[Any]:
        if value in self.empty_values:
            return []
        parts = value.split(",", LIST_MAX)
        if len(parts) > LIST_MAX:
            raise ValidationError(f"At most {LIST_MAX} values.", code="too_many")
        if not all(parts):
            raise ValidationError("A value between commas is empty.", code="empty")
        return [self.inner.clean(part) for part in parts]


def filter_choice(label: str, choices: Iterable[tuple[str, str]] = ()) -> forms.ChoiceField:
    """A filter of a list: one of the choices, or any."""
    return forms.ChoiceField(
        label=label,
        choices=[ANY, *choices],
        required=False,
        error_messages=NO_SUCH_CHOICE,
    )
