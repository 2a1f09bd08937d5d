"""Moves over the API, the same for all that moves: what may happen next, and what is sent."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from config.lib import etags, fields
from config.lib.values import BadValue, parse_name, parse_text
from engagements.models import Impact
from events.models import MoveRequest
from events.workflow import REASON_MAX, Field, Given, Option

TRANSITION, REASON = "transition", "reason"
MOVE_BODY = {
    "type": "object",
    "description": "A move, why, and what it asks for: the fields that GET names.",
    "required": [TRANSITION],
    "properties": {
        TRANSITION: {"type": "string", "maxLength": 40},
        REASON: {"type": "string", "maxLength": REASON_MAX},
    },
    "additionalProperties": True,
}


class Told(serializers.Serializer[Any]):
    # What is only answered. No docstring: schemas would inherit it.

    if TYPE_CHECKING:
        # Fields of ours that are also attributes of every serializer.
        label: Any
        required: Any
        fields: Any


class Choice(Told):
    """`value` is what is sent: a number where the field is one."""

    value = serializers.JSONField()
    label = fields.PlainField()


class MoveField(Told):
    """Something a move asks for. `choices` only for who may make it."""

    name = fields.PlainField()
    label = fields.PlainField()
    kind = fields.ChoiceField(
        ["text", "lines", "number", "date", "choice", "choices", "yes", "place"]
    )
    required = fields.BooleanField()
    help = fields.PlainField()
    choices = Choice(many=True, allow_null=True)


class MoveBlock(Told):
    """A condition that does not hold, and what to do about it."""

    code = fields.PlainField()
    detail = fields.PlainField()


class AskBody(fields.StrictSerializer):
    """A move one may not make, and why those who may should."""

    transition = fields.NameField(max_length=40)
    note = fields.LinesField(max_length=REASON_MAX, blank=True, required=False)


class AskedMove(Told):
    """It waits for those who may; one of them makes the move, or says why not."""

    id = fields.UuidField()
    transition = fields.PlainField()
    note = fields.LinesField()
    at = fields.DateTimeField()


def told_asked(asked: MoveRequest) -> dict[str, Any]:
    told = {"id": asked.uuid, "transition": asked.transition, "note": asked.note, "at": asked.at}
    return dict(AskedMove(told).data)


def told_option(option: Option) -> dict[str, Any]:
    transition = option.transition
    return {
        "id": transition.id,
        "label": transition.label,
        "leads_to": sorted(transition.leads_to or transition.sources),
        "allowed": option.may,
        "who_may": (transition.who.__doc__ or "").strip(),
        "blocked": [{"code": code, "detail": detail} for code, detail in option.blocks],
        "can_ask": option.can_ask,
        "needs_reason": transition.needs_reason,
        "warns": transition.warns,
        "fields": [_told_field(field, option) for field in transition.fields],
    }


def options_told(one: Any, offered: Iterable[Option]) -> Response:
    """Answer what may happen next with something that moves."""
    told = {
        "state": one.state,
        "version": one.version,
        "transitions": [told_option(option) for option in offered],
    }
    return Response(told, headers={"ETag": etags.etag_of(one.uuid, one.version)})


def move_sent(data: Any, *, version: int | None) -> tuple[str, Given]:
    """Return the move that a body names, and what comes with it."""
    values = dict(data)
    name = _text(values, TRANSITION, is_needed=True)
    return name, Given(reason=_text(values, REASON), values=values, version=version)


def move_asked(request: Request, one: Any) -> tuple[str, Given]:
    """Return the move that a request names; from which version, where If-Match says one."""
    return move_sent(request.data, version=etags.version_asked(request, one))


def wish_sent(data: Any) -> tuple[str, str]:
    """Return the move that is wished for, and why."""
    body = AskBody(data=data)
    body.is_valid(raise_exception=True)
    return body.validated_data[TRANSITION], body.validated_data.get("note", "")


def _told_field(field: Field, option: Option) -> dict[str, Any]:
    choices = None
    # Among them are the customer's people, who are not for everybody's eyes.
    if field.choices is not None and option.may:
        choices = [
            {"value": _typed(field, value), "label": label}
            for value, label in field.choices(option.case)
        ]
    return {
        "name": field.name,
        "label": field.label,
        "kind": field.kind,
        "required": field.required,
        "help": field.help,
        "choices": choices,
    }


def _typed(field: Field, value: str) -> str | int:
    """Return a choice as JSON sends it: the impact is a number."""
    return int(value) if field.name == "impact" and value in map(str, Impact.values) else value


def _text(values: dict[str, Any], name: str, *, is_needed: bool = False) -> str:
    """Take a text of the engine's own out of what was sent."""
    sent = values.pop(name, None)
    if sent is None or (isinstance(sent, str) and not sent.strip()):
        if is_needed:
            raise ValidationError({name: [ErrorDetail("This is required.", code="required")]})
        return ""
    try:
        return (
            parse_name(sent) if is_needed else parse_text(sent, max_length=REASON_MAX, lines=True)
        )
    except BadValue as bad:
        raise ValidationError({name: [ErrorDetail(bad.detail, code=bad.code)]}) from bad
