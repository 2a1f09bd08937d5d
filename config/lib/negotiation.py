"""Which of its forms a resource is answered in, and what OPTIONS tells of it."""

from collections.abc import Sequence
from typing import Any

from rest_framework.metadata import BaseMetadata
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from config.lib import values
from config.lib.errors import Invalid


class StrictNegotiation(DefaultContentNegotiation):
    """An unknown `format` is a parameter at fault, not a missing page."""

    def filter_renderers(  # type: ignore[override]
        self,
        renderers: Sequence[BaseRenderer],
        format: str,  # noqa: A002 -- DRF's name
    ) -> list[BaseRenderer]:
        fitting = [renderer for renderer in renderers if renderer.format == format]
        if not fitting:
            known = ", ".join(str(renderer.format) for renderer in renderers)
            raise Invalid(
                f"“{values.echo(format)}” is none of: {known}.",
                field="format",
                code="not_a_choice",
            )
        return fitting


class Metadata(BaseMetadata):
    """OPTIONS names the resource and its methods, nothing more."""

    def determine_metadata(self, _request: Request, view: Any) -> dict[str, Any]:
        return {"name": view.get_view_name(), "methods": view.allowed_methods}
