"""The bodies of writes, each form of them made from one description of the record.

class TierBody(WriteBody):
    row = TierRow                       # what is answered; the rest of it cannot be written
    name = NameField()
    cadence_days = SeatsField(required=False, allow_null=True)

TIER = forms_of(TierBody, "Tier", identity=("name",))
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from config.lib import fields
from config.lib.rows import RowSerializer
from config.lib.values import BadValue

ITEMS = "items"
ITEMS_MAX = 5_000
VERSION = "version"


class WriteBody(serializers.Serializer[Any]):
    # What is sent to make or change a record; what it is and how it changes are in subclasses.
    row: ClassVar[type[RowSerializer]]
    shown: ClassVar[Collection[str]] = ()
    omitted: ClassVar[Collection[str]] = ()
    # None: as declared.
    needed: ClassVar[Collection[str] | None] = None
    takes_version: ClassVar[bool] = False

    if TYPE_CHECKING:
        # Fields of ours that are also attributes of every serializer.
        source: Any
        parent: Any

    def get_fields(self) -> dict[str, Any]:
        declared = {
            name: field for name, field in super().get_fields().items() if name not in self.omitted
        }
        if self.needed is not None:
            for name, field in declared.items():
                field.required = name in self.needed
        if self.takes_version:
            declared[VERSION] = fields.VersionField(required=False)
        return declared

    def to_internal_value(self, data: Any) -> Any:
        """Read the body, or say everything that is wrong with it at once.

        DRF's own way through the fields takes five times as long: much, for 5,000 items.
        """
        if not isinstance(data, Mapping):
            raise ValidationError(_error("Write an object with these fields.", "invalid"))
        values: dict[str, Any] = {}
        wrong: dict[str, list[ErrorDetail]] = {}
        for name, sent in data.items():
            try:
                values[name] = self._parsed(name, sent)
            except BadValue as bad:
                wrong[name] = [_error(bad.detail, bad.code)]
        for name in self._required - data.keys():
            wrong[name] = [_error("This is required.", "required")]
        if wrong:
            raise ValidationError(wrong)
        return values

    @cached_property
    def _known(self) -> Mapping[str, fields.StrictField]:
        return dict(self.fields.items())  # type: ignore[arg-type]

    @cached_property
    def _required(self) -> frozenset[str]:
        return frozenset(name for name, field in self.fields.items() if field.required)

    def _parsed(self, name: str, sent: Any) -> Any:
        field = self._known.get(name)
        if field is None and name in self.shown:
            raise BadValue("read_only", "This cannot be written.")
        if field is None:
            raise BadValue("unknown", "There is no such field.")
        if sent is None and not field.allow_null:
            raise BadValue("null", "This may not be null.")
        return None if sent is None else field.parse(sent)


class Forms(NamedTuple):
    """The body of each way to write a record. `identity` never changes once it is there."""

    identity: Sequence[str]
    create: type[WriteBody]
    # By id: the whole record, or what is to change.
    replace: type[WriteBody]
    patch: type[WriteBody]
    # By another system's id, and in bulk.
    upsert: type[WriteBody]
    item: type[WriteBody]
    bulk: type[serializers.Serializer[Any]]


def forms_of(
    body: type[WriteBody], name: str, *, identity: Sequence[str], is_versioned: bool = True
) -> Forms:
    required = {key for key, field in body().fields.items() if field.required}
    item = _form(body, f"{name}Item", needed=identity, takes_version=is_versioned)
    bulk: Any = type(
        f"{name}Bulk",
        (serializers.Serializer,),
        {
            ITEMS: serializers.ListSerializer(child=item(), max_length=ITEMS_MAX),
            "__doc__": f"Up to {ITEMS_MAX:,} items.",
        },
    )
    return Forms(
        identity=identity,
        create=_form(body, f"{name}Create"),
        replace=_form(body, f"{name}Replace", needed=required - set(identity)),
        # The generator adds “Patched” and “Request”.
        patch=_form(body, name, needed=()),
        upsert=_form(body, f"{name}Upsert", needed=(), omitted=identity, takes_version=True),
        item=item,
        bulk=bulk,
    )


def checked(body: type[WriteBody], data: Any) -> dict[str, Any]:
    """Return the parsed body. Raises ValidationError with every field at fault."""
    form = body(data=data)
    form.is_valid(raise_exception=True)
    values: dict[str, Any] = form.validated_data
    return values


def checked_items(item: type[WriteBody], data: Any) -> list[dict[str, Any]]:
    """Return the parsed items of a list, or of an object with `items`."""
    listed = data
    if isinstance(data, dict):
        listed = data.get(ITEMS)
        if unknown := sorted(data.keys() - {ITEMS}):
            raise ValidationError({unknown[0]: [_error("There is no such field.", "unknown")]})
    if not isinstance(listed, list) or not listed:
        raise ValidationError({ITEMS: [_error("Send a list of one item at least.", "required")]})
    if len(listed) > ITEMS_MAX:
        sentence = f"At most {ITEMS_MAX:,} items in one call; send the rest in another."
        raise ValidationError({ITEMS: [_error(sentence, "too_many_items")]})
    form = item(data=listed, many=True)
    if not form.is_valid():
        raise ValidationError({ITEMS: form.errors})
    values: list[dict[str, Any]] = form.validated_data
    return values


def _form(body: type[WriteBody], name: str, **settings: Any) -> type[WriteBody]:
    shown = frozenset(body.row().fields)
    return type(name, (body,), {"__doc__": body.__doc__, "shown": shown, **settings})


def _error(sentence: str, code: str) -> ErrorDetail:
    return ErrorDetail(sentence, code=code)
