"""What planning looks like over the API."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.lib import fields, values
from config.lib.bodies import WriteBody
from config.lib.rows import RowSerializer
from people.rows import PersonRow
from projects.rules.capacity import TENTH
from projects.selectors.capacity import IncrementSheet, PersonSheet
from projects.services.increments import MOST_WEEKS
from projects.services.increments import NAME_MAX as INCREMENT_NAME_MAX
from projects.services.teams import NAME_MAX

UUID = {"type": "string", "format": "uuid"}
DAYS = {"type": "string", "pattern": r"^-?\d{1,4}(\.\d+)?$"}
DAY = {"type": "string", "format": "date"}
DESPITE_MAX = 2000


@extend_schema_field({"type": "string", "pattern": r"^\d{1,2}(\.\d)?$", "examples": ["2.5"]})
class PlannedDaysField(fields.StrictField):
    """Days of work as a decimal string, to the tenth."""

    def parse(self, data: Any) -> Decimal:
        return values.parse_decimal(data, places=1, whole_digits=2)

    @staticmethod
    def write(value: Any) -> str:
        return values.plain_text(value)


@extend_schema_field({"type": "integer", "enum": [1, 2]})
class WeeksField(fields.StrictField):
    """How many weeks an increment takes."""

    def parse(self, data: Any) -> int:
        return values.parse_integer(data, low=1, high=2)


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": MOST_WEEKS})
class CountField(fields.StrictField):
    """For how many weeks."""

    def parse(self, data: Any) -> int:
        return values.parse_integer(data, low=1, high=MOST_WEEKS)


MEMBER = {
    "type": "object",
    "required": ["id", "person", "name", "days_a_week", "start", "end"],
    "properties": {
        "id": UUID,
        "person": UUID,
        "name": {"type": "string"},
        "days_a_week": DAYS,
        "start": DAY,
        "end": {"type": ["string", "null"], "format": "date"},
    },
}


class TeamRow(RowSerializer):
    """A team and who is in it. `weeks` is how long its increments are by default."""

    id = fields.UuidField(source="uuid")
    name = fields.NameField()
    weeks = WeeksField()
    archived = fields.BooleanField()
    members = fields.JsonListField(MEMBER, source="member_rows")
    created_at = fields.DateTimeField()
    updated_at = fields.DateTimeField()
    version = fields.IntegerField()


class TeamBody(WriteBody):
    row = TeamRow
    name = fields.NameField(max_length=NAME_MAX, required=False)
    weeks = WeeksField(required=False)
    archived = fields.BooleanField(required=False)


class TeamCreate(WriteBody):
    row = TeamRow
    name = fields.NameField(max_length=NAME_MAX)
    weeks = WeeksField(required=False)


class MembershipRow(RowSerializer):
    """A person's part in a team. `end` is the first day not covered; null: open."""

    id = fields.UuidField(source="uuid")
    person = PersonRow()
    days_a_week = PlannedDaysField()
    start = fields.DateField()
    end = fields.DateField(allow_null=True)


class MembershipBody(WriteBody):
    row = MembershipRow
    days_a_week = PlannedDaysField(required=False)
    start = fields.DateField(required=False)
    end = fields.DateField(required=False, allow_null=True)


class MembershipCreate(WriteBody):
    row = MembershipRow
    person = fields.PersonField()
    days_a_week = PlannedDaysField()
    start = fields.DateField()
    end = fields.DateField(required=False, allow_null=True)


class TeamNameRow(RowSerializer):
    id = fields.UuidField(source="uuid")
    name = fields.NameField()


class IncrementRow(RowSerializer):
    """A slot of a team. `end` is its last day."""

    id = fields.UuidField(source="uuid")
    team = TeamNameRow()
    name = fields.TextField()
    start = fields.DateField()
    end = fields.DateField()
    created_at = fields.DateTimeField()
    updated_at = fields.DateTimeField()
    version = fields.IntegerField()


class IncrementBody(WriteBody):
    row = IncrementRow
    name = fields.TextField(max_length=INCREMENT_NAME_MAX, required=False)
    start = fields.DateField(required=False)
    end = fields.DateField(required=False)


class IncrementsCreate(WriteBody):
    """Those of `count` weeks from the week of `start` on; without `weeks` as the team has it."""

    row = IncrementRow
    team = fields.UuidField()
    start = fields.DateField()
    count = CountField()
    weeks = WeeksField(required=False)


class IncrementsMade(serializers.Serializer[Any]):
    increments = IncrementRow(many=True)


class AllocationRow(RowSerializer):
    """Days of a person for a project in an increment."""

    id = fields.UuidField(source="uuid")
    increment = fields.UuidField(source="increment.uuid")
    project = fields.UuidField(source="project.uuid")
    person = PersonRow()
    days = PlannedDaysField()
    hard = fields.BooleanField(source="is_hard")
    by = PersonRow()
    at = fields.DateTimeField()


class AllocationBody(WriteBody):
    """`despite` says why, where promised days do not fit."""

    row = AllocationRow
    increment = fields.UuidField(required=False)
    person = fields.PersonField(required=False)
    days = PlannedDaysField(required=False)
    hard = fields.BooleanField(required=False)
    despite = fields.LinesField(max_length=DESPITE_MAX, blank=True, required=False)


class AllocationCreate(AllocationBody):
    increment = fields.UuidField()
    project = fields.UuidField()
    person = fields.PersonField()
    days = PlannedDaysField()


@extend_schema_field(DAYS)
class SheetDaysField(serializers.Field[Any, Any, Any, Any]):
    def to_representation(self, value: Any) -> str:
        return days_text(value)


class SheetWork(serializers.Serializer[Any]):
    allocation = fields.UuidField()
    project = fields.UuidField()
    number = serializers.CharField()
    days = SheetDaysField()
    hard = serializers.BooleanField()


class SheetPerson(serializers.Serializer[Any]):
    """`days_a_week` is null for who is not in the team then; `off` are working days away."""

    person = fields.UuidField()
    name = serializers.CharField()
    days_a_week = SheetDaysField(allow_null=True)
    available = SheetDaysField()
    off = serializers.IntegerField()
    hard = SheetDaysField()
    soft = SheetDaysField()
    free = SheetDaysField()
    over = SheetDaysField()
    on = SheetWork(many=True)


class SheetConflict(serializers.Serializer[Any]):
    person = fields.UuidField()
    hard = serializers.BooleanField()
    words = serializers.CharField()


class SheetAnswer(serializers.Serializer[Any]):
    """Days are decimal strings; `free` leaves out what is over in one person's plan."""

    increment = fields.UuidField()
    working_days = serializers.IntegerField()
    available = SheetDaysField()
    hard = SheetDaysField()
    soft = SheetDaysField()
    free = SheetDaysField()
    people = SheetPerson(many=True)
    conflicts = SheetConflict(many=True)


def days_text(days: Decimal) -> str:
    """Tenths as they are, and more places where there are any."""
    return values.plain_text(days.quantize(TENTH) if days == days.quantize(TENTH) else days)


def told_sheet(sheet: IncrementSheet) -> dict[str, Any]:
    told = {
        "increment": sheet.increment.uuid,
        "working_days": sheet.working,
        "available": sheet.load.available,
        "hard": sheet.load.hard,
        "soft": sheet.load.soft,
        "free": sheet.free,
        "people": [_told_person(each) for each in sheet.people],
        "conflicts": [
            {"person": each.person.uuid, "hard": each.is_hard, "words": each.words}
            for each in sheet.conflicts
        ],
    }
    answer: dict[str, Any] = SheetAnswer(told).data
    return answer


def _told_person(each: PersonSheet) -> dict[str, Any]:
    return {
        "person": each.person.uuid,
        "name": each.person.name,
        "days_a_week": each.days_a_week,
        "available": each.available,
        "off": each.off,
        "hard": each.hard,
        "soft": each.soft,
        "free": each.free,
        "over": each.over,
        "on": [
            {
                "allocation": row.uuid,
                "project": row.project.uuid,
                "number": row.project.number,
                "days": row.days,
                "hard": row.is_hard,
            }
            for row in each.on
        ],
    }
