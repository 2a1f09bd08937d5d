"""How a what-if is asked and answered."""

import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from config.lib import fields, values
from config.lib.bodies import WriteBody
from config.lib.rows import RowSerializer
from config.lib.values import BadValue

MOST = 1_000
DAYS_DIGITS, KEY_DIGITS = 4, 18
CROSSES = ("sure", "likely", "possible", "no")
SEATS_KEYS = ("account", "add", "days")
KEYS: dict[str, Any] = {"type": "array", "items": {"type": "string"}, "maxItems": MOST}


class ThingsField(fields.StrictField):
    """Projects or requests, by number ("PRJ-12") or id."""

    def __init__(self, prefix: str, **kwargs: Any) -> None:
        self.prefix = prefix
        super().__init__(**kwargs)
        describe: Any = extend_schema_field({**KEYS, "examples": [[f"{prefix}-12"]]})
        describe(self)

    def parse(self, data: Any) -> list[int | uuid.UUID]:
        return [_key(each, self.prefix) for each in _listed(data)]


@extend_schema_field(
    {
        "type": "array",
        "maxItems": MOST,
        "items": {
            "type": "object",
            "properties": {
                "account": {"type": "string", "format": "uuid"},
                "add": {"type": "integer", "minimum": 0},
                "days": {"type": "string", "description": "Needed where there is a target."},
            },
            "required": ["account", "add"],
            "additionalProperties": False,
        },
    }
)
class SeatsListField(fields.StrictField):
    """Seats more at accounts, typed."""

    def parse(self, data: Any) -> list[dict[str, Any]]:
        return [_at(place, _seats, each) for place, each in enumerate(_listed(data))]


@extend_schema_field({"type": "string", "examples": ["0.75"]})
class ShareField(fields.StrictField):
    """A share above 0, at most 1, as a decimal string."""

    def parse(self, data: Any) -> Decimal:
        share = values.parse_decimal(data, places=6, whole_digits=1)
        if not 0 < share <= 1:
            raise BadValue(
                "out_of_range", f"{share} is no share: write one above 0, at most 1, such as 0.75."
            )
        return share


@extend_schema_field({"type": "string", "examples": ["20"]})
class DaysField(fields.StrictField):
    """Days of work, in tenths, as a decimal string."""

    def parse(self, data: Any) -> Decimal:
        return parsed_days(data)


class WhatIfBody(WriteBody):
    """Either what is done (`seats`, `projects`, `requests`), or a `target` to reach.

    With a target, what is named is what may be chosen from; nothing named: all open work.
    """

    row = RowSerializer
    seats = SeatsListField(required=False)
    projects = ThingsField("PRJ", required=False)
    requests = ThingsField("REQ", required=False)
    target = ShareField(required=False, allow_null=True)
    capacity_days = DaysField(required=False, allow_null=True)


class PartRow(RowSerializer):
    numerator = fields.IntegerField()
    denominator = fields.IntegerField()
    value = fields.RatioField()


class LiftRow(RowSerializer):
    """In points: what the chances that accounts pass gain together."""

    low = fields.RatioField()
    expected = fields.RatioField()
    high = fields.RatioField()


class EffectRow(RowSerializer):
    """`seats_to_go` below zero: seats above the line. `crosses` by which seats it would."""

    account = fields.UuidField()
    number = fields.PlainField()
    external_id = fields.ExternalIdField()
    name = fields.NameField()
    seats_to_go = fields.IntegerField()
    seats_low = fields.IntegerField()
    seats_likely = fields.IntegerField()
    seats_high = fields.IntegerField()
    crosses = fields.ChoiceField(CROSSES)
    chance_before = fields.RatioField()
    chance_after = fields.RatioField()


class UnknownRow(RowSerializer):
    """An account of which nothing can be said, so it adds nothing."""

    account = fields.UuidField()
    number = fields.PlainField()
    name = fields.NameField()
    reason = fields.PlainField()


class WorkRow(RowSerializer):
    """`by_effort`: the days are the most that its effort allows, for nobody estimated them."""

    number = fields.PlainField()
    title = fields.TextField()
    days = fields.RatioField(allow_null=True)
    by_effort = fields.BooleanField()
    seats = fields.IntegerField()


class PlanRow(RowSerializer):
    """How the target is reached; where `reached` is false, the best there is within the capacity.

    `least_days`: nothing that reaches it takes fewer. `most_crossing`: nothing within the capacity
    brings more accounts over the line. `exact`: both are what the plan has. `reachable`: how many
    would cross if everything were done.
    """

    target = fields.RatioField()
    capacity_days = fields.RatioField(allow_null=True)
    reached = fields.BooleanField()
    exact = fields.BooleanField()
    needed = fields.IntegerField()
    crossing = fields.IntegerField()
    days = fields.RatioField()
    least_days = fields.RatioField(allow_null=True)
    most_crossing = fields.IntegerField()
    reachable = fields.IntegerField()


@extend_schema_serializer(component_name="WhatIfAnswer")
class WhatIfRow(serializers.Serializer[Any]):
    """The number now and if all of `work` and `seats` were done. Nothing is written.

    `low`, `likely`, `high`: by the low, likely and high seats of each, added up by account.
    """

    metric = fields.PlainField()
    definition_version = fields.IntegerField()
    as_of = fields.DateField()
    revision = fields.IntegerField()
    now = PartRow()
    low = PartRow()
    likely = PartRow()
    high = PartRow()
    lift = LiftRow()
    days = fields.RatioField()
    undated = fields.JsonListField({"type": "string"})
    work = WorkRow(many=True)
    accounts = EffectRow(many=True)
    unknown = UnknownRow(many=True)
    plan = PlanRow(allow_null=True)


def _listed(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise BadValue("not_a_list", "Write a list.")
    if len(data) > MOST:
        raise BadValue("too_many", f"At most {MOST:,}.")
    return data


def _key(data: Any, prefix: str) -> int | uuid.UUID:
    digits = data.removeprefix(f"{prefix}-") if isinstance(data, str) else ""
    if digits != data and digits.isascii() and digits.isdigit() and len(digits) <= KEY_DIGITS:
        return int(digits)
    try:
        return values.parse_uuid(data)
    except BadValue as bad:
        raise BadValue(
            bad.code, f"“{values.echo(data)}” is neither a number like {prefix}-12 nor an id."
        ) from bad


def _at(place: int, parse: Callable[[Any], Any], data: Any) -> Any:
    try:
        return parse(data)
    except BadValue as bad:
        raise BadValue(bad.code, f"Item {place + 1}: {bad.detail}") from bad


def _seats(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise BadValue("invalid", "Write an object with account and add.")
    if unknown := sorted(data.keys() - set(SEATS_KEYS)):
        raise BadValue("unknown", f"There is no field “{values.echo(unknown[0])}”.")
    for name in ("account", "add"):
        if name not in data:
            raise BadValue("required", f"“{name}” is required.")
    days = data.get("days")
    return {
        "account": _named("account", values.parse_uuid, data["account"]),
        "add": _named("add", values.parse_seats, data["add"]),
        "days": None if days is None else _named("days", parsed_days, days),
    }


def parsed_days(data: Any) -> Decimal:
    return values.parse_decimal(data, places=1, whole_digits=DAYS_DIGITS)


def _named(name: str, parse: Callable[[Any], Any], data: Any) -> Any:
    try:
        return parse(data)
    except BadValue as bad:
        raise BadValue(bad.code, f"{name}: {bad.detail}") from bad
