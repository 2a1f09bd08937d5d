"""The strict values of config.lib.values as serializer fields, in and out.

The same classes describe what comes in and what goes out, and carry their own schema,
so that the OpenAPI document, the check and the answer cannot differ.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from config.lib import values


class StrictField(serializers.Field[Any, Any, Any, Any]):
    """Reads with `parse`, writes with `write`.

    `is_text` tells the CSV export which values a stranger may have chosen.
    """

    is_text: ClassVar[bool] = False

    def parse(self, data: Any) -> Any:
        return data

    @staticmethod
    def write(value: Any) -> Any:
        return value

    def to_internal_value(self, data: Any) -> Any:
        try:
            return self.parse(data)
        except values.BadValue as bad:
            raise ValidationError(bad.detail, code=bad.code) from bad

    def to_representation(self, value: Any) -> Any:
        return self.write(value)


class TextField(StrictField):
    """One line of text; `blank` allows the empty text."""

    is_text = True
    lines: ClassVar[bool] = False

    def __init__(
        self, *, max_length: int = values.TEXT_MAX, blank: bool = False, **kwargs: Any
    ) -> None:
        self.max_length = max_length
        self.blank = blank
        super().__init__(**kwargs)
        describe: Any = extend_schema_field({"type": "string", "maxLength": max_length})
        describe(self)

    def parse(self, data: Any) -> str:
        if self.blank and isinstance(data, str) and not data.strip():
            return ""
        return values.parse_text(data, max_length=self.max_length, lines=self.lines)


class NameField(TextField):
    def __init__(self, *, max_length: int = values.NAME_MAX, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)


class LinesField(TextField):
    """Text of several lines."""

    lines = True


@extend_schema_field({"type": "string", "minLength": 1, "maxLength": values.EXTERNAL_ID_MAX})
class ExternalIdField(StrictField):
    is_text = True

    def parse(self, data: Any) -> str:
        return values.parse_external_id(data)


@extend_schema_field({"type": "string", "pattern": r"^[a-z0-9][a-z0-9_.-]{0,59}$"})
class SourceField(StrictField):
    is_text = True

    def parse(self, data: Any) -> str:
        return values.parse_source(data)


@extend_schema_field(
    {"type": "string", "pattern": r"^\d{1,12}(\.\d{1,4})?$", "examples": ["50000.00"]}
)
class MoneyField(StrictField):
    """An amount as a decimal string, exact."""

    def parse(self, data: Any) -> Decimal:
        return values.parse_money(data)

    @staticmethod
    def write(value: Any) -> str:
        return values.money_text(value)


@extend_schema_field({"type": "string", "pattern": r"^\d+\.\d{2,10}$", "examples": ["50000.00"]})
class AmountField(StrictField):
    """An amount worked out by Keel, with as many decimals as it takes; only ever answered."""

    @staticmethod
    def write(value: Any) -> str:
        return values.money_text(value)


@extend_schema_field({"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "examples": ["0.8123"]})
class RatioField(StrictField):
    """A share or another plain number as a decimal string; only ever answered."""

    @staticmethod
    def write(value: Any) -> str:
        return values.plain_text(value)


@extend_schema_field({"type": "integer", "minimum": 0, "maximum": values.SEATS_MAX})
class SeatsField(StrictField):
    def parse(self, data: Any) -> int:
        return values.parse_seats(data)


@extend_schema_field(
    {"type": "string", "pattern": r"^\d{1,9}(\.\d{1,10})?$", "examples": ["1.0842"]}
)
class RateField(StrictField):
    """An exchange rate as a decimal string, exact."""

    def parse(self, data: Any) -> Decimal:
        return values.parse_rate(data)

    @staticmethod
    def write(value: Any) -> str:
        whole, _, decimals = values.plain_text(value).partition(".")
        return f"{whole}.{decimals.rstrip('0') or '0'}"


@extend_schema_field({"type": "integer"})
class IntegerField(StrictField):
    """A number that is only ever answered: a count, a version."""


@extend_schema_field({"type": "integer", "minimum": 0, "maximum": values.SEATS_MAX})
class VersionField(StrictField):
    """The version that a write was made from; 0 where there must be none yet."""

    def parse(self, data: Any) -> int:
        return values.parse_seats(data)


@extend_schema_field({"type": "string"})
class PlainField(StrictField):
    """A word of ours, such as a status, that is only ever answered."""


@extend_schema_field({"type": "object", "additionalProperties": True})
class JsonField(StrictField):
    """An object whose keys depend on what it is about; only ever answered."""

    is_text = True


@extend_schema_field({"type": "string", "format": "date"})
class DateField(StrictField):
    def parse(self, data: Any) -> dt.date:
        return values.parse_date(data)

    @staticmethod
    def write(value: Any) -> str:
        return str(value.isoformat())


@extend_schema_field({"type": "string", "format": "date-time"})
class DateTimeField(StrictField):
    def parse(self, data: Any) -> dt.datetime:
        return values.parse_datetime(data)

    @staticmethod
    def write(value: Any) -> str:
        return values.moment_text(value)


@extend_schema_field({"type": "string", "pattern": "^[A-Z]{3}$"})
class CurrencyField(StrictField):
    def parse(self, data: Any) -> str:
        return values.parse_currency(data)


@extend_schema_field({"type": "string", "maxLength": values.EMAIL_MAX})
class EmailField(StrictField):
    is_text = True

    def __init__(self, *, blank: bool = False, **kwargs: Any) -> None:
        self.blank = blank
        super().__init__(**kwargs)

    def parse(self, data: Any) -> str:
        return "" if self.blank and data == "" else values.parse_email(data)


@extend_schema_field(
    {"oneOf": [{"type": "string", "format": "uuid"}, {"$ref": "#/components/schemas/OuterId"}]}
)
class ReferenceField(StrictField):
    """What names another record: its id, or another system's id of it; only ever sent."""

    def parse(self, data: Any) -> uuid.UUID | values.OuterId:
        return values.parse_reference(data)


@extend_schema_field(
    {"oneOf": [{"type": "string", "format": "uuid"}, {"$ref": "#/components/schemas/Address"}]}
)
class PersonField(StrictField):
    """What names one of us: the id or the e-mail address; only ever sent."""

    def parse(self, data: Any) -> uuid.UUID | str:
        return values.parse_person(data)


class WordsField(StrictField):
    """A few short texts, each once."""

    is_text = True

    def __init__(self, *, most: int, max_length: int, **kwargs: Any) -> None:
        self.most, self.max_length = most, max_length
        super().__init__(**kwargs)
        items = {"type": "string", "minLength": 1, "maxLength": max_length}
        describe: Any = extend_schema_field({"type": "array", "items": items, "maxItems": most})
        describe(self)

    def parse(self, data: Any) -> list[str]:
        if not isinstance(data, list):
            raise values.BadValue("not_a_list", "Write a list of texts.")
        if len(data) > self.most:
            raise values.BadValue("too_many", f"At most {self.most}.")
        texts = (values.parse_text(text, max_length=self.max_length) for text in data)
        return list(dict.fromkeys(texts))


@extend_schema_field({"type": "string", "format": "uuid"})
class UuidField(StrictField):
    def parse(self, data: Any) -> uuid.UUID:
        return values.parse_uuid(data)

    @staticmethod
    def write(value: Any) -> str:
        return str(value)


@extend_schema_field({"type": "boolean"})
class BooleanField(StrictField):
    def parse(self, data: Any) -> bool:
        return values.parse_boolean(data)


class ChoiceField(StrictField):
    """One of a few words, exactly as written."""

    def __init__(self, choices: Sequence[str], **kwargs: Any) -> None:
        self.words = tuple(choices)
        super().__init__(**kwargs)
        nothing = [None] if self.allow_null else []
        describe: Any = extend_schema_field({"type": "string", "enum": [*self.words, *nothing]})
        describe(self)

    def parse(self, data: Any) -> str:
        return values.parse_choice(data, self.words)


class JsonListField(StrictField):
    """A list that the database has built as JSON already; `items` is its schema."""

    is_text = True

    def __init__(self, items: Mapping[str, Any], **kwargs: Any) -> None:
        self.items = items
        describe: Any = extend_schema_field({"type": "array", "items": dict(items)})
        describe(self)
        super().__init__(**kwargs)


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses what it does not know and what is only ever answered, by name."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            errors = {
                str(name): [_refused(self.fields.get(name))]
                for name in data
                if name not in self.fields or self.fields[name].read_only
            }
            if errors:
                raise ValidationError(errors)
        return super().to_internal_value(data)


def _refused(field: Any) -> ErrorDetail:
    if field is None:
        return ErrorDetail("There is no such field.", code="unknown")
    return ErrorDetail("This field cannot be written.", code="read_only")
