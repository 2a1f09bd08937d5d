"""The base of what the API shows: lists in keyset pages or CSV, and details with ETags."""

import datetime as dt
import itertools
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework import viewsets
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request
from rest_framework.response import Response

from config.lib import etags, filters, keyset, parameters, replica, values
from config.lib.errors import Invalid, Missing
from config.lib.pagination import NOT_BOUND, KeysetPagination
from config.lib.rendering import (
    CHUNK_ROWS,
    CsvRenderer,
    StrictJSONRenderer,
    csv_response_of_cells,
)
from config.lib.rows import Column, RowSerializer, answer, cells, header

Row = dict[str, Any]
FORMAT = "format"
ORDERING = "ordering"
SEARCH = "search"
UPDATED_SINCE = "updated_since"
SEARCH_MAX = 100


class StrictFilterBackend(BaseFilterBackend):
    """`filterset_class`, `search`, `updated_since`; parameters were checked before."""

    def filter_queryset(
        self, request: Request, queryset: "QuerySet[Any, Any]", view: Any
    ) -> "QuerySet[Any, Any]":
        if view.filterset_class is not None:
            filterset = view.filterset_class(request.query_params, queryset)
            if not filterset.is_valid():
                name, errors = next(iter(filterset.errors.as_data().items()))
                detail = " ".join(errors[0].messages)
                raise Invalid(detail, field=name, code=errors[0].code or "invalid")
            queryset = filterset.qs
        if text := parameters.read(request, SEARCH, search_text, ""):
            queryset = queryset.filter(filters.search_condition(text, view.search_fields))
        if since := parameters.read(request, UPDATED_SINCE, values.parse_datetime, None):
            queryset = queryset.filter(**{f"{view.updated_since}__gte": since})
        return queryset

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        described = []
        if view.filterset_class is not None:
            described += filters.parameters_of(view.filterset_class.base_filters)
        if view.search_fields:
            schema = {"type": "string", "maxLength": SEARCH_MAX}
            described.append(
                parameters.describe(SEARCH, "Words that must all occur, in any case.", schema)
            )
        if view.updated_since:
            schema = {"type": "string", "format": "date-time"}
            described.append(parameters.describe(UPDATED_SINCE, "Changed then or later.", schema))
        names = [sign + name for name in view.ordering for sign in ("", "-")]
        ordering = {"type": "array", "items": {"type": "string", "enum": names}}
        described.append(
            {
                **parameters.describe(ORDERING, "Nulls come last either way.", ordering),
                "style": "form",
                "explode": False,
            }
        )
        formats = {"type": "string", "enum": ["json", "csv"]}
        described.append(parameters.describe(FORMAT, "csv gives all rows as one file.", formats))
        return described


class ListViewSet(viewsets.GenericViewSet[Any]):
    """A resource to list. A subclass names its rows, filters and order; see docs/api.md.

    `ordering` maps public names to ORM paths; `order_by` is the order without asking.
    `takes` are further parameters of its own, read by the view itself.
    """

    noun: ClassVar[str] = "thing"
    scope: ClassVar[str] = ""
    serializer_class: type[RowSerializer]
    filterset_class: ClassVar[type[filters.StrictFilterSet] | None] = None
    ordering: ClassVar[Mapping[str, str]] = {}
    order_by: ClassVar[Sequence[str]] = ()
    search_fields: ClassVar[Sequence[str]] = ()
    updated_since: ClassVar[str] = ""
    takes: ClassVar[Sequence[OpenApiParameter]] = ()
    filter_backends: Sequence[type[BaseFilterBackend]] = (StrictFilterBackend,)
    pagination_class = KeysetPagination

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if not hasattr(self, (request.method or "").lower()):
            # Before what else the request asks for is looked at, but not before who asks.
            self.check_permissions(request)
            self.http_method_not_allowed(request, *args, **kwargs)
        super().initial(request, *args, **kwargs)
        if self.action != "metadata":
            parameters.check(request, self.known_parameters())

    def known_parameters(self) -> set[str]:
        known = {FORMAT, *(parameter.name for parameter in self.taken())}
        if not self.is_list():
            return known
        known |= NOT_BOUND | {ORDERING}
        if self.filterset_class is not None:
            known |= self.filterset_class.base_filters.keys()
        if self.search_fields:
            known.add(SEARCH)
        if self.updated_since:
            known.add(UPDATED_SINCE)
        return known

    def taken(self) -> Sequence[OpenApiParameter]:
        return self.takes

    def is_list(self) -> bool:
        return self.action == "list"

    def get_renderers(self) -> list[Any]:
        if self.is_list():
            return [StrictJSONRenderer(), CsvRenderer()]
        return [StrictJSONRenderer()]

    def list(self, request: Request, **_found: uuid.UUID) -> HttpResponseBase:
        queryset = self.filter_queryset(self.get_queryset())
        return replica.answered(queryset, partial(self._listed, request))

    def _listed(self, request: Request, queryset: "QuerySet[Any, Any]") -> HttpResponseBase:
        if getattr(request.accepted_renderer, "format", "") == CsvRenderer.format:
            return self.as_csv(request, queryset)
        rows = self.paginate_queryset(self.as_rows(queryset))
        return self.get_paginated_response(list(self.answers(rows or [])))

    def bound_to(self) -> str:
        """Name what pages must have in common beside the address, such as a run."""
        return ""

    def get_serializer_class(self) -> type[RowSerializer]:
        return self.serializer_class

    def columns(self) -> tuple[Column, ...]:
        return self.get_serializer_class().columns()

    def answers(self, rows: Sequence[Row]) -> Iterable[dict[str, Any]]:
        columns = self.columns()
        return (answer(columns, row) for row in self.completed(rows))

    def as_rows(self, queryset: "QuerySet[Any, Any]") -> "QuerySet[Any, Row]":
        """Return the queryset as rows of all that the answer and its order need."""
        paths = [*self.get_serializer_class().paths(), *self.further_paths()]
        if self.is_list():
            paths += [key.path for key in keyset.total(queryset.model, self.order(queryset.model))]
        rows: QuerySet[Any, Row] = queryset.values(*dict.fromkeys(paths))
        return rows

    def further_paths(self) -> Sequence[str]:
        """Name columns that `completed` needs beside those answered."""
        return ()

    def completed(self, rows: Sequence[Row]) -> Iterable[Row]:
        """Fill in what no column gives; called with a page or a chunk of rows."""
        return rows

    def order(self, model: type[Model]) -> Sequence[keyset.Key]:
        names = parameters.read(
            self.request,
            ORDERING,
            lambda text: keyset.parse_ordering(text, self.ordering),
            list(self.order_by),
        )
        return keyset.keys_for(model, names)

    def as_csv(self, request: Request, queryset: "QuerySet[Any, Any]") -> HttpResponseBase:
        for name in (NOT_BOUND - {FORMAT}) & request.query_params.keys():
            raise Invalid("A CSV file has all rows.", field=name, code="not_with_csv")
        columns = self.columns()
        rows = keyset.ordered(self.as_rows(queryset), self.order(queryset.model))

        def lines() -> Iterator[list[tuple[Any, bool]]]:
            found = rows.iterator(chunk_size=CHUNK_ROWS)
            while chunk := list(itertools.islice(found, CHUNK_ROWS)):
                for item in self.answers(chunk):
                    yield cells(columns, item)

        name = f"{self.basename}-{timezone.now():%Y-%m-%d}.csv"
        return csv_response_of_cells(name, header(columns), lines())

    def as_of(self) -> dt.date | None:
        return parameters.read(self.request, "as_of", values.parse_date, None)

    def known_at(self) -> dt.datetime | None:
        return parameters.read(self.request, "known_at", values.parse_datetime, None)

    def finalize_response(  # type: ignore[override]
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        final = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[arg-type]
        final["Cache-Control"] = "no-store"
        return final


class ReadViewSet(ListViewSet):
    """A resource to list, and to get one by its id with a strong ETag."""

    # Not where an answer shows what changes without a new version of the row.
    answers_304: ClassVar[bool] = True
    lookup_field = "uuid"
    lookup_url_kwarg = "id"
    lookup_value_converter = "uuid"

    def retrieve(self, request: Request, **found: uuid.UUID) -> HttpResponseBase:
        found_one, etag = self.answer_about(found[self.lookup_url_kwarg])
        if etag and self.answers_304 and etags.unchanged(request, etag):
            return HttpResponse(status=304, headers={"ETag": etag})
        return Response(found_one, headers={"ETag": etag} if etag else None)

    def answer_about(self, public_id: uuid.UUID) -> tuple[dict[str, Any], str]:
        """Return the answer about one and its ETag, "" where it has no version."""
        queryset = self.get_queryset().filter(**{self.lookup_field: public_id})
        rows = list(self.as_rows(queryset)[:1])
        if not rows:
            raise Missing(f"No such {self.noun}.")
        (found_one,) = self.answers(rows)
        etag = etags.etag_of(public_id, rows[0]["version"]) if "version" in rows[0] else ""
        return found_one, etag


def search_text(text: str) -> str:
    return values.parse_text(text, max_length=SEARCH_MAX)
