"""Answers made straight from `.values()`: one plan a class instead of a model object a row.

    class TierRow(RowSerializer):
        id = UuidField(source="uuid")
        arr_from = MoneyField()

    class SubscriptionRow(RowSerializer):
        id = UuidField(source="uuid")
        account = UuidField(source="account.uuid")
        tier = TierRow(source="tier", allow_null=True)

`source` is the way to the column, with dots; `paths()` is what `.values()` needs. A
nested serializer whose first column is null answers null.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from rest_framework import serializers

from config.lib.fields import StrictField
from config.lib.keyset import SEPARATOR

Row = Mapping[str, Any]


class Column(NamedTuple):
    """How one field of the answer comes from the row."""

    name: str
    path: str
    write: Callable[[Any], Any]
    is_text: bool
    children: tuple["Column", ...] = ()


class RowSerializer(serializers.Serializer[Any]):
    # Turns rows of `.values(*paths())` into answers. No docstring: schemas would inherit it.

    if TYPE_CHECKING:
        # Columns of ours that are also attributes of every serializer.
        source: Any
        parent: Any

    @classmethod
    def columns(cls) -> tuple[Column, ...]:
        return _columns(cls)

    @classmethod
    def paths(cls) -> list[str]:
        return list(dict.fromkeys(path for path in _paths(cls.columns())))

    def to_representation(self, instance: Row) -> dict[str, Any]:
        return answer(self.columns(), instance)


def answer(columns: tuple[Column, ...], row: Row) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, path, write, _, children in columns:
        value = row[path]
        if value is None:
            result[name] = None
        else:
            result[name] = answer(children, row) if children else write(value)
    return result


def header(columns: tuple[Column, ...], prefix: str = "") -> list[str]:
    """Return the names of a CSV file's columns; nested ones with a dot."""
    return [
        name
        for column in columns
        for name in (
            header(column.children, f"{prefix}{column.name}.")
            if column.children
            else [f"{prefix}{column.name}"]
        )
    ]


def cells(columns: tuple[Column, ...], item: Row) -> list[tuple[Any, bool]]:
    """Return the values of one answer as a CSV line, each with whether it is text."""
    result: list[tuple[Any, bool]] = []
    for name, _, _, is_text, children in columns:
        value = item.get(name)
        if children:
            result += cells(children, value or {})
        elif isinstance(value, list | dict):
            result.append((json.dumps(value, ensure_ascii=False), True))
        else:
            result.append((value, is_text))
    return result


def _paths(columns: tuple[Column, ...]) -> list[str]:
    return [
        path
        for column in columns
        for path in (_paths(column.children) if column.children else [column.path])
    ]


@cache
def _columns(serializer: type[RowSerializer]) -> tuple[Column, ...]:
    return _nested(serializer(), "")


def _nested(serializer: serializers.Serializer[Any], prefix: str) -> tuple[Column, ...]:
    columns = []
    for name, field in serializer.fields.items():
        path = prefix + (field.source or name).replace(".", SEPARATOR)
        if isinstance(field, RowSerializer):
            children = _nested(field, f"{path}{SEPARATOR}")
            columns.append(
                Column(name, children[0].path, _itself, is_text=False, children=children)
            )
        elif isinstance(field, StrictField):
            columns.append(Column(name, path, field.write, field.is_text))
        else:
            raise TypeError(f"{name} of {type(serializer).__name__} is no StrictField.")
    return tuple(columns)


def _itself(value: Any) -> Any:
    return value
