"""Filters that take only what they name, written as config.lib.values says.

    AccountFilters = filter_set(
        "AccountFilters",
        word("status", choices=Account.Status.values, lookups="exact in"),
        money("arr", path="facts__arr", lookups="gte lte isnull"),
    )

One line gives one parameter a lookup: `status`, `status__in`, `arr__gte`, ... The same
class serves the API (which also refuses empty values) and filter bars of HTML lists.
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import and_, or_
from typing import Any

import django_filters
from django import forms
from django.db.models import F, Q, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Contains

from config.lib import form_fields

SEARCH_WORDS = 8

Filters = dict[str, "StrictFilter"]


class StrictFilter(django_filters.Filter):
    """One parameter. `schema` says what it takes, for the OpenAPI document."""

    def __init__(
        self, *, path: str, lookup: str, field: forms.Field, schema: dict[str, Any]
    ) -> None:
        super().__init__(field_name=path, lookup_expr=lookup)
        self.form_field = field
        self.schema = schema

    @property
    def field(self) -> forms.Field:
        return self.form_field


class StrictFilterSet(django_filters.FilterSet):
    """The base of every set of filters; made by `filter_set`."""

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        if data is not None:
            # Each is copied and made a field of a form: leave out what is not asked.
            base: Any = type(self).base_filters
            asked: Any = self
            asked.base_filters = {name: base[name] for name in data if name in base}
        super().__init__(data, *args, **kwargs)


def filter_set(name: str, *parts: Filters) -> type[StrictFilterSet]:
    merged = {key: value for part in parts for key, value in part.items()}
    meta: Any = type(StrictFilterSet)
    made: type[StrictFilterSet] = meta(name, (StrictFilterSet,), {"__module__": __name__, **merged})
    return made


def word(
    name: str,
    *,
    path: str = "",
    lookups: str = "exact in",
    choices: Sequence[str] = (),
) -> Filters:
    if choices:
        field: forms.Field = form_fields.ChoiceTextField(words=choices, required=False)
        schema: dict[str, Any] = {"type": "string", "enum": list(choices)}
    else:
        field = form_fields.WordField(required=False)
        schema = {"type": "string", "maxLength": 200}
    return _filters(name, path, lookups, field, schema)


def external_id(name: str, *, path: str = "", lookups: str = "exact in") -> Filters:
    field = form_fields.ExternalIdField(required=False)
    return _filters(name, path, lookups, field, {"type": "string", "maxLength": 120})


def money(name: str, *, path: str = "", lookups: str = "gte lte") -> Filters:
    field = form_fields.MoneyField(required=False)
    schema = {"type": "string", "pattern": r"^\d{1,12}(\.\d{1,4})?$"}
    return _filters(name, path, lookups, field, schema)


def ratio(name: str, *, path: str = "", lookups: str = "gte lte") -> Filters:
    field = form_fields.SignedDecimalField(required=False)
    schema = {"type": "string", "pattern": r"^-?\d{1,12}(\.\d{1,6})?$"}
    return _filters(name, path, lookups, field, schema)


def integer(name: str, *, path: str = "", lookups: str = "exact gte lte") -> Filters:
    field = form_fields.SeatsField(required=False)
    schema = {"type": "integer", "minimum": 0, "maximum": 2_147_483_647}
    return _filters(name, path, lookups, field, schema)


def day(name: str, *, path: str = "", lookups: str = "exact gte lte") -> Filters:
    field = form_fields.DateField(required=False)
    return _filters(name, path, lookups, field, {"type": "string", "format": "date"})


def moment(name: str, *, path: str = "", lookups: str = "gte lte") -> Filters:
    field = form_fields.DateTimeField(required=False)
    schema = {"type": "string", "format": "date-time"}
    return _filters(name, path, lookups, field, schema)


def boolean(name: str, *, path: str = "", lookups: str = "exact") -> Filters:
    field = form_fields.BooleanTextField(required=False)
    return _filters(name, path, lookups, field, {"type": "boolean"})


def uuid(name: str, *, path: str = "", lookups: str = "exact in") -> Filters:
    field = form_fields.UuidField(required=False)
    return _filters(name, path, lookups, field, {"type": "string", "format": "uuid"})


def search_condition(text: str, paths: Sequence[str]) -> Q:
    """Match rows in which every word occurs in one of the columns, whatever its case.

    The columns are compared as LOWER(column) LIKE ..., which a trigram index on
    Lower(column) serves; % and _ stand for themselves.
    """
    words = text.split()[:SEARCH_WORDS]
    return reduce(
        and_,
        (
            reduce(
                or_,
                (Q(Contains(Lower(F(path)), Lower(Value(word)))) for path in paths),
            )
            for word in words
        ),
        Q(),
    )


def parameters_of(filters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Describe filters as OpenAPI query parameters."""
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "schema": item.schema,
            **({"style": "form", "explode": False} if _takes_list(item) else {}),
        }
        for name, item in filters.items()
    ]


def _filters(
    name: str, path: str, lookups: str, field: forms.Field, schema: dict[str, Any]
) -> Filters:
    result = {}
    for lookup in lookups.split():
        key = name if lookup == "exact" else f"{name}__{lookup}"
        if lookup == "in":
            item = StrictFilter(
                path=path or name,
                lookup=lookup,
                field=form_fields.CommaListField(inner=field, required=False),
                schema={"type": "array", "items": schema, "maxItems": form_fields.LIST_MAX},
            )
        elif lookup == "isnull":
            item = StrictFilter(
                path=path or name,
                lookup=lookup,
                field=form_fields.BooleanTextField(required=False),
                schema={"type": "boolean"},
            )
        else:
            item = StrictFilter(path=path or name, lookup=lookup, field=field, schema=schema)
        result[key] = item
    return result


def _takes_list(item: StrictFilter) -> bool:
    return bool(item.schema["type"] == "array")
