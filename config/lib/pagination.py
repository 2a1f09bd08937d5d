"""Keyset pages as DRF wants them: links to both neighbours, a count when asked."""

from collections.abc import Sequence
from typing import Any

from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from config.lib import keyset, parameters, values

PAGE_SIZE = 50
PAGE_SIZE_MAX = 200
CURSOR = "cursor"
# What may change while walking from page to page.
NOT_BOUND = frozenset({CURSOR, "page_size", "count", "format"})


class KeysetPagination(BasePagination):
    """Reads `cursor`, `page_size` and `count`; the order comes from the view's `order()`."""

    page: keyset.Page[Any]
    count: keyset.Count | None
    url: str

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.url = request.build_absolute_uri()
        size = parameters.read(request, "page_size", page_size, PAGE_SIZE)

        order = view.order(queryset.model)

        def page_at(cursor: str | None) -> keyset.Page[Any]:
            bound = f"{binding(request)}|{view.bound_to()}"
            return keyset.page_of(queryset, order, cursor, size, binding=bound)

        page = parameters.read(request, CURSOR, page_at, None)
        self.page = page or page_at(None)
        wants_count = parameters.read(request, "count", values.parse_boolean_text, default=False)
        self.count = keyset.count_of(queryset) if wants_count else None
        return self.page.rows

    def get_paginated_response(self, data: Sequence[Any]) -> Response:
        body: dict[str, Any] = {
            "next": self._link(self.page.next),
            "previous": self._link(self.page.previous),
        }
        if self.count is not None:
            body["count"] = self.count.rows
            if self.count.estimated:
                body["count_estimated"] = True
        return Response({**body, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": link,
                "previous": link,
                "count": {
                    "type": "integer",
                    "description": "With ?count=true; exact up to 10,000.",
                },
                "count_estimated": {
                    "type": "boolean",
                    "description": "True where `count` is an estimate.",
                },
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            parameters.describe(CURSOR, "From `next` or `previous`.", {"type": "string"}),
            parameters.describe(
                "page_size",
                "Rows a page.",
                {"type": "integer", "minimum": 1, "maximum": PAGE_SIZE_MAX, "default": PAGE_SIZE},
            ),
            parameters.describe("count", "Add the number of all rows.", {"type": "boolean"}),
        ]

    def _link(self, cursor: str | None) -> str | None:
        if cursor is None:
            return None
        return replace_query_param(remove_query_param(self.url, CURSOR), CURSOR, cursor)


class WholeList(KeysetPagination):
    """The form of a page for a list that has only one."""

    def get_schema_operation_parameters(self, _view: Any) -> list[dict[str, Any]]:
        return []


def page_size(text: str) -> int:
    return values.parse_integer_text(text, low=1, high=PAGE_SIZE_MAX)


def binding(request: Request) -> str:
    """Name the list and all that filters and orders it."""
    sent = sorted(
        (name, value) for name, value in request.query_params.items() if name not in NOT_BOUND
    )
    return f"{request.path}|{sent}"
