"""How statements of work and their changes are written and answered."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field

from config.lib import fields, values
from config.lib.rows import RowSerializer
from engagements.models import ChangeRequest
from engagements.rules import diff, sow, sow_reading
from engagements.services.changing import REASON_MAX
from engagements.services.sows import NOTE_MAX
from events.workflow import REASON_MAX as MOVE_REASON_MAX
from people.rows import WriterRow

DAY = {"type": "string", "description": 'A day, or "" while it is open.', "maxLength": 10}
LINE = {"type": "string", "maxLength": sow_reading.ITEM_MAX}
TEXT = {"type": "string", "maxLength": sow_reading.TEXT_MAX}


def _lines(most: int) -> dict[str, Any]:
    return {"type": "array", "maxItems": most, "items": LINE}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": dict(properties)}


CONTENT = _object(
    {
        "title": {"type": "string", "maxLength": sow_reading.TITLE_MAX},
        "deliverables": {
            "type": "array",
            "maxItems": sow_reading.ROWS_MAX,
            "items": _object(
                {
                    "key": {
                        "type": "string",
                        "maxLength": 12,
                        "description": "Stays the same from version to version; leave it out for "
                        "a new deliverable.",
                    },
                    "what": {"type": "string", "maxLength": sow_reading.WHAT_MAX},
                    "detail": {**TEXT, "description": "Markdown."},
                    "by_whom": {"type": "string", "maxLength": sow_reading.PERSON_MAX},
                    "by_when": DAY,
                }
            ),
        },
        **{name: _lines(sow_reading.ITEMS_MAX) for name in sow.LISTS},
        "customer_owner": {"type": "string", "maxLength": sow_reading.PERSON_MAX},
        "timeframe": _object({"start": DAY, "end": DAY}),
        "maintenance": _object(
            {
                "owner": {"type": "string", "enum": ["", *sow.MAINTENANCE_OWNERS]},
                "depends_on_server_version": {"type": ["boolean", "null"]},
                "text": {**TEXT, "description": "Markdown."},
            }
        ),
        "deemed_acceptance_days": {
            "type": ["integer", "null"],
            "minimum": 1,
            "maximum": sow_reading.DEEMED_MAX,
            "description": "Business days after which silence accepts the delivery; null: never.",
        },
        "amount": {"type": "string", "pattern": r"^\d{1,12}(\.\d{1,4})?$"},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    }
)
WORDS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["kind", "text"],
        "properties": {
            "kind": {"type": "string", "enum": [diff.SAME, diff.ADDED, diff.REMOVED]},
            "text": {"type": "string"},
        },
    },
}
STATUS = {
    "type": "string",
    "enum": [diff.SAME, diff.ADDED, diff.REMOVED, diff.CHANGED, diff.MOVED],
}
DIFF = {
    "type": ["object", "null"],
    "description": "What changed since the version that `diff_to` names, word by word.",
    "required": ["to", "count", "deliverables", "lists", "values"],
    "properties": {
        "to": {"type": "integer"},
        "count": {"type": "integer"},
        "deliverables": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["key", "status", *diff.CELLS],
                "properties": {
                    "key": {"type": "string"},
                    "status": STATUS,
                    **dict.fromkeys(diff.CELLS, WORDS),
                },
            },
        },
        "lists": {
            "type": "object",
            "additionalProperties": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["status", "text"],
                    "properties": {"status": STATUS, "text": WORDS},
                },
            },
        },
        "values": {"type": "object", "additionalProperties": WORDS},
    },
}
MISSING = {
    "type": "object",
    "required": ["path", "detail"],
    "properties": {"path": {"type": "string"}, "detail": {"type": "string"}},
}


@extend_schema_field(CONTENT)
class ContentField(fields.StrictField):
    """What is promised. Parts may be left out or empty while it is a draft."""

    is_text = True

    def parse(self, data: Any) -> Any:
        # Read whole by the service, which names what is wrong by its path.
        if not isinstance(data, Mapping):
            raise values.BadValue("not_an_object", "Write this as an object.")
        return data

    @staticmethod
    def write(value: Any) -> Any:
        return value


@extend_schema_field(DIFF)
class DiffField(fields.StrictField):
    is_text = True

    @staticmethod
    def write(value: Any) -> Any:
        return value


@extend_schema_field({"type": "string", "pattern": r"^\d{1,3}(\.\d)?$", "examples": ["4.5"]})
class EffortField(fields.StrictField):
    """Days of work as a decimal string, to the tenth."""

    def parse(self, data: Any) -> Decimal:
        return values.parse_decimal(data, places=1, whole_digits=3)

    @staticmethod
    def write(value: Any) -> str:
        return values.plain_text(value)


class SowRow(RowSerializer):
    """One version. Frozen when it is sent; `digest` is the SHA-256 of what was shown."""

    id = fields.UuidField(source="uuid")
    number = fields.IntegerField()
    content = ContentField()
    digest = fields.PlainField()
    note = fields.LinesField(max_length=NOTE_MAX)
    effort_days = EffortField(allow_null=True)
    by = WriterRow()
    created_at = fields.DateTimeField()
    frozen_at = fields.DateTimeField(allow_null=True)
    agreed = fields.BooleanField(source="is_agreed")
    missing = fields.JsonListField(MISSING, source="lacks")
    version = fields.IntegerField()


class SowDetail(SowRow):
    """One version, with what changed where `diff_to` asks for it."""

    diff = DiffField(source="differs", allow_null=True)


class SowBody(fields.StrictSerializer):
    """The whole content: what is not sent is empty."""

    content = ContentField()
    note = fields.LinesField(max_length=NOTE_MAX, blank=True, required=False)


class EstimateBody(fields.StrictSerializer):
    """DE's estimate, which the customer does not see; null takes it back."""

    effort_days = EffortField(allow_null=True)


class SowChangeRow(RowSerializer):
    """A change of what was agreed to. `kind` says what it takes, by the content."""

    id = fields.UuidField(source="uuid")
    state = fields.ChoiceField(ChangeRequest.State.values)
    kind = fields.ChoiceField(ChangeRequest.Kind.values)
    before = fields.IntegerField(source="before.number")
    after = fields.IntegerField(source="after.number")
    reason = fields.LinesField(max_length=REASON_MAX)
    asked_by_customer = fields.BooleanField()
    by = WriterRow()
    at = fields.DateTimeField()
    decided_by = WriterRow(allow_null=True)
    decided_at = fields.DateTimeField(allow_null=True)
    answer = fields.LinesField()
    version = fields.IntegerField()


class ChangeBody(fields.StrictSerializer):
    """What changes, and why. The next version begins as a copy of the one sent."""

    reason = fields.LinesField(max_length=REASON_MAX)
    asked_by_customer = fields.BooleanField(required=False)


class ChangeMoveBody(fields.StrictSerializer):
    """`approve`, `refuse` (with a reason) or `withdraw`."""

    transition = fields.NameField(max_length=40)
    reason = fields.LinesField(max_length=MOVE_REASON_MAX, blank=True, required=False)
