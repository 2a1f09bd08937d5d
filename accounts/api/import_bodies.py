"""What is sent and answered about imports."""

from typing import Any

from drf_spectacular.utils import extend_schema_field

from accounts.imports.lifecycle import Sheet
from accounts.models import Import
from accounts.models import ImportRow as Found
from accounts.tabular import MOST_ROWS
from config.lib import fields
from config.lib.rows import RowSerializer
from config.lib.uploads import FileField
from config.lib.values import BadValue, parse_choice, parse_integer

BAD, NONE = "bad", "none"
HIGHEST_ROW = 2_000_000
LONGEST_NAME = 60
TEXT = {"type": "string"}
COUNT = {"type": "integer", "minimum": 0}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


PROBLEM = _object(row=COUNT, column=TEXT, value=TEXT, detail=TEXT, code=TEXT)
SIDE = _object(numerator=COUNT, denominator=COUNT)
MOVER = _object(number=TEXT, name=TEXT, was=TEXT, becomes=TEXT)
EFFECT = _object(before=SIDE, after=SIDE, movers=_list(MOVER), more=COUNT, left=COUNT)
PROGRESS = _object(phase=TEXT, done=COUNT, total=COUNT)
SKIPPED = _object(label=TEXT, reason=TEXT)
UNDONE = _object(count=COUNT, skipped=_list(SKIPPED), more=COUNT)
CHANGE = _object(
    column=TEXT, before={"type": ["string", "null"]}, after={"type": ["string", "null"]}
)
SUGGESTION = _object(
    column=TEXT, theirs=TEXT, how={"type": "string", "enum": ["saved", "shipped", "same", "alike"]}
)
FITTING = _object(name=TEXT, how={"type": "string", "enum": ["saved", "shipped"]})


class ObjectField(fields.StrictField):
    """An object of a known shape, or null; only ever answered."""

    is_text = True

    def __init__(self, schema: dict[str, Any], **kwargs: Any) -> None:
        describe: Any = extend_schema_field(schema)
        describe(self)
        super().__init__(allow_null=True, **kwargs)


class ImportSummaryRow(RowSerializer):
    """`status` tells what can be done with it: see docs/imports.md."""

    id = fields.UuidField(source="uuid")
    number = fields.PlainField(source="shown_number")
    kind = fields.ChoiceField(Import.Kind.values)
    status = fields.ChoiceField(Import.Status.values)
    source = fields.TextField()
    filename = fields.TextField()
    sha256 = fields.PlainField()
    size = fields.IntegerField()
    rows = fields.IntegerField()
    creates = fields.IntegerField()
    updates = fields.IntegerField()
    unchanged = fields.IntegerField()
    bad_rows = fields.IntegerField()
    excluded = fields.IntegerField(source="left_out")
    failure = fields.TextField()
    created_at = fields.DateTimeField()
    by = fields.UuidField(source="by.uuid")
    checked_at = fields.DateTimeField(allow_null=True)
    approved_by = fields.UuidField(source="approved_by.uuid", allow_null=True)
    applied_by = fields.UuidField(source="applied_by.uuid", allow_null=True)
    applied_at = fields.DateTimeField(allow_null=True)
    undone_by = fields.UuidField(source="undone_by.uuid", allow_null=True)
    undone_at = fields.DateTimeField(allow_null=True)
    updated_at = fields.DateTimeField(source="moved_at")
    version = fields.IntegerField()


class ImportRow(ImportSummaryRow):
    """An import with what its last check found; `errors` are the first hundred.

    `plan_hash` names exactly what would be done. `mass` says why a second person has to approve.
    """

    mapping = fields.JsonField()
    plan_hash = fields.PlainField()
    errors = fields.JsonListField(PROBLEM)  # type: ignore[assignment]
    effect = ObjectField(EFFECT)
    mass = fields.JsonListField(TEXT)
    applied_before = fields.DateTimeField(allow_null=True)
    progress = ObjectField(PROGRESS)
    undone = ObjectField(UNDONE)


class LineRow(RowSerializer):
    """One row of the file that is not unchanged; `changes` are texts to show."""

    row = fields.IntegerField()
    outcome = fields.ChoiceField(Found.Outcome.values)
    label = fields.TextField()  # type: ignore[assignment]
    account = fields.UuidField(source="account_uuid", allow_null=True)
    changes = fields.JsonListField(CHANGE)
    problems = fields.JsonListField(PROBLEM)


class SheetRow(RowSerializer):
    """The head of a file, and ideas which of its columns are ours."""

    header = fields.JsonListField(TEXT)
    rows = fields.JsonListField(_list(TEXT))
    suggestions = fields.JsonListField(SUGGESTION)
    mappings = fields.JsonListField(FITTING)
    delimiter = fields.TextField()
    skip_until = fields.TextField()


class UploadBody(fields.StrictSerializer):
    """A file, and what is to be known to read it."""

    file = FileField()
    kind = fields.ChoiceField(Import.Kind.values)
    source = fields.SourceField(required=False)  # type: ignore[assignment]
    account_source = fields.SourceField(required=False)
    mapping = fields.NameField(max_length=LONGEST_NAME, required=False)
    date_format = fields.TextField(max_length=LONGEST_NAME, required=False)
    encoding = fields.TextField(max_length=LONGEST_NAME, required=False)


@extend_schema_field(
    {"oneOf": [{"type": "object", "additionalProperties": True}, {"type": "string"}]}
)
class ReadingField(fields.StrictField):
    """A mapping as a TOML file has it, or the name of a saved or shipped one; only ever sent."""

    def parse(self, data: Any) -> dict[str, Any] | str:
        if isinstance(data, dict | str):
            return data
        raise BadValue("not_a_mapping", "Send a mapping as an object, or the name of one.")


@extend_schema_field(
    {
        "oneOf": [
            {"type": "array", "items": {"type": "integer", "minimum": 1}, "maxItems": MOST_ROWS},
            {"type": "string", "enum": [BAD, NONE]},
        ]
    }
)
class RowsField(fields.StrictField):
    """Numbers of rows, "bad" for every bad one, "none" to take up again what was left out."""

    def parse(self, data: Any) -> list[int] | str:
        if isinstance(data, str):
            return parse_choice(data, (BAD, NONE))
        if not isinstance(data, list):
            raise BadValue("not_a_list", f"Write a list of row numbers, “{BAD}” or “{NONE}”.")
        if len(data) > MOST_ROWS:
            raise BadValue("too_many", f"At most {MOST_ROWS:,} rows.")
        return [parse_integer(row, low=1, high=HIGHEST_ROW) for row in data]


class MappingBody(fields.StrictSerializer):
    """How the file is to be read; with `save_as` the mapping is kept under that name."""

    mapping = ReadingField()
    save_as = fields.NameField(max_length=LONGEST_NAME, required=False)


class ExcludeBody(fields.StrictSerializer):
    """The rows to leave out."""

    rows = RowsField()


class ApplyBody(fields.StrictSerializer):
    """The plan that was looked at."""

    plan_hash = fields.TextField(max_length=64)


def sheet_answer(sheet: Sheet) -> dict[str, Any]:
    suggestions = [
        {"column": ours, "theirs": each.theirs, "how": each.how}
        for ours, each in sheet.suggestions.items()
    ]
    mappings = [{"name": each.name, "how": each.how} for each in sheet.mappings]
    return {
        "header": list(sheet.header),
        "rows": [list(row) for row in sheet.rows],
        "suggestions": suggestions,
        "mappings": mappings,
        "delimiter": sheet.delimiter,
        "skip_until": sheet.skip_until,
    }
