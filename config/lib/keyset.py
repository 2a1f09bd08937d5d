"""Pages that start after a row instead of after a number of rows.

A page costs the same at row 50 and at row a million, and no row is shown twice or left
out when ties, nulls or new rows lie at its edge. The order is

* nulls last, ascending and descending alike;
* made total by the primary key, in the direction of the last key, so that one index on
  (column, id) serves both directions, also where the column may be null.

A cursor is the position of the last row seen, encrypted: it tells nothing to who reads
it in a log, cannot be made or changed by hand, and fits only the list (the same filters
and ordering) it was made for.
"""

import base64
import binascii
import datetime as dt
import hashlib
import json
import os
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.db import models
from django.db.models import F, Q, QuerySet

from config.lib.values import BadValue, echo

COUNT_MAX = 10_000
CURSOR_MAX = 4_000
KEYS_MAX = 4
NONCE_BYTES = 12
SEPARATOR = "__"

T = TypeVar("T")
Side = Literal["after", "before"]
AFTER: Side = "after"


@dataclass(frozen=True)
class Key:
    """One column of the ordering, by its ORM path."""

    path: str
    descending: bool = False
    nullable: bool = False


class Position(NamedTuple):
    """Just after or just before the row with these values of the keys."""

    side: Side
    values: list[Any]


@dataclass(frozen=True)
class Page(Generic[T]):
    """Rows of one page and the cursors of its neighbours, None at the ends."""

    rows: list[T]
    next: str | None
    previous: str | None


class Count(NamedTuple):
    """How many rows there are; beyond 10,000 it is the planner's estimate."""

    rows: int
    estimated: bool


def page_of(
    queryset: "QuerySet[Any, T]",
    ordering: Sequence[Key],
    cursor: str | None,
    size: int,
    *,
    binding: str = "",
) -> Page[T]:
    """Return one page of a queryset of objects or of `.values()`.

    `binding` names the list and its filters; a cursor of another raises BadValue. What
    the keys lead to must be part of the rows (select_related, values), or each costs a
    query.
    """
    keys = total(queryset.model, ordering)
    binding = f"{binding}|{keys}"
    position = opened(cursor, binding) if cursor else None
    rows = _fetch(queryset, keys, position, size + 1)
    more = len(rows) > size
    rows = rows[:size]
    if position is not None and position.side == "before":
        rows.reverse()
        there_is_next, there_is_previous = True, more
    else:
        there_is_next, there_is_previous = more, position is not None

    def cursor_at(side: Side, row: T) -> str:
        return sealed(Position(side, [_value(row, key.path) for key in keys]), binding)

    return Page(
        rows,
        cursor_at("after", rows[-1]) if rows and there_is_next else None,
        cursor_at("before", rows[0]) if rows and there_is_previous else None,
    )


def count_of(queryset: "QuerySet[Any, Any]") -> Count:
    """Count up to 10,000 rows; ask the planner when there are more."""
    plain = queryset.order_by().values("pk")
    counted = plain[: COUNT_MAX + 1].count()
    if counted <= COUNT_MAX:
        return Count(counted, estimated=False)
    plan = json.loads(plain.explain(format="json"))
    return Count(max(int(plan[0]["Plan"]["Plan Rows"]), counted), estimated=True)


def ordered(
    queryset: "QuerySet[Any, T]", ordering: Sequence[Key], *, backwards: bool = False
) -> "QuerySet[Any, T]":
    """Put the queryset into the total order of these keys."""
    keys = total(queryset.model, ordering)
    return queryset.order_by(*(_order_by(key, backwards=backwards) for key in keys))


def keys_for(model: type[models.Model], names: Iterable[str]) -> list[Key]:
    """Return keys for ORM paths with an optional minus, as in `["-facts__arr", "name"]`."""
    return [
        Key(name.removeprefix("-"), name.startswith("-"), _nullable(model, name.removeprefix("-")))
        for name in names
    ]


def parse_ordering(text: str, allowed: Mapping[str, str]) -> list[str]:
    """Turn `-arr,name` into ORM paths; `allowed` gives the path of each public name."""
    names = text.split(",")
    plain = [name.removeprefix("-") for name in names]
    for name in plain:
        if name not in allowed:
            raise BadValue("not_a_choice", f"“{echo(name)}” is none of: {', '.join(allowed)}.")
    if len(set(plain)) != len(plain):
        raise BadValue("repeated", "A name stands twice.")
    if len(plain) > KEYS_MAX:
        raise BadValue("too_many", f"Order by at most {KEYS_MAX} names.")
    return [
        f"{'-' if name.startswith('-') else ''}{allowed[name.removeprefix('-')]}" for name in names
    ]


def total(model: type[models.Model], ordering: Sequence[Key]) -> list[Key]:
    """Add the primary key, unless the order is total already."""
    keys: list[Key] = []
    for key in ordering:
        keys.append(key)
        if _unique(model, key.path):
            return keys
    descending = keys[-1].descending if keys else False
    known = {key.path for key in keys}
    keys += [
        Key(field.name, descending)
        for field in model._meta.pk_fields  # noqa: SLF001 -- as above
        if field.name not in known
    ]
    return keys


def sealed(position: Position, binding: str) -> str:
    """Encrypt a position for this list."""
    body = json.dumps(
        [position.side, [_packed(value) for value in position.values]], separators=(",", ":")
    ).encode()
    nonce = os.urandom(NONCE_BYTES)
    box = AESGCM(_secret(settings.SECRET_KEY)).encrypt(nonce, body, binding.encode())
    return base64.urlsafe_b64encode(nonce + box).decode().rstrip("=")


def opened(cursor: str, binding: str) -> Position:
    """Decrypt a cursor; BadValue when it was not made by `sealed` for this list."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise _foreign() from None
    if not NONCE_BYTES < len(raw) <= CURSOR_MAX:
        raise _foreign()
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            body = AESGCM(_secret(key)).decrypt(
                raw[:NONCE_BYTES], raw[NONCE_BYTES:], binding.encode()
            )
        except InvalidTag:
            continue
        side, packed = json.loads(body)
        return Position(side, [_unpacked(*pair) for pair in packed])
    raise _foreign()


def _fetch(
    queryset: "QuerySet[Any, T]", keys: list[Key], position: Position | None, limit: int
) -> list[T]:
    """Return up to `limit` rows beyond the position, nearest first.

    Where the first column may be null, the rows with a value and those without are
    asked for one after the other: each then is a range of the index.
    """
    side, at = position or (AFTER, None)
    backwards = side == "before"
    queryset = ordered(queryset, keys, backwards=backwards)
    first = keys[0]
    if not first.nullable:
        return list((queryset.filter(_range(keys, at, side)) if at else queryset)[:limit])
    # Among values alone nulls need no place, so one index serves both directions.
    plain = [replace(first, nullable=False), *keys[1:]]
    with_value = ordered(queryset, plain, backwards=backwards).filter(
        **{f"{first.path}__isnull": False}
    )
    without = queryset.filter(**{f"{first.path}__isnull": True})
    if at is None:
        here, beyond, reaches_on = with_value, without, True
    elif at[0] is None:
        here = without.filter(_beyond(keys[1:], at[1:], side))
        beyond, reaches_on = with_value, backwards
    else:
        here = with_value.filter(_range(keys, at, side))
        beyond, reaches_on = without, not backwards
    rows = list(here[:limit])
    if reaches_on and len(rows) < limit:
        rows += beyond[: limit - len(rows)]
    return rows


def _range(keys: list[Key], at: list[Any], side: Side) -> Q:
    """`_beyond`, with the range of the first column said once more for the index."""
    first = keys[0]
    towards_more = first.descending == (side == "before")
    lookup = "gte" if towards_more else "lte"
    return Q(**{f"{first.path}__{lookup}": at[0]}) & _beyond(keys, at, side)


def _beyond(keys: list[Key], at: list[Any], side: Side) -> Q:
    """Rows that come after (before) the position in the order of the keys."""
    condition: Q | None = None
    for key, value in reversed(list(zip(keys, at, strict=True))):
        passed = _passed(key, value, side)
        condition = passed if condition is None else passed | (_same(key, value) & condition)
    return condition if condition is not None else _nothing()


def _passed(key: Key, value: Any, side: Side) -> Q:
    if value is None:
        # Nulls come last: nothing follows them, every value precedes them.
        return _nothing() if side == "after" else Q(**{f"{key.path}__isnull": False})
    towards_more = key.descending == (side == "before")
    beyond = Q(**{f"{key.path}__{'gt' if towards_more else 'lt'}": value})
    if key.nullable and side == "after":
        return beyond | Q(**{f"{key.path}__isnull": True})
    return beyond


def _same(key: Key, value: Any) -> Q:
    return Q(**{f"{key.path}__isnull": True}) if value is None else Q(**{key.path: value})


def _nothing() -> Q:
    return Q(pk__in=[])


def _order_by(key: Key, *, backwards: bool) -> Any:
    column = F(key.path)
    last = True if key.nullable and not backwards else None
    first = True if key.nullable and backwards else None
    if key.descending != backwards:
        return column.desc(nulls_last=last, nulls_first=first)
    return column.asc(nulls_last=last, nulls_first=first)


def _value(row: Any, path: str) -> Any:
    if isinstance(row, Mapping):
        return row[path]
    try:
        for name in path.split(SEPARATOR):
            row = getattr(row, name)
            if row is None:
                return None
    except ObjectDoesNotExist:
        return None
    return row.pk if isinstance(row, models.Model) else row


def _fields(model: type[models.Model], path: str) -> list[Any]:
    """Return the model fields a path leads through, [] for an annotation."""
    fields: list[Any] = []
    here: type[models.Model] | None = model
    for name in path.split(SEPARATOR):
        if here is None:
            return []
        meta = here._meta  # noqa: SLF001 -- Django's documented _meta API
        try:
            field = meta.pk if name == "pk" else meta.get_field(name)
        except FieldDoesNotExist:
            return []
        fields.append(field)
        here = field.related_model if field.is_relation else None
    return fields


def _nullable(model: type[models.Model], path: str) -> bool:
    """Whether the column may be null in a row; yes for what is not known."""
    fields = _fields(model, path)
    return not fields or any(
        getattr(field, "null", False) or (field.is_relation and not field.concrete)
        for field in fields
    )


def _unique(model: type[models.Model], path: str) -> bool:
    fields = _fields(model, path)
    if len(fields) != 1 or _nullable(model, path):
        return False
    return not isinstance(fields[0], models.CompositePrimaryKey) and bool(fields[0].unique)


_PACK: dict[type, tuple[str, Callable[[Any], Any]]] = {
    bool: ("b", bool),
    int: ("i", int),
    float: ("f", float),
    str: ("s", str),
    Decimal: ("n", str),
    dt.datetime: ("t", dt.datetime.isoformat),
    dt.date: ("d", dt.date.isoformat),
    uuid.UUID: ("u", str),
}
_UNPACK: dict[str, Callable[[Any], Any]] = {
    "b": bool,
    "i": int,
    "f": float,
    "s": str,
    "n": Decimal,
    "t": dt.datetime.fromisoformat,
    "d": dt.date.fromisoformat,
    "u": uuid.UUID,
}


def _packed(value: Any) -> tuple[str, Any]:
    if value is None:
        return "0", None
    for kind, (tag, write) in _PACK.items():
        if isinstance(value, kind):
            return tag, write(value)
    raise TypeError(f"No cursor can hold a {type(value).__name__}.")


def _unpacked(tag: str, value: Any) -> Any:
    return None if tag == "0" else _UNPACK[tag](value)


def _secret(key: str) -> bytes:
    return hashlib.sha256(b"config.lib.keyset:" + key.encode()).digest()


def _foreign() -> BadValue:
    return BadValue(
        "bad_cursor", "This cursor does not belong to this list. Start from its first page."
    )
